//! The `zipkin` exporter, in both of its formats.

use serde_json::{Value, json};
use tests::gateway::Gateway;
use tests::send;
use tests::zipkin::ZipkinBackend;

use super::{Case, WIRE, assert_parity};

#[test]
fn zipkin_gets_what_the_reference_collector_sends() {
    assert_parity("exporters/zipkin", |case| WIRE.differences(&sent(case), &case.reference));
}

/// What a case's requests become in either format, or that they are not taken at all.
fn sent(case: &Case) -> Value {
    let (json, proto) = (ZipkinBackend::start(), ZipkinBackend::start());
    let settings = |backend: &ZipkinBackend, format: &str| {
        let port = backend.port();
        format!("{{ endpoint: \"http://127.0.0.1:{port}/api/v2/spans\", format: {format} }}")
    };
    let gateway = Gateway::new()
        .exporter("zipkin/json", &settings(&json, "json"))
        .exporter("zipkin/proto", &settings(&proto, "proto"));
    let agent = gateway.start();
    let mut taken = true;
    for request in &case.requests {
        let kind = [("content-type", "application/json")];
        let reply = send::http(gateway.http, case.path(), &kind, request.to_string());
        assert!([200, 400].contains(&reply.status), "{}: {:?}", case.name, reply.body);
        taken &= reply.status == 200;
    }
    let ended = agent.stop();
    assert_eq!(ended.code, Some(0), "{}: {}", case.name, ended.stderr);
    if !taken {
        let refused = json!({ "unreadable": true });
        return json!({ "json": refused, "proto": refused });
    }
    json!({ "json": spans(&json), "proto": spans(&proto) })
}

fn spans(backend: &ZipkinBackend) -> Value {
    let requests = backend.accepted();
    requests.iter().flat_map(|request| &request.spans).map(|span| json!(span)).collect()
}
