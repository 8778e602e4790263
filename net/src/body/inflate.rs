//! gzip and zlib as a reader that notices a missing end: flate2's own readers take a cut-off zlib
//! stream for a complete one.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

/// The window of deflate, as a power of two.
const WINDOW_BITS: u8 = 15;

/// Decompresses one zlib stream, or all members of a gzip file.
pub(super) struct Inflate<'a> {
    input: &'a [u8],
    state: Decompress,
    gzip: bool,
    ended: bool,
}

impl<'a> Inflate<'a> {
    pub(super) fn gzip(input: &'a [u8]) -> Self {
        let state = Decompress::new_gzip(WINDOW_BITS);
        Self { input, state, gzip: true, ended: false }
    }

    pub(super) fn zlib(input: &'a [u8]) -> Self {
        Self { input, state: Decompress::new(true), gzip: false, ended: false }
    }

    /// What a call consumed and wrote; both totals restart with each member.
    fn totals(&self) -> (u64, u64) {
        (self.state.total_in(), self.state.total_out())
    }
}

impl Read for Inflate<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if self.ended {
                if !self.gzip || self.input.is_empty() {
                    return Ok(0);
                }
                *self = Self::gzip(self.input);
            }
            let before = self.totals();
            let status = self.state.decompress(self.input, out, FlushDecompress::None)?;
            let after = self.totals();
            let consumed = usize::try_from(after.0 - before.0).unwrap_or(usize::MAX);
            let written = usize::try_from(after.1 - before.1).unwrap_or(usize::MAX);
            self.input = self.input.get(consumed..).unwrap_or_default();
            self.ended = status == Status::StreamEnd;
            if written > 0 {
                return Ok(written);
            }
            if !self.ended && consumed == 0 {
                let kind = if self.input.is_empty() {
                    io::ErrorKind::UnexpectedEof
                } else {
                    io::ErrorKind::InvalidData
                };
                return Err(kind.into());
            }
        }
    }
}
