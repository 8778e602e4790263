//! Golden cases: `testdata/translate/<case>/in.json` is a segment document, `out.json` the OTLP request that it becomes, as OTLP/JSON;
//! `back.json` the documents that our exporter makes of that. `HIKYAKU_REFRESH_GOLDEN=1` writes both anew, to be reviewed as a diff.
//!
//! `reference.json` is what the reference Collector's receiver makes of the case. Where ours differs on purpose, `differs.md` says why.
//! Times are compared to the microsecond, since upstream's have the errors of a double.

use std::path::{Path, PathBuf};

use super::*;

fn cases() -> Vec<PathBuf> {
    test_golden::cases(env!("CARGO_MANIFEST_DIR"), "testdata/translate")
}

/// The request of a case, or why there is none.
fn translated(case: &Path) -> Value {
    match decode(&datagram(&test_golden::input(case))) {
        Ok(decoded) => {
            let request = ExportTraceServiceRequest::decode(decoded.payload.to_bytes()).unwrap();
            let mut value = serde_json::to_value(request).unwrap();
            sort(&mut value);
            value
        }
        Err(error) => json!({"refused": error.to_string()}),
    }
}

/// Attributes in the order of their keys, and no fields that say nothing.
fn sort(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(sort);
            object.retain(|key, value| {
                let is_value = key.ends_with("Value") || key == "value";
                let says_nothing = matches!(value, Value::Null)
                    || value == &json!([])
                    || value == &json!("")
                    || value == &json!(0)
                    || value == &json!("0")
                    || value == &json!({});
                is_value || !says_nothing
            });
            if let Some(Value::Array(list)) = object.get_mut("attributes") {
                list.sort_by_key(|entry| entry["key"].as_str().unwrap_or_default().to_owned());
            }
        }
        Value::Array(list) => list.iter_mut().for_each(sort),
        _ => {}
    }
}

#[test]
fn every_case_becomes_what_is_on_file_and_so_do_the_documents_made_of_that() {
    let cases = cases();
    assert!(cases.len() >= 20, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        wrong.extend(test_golden::check(&case.join("out.json"), &translated(&case)));
        let back = model::back(&test_golden::input(&case)).map_or(json!([]), Value::Array);
        wrong.extend(test_golden::check(&case.join("back.json"), &back));
    }
    test_golden::assert_none(wrong);
}

#[test]
fn nothing_of_any_case_is_lost_on_the_way_there_and_back() {
    let mut wrong = Vec::new();
    for case in cases() {
        let document = test_golden::input(&case);
        let Some(back) = model::back(&document) else { continue };
        let lost = model::lost(&serde_json::from_str(&document).unwrap(), &back);
        if !lost.is_empty() {
            wrong.push(format!("{}: {}", case.display(), lost.join("; ")));
        }
    }
    test_golden::assert_none(wrong);
}

#[test]
fn every_case_is_what_the_reference_collector_makes_of_it_or_says_why_not() {
    let mut wrong = Vec::new();
    for case in cases() {
        let Some(mut reference) = test_golden::json(&case.join("reference.json")) else { continue };
        let mut actual = translated(&case);
        for request in [&mut reference, &mut actual] {
            sort(request);
            round(request);
        }
        let both_refuse = reference.get("refused").is_some() && actual.get("refused").is_some();
        let said = test_golden::text(&case.join("differs.md")).unwrap_or_default();
        if (both_refuse || reference == actual) != said.trim().is_empty() {
            wrong.push(format!("{}\nreference {reference:#}\nactual {actual:#}", case.display()));
        }
    }
    test_golden::assert_none(wrong);
}

/// Times in microseconds.
fn round(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                if let (true, Some(nanos)) = (key.ends_with("UnixNano"), value.as_str()) {
                    *value = json!((nanos.parse::<u64>().unwrap() + 500) / 1000);
                } else {
                    round(value);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(round),
        _ => {}
    }
}
