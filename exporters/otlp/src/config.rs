//! Settings.

use std::time::Duration;

use ::config::{Compression, GrpcClient, Timeout};
use confmap::Section;
use exporter_helper::Settings;

/// The exporter's settings; keys and defaults are those of the Collector's `exporter/otlpexporter`.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The client.
    pub(crate) client: GrpcClient,
    /// Timeout, queue and retry.
    pub(crate) helper: Settings,
}

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let defaults =
            GrpcClient { compression: Compression::Gzip, keepalive: None, ..GrpcClient::default() };
        let client = GrpcClient::read(&mut section, defaults);
        if client.endpoint.is_empty() {
            section.error("endpoint", "requires a non-empty \"endpoint\"");
        }
        let timeout = Timeout::read(&mut section, Timeout(Some(Duration::from_secs(5))));
        let helper = Settings::read(&mut section, timeout);
        section.finish();
        Self { client, helper }
    }
}

#[cfg(test)]
mod tests {
    use confmap::{Diagnostics, Node};

    use super::*;

    fn read(yaml: &str) -> (Config, String) {
        let node = Node::from_yaml("test.yaml", yaml).unwrap();
        let diagnostics = Diagnostics::new();
        let config = Config::read(Section::new(Some(&node), "exporters::otlp", &diagnostics));
        (config, diagnostics.to_string())
    }

    #[test]
    fn defaults_are_the_collectors() {
        let (config, report) = read("{endpoint: 'h:4317'}");
        assert_eq!(report, "");
        assert_eq!(config.client.compression, Compression::Gzip);
        assert_eq!(config.client.keepalive, None);
        assert_eq!(config.helper.timeout, Timeout(Some(Duration::from_secs(5))));
        assert!(config.helper.retry.is_some() && config.helper.queue.is_some());
    }

    #[test]
    fn endpoint_is_required() {
        assert!(read("{}").1.contains("requires a non-empty \"endpoint\""));
    }

    #[test]
    fn unknown_key_is_refused_by_name() {
        assert!(read("{endpoint: 'h:4317', endpiont: x}").1.contains("endpiont"));
    }
}
