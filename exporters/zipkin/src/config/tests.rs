use confmap::Diagnostics;

use super::*;

fn read(yaml: &str) -> (Config, String) {
    let node = Node::from_yaml("file:test.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let config = Config::read(Section::new(Some(&node), "exporters::zipkin", &diagnostics));
    (config, diagnostics.to_string())
}

#[test]
fn defaults_are_the_collectors() {
    let (config, report) = read("endpoint: http://zipkin:9411/api/v2/spans");
    assert_eq!(report, "");
    assert_eq!(config.url.unwrap(), "http://zipkin:9411/api/v2/spans");
    assert_eq!(config.format, Format::Json);
    assert_eq!(config.default_service_name, "OTLPResourceNoServiceName");
    assert_eq!(config.client.timeout, Some(Duration::from_secs(5)));
    assert_eq!(config.helper.timeout, Timeout(Some(Duration::from_secs(5))));
    assert_eq!(config.client.compression, ::config::Compression::None);
    assert!(config.helper.queue.is_some() && config.helper.retry.is_some());
}

#[test]
fn every_key_of_the_collector_is_known() {
    let (config, report) = read(
        "endpoint: https://zipkin.example/api/v2/spans
format: proto
default_service_name: shop
timeout: 7s
compression: gzip
headers: {x-tenant: blue}
tls: {insecure_skip_verify: true}
max_idle_conns: 5
sending_queue: {queue_size: 5}
retry_on_failure: {enabled: false}
",
    );
    assert_eq!(report, "");
    assert_eq!((config.format, config.default_service_name.as_str()), (Format::Proto, "shop"));
    assert_eq!(config.helper.timeout, Timeout(Some(Duration::from_secs(7))));
    assert_eq!(config.helper.queue.unwrap().queue_size, 5);
    assert!(config.helper.retry.is_none());
}

#[test]
fn endpoint_has_to_be_a_whole_url() {
    for (yaml, part) in [
        ("{}", "requires a non-empty 'endpoint'"),
        ("endpoint: ''", "requires a non-empty 'endpoint'"),
        ("endpoint: zipkin:9411", "is not a URL of http or https"),
        ("endpoint: ftp://zipkin/api/v2/spans", "is not a URL of http or https"),
        ("endpoint: /api/v2/spans", "is not a URL of http or https"),
    ] {
        let (config, report) = read(yaml);
        assert!(report.starts_with("error") && report.contains(part), "{yaml}: {report}");
        assert_eq!(config.url, None, "{yaml}");
    }
    for (yaml, part) in [
        ("endpoint: http://zipkin:9411", "has no path"),
        ("endpoint: http://zipkin:9411/", "has no path"),
        ("endpoint: http://zipkin:9411/api/v1/spans", "Zipkin v1"),
    ] {
        let (config, report) = read(yaml);
        assert!(report.starts_with("warning") && report.contains(part), "{yaml}: {report}");
        assert!(config.url.is_some());
    }
}

#[test]
fn wrong_format_and_unknown_key_are_refused_by_name() {
    let (_, report) = read("{endpoint: \"http://a/b\", format: thrift, fromat: json}");
    assert!(report.contains("thrift is not one of json or proto"), "{report}");
    assert!(report.contains("fromat") && report.contains("format"), "{report}");
}
