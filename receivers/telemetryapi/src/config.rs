//! Settings.

use std::time::Duration;

use confmap::Section;
use lambda::telemetry::Types;

use crate::metrics::Temporality;

/// The receiver's settings; keys and defaults are those of open-telemetry/opentelemetry-lambda
/// `collector/receiver/telemetryapireceiver`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// The port that the process listens on for events; 0 takes a free one.
    pub(crate) port: u16,
    /// What is made into telemetry.
    pub(crate) types: Types,
    /// Whether an invocation's report is a log record, too.
    pub(crate) log_report: bool,
    /// The temporality of metrics; left to the environment if not set.
    pub(crate) temporality: Option<Temporality>,
    /// How often metrics are sent; zero sends them with every batch.
    pub(crate) export_interval: Duration,
    /// Whether each invocation becomes a span. Our own key.
    pub(crate) invocation_spans: bool,
}

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let config = Self {
            port: section.get("port").unwrap_or(0),
            types: types(&mut section),
            log_report: section.get("log_report").unwrap_or(false),
            temporality: temporality(&mut section),
            export_interval: export_interval(&mut section),
            invocation_spans: section.get("invocation_spans").unwrap_or(true),
        };
        section.finish();
        config
    }
}

fn types(section: &mut Section<'_>) -> Types {
    const HELP: &str = "valid values: platform, function, extension";
    let Some(names) = section.get::<Vec<String>>("types") else { return Types::ALL };
    let mut types = Types::default();
    for name in &names {
        match name.as_str() {
            "platform" => types.platform = true,
            "function" => types.function = true,
            "extension" => types.extension = true,
            _ => {
                let message = format!("unknown extension type: {name}");
                section.error_with_help("types", message, HELP);
            }
        }
    }
    if names.is_empty() {
        section.error_with_help("types", "no telemetry event types provided", HELP);
    }
    types
}

fn temporality(section: &mut Section<'_>) -> Option<Temporality> {
    let text: String =
        section.get("metrics_temporality").filter(|text: &String| !text.is_empty())?;
    let temporality = Temporality::named(&text.to_lowercase());
    if temporality.is_none() {
        let message = format!("unknown metrics temporality: {text}");
        section.error_with_help("metrics_temporality", message, "valid values: delta, cumulative");
    }
    temporality
}

fn export_interval(section: &mut Section<'_>) -> Duration {
    const KEY: &str = "export_interval_ms";
    let millis: i64 = section.get(KEY).unwrap_or(60_000);
    if millis < 0 {
        section.error(KEY, format!("export_interval_ms must be non-negative: {millis}"));
    }
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use confmap::{Diagnostics, Node};

    use super::*;

    fn read(yaml: &str) -> (Config, Vec<String>) {
        let node = Node::from_yaml("test.yaml", yaml).unwrap();
        let diagnostics = Diagnostics::new();
        let section = Section::new(Some(&node), "receivers::telemetryapi", &diagnostics);
        let config = Config::read(section);
        (config, diagnostics.sorted().iter().map(|d| d.message().to_owned()).collect())
    }

    #[test]
    fn defaults_are_upstreams() {
        let (config, messages) = read("{}");
        assert!(messages.is_empty(), "{messages:?}");
        let expected = Config {
            port: 0,
            types: Types::ALL,
            log_report: false,
            temporality: None,
            export_interval: Duration::from_secs(60),
            invocation_spans: true,
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn every_key_is_read() {
        let (config, messages) = read(
            "{port: 4326, types: [platform, function], log_report: true, metrics_temporality: Delta, export_interval_ms: 0, invocation_spans: false}",
        );
        assert!(messages.is_empty(), "{messages:?}");
        let expected = Config {
            port: 4326,
            types: Types { extension: false, ..Types::ALL },
            log_report: true,
            temporality: Some(Temporality::Delta),
            export_interval: Duration::ZERO,
            invocation_spans: false,
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn wrong_values_are_refused_by_name() {
        let (_, messages) =
            read("{types: [platforms], metrics_temporality: both, export_interval_ms: -1}");
        assert_eq!(messages.len(), 3, "{messages:?}");
        assert!(messages.contains(&"unknown extension type: platforms".to_owned()));
        assert!(messages.contains(&"unknown metrics temporality: both".to_owned()));
        assert!(messages.contains(&"export_interval_ms must be non-negative: -1".to_owned()));
        let (_, messages) = read("{types: [], port: 65536}");
        assert_eq!(messages.len(), 2, "{messages:?}");
    }
}
