//! Names and keywords.

use super::{Kind, Lexer, Token, in_word};

const MULTIPLIER: u64 = 0x05b6_e6e3_07d4_bedd;

impl Lexer<'_> {
    /// The word whose first character begins at `start`.
    #[inline]
    pub(super) fn word(&mut self, start: usize) -> Token {
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let len = common_len(rest);
        if rest.get(len).is_some_and(|byte| !ends_word(*byte)) {
            return self.long_word(start, start + len);
        }
        self.token(keyword(rest, len), start, start + len)
    }

    /// A word with characters in it that few words have.
    #[cold]
    pub(super) fn long_word(&mut self, start: usize, from: usize) -> Token {
        let mut end = from;
        while let Some(c) = self.char(end) {
            if !(in_word(c) || c.is_ascii_digit() || matches!(c, '.' | '*' | '$')) {
                break;
            }
            end += c.len_utf8();
        }
        let word = self.text.get(start..end).unwrap_or_default();
        self.token(wide_keyword(word), start, end)
    }
}

/// How many letters, digits, underscores and dots `text` begins with.
#[inline]
fn common_len(text: &[u8]) -> usize {
    let is_other = |byte: &u8| !COMMON.get(usize::from(*byte)).copied().unwrap_or_default();
    let mut len = 0;
    // Most words end within eight bytes, which are looked at without a loop.
    while let Some(chunk) = text.get(len..).and_then(<[u8]>::first_chunk::<8>) {
        match chunk.iter().position(is_other) {
            Some(end) => return len + end,
            None => len += chunk.len(),
        }
    }
    let rest = text.get(len..).unwrap_or_default();
    len + rest.iter().position(is_other).unwrap_or(rest.len())
}

/// The letters, digits, underscore and dot.
#[expect(clippy::indexing_slicing, reason = "this runs in the compiler")]
const COMMON: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 0x80 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
        byte += 1;
    }
    table
};

/// Whether no word goes on with `byte`.
#[inline]
fn ends_word(byte: u8) -> bool {
    byte.is_ascii() && !matches!(byte, b'@' | b'#' | b'*' | b'$')
}

/// What the first `len` bytes of `text` are, in capitals or not.
#[inline]
fn keyword(text: &[u8], len: usize) -> Kind {
    let mut first = [0; 8];
    match text.first_chunk::<8>() {
        Some(chunk) => first = *chunk,
        None => first.iter_mut().zip(text).for_each(|(to, from)| *to = *from),
    }
    // Clearing this bit makes capitals of letters, and letters of nothing else that a word may hold.
    let capitals = u64::from_le_bytes(first) & 0xdfdf_dfdf_dfdf_dfdf;
    if len > 8 {
        let rest = text.get(8..len).unwrap_or_default();
        let savepoint = capitals == packed(b"SAVEPOIN") && matches!(rest, b"t" | b"T");
        return if savepoint { Kind::Savepoint } else { Kind::Name };
    }
    let capitals = capitals & (u64::MAX >> (64 - 8 * len));
    match KEYWORDS.get(place(capitals)) {
        Some((keyword, kind)) if *keyword == capitals => *kind,
        _ => Kind::Name,
    }
}

/// Two letters beyond ASCII have capitals within, and so may stand in a keyword.
fn wide_keyword(word: &str) -> Kind {
    let mut ascii = [0; 16];
    let mut len = 0;
    for c in word.chars() {
        let c = match c {
            'ı' => 'i',
            'ſ' => 's',
            c => c,
        };
        let (Some(slot), Ok(byte @ ..0x80)) = (ascii.get_mut(len), u8::try_from(c)) else {
            return Kind::Name;
        };
        *slot = byte;
        len += 1;
    }
    keyword(&ascii, len)
}

/// The keywords of up to eight letters that are told from names, each in its place.
#[expect(clippy::indexing_slicing, reason = "this runs in the compiler")]
const KEYWORDS: [(u64, Kind); 64] = {
    const WORDS: [(&[u8], Kind); 20] = [
        (b"AS", Kind::As),
        (b"NULL", Kind::Literal),
        (b"TRUE", Kind::Literal),
        (b"FALSE", Kind::Literal),
        (b"SELECT", Kind::Query),
        (b"UPDATE", Kind::Query),
        (b"DELETE", Kind::Query),
        (b"INSERT", Kind::Other),
        (b"INTO", Kind::Other),
        (b"FROM", Kind::Other),
        (b"JOIN", Kind::Other),
        (b"LIMIT", Kind::Other),
        (b"CREATE", Kind::Other),
        (b"ALTER", Kind::Other),
        (b"DROP", Kind::Other),
        (b"TRUNCATE", Kind::Other),
        (b"GRANT", Kind::Other),
        (b"REVOKE", Kind::Other),
        (b"BEGIN", Kind::Other),
        (b"COMMIT", Kind::Other),
    ];
    let mut table = [(0, Kind::Name); 64];
    let mut words: &[(&[u8], Kind)] = &WORDS;
    while let [(word, kind), rest @ ..] = words {
        let packed = packed(word);
        assert!(
            table[place(packed)].0 == 0,
            "two keywords have one place: take another multiplier"
        );
        table[place(packed)] = (packed, *kind);
        words = rest;
    }
    table
};

/// Where a keyword has its place in the table. The multiplier was searched for.
const fn place(packed: u64) -> usize {
    (packed.wrapping_mul(MULTIPLIER) >> 58) as usize
}

const fn packed(word: &[u8]) -> u64 {
    let mut packed = 0;
    let mut rest = word;
    while let [first @ .., last] = rest {
        packed = packed << 8 | *last as u64;
        rest = first;
    }
    packed
}
