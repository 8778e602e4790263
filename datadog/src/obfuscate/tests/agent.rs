//! Everything under `testdata/obfuscate` is what DataDog/datadog-agent itself answered; each file names the version.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::keys::Key;
use crate::obfuscate::{Family, NON_PARSABLE, Obfuscator, Treatment};

/// The cases of a file, of which there are many.
fn cases(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/obfuscate").join(name);
    let mut data: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(data["agent"].as_str().unwrap().contains("datadog-agent"));
    let Value::Array(cases) = data["cases"].take() else { panic!("{name} has no cases") };
    assert!(cases.len() > 50, "{name} has lost its cases");
    cases
}

/// Fails with the first cases of which `ours` is not what the Agent answered.
fn compare(name: &str, ours: impl Fn(&Value) -> (Value, Value)) {
    let cases = cases(name);
    let different: Vec<String> = cases
        .iter()
        .map(|case| (case, ours(case)))
        .filter(|(_, (ours, agents))| ours != agents)
        .map(|(case, (ours, agents))| {
            format!("{}\n  ours   {ours}\n  agent's {agents}", case["in"])
        })
        .collect();
    let first = different.iter().take(5).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(different.is_empty(), "{} of {} differ:\n{first}", different.len(), cases.len());
}

/// As the data has it: null for what cannot be read.
fn statement(obfuscator: &mut Obfuscator, statement: &str) -> Value {
    match obfuscator.resource(Family::Sql, statement) {
        NON_PARSABLE => Value::Null,
        became => became.into(),
    }
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap()
}

#[test]
fn statements_become_what_the_agent_makes_of_them() {
    for name in ["statements.json", "random_statements.json"] {
        compare(name, |case| {
            (statement(&mut Obfuscator::new(), text(case, "in")), case["out"].clone())
        });
    }
}

#[test]
fn what_has_been_taken_out_once_is_taken_out_as_the_agent_does_it_twice() {
    for name in ["statements.json", "random_statements.json"] {
        compare(name, |case| {
            let Some(once) = case["out"].as_str() else { return (Value::Null, Value::Null) };
            let twice = case.get("again").unwrap_or(&case["out"]);
            (statement(&mut Obfuscator::new(), once), twice.clone())
        });
    }
}

#[test]
fn backslashes_are_read_as_they_were_read_last() {
    compare("sequences.json", |case| {
        let mut obfuscator = Obfuscator::new();
        let statements = case["in"].as_array().unwrap();
        let ours = statements.iter().map(|it| statement(&mut obfuscator, it.as_str().unwrap()));
        (ours.collect(), case["out"].clone())
    });
}

#[test]
fn redis_resources_become_what_the_agent_makes_of_them() {
    compare("redis.json", |case| {
        (Obfuscator::new().resource(Family::Redis, text(case, "in")).into(), case["out"].clone())
    });
}

#[test]
fn urls_become_what_the_agent_makes_of_them() {
    compare("urls.json", |case| {
        (Obfuscator::new().value(Treatment::Url, text(case, "in")).into(), case["out"].clone())
    });
}

/// The whole of `Agent.ObfuscateSpan`, with the configuration that the Collector's exporter gives it.
#[test]
fn spans_of_each_type_become_what_the_agent_makes_of_them() {
    compare("spans.json", |case| {
        let family = Family::of(text(case, "type"));
        let mut obfuscator = Obfuscator::new();
        let resource = obfuscator.resource(family, text(case, "resource")).to_owned();
        let mut meta = BTreeMap::new();
        for (key, value) in case["meta"].as_object().unwrap() {
            // The recording has tags, and `url.full` is none: it becomes `http.url`.
            let key_treated = Key::of(key.as_bytes()).filter(|key| *key != Key::UrlFull);
            let treatment = key_treated.map_or(Treatment::Keep, |key| family.treatment(key));
            let value = obfuscator.value(treatment, value.as_str().unwrap());
            meta.extend(value.map(|value| (key.as_str(), value.to_owned())));
        }
        (serde_json::json!({ "resource": resource, "meta": meta }), case["out"].clone())
    });
}

#[test]
fn a_character_that_the_agent_cuts_in_halves_stays_whole() {
    let became = statement(&mut Obfuscator::new(), "SELECT a -.é, -.日本 FROM t");
    assert_eq!(became, "SELECT a -. é, -. 日 本 FROM t");
}
