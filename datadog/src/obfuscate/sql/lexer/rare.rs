//! What is not in every statement: operators, parameters, comments and braces.

use super::{Kind, Lexer, Token, in_word};
use crate::letters::is_letter;

impl Lexer<'_> {
    /// Tokens that are not in every statement.
    pub(super) fn rare(&mut self, start: usize, first: u8) -> Token {
        let next = start + 1;
        match (first, self.byte(next).unwrap_or_default()) {
            (b':', _) => self.colon(start),
            (b'~', b'*') => self.token(Kind::Other, start, next + 1),
            (b'.', b'0'..=b'9') => self.fraction(start, next),
            (b'/', b'/') | (b'-', b'-') => self.line_comment(start, next + 1),
            (b'/', b'*') => self.block_comment(start),
            // Not the operator of JSON: the tokenizer takes the minus for a number and leaves the rest.
            (b'-', b'>') => self.token(Kind::Literal, start, next),
            (b'-', b'0'..=b'9') => self.number(start, next),
            (b'-', b'.') => self.minus_dot(start),
            (b'~' | b'.' | b'/' | b'-', _) => self.token(Kind::Other, start, next),
            // The character after the sign is passed unseen, even a line's end.
            (b'#', _) => self.line_comment(start, self.after(next)),
            (b'<', b'>') | (b'>', b'=') => self.token(Kind::Other, start, next + 1),
            (b'<', b'=') => {
                let end = if self.byte(next + 1) == Some(b'>') { next + 2 } else { next + 1 };
                self.token(Kind::Other, start, end)
            }
            (b'<' | b'>', _) => self.token(Kind::Other, start, next),
            (b'!', _) => self.exclamation(start),
            (b'%', b'(') => self.named_format(start),
            (b'%', _) => match self.char(next) {
                Some(c) if in_word(c) => self.token(Kind::Literal, start, self.after(next)),
                _ => self.token(Kind::Other, start, next),
            },
            (b'$', b'?') => self.token(Kind::Literal, start, next + 1),
            (b'$', b'0'..=b'9') => self.number(start, next),
            (b'$', _) => self.dollar_quoted(start),
            (b'{', _) => self.brace(start),
            (b'}', _) if self.braces > 0 => {
                self.braces -= 1;
                self.token(Kind::Other, start, next)
            }
            (0x80.., _) if self.char(start).is_some_and(is_letter) => self.long_word(start, start),
            _ => self.invalid(),
        }
    }

    fn colon(&mut self, start: usize) -> Token {
        let next = start + 1;
        match self.char(next) {
            Some(':') => return self.token(Kind::Other, start, next + 1),
            Some('=' | ']' | '$') => return self.token(Kind::Colon, start, next),
            Some(c) if c.is_whitespace() => return self.token(Kind::Colon, start, next),
            Some(c) if in_word(c) || c.is_ascii_digit() => {}
            _ => return self.invalid(),
        }
        // A bind variable, which keeps its name.
        let mut end = next;
        while let Some(c) = self.char(end) {
            if !(in_word(c) || c.is_ascii_digit() || c == '.') {
                break;
            }
            end += c.len_utf8();
        }
        self.token(Kind::Other, start, end)
    }

    /// `-.` before anything but a digit. The tokenizer steps over the character after the dot before it decides that the dot is a
    /// token, and then gives the dot to the minus and the character to the dot.
    fn minus_dot(&mut self, start: usize) -> Token {
        let after = start + 2;
        match self.byte(after) {
            Some(b'0'..=b'9') => self.fraction(start, after),
            None => self.token(Kind::Other, start, start + 1),
            Some(_) => {
                self.lost_dot = true;
                self.token(Kind::Other, start, after)
            }
        }
    }

    pub(super) fn after_lost_dot(&mut self) -> Token {
        self.lost_dot = false;
        let start = self.at;
        let end = self.after(start);
        match self.byte(end) {
            Some(b'0'..=b'9') => self.fraction(start, end),
            _ => self.token(Kind::Other, start, end),
        }
    }

    fn exclamation(&mut self, start: usize) -> Token {
        let next = start + 1;
        let end = match (self.byte(next), self.byte(next + 1)) {
            (Some(b'~'), Some(b'*')) => next + 2,
            (Some(b'=' | b'~'), _) => next + 1,
            _ => next,
        };
        let operand = |c: char| {
            matches!(c, '(' | '`' | '\'' | '"' | '+' | '-')
                || c.is_whitespace()
                || in_word(c)
                || c.is_ascii_digit()
        };
        if end > next || self.char(next).is_some_and(operand) {
            self.token(Kind::Other, start, end)
        } else {
            self.invalid()
        }
    }

    /// `%(name)s`.
    fn named_format(&mut self, start: usize) -> Token {
        match self.find(start + 2, b')').and_then(|close| self.char(close + 1).map(|c| (close, c)))
        {
            Some((close, c)) if in_word(c) => {
                self.token(Kind::Literal, start, close + 1 + c.len_utf8())
            }
            _ => self.invalid(),
        }
    }

    /// A brace that begins the statement stands, and so do those inside of it. Others hide what they hold.
    fn brace(&mut self, start: usize) -> Token {
        let next = start + 1;
        // The tokenizer knows the beginning by the width of what follows.
        let first = start == 0 && self.byte(next).is_none_or(|byte| byte.is_ascii());
        if first || self.braces > 0 {
            self.braces += 1;
            return self.token(Kind::Other, start, next);
        }
        match self.find(next, b'}') {
            Some(close) => self.token(Kind::Literal, start, close + 1),
            None => self.invalid(),
        }
    }

    fn line_comment(&mut self, start: usize, from: usize) -> Token {
        let end = self.find(from, b'\n').map_or(self.text.len(), |line_end| line_end + 1);
        self.token(Kind::Comment, start, end)
    }

    fn block_comment(&mut self, start: usize) -> Token {
        let mut from = start + 2;
        while let Some(star) = self.find(from, b'*') {
            from = star + 1;
            if self.byte(from) == Some(b'/') {
                return self.token(Kind::Comment, start, from + 1);
            }
        }
        self.invalid()
    }
}
