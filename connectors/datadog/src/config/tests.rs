use std::collections::BTreeMap;

use confmap::{Diagnostics, Node, Path};

use super::*;

/// The settings read, and what was said about them.
fn read(yaml: &str) -> (Config, String) {
    let (node, diagnostics) = (Node::from_yaml("test", yaml).unwrap(), Diagnostics::new());
    let path = Path::from("connectors").key("datadog");
    let config = Config::read(Section::new(Some(&node), path, &diagnostics));
    (config, diagnostics.to_string())
}

#[test]
fn defaults_are_those_of_the_collector() {
    for yaml in ["", "traces:", "traces: {}", "traces: {bucket_interval: 0}"] {
        let (config, said) = read(yaml);
        assert_eq!(said, "", "{yaml}");
        let stats = config.stats;
        assert_eq!(config.interval, Duration::from_secs(10));
        assert_eq!(stats.concentrator, ConcentratorSettings::default());
        assert_eq!(stats.naming, Naming::Conventions);
        assert!(stats.concentrator.by_span_kind && stats.peer_tags && !stats.top_level_by_kind);
        assert!(stats.ignore_resources.is_empty() && stats.container_tag_keys.is_empty());
        assert_eq!(stats.fallback_host, "");
    }
}

#[test]
fn every_setting_is_heeded() {
    let (config, said) = read(
        "traces:
  bucket_interval: 30s
  compute_stats_by_span_kind: false
  compute_top_level_by_span_kind: true
  peer_tags_aggregation: false
  peer_tags: [a, b]
  ignore_resources: ['^GET /health$']
  resource_attributes_as_container_tags: [cloud.region]
  span_name_remappings: {a.server: b}
  ignore_missing_datadog_fields: false
",
    );
    assert_eq!(said, "");
    let (stats, interval) = (config.stats, Duration::from_secs(30));
    assert_eq!((config.interval, stats.concentrator.bucket_interval), (interval, interval));
    assert!(!stats.concentrator.by_span_kind && !stats.peer_tags && stats.top_level_by_kind);
    assert_eq!(stats.further_peer_tags, ["a", "b"]);
    assert!(stats.ignore_resources[0].is_match("GET /health"));
    assert_eq!(stats.container_tag_keys, ["cloud.region"]);
    let remappings = BTreeMap::from([("a.server".to_owned(), "b".to_owned())]);
    assert_eq!(stats.naming, Naming::SpanNames { as_operation: false, remappings });
}

#[test]
fn what_the_collector_refuses_is_refused_with_its_words() {
    let cases = [
        ("ignore_resources: ['[123']", "'[123' is not valid resource filter regular expression"),
        ("span_name_remappings: {a: ''}", "'' is not valid value for span name remapping"),
        ("span_name_remappings: {'': a}", "'' is not valid key for span name remapping"),
        ("trace_buffer: -1", "trace buffer must be non-negative"),
        ("bucket_interval: -1s", "must not be negative"),
        (
            "ignore_missing_datadog_fields: true",
            "ignore_missing_datadog_fields is not yet supported in the connector",
        ),
    ];
    for (line, message) in cases {
        let (_, said) = read(&format!("traces: {{{line}}}"));
        assert!(said.contains(message), "{line}: {said}");
    }
}

#[test]
fn what_has_no_effect_is_said_by_name() {
    let (_, said) = read("traces: {trace_buffer: 10, peer_service_aggregation: true}");
    for key in ["trace_buffer", "peer_service_aggregation"] {
        assert!(said.contains(key), "{said}");
    }
    assert!(said.contains("has no effect"), "{said}");
}

#[test]
fn interval_that_would_keep_the_process_busy_is_refused() {
    let (_, said) = read("traces: {bucket_interval: 1ms}");
    assert!(said.contains("bucket_interval"), "{said}");
    assert_eq!(read("traces: {bucket_interval: 1s}").1, "");
}
