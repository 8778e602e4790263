//! Attribute values as text: `pcommon.Value.AsString` of open-telemetry/opentelemetry-collector `pdata/pcommon/value.go`.
//!
//! Where upstream's text would be empty because JSON has no number for a nested NaN or infinity, these become strings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::escape::{needs_escape, put_escape};
use super::number::{put_double, put_int};
use crate::view::{AnyValue, Attributes, KeyValue};

/// Which characters are escaped in JSON inside a text, beyond those that must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escaping {
    /// None: tags.
    Plain,
    /// `<`, `>` and `&`: annotations and links, as Go's `json.Marshal` does.
    Html,
}

/// Appends a value's text: a string as it stands, bytes as base64, lists and maps as compact JSON.
pub fn put_text(out: &mut Vec<u8>, value: &AnyValue<'_>) {
    match value {
        AnyValue::Empty => {}
        AnyValue::Str(text) => out.extend_from_slice(text.as_bytes()),
        AnyValue::Bool(true) => out.extend_from_slice(b"true"),
        AnyValue::Bool(false) => out.extend_from_slice(b"false"),
        AnyValue::Int(int) => put_int(out, *int),
        AnyValue::Double(double) => put_double(out, *double),
        AnyValue::Bytes(bytes) => put_base64(out, bytes),
        AnyValue::Array(_) | AnyValue::KeyValueList(_) => put_json(out, value, Escaping::Plain),
    }
}

/// The same as a string.
pub fn to_text(value: &AnyValue<'_>) -> String {
    let mut out = Vec::new();
    put_text(&mut out, value);
    // All text in a payload is UTF-8, and so is what is put around it.
    String::from_utf8(out).unwrap_or_default()
}

/// Appends attributes as a JSON object with sorted keys; of a repeated key the last value counts.
pub fn put_json_object(out: &mut Vec<u8>, attributes: &Attributes<'_>, escaping: Escaping) {
    let mut sorted: Vec<KeyValue<'_>> = attributes.iter().collect();
    sorted.sort_by_key(|attribute| attribute.key);
    out.push(b'{');
    let mut rest = sorted.iter().peekable();
    while let Some(attribute) = rest.next() {
        if rest.peek().is_some_and(|next| next.key == attribute.key) {
            continue;
        }
        put_json_string(out, attribute.key.as_bytes(), escaping);
        out.push(b':');
        put_json(out, &attribute.value, escaping);
        out.push(b',');
    }
    close(out, b'{', b'}');
}

/// Appends a value as compact JSON. Doubles that JSON has no number for become strings. Validation bounds the depth.
pub fn put_json(out: &mut Vec<u8>, value: &AnyValue<'_>, escaping: Escaping) {
    match value {
        AnyValue::Empty => out.extend_from_slice(b"null"),
        AnyValue::Str(text) => put_json_string(out, text.as_bytes(), escaping),
        AnyValue::Bool(_) | AnyValue::Int(_) => put_text(out, value),
        AnyValue::Double(double) if double.is_finite() => put_double(out, *double),
        AnyValue::Double(_) | AnyValue::Bytes(_) => {
            out.push(b'"');
            put_text(out, value);
            out.push(b'"');
        }
        AnyValue::Array(array) => {
            out.push(b'[');
            for value in array.values() {
                put_json(out, &value, escaping);
                out.push(b',');
            }
            close(out, b'[', b']');
        }
        AnyValue::KeyValueList(list) => put_json_object(out, &list.entries(), escaping),
    }
}

/// Ends a list whose items end in commas.
fn close(out: &mut Vec<u8>, opening: u8, closing: u8) {
    match out.last_mut() {
        Some(comma @ b',') => *comma = closing,
        Some(last) if *last == opening => out.push(closing),
        _ => {}
    }
}

/// Appends UTF-8 text as a JSON string with Go's escapes, so that the text is the same as the Collector's.
pub fn put_json_string(out: &mut Vec<u8>, string: &[u8], escaping: Escaping) {
    let html = escaping == Escaping::Html;
    let is_found = |&byte: &u8| match byte {
        b'<' | b'>' | b'&' => html,
        0xe2 => true,
        byte => needs_escape(byte),
    };
    out.push(b'"');
    let mut rest = string;
    while let Some(at) = rest.iter().position(is_found) {
        let (run, from) = rest.split_at(at);
        out.extend_from_slice(run);
        rest = match from {
            // U+2028 and U+2029, which end a line in JavaScript.
            [0xe2, 0x80, last @ (0xa8 | 0xa9), after @ ..] => {
                out.extend_from_slice(b"\\u202");
                out.push(last - 0xa8 + b'8');
                after
            }
            [0xe2, after @ ..] => {
                out.push(0xe2);
                after
            }
            [byte, after @ ..] => {
                put_escape(out, *byte);
                after
            }
            [] => from,
        };
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Appends bytes in the standard, padded base64.
pub fn put_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    // The room is exactly what padded base64 takes.
    let _written = out.get_mut(start..).map(|room| STANDARD.encode_slice(bytes, room));
}

#[cfg(test)]
mod tests;
