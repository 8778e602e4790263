//! Settings.

use std::time::Duration;

use confmap::Section;
use datadog::naming::Naming;
use datadog::settings::{read_ignored_resources, read_remappings};
use datadog::stats::{ConcentratorSettings, DriverSettings};

/// Length of a bucket, and how often statistics are handed on.
const BUCKET_INTERVAL: Duration = Duration::from_secs(10);

/// The shortest: any shorter, and the process would do nothing else.
const BUCKET_INTERVAL_MIN: Duration = Duration::from_millis(100);

/// The connector's settings; keys and defaults are those of open-telemetry/opentelemetry-collector-contrib `pkg/datadog/config/traces.go`
/// and `pkg/datadog/apmstats/factory.go`.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// How statistics are computed.
    pub(crate) stats: DriverSettings,
    /// How often they are handed on.
    pub(crate) interval: Duration,
}

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let read = read_traces(section.section("traces"));
        section.finish();
        read
    }
}

fn read_traces(mut section: Section<'_>) -> Config {
    let renamed = "upstream's connector does not heed it; the setting is peer_tags_aggregation";
    section.ignored("peer_service_aggregation", renamed);
    if section.get::<i64>("trace_buffer").is_some_and(|buffer| buffer < 0) {
        section.error("trace_buffer", "trace buffer must be non-negative");
    } else {
        section
            .ignored("trace_buffer", "spans are counted as they come, so none waits in a buffer");
    }
    if section.get("ignore_missing_datadog_fields").unwrap_or(false) {
        let message = "ignore_missing_datadog_fields is not yet supported in the connector";
        section.error("ignore_missing_datadog_fields", message);
    }
    let interval = match section.get::<Duration>("bucket_interval") {
        None | Some(Duration::ZERO) => BUCKET_INTERVAL,
        Some(interval) => interval,
    };
    if interval < BUCKET_INTERVAL_MIN {
        let help = "statistics are handed on so often; the intake expects 10s";
        section.error_with_help("bucket_interval", "must be at least 100ms", help);
    }
    let remappings = read_remappings(&mut section);
    let as_operation = section.get("span_name_as_resource_name").unwrap_or_default();
    let stats = DriverSettings {
        concentrator: ConcentratorSettings {
            bucket_interval: interval,
            by_span_kind: section.get("compute_stats_by_span_kind").unwrap_or(true),
            ..ConcentratorSettings::default()
        },
        naming: Naming::of(as_operation, remappings),
        top_level_by_kind: section.get("compute_top_level_by_span_kind").unwrap_or_default(),
        peer_tags: section.get("peer_tags_aggregation").unwrap_or(true),
        further_peer_tags: section.get("peer_tags").unwrap_or_default(),
        ignore_resources: read_ignored_resources(&mut section),
        container_tag_keys: section
            .get("resource_attributes_as_container_tags")
            .unwrap_or_default(),
        ..DriverSettings::default()
    };
    section.finish();
    Config { stats, interval }
}

#[cfg(test)]
mod tests;
