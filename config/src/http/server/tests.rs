use std::time::Duration;

use confmap::{Diagnostics, Node, Section};

use super::{Cors, DEFAULT_MAX_BODY_BYTES, HttpServer};
use crate::{Compression, ListenAddress};

fn read(yaml: &str) -> (HttpServer, String) {
    let node = Node::from_yaml("file:c.yaml", yaml).expect("valid YAML");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "receivers::otlp::protocols::http", &diagnostics);
    let address = ListenAddress::tcp("localhost:4318");
    let server = HttpServer::read(&mut section, HttpServer { address, ..HttpServer::default() });
    section.finish();
    (server, diagnostics.to_string())
}

#[test]
fn nothing_written_is_the_defaults() {
    let (server, report) = read("{}");
    let address = ListenAddress::tcp("localhost:4318");
    assert_eq!((server, report.as_str()), (HttpServer { address, ..HttpServer::default() }, ""));
}

#[test]
fn every_key_is_carried_out() {
    let (server, report) = read(
        "{endpoint: '0.0.0.0:1', transport: tcp4, tls: {cert_file: c, key_file: k}, \
         cors: {allowed_origins: ['https://*.a'], allowed_headers: [x], exposed_headers: [y], max_age: 7}, \
         auth: {authenticator: basicauth, request_params: [token]}, max_request_body_size: 5, \
         include_metadata: true, response_headers: {a: b}, compression_algorithms: ['', zstd], \
         read_timeout: 1s, read_header_timeout: 2s, write_timeout: 3s, idle_timeout: 4s, \
         keep_alives_enabled: false, middlewares: []}",
    );
    assert_eq!(report, "");
    assert!(server.tls.is_some() && server.include_metadata && !server.keep_alives_enabled);
    let cors = Cors {
        allowed_origins: vec!["https://*.a".into()],
        allowed_headers: vec!["x".into()],
        exposed_headers: vec!["y".into()],
        max_age_secs: 7,
    };
    assert_eq!(server.cors, Some(cors));
    let auth = server.auth.expect("auth");
    assert_eq!((auth.authenticator.as_str(), auth.request_params.len()), ("basicauth", 1));
    assert_eq!(server.max_body_bytes, 5);
    assert_eq!(server.compression_algorithms, [Compression::None, Compression::Zstd]);
    let secs = |secs| Some(Duration::from_secs(secs));
    assert_eq!(
        [
            server.read_timeout,
            server.read_header_timeout,
            server.write_timeout,
            server.idle_timeout
        ],
        [secs(1), secs(2), secs(3), secs(4)]
    );
}

#[test]
fn zero_means_no_limit_of_time_and_the_default_of_size() {
    let (server, _) = read(
        "{max_request_body_size: 0, read_header_timeout: 0s, idle_timeout: 0s, read_timeout: 9s}",
    );
    assert_eq!(server.max_body_bytes, DEFAULT_MAX_BODY_BYTES);
    assert_eq!(read("max_request_body_size: -1").0.max_body_bytes, DEFAULT_MAX_BODY_BYTES);
    assert_eq!(server.header_timeout(), Some(Duration::from_secs(9)), "as Go's server");
    assert_eq!(server.idle_limit(), Some(Duration::from_secs(9)));
}

#[test]
fn what_is_not_carried_out_is_named() {
    let report = |yaml| read(yaml).1;
    assert!(report("cors: {allowed_headers: [a]}").contains("but no allowed origins"));
    assert!(report("middlewares: [{id: x}]").contains("middlewares are not supported"));
    assert!(report("compression_algorithms: [br]").contains("unsupported compression type \"br\""));
    assert!(report("read_timout: 1s").contains("did you mean \"read_timeout\"?"));
    assert!(report("auth: {}").contains("authenticator"));
}
