//! Settings.

use config::{GrpcServer, HttpServer, ListenAddress};
use confmap::{Presence, Section};
use pdata::Signal;

/// The receiver's settings; keys and defaults are those of the Collector's `receiver/otlpreceiver`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// The gRPC protocol, when its key is present.
    pub(crate) grpc: Option<GrpcServer>,
    /// The HTTP protocol, when its key is present.
    pub(crate) http: Option<HttpProtocol>,
}

/// The HTTP protocol.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HttpProtocol {
    /// The server.
    pub(crate) server: HttpServer,
    /// Paths by signal.
    pub(crate) paths: Paths,
}

/// Where each signal is posted to; each path starts with a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paths {
    traces: String,
    metrics: String,
    logs: String,
}

impl Default for Paths {
    fn default() -> Self {
        let path = |signal: Signal| format!("/v1/{signal}");
        Self {
            traces: path(Signal::Traces),
            metrics: path(Signal::Metrics),
            logs: path(Signal::Logs),
        }
    }
}

impl Paths {
    /// The signal that is posted to this path.
    pub(crate) fn signal(&self, path: &str) -> Option<Signal> {
        match path {
            _ if path == self.traces => Some(Signal::Traces),
            _ if path == self.metrics => Some(Signal::Metrics),
            _ if path == self.logs => Some(Signal::Logs),
            _ => None,
        }
    }

    fn read(section: &mut Section<'_>) -> Self {
        let base = Self::default();
        let mut path = |key, base: String| match section.get::<String>(key) {
            Some(path) if path.starts_with('/') => path,
            Some(path) if !path.is_empty() => format!("/{path}"),
            _ => base,
        };
        Self {
            traces: path("traces_url_path", base.traces),
            metrics: path("metrics_url_path", base.metrics),
            logs: path("logs_url_path", base.logs),
        }
    }
}

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let mut protocols = section.section("protocols");
        let grpc = protocols.optional_section("grpc", Presence::Default).map(|mut section| {
            let address = ListenAddress::tcp("localhost:4317");
            let server =
                GrpcServer::read(&mut section, GrpcServer { address, ..GrpcServer::default() });
            section.finish();
            server
        });
        let http = protocols.optional_section("http", Presence::Default).map(|mut section| {
            // Upstream sets these three back to "no limit" for this receiver.
            let defaults = HttpServer {
                address: ListenAddress::tcp("localhost:4318"),
                read_header_timeout: None,
                write_timeout: None,
                idle_timeout: None,
                ..HttpServer::default()
            };
            let server = HttpServer::read(&mut section, defaults);
            let paths = Paths::read(&mut section);
            section.finish();
            HttpProtocol { server, paths }
        });
        protocols.finish();
        if let (Some(grpc), Some(http)) = (&grpc, &http)
            && grpc.address == http.server.address
            && !grpc.address.endpoint.ends_with(":0")
        {
            let address = &grpc.address.endpoint;
            section.error_with_help(
                "protocols",
                format!("grpc and http cannot both listen at {address}"),
                "give each its own port, or keep one of the two: either one serves both protocols",
            );
        }
        if grpc.is_none() && http.is_none() {
            section.error(
                "protocols",
                "must specify at least one protocol when using the OTLP receiver",
            );
        }
        section.finish();
        Self { grpc, http }
    }
}

#[cfg(test)]
mod tests {
    use confmap::{Diagnostics, Node};

    use super::*;

    fn read(yaml: &str) -> (Config, Vec<String>) {
        let node = Node::from_yaml("test.yaml", yaml).unwrap();
        let diagnostics = Diagnostics::new();
        let config = Config::read(Section::new(Some(&node), "receivers::otlp", &diagnostics));
        (config, diagnostics.sorted().iter().map(|d| d.message().to_owned()).collect())
    }

    #[test]
    fn protocol_is_on_when_its_key_is_there_even_with_nothing_behind_it() {
        let (config, messages) = read("protocols: {grpc: }");
        assert!(messages.is_empty(), "{messages:?}");
        assert_eq!(config.grpc.unwrap().address, ListenAddress::tcp("localhost:4317"));
        assert_eq!(config.http, None);
    }

    #[test]
    fn receiver_without_a_protocol_is_refused() {
        for yaml in ["{}", "protocols: ", "protocols: {grpc: {enabled: false}}"] {
            let (_, messages) = read(yaml);
            assert!(messages.iter().any(|m| m.contains("at least one protocol")), "{messages:?}");
        }
    }

    #[test]
    fn protocols_that_would_share_a_port_are_refused() {
        let yaml = |grpc, http| {
            format!("protocols: {{grpc: {{endpoint: \"{grpc}\"}}, http: {{endpoint: \"{http}\"}}}}")
        };
        let (_, messages) = read(&yaml("localhost:1", "localhost:1"));
        assert_eq!(messages, ["grpc and http cannot both listen at localhost:1"]);
        for (grpc, http) in [("localhost:1", "localhost:2"), ("localhost:0", "localhost:0")] {
            let (_, messages) = read(&yaml(grpc, http));
            assert!(messages.is_empty(), "{grpc} {http}: {messages:?}");
        }
    }

    #[test]
    fn path_gets_the_slash_that_it_lacks() {
        let (config, messages) = read("protocols: {http: {traces_url_path: in/spans}}");
        assert!(messages.is_empty(), "{messages:?}");
        let paths = config.http.unwrap().paths;
        assert_eq!(paths.signal("/in/spans"), Some(Signal::Traces));
        assert_eq!(paths.signal("/v1/traces"), None);
        assert_eq!(paths.signal("/v1/logs"), Some(Signal::Logs));
    }

    #[test]
    fn unknown_key_is_refused_by_name() {
        let (_, messages) = read("protocols: {http: {endpont: \"localhost:1\"}}");
        assert!(messages.iter().any(|m| m.contains("endpont")), "{messages:?}");
    }
}
