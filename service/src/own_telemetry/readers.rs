//! `service::telemetry::metrics::readers`: who can read the metrics, in the shape of OpenTelemetry's declarative configuration.

use confmap::{Item, Section};
use telemetry::MetricsLevel;

use super::fixed;

/// A Prometheus endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `host:port`.
    pub address: String,
    /// Whether the user asked for it: then a port in use is an error, as upstream, and otherwise a warning.
    pub is_configured: bool,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self { address: format!("{HOST}:{PORT}"), is_configured: false }
    }
}

const DEFAULT_NAMES: &str = "the names are those of the Collector's default exposition";
const HOST: &str = "localhost";
const PORT: u16 = 8888;

/// The endpoints of the readers; nothing when the key is absent or null, which means the default.
pub(super) fn read(section: &mut Section<'_>, level: MetricsLevel) -> Option<Vec<Endpoint>> {
    let item = section.item("readers")?;
    if item.node().is_null() {
        return None;
    }
    let readers = item.elements();
    if readers.is_empty() && item.node().as_seq().is_some() && level != MetricsLevel::None {
        let message =
            "collector telemetry metrics reader should exist when metric level is not none";
        let help = "leave the key out for the default reader, or set \"level: none\"";
        section.error_with_help("readers", message, help);
    }
    Some(readers.into_iter().filter_map(read_reader).collect())
}

fn read_reader(item: Item<'_>) -> Option<Endpoint> {
    let mut reader = item.section();
    reader.ignored("periodic", "the metrics are read at a Prometheus endpoint; have it scraped");
    reader.ignored("producers", "there are none here");
    let pull = reader.item("pull");
    let mut pull_section = reader.section("pull");
    pull_section.ignored("cardinality_limits", "the number of series is bounded by the config");
    let mut exporter = pull_section.section("exporter");
    let endpoint = read_prometheus(&mut exporter);
    exporter.finish();
    pull_section.ignored("producers", "there are none here");
    pull_section.finish();
    reader.finish();
    pull.and(endpoint)
}

fn read_prometheus(exporter: &mut Section<'_>) -> Option<Endpoint> {
    // The later of the two spellings comes with version 1.0 of the schema.
    let plain = exporter.item("prometheus");
    let item = match exporter.item("prometheus/development") {
        Some(item) => Some(item),
        None => plain,
    }?;
    let mut prometheus = item.section();
    let host: String = prometheus.get("host").unwrap_or_else(|| HOST.to_owned());
    let port: u16 = prometheus.get("port").unwrap_or(PORT);
    // Each of these has one position here; the later spellings are those of version 1.1 of the schema.
    for (key, position) in [("without_scope_info", true), ("scope_info_enabled", false)] {
        fixed(&mut prometheus, key, position, "the series bear no scope");
    }
    for key in ["without_units", "without_type_suffix"] {
        fixed(&mut prometheus, key, true, DEFAULT_NAMES);
    }
    for (key, position) in [
        ("without_target_info", false),
        ("without_target_info/development", false),
        ("target_info_enabled/development", true),
    ] {
        fixed(&mut prometheus, key, position, "target_info is always there");
    }
    let strategy: Option<String> = prometheus.get("translation_strategy");
    if strategy.is_some_and(|strategy| strategy != "underscore_escaping_without_suffixes") {
        prometheus.ignored("translation_strategy", DEFAULT_NAMES);
    }
    for key in ["with_resource_constant_labels", "resource_constant_labels"] {
        prometheus.ignored(key, "resource attributes stand in target_info alone");
    }
    prometheus.finish();
    let address =
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    Some(Endpoint { address, is_configured: true })
}
