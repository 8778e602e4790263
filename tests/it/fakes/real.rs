use std::collections::BTreeMap;

use tests::otlp::{OtlpBackend, Transport};
use tests::parts::{Sdk, ZipkinServer};
use tests::spans;

/// The client programs, the fake and the account that they are compared by agree with each other.
#[test]
fn every_sdk_reaches_the_fake_over_every_transport() {
    let cases = [
        (Sdk::Python, "grpc", Transport::Grpc),
        (Sdk::Python, "http", Transport::HttpProtobuf),
        (Sdk::Node, "grpc", Transport::Grpc),
        (Sdk::Node, "http", Transport::HttpProtobuf),
        (Sdk::Node, "json", Transport::HttpJson),
    ];
    for (sdk, protocol, transport) in cases {
        let backend = OtlpBackend::start();
        let path = if transport == Transport::Grpc { "" } else { "/v1/traces" };
        let endpoint = format!("http://127.0.0.1:{}{path}", backend.port());
        let account = sdk.send(protocol, &endpoint);
        let requests = backend.accepted();
        assert!(
            requests.iter().all(|request| request.transport == transport),
            "{sdk:?} {protocol}"
        );
        let arrived: BTreeMap<String, String> = requests
            .iter()
            .flat_map(|request| spans::of(request.traces()))
            .map(|span| (hex(&span.span_id), span.name.clone()))
            .collect();
        let sent: BTreeMap<String, String> =
            account.spans.iter().map(|span| (span.span_id.clone(), span.name.clone())).collect();
        assert_eq!(sent.len(), 6);
        assert_eq!(arrived, sent, "{sdk:?} over {protocol}");
    }
}

#[test]
fn a_trace_can_be_read_back_from_zipkin() {
    let server = ZipkinServer::shared();
    let account = Sdk::Node.send("zipkin", &tests::zipkin::endpoint(server.port()));
    let stored = server.trace(&account.spans[0].trace_id, account.spans.len());
    assert_eq!(stored.len(), account.spans.len());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
