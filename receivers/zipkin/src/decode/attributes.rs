//! OTLP attributes, written straight into their message.

use pdata::wire;

/// A value that a Zipkin span can give.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Str(&'a [u8]),
    Int(i64),
    Double(f64),
    Bool(bool),
}

/// Appends a `KeyValue` as field `number`.
pub(super) fn put(out: &mut Vec<u8>, number: u32, key: &[u8], value: Value<'_>) {
    wire::put_message(out, number, |out| {
        wire::put_len(out, 1, key);
        wire::put_message(out, 2, |out| put_value(out, value));
    });
}

/// Appends the inside of an `AnyValue`.
pub(super) fn put_value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Str(text) => wire::put_len(out, 1, text),
        Value::Bool(bool) => wire::put_uint(out, 2, u64::from(bool)),
        Value::Int(int) => wire::put_uint(out, 3, int as u64),
        Value::Double(double) => wire::put_fixed64(out, 4, double.to_bits()),
    }
}

/// What a tag's text looks like: `-?\d+`, `-?\d+\.\d+`, `true` or `false` are numbers and booleans as far as 64 bits go
/// (open-telemetry/opentelemetry-collector-contrib `pkg/translator/zipkin/internal/zipkin/attributes.go`).
pub(super) fn typed(text: &[u8]) -> Value<'_> {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let are_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let read = std::str::from_utf8(text).unwrap_or_default();
    let number = match unsigned.iter().position(|&byte| byte == b'.') {
        None if are_digits(unsigned) => read.parse().ok().map(Value::Int),
        Some(point) => {
            let (whole, fraction) = unsigned.split_at(point);
            let decimal = are_digits(whole) && fraction.get(1..).is_some_and(are_digits);
            let double = read.parse().ok().filter(|double: &f64| decimal && double.is_finite());
            double.map(Value::Double)
        }
        None => None,
    };
    number.unwrap_or(match text {
        b"true" => Value::Bool(true),
        b"false" => Value::Bool(false),
        text => Value::Str(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_typed_by_its_looks() {
        for (text, value) in [
            ("7", Value::Int(7)),
            ("-007", Value::Int(-7)),
            ("9223372036854775807", Value::Int(i64::MAX)),
            ("-9223372036854775808", Value::Int(i64::MIN)),
            ("9223372036854775808", Value::Str(b"9223372036854775808")),
            ("1.50", Value::Double(1.5)),
            ("-0.0", Value::Double(-0.0)),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("True", Value::Str(b"True")),
            ("1e3", Value::Str(b"1e3")),
            ("1.5e3", Value::Str(b"1.5e3")),
            ("+1", Value::Str(b"+1")),
            ("--1", Value::Str(b"--1")),
            ("-", Value::Str(b"-")),
            (".5", Value::Str(b".5")),
            ("5.", Value::Str(b"5.")),
            ("1.2.3", Value::Str(b"1.2.3")),
            ("1.-2", Value::Str(b"1.-2")),
            ("", Value::Str(b"")),
            (" 1", Value::Str(b" 1")),
            ("١", Value::Str("١".as_bytes())),
            ("NaN", Value::Str(b"NaN")),
        ] {
            assert_eq!(typed(text.as_bytes()), value);
        }
        let huge = format!("{}.0", "9".repeat(400));
        assert_eq!(typed(huge.as_bytes()), Value::Str(huge.as_bytes()));
    }
}
