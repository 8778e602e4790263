use ::config::{Compression, CompressionLevel};
use confmap::{Diagnostics, Providers, ResolveOptions};

use super::*;
use crate::testing::{KEY, read as read_all};

/// The settings with a key and these lines.
fn read(more: &str) -> (Config, String) {
    read_all(&format!("api: {{key: {KEY}}}\n{more}"))
}

fn report(more: &str) -> String {
    read(more).1
}

#[test]
fn dump_payloads_is_warned_about_as_a_setting_of_old() {
    let report = report("logs: {dump_payloads: true}");
    assert!(report.contains("logs::dump_payloads: is accepted and has no effect"), "{report}");
    assert!(!report.contains("error"), "{report}");
}

#[test]
fn defaults_are_the_collectors() {
    let (config, report) = read("");
    assert_eq!(report, "");
    assert_eq!(config.api.key.expose(), KEY);
    assert!(!config.api.fail_on_invalid_key && !config.only_metadata);
    assert_eq!(config.hostname, None);
    assert_eq!(config.client.timeout, Some(Duration::from_secs(15)));
    assert_eq!(config.helper.timeout, Timeout(Some(Duration::from_secs(15))));
    assert!(!config.client.force_attempt_http2);
    assert!(config.helper.queue.is_some() && config.helper.retry.is_some());
    let Traces { endpoint, ignore_resources, span_name_remappings, peer_tags, .. } = &config.traces;
    assert_eq!(endpoint.as_ref().unwrap(), "https://trace.agent.datadoghq.com/");
    assert!(ignore_resources.is_empty() && span_name_remappings.is_empty() && peer_tags.is_empty());
    assert!(config.traces.compute_stats_by_span_kind && config.traces.peer_tags_aggregation);
    assert!(!config.traces.compute_top_level_by_span_kind);
    assert!(!config.traces.span_name_as_resource_name);
    assert_eq!(config.traces.compute_stats, ComputeStats::Auto);
    let Metrics { endpoint, delta_ttl, histograms, sums, summaries, .. } = &config.metrics;
    assert_eq!(endpoint.as_ref().unwrap(), "https://api.datadoghq.com/");
    assert_eq!(delta_ttl.as_secs(), 3600);
    assert_eq!(histograms.mode, HistogramMode::Distributions);
    assert!(!histograms.send_aggregation_metrics);
    assert_eq!(sums.cumulative_monotonic_mode, CumulativeMonotonicMode::ToDelta);
    assert_eq!(sums.initial_cumulative_monotonic_value, InitialValue::Auto);
    assert_eq!(*summaries, SummaryMode::Gauges);
    assert!(!config.metrics.resource_attributes_as_tags);
    assert!(config.metrics.instrumentation_scope_metadata_as_tags);
    let Logs { endpoint, compression, compression_level, batch_wait } = &config.logs;
    assert_eq!(endpoint.as_ref().unwrap(), "https://http-intake.logs.datadoghq.com/");
    assert_eq!((*compression, *compression_level), (Compression::Zstd, CompressionLevel::Measured));
    assert_eq!(*batch_wait, Some(Duration::from_secs(5)));
    let HostMetadata { enabled, hostname_source, tags, reporter_period } = &config.host_metadata;
    assert_eq!((*enabled, *hostname_source), (true, HostnameSource::ConfigOrSystem));
    assert_eq!((tags.len(), reporter_period.as_secs()), (0, 1800));
}

