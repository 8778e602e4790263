//! Golden cases: `testdata/translate/<case>/in.json` is OTLP/JSON, `out.json` the documents that become of it with the settings of
//! `config.yaml`, beside the function of `function.json` if there is one. `HIKYAKU_REFRESH_GOLDEN=1` writes them anew, to be reviewed as a diff.
//!
//! `reference.json` is what the reference Collector makes of the case: `tests/it/parity` compares the two.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::*;

fn translated(case: &Path) -> Value {
    let settings = test_golden::text(&case.join("config.yaml")).unwrap_or("{}".to_owned());
    let (config, report) = crate::testing::read(&settings);
    assert_eq!(report, "", "{case:?}");
    let function = test_golden::text(&case.join("function.json"));
    let function = function.map(|text| Arc::new(crate::testing::function(&text)));
    let options = config.options.beside(function);
    Value::Array(documents(&translate(&payload(&test_golden::input(case)), &options)))
}

#[test]
fn every_case_translates_to_what_is_on_file() {
    let cases = test_golden::cases(env!("CARGO_MANIFEST_DIR"), "testdata/translate");
    assert!(cases.len() >= 230, "only {} cases", cases.len());
    test_golden::assert_none(
        cases
            .iter()
            .filter_map(|case| test_golden::check(&case.join("out.json"), &translated(case))),
    );
}
