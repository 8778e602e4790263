//! Golden cases: `testdata/translate/<case>/in.json` is OTLP/JSON with log records, `out.json` the items that become of it.
//! `HIKYAKU_REFRESH_GOLDEN=1` writes them anew, to be reviewed as a diff.
//!
//! `reference.json` is what the reference Collector sends: the entries of Datadog's Agent, whose message is the item. Where ours differs on
//! purpose, `differs.md` says why.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// The fallback host in the reference's recordings.
const FALLBACK_HOST: &str = "parity-host";
/// What an entry has beside its message.
const OUTER: [&str; 5] = ["ddsource", "ddtags", "hostname", "service", "status"];

fn cases() -> Vec<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/translate");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let cases = folders.filter_map(|case| {
        let input = read(&case.join("in.json")).unwrap_or_else(|| panic!("{case:?}"));
        input.get("resourceLogs").is_some().then_some((case, input))
    });
    let mut cases: Vec<_> = cases.collect();
    cases.sort_by(|(a, _), (b, _)| a.cmp(b));
    cases
}

fn read(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}")))
}

fn name(case: &Path) -> &str {
    case.file_name().unwrap().to_str().unwrap()
}

#[test]
fn every_case_of_logs_translates_to_what_is_on_file() {
    let cases = cases();
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for (case, input) in cases {
        let actual = Value::Array(super::items(&super::payload(&input), FALLBACK_HOST));
        let path = case.join("out.json");
        if std::env::var_os("HIKYAKU_REFRESH_GOLDEN").is_some() {
            let pretty = serde_json::to_string_pretty(&actual).unwrap();
            fs::write(path, pretty + "\n").unwrap();
        } else if read(&path).unwrap_or_default() != actual {
            wrong.push(format!("{}\nactual {actual:#}", name(&case)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_case_of_logs_is_what_the_reference_collector_makes_of_it_or_says_why_not() {
    let mut wrong = Vec::new();
    for (case, input) in cases() {
        let Some(reference) = read(&case.join("reference.json")) else { continue };
        let entries = reference["logs"].as_array().unwrap_or_else(|| panic!("{case:?}: logs"));
        let expected: Vec<Value> = entries.iter().map(item).map(with_sorted_tags).collect();
        let actual = super::items(&super::payload(&input), FALLBACK_HOST).into_iter();
        let actual: Vec<Value> = actual.map(with_sorted_tags).collect();
        let said = fs::read_to_string(case.join("differs.md")).unwrap_or_default();
        if (expected == actual) != said.trim().is_empty() {
            let (expected, actual) = (Value::Array(expected), Value::Array(actual));
            wrong.push(format!("{}\nreference {expected:#}\nactual {actual:#}", name(&case)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// An entry of the Agent as a flat item. What the message has by the same name counts, as it does in Datadog.
fn item(entry: &Value) -> Value {
    let mut item = Map::new();
    for name in OUTER {
        let value = entry.get(name).filter(|value| **value != "").cloned();
        item.extend(value.map(|value| (name.to_owned(), value)));
    }
    let message = entry["message"].as_object().unwrap_or_else(|| panic!("{entry}: message"));
    for (name, value) in message {
        // Ours is the status of the entry where the message has none.
        if !(name == "status" && value == "") {
            item.insert(name.clone(), value.clone());
        }
    }
    Value::Object(item)
}

/// The Agent's tags come in random order, and the empty one is no tag.
fn with_sorted_tags(mut item: Value) -> Value {
    if let Value::String(tags) = &mut item["ddtags"] {
        let mut sorted: Vec<&str> = tags.split(',').filter(|tag| !tag.is_empty()).collect();
        sorted.sort_unstable();
        *tags = sorted.join(",");
    }
    item
}
