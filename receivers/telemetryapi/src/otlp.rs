//! OTLP, written straight into its messages.

use pdata::wire;
use serde_json::{Map, Value};

/// The name of the scope, as upstream has it.
pub(crate) const SCOPE_NAME: &str =
    "github.com/open-telemetry/opentelemetry-lambda/collector/receiver/telemetryapi";

/// Lists and objects below this depth are written as JSON text: a payload that is nested further would be refused as a whole.
const DEPTH_MAX: usize = 16;

/// Appends a `KeyValue` with a text as field `number`.
pub(crate) fn put_text(out: &mut Vec<u8>, number: u32, key: &str, text: &str) {
    put(out, number, key, |out| wire::put_len(out, 1, text.as_bytes()));
}

/// Appends a `KeyValue` with a truth value as field `number`.
pub(crate) fn put_bool(out: &mut Vec<u8>, number: u32, key: &str, value: bool) {
    put(out, number, key, |out| wire::put_uint(out, 2, u64::from(value)));
}

/// Appends a `KeyValue` with an integer as field `number`.
pub(crate) fn put_int(out: &mut Vec<u8>, number: u32, key: &str, value: i64) {
    put(out, number, key, |out| wire::put_uint(out, 3, value.cast_unsigned()));
}

/// Appends a `KeyValue` with a decimal as field `number`.
pub(crate) fn put_double(out: &mut Vec<u8>, number: u32, key: &str, value: f64) {
    put(out, number, key, |out| wire::put_fixed64(out, 4, value.to_bits()));
}

/// Appends a `KeyValue` with what a JSON value is as field `number`.
pub(crate) fn put_json(out: &mut Vec<u8>, number: u32, key: &str, value: &Value) {
    put(out, number, key, |out| put_value(out, value, DEPTH_MAX));
}

/// Appends what a JSON value is as the inside of an `AnyValue`.
pub(crate) fn put_json_value(out: &mut Vec<u8>, value: &Value) {
    put_value(out, value, DEPTH_MAX);
}

/// Appends a scope, as field `number` of a `ScopeLogs` and its like.
pub(crate) fn put_scope(out: &mut Vec<u8>) {
    wire::put_message(out, 1, |out| wire::put_len(out, 1, SCOPE_NAME.as_bytes()));
}

/// A request that holds items of one resource and one scope: the three signals agree on these fields' numbers.
pub(crate) fn request(resource: &[u8], items: &[u8], schema_url: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(resource.len() + items.len() + 160);
    wire::put_message(&mut out, 1, |out| {
        wire::put_len(out, 1, resource);
        wire::put_message(out, 2, |out| {
            put_scope(out);
            out.extend_from_slice(items);
            if let Some(url) = schema_url {
                wire::put_len(out, 3, url.as_bytes());
            }
        });
    });
    out
}

fn put(out: &mut Vec<u8>, number: u32, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
    wire::put_message(out, number, |out| {
        wire::put_len(out, 1, key.as_bytes());
        wire::put_message(out, 2, value);
    });
}

fn put_value(out: &mut Vec<u8>, value: &Value, depth: usize) {
    match value {
        Value::Null => {}
        Value::Bool(value) => wire::put_uint(out, 2, u64::from(*value)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => wire::put_uint(out, 3, integer.cast_unsigned()),
            // Integers beyond 64 bits, too.
            (None, Some(double)) => wire::put_fixed64(out, 4, double.to_bits()),
            (None, None) => wire::put_len(out, 1, number.to_string().as_bytes()),
        },
        Value::String(text) => wire::put_len(out, 1, text.as_bytes()),
        Value::Array(_) | Value::Object(_) if depth == 0 => {
            wire::put_len(out, 1, value.to_string().as_bytes());
        }
        Value::Array(values) => wire::put_message(out, 5, |out| {
            for value in values {
                wire::put_message(out, 1, |out| put_value(out, value, depth - 1));
            }
        }),
        Value::Object(members) => wire::put_message(out, 6, |out| put_members(out, members, depth)),
    }
}

fn put_members(out: &mut Vec<u8>, members: &Map<String, Value>, depth: usize) {
    for (key, value) in members {
        put(out, 1, key, |out| put_value(out, value, depth - 1));
    }
}
