//! A value as text: `pcommon.Value.AsString` of open-telemetry/opentelemetry-collector `pdata/pcommon/value.go`.
//!
//! Where upstream's text would be empty because JSON has no number for a nested NaN or infinity, these become strings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pdata::view::{AnyValue, Attributes, KeyValue};

use crate::number::put_double;

/// Appends a value's text: a string as it stands, bytes as base64, lists and maps as compact JSON.
pub fn put_text(out: &mut Vec<u8>, value: &AnyValue<'_>) {
    match value {
        AnyValue::Empty => {}
        AnyValue::Str(text) => out.extend_from_slice(text.as_bytes()),
        AnyValue::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        AnyValue::Int(int) => out.extend_from_slice(int.to_string().as_bytes()),
        AnyValue::Double(double) => put_double(out, *double),
        AnyValue::Bytes(bytes) => out.extend_from_slice(STANDARD.encode(bytes).as_bytes()),
        AnyValue::Array(_) | AnyValue::KeyValueList(_) => put_json(out, value),
    }
}

/// The same as a string.
pub fn to_text(value: &AnyValue<'_>) -> String {
    let mut out = Vec::new();
    put_text(&mut out, value);
    // All text in a payload is UTF-8, and so is what is put around it.
    String::from_utf8(out).unwrap_or_default()
}

/// Appends a value as compact JSON with sorted keys; of a repeated key the last value counts. Validation bounds the depth.
fn put_json(out: &mut Vec<u8>, value: &AnyValue<'_>) {
    match value {
        AnyValue::Empty => out.extend_from_slice(b"null"),
        AnyValue::Str(text) => put_json_string(out, text.as_bytes()),
        AnyValue::Bool(_) | AnyValue::Int(_) => put_text(out, value),
        AnyValue::Double(double) if double.is_finite() => put_double(out, *double),
        AnyValue::Double(_) | AnyValue::Bytes(_) => {
            out.push(b'"');
            put_text(out, value);
            out.push(b'"');
        }
        AnyValue::Array(array) => {
            out.push(b'[');
            for (i, value) in array.values().iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                put_json(out, &value);
            }
            out.push(b']');
        }
        AnyValue::KeyValueList(map) => put_json_object(out, map.entries()),
    }
}

fn put_json_object(out: &mut Vec<u8>, entries: Attributes<'_>) {
    let mut sorted: Vec<KeyValue<'_>> = entries.iter().collect();
    sorted.sort_by_key(|entry| entry.key);
    out.push(b'{');
    let mut first = true;
    let mut rest = sorted.iter().peekable();
    while let Some(entry) = rest.next() {
        if rest.peek().is_some_and(|next| next.key == entry.key) {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        put_json_string(out, entry.key.as_bytes());
        out.push(b':');
        put_json(out, &entry.value);
    }
    out.push(b'}');
}

/// Appends a JSON string with the escapes that Go chooses when it is told not to escape HTML.
fn put_json_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..0x20 => {
                out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                continue;
            }
            // U+2028 and U+2029 end a line in JavaScript.
            0xe2 if let [0x80, last @ (0xa8 | 0xa9), after @ ..] = rest => {
                out.extend_from_slice(if *last == 0xa8 { b"\\u2028" } else { b"\\u2029" });
                rest = after;
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests;
