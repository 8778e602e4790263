//! Bodies that end before they are too long, and what is left out.

use std::collections::BTreeMap;

use libdd_trace_protobuf::pb::{AgentPayload, Span};
use pdata::sample;
use prost::Message as _;
use serde_json::json;

use super::*;

fn spans(translation: &Translation) -> Vec<Span> {
    let mut spans = Vec::new();
    for body in &translation.bodies {
        let payload = AgentPayload::decode(body.bytes.as_slice()).unwrap();
        let chunks = payload.tracer_payloads.into_iter().flat_map(|payload| payload.chunks);
        let of_body: Vec<Span> = chunks.flat_map(|chunk| chunk.spans).collect();
        assert_eq!(of_body.len(), body.spans);
        spans.extend(of_body);
    }
    spans
}

#[test]
fn no_body_is_longer_than_allowed_and_no_span_is_lost_or_doubled() {
    let payload = sample::traces(300);
    let whole = translated(&payload, &Options::default());
    assert_eq!(whole.bodies.len(), 1);
    let mut expected = spans(&whole);
    expected.sort_by_key(|span| span.span_id);
    for body_len_max in [2_500, 5_000, 20_000, 100_000] {
        let options = Options { body_len_max, ..Options::default() };
        let translation = translated(&payload, &options);
        assert!(translation.bodies.len() > 1, "{body_len_max}");
        assert!(translation.bodies.iter().all(|body| body.bytes.len() <= body_len_max));
        assert_eq!(translation.left_out, LeftOut::default());
        let mut actual = spans(&translation);
        actual.sort_by_key(|span| span.span_id);
        assert_eq!(actual, expected, "{body_len_max}");
    }
}

#[test]
fn trace_stays_whole_where_it_fits_a_body() {
    let options = Options { body_len_max: 20_000, ..Options::default() };
    let translation = translated(&sample::traces(300), &options);
    let mut bodies_of: BTreeMap<u64, usize> = BTreeMap::new();
    for body in &translation.bodies {
        let payload = AgentPayload::decode(body.bytes.as_slice()).unwrap();
        for chunk in payload.tracer_payloads.iter().flat_map(|payload| &payload.chunks) {
            *bodies_of.entry(chunk.spans[0].trace_id).or_default() += 1;
        }
    }
    assert!(bodies_of.len() > 30);
    assert!(bodies_of.values().all(|bodies| *bodies == 1), "{bodies_of:?}");
}

#[test]
fn every_part_of_a_trace_says_the_same_of_it() {
    let payload = sample::traces(8);
    let whole = translated(&payload, &Options::default());
    let parts = translated(&payload, &Options { body_len_max: 2_500, ..Options::default() });
    let heads = |translation: &Translation| -> Vec<serde_json::Value> {
        let mut heads = Vec::new();
        for body in &translation.bodies {
            let mut json = model::json(&body.bytes);
            for chunk in json["tracerPayloads"][0]["chunks"].as_array_mut().unwrap() {
                chunk["spans"] = json!([]);
            }
            heads.push(json);
        }
        heads.dedup();
        heads
    };
    assert!(parts.bodies.len() > 2);
    assert_eq!(heads(&parts), heads(&whole));
}

fn span(attributes: serde_json::Value, ids: (&str, &str)) -> serde_json::Value {
    json!({
        "traceId": ids.0, "spanId": ids.1, "name": "work",
        "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000001000000",
        "attributes": attributes,
    })
}

const TRACE: &str = "5b8efff798038103d269b633813fc60c";
const OTHER: &str = "5b8efff798038103d269b633813fc60d";

fn request(spans: &[serde_json::Value]) -> Payload {
    payload(&json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string())
}

#[test]
fn trace_with_a_span_without_ids_is_left_out_whole_and_the_others_are_sent() {
    let no_ids = ("d269b633813fc60c0000000000000000", "eee19b7ec3c1b174");
    let payload = request(&[
        span(json!([]), (TRACE, "eee19b7ec3c1b174")),
        span(json!([]), (TRACE, "0000000000000000")),
        span(json!([]), no_ids),
        span(json!([]), (OTHER, "eee19b7ec3c1b175")),
    ]);
    let translation = translated(&payload, &Options::default());
    assert_eq!(spans(&translation).len(), 1);
    assert_eq!(translation.left_out, LeftOut { without_ids: 3, ..LeftOut::default() });
}

#[test]
fn trace_that_somebody_decided_against_is_left_out() {
    let drop = json!([{"key": "sampling.priority", "value": {"intValue": "0"}}]);
    let payload = request(&[
        span(json!([]), (TRACE, "eee19b7ec3c1b174")),
        span(drop, (TRACE, "eee19b7ec3c1b175")),
        span(json!([]), (OTHER, "eee19b7ec3c1b176")),
    ]);
    let translation = translated(&payload, &Options::default());
    assert_eq!(spans(&translation).len(), 1);
    assert_eq!(translation.left_out, LeftOut { not_kept: 2, ..LeftOut::default() });
}

#[test]
fn span_that_no_body_has_room_for_is_left_out_alone() {
    let long = json!([{"key": "long", "value": {"stringValue": "x".repeat(10_000)}}]);
    let payload = request(&[
        span(json!([]), (TRACE, "eee19b7ec3c1b174")),
        span(long, (TRACE, "eee19b7ec3c1b175")),
        span(json!([]), (TRACE, "eee19b7ec3c1b176")),
    ]);
    let options = Options { body_len_max: 5_000, ..Options::default() };
    let translation = translated(&payload, &options);
    let ids: Vec<u64> = spans(&translation).iter().map(|span| span.span_id).collect();
    assert_eq!(ids, [0xeee1_9b7e_c3c1_b174, 0xeee1_9b7e_c3c1_b176]);
    assert_eq!(translation.left_out, LeftOut { too_large: 1, ..LeftOut::default() });
}

#[test]
fn events_and_links_stay_json_however_long_they_are() {
    let event = |text: &str| {
        json!({"timeUnixNano": "1700000000000000000", "name": "exception", "attributes": [
            {"key": "exception.stacktrace", "value": {"stringValue": text}},
        ]})
    };
    for (text, count) in
        [("é\"\n".repeat(20_000), 1), ("x".repeat(3_000), 40), ("y".to_owned(), 2_000)]
    {
        let mut with_events = span(json!([]), (TRACE, "eee19b7ec3c1b174"));
        with_events["events"] = (0..count).map(|_| event(&text)).collect();
        with_events["links"] = (0..count)
            .map(|_| {
                json!({"traceId": OTHER, "spanId": "eee19b7ec3c1b174", "attributes": [
                    {"key": "why", "value": {"stringValue": text}},
                ]})
            })
            .collect();
        let translation = translated(&request(&[with_events]), &Options::default());
        let meta = &spans(&translation)[0].meta;
        for key in ["events", "_dd.span_links"] {
            assert!(meta[key].len() <= 25_000, "{key} {}", meta[key].len());
            let read: Vec<serde_json::Value> = serde_json::from_str(&meta[key]).unwrap();
            assert!(!read.is_empty(), "{key} of {count}");
        }
    }
}
