//! Text between quotes, of which there are four.

use super::{Form, Kind, Lexer, Token};

impl Lexer<'_> {
    /// Text between two of the byte at `start`.
    #[inline]
    pub(super) fn quoted(&mut self, start: usize, kind: Kind) -> Token {
        let quote = self.byte(start).unwrap_or_default();
        let Some(content) = self.content(start + 1, quote) else {
            return self.invalid();
        };
        self.at = content.end + 1;
        let form = if kind == Kind::Literal {
            Form::Plain
        } else if self.is_blank(&content, quote) {
            Form::Blank(quote)
        } else if content.plain {
            Form::Plain
        } else {
            Form::Escaped(quote)
        };
        Token { kind, form, start: content.start, end: content.end }
    }

    /// `$tag$ … $tag$`, and `$$ … $$`.
    pub(super) fn dollar_quoted(&mut self, start: usize) -> Token {
        let Some(tag) = self.content(start + 1, b'$') else {
            return self.invalid();
        };
        let name: String = self.unescaped(&tag, b'$').collect();
        let nameless = name == "$$" || name.chars().all(char::is_whitespace);
        let delimiter = if nameless { "$$".to_owned() } else { format!("${name}$") };
        let delimiter = delimiter.as_bytes();
        // The tokenizer compares characters with bytes, and after a mismatch goes on with the next character.
        let mut matched = 0;
        for (at, c) in self.text.get(tag.end + 1..).unwrap_or_default().char_indices() {
            let low = u32::from(c) as u8;
            matched = if delimiter.get(matched) == Some(&low) { matched + 1 } else { 0 };
            if matched == delimiter.len() {
                return self.token(Kind::Literal, start, tag.end + 1 + at + c.len_utf8());
            }
        }
        self.invalid()
    }

    /// What stands between quotes, from `start` on, or nothing if they are not closed.
    #[inline]
    fn content(&mut self, start: usize, quote: u8) -> Option<Content> {
        let mut plain = true;
        let mut end = start;
        loop {
            let byte = self.byte(end)?;
            if byte == quote {
                if self.byte(end + 1) != Some(quote) {
                    return Some(Content { start, end, plain });
                }
                plain = false;
                end += 2;
            } else if byte == b'\\' {
                self.seen_escape = true;
                end += 1;
                if !self.literal_escapes {
                    plain = false;
                    end += self.char(end)?.len_utf8();
                }
            } else {
                end += 1;
            }
        }
    }

    #[inline]
    fn is_blank(&self, content: &Content, quote: u8) -> bool {
        let first =
            self.byte(content.start).filter(|_| content.plain && content.start < content.end);
        if first.is_some_and(|byte| byte.is_ascii_graphic()) {
            return false;
        }
        self.unescaped(content, quote).all(char::is_whitespace)
    }

    fn unescaped(&self, content: &Content, quote: u8) -> impl Iterator<Item = char> {
        let raw = self.text.get(content.start..content.end).unwrap_or_default();
        unescaped(raw, quote, self.literal_escapes)
    }
}

/// What stands between two quotes.
struct Content {
    start: usize,
    end: usize,
    /// No quote inside, no escape.
    plain: bool,
}

/// The characters of a quoted text: a doubled quote is one, and a backslash stands for what follows it.
pub(in crate::obfuscate::sql) fn unescaped(
    raw: &str,
    quote: u8,
    literal_escapes: bool,
) -> impl Iterator<Item = char> {
    let mut chars = raw.chars();
    std::iter::from_fn(move || match chars.next()? {
        '\\' if !literal_escapes => chars.next(),
        c if c == char::from(quote) => {
            chars.next();
            Some(c)
        }
        c => Some(c),
    })
}
