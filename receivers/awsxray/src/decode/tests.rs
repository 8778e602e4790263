mod golden;
mod model;
mod round_trip;
mod wrong;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};

use super::*;

const HEADER: &str = "{\"format\": \"json\", \"version\": 1}\n";

/// A datagram of this document.
fn datagram(document: &str) -> Vec<u8> {
    format!("{HEADER}{document}").into_bytes()
}

/// The request that a document becomes.
fn request(document: &Value) -> ExportTraceServiceRequest {
    let decoded = decode(&datagram(&document.to_string())).unwrap();
    ExportTraceServiceRequest::decode(decoded.payload.to_bytes()).unwrap()
}

/// A segment with what every one has, and these members besides.
fn segment(members: &Value) -> Value {
    let mut segment = json!({
        "name": "shop", "id": "00f067aa0ba902b7", "trace_id": "1-6554ab10-a1b2c3d4e5f60718293a4b5c",
        "start_time": 1_700_047_632.123, "end_time": 1_700_047_632.456
    });
    segment.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    segment
}

/// All spans of a request.
fn spans(request: &ExportTraceServiceRequest) -> Vec<&Span> {
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| &scope.spans).collect()
}

fn attribute<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Any> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    found.value.as_ref().and_then(|AnyValue { value }| value.as_ref())
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    match attribute(attributes, key)? {
        Any::StringValue(text) => Some(text.clone()),
        other => panic!("{key} is {other:?}"),
    }
}

#[test]
fn segment_and_its_subsegments_are_spans_of_one_trace_and_one_resource() {
    let request = request(&segment(&json!({"subsegments": [
        {"name": "S3", "id": "0000000000000002", "start_time": 1.0, "end_time": 2.0, "namespace": "aws", "subsegments": [
            {"name": "inside", "id": "0000000000000003", "start_time": 1.25, "end_time": 1.5, "namespace": "local"}
        ]},
        {"name": "api.example.com", "id": "0000000000000004", "start_time": 1.0, "end_time": 2.0, "namespace": "remote"}
    ]})));
    assert_eq!(request.resource_spans.len(), 1);
    let resource = request.resource_spans[0].resource.as_ref().unwrap();
    assert_eq!(text(&resource.attributes, "service.name").as_deref(), Some("shop"));
    assert_eq!(text(&resource.attributes, "cloud.provider").as_deref(), Some("unknown"));
    let spans = spans(&request);
    let shown: Vec<_> = spans
        .iter()
        .map(|span| {
            (span.name.as_str(), span.kind, span.span_id[7], span.parent_span_id.last().copied())
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("shop", 2, 0xb7, None),
            ("S3", 3, 2, Some(0xb7)),
            ("inside", 1, 3, Some(2)),
            ("api.example.com", 3, 4, Some(0xb7))
        ]
    );
    assert!(spans.iter().all(|span| span.trace_id == spans[0].trace_id));
    assert_eq!(spans[0].start_time_unix_nano, 1_700_047_632_123_000_000);
    assert_eq!(text(&spans[1].attributes, "aws.service").as_deref(), Some("S3"));
}

#[test]
fn independent_subsegment_is_no_server_and_a_segment_with_a_parent_is_one() {
    for (kind, expected) in [(json!("subsegment"), 1), (json!("Subsegment"), 1), (json!(null), 2)] {
        let document = segment(&json!({"parent_id": "1111111111111111", "type": kind}));
        let request = request(&document);
        assert_eq!(spans(&request)[0].kind, expected, "{kind}");
        assert_eq!(spans(&request)[0].parent_span_id, [0x11; 8]);
    }
}

#[test]
fn what_has_no_end_is_in_progress() {
    let document = segment(&json!({"end_time": null, "in_progress": true}));
    for document in [document, segment(&json!({"end_time": null}))] {
        let request = request(&document);
        let span = spans(&request)[0];
        assert_eq!(span.end_time_unix_nano, 0);
        assert_eq!(attribute(&span.attributes, "aws.xray.inprogress"), Some(&Any::BoolValue(true)));
    }
}

#[test]
fn failure_is_told_by_status_cause_and_flags() {
    for (members, failed) in [
        (json!({}), false),
        (json!({"fault": false, "error": false}), false),
        (json!({"error": true}), true),
        (json!({"fault": true}), true),
        (json!({"throttle": true}), true),
        (json!({"cause": {}}), true),
        (json!({"http": {"response": {"status": 399}}}), false),
        (json!({"http": {"response": {"status": 400}}}), true),
        (json!({"http": {"response": {"status": "503"}}}), true),
        (json!({"http": {"response": {"status": 0}}}), true),
    ] {
        let request = request(&segment(&members));
        let code = spans(&request)[0].status.as_ref().map_or(0, |status| status.code);
        assert_eq!(code == 2, failed, "{members}");
    }
}

#[test]
fn exception_of_a_subsegment_gives_the_message_to_those_that_name_it() {
    let request = request(&segment(&json!({
        "fault": true, "cause": "00000000000000aa",
        "subsegments": [{"name": "db", "id": "0000000000000002", "start_time": 1, "end_time": 2, "fault": true,
            "cause": {"exceptions": [{"id": "00000000000000aa", "type": "IOError", "message": "disk"}]}}]
    })));
    let status = spans(&request)[0].status.clone().unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "disk"));
    let event = &spans(&request)[1].events[0];
    assert_eq!(event.name, "exception");
    assert_eq!(text(&event.attributes, "exception.type").as_deref(), Some("IOError"));
    assert_eq!(event.time_unix_nano, 2_000_000_000);
}

#[test]
fn otlp_spans_of_an_aws_distribution_are_taken_as_they_are() {
    use base64::Engine as _;
    let expected = request(&segment(&json!({})));
    let encoded = base64::engine::general_purpose::STANDARD.encode(expected.encode_to_vec());
    for prefix in ["T1S", "T1U"] {
        let decoded = decode(&datagram(&format!("{prefix}{encoded}"))).unwrap();
        let found = ExportTraceServiceRequest::decode(decoded.payload.to_bytes()).unwrap();
        assert_eq!(found, expected);
    }
}

#[test]
fn text_that_is_not_utf8_is_repaired_and_counted() {
    let mut bytes = datagram(&segment(&json!({"user": "@"})).to_string());
    let at = bytes.iter().rposition(|byte| *byte == b'@').unwrap();
    bytes[at] = 0xff;
    let decoded = decode(&bytes).unwrap();
    assert_eq!(decoded.repaired_strings, 1);
    let request = ExportTraceServiceRequest::decode(decoded.payload.to_bytes()).unwrap();
    assert_eq!(text(&spans(&request)[0].attributes, "enduser.id").as_deref(), Some("\u{fffd}"));
}
