//! What every endpoint asks of a call, and how it can be told to answer.

use prost::Message as _;
use tests::answer::Answer;
use tests::datadog::{
    AgentPayload, Content as _, DatadogIntake, HostMetadata, KEY, KeyCheck, Limit, Logs,
    MetricPayload, SketchPayload, StatsPayload,
};
use tests::{encoding, raw, send};

use super::{JSON, MSGPACK, PROTOBUF, assert_refused, post, traces};

const KEY_HEADER: (&str, &str) = ("dd-api-key", KEY);
type Headers<'a> = &'a [(&'a str, &'a str)];

const SENDER: (&str, &str) = ("user-agent", "tests/1");

#[test]
fn the_key_the_sender_and_the_type_are_asked_for_at_every_endpoint() {
    let intake = DatadogIntake::start();
    let paths = [
        (AgentPayload::PATH, PROTOBUF),
        (StatsPayload::PATH, MSGPACK),
        (MetricPayload::PATH, PROTOBUF),
        (SketchPayload::PATH, PROTOBUF),
        (Logs::PATH, JSON),
        (HostMetadata::PATH, JSON),
    ];
    for (path, kind) in paths {
        let kind = ("content-type", kind);
        let cases: [(Headers<'_>, u16, &str); 7] = [
            (&[SENDER, kind], 403, "no key"),
            (&[("dd-api-key", "0123"), SENDER, kind], 403, "nobody configured"),
            (&[KEY_HEADER, KEY_HEADER, SENDER, kind], 403, "more than one key"),
            (&[KEY_HEADER, kind], 400, "no user agent"),
            (&[KEY_HEADER, SENDER], 400, "content type \"\""),
            (&[KEY_HEADER, SENDER, ("content-type", "text/plain")], 400, "content type"),
            (&[KEY_HEADER, SENDER, kind, ("content-encoding", "br")], 400, "content encoding"),
        ];
        for (headers, status, word) in cases {
            let reply = send::http(intake.port(), path, headers, "");
            let violations = intake.take_violations();
            assert_eq!((reply.status, violations.len()), (status, 1), "{path} {word}");
            assert!(violations[0].contains(word), "{path}: {violations:?}: {word}");
        }
        let reply = send::get(intake.port(), path);
        assert_eq!(reply.status, 405);
        assert!(intake.take_violations()[0].contains("only POST"));
    }
}

#[test]
fn an_encoding_must_be_one_of_the_endpoint_s_and_true() {
    let intake = DatadogIntake::start();
    let body = traces::payload().encode_to_vec();
    let call = |encoding: &str, body: Vec<u8>| {
        let headers =
            [KEY_HEADER, SENDER, ("content-type", PROTOBUF), ("content-encoding", encoding)];
        send::http(intake.port(), AgentPayload::PATH, &headers, body).status
    };
    for known in ["gzip", "zstd"] {
        assert_eq!(call(known, encoding::apply(known, &body)), 202);
    }
    let plain = [KEY_HEADER, SENDER, ("content-type", PROTOBUF)];
    let reply = send::http(intake.port(), AgentPayload::PATH, &plain, body.clone());
    assert_eq!(reply.status, 202);
    assert_eq!(call("deflate", encoding::apply("deflate", &body)), 400);
    assert_eq!(call("gzip", body), 400);
    let violations = intake.take_violations();
    assert!(violations[0].contains("content encoding"), "{violations:?}");
    assert!(violations[1].contains("claims to be"), "{violations:?}");
    assert_eq!(intake.traces.requests().len(), 3);
}

#[test]
fn http_2_and_unknown_paths_are_not_spoken() {
    let intake = DatadogIntake::start();
    let headers = [KEY_HEADER, SENDER, ("content-type", PROTOBUF)];
    let reply = send::http(intake.port(), "/api/v0.3/traces", &headers, "");
    assert_eq!(reply.status, 404);
    assert!(intake.take_violations()[0].contains("no such endpoint"));
    let mut http_10 = raw::Connection::open(intake.port());
    assert!(http_10.write(b"GET /api/v1/validate HTTP/1.0\r\n\r\n"));
    assert!(http_10.read_status_line().contains("400"));
    assert!(intake.take_violations()[0].contains("HTTP/1.0"));
}

#[test]
fn a_key_is_known_until_it_is_revoked() {
    let intake = DatadogIntake::start();
    let ask = |key| send::get_with(intake.port(), KeyCheck::PATH, &[("dd-api-key", key), SENDER]);
    let reply = ask(KEY);
    assert_eq!((reply.status, &reply.body[..]), (200, br#"{"valid":true}"#.as_slice()));
    intake.revoke_key(true);
    assert_eq!(ask(KEY).status, 403);
    let body = traces::payload().encode_to_vec();
    assert_eq!(post::<AgentPayload>(&intake, PROTOBUF, body.clone()).status, 403);
    // Another key than the configured one is the agent's mistake all the same.
    assert_eq!(ask("0123").status, 403);
    assert_eq!(intake.take_violations().len(), 1);
    intake.revoke_key(false);
    assert_eq!(ask(KEY).status, 200);
    assert_eq!(post::<AgentPayload>(&intake, PROTOBUF, body).status, 202);
    assert_eq!(intake.traces.requests().len(), 2);
    assert_eq!(intake.traces.accepted().len(), 1);
}

#[test]
fn every_endpoint_has_a_script_of_its_own() {
    let intake = DatadogIntake::start();
    let body = traces::payload().encode_to_vec();
    let log = || br#"[{"message":"m"}]"#.to_vec();
    intake.traces.answer_next([
        Answer::status(408),
        Answer::status_retry_after(429, 7),
        Answer::status(500),
        Answer::status(413),
    ]);
    let codes: Vec<u16> =
        (0..4).map(|_| post::<AgentPayload>(&intake, PROTOBUF, body.clone()).status).collect();
    assert_eq!(codes, [408, 429, 500, 413]);
    assert_eq!(post::<Logs>(&intake, JSON, log()).status, 202);
    assert_eq!(post::<AgentPayload>(&intake, PROTOBUF, body).status, 202);
    intake.logs.answer_next([Answer::status_retry_after(429, 7)]);
    let reply = post::<Logs>(&intake, JSON, log());
    assert_eq!((reply.status, reply.headers["retry-after"].to_str().unwrap()), (429, "7"));
    assert!(String::from_utf8_lossy(&reply.body).contains("errors"));
    assert_eq!((intake.traces.requests().len(), intake.traces.accepted().len()), (5, 1));
    assert_eq!((intake.logs.requests().len(), intake.logs.accepted().len()), (2, 1));
}

#[test]
fn a_closed_and_a_stalled_call_end_without_an_answer() {
    let intake = DatadogIntake::start();
    intake.keys.answer_next([Answer::Close, Answer::Stall]);
    let ask = |connection: &mut raw::Connection| {
        let head = format!(
            "GET {} HTTP/1.1\r\nhost: h\r\nuser-agent: t\r\ndd-api-key: {KEY}\r\n\r\n",
            KeyCheck::PATH
        );
        assert!(connection.write(head.as_bytes()));
    };
    let mut closed = raw::Connection::open(intake.port());
    ask(&mut closed);
    assert_eq!(closed.read_to_end(), "");
    let mut stalled = raw::Connection::open(intake.port());
    ask(&mut stalled);
    intake.keys.wait_for_requests(2);
    intake.release();
    assert_eq!(stalled.read_to_end(), "");
    assert!(intake.keys.accepted().is_empty());
}

/// That is how a test has the agent split its calls.
#[test]
fn a_test_s_own_limit_refuses_without_a_violation() {
    let intake = DatadogIntake::start();
    let limit = Limit { items: 2, plain_bytes: 200_000, ..Limit::NONE };
    intake.traces.answer_when(limit.enforced());
    let spans = |count| traces::payload_of(count).encode_to_vec();
    assert_eq!(post::<AgentPayload>(&intake, PROTOBUF, spans(2)).status, 202);
    assert_eq!(post::<AgentPayload>(&intake, PROTOBUF, spans(3)).status, 413);
    let limit = Limit { plain_bytes: 85_000, ..Limit::NONE };
    intake.traces.answer_when(limit.enforced());
    let with = |bytes| traces::with_resource("r".repeat(bytes)).encode_to_vec();
    assert_eq!(post::<AgentPayload>(&intake, PROTOBUF, with(1)).status, 202);
    assert_eq!(post::<AgentPayload>(&intake, PROTOBUF, with(5000)).status, 413);
    assert_eq!(intake.traces.delivered().len(), 2);
    assert!(intake.take_violations().is_empty());
}

#[test]
fn host_metadata_names_one_host() {
    let intake = DatadogIntake::start();
    let whole = r#"{"meta":{"hostname":"h"},"internalHostname":"h","otel_version":"1",
        "agent-flavor":"hikyaku","host-tags":{"otel":["env:prod"]},"gohai":"{\"cpu\":{}}"}"#;
    assert_eq!(post::<HostMetadata>(&intake, JSON, whole.into()).status, 202);
    assert_eq!(intake.hosts.accepted()[0].content.hostname, "h");
    for (from, to, word) in [
        (r#"{"hostname":"h"}"#, r#"{"hostname":"g"}"#, "names"),
        (r#""internalHostname":"h","#, "", "names"),
        (r#"["env:prod"]"#, "[1]", "tag"),
        (r#"["env:prod"]"#, r#""env:prod""#, "host tags"),
        (r#""{\"cpu\":{}}""#, r#"{"cpu":{}}"#, "gohai"),
        (r#"{"meta""#, r#""meta""#, "JSON"),
    ] {
        let body = whole.replace(from, to);
        assert_ne!(body, whole, "{from}");
        assert_refused::<HostMetadata>(&intake, JSON, body.into(), 400, word);
    }
}

#[test]
#[should_panic(expected = "Datadog would not have taken this")]
fn a_violation_that_nobody_looks_at_fails_the_test() {
    let intake = DatadogIntake::start();
    post::<Logs>(&intake, JSON, b"[]".to_vec());
}
