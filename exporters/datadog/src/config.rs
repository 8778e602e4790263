//! Settings.

use std::time::Duration;

use ::config::{HttpClient, Timeout};
use confmap::Section;
use exporter_helper::Settings;

mod api;
mod host;
mod logs;
mod metrics;
mod traces;

pub(crate) use api::Api;
pub(crate) use host::{HostMetadata, HostnameSource};
use logs::Batching;
pub(crate) use logs::Logs;
pub(crate) use metrics::{
    CumulativeMonotonicMode, HistogramMode, InitialValue, Metrics, SummaryMode,
};
pub(crate) use traces::{ComputeStats, Traces};

/// The exporter's settings; keys and defaults are those of open-telemetry/opentelemetry-collector-contrib `pkg/datadog/config`.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The key and the site.
    pub(crate) api: Api,
    /// The client. Its endpoint, headers, compression and authenticator are not used.
    pub(crate) client: HttpClient,
    /// Queue and retry.
    pub(crate) helper: Settings,
    /// The host of payloads that name none.
    pub(crate) hostname: Option<String>,
    /// Whether nothing but host metadata is sent.
    pub(crate) only_metadata: bool,
    /// Spans.
    pub(crate) traces: Traces,
    /// Metrics.
    pub(crate) metrics: Metrics,
    /// Log records.
    pub(crate) logs: Logs,
    /// Host metadata.
    pub(crate) host_metadata: HostMetadata,
}

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        for (old, new, issue) in REMOVED {
            refuse_removed(&mut section, old, new, *issue);
        }
        for (key, place) in MISPLACED {
            let help = format!("write it as {place}");
            section.stray(key, format!("is no key of the exporter, it is {place:?}"), help);
        }
        let client = read_client(&mut section);
        let helper = Settings::read(&mut section, Timeout(client.timeout));
        let hostname = host::read_hostname(&mut section);
        section.ignored(
            "hostname_detection_timeout",
            "the host's name comes from the setting hostname or the operating system, and nothing is waited for",
        );
        let only_metadata = section.get("only_metadata").unwrap_or_default();
        let api = Api::read(&mut section);
        read_orchestrator_explorer(section.section("orchestrator_explorer"));
        let mut traces = section.section("traces");
        let endpoint =
            api::read_endpoint(&mut traces, &format!("https://trace.agent.{}", api.site));
        let traces = Traces::read(traces, endpoint);
        let mut metrics = section.section("metrics");
        for (old, new, issue) in REMOVED_METRICS {
            refuse_removed(&mut metrics, old, new, *issue);
        }
        let endpoint = api::read_endpoint(&mut metrics, &format!("https://api.{}", api.site));
        let metrics = Metrics::read(metrics, endpoint);
        let mut logs = section.section("logs");
        logs.ignored(
            "dump_payloads",
            "no payload is printed, as upstream, which has removed the setting",
        );
        let endpoint =
            api::read_endpoint(&mut logs, &format!("https://http-intake.logs.{}", api.site));
        let is_batched_here = helper.queue.as_ref().is_some_and(|queue| queue.batch.is_none());
        let batching = if is_batched_here { Batching::Here } else { Batching::Queue };
        let logs = Logs::read(logs, endpoint, batching);
        let host_metadata = HostMetadata::read(section.section("host_metadata"), only_metadata);
        let is_of_first_resource = host_metadata.hostname_source == HostnameSource::FirstResource;
        if only_metadata && !(host_metadata.enabled && is_of_first_resource) {
            let message = "only_metadata can't be enabled when host_metadata::enabled = false or host_metadata::hostname_source != first_resource";
            section.error("only_metadata", message);
        }
        section.finish();
        Self { api, client, helper, hostname, only_metadata, traces, metrics, logs, host_metadata }
    }
}

/// Settings that upstream has removed: the old one, the new one, and the issue in open-telemetry/opentelemetry-collector-contrib.
const REMOVED: &[(&str, &str, u32)] = &[
    ("tags", "host_metadata::tags", 9099),
    ("send_metadata", "host_metadata::enabled", 9099),
    ("use_resource_metadata", "host_metadata::hostname_source", 9099),
];
const REMOVED_METRICS: &[(&str, &str, u32)] = &[
    ("send_monotonic_counter", "metrics::sums::cumulative_monotonic_mode", 8489),
    ("report_quantiles", "metrics::summaries::mode", 8845),
    (
        "instrumentation_library_metadata_as_tags",
        "metrics::instrumentation_scope_metadata_as_tags",
        11135,
    ),
];

/// Settings that people look for at the top, as in other agents' configurations: what is written, and where it belongs.
const MISPLACED: &[(&str, &str)] = &[
    ("api_key", "api::key"),
    ("key", "api::key"),
    ("site", "api::site"),
    ("fail_on_invalid_key", "api::fail_on_invalid_key"),
    ("host", "hostname"),
];

fn refuse_removed(section: &mut Section<'_>, old: &'static str, new: &str, issue: u32) {
    let message = format!("was removed in favor of {new:?}");
    let help = format!(
        "see https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/{issue}"
    );
    section.stray(old, message, help);
}

/// The value of a setting that has an old name. Both at once are an error, the old one a warning.
fn renamed<T>(
    section: &mut Section<'_>,
    (old_name, new_name): (&'static str, &'static str),
    old: Option<T>,
    new: Option<T>,
) -> Option<T> {
    if section.is_set(old_name) {
        if section.is_set(new_name) {
            let message = format!(
                "{old_name:?} and {new_name:?} can't be both set at the same time: use {new_name:?} only instead"
            );
            section.error(old_name, message);
        } else {
            section.warn(old_name, format!("has been deprecated in favor of {new_name:?}"));
        }
    }
    new.or(old)
}

/// Reads the client. What upstream does not heed it refuses by name.
fn read_client(section: &mut Section<'_>) -> HttpClient {
    let defaults = HttpClient {
        timeout: Some(Duration::from_secs(15)),
        force_attempt_http2: false,
        ..HttpClient::default()
    };
    let http1 = "Datadog's intake is spoken to over HTTP/1.1";
    section.ignored("force_attempt_http2", http1);
    let read = HttpClient::read(section, defaults.clone());
    let unsupported = [
        ("auth", read.auth.is_some(), "the API key is the setting api::key"),
        (
            "endpoint",
            !read.endpoint.is_empty(),
            "set traces::endpoint, metrics::endpoint and logs::endpoint",
        ),
        (
            "compression",
            read.compression.is_compressed(),
            "bodies are compressed in the way that each endpoint takes",
        ),
        (
            "headers",
            read.headers != defaults.headers,
            "the intake needs none but those that are sent",
        ),
        ("http2_read_idle_timeout", read.http2_read_idle_timeout.is_some(), http1),
        ("http2_ping_timeout", read.http2_ping_timeout != defaults.http2_ping_timeout, http1),
    ];
    for (key, is_set, why) in unsupported {
        if is_set {
            section.error(key, format!("is not respected by the Datadog exporter: {why}"));
        }
    }
    HttpClient { force_attempt_http2: false, ..read }
}

/// The inventory of Kubernetes, which upstream takes from its own receiver's log records.
fn read_orchestrator_explorer(mut section: Section<'_>) {
    let why = "the inventory of Kubernetes objects comes from a receiver that is not carried";
    if section.get("enabled").unwrap_or_default() {
        section.error("enabled", format!("is not supported: {why}"));
    }
    section.ignored("endpoint", why);
    section.finish();
}

#[cfg(test)]
mod tests;
