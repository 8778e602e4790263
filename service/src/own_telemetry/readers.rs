//! `service::telemetry::metrics::readers`: who can read the metrics, in the shape of OpenTelemetry's declarative configuration; and
//! `address`, which is what a Prometheus reader was called up to 0.122 of the Collector.

use confmap::{Mismatch, Section};
use telemetry::{MetricsLevel, Suffixes};

use super::fixed;

/// A Prometheus endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `host:port`.
    pub address: String,
    /// Whether the user asked for it: then a port in use is an error, as upstream, and otherwise a warning.
    pub is_configured: bool,
    /// What the names end with there.
    pub suffixes: Suffixes,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            address: format!("{HOST}:{PORT}"),
            is_configured: false,
            suffixes: Suffixes::default(),
        }
    }
}

impl Endpoint {
    fn at(host: &str, port: u16, suffixes: Suffixes) -> Self {
        let address =
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        Self { address, is_configured: true, suffixes }
    }
}

const HOST: &str = "localhost";
const PORT: u16 = 8888;

/// The endpoints of the readers; the default one where none is written, and where none that is written can be served.
pub(super) fn read(section: &mut Section<'_>, level: MetricsLevel) -> Vec<Endpoint> {
    let address = read_address(section);
    let mut endpoints = read_readers(section, level, address.is_some());
    if let Some(address) = address {
        endpoints.extend(place_of_address(section, address, &endpoints));
    }
    if endpoints.is_empty() {
        endpoints.push(Endpoint::default());
    }
    endpoints
}

fn read_readers(
    section: &mut Section<'_>,
    level: MetricsLevel,
    has_address: bool,
) -> Vec<Endpoint> {
    let Some(item) = section.item("readers") else { return Vec::new() };
    let mut readers: Vec<Section<'_>> =
        item.elements().iter().map(|element| element.section()).collect();
    let is_empty_list = readers.is_empty() && item.node().as_seq().is_some();
    if is_empty_list && !has_address && level != MetricsLevel::None {
        let message =
            "collector telemetry metrics reader should exist when metric level is not none";
        let help = "leave the key out for the default reader, or set \"level: none\"";
        section.error_with_help("readers", message, help);
    }
    let has_pull = has_address || readers.iter_mut().any(|reader| reader.is_set("pull"));
    readers.into_iter().filter_map(|reader| read_reader(reader, has_pull)).collect()
}

/// Host and port of the key that upstream removed, which stands in many a config still.
fn read_address(section: &mut Section<'_>) -> Option<(String, u16)> {
    let item = section.item("address")?;
    let text: String = item.decode()?;
    // As it was upstream.
    if text.is_empty() {
        section.warn("address", "is empty and has no effect; upstream removed it");
        return None;
    }
    match config::split_host_port(&text) {
        Ok((host, port)) => Some((host.to_owned(), port)),
        Err(error) => {
            let help = "write host and port, such as \"localhost:8888\"";
            item.report(Mismatch::new(format!("is not an address: {error}")).help(help));
            None
        }
    }
}

/// The reader that `address` means, as upstream made one of it: beside those that are written (`service/telemetry/config.go` of 0.122).
fn place_of_address(
    section: &mut Section<'_>,
    (host, port): (String, u16),
    readers: &[Endpoint],
) -> Option<Endpoint> {
    let endpoint = Endpoint::at(&host, port, Suffixes::default());
    let is_there = readers.iter().any(|reader| reader.address == endpoint.address);
    let reader =
        format!("{{pull: {{exporter: {{prometheus: {{host: {host:?}, port: {port}}}}}}}}}");
    let is_list = section
        .item("readers")
        .is_some_and(|item| item.node().as_seq().is_some_and(|list| !list.is_empty()));
    let remedy = match (is_there, is_list) {
        (true, _) => "leave it out, since one of the readers listens there already".to_owned(),
        (false, false) => format!("write \"readers: [{reader}]\" in its place"),
        (false, true) => {
            format!("it is served beside the readers; add {reader} to them in its place")
        }
    };
    section.warn(
        "address",
        format!("is deprecated, and the Collector refuses it since 0.128: {remedy}"),
    );
    (!is_there).then_some(endpoint)
}

fn read_reader(mut reader: Section<'_>, has_pull: bool) -> Option<Endpoint> {
    let why = if has_pull {
        "the metrics are read at a Prometheus endpoint; have it scraped"
    } else {
        "the metrics are read at a Prometheus endpoint; without a pull reader it is the default one, localhost:8888, \
         and in AWS Lambda there is none: add {pull: {exporter: {prometheus: {host: localhost, port: 8888}}}} and have it scraped"
    };
    reader.ignored("periodic", why);
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
    let suffixes = read_suffixes(&mut prometheus);
    for (key, position) in [
        ("without_target_info", false),
        ("without_target_info/development", false),
        ("target_info_enabled/development", true),
    ] {
        fixed(&mut prometheus, key, position, "target_info is always there");
    }
    for key in ["with_resource_constant_labels", "resource_constant_labels"] {
        prometheus.ignored(key, "resource attributes stand in target_info alone");
    }
    prometheus.finish();
    Some(Endpoint::at(&host, port, suffixes))
}

/// What the names end with: nothing where it is not said, as upstream since 0.152. Before, that was so of the default reader alone.
fn read_suffixes(prometheus: &mut Section<'_>) -> Suffixes {
    let mut suffixes = Suffixes::default();
    let strategy: Option<String> = prometheus.get("translation_strategy");
    match strategy.as_deref() {
        None | Some("underscore_escaping_without_suffixes") => {}
        // No name here has anything to escape.
        Some("underscore_escaping_with_suffixes" | "no_utf8_escaping_with_suffixes") => {
            suffixes = Suffixes { counter: true, unit: true };
        }
        Some(_) => {
            let why = "the names are those of the Collector's default exposition";
            prometheus.ignored("translation_strategy", why);
        }
    }
    for (key, suffix) in
        [("without_type_suffix", &mut suffixes.counter), ("without_units", &mut suffixes.unit)]
    {
        // Null is the default, as upstream.
        let item = prometheus.item(key).filter(|item| !item.node().is_null());
        if let Some(without) = item.and_then(|item| item.decode::<bool>()) {
            *suffix = !without;
        }
    }
    suffixes
}
