//! Settings.

use config::{HttpServer, ListenAddress};
use confmap::Section;

/// The receiver's settings; keys and defaults are those of open-telemetry/opentelemetry-collector-contrib
/// `receiver/zipkinreceiver`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// The server.
    pub(crate) server: HttpServer,
    /// Whether tags that look like numbers and booleans become such attributes.
    pub(crate) parse_string_tags: bool,
}

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        // Upstream starts from an empty server config here, not from its HTTP server's defaults.
        let defaults = HttpServer {
            address: ListenAddress::tcp("localhost:9411"),
            read_header_timeout: None,
            write_timeout: None,
            idle_timeout: None,
            keep_alives_enabled: false,
            ..HttpServer::default()
        };
        let server = HttpServer::read(&mut section, defaults);
        let parse_string_tags = section.get("parse_string_tags").unwrap_or(false);
        section.finish();
        Self { server, parse_string_tags }
    }
}

#[cfg(test)]
mod tests {
    use confmap::{Diagnostics, Node};

    use super::*;

    fn read(yaml: &str) -> (Config, Vec<String>) {
        let node = Node::from_yaml("test.yaml", yaml).unwrap();
        let diagnostics = Diagnostics::new();
        let config = Config::read(Section::new(Some(&node), "receivers::zipkin", &diagnostics));
        (config, diagnostics.sorted().iter().map(|d| d.message().to_owned()).collect())
    }

    #[test]
    fn defaults_are_the_collectors() {
        let (config, messages) = read("{}");
        assert!(messages.is_empty(), "{messages:?}");
        assert_eq!(config.server.address, ListenAddress::tcp("localhost:9411"));
        assert_eq!(config.server.max_body_bytes, 20 << 20);
        assert_eq!((config.server.idle_timeout, config.server.keep_alives_enabled), (None, false));
        assert!(!config.parse_string_tags);
    }

    #[test]
    fn keys_of_the_server_stand_beside_the_receivers_own() {
        let yaml = "{endpoint: \"0.0.0.0:1\", parse_string_tags: true, max_request_body_size: 7, keep_alives_enabled: true}";
        let (config, messages) = read(yaml);
        assert!(messages.is_empty(), "{messages:?}");
        assert_eq!(config.server.address, ListenAddress::tcp("0.0.0.0:1"));
        assert_eq!(config.server.max_body_bytes, 7);
        assert!(config.server.keep_alives_enabled && config.parse_string_tags);
    }

    #[test]
    fn unknown_key_and_wrong_address_are_refused_by_name() {
        let (_, messages) = read("{endpont: \"localhost:1\", endpoint: localhost}");
        assert!(messages.iter().any(|m| m.contains("endpont")), "{messages:?}");
        assert!(messages.iter().any(|m| m.contains("missing port")), "{messages:?}");
    }
}
