//! Golden cases: each folder of `testdata/translate` whose `in.json` holds resource spans has the decoded bodies in `out.json`, translated
//! with the settings of its `config.yaml`, beside the function of its `function.json` if there is one. `HIKYAKU_REFRESH_GOLDEN=1` writes them anew, to be reviewed as a diff.

use std::path::Path;

use serde_json::Value;

use super::*;

#[test]
fn every_case_translates_to_what_is_on_file() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    for case in test_golden::cases(env!("CARGO_MANIFEST_DIR"), "testdata/translate") {
        let text = test_golden::input(&case);
        if !text.contains("\"resourceSpans\"") {
            continue;
        }
        cases += 1;
        let translation = translate_case(&case, &text);
        let bodies = translation.bodies.iter().map(|body| model::json(&body.bytes)).collect();
        wrong.extend(test_golden::check(&case.join("out.json"), &Value::Array(bodies)));
    }
    assert!(cases >= 100, "only {cases} cases");
    test_golden::assert_none(wrong);
}

fn translate_case(case: &Path, json: &str) -> Translation {
    let settings = test_golden::text(&case.join("config.yaml")).unwrap_or_default();
    let (config, report) = crate::testing::read(&format!("api: {{key: {KEY}}}\n{settings}"));
    assert!(!report.contains("error"), "{case:?}: {report}");
    let function = test_golden::text(&case.join("function.json"));
    let options = Options {
        function: function.map(|text| Arc::new(crate::testing::function(&text))),
        ..Options::of(&config.traces, "parity-host")
    };
    translated(&payload(json), &options)
}
