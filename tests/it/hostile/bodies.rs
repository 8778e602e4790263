//! Bodies that are not what they should be. prost is the oracle of what is a request.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use tests::otlp::status::Status;
use tests::{encoding, send, spans};

use super::Target;

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");
const GZIP: (&str, &str) = ("content-encoding", "gzip");

const INVALID_ARGUMENT: u32 = 3;
const RESOURCE_EXHAUSTED: u32 = 8;
const UNIMPLEMENTED: u32 = 12;

#[test]
fn truncated_and_random_protobuf_is_refused_exactly_when_it_is_malformed() {
    let target = Target::start();
    let whole = spans::request(2).encode_to_vec();
    let mut random = fastrand::Rng::with_seed(7);
    let truncated = (0..whole.len()).step_by(3).map(|length| whole[..length].to_vec());
    let noise = (0..64).map(|_| (0..random.usize(1..200)).map(|_| random.u8(..)).collect());
    let mut flip = fastrand::Rng::with_seed(8);
    let flipped = (0..64).map(|_| {
        let mut body = whole.clone();
        let at = flip.usize(..body.len());
        body[at] ^= 1 << flip.u32(..8);
        body
    });
    for body in truncated.chain(noise).chain(flipped) {
        let decoded = ExportTraceServiceRequest::decode(body.as_slice());
        // A text that is not UTF-8 is repaired, where prost refuses it; the structure decides.
        let repaired = decoded.as_ref().is_err_and(|error| error.to_string().contains("UTF-8"));
        if repaired {
            continue;
        }
        let reply = send::http(target.gateway.http, "/v1/traces", &[PROTOBUF], body.clone());
        let grpc = send::grpc(target.gateway.grpc, send::TRACE_EXPORT, &[], &send::framed(&body));
        if decoded.is_ok() {
            // Ids of a wrong length are well-formed; whether they are taken is another test's.
            assert!(matches!(reply.status, 200 | 400), "{body:?}: {reply:?}");
            assert!(matches!(grpc.code, 0 | INVALID_ARGUMENT), "{body:?}: {grpc:?}");
        } else {
            assert_eq!((reply.status, grpc.code), (400, INVALID_ARGUMENT), "{body:?}");
            let status = Status::decode(reply.body).unwrap();
            assert_eq!(status.code, 3);
            assert!(!status.message.is_empty() && !grpc.message.is_empty());
        }
    }
    target.assert_unharmed();
}

#[test]
fn truncated_and_random_json_is_refused() {
    let target = Target::start();
    let whole = serde_json::to_vec(&spans::request(1)).unwrap();
    let mut random = fastrand::Rng::with_seed(9);
    let truncated = (1..whole.len()).step_by(5).map(|length| whole[..length].to_vec());
    let noise = (0..32).map(|_| (0..random.usize(1..200)).map(|_| random.u8(..)).collect());
    let wrong = [
        "[]",
        "7",
        r#"{"resourceSpans":{}}"#,
        r#"{"resourceSpans":[7]}"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"x"}]}]}]}"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}"#,
    ];
    let wrong = wrong.map(|text| text.as_bytes().to_vec());
    for body in truncated.chain(noise).chain(wrong) {
        let reply = send::http(target.gateway.http, "/v1/traces", &[JSON], body.clone());
        assert_eq!(reply.status, 400, "{:?}", String::from_utf8_lossy(&body));
        let status: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(status["code"], 3, "{status}");
        assert!(status["message"].as_str().is_some_and(|text| !text.is_empty()), "{status}");
    }
    target.assert_unharmed();
}

#[test]
fn values_that_nest_without_end_are_refused() {
    let target = Target::start();
    for depth in [100, 5_000] {
        let body = nested(depth);
        let reply = send::http(target.gateway.http, "/v1/traces", &[PROTOBUF], body.clone());
        let grpc = send::grpc(target.gateway.grpc, send::TRACE_EXPORT, &[], &send::framed(&body));
        assert_eq!((reply.status, grpc.code), (400, INVALID_ARGUMENT), "depth {depth}");
        let json = format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"deep","value":{}{}}}]}}}}]}}"#,
            r#"{"arrayValue":{"values":["#.repeat(depth),
            "]}}".repeat(depth)
        );
        let reply = send::http(target.gateway.http, "/v1/traces", &[JSON], json);
        assert_eq!(reply.status, 400, "depth {depth}");
    }
    target.assert_unharmed();
}

