//! Names and tags in the form that Datadog's backend keeps: DataDog/datadog-agent `pkg/trace/traceutil/normalize`.
//!
//! Nothing is copied where the text is in that form already.

use std::borrow::Cow;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

use crate::letters::is_letter;

/// Longest service in bytes.
pub const SERVICE_LEN_MAX: usize = 100;
/// Longest operation name in bytes.
pub const NAME_LEN_MAX: usize = 100;
/// Longest span type in bytes.
pub const TYPE_LEN_MAX: usize = 100;
/// Longest resource in bytes.
pub const RESOURCE_LEN_MAX: usize = 5000;
/// The service of spans whose own is nothing but characters that a tag cannot have.
pub const NO_SERVICE: &str = "unnamed-service";
/// The name of spans whose own has not a single letter.
pub const NO_NAME: &str = "unnamed_operation";

/// Most characters of a tag.
const TAG_CHARS_MAX: usize = 200;
/// Bytes of a tag that are looked at.
const TAG_BYTES_MAX: usize = 2 * TAG_CHARS_MAX;

/// The longest beginning of at most `max` bytes that ends between characters.
pub fn truncate(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or_default()
}

/// A service: a tag value of at most 100 bytes, never empty.
pub fn service(text: &str) -> Cow<'_, str> {
    match tag_value(truncate(text, SERVICE_LEN_MAX)) {
        normal if normal.is_empty() => Cow::Borrowed(NO_SERVICE),
        normal => normal,
    }
}

/// A service that a span names beside its own, such as `peer.service`: as [`service`], but empty where nothing is left.
pub fn other_service(text: &str) -> Cow<'_, str> {
    tag_value(truncate(text, SERVICE_LEN_MAX))
}

/// A whole tag, `key:value`: as [`tag_value`], and what precedes the first letter or colon is dropped.
pub fn tag(text: &str) -> Cow<'_, str> {
    normal_tag(text, Start::Letter)
}

/// The value of a tag: lower case; letters, digits, `.`, `/`, `-` and `:`; a run of anything else is one `_`, and nothing at the
/// end; at most 200 characters.
pub fn tag_value(text: &str) -> Cow<'_, str> {
    normal_tag(text, Start::Any)
}

/// What may stand at the start of a tag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    Letter,
    Any,
}

fn normal_tag(text: &str, start: Start) -> Cow<'_, str> {
    if is_normal_tag(text.as_bytes(), start) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(TAG_BYTES_MAX));
    let (mut chars, mut in_run) = (0, false);
    for (at, c) in text.char_indices() {
        let lower = lower_case(c);
        let is_letter = lower == ':' || is_letter(lower);
        if is_letter || chars > 0 || start == Start::Any {
            chars += 1;
            if is_letter || matches!(lower, '.' | '/' | '-') || is_digit(lower) {
                if std::mem::take(&mut in_run) {
                    out.push('_');
                }
                out.push(lower);
            } else {
                // Written when something follows it.
                in_run = true;
            }
        }
        if at + c.len_utf8() >= TAG_BYTES_MAX || chars >= TAG_CHARS_MAX {
            break;
        }
    }
    Cow::Owned(out)
}

fn is_normal_tag(text: &[u8], start: Start) -> bool {
    if text.len() > TAG_CHARS_MAX {
        return false;
    }
    let mut after_underscore = start == Start::Letter;
    for (i, &byte) in text.iter().enumerate() {
        after_underscore = match byte {
            b'a'..=b'z' | b':' => false,
            b'0'..=b'9' | b'.' | b'/' | b'-' if i > 0 || start == Start::Any => false,
            b'_' if !after_underscore => true,
            _ => return false,
        };
    }
    text.is_empty() || !after_underscore
}

/// The letter's lower case, where that takes as many bytes: Go lowers tags in place.
fn lower_case(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    if c.general_category() != GeneralCategory::UppercaseLetter {
        return c;
    }
    let lower = c.to_lowercase().next().unwrap_or(c);
    if lower.len_utf8() == c.len_utf8() { lower } else { c }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && c.general_category() == GeneralCategory::DecimalNumber)
}

/// An operation name: ASCII letters, digits, `_` and `.`, from the first letter on, at most 100 bytes, never empty. What a name cannot
/// have is one `_`, but not beside another, before or after a `.`, or at the end.
pub fn name(text: &str) -> Cow<'_, str> {
    let text = truncate(text, NAME_LEN_MAX);
    let Some(start) = text.bytes().position(|byte| byte.is_ascii_alphabetic()) else {
        return Cow::Borrowed(NO_NAME);
    };
    let text = text.get(start..).unwrap_or_default();
    if is_normal_name(text.as_bytes()) {
        return Cow::Borrowed(text.strip_suffix('_').unwrap_or(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut last = 'a';
    // Byte by byte: each byte of a character that a name cannot have counts, but they make one run.
    for byte in text.bytes() {
        match byte {
            _ if byte.is_ascii_alphanumeric() => {}
            b'.' if last == '_' => drop(out.pop()),
            b'.' => {}
            _ if matches!(last, '.' | '_') => continue,
            _ => {}
        }
        last = if byte.is_ascii_alphanumeric() || byte == b'.' { char::from(byte) } else { '_' };
        out.push(last);
    }
    if last == '_' {
        out.pop();
    }
    Cow::Owned(out)
}

fn is_normal_name(text: &[u8]) -> bool {
    let mut last = b'a';
    text.iter().all(|&byte| {
        let before = std::mem::replace(&mut last, byte);
        byte.is_ascii_alphanumeric() || (matches!(byte, b'.' | b'_') && before != b'_')
    })
}

#[cfg(test)]
mod tests;
