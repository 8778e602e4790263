use std::time::Duration;

use confmap::{Diagnostics, Node, Section};

use super::{GrpcServer, ServerKeepalive};
use crate::ListenAddress;

fn read(yaml: &str) -> (GrpcServer, String) {
    let node = Node::from_yaml("file:c.yaml", yaml).expect("valid YAML");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "receivers::otlp::protocols::grpc", &diagnostics);
    let server = GrpcServer::read(&mut section, defaults());
    section.finish();
    (server, diagnostics.to_string())
}

fn defaults() -> GrpcServer {
    GrpcServer { address: ListenAddress::tcp("localhost:4317"), ..GrpcServer::default() }
}

#[test]
fn nothing_written_is_the_defaults() {
    assert_eq!(read("{}"), (defaults(), String::new()));
}

#[test]
fn every_key_is_carried_out() {
    let (server, report) = read(
        "{endpoint: ':1', tls: {cert_file: c, key_file: k}, max_recv_msg_size_mib: 16, \
         max_concurrent_streams: 9, auth: {authenticator: basicauth}, include_metadata: true, \
         keepalive: {server_parameters: {max_connection_idle: 1s, max_connection_age: 2s, \
         max_connection_age_grace: 3s, time: 4s, timeout: 5s}}}",
    );
    assert_eq!(report, "");
    assert!(server.tls.is_some() && server.auth.is_some() && server.include_metadata);
    assert_eq!(server.max_message_bytes, 16 * 1024 * 1024);
    assert_eq!(server.max_concurrent_streams, Some(9));
    let secs = Duration::from_secs;
    let keepalive = ServerKeepalive {
        max_connection_idle: Some(secs(1)),
        max_connection_age: Some(secs(2)),
        max_connection_age_grace: Some(secs(3)),
        time: secs(4),
        timeout: secs(5),
    };
    assert_eq!(server.keepalive, keepalive);
}

#[test]
fn zero_is_the_default_of_grpc() {
    let (server, report) = read(
        "{max_recv_msg_size_mib: 0, max_concurrent_streams: 0, keepalive: {server_parameters: {time: 0s}}}",
    );
    assert_eq!((server, report), (defaults(), String::new()));
}

#[test]
fn what_is_not_carried_out_is_named() {
    let report = |yaml| read(yaml).1;
    assert!(report("max_recv_msg_size_mib: -1").contains("must be between 1 and"));
    assert!(report("read_buffer_size: -1").contains("invalid read_buffer_size value: -1"));
    assert!(report("read_buffer_size: 524288").contains("has no effect"));
    let policy =
        report("keepalive: {enforcement_policy: {min_time: 1s, permit_without_stream: true}}");
    assert!(policy.contains("min_time") && policy.contains("permit_without_stream"), "{policy}");
    assert!(report("middlewares: [{id: x}]").contains("middlewares are not supported"));
    assert!(report("keepalive: {server_parameters: {max_age: 1s}}").contains("invalid keys"));
}