#[test]
fn every_setting_is_read() {
    let (config, report) = read(
        "hostname: web-1
timeout: 7s
proxy_url: http://proxy:3128
tls: {insecure_skip_verify: true}
sending_queue: {queue_size: 5}
retry_on_failure: {enabled: false}
traces:
  ignore_resources: [\"(GET|POST) /healthcheck\"]
  span_name_remappings: {\"io.opentelemetry.javaagent.spring.client\": spring.client}
  span_name_as_resource_name: true
  compute_stats_by_span_kind: false
  compute_top_level_by_span_kind: true
  peer_tags_aggregation: false
  peer_tags: [tag]
  compute_stats: never
metrics:
  delta_ttl: 60
  resource_attributes_as_tags: true
  instrumentation_scope_metadata_as_tags: false
  histograms: {mode: nobuckets, send_aggregation_metrics: true}
  sums: {cumulative_monotonic_mode: raw_value}
  summaries: {mode: noquantiles}
logs: {compression_level: 9, batch_wait: 2}
host_metadata: {tags: [\"env:prod\"], reporter_period: 5m}
",
    );
    assert_eq!(report, "");
    assert_eq!(config.hostname.as_deref(), Some("web-1"));
    assert_eq!(config.helper.timeout, Timeout(Some(Duration::from_secs(7))));
    assert_eq!(config.helper.queue.unwrap().queue_size, 5);
    assert!(config.helper.retry.is_none() && config.client.tls.insecure_skip_verify);
    assert!(config.traces.ignore_resources[0].is_match("POST /healthcheck"));
    let remapped = &config.traces.span_name_remappings["io.opentelemetry.javaagent.spring.client"];
    assert_eq!(remapped, "spring.client");
    assert!(config.traces.span_name_as_resource_name);
    assert!(!config.traces.compute_stats_by_span_kind && !config.traces.peer_tags_aggregation);
    assert!(config.traces.compute_top_level_by_span_kind);
    assert_eq!(config.traces.peer_tags, ["tag"]);
    assert_eq!(config.traces.compute_stats, ComputeStats::Never);
    assert_eq!(config.metrics.delta_ttl.as_secs(), 60);
    assert!(config.metrics.resource_attributes_as_tags);
    assert!(!config.metrics.instrumentation_scope_metadata_as_tags);
    let nobuckets =
        metrics::Histograms { mode: HistogramMode::NoBuckets, send_aggregation_metrics: true };
    assert_eq!(config.metrics.histograms, nobuckets);
    let raw = CumulativeMonotonicMode::RawValue;
    assert_eq!(config.metrics.sums.cumulative_monotonic_mode, raw);
    assert_eq!(config.metrics.summaries, SummaryMode::NoQuantiles);
    assert_eq!(config.logs.compression, Compression::Gzip);
    assert_eq!(config.logs.compression_level, CompressionLevel::Set(9));
    assert_eq!(config.logs.batch_wait, Some(Duration::from_secs(2)));
    assert_eq!(config.host_metadata.tags, ["env:prod"]);
    assert_eq!(config.host_metadata.reporter_period.as_secs(), 300);
}

#[test]
fn key_is_needed_is_trimmed_and_is_never_shown() {
    for yaml in ["{}", "api: {}", "api: {key: ''}", "api: {key: '  '}", "api: {key: null}"] {
        let (_, report) = read_all(yaml);
        assert!(report.contains("api.key is not set"), "{yaml}: {report}");
    }
    let (config, report) = read_all(&format!("api: {{key: \" {KEY}\\n\"}}"));
    assert_eq!((config.api.key.expose(), report.as_str()), (KEY, ""));
    let (_, report) = read_all("api: {key: not-hexadecimal}");
    assert!(report.starts_with("warning") && report.contains("0-9 and a-f"), "{report}");
    assert!(!report.contains("not-hexadecimal"), "{report}");
    let (_, report) = read_all("api: {key: \"ab\\u0007cd\"}");
    assert!(report.starts_with("error") && report.contains("header"), "{report}");
}

#[test]
fn site_that_is_a_page_or_a_host_is_refused_with_the_site_that_is_meant() {
    for (site, meant) in [
        ("app.datadoghq.com", "datadoghq.com"),
        ("https://app.datadoghq.eu", "datadoghq.eu"),
        ("https://us5.datadoghq.com/", "us5.datadoghq.com"),
        ("http://datadoghq.com", "datadoghq.com"),
        ("datadoghq.com/", "datadoghq.com"),
        ("datadoghq.com:443", "datadoghq.com"),
        ("api.ap1.datadoghq.com", "ap1.datadoghq.com"),
        ("trace.agent.ddog-gov.com", "ddog-gov.com"),
        ("http-intake.logs.us3.datadoghq.com", "us3.datadoghq.com"),
        (" datadoghq.eu", "datadoghq.eu"),
        ("https://user:canary@datadoghq.eu", "datadoghq.eu"),
    ] {
        let (_, report) = read_all(&format!("api: {{key: {KEY}, site: \"{site}\"}}"));
        assert!(report.starts_with("error"), "{site}: {report}");
        assert!(report.contains(&format!("write {meant}; ")), "{site}: {report}");
        assert_eq!(report.matches("error:").count(), 1, "{site}: {report}");
        assert!(!report.contains("canary"), "{report}");
    }
    for site in ["datadoghq.com", "us2.ddog-gov.com", "DATADOGHQ.eu"] {
        let (_, report) = read_all(&format!("api: {{key: {KEY}, site: {site}}}"));
        assert_eq!(report, "");
    }
    let (_, report) = read_all(&format!("api: {{key: {KEY}, site: \"data dog\"}}"));
    assert!(report.contains("is not a site"), "{report}");
}

/// Endpoints of every signal.
const ENDPOINTS: &str = "traces: {endpoint: \"http://a\"}
metrics: {endpoint: \"http://a\"}
logs: {endpoint: \"http://a\"}";

#[test]
fn site_that_is_not_known_is_pointed_out_where_a_url_follows_from_it() {
    for (site, meant) in [
        ("datadog.eu", Some("datadoghq.eu")),
        ("datadogq.com", Some("datadoghq.com")),
        ("eu", Some("datadoghq.eu")),
        ("US1", Some("datadoghq.com")),
        ("us5", Some("us5.datadoghq.com")),
        ("eu1.datadoghq.com", Some("datadoghq.eu")),
        ("us1-fed", Some("ddog-gov.com")),
        ("intake.corp.example", None),
    ] {
        let api = format!("api: {{key: {KEY}, site: {site}}}");
        let (_, report) = read_all(&api);
        assert!(report.starts_with("warning: exporters::datadog::api::site: "), "{report}");
        let asked = meant.map(|meant| format!("did you mean {meant:?}?"));
        assert_eq!(report.contains("did you mean"), asked.is_some(), "{site}: {report}");
        assert!(report.contains(&asked.unwrap_or_default()), "{site}: {report}");
        assert_eq!(report.matches("warning:").count(), 1, "{site}: {report}");
        assert_eq!(read_all(&format!("{api}\n{ENDPOINTS}")).1, "");
    }
}

#[test]
fn site_may_be_empty_where_every_endpoint_is_set() {
    let api = format!("api: {{key: {KEY}, site: ''}}");
    let (_, report) = read_all(&api);
    assert!(report.starts_with("error: exporters::datadog::api::site: is empty"), "{report}");
    assert_eq!(report.matches("error:").count(), 1, "{report}");
    assert!(report.contains("leave it out for datadoghq.com; "), "{report}");
    assert_eq!(read_all(&format!("{api}\n{ENDPOINTS}")).1, "");
}

#[tokio::test]
async fn site_from_a_variable_that_is_not_set_is_one_error_that_says_what_to_write() {
    let yaml = format!("yaml:api: {{key: {KEY}, site: \"${{env:DD_SITE}}\"}}");
    let providers = Providers::local(|_| None);
    let resolved = confmap::resolve(&[yaml], &[], &providers, ResolveOptions::default()).await;
    let root = resolved.unwrap().root;
    let diagnostics = Diagnostics::new();
    Config::read(Section::new(Some(&root), "exporters::datadog", &diagnostics));
    let report = diagnostics.to_string();
    assert!(report.starts_with("error: exporters::datadog::api::site: is empty"), "{report}");
    assert_eq!(report.matches("error:").count(), 1, "{report}");
    assert!(report.contains("write ${env:DD_SITE:-datadoghq.com}; "), "{report}");
}

#[test]
fn endpoint_is_a_base_url() {
    for signal in ["traces", "metrics", "logs"] {
        for (endpoint, part) in [
            ("", "endpoint cannot be empty"),
            ("/", "endpoint cannot be empty"),
            ("ftp://a", "is not a URL of http or https"),
            ("http://", "is not a URL of http or https"),
            ("http://a/?q=1", "is not a URL of http or https"),
        ] {
            let report = report(&format!("{signal}: {{endpoint: \"{endpoint}\"}}"));
            assert!(report.starts_with("error") && report.contains(part), "{endpoint}: {report}");
        }
    }
}

#[test]
fn rules_of_the_collector_hold() {
    for (yaml, part) in [
        ("hostname: localhost", "it is a local hostname"),
        ("hostname: IP6-LOCALHOST", "it is a local hostname"),
        ("hostname: my_host", "not RFC1123 compliant"),
        ("hostname: -a.b", "not RFC1123 compliant"),
        ("hostname: a..b", "not RFC1123 compliant"),
        ("only_metadata: true", "only_metadata can't be enabled"),
        (
            "{only_metadata: true, host_metadata: {enabled: false, hostname_source: first_resource}}",
            "only_metadata can't be enabled",
        ),
        (
            "traces: {ignore_resources: ['a', '(']}",
            "'(' is not valid resource filter regular expression",
        ),
        (
            "traces: {span_name_remappings: {a: ''}}",
            "'' is not valid value for span name remapping",
        ),
        ("traces: {span_name_remappings: {'': a}}", "'' is not valid key for span name remapping"),
        ("traces: {trace_buffer: -1}", "trace buffer must be non-negative"),
        ("traces: {compute_stats: sometimes}", "none of the valid values"),
        ("metrics: {histograms: {mode: nobuckets}}", "will send no histogram metrics"),
        ("metrics: {histograms: {mode: buckets}}", "none of the valid values"),
        (
            "metrics: {sums: {cumulative_monotonic_mode: raw_value, initial_cumulative_monotonic_value: drop}}",
            "can only be configured when 'cumulative_monotonic_mode' is set to 'to_delta'",
        ),
        ("metrics: {delta_ttl: 0}", "positive number of seconds"),
        ("host_metadata: {reporter_period: 4m}", "must be 5 minutes or higher"),
        ("host_metadata: {hostname_source: guess}", "none of the valid values"),
        ("logs: {compression_level: 10}", "not a level of gzip"),
        ("orchestrator_explorer: {enabled: true}", "is not supported"),
    ] {
        let yaml = match yaml.strip_prefix('{') {
            Some(flow) => read_all(&format!("{{api: {{key: {KEY}}}, {flow}")).1,
            None => report(yaml),
        };
        assert!(yaml.starts_with("error") && yaml.contains(part), "{part}: {yaml}");
    }
    let long = vec!["a"; 129].join(".");
    assert!(report(&format!("hostname: {long}")).contains("maximum length of 255"));
    assert_eq!(report("hostname: Web-1.eu.example"), "");
}

#[test]
fn what_has_no_effect_is_said() {
    for (yaml, part) in [
        ("hostname_detection_timeout: 5s", "nothing is waited for"),
        ("traces: {trace_buffer: 10}", "sending_queue"),
        ("force_attempt_http2: true", "HTTP/1.1"),
        ("orchestrator_explorer: {endpoint: \"https://a\"}", "receiver that is not carried"),
        ("logs: {batch_wait: -1}", "0 to 10 seconds"),
        ("logs: {batch_wait: 11}", "0 to 10 seconds"),
        ("logs: {use_compression: false, compression_level: 3}", "use_compression is false"),
        ("sending_queue: {batch: {}}\nlogs: {batch_wait: 3}", "sending_queue"),
        ("sending_queue: {enabled: false}\nlogs: {batch_wait: 3}", "sending_queue"),
        ("host_metadata: {hostname_source: first_resource}", "first_resource is deprecated"),
    ] {
        let report = report(yaml);
        assert!(report.starts_with("warning") && report.contains(part), "{yaml}: {report}");
    }
}

#[test]
fn keys_of_a_client_that_the_collector_does_not_respect_are_refused() {
    for yaml in [
        "auth: {authenticator: oauth2client}",
        "endpoint: \"http://a\"",
        "compression: gzip",
        "headers: {a: b}",
        "http2_read_idle_timeout: 1s",
        "http2_ping_timeout: 1s",
    ] {
        let report = report(yaml);
        let key = yaml.split(':').next().unwrap();
        assert!(report.starts_with("error") && report.contains(key), "{yaml}: {report}");
        assert!(report.contains("is not respected by the Datadog exporter"), "{yaml}: {report}");
    }
    assert_eq!(report("endpoint: ''\ncompression: ''\nheaders: {}"), "");
}

#[test]
fn old_names_are_read_with_a_warning_and_never_beside_the_new_ones() {
    let (config, report) = read(
        "traces: {peer_service_aggregation: false}
metrics: {histograms: {send_count_sum_metrics: true}}",
    );
    assert!(!config.traces.peer_tags_aggregation);
    assert!(config.metrics.histograms.send_aggregation_metrics);
    assert_eq!(report.matches("has been deprecated in favor of").count(), 2, "{report}");
    assert!(!report.contains("error"), "{report}");
    for yaml in [
        "traces: {peer_service_aggregation: true, peer_tags_aggregation: true}",
        "metrics: {histograms: {send_count_sum_metrics: true, send_aggregation_metrics: true}}",
    ] {
        let (_, report) = read(yaml);
        assert!(report.contains("can't be both set at the same time"), "{report}");
    }
}

#[test]
fn removed_keys_name_their_successors() {
    for (yaml, new) in [
        ("tags: [a]", "host_metadata::tags"),
        ("send_metadata: true", "host_metadata::enabled"),
        ("use_resource_metadata: true", "host_metadata::hostname_source"),
        ("metrics: {send_monotonic_counter: true}", "metrics::sums::cumulative_monotonic_mode"),
        ("metrics: {report_quantiles: true}", "metrics::summaries::mode"),
        (
            "metrics: {instrumentation_library_metadata_as_tags: true}",
            "metrics::instrumentation_scope_metadata_as_tags",
        ),
    ] {
        let report = report(yaml);
        assert!(report.contains(&format!("was removed in favor of \"{new}\"")), "{report}");
        assert!(report.contains("opentelemetry-collector-contrib/issues/"), "{report}");
    }
}

#[test]
fn keys_that_stand_at_the_top_are_told_where_they_belong() {
    for (yaml, place) in [
        ("api_key: canary", "api::key"),
        ("key: canary", "api::key"),
        ("site: datadoghq.eu", "api::site"),
        ("fail_on_invalid_key: true", "api::fail_on_invalid_key"),
        ("host: web-1", "hostname"),
    ] {
        let report = report(yaml);
        assert!(report.contains(&format!("it is \"{place}\"")), "{report}");
        assert!(!report.contains("canary") && !report.contains("invalid keys"), "{report}");
    }
    // Nor are they, or those that were removed, offered as valid ones.
    let report = report("hostnam: a");
    assert!(!report.contains("api_key") && !report.contains("send_metadata"), "{report}");
}

#[test]
fn mistyped_keys_are_refused_everywhere() {
    for yaml in [
        "hostnam: a",
        "traces: {ignore_resource: []}",
        "metrics: {delta_tll: 1}",
        "metrics: {histograms: {modes: counters}}",
        "metrics: {sums: {mode: to_delta}}",
        "metrics: {summaries: {modes: gauges}}",
        "logs: {use_compresion: true}",
        "host_metadata: {tag: []}",
        "orchestrator_explorer: {enable: true}",
    ] {
        let report = report(yaml);
        assert!(report.starts_with("error") && report.contains("invalid keys"), "{report}");
    }
}
