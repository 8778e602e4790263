//! Golden cases: `testdata/translate/<case>/in.json` is a Zipkin JSON body, `out.json` the OTLP request as OTLP/JSON. Cases whose
//! name ends in `_parsed` are read with `parse_string_tags`. `HIKYAKU_REFRESH_GOLDEN=1` writes `out.json` anew, to be reviewed as a
//! diff.
//!
//! Each body is read from protobuf too, as far as that can say the same.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Format, otlp, read, zipkin_proto};

pub(super) fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/translate");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn every_case_reads_as_what_is_on_file_in_either_encoding() {
    let cases = cases();
    assert!(cases.len() >= 25, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let parse = case.to_string_lossy().ends_with("_parsed");
        let body = fs::read(case.join("in.json")).unwrap();
        let request = read(&body, Format::Json, parse);
        let actual = otlp::normal(&request);
        let path = case.join("out.json");
        if std::env::var_os("HIKYAKU_REFRESH_GOLDEN").is_some() {
            fs::write(&path, serde_json::to_string_pretty(&actual).unwrap() + "\n").unwrap();
        }
        let expected = otlp::normal_json(&fs::read_to_string(&path).unwrap());
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        if expected != actual {
            wrong.push(format!("{name}\nexpected {expected:#}\nactual {actual:#}"));
        }
        let spans: Value = serde_json::from_slice(&body).unwrap();
        if let Some(body) = zipkin_proto::encode(&spans) {
            let from_proto = without_marker(otlp::normal(&read(&body, Format::Proto, parse)));
            let expected = without_marker(expected);
            if from_proto != expected {
                wrong.push(format!("{name}\nexpected {expected:#}\nfrom protobuf {from_proto:#}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
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
