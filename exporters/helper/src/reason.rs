//! Text that comes from a backend or a network stack, made fit for a log line.

use std::borrow::Cow;
use std::fmt;

/// Bytes kept of a reason; what is longer ends in an ellipsis.
const REASON_BYTES_MAX: usize = 256;

/// Why something failed, in one line: capped at 256 bytes, white space collapsed, without control characters and without
/// characters that turn the direction of text. It may quote what a backend said; it must not quote payload or headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(Cow<'static, str>);

impl Reason {
    /// A reason in these words, cleaned.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        if is_clean(&text) { Self(text) } else { Self(Cow::Owned(clean(&text))) }
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The words, to be passed on.
    pub fn into_text(self) -> Cow<'static, str> {
        self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_clean(text: &str) -> bool {
    text.len() <= REASON_BYTES_MAX
        && !text.chars().any(|c| is_blank(c) && c != ' ')
        && !text.contains("  ")
        && text.trim().len() == text.len()
}

/// White space, control characters, and the format characters that hide or reorder text (Unicode Standard Annex 9).
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn clean(text: &str) -> String {
    let mut out = String::new();
    for word in text.split(is_blank).filter(|word| !word.is_empty()) {
        let gap = usize::from(!out.is_empty());
        let room = (REASON_BYTES_MAX - '…'.len_utf8()).saturating_sub(out.len() + gap);
        if word.len() > room {
            let end = word.floor_char_boundary(room);
            if end > 0 {
                out.push_str(if gap == 1 { " " } else { "" });
                out.push_str(word.get(..end).unwrap_or_default());
            }
            out.push('…');
            break;
        }
        out.push_str(if gap == 1 { " " } else { "" });
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_words_are_kept_as_they_are() {
        assert_eq!(Reason::new("connection refused").as_str(), "connection refused");
        assert_eq!(Reason::new("").as_str(), "");
    }

    #[test]
    fn lines_control_and_direction_characters_become_single_spaces() {
        let reason = Reason::new("<html>\r\n\t<b>502\u{1b}[31m\u{202e}gate</b>\u{0}  way\n");
        assert_eq!(reason.as_str(), "<html> <b>502 [31m gate</b> way");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        for text in
            ["é".repeat(400), "é ".repeat(400), format!("{} {}", "a".repeat(252), "é".repeat(9))]
        {
            let reason = Reason::new(text);
            assert!(reason.as_str().len() <= REASON_BYTES_MAX, "{} bytes", reason.as_str().len());
            assert!(reason.as_str().ends_with('…'));
            assert!(
                reason.as_str().len() > REASON_BYTES_MAX - 8,
                "{} bytes",
                reason.as_str().len()
            );
        }
    }
}
