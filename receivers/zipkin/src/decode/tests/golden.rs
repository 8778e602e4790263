//! Golden cases: `testdata/translate/<case>/in.json` is a Zipkin JSON body, `out.json` the OTLP request as OTLP/JSON. Cases whose
//! name ends in `_parsed` are read with `parse_string_tags`. `HIKYAKU_REFRESH_GOLDEN=1` writes `out.json` anew, to be reviewed as a
//! diff.
//!
//! Each body is read from protobuf too, as far as that can say the same.

use std::path::PathBuf;

use serde_json::Value;

use super::{Format, otlp, read, zipkin_proto};

pub(super) fn cases() -> Vec<PathBuf> {
    test_golden::cases(env!("CARGO_MANIFEST_DIR"), "testdata/translate")
}

#[test]
fn every_case_reads_as_what_is_on_file_in_either_encoding() {
    let cases = cases();
    assert!(cases.len() >= 25, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let parse = case.to_string_lossy().ends_with("_parsed");
        let body = test_golden::input(&case);
        let actual = otlp::normal(&read(body.as_bytes(), Format::Json, parse));
        wrong.extend(test_golden::check(&case.join("out.json"), &actual));
        let spans: Value = serde_json::from_str(&body).unwrap();
        if let Some(body) = zipkin_proto::encode(&spans) {
            let from_proto = without_marker(otlp::normal(&read(&body, Format::Proto, parse)));
            let from_json = without_marker(actual);
            if from_proto != from_json {
                let sides = format!("from JSON {from_json:#}\nfrom protobuf {from_proto:#}");
                wrong.push(format!("{}\n{sides}", case.display()));
            }
        }
    }
    test_golden::assert_none(wrong);
}

/// Protobuf cannot leave a timestamp out, so nothing is said about it.
fn without_marker(mut value: Value) -> Value {
    match &mut value {
        Value::Object(object) => {
            object.values_mut().for_each(|inner| *inner = without_marker(inner.take()));
            if let Some(Value::Array(list)) = object.get_mut("attributes") {
                list.retain(|attribute| attribute["key"] != "otel.zipkin.absentField.startTime");
                if list.is_empty() {
                    object.remove("attributes");
                }
            }
        }
        Value::Array(list) => {
            list.iter_mut().for_each(|inner| *inner = without_marker(inner.take()));
        }
        _ => {}
    }
    value
}
