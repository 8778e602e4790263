//! Golden cases: `testdata/translate/<case>/in.json` is OTLP/JSON with log records, `out.json` the items that become of it.
//! `HIKYAKU_REFRESH_GOLDEN=1` writes them anew, to be reviewed as a diff.
//!
//! `reference.json` is what the reference Collector sends of it, and a matter of `tests/it/parity`.

use std::path::PathBuf;

use serde_json::Value;

/// The fallback host in the reference's recordings.
const FALLBACK_HOST: &str = "parity-host";

fn cases() -> Vec<(PathBuf, Value)> {
    let cases = test_golden::cases(env!("CARGO_MANIFEST_DIR"), "testdata/translate").into_iter();
    let cases = cases.filter_map(|case| {
        let input = test_golden::json(&case.join("in.json")).unwrap_or_else(|| panic!("{case:?}"));
        input.get("resourceLogs").is_some().then_some((case, input))
    });
    cases.collect()
}

#[test]
fn every_case_of_logs_translates_to_what_is_on_file() {
    let cases = cases();
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    test_golden::assert_none(cases.iter().filter_map(|(case, input)| {
        let actual = Value::Array(super::items(&super::payload(input), FALLBACK_HOST));
        test_golden::check(&case.join("out.json"), &actual)
    }));
}
