//! Golden cases: `testdata/translate/<case>/in.json` is OTLP/JSON, `out.json` the documents that become of it with the settings of
//! `config.yaml`, beside the function of `function.json` if there is one. `HIKYAKU_REFRESH_GOLDEN=1` writes them anew, to be reviewed as a diff.
//!
//! `reference.json` is what the reference Collector makes of the case: `tests/it/parity` compares the two.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::*;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/translate");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn read(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}")))
}

fn translated(case: &Path) -> Value {
    let input = fs::read_to_string(case.join("in.json")).unwrap();
    let settings = fs::read_to_string(case.join("config.yaml")).unwrap_or("{}".to_owned());
    let (config, report) = crate::testing::read(&settings);
    assert_eq!(report, "", "{case:?}");
    let function = fs::read_to_string(case.join("function.json")).ok();
    let function = function.map(|text| Arc::new(crate::testing::function(&text)));
    let options = config.options.beside(function);
    Value::Array(documents(&translate(&payload(&input), &options)))
}

#[test]
fn every_case_translates_to_what_is_on_file() {
    let cases = cases();
    assert!(cases.len() >= 230, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let actual = translated(&case);
        let path = case.join("out.json");
        if std::env::var_os("HIKYAKU_REFRESH_GOLDEN").is_some() {
            fs::write(path, serde_json::to_string_pretty(&actual).unwrap() + "\n").unwrap();
        } else if read(&path).unwrap_or_default() != actual {
            wrong.push(format!("{}\nactual {actual:#}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
