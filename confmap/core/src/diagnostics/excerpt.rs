//! The line below a message: shortened, made printable, and with what looks like a secret masked.

use crate::user_info;

/// How many characters of a long line are shown.
const MAX_COLUMNS: usize = 120;

/// How many of them stand before the marked place.
const LEAD_COLUMNS: usize = 40;

/// What hides a value.
const MASK: &str = "…";

/// Parts of a key's name that say that its value is a secret. A key is compared in lower case.
const SECRET_WORDS: [&str; 13] = [
    "headers",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "authorization",
    "credential",
    "private_key",
    "access_key",
];

/// A line and the marks to print below it.
pub(super) struct Cut {
    pub(super) line: String,
    pub(super) marks: String,
}

/// Shows a line with `width` characters from `column` (counted from 1) marked. `key_only` ends
/// the line behind the marked key, since its value is not what the message is about.
pub(super) fn cut(text: &str, column: u32, width: u32, key_only: bool) -> Cut {
    let start = usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1);
    let width = usize::try_from(width).unwrap_or(usize::MAX);
    let mut line: Vec<char> = text.chars().collect();
    let end = start.saturating_add(width).min(line.len());
    if key_only && end < line.len() {
        line.truncate(end);
        line.extend([':', ' ']);
        line.extend(MASK.chars());
    }
    mask(&mut line);
    let from = if line.len() > MAX_COLUMNS { start.saturating_sub(LEAD_COLUMNS) } else { 0 };
    let shown = line.get(from.min(line.len())..).unwrap_or_default();
    let mut out = String::new();
    let mut marks = String::new();
    if from > 0 {
        out.push_str(MASK);
        marks.push(' ');
    }
    for (index, character) in shown.iter().take(MAX_COLUMNS).enumerate() {
        let column = from + index;
        out.push(if *character == '\t' { ' ' } else { printable_char(*character) });
        if column < start {
            marks.push(' ');
        } else if column < end {
            marks.push('^');
        }
    }
    if shown.len() > MAX_COLUMNS {
        out.push_str(MASK);
    }
    if !marks.ends_with('^') {
        // The place is the end of the line, or beyond what is shown.
        let at = start.saturating_sub(from).min(MAX_COLUMNS);
        marks = format!("{}^", " ".repeat(at + usize::from(from > 0)));
    }
    Cut { line: out, marks }
}

/// Text for a terminal: a control character could move its cursor or recolour it.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { printable_char(c) }).collect()
}

fn printable_char(character: char) -> char {
    // Besides controls, the marks that turn the direction of text around.
    let turns = matches!(
        character,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    if character.is_control() || turns { char::REPLACEMENT_CHARACTER } else { character }
}

/// Replaces what follows a key with a telling name, and the user part of a URL, by one star per
/// character, so that columns stay.
fn mask(line: &mut [char]) {
    let lower: Vec<char> = line.iter().map(char::to_ascii_lowercase).collect();
    let mut masked = vec![false; line.len()];
    for word in SECRET_WORDS {
        let word: Vec<char> = word.chars().collect();
        for at in positions(&lower, &word) {
            mask_value(&lower, at + word.len(), &mut masked);
        }
    }
    let text: String = line.iter().collect();
    let spans = user_info::spans(&text);
    for ((at, _), masked) in text.char_indices().zip(&mut masked) {
        *masked |= spans.iter().any(|span| span.contains(&at));
    }
    for (character, masked) in line.iter_mut().zip(masked) {
        if masked {
            *character = '*';
        }
    }
}

fn positions(line: &[char], word: &[char]) -> Vec<usize> {
    line.windows(word.len()).enumerate().filter(|(_, at)| *at == word).map(|(at, _)| at).collect()
}

/// From the rest of a key on: masks what stands behind its `:` or `=`.
fn mask_value(line: &[char], from: usize, masked: &mut [bool]) {
    let rest = line.get(from..).unwrap_or_default();
    let Some(colon) = rest.iter().position(|c| matches!(c, ':' | '=')) else { return };
    let key = rest.get(..colon).unwrap_or_default();
    if !key.iter().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '"' | '\'' | ' ')) {
        return;
    }
    let value = rest.get(colon + 1..).unwrap_or_default();
    // A reference is no secret, and naming it helps.
    if value.iter().collect::<String>().trim_start_matches([' ', '"', '\'']).starts_with("${") {
        return;
    }
    for (character, masked) in value.iter().zip(masked.iter_mut().skip(from + colon + 1)) {
        *masked |= !character.is_whitespace();
    }
}

#[cfg(test)]
mod tests;
