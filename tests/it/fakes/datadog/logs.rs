use serde_json::{Value, json};
use tests::datadog::{DatadogIntake, Logs};

use super::{JSON, assert_refused, post};

fn whole() -> Value {
    json!({
        "message": "paid",
        "ddsource": "otlp_log_ingestion",
        "ddtags": "service:shop,otel_source:datadog_exporter",
        "hostname": "i-1",
        "service": "shop",
        "status": "info",
        "@timestamp": "2023-11-14T22:13:20.123Z",
        "otel.timestamp": "1700000000123456789",
        "dd.trace_id": "15161849952847513100",
        "dd.span_id": "17213210219539181940",
        "order": { "items": [1, 2.5, true, null] },
    })
}

fn list(logs: &[Value]) -> Vec<u8> {
    serde_json::to_vec(logs).unwrap()
}

#[test]
fn a_log_with_everything_is_taken() {
    let intake = DatadogIntake::start();
    assert_eq!(post::<Logs>(&intake, JSON, list(&[whole(), whole()])).status, 202);
    let call = intake.logs.accepted().remove(0);
    let log = &call.content.0[0];
    assert_eq!((log.text("service"), call.size.items), (Some("shop"), 2));
    assert_eq!(log.tags(), ["service:shop", "otel_source:datadog_exporter"]);
    assert_eq!(log.bytes, whole().to_string().len());
    let id = 17_213_210_219_539_181_940_u64.to_be_bytes();
    assert_eq!(intake.logs.delivered()[&id], 2);
}

#[test]
fn every_broken_rule_is_a_violation() {
    let intake = DatadogIntake::start();
    for (key, value, word) in [
        ("message", Value::Null, "no message"),
        ("message", json!(1), "no message"),
        ("ddsource", json!(1), "ddsource"),
        ("ddtags", json!(["env:prod"]), "ddtags"),
        ("hostname", json!({}), "hostname"),
        ("service", json!(1), "service"),
        ("status", json!(9), "status"),
        ("@timestamp", json!("2023-11-14 22:13:20.123Z"), "@timestamp"),
        ("@timestamp", json!(1_700_000_000), "@timestamp"),
        ("otel.timestamp", json!(1_700_000_000_123_456_789_u64), "otel.timestamp"),
        ("dd.trace_id", json!("5b8efff798038103d269b633813fc60c"), "dd.trace_id"),
        ("dd.span_id", json!("0"), "dd.span_id"),
    ] {
        let mut log = whole();
        log[key] = value;
        assert_refused::<Logs>(&intake, JSON, list(&[whole(), log]), 400, word);
    }
    for (body, word) in [
        ("[]", "without logs"),
        (r#"{"message":"m"}"#, "JSON of logs"),
        ("[1]", "JSON of logs"),
        (r#"[{"message":"m"},]"#, "JSON of logs"),
        (r#"[{"message":"m","a":1,"a":2}]"#, "\"a\\\" twice"),
        (r#"[{"ddsource":"s"}]"#, "no message"),
    ] {
        let word = word.replace('\\', "");
        assert_refused::<Logs>(&intake, JSON, body.into(), 400, &word);
    }
}

#[test]
fn a_thousand_logs_are_taken_and_no_more() {
    let intake = DatadogIntake::start();
    let of = |count| list(&vec![json!({ "message": "m" }); count]);
    assert_eq!(post::<Logs>(&intake, JSON, of(1000)).status, 202);
    assert_refused::<Logs>(&intake, JSON, of(1001), 413, "1001 items, at most 1000");
}

#[test]
fn a_log_of_a_megabyte_and_a_list_of_five_are_taken_and_no_larger_ones() {
    let intake = DatadogIntake::start();
    let log = |bytes: usize| json!({ "message": "m".repeat(bytes - r#"{"message":""}"#.len()) });
    assert_eq!(post::<Logs>(&intake, JSON, list(&[log(1_000_000)])).status, 202);
    let body = list(&[json!({ "message": "" }), log(1_000_001)]);
    assert_refused::<Logs>(&intake, JSON, body, 413, "1000001 bytes in one item");
    // Brackets and commas count as well.
    let full =
        |last: usize| list(&[log(999_999), log(999_999), log(999_999), log(999_999), log(last)]);
    assert_eq!(full(999_998).len(), 5_000_000);
    assert_eq!(post::<Logs>(&intake, JSON, full(999_998)).status, 202);
    assert_refused::<Logs>(&intake, JSON, full(999_999), 413, "at most 5000000");
}
