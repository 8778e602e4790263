//! What is written of a statement.

use super::lexer::{Form, unescaped};

/// Memory that is kept from one statement to the next.
const KEPT_MAX: usize = 64 * 1024;
/// Pieces up to this length are copied whole.
const PIECE: usize = 16;

/// Where statements are written to, one after the other.
#[derive(Default)]
pub(in crate::obfuscate) struct Buffer {
    /// All of it is there to be overwritten; what is written ends at `len`.
    bytes: Vec<u8>,
    len: usize,
}

/// Writes tokens with a space between them.
///
/// Most of them stand in the statement as they are to be written, so that what is written is cut from it in long runs.
pub(super) struct Writer<'a, 'o> {
    statement: &'a str,
    literal_escapes: bool,
    out: &'o mut Buffer,
    /// The run that is still to be written.
    from: usize,
    to: usize,
}

impl<'a, 'o> Writer<'a, 'o> {
    pub(super) fn new(statement: &'a str, literal_escapes: bool, out: &'o mut Buffer) -> Self {
        out.start(statement.len());
        Writer { statement, literal_escapes, out, from: 0, to: 0 }
    }

    /// A piece of the statement.
    #[inline]
    pub(super) fn source(&mut self, gap: bool, start: usize, end: usize) {
        let run = self.to > self.from;
        let spaced = start == self.to + 1 && self.statement.as_bytes().get(self.to) == Some(&b' ');
        if run && if gap { spaced } else { start == self.to } {
            self.to = end;
            return;
        }
        self.gap(gap);
        self.from = start;
        self.to = end;
    }

    /// A character of ours.
    #[inline]
    pub(super) fn character(&mut self, gap: bool, character: u8) {
        self.gap(gap);
        self.out.push(character);
    }

    /// What stands between quotes in the statement, and is not written as it stands.
    pub(super) fn quoted(&mut self, form: Form, start: usize, end: usize) {
        if form == Form::Plain {
            return self.source(true, start, end);
        }
        self.gap(true);
        let content = self.statement.get(start..end).unwrap_or_default();
        if let Form::Escaped(quote) = form {
            for c in unescaped(content, quote, self.literal_escapes) {
                self.out.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        if let Form::Blank(quote) = form {
            self.out.extend(&[quote; 2]);
        }
    }

    /// Writes the rest. Nothing written is a failure.
    pub(super) fn finish(mut self) -> bool {
        self.flush();
        self.out.len > 0
    }

    #[inline]
    fn gap(&mut self, gap: bool) {
        self.flush();
        if gap && self.out.len > 0 {
            self.out.push(b' ');
        }
    }

    #[inline]
    fn flush(&mut self) {
        if self.from < self.to {
            self.out.piece(self.statement.as_bytes(), self.from, self.to);
            self.from = self.to;
        }
    }
}

impl Buffer {
    /// What was written last.
    pub(in crate::obfuscate) fn written(&self) -> &str {
        let written = self.bytes.get(..self.len).unwrap_or_default();
        // Only whole characters are written.
        str::from_utf8(written).unwrap_or_default()
    }

    fn start(&mut self, statement_len: usize) {
        if self.bytes.len() > KEPT_MAX {
            self.bytes = Vec::new();
        }
        self.len = 0;
        self.make_room(statement_len + statement_len / 4 + PIECE);
    }

    /// Copies from one place to the other of `from`.
    #[inline]
    fn piece(&mut self, from: &[u8], start: usize, end: usize) {
        let from = from.get(start..).unwrap_or_default();
        let len = end - start;
        if len <= PIECE
            && let Some(piece) = from.first_chunk::<PIECE>()
            && let Some(room) =
                self.bytes.get_mut(self.len..).and_then(<[u8]>::first_chunk_mut::<PIECE>)
        {
            *room = *piece;
            self.len += len;
        } else {
            self.extend(from.get(..len).unwrap_or_default());
        }
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        match self.bytes.get_mut(self.len) {
            Some(room) => {
                *room = byte;
                self.len += 1;
            }
            None => self.extend(&[byte]),
        }
    }

    fn extend(&mut self, bytes: &[u8]) {
        self.make_room(self.len + bytes.len());
        if let Some(room) = self.bytes.get_mut(self.len..self.len + bytes.len()) {
            room.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    fn make_room(&mut self, len: usize) {
        if len > self.bytes.len() {
            self.bytes.resize(len + len / 2, 0);
        }
    }
}
