use std::time::Duration;

use confmap::{Diagnostics, Node, Section};

use super::{Balancer, ClientKeepalive, GrpcClient, GrpcTarget};
use crate::Compression;

fn read(yaml: &str) -> (GrpcClient, String) {
    let node = Node::from_yaml("file:c.yaml", yaml).expect("valid YAML");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "exporters::otlp", &diagnostics);
    let client = GrpcClient::read(&mut section, GrpcClient::default());
    section.finish();
    (client, diagnostics.to_string())
}

fn target(endpoint: &str) -> Result<GrpcTarget, String> {
    GrpcClient { endpoint: endpoint.into(), ..GrpcClient::default() }.target()
}

#[test]
fn nothing_written_is_the_defaults() {
    assert_eq!(read("{}"), (GrpcClient::default(), String::new()));
}

#[test]
fn every_key_is_carried_out() {
    let (client, report) = read(
        "{endpoint: 'a:1', compression: zstd, tls: {insecure: true}, wait_for_ready: true, \
         keepalive: {time: 20s, timeout: 3s, permit_without_stream: true}, headers: {k: v}, \
         user_agent: me, balancer_name: pick_first, authority: b, auth: {authenticator: sigv4auth}}",
    );
    assert_eq!(report, "");
    assert_eq!(client.compression, Compression::Zstd);
    let keepalive = ClientKeepalive {
        time: Duration::from_secs(20),
        timeout: Duration::from_secs(3),
        permit_without_stream: true,
    };
    assert_eq!(client.keepalive, Some(keepalive));
    assert!(client.wait_for_ready && !client.uses_tls() && client.auth.is_some());
    assert_eq!(client.user_agent.as_deref(), Some("me"));
    assert_eq!(client.authority.as_deref(), Some("b"));
    assert_eq!(client.balancer, Balancer::PickFirst);
    assert!(client.headers.get("k").is_some());
}

#[test]
fn endpoint_is_understood_in_every_form_upstream_takes() {
    let tcp = |host: &str, port| Ok(GrpcTarget::Tcp { host: host.into(), port });
    assert_eq!(target("a:1"), tcp("a", 1));
    assert_eq!(target("http://a:1"), tcp("a", 1));
    assert_eq!(target("https://[::1]:1/"), tcp("::1", 1));
    assert_eq!(target("dns:///a:1"), tcp("a", 1));
    assert_eq!(target("passthrough:///a:1"), tcp("a", 1));
    assert_eq!(target("unix:///run/a.sock"), Ok(GrpcTarget::Unix("/run/a.sock".into())));
}

#[test]
fn endpoint_that_means_nothing_is_refused() {
    let error = |endpoint| target(endpoint).expect_err(endpoint);
    assert_eq!(error("unix://"), "unix socket path cannot be empty");
    assert_eq!(error("a"), "address a: missing port in address");
    assert_eq!(error("a:x"), "invalid port \"x\"");
    assert!(error("http://a:1/v1/traces").contains("has a path (\"/v1/traces\")"));
    assert!(error("xds:///a").contains("scheme \"xds\" is not supported"));
    assert!(error("dns://8.8.8.8/a:1").contains("DNS server of its own"));
    assert!(error("dns://a:1").contains("dns:///host:port"));
}

#[test]
fn user_and_password_are_refused_by_name_and_not_shown() {
    for endpoint in ["https://u:canary@a:1", "u:canary@a:1", "dns:///u@a:1", "http://u:ca/nary@a:1"]
    {
        let (_, report) = read(&format!("endpoint: {endpoint}"));
        assert!(
            report.contains("has a user before the host, which gRPC does not send"),
            "{report}"
        );
        assert!(!report.contains("canary") && !report.contains("nary@"), "{report}");
    }
    let (_, report) = read("{endpoint: 'a:1', authority: 'u:canary@b'}");
    assert!(report.contains("authority: must be a host") && !report.contains("canary"), "{report}");
}

#[test]
fn scheme_https_turns_tls_on_and_http_does_not_turn_it_off() {
    assert!(read("{endpoint: 'https://a:1', tls: {insecure: true}}").0.uses_tls());
    let (client, report) = read("endpoint: http://a:1");
    assert!(client.uses_tls() && report.contains("http:// does not turn TLS off"), "{report}");
    assert_eq!(read("{endpoint: 'http://a:1', tls: {insecure: true}}").1, "");
    let (client, report) = read("{endpoint: 'https://a:1', tls: {insecure: true}}");
    assert!(client.uses_tls() && report.contains("https:// keeps TLS on"), "{report}");
}

#[test]
fn what_is_not_carried_out_is_named() {
    let report = |yaml| read(yaml).1;
    assert!(report("compression: lz4").contains("unsupported compression type \"lz4\""));
    for codec in ["lz4", "gzp"] {
        let report = read(&format!("compression: {codec}")).1;
        assert!(report.contains("valid values: gzip, snappy, zstd, none"), "{report}");
    }
    assert!(report("balancer_name: grpclb").contains("invalid balancer_name: grpclb"));
    assert!(report("write_buffer_size: 524288").contains("has no effect"));
    assert!(report("middlewares: [{id: x}]").contains("middlewares are not supported"));
}
