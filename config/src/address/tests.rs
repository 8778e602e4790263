use confmap::{Diagnostics, Node, Section};

use super::{AddressError, ListenAddress, Transport, split_host_port};

#[test]
fn host_and_port_are_split_as_go_splits_them() {
    assert_eq!(split_host_port("localhost:4317"), Ok(("localhost", 4317)));
    assert_eq!(split_host_port(":0"), Ok(("", 0)));
    assert_eq!(split_host_port("[::1]:9411"), Ok(("::1", 9411)));
    assert_eq!(split_host_port("[fe80::1%eth0]:1"), Ok(("fe80::1%eth0", 1)));
    let error = |text| split_host_port(text).expect_err(text);
    assert_eq!(error("localhost"), AddressError::MissingPort("localhost".into()));
    assert_eq!(error("[::1]"), AddressError::MissingPort("[::1]".into()));
    assert_eq!(error("::1:4317"), AddressError::TooManyColons("::1:4317".into()));
    assert_eq!(error("[::1:4317"), AddressError::Brackets("[::1:4317".into()));
    assert_eq!(error("a:65536"), AddressError::Port("65536".into()));
    assert_eq!(error("a:+1"), AddressError::Port("+1".into()));
    assert_eq!(error("a:"), AddressError::Port(String::new()));
    assert_eq!(error("http://a:1"), AddressError::Scheme("http://a:1".into()));
}

fn read(yaml: &str) -> (ListenAddress, String) {
    let node = Node::from_yaml("file:c.yaml", yaml).expect("valid YAML");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "receivers::otlp", &diagnostics);
    let address = ListenAddress::read(&mut section, ListenAddress::tcp("localhost:4317"));
    section.finish();
    (address, diagnostics.to_string())
}

#[test]
fn family_of_the_transport_decides_what_an_open_host_binds() {
    assert_eq!(read("{}").0.bind_address(), "localhost:4317");
    assert_eq!(read("{transport: tcp4, endpoint: ':1'}").0.bind_address(), "0.0.0.0:1");
    assert_eq!(read("{transport: tcp6, endpoint: 'localhost:1'}").0.bind_address(), "[::1]:1");
    assert_eq!(read("{transport: tcp6, endpoint: ':1'}").0.bind_address(), "[::]:1");
}

#[test]
fn socket_file_has_a_path_and_no_port() {
    let (address, report) = read("{transport: unix, endpoint: /run/otlp.sock}");
    assert_eq!(report, "");
    assert_eq!(address.transport, Transport::Unix);
    assert_eq!(address.unix_path().expect("a path"), std::path::Path::new("/run/otlp.sock"));
}

#[test]
fn what_cannot_be_listened_at_is_refused_by_name() {
    assert!(read("{transport: udp}").1.contains("\"udp\" is not supported"));
    assert!(read("{transport: tpc}").1.contains("unsupported transport type \"tpc\""));
    assert!(read("{endpoint: 'http://localhost:1'}").1.contains("without a scheme"));
    assert!(read("{endpoint: ''}").1.contains("requires a non-empty"));
    assert!(read("{transport: unix, endpoint: ''}").1.contains("unix socket path cannot be empty"));
    assert!(read("{dialer: {timeout: 1s}}").1.contains("has no effect"));
}
