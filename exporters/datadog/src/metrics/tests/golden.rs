//! Golden cases: `testdata/translate/<case>/in.json` is OTLP/JSON with metrics, or a list of such requests that come one after the other;
//! `config.yaml` are settings, `out.json` the series and sketches that become of it, and the points that are not sent.
//! `HIKYAKU_REFRESH_GOLDEN=1` writes them anew, to be reviewed as a diff.
//!
//! `reference.json` is what the reference Collector sends of it, and a matter of `tests/it/parity`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::metrics::testing::{Rig, Sent, payload};

fn cases() -> Vec<(PathBuf, Vec<Value>)> {
    let cases = test_golden::cases(env!("CARGO_MANIFEST_DIR"), "testdata/translate").into_iter();
    let cases = cases.filter_map(|case| {
        let input = test_golden::json(&case.join("in.json")).unwrap_or_else(|| panic!("{case:?}"));
        let requests = match input {
            Value::Array(requests) => requests,
            request => vec![request],
        };
        let is_of_metrics = requests.iter().all(|one| one.get("resourceMetrics").is_some());
        is_of_metrics.then_some((case, requests))
    });
    cases.collect()
}

fn sent(case: &Path, requests: &[Value]) -> Sent {
    let rig = Rig::new(&test_golden::text(&case.join("config.yaml")).unwrap_or_default());
    let mut all = Sent::default();
    for request in requests {
        let sent = rig.send(&payload(request));
        all.series.extend(sent.series);
        all.sketches.extend(sent.sketches);
        all.lost.extend(sent.lost);
    }
    all
}

#[test]
fn every_case_of_metrics_translates_to_what_is_on_file() {
    let cases = cases();
    assert!(cases.len() >= 70, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for (case, requests) in cases {
        let sent = sent(&case, &requests);
        let mut actual = sent.json();
        let lost = sent.lost.iter().map(|(reason, points)| json!([reason.as_str(), points]));
        actual["lost"] = lost.collect();
        wrong.extend(test_golden::check_by(&case.join("out.json"), &actual, is_close));
    }
    test_golden::assert_none(wrong);
}

/// Whether values are the same but for the last digits of a double, which logarithms and powers have their own of on each platform.
fn is_close(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_close(a, b)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_close(a, b))
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-9 * a.abs()
        }
        (a, b) => a == b,
    }
}
