use std::time::Duration;

use confmap::{Diagnostics, Node, Section};

use super::HttpClient;
use crate::{Compression, CompressionLevel};

fn read(yaml: &str) -> (HttpClient, String) {
    let node = Node::from_yaml("file:c.yaml", yaml).expect("valid YAML");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "exporters::otlphttp", &diagnostics);
    let client = HttpClient::read(&mut section, HttpClient::default());
    section.finish();
    (client, diagnostics.to_string())
}

#[test]
fn nothing_written_is_the_defaults() {
    assert_eq!(read("{}"), (HttpClient::default(), String::new()));
}

#[test]
fn every_key_is_carried_out() {
    let (client, report) = read(
        "{endpoint: 'https://a', proxy_url: 'http://u:p@proxy:1', tls: {insecure_skip_verify: true}, \
         timeout: 1s, headers: {Host: b}, auth: {authenticator: sigv4auth}, compression: zstd, \
         compression_params: {level: 3}, max_idle_conns: 4, max_idle_conns_per_host: 3, \
         max_conns_per_host: 2, idle_conn_timeout: 5s, disable_keep_alives: true, \
         http2_read_idle_timeout: 6s, http2_ping_timeout: 7s, force_attempt_http2: false}",
    );
    assert_eq!(report, "");
    assert_eq!(client.proxy_url.expect("a proxy").expose(), "http://u:p@proxy:1");
    assert!(client.tls.insecure_skip_verify && client.disable_keep_alives);
    assert!(!client.force_attempt_http2);
    assert_eq!(client.headers.get("host").expect("a header").expose(), "b");
    assert_eq!(client.auth.expect("auth").authenticator, "sigv4auth");
    assert_eq!(client.compression, Compression::Zstd);
    assert_eq!(client.compression_level, CompressionLevel::Set(3));
    assert_eq!((client.max_idle_conns, client.max_conns_per_host), (3, Some(2)));
    let secs = |secs| Some(Duration::from_secs(secs));
    assert_eq!([client.timeout, client.idle_conn_timeout], [secs(1), secs(5)]);
    assert_eq!(client.http2_read_idle_timeout, secs(6));
    assert_eq!(client.http2_ping_timeout, Duration::from_secs(7));
}

#[test]
fn zero_means_no_limit() {
    let (client, report) = read("{timeout: 0s, idle_conn_timeout: 0s, max_conns_per_host: 0}");
    assert_eq!(report, "");
    assert_eq!((client.timeout, client.idle_conn_timeout), (None, None));
    assert_eq!(client.max_conns_per_host, None);
    assert_eq!(read("max_idle_conns: 0").0.max_idle_conns, super::MAX_IDLE_CONNS);
}

#[test]
fn what_is_not_carried_out_is_named() {
    let report = |yaml| read(yaml).1;
    assert!(report("cookies: {}").contains("no cookies are kept"));
    assert!(report("read_buffer_size: 1").contains("has no effect"));
    assert!(report("write_buffer_size: 1").contains("has no effect"));
    assert!(report("middlewares: [{id: x}]").contains("middlewares are not supported"));
    assert!(report("proxy_url: 'socks5://u:hunter2@p:1'").contains("SOCKS proxies are not"));
    assert!(!report("proxy_url: 'socks5://u:hunter2@p:1'").contains("hunter2"));
    assert!(report("proxy_url: 'proxy:1'").contains("must be a URL"));
    assert!(report("{endpoint: 'https://h', tls: {insecure: true}}").contains("not turn TLS off"));
    assert_eq!(report("{endpoint: 'http://h', tls: {insecure: true}}"), "");
}
