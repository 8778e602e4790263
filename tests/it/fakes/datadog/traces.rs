use std::collections::HashMap;

use prost::Message as _;
use tests::datadog::traces::{Span, TraceChunk, TracerPayload};
use tests::datadog::{AgentPayload, DatadogIntake};

use super::{Case, PROTOBUF, assert_refused, changed, post};

/// The example of the reference on the wire: one span with all that it needs.
const EXAMPLE: &str = "12046e6f6e652a9b0132920108011a790a037765621213687474702e7365727665722e726571756573741a0b474554202f752f7b69647d\
    208c8cff89b8c6edb4d2012801388080a8b1e39fe7cb1740c0843d52130a097370616e2e6b696e6412067365727665725a1b0a1068747470\
    2e7374617475735f636f6465110000000000006940620377656222130a0b5f64642e6f746c705f73721204312e3030420470726f64";

/// A payload of one span with everything that a span can have.
pub(super) fn payload() -> AgentPayload {
    payload_of(1)
}

/// The same with so many spans in one chunk.
pub(super) fn payload_of(count: u64) -> AgentPayload {
    let chunk = TraceChunk {
        priority: 1,
        spans: (1..=count).map(span).collect(),
        tags: one("_dd.otlp_sr", "1.00"),
        ..Default::default()
    };
    let tracer = TracerPayload {
        container_id: "c1".to_owned(),
        language_name: "go".to_owned(),
        tracer_version: "otlp-1.38.0".to_owned(),
        chunks: vec![chunk],
        tags: one("_dd.tags.container", "container_id:c1"),
        env: "prod".to_owned(),
        hostname: "i-1".to_owned(),
        ..Default::default()
    };
    AgentPayload {
        host_name: "i-1".to_owned(),
        env: "none".to_owned(),
        tracer_payloads: vec![tracer],
        agent_version: "hikyaku-1".to_owned(),
        target_tps: 10.0,
        error_tps: 10.0,
        ..Default::default()
    }
}

/// The same with another resource.
pub(super) fn with_resource(resource: String) -> AgentPayload {
    let mut payload = payload();
    first(&mut payload).resource = resource;
    payload
}

