use confmap::Diagnostics;

use super::*;

fn read(yaml: &str) -> (Config, String) {
    let node = Node::from_yaml("test.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let config = Config::read(Section::new(Some(&node), "exporters::otlphttp", &diagnostics));
    (config, diagnostics.to_string())
}

fn url(config: &Config, signal: Signal) -> String {
    config.url(signal).map(ToString::to_string).unwrap_or_default()
}

#[test]
fn base_gets_a_path_for_each_signal_and_a_signals_own_url_wins() {
    let (config, report) = read("{endpoint: 'http://h:4318/', logs_endpoint: 'https://x/y'}");
    assert_eq!(report, "");
    assert_eq!(url(&config, Signal::Traces), "http://h:4318/v1/traces");
    assert_eq!(url(&config, Signal::Metrics), "http://h:4318/v1/metrics");
    assert_eq!(url(&config, Signal::Logs), "https://x/y");
}

#[test]
fn defaults_are_the_collectors() {
    let (config, _) = read("{endpoint: 'http://h:4318'}");
    assert_eq!(config.client.compression, Compression::Gzip);
    assert_eq!(config.helper.timeout, Timeout(Some(Duration::from_secs(30))));
    assert_eq!(config.encoding, Encoding::Proto);
    assert!(config.helper.retry.is_some() && config.helper.queue.is_some());
}

#[test]
fn endpoint_is_required_and_has_to_be_a_url() {
    assert!(read("{}").1.contains("at least one endpoint must be specified"));
    for endpoint in ["localhost:4318", "grpc://h:1", "http://", "http://user:can/ary@h"] {
        let (_, report) = read(&format!("{{endpoint: '{endpoint}'}}"));
        assert_eq!(report.matches("is not a URL of http or https").count(), 1, "{report}");
        assert!(!report.contains("ary@"), "{report}");
    }
}

#[test]
fn path_given_twice_is_pointed_out() {
    let (_, report) = read("{endpoint: 'http://h:4318/v1/traces'}");
    assert!(report.contains("use traces_endpoint for a whole URL"), "{report}");
}

#[test]
fn what_is_not_carried_out_is_named() {
    let (_, report) = read("{endpoint: 'http://h', profiles_endpoint: 'http://p'}");
    assert!(report.contains("profiles are not carried"), "{report}");
    let (_, report) = read("{endpoint: 'http://h', encoding: thrift}");
    assert!(report.contains("invalid encoding type: thrift"), "{report}");
    let (_, report) = read("{endpoint: 'http://h', endpiont: x}");
    assert!(report.contains("endpiont"), "{report}");
}
