//! Spans that were segments before, as the `awsxray` receiver writes them.

use serde_json::json;

use super::*;

/// The only document of a span with these attributes, as key and OTLP/JSON value.
fn document(attributes: &[(&str, Value)]) -> Value {
    let attributes: Vec<Value> =
        attributes.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    let span = format!(
        r#""name":"n","kind":2,"startTimeUnixNano":"1","endTimeUnixNano":"2","attributes":{}"#,
        json!(attributes)
    );
    let translation = translate(&payload(&request(&span)), &Options::default());
    let call = &translation.calls[0];
    assert_eq!(call.id(&call.documents[0]), b"00f067aa0ba902b7", "it is found where it always is");
    assert_eq!(call.trace_id(&call.documents[0]), b"1-6554ab10-a1b2c3d4e5f60718293a4b5c");
    documents(&translation).remove(0)
}

fn text(text: &str) -> Value {
    json!({"stringValue": text})
}

#[test]
fn patch_adds_changes_and_removes_members_and_is_gone_from_the_metadata() {
    let patch = r#"{"error":true,"fault":null,"aws":{"bucket_name":"\"b\"","xray":{"rule":"r"}},"precursor_ids":["1"],"new":{"a":null,"b":1.50}}"#;
    let found = document(&[("aws.xray.document", text(patch)), ("aws.operation", text("Get"))]);
    assert_eq!(found["error"], true);
    assert!(found.get("fault").is_none(), "{found}");
    assert_eq!(found["aws"]["bucket_name"], "\"b\"");
    assert_eq!(found["aws"]["operation"], "Get");
    assert_eq!(found["aws"]["xray"], json!({"auto_instrumentation": false, "rule": "r"}));
    assert_eq!((&found["precursor_ids"], &found["new"]), (&json!(["1"]), &json!({"b": 1.5})));
    assert!(!found["metadata"].to_string().contains("aws.xray.document"), "{found}");
}

#[test]
fn patch_does_not_change_what_the_span_has() {
    let patch = r#"{"id":"x","trace_id":null,"parent_id":"x","type":"x","name":"x","start_time":0,"end_time":null,"in_progress":true,"subsegments":[1],"user":"u"}"#;
    let (found, without) = (document(&[("aws.xray.document", text(patch))]), document(&[]));
    for member in ["id", "trace_id", "name", "start_time", "end_time"] {
        assert_eq!(found[member], without[member], "{member}");
    }
    for member in ["parent_id", "type", "in_progress", "subsegments"] {
        assert!(found.get(member).is_none(), "{member}");
    }
    assert_eq!(found["user"], "u");
}

#[test]
fn what_is_no_patch_is_metadata() {
    for value in [text("no JSON"), text("[1]"), json!({"intValue": "1"})] {
        let found = document(&[("aws.xray.document", value)]);
        assert!(found["metadata"]["default"].get("aws.xray.document").is_some(), "{found}");
    }
    let found = document(&[("aws.xray.retries", text("3")), ("aws.xray.cause", text("id"))]);
    assert_eq!(found["metadata"]["default"]["aws.xray.retries"], "3");
    assert_eq!(found["cause"], "id");
}

#[test]
fn patch_that_makes_the_document_too_long_is_left_out() {
    let patch = json!({"new": "x".repeat(DOCUMENT_BYTES_MAX)}).to_string();
    let found = document(&[("aws.xray.document", text(&patch)), ("aws.xray.cause", text("id"))]);
    assert!(found.get("new").is_none());
    assert_eq!(found["cause"], "id");
}
