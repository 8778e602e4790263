//! Numbers, whose values are not seen.

use super::{Kind, Lexer, Token};

impl Lexer<'_> {
    /// A number or a numbered parameter whose digits begin at `digits`.
    pub(super) fn number(&mut self, start: usize, digits: usize) -> Token {
        let mut end = digits;
        if self.byte(digits) == Some(b'0') {
            end += 1;
            if matches!(self.byte(end), Some(b'x' | b'X')) {
                end = self.run(end + 1, |byte| byte.is_ascii_hexdigit());
                return self.token(Kind::Literal, start, end);
            }
        }
        end = self.run(end, |byte| byte.is_ascii_digit());
        if self.byte(end) == Some(b'.') {
            return self.fraction(start, end + 1);
        }
        self.exponent(start, end)
    }

    /// The digits after a point.
    pub(super) fn fraction(&mut self, start: usize, from: usize) -> Token {
        let end = self.run(from, |byte| byte.is_ascii_digit());
        self.exponent(start, end)
    }

    fn exponent(&mut self, start: usize, mut end: usize) -> Token {
        if matches!(self.byte(end), Some(b'e' | b'E')) {
            end += 1;
            if matches!(self.byte(end), Some(b'+' | b'-')) {
                end += 1;
            }
            end = self.run(end, |byte| byte.is_ascii_digit());
        }
        self.token(Kind::Literal, start, end)
    }
}
