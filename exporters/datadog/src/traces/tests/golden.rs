//! Golden cases: each folder of `testdata/translate` whose `in.json` holds resource spans has the decoded bodies in `out.json`, translated
//! with the settings of its `config.yaml`, beside the function of its `function.json` if there is one. `HIKYAKU_REFRESH_GOLDEN=1` writes them anew, to be reviewed as a diff.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;

#[test]
fn every_case_translates_to_what_is_on_file() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    for case in folders() {
        let text = fs::read_to_string(case.join("in.json")).unwrap();
        if !text.contains("\"resourceSpans\"") {
            continue;
        }
        cases += 1;
        let translation = translate_case(&case, &text);
        let bodies = translation.bodies.iter().map(|body| model::json(&body.bytes)).collect();
        wrong.extend(check(&case.join("out.json"), &Value::Array(bodies)));
    }
    assert!(cases >= 100, "only {cases} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn folders() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/translate");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn translate_case(case: &Path, json: &str) -> Translation {
    let settings = fs::read_to_string(case.join("config.yaml")).unwrap_or_default();
    let (config, report) = crate::testing::read(&format!("api: {{key: {KEY}}}\n{settings}"));
    assert!(!report.contains("error"), "{case:?}: {report}");
    let function = fs::read_to_string(case.join("function.json")).ok();
    let options = Options {
        function: function.map(|text| Arc::new(crate::testing::function(&text))),
        ..Options::of(&config.traces, "parity-host")
    };
    translated(&payload(json), &options)
}

fn check(path: &Path, actual: &Value) -> Option<String> {
    if std::env::var_os("HIKYAKU_REFRESH_GOLDEN").is_some() {
        fs::write(path, serde_json::to_string_pretty(actual).unwrap() + "\n").unwrap();
        return None;
    }
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let expected: Value = serde_json::from_str(&text).unwrap();
    (expected != *actual)
        .then(|| format!("{}\nexpected {expected:#}\nactual {actual:#}", path.display()))
}
