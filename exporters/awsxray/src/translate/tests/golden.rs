//! Golden cases: `testdata/translate/<case>/in.json` is OTLP/JSON, `out.json` the documents that become of it with the settings of
//! `config.yaml`, beside the function of `function.json` if there is one. `HIKYAKU_REFRESH_GOLDEN=1` writes them anew, to be reviewed as a diff.
//!
//! `reference.json` is what the reference Collector makes of the case. Where ours differs on purpose, `differs.md` says why.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

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
    assert!(cases.len() >= 140, "only {} cases", cases.len());
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

#[test]
fn every_case_is_what_the_reference_collector_makes_of_it_or_says_why_not() {
    let mut wrong = Vec::new();
    for case in cases() {
        let Some(reference) = read(&case.join("reference.json")) else { continue };
        let input = fs::read_to_string(case.join("in.json")).unwrap();
        let (expected, actual) = (numbered(reference, &input), numbered(translated(&case), &input));
        let said = fs::read_to_string(case.join("differs.md")).unwrap_or_default();
        if (expected == actual) != said.trim().is_empty() {
            wrong.push(format!("{}\nreference {expected:#}\nactual {actual:#}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The same documents with numbers in the place of ids that are not the input's, which the Collector draws by chance.
fn numbered(mut documents: Value, input: &str) -> Value {
    let mut numbers = HashMap::new();
    number(&mut documents, input, &mut numbers);
    documents
}

fn number(value: &mut Value, input: &str, numbers: &mut HashMap<String, usize>) {
    let is_id = |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match value {
        Value::String(text) if is_id(text) && !input.contains(text.as_str()) => {
            let next = numbers.len();
            *value = json!(format!("id {}", numbers.entry(text.clone()).or_insert(next)));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| number(value, input, numbers)),
        Value::Object(members) => {
            members.values_mut().for_each(|value| number(value, input, numbers));
        }
        _ => {}
    }
}
