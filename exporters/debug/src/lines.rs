//! The buffer that text is written to.

use std::fmt::Arguments;
use std::io::Write as _;

/// Lines of text, not yet safe for a terminal.
#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<u8>);

impl Lines {
    /// Appends a line.
    pub(crate) fn line(&mut self, text: Arguments<'_>) {
        // Writing to memory does not fail.
        let _written = writeln!(self.0, "{text}");
    }

    /// The text, with every control character but newline and tab escaped, so that what is in a payload cannot speak to a terminal.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let text = match String::from_utf8(self.0) {
            // Everything was formatted from text.
            Err(error) => return error.utf8_error().to_string().into_bytes(),
            Ok(text) => text,
        };
        if !text.chars().any(is_harmful) {
            return text.into_bytes();
        }
        let mut safe = String::with_capacity(text.len() + 16);
        for c in text.chars() {
            if is_harmful(c) { safe.extend(c.escape_default()) } else { safe.push(c) }
        }
        safe.into_bytes()
    }
}

/// Control characters, and those that turn the direction of writing.
fn is_harmful(c: char) -> bool {
    !matches!(c, '\n' | '\t') && is_control(c)
}

/// Whether the character steers the terminal, or the order that characters are shown in, instead of being shown.
pub(crate) fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_but_for_newline_and_tab() {
        let mut lines = Lines::default();
        lines.line(format_args!("a\tb\nc\x1b[31m\u{9b}2J\u{202e}d\r"));
        let text = String::from_utf8(lines.into_bytes()).unwrap();
        assert_eq!(text, "a\tb\nc\\u{1b}[31m\\u{9b}2J\\u{202e}d\\r\n");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        let mut lines = Lines::default();
        lines.line(format_args!("日本語 é 🚀"));
        assert_eq!(lines.into_bytes(), "日本語 é 🚀\n".as_bytes());
    }
}
