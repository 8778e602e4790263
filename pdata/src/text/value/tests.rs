use crate::{Payload, Signal, wire};
use bytes::Bytes;

use super::*;

/// The body of the only log record of a payload with this encoded `AnyValue`.
fn text_of(value: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut request = Vec::new();
    wire::put_message(&mut request, 1, |resource| {
        wire::put_message(resource, 2, |scope| {
            wire::put_message(scope, 2, |record| wire::put_message(record, 5, value));
        });
    });
    let payload = Payload::decode(Signal::Logs, Bytes::from(request)).unwrap().payload;
    let logs = payload.resource_logs().next().unwrap();
    let scope = logs.scope_logs.iter().next().unwrap();
    to_text(&scope.log_records.iter().next().unwrap().body)
}

fn entry(map: &mut Vec<u8>, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
    wire::put_message(map, 1, |entry| {
        wire::put_len(entry, 1, key.as_bytes());
        wire::put_message(entry, 2, value);
    });
}

#[test]
fn scalars_are_plain_text() {
    assert_eq!(text_of(|_| {}), "");
    assert_eq!(text_of(|v| wire::put_len(v, 1, "a\nb".as_bytes())), "a\nb");
    assert_eq!(text_of(|v| wire::put_uint(v, 2, 1)), "true");
    assert_eq!(text_of(|v| wire::put_uint(v, 3, (-5i64) as u64)), "-5");
    assert_eq!(text_of(|v| wire::put_fixed64(v, 4, 2.5f64.to_bits())), "2.5");
    assert_eq!(text_of(|v| wire::put_len(v, 7, &[0xfb, 0xff])), "+/8=");
}

#[test]
fn map_is_json_with_sorted_keys_and_the_last_of_equal_ones() {
    let text = text_of(|value| {
        wire::put_message(value, 6, |map| {
            entry(map, "b", |v| wire::put_uint(v, 3, 1));
            entry(map, "a", |v| wire::put_uint(v, 3, 2));
            entry(map, "b", |v| wire::put_uint(v, 3, 3));
            entry(map, "empty", |_| {});
            entry(map, "nan", |v| wire::put_fixed64(v, 4, f64::NAN.to_bits()));
        });
    });
    assert_eq!(text, r#"{"a":2,"b":3,"empty":null,"nan":"NaN"}"#);
}

#[test]
fn list_is_json_with_gos_escapes() {
    let text = text_of(|value| {
        wire::put_message(value, 5, |list| {
            let text = "<&>\"\\\u{8}\u{c}\n\r\t\u{1}\u{7f}é\u{2028}\u{2029}";
            wire::put_message(list, 1, |v| wire::put_len(v, 1, text.as_bytes()));
            wire::put_message(list, 1, |v| wire::put_len(v, 7, &[1, 2, 3]));
        });
    });
    let expected = "[\"<&>\\\"\\\\\\b\\f\\n\\r\\t\\u0001\u{7f}é\\u2028\\u2029\",\"AQID\"]";
    assert_eq!(text, expected);
}
