//! Attribute values in JSON.

use pdata::text::{put_double, put_escaped, put_int, put_text};
use pdata::view::{AnyValue, KeyValueList};

use super::entries::Entries;

/// The depth at which maps are flattened no more (upstream's `flattenAttribute`).
pub(super) const DEPTH_MAX: usize = 10;

/// Appends a text as a JSON string.
#[inline]
pub(super) fn put_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    put_escaped(out, text);
    out.push(b'"');
}

/// Appends a value's text (upstream's `AsString`) as a JSON string.
#[inline]
pub(super) fn put_as_string(out: &mut Vec<u8>, value: &AnyValue<'_>) {
    match value {
        AnyValue::Str(text) => put_string(out, text.as_bytes()),
        AnyValue::Array(_) | AnyValue::KeyValueList(_) => {
            let mut text = Vec::new();
            put_text(&mut text, value);
            put_string(out, &text);
        }
        // Nothing in these is escaped.
        plain => {
            out.push(b'"');
            put_text(out, plain);
            out.push(b'"');
        }
    }
}

/// Appends a value at a depth: numbers and booleans as they are, lists as lists, the rest as text. A map is one that is not flattened.
pub(super) fn put_value(out: &mut Vec<u8>, value: &AnyValue<'_>, depth: usize) {
    match value {
        AnyValue::Bool(true) => out.extend_from_slice(b"true"),
        AnyValue::Bool(false) => out.extend_from_slice(b"false"),
        AnyValue::Int(int) => put_int(out, *int),
        AnyValue::Double(double) if double.is_finite() => put_double(out, *double),
        AnyValue::Array(list) => {
            out.push(b'[');
            for (index, element) in list.values().iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                match &element {
                    AnyValue::KeyValueList(map) if depth + 1 != DEPTH_MAX => {
                        put_object(out, map, depth + 1);
                    }
                    element => put_value(out, element, depth + 1),
                }
            }
            out.push(b']');
        }
        text => put_as_string(out, text),
    }
}

/// Appends a map as an object without maps in it.
fn put_object(out: &mut Vec<u8>, map: &KeyValueList<'_>, depth: usize) {
    let mut entries = Entries::nested();
    for entry in map.entries() {
        entries.add(entry.key.as_bytes(), &entry.value, depth + 1);
    }
    entries.keep_last();
    out.push(b'{');
    for (index, (key, value, depth)) in entries.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        put_string(out, key);
        out.push(b':');
        put_value(out, value, depth);
    }
    out.push(b'}');
}
