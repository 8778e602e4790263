use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tests::answer::Answer;
use tests::desk::Decoded as _;
use tests::otlp::{OtlpBackend, Transport};
use tests::{encoding, ports, raw, send, spans};

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");
const AGENT: (&str, &str) = ("user-agent", "tests");

#[test]
fn both_transports_and_encodings_are_decoded() {
    let backend = OtlpBackend::start();
    let (grpc, protobuf, json, packed) =
        (spans::request(3), spans::request(2), spans::request(1), spans::request(4));
    let reply = send::grpc(
        backend.port(),
        send::TRACE_EXPORT,
        &[AGENT],
        &send::framed(&grpc.encode_to_vec()),
    );
    assert_eq!(reply.code, 0);
    assert!(reply.response.is_empty(), "{:?}", reply.response);
    let post = |headers: &[(&str, &str)], body: Vec<u8>| {
        send::http(backend.port(), "/v1/traces", headers, body).status
    };
    assert_eq!(post(&[PROTOBUF, AGENT], protobuf.encode_to_vec()), 200);
    assert_eq!(post(&[JSON, AGENT], serde_json::to_vec(&json).unwrap()), 200);
    let gzip = [PROTOBUF, AGENT, ("content-encoding", "gzip")];
    assert_eq!(post(&gzip, encoding::gzip(&packed.encode_to_vec())), 200);
    let accepted = backend.accepted();
    let transports: Vec<Transport> = accepted.iter().map(|request| request.transport).collect();
    use Transport::{Grpc, HttpJson, HttpProtobuf};
    assert_eq!(transports, [Grpc, HttpProtobuf, HttpJson, HttpProtobuf]);
    assert_eq!(*accepted[2].traces(), json);
    let all = [grpc, protobuf, json, packed].iter().flat_map(spans::ids).collect::<Vec<_>>();
    backend.wait_for_spans(&all);
    backend.assert_delivered_once(&all);
}

#[test]
fn what_a_real_backend_could_refuse_is_a_violation() {
    let backend = OtlpBackend::start();
    let good = spans::request(1).encode_to_vec();
    let empty = ExportTraceServiceRequest::default().encode_to_vec();
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: [(&str, Headers<'_>, &[u8], &str); 7] = [
        ("/v1/traces", &[("content-type", "text/plain"), AGENT], &good, "content type"),
        ("/v1/spans", &[PROTOBUF, AGENT], &good, "no such path"),
        ("/v1/traces", &[PROTOBUF], &good, "no user agent"),
        ("/v1/traces", &[PROTOBUF, AGENT], &good[..good.len() - 1], "OTLP protobuf"),
        ("/v1/traces", &[JSON, AGENT], &good, "OTLP/JSON"),
        ("/v1/traces", &[PROTOBUF, AGENT, ("content-encoding", "gzip")], &good, "gzip"),
        ("/v1/traces", &[PROTOBUF, AGENT], &empty, "without a single item"),
    ];
    for (path, headers, body, violation) in cases {
        assert_eq!(send::http(backend.port(), path, headers, body.to_vec()).status, 400);
        let violations = backend.take_violations();
        assert_eq!(violations.len(), 1, "{violation}");
        assert!(violations[0].contains(violation), "{violations:?} should speak of {violation:?}");
    }
    assert!(backend.requests().is_empty());
}

#[test]
fn scripted_answers_come_in_order_and_only_acceptance_counts() {
    let backend = OtlpBackend::start();
    backend.answer_next([
        Answer::status_retry_after(429, 7),
        Answer::status(503),
        Answer::PartialSuccess { rejected: 2 },
    ]);
    let request = spans::request(2);
    let post = || {
        let body = request.encode_to_vec();
        send::http(backend.port(), "/v1/traces", &[PROTOBUF, AGENT], body)
    };
    let reply = post();
    assert_eq!((reply.status, reply.headers["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(post().status, 503);
    assert!(backend.delivered().is_empty());
    let partial = ExportTraceServiceResponse::decode(post().body).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 2);
    assert_eq!(post().status, 200);
    assert_eq!(backend.requests().len(), 4);
    assert_eq!(backend.delivered().into_values().collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn a_grpc_status_carries_its_delay() {
    let backend = OtlpBackend::start();
    let delay = Duration::from_millis(1500);
    backend.answer_next([Answer::grpc_retry_after(8, delay), Answer::grpc(3)]);
    let body = send::framed(&spans::request(1).encode_to_vec());
    let call = || send::grpc(backend.port(), send::TRACE_EXPORT, &[AGENT], &body);
    let reply = call();
    assert_eq!((reply.code, reply.retry_delay), (8, Some(delay)));
    let reply = call();
    assert_eq!((reply.code, reply.retry_delay), (3, None));
}

#[test]
fn a_closed_and_a_stalled_connection_end_without_an_answer() {
    let backend = OtlpBackend::start();
    let body = spans::request(1).encode_to_vec();
    let post = |connection: &mut raw::Connection| {
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: h\r\nuser-agent: t\r\ncontent-type: \
             application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        assert!(connection.write(&[head.as_bytes(), &body].concat()));
    };
    backend.answer_next([Answer::Close, Answer::Stall]);
    let mut closed = raw::Connection::open(backend.port());
    post(&mut closed);
    assert_eq!(closed.read_to_end(), "");
    let mut stalled = raw::Connection::open(backend.port());
    post(&mut stalled);
    backend.wait_for_requests(2);
    backend.release();
    assert_eq!(stalled.read_to_end(), "");
    assert!(backend.delivered().is_empty());
}

#[test]
fn answers_can_depend_on_what_a_request_holds() {
    let backend = OtlpBackend::start();
    let poison = spans::request(1);
    let id = spans::ids(&poison)[0];
    backend
        .answer_when(move |request| request.span_ids().contains(&id).then(|| Answer::status(400)));
    let post = |request: &ExportTraceServiceRequest| {
        let body = request.encode_to_vec();
        send::http(backend.port(), "/v1/traces", &[PROTOBUF, AGENT], body).status
    };
    assert_eq!(post(&poison), 400);
    assert_eq!(post(&spans::request(1)), 200);
}

#[test]
fn a_backend_can_come_up_on_a_port_that_was_known_before() {
    let port = ports::free();
    assert!(!ports::is_taken(port));
    let backend = OtlpBackend::start_on(port);
    assert!(ports::is_taken(port));
    drop(backend);
    assert!(!ports::is_taken(port));
}
