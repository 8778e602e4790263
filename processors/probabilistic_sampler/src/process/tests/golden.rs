//! What the Collector's processor 0.164.0 decided and wrote, item by item.
//!
//! `testdata/golden/traces.jsonl`: a line of one text is the settings for those below it; the others are a span's trace id, trace state, and
//! value of `sampling.priority` (OTLP/JSON, or null), the policy that decided, and the trace state of the span that came out, or null.
//! `logs.jsonl` is the same with a log record's trace id and attributes. `thresholds.jsonl` has the settings in each line.

use std::path::Path;

use serde_json::{Value, json};

use super::*;

fn lines(file: &str) -> Vec<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/golden").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<_> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 500, "only {} lines", lines.len());
    lines
}

/// What becomes of one item in OTLP/JSON: the policy, and the item that is left.
fn outcome(config: &Config, signal: Signal, item: Value) -> (String, Option<Value>) {
    let request = match signal {
        Signal::Logs => json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [item]}]}]}),
        _ => json!({"resourceSpans": [{"scopeSpans": [{"spans": [item]}]}]}),
    };
    let decoded = Payload::from_json(signal, request.to_string().as_bytes()).unwrap();
    let mut payload = decoded.payload;
    let tally = sample(config, &mut payload);
    let [(policy, kept, dropped)] = tally.policies[..] else { panic!("{tally:?}") };
    assert_eq!((kept, dropped), (payload.items() as u64, 1 - payload.items() as u64));
    assert!(policies(config, signal).contains(&policy), "{policy:?} has no counters");
    let name = match (policy, &config.from_attribute) {
        (Policy::Attribute, Some(name)) => name.clone(),
        _ => policy.name().to_owned(),
    };
    let mut json = Vec::new();
    payload.to_json(&mut json);
    let json: Value = serde_json::from_slice(&json).unwrap();
    let place = match signal {
        Signal::Logs => "/resourceLogs/0/scopeLogs/0/logRecords/0",
        _ => "/resourceSpans/0/scopeSpans/0/spans/0",
    };
    (name, json.pointer(place).cloned())
}

/// Attributes in the order of their keys.
fn sorted(attributes: &Value) -> Vec<Value> {
    let mut attributes = attributes.as_array().cloned().unwrap_or_default();
    attributes.sort_by_key(|attribute| attribute["key"].to_string());
    for attribute in &mut attributes {
        let value = &mut attribute["value"];
        // Two ways to say that there is no value, and to write a whole number.
        if value.is_null() {
            *value = json!({});
        }
        if let Some(double) = value.get("doubleValue").and_then(Value::as_f64) {
            *value = json!({"doubleValue": double});
        }
    }
    attributes
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Cases where we differ: an item that could not be read is left as it came, also by a sampler of nothing that fails open.
fn keeps_what_it_cannot_read(config: &Config, malformed: bool) -> bool {
    malformed && config.sampler == Sampler::Never
}

#[test]
fn spans_come_out_as_the_collector_makes_them() {
    let (mut settings, mut at, mut wrong) = (None, String::new(), Vec::new());
    for line in lines("traces.jsonl") {
        let [id, state, priority, policy, after] = &line[..] else {
            at = text(&line[0]).to_owned();
            settings = Some(config(&at));
            continue;
        };
        let config = settings.as_ref().unwrap();
        let mut span = json!({"traceId": id, "traceState": state});
        if !priority.is_null() {
            span["attributes"] = json!([{"key": "sampling.priority", "value": priority}]);
        }
        let (by, left) = outcome(config, Signal::Traces, span);
        let left = left.map(|span| span.get("traceState").map_or("", text).to_owned());
        let malformed = crate::trace_state::TraceState::parse(text(state).as_bytes()).is_err();
        let expected = match after.as_str() {
            Some(_) if keeps_what_it_cannot_read(config, malformed) => Some(text(state)),
            expected => expected,
        };
        if by != text(policy) || left.as_deref() != expected {
            wrong.push(format!("{at}: {line:?}\n  {by} {left:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn log_records_come_out_as_the_collector_makes_them() {
    let (mut settings, mut at, mut wrong) = (None, String::new(), Vec::new());
    for line in lines("logs.jsonl") {
        let [id, before, policy, after] = &line[..] else {
            at = text(&line[0]).to_owned();
            settings = Some(config(&at));
            continue;
        };
        let config = settings.as_ref().unwrap();
        let record = json!({"traceId": id, "attributes": before});
        let (by, left) = outcome(config, Signal::Logs, record);
        let left = left.map(|record| sorted(&record["attributes"]));
        let unsound = |key: &str, is_sound: fn(&str) -> bool| {
            let found = before.as_array().unwrap().iter().find(|a| a["key"] == key);
            let text = found.and_then(|attribute| attribute["value"]["stringValue"].as_str());
            text.is_some_and(|text| !text.is_empty() && !is_sound(text))
        };
        let malformed = unsound("sampling.threshold", |text| {
            crate::value::Threshold::parse(text.as_bytes()).is_some()
        }) || unsound("sampling.randomness", |text| {
            crate::value::Randomness::parse(text.as_bytes()).is_some()
        });
        let expected = match after {
            Value::Null => None,
            _ if keeps_what_it_cannot_read(config, malformed) => Some(sorted(before)),
            after => Some(sorted(after)),
        };
        if by != text(policy) || left != expected {
            wrong.push(format!("{at}: {line:?}\n  {by} {left:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn percentages_come_to_the_thresholds_of_the_collector() {
    let mut wrong = Vec::new();
    for line in lines("thresholds.jsonl") {
        let [yaml, id, after] = &line[..] else { panic!("{line:?}") };
        let span = json!({"traceId": id});
        let (_, left) = outcome(&config(text(yaml)), Signal::Traces, span);
        let left = left.map(|span| text(&span["traceState"]).to_owned());
        if left.as_deref() != after.as_str() {
            wrong.push(format!("{line:?}\n  {left:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