/// A request with an attribute whose value is a list in a list in a list, encoded from the inside out: prost would recurse.
fn nested(depth: usize) -> Vec<u8> {
    let field = |number: u8, content: &[u8]| {
        let mut out = vec![number << 3 | 2];
        prost::encode_length_delimiter(content.len(), &mut out).unwrap();
        out.extend_from_slice(content);
        out
    };
    // AnyValue.array_value and ArrayValue.values.
    let value = (0..depth).fold(Vec::new(), |inner, _| field(5, &field(1, &inner)));
    let attribute = [field(1, b"deep"), field(2, &value)].concat();
    let span = [spans::span().encode_to_vec(), field(9, &attribute)].concat();
    field(1, &field(2, &field(2, &span)))
}

#[test]
fn a_gzip_bomb_is_refused_without_being_unpacked() {
    let target = Target::start();
    // A gibibyte of zeros in about a mebibyte.
    let zeros = vec![0; 64 << 20];
    let bomb = encoding::gzip(&zeros).repeat(16);
    drop(zeros);
    let headers = [PROTOBUF, GZIP];
    let reply = send::http(target.gateway.http, "/v1/traces", &headers, bomb.clone());
    assert_eq!(reply.status, 413, "{reply:?}");
    let length = u32::try_from(bomb.len()).unwrap().to_be_bytes();
    let body = [[1].as_slice(), &length, &bomb].concat();
    let headers = [("grpc-encoding", "gzip")];
    let grpc = send::grpc(target.gateway.grpc, send::TRACE_EXPORT, &headers, &body);
    assert_eq!(grpc.code, RESOURCE_EXHAUSTED, "{grpc:?}");
    target.assert_unharmed();
}

#[test]
fn a_body_that_is_not_of_its_encoding_is_refused() {
    let target = Target::start();
    let plain = spans::request(1).encode_to_vec();
    for name in ["gzip", "zstd", "deflate", "snappy", "br"] {
        let headers = [PROTOBUF, ("content-encoding", name)];
        let reply = send::http(target.gateway.http, "/v1/traces", &headers, plain.clone());
        assert_eq!(reply.status, 400, "{name}");
    }
    let cut = encoding::gzip(&plain);
    let cut = cut[..cut.len() / 2].to_vec();
    assert_eq!(send::http(target.gateway.http, "/v1/traces", &[PROTOBUF, GZIP], cut).status, 400);
    let compressed = [[1].as_slice(), &5_u32.to_be_bytes(), b"plain"].concat();
    let grpc = send::grpc(
        target.gateway.grpc,
        send::TRACE_EXPORT,
        &[("grpc-encoding", "br")],
        &compressed,
    );
    assert_eq!(grpc.code, UNIMPLEMENTED, "{grpc:?}");
    target.assert_unharmed();
}

#[test]
fn wrong_types_methods_and_paths_have_their_own_answers() {
    let target = Target::start();
    let body = spans::request(1).encode_to_vec();
    let post = |path: &str, kind: &str| {
        send::http(target.gateway.http, path, &[("content-type", kind)], body.clone()).status
    };
    assert_eq!(post("/v1/traces", "text/plain"), 415);
    assert_eq!(send::http(target.gateway.http, "/v1/traces", &[], body.clone()).status, 415);
    assert_eq!(post("/v1/spans", "application/x-protobuf"), 404);
    // No pipeline takes logs.
    assert_eq!(post("/v1/logs", "application/x-protobuf"), 404);
    assert_eq!(send::get(target.gateway.http, "/v1/traces").status, 405);
    for method in ["/opentelemetry.proto.collector.logs.v1.LogsService/Export", "/a.b/C"] {
        let grpc = send::grpc(target.gateway.grpc, method, &[], &send::framed(&body));
        assert_eq!(grpc.code, UNIMPLEMENTED, "{method}");
    }
    target.assert_unharmed();
}

#[test]
fn a_grpc_prefix_that_lies_is_refused() {
    let target = Target::start();
    let message = spans::request(1).encode_to_vec();
    let longer = [[0].as_slice(), &u32::MAX.to_be_bytes(), &message].concat();
    let shorter = [[0].as_slice(), &1_u32.to_be_bytes(), &message].concat();
    for body in [longer, shorter, vec![0, 0], vec![2, 0, 0, 0, 0]] {
        let grpc = send::grpc(target.gateway.grpc, send::TRACE_EXPORT, &[], &body);
        assert_ne!(grpc.code, 0, "{:?}", body.get(..5));
    }
    target.assert_unharmed();
}