fn span(id: u64) -> Span {
    Span {
        service: "cart-api".to_owned(),
        name: "http.server.request".to_owned(),
        resource: "GET /cart".to_owned(),
        trace_id: 15_161_849_952_847_513_100,
        span_id: id,
        parent_id: u64::MAX,
        start: 1_700_000_000_000_000_000,
        duration: 1,
        error: 1,
        meta: [
            one("env", "prod"),
            one("http.status_code", "503"),
            one(&"k".repeat(200), &"v".repeat(25_000)),
            one(&("k".repeat(199) + "j..."), &("v".repeat(24_999) + "w...")),
            one("_dd.stack.json", &"v".repeat(30_000)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        metrics: HashMap::from([("_top_level".to_owned(), 1.0)]),
        r#type: "web".to_owned(),
        ..Default::default()
    }
}

fn one(key: &str, value: &str) -> HashMap<String, String> {
    HashMap::from([(key.to_owned(), value.to_owned())])
}

fn first(payload: &mut AgentPayload) -> &mut Span {
    &mut chunk(payload).spans[0]
}

fn chunk(payload: &mut AgentPayload) -> &mut TraceChunk {
    &mut payload.tracer_payloads[0].chunks[0]
}

#[test]
fn a_span_with_everything_is_taken() {
    let intake = DatadogIntake::start();
    let sent = payload();
    let reply = post::<AgentPayload>(&intake, PROTOBUF, sent.encode_to_vec());
    assert_eq!(reply.status, 202);
    let call = intake.traces.accepted().remove(0);
    assert_eq!(call.content, sent);
    assert_eq!((call.size.items, call.size.plain_bytes), (1, sent.encoded_len()));
    assert!(call.size.wire_bytes < 2000);
    intake.traces.assert_delivered_once(&[1_u64.to_be_bytes()]);
}

#[test]
fn the_wire_example_differs_from_the_rules_in_its_version_only() {
    let intake = DatadogIntake::start();
    let digits: Vec<char> = EXAMPLE.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    let mut body: Vec<u8> = digits.chunks(2).map(byte).collect();
    assert_refused::<AgentPayload>(&intake, PROTOBUF, body.clone(), 400, "version");
    body.extend([0x3a, 1, b'1']);
    assert_eq!(post::<AgentPayload>(&intake, PROTOBUF, body).status, 202);
}

#[test]
fn every_broken_rule_of_a_span_is_a_violation() {
    type Change = Box<dyn FnOnce(&mut Span)>;
    let set = |change: fn(&mut Span)| -> Change { Box::new(change) };
    let meta = |key: &str, value: &str| -> Change {
        let (key, value) = (key.to_owned(), value.to_owned());
        Box::new(move |span| {
            span.meta.insert(key, value);
        })
    };
    let service =
        |text: &'static str| -> Change { Box::new(move |span| span.service = text.to_owned()) };
    let name = |text: &'static str| -> Change { Box::new(move |span| span.name = text.to_owned()) };
    let cases: Vec<(Change, &str)> = vec![
        (set(|span| span.trace_id = 0), "id of zero"),
        (set(|span| span.span_id = 0), "id of zero"),
        (set(|span| span.parent_id = span.trace_id), ""),
        (
            set(|span| (span.span_id, span.parent_id) = (span.trace_id, span.trace_id)),
            "its own parent",
        ),
        (service(""), "service"),
        (service("Cart"), "service"),
        (service("Ünicode"), "service"),
        (service("ünicode-飛脚/1:2.3_4"), ""),
        (service("123abc"), ""),
        (service("cart api"), "service"),
        (service("cart__api"), "service"),
        (service("cart_"), "service"),
        (set(|span| span.service = "a".repeat(101)), "service"),
        (name(""), "name"),
        (name("HTTP.Server_1"), ""),
        (name("1.request"), "name"),
        (name("http-request"), "name"),
        (name("http__request"), "name"),
        (name("http_.request"), "name"),
        (name("http._request"), ""),
        (name("request_"), "name"),
        (set(|span| span.name = "n".repeat(101)), "name"),
        (set(|span| span.resource.clear()), "resource of 0"),
        (set(|span| span.resource = "r".repeat(5000)), ""),
        (set(|span| span.resource = "r".repeat(5001)), "resource of 5001"),
        (set(|span| span.r#type = "t".repeat(100)), ""),
        (set(|span| span.r#type = "t".repeat(101)), "type of 101"),
        (set(|span| span.start = 42), "start 42"),
        (set(|span| span.duration = -1), "duration -1"),
        (set(|span| span.duration = i64::MAX), "64 bits"),
        (set(|span| span.error = 2), "error 2"),
        (meta(&"k".repeat(201), "v"), "key of 201"),
        (meta(&("k".repeat(201) + "..."), "v"), "key of 204"),
        (meta("k", &"v".repeat(25_001)), "value of 25001"),
        (meta("k", &("v".repeat(25_001) + "...")), "value of 25004"),
        (meta("_dd.stack.xml", &"v".repeat(25_001)), "value of 25001"),
        (meta("http.status_code", "ok"), "HTTP status"),
        (meta("http.status_code", "600"), "HTTP status"),
        (meta("env", "Prod"), "environment"),
        (meta("env", ""), "environment"),
        (
            set(|span| {
                span.metrics.insert("m".repeat(201), 1.0);
            }),
            "key of 201",
        ),
    ];
    let intake = DatadogIntake::start();
    for (position, (change, word)) in cases.into_iter().enumerate() {
        let body = changed(&payload(), |payload| change(first(payload)));
        if word.is_empty() {
            let reply = post::<AgentPayload>(&intake, PROTOBUF, body);
            assert_eq!(reply.status, 202, "{position}: {:?}", intake.take_violations());
        } else {
            assert_refused::<AgentPayload>(&intake, PROTOBUF, body, 400, word);
        }
    }
}

#[test]
fn every_broken_rule_of_an_envelope_is_a_violation() {
    let cases: [Case<AgentPayload>; 11] = [
        (|payload| payload.agent_version.clear(), "version"),
        (|payload| payload.env = "Prod".to_owned(), "environment"),
        (|payload| payload.env.clear(), "environment"),
        (|payload| payload.tracer_payloads.clear(), "without traces"),
        (|payload| payload.tracer_payloads[0].chunks.clear(), "without traces"),
        (|payload| payload.tracer_payloads[0].env = "a b".to_owned(), "environment"),
        (|payload| chunk(payload).spans.clear(), "without spans"),
        (|payload| chunk(payload).dropped_trace = true, "has dropped"),
        (
            |payload| {
                let other = Span { trace_id: 7, ..span(2) };
                chunk(payload).spans.push(other);
            },
            "in a chunk",
        ),
        // What the Collector does not send, or sends in another place.
        (|payload| payload.idx_tracer_payloads.push(Default::default()), "field 11"),
        (|payload| first(payload).span_events.push(Default::default()), "field 15"),
    ];
    let intake = DatadogIntake::start();
    for (change, word) in cases {
        assert_refused::<AgentPayload>(&intake, PROTOBUF, changed(&payload(), change), 400, word);
    }
}

/// Field numbers and repetitions that every decoder passes over.
#[test]
fn bytes_that_a_decoder_would_pass_over_are_a_violation() {
    let intake = DatadogIntake::start();
    let whole = payload().encode_to_vec();
    for (more, word) in [
        ([0x1a, 1, b'x'].as_slice(), "a field 3"),
        (&[0x3a, 1, b'2'], "field 7 twice"),
        (&[0x32, 3, 0x0a, 1, b'k', 0x32, 3, 0x0a, 1, b'k'], "\"k\" of the map 6 twice"),
        (&[0x32, 3, 0x0a, 1], "cut short"),
        (&[0x12, 2, 0xff, 0xfe], "twice"),
    ] {
        let body = [whole.as_slice(), more].concat();
        assert_refused::<AgentPayload>(&intake, PROTOBUF, body, 400, word);
    }
    // Not UTF-8, and of another wire type.
    for body in [[0x12, 2, 0xff, 0xfe].as_slice(), &[0x10, 1]] {
        assert_refused::<AgentPayload>(&intake, PROTOBUF, body.to_vec(), 400, "protobuf of an");
    }
}

#[test]
fn the_largest_payload_is_taken_and_no_larger_one() {
    let intake = DatadogIntake::start();
    let of_bytes = |bytes: usize| {
        let mut payload = payload_of(700);
        let length = payload.encoded_len();
        assert!((2_000_000..bytes).contains(&length) || length > bytes, "{length}");
        while payload.encoded_len() > bytes {
            chunk(&mut payload).spans.pop();
        }
        // The version takes up what is left, to the byte.
        while payload.encoded_len() < bytes {
            let left = bytes - payload.encoded_len();
            payload.agent_version.push_str(&"v".repeat(left.div_ceil(2)));
            if payload.encoded_len() > bytes {
                payload.agent_version.truncate(payload.agent_version.len() - 2);
            }
        }
        assert_eq!(payload.encoded_len(), bytes);
        payload.encode_to_vec()
    };
    assert_eq!(post::<AgentPayload>(&intake, PROTOBUF, of_bytes(3_200_000)).status, 202);
    let body = of_bytes(3_200_001);
    assert_refused::<AgentPayload>(&intake, PROTOBUF, body, 413, "at most 3200000");
}
