//! Settings: those of upstream's first version, and of its second one behind `use_v2`.
//!
//! Keys and defaults are those of open-telemetry/opentelemetry-collector-contrib `extension/healthcheckextension` and
//! `internal/healthcheck`.

use config::{HttpServer, ListenAddress};
use confmap::Section;
use pipeline::{Probe, TransportAddress};

const ENDPOINT: &str = "localhost:13133";

/// Keys of the first version that have no effect in the second.
const FIRST_VERSION: &[&str] = &[
    "endpoint",
    "transport",
    "dialer",
    "tls",
    "auth",
    "cors",
    "middlewares",
    "max_request_body_size",
    "include_metadata",
    "response_headers",
    "compression_algorithms",
    "read_timeout",
    "read_header_timeout",
    "write_timeout",
    "idle_timeout",
    "keep_alives_enabled",
    "path",
    "response_body",
    "check_collector_pipeline",
];

/// The settings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    pub(crate) http: HttpServer,
    /// Where the page is; `/` is everywhere.
    pub(crate) path: String,
    pub(crate) form: Form,
}

/// What the page looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The first version's, or the user's own texts in its place.
    First { healthy: Option<String>, unhealthy: Option<String> },
    /// The second version's.
    Second,
}

impl Config {
    /// Reads the section.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let use_v2 = section.get("use_v2").unwrap_or(false);
        let config = if use_v2 { read_second(&mut section) } else { read_first(&mut section) };
        if !config.path.starts_with('/') {
            section.error_here("path must start with /");
        }
        section.finish();
        config
    }

    /// Where the page is.
    pub(crate) fn probe(self) -> Probe {
        let Self { http, path, form: _ } = self;
        Probe { address: address(&http.address), path, is_encrypted: http.tls.is_some() }
    }
}

/// What to listen at.
pub(crate) fn address(settings: &ListenAddress) -> TransportAddress {
    match settings.unix_path() {
        Some(path) => TransportAddress::Unix(path),
        None => TransportAddress::Tcp(settings.bind_address()),
    }
}

fn read_first(section: &mut Section<'_>) -> Config {
    for key in ["http", "grpc", "component_health"] {
        section.ignored(key, "it belongs to the second version, which \"use_v2: true\" turns on");
    }
    let http = read_server(section);
    let path = section.get("path").unwrap_or_else(|| "/".to_owned());
    let mut body = section.section("response_body");
    let form = Form::First { healthy: body.get("healthy"), unhealthy: body.get("unhealthy") };
    body.finish();
    section.ignored("check_collector_pipeline", "it does nothing upstream either");
    Config { http, path, form }
}

fn read_second(section: &mut Section<'_>) -> Config {
    for key in FIRST_VERSION {
        section.ignored(key, "\"use_v2: true\" is set: it belongs under \"http\"");
    }
    section.refused("grpc", "this page speaks HTTP alone; ask it at http.status.path");
    section.ignored(
        "component_health",
        "components here report no health of their own; their counters do",
    );
    if !section.is_set("http") {
        section.error_here("must specify at least one protocol; add an \"http\" section");
    }
    let mut http = section.section("http");
    let server = read_server(&mut http);
    let mut status = http.section("status");
    if status.get("enabled") == Some(false) {
        status
            .error("enabled", "is all there is here, so it cannot be off; leave the extension out");
    }
    let path = status.get("path").unwrap_or_else(|| "/status".to_owned());
    ignore_details(&mut status);
    status.finish();
    let mut shown = http.section("config");
    if shown.get("enabled") == Some(true) {
        shown.error_with_help(
            "enabled",
            "is not supported: a config may hold secrets",
            "use the command print-config",
        );
    }
    shown.ignored("path", "the config is not shown on a page");
    ignore_details(&mut shown);
    shown.finish();
    http.finish();
    Config { http: server, path, form: Form::Second }
}

fn ignore_details(page: &mut Section<'_>) {
    for key in ["include_attributes", "verbose"] {
        page.ignored(key, "components here report no health of their own");
    }
}

/// The server's keys. As upstream, there is no limit on how long a connection may take; the server's own limits stay.
fn read_server(section: &mut Section<'_>) -> HttpServer {
    let defaults = HttpServer {
        address: ListenAddress::tcp(ENDPOINT),
        read_header_timeout: None,
        write_timeout: None,
        idle_timeout: None,
        ..HttpServer::default()
    };
    let server = HttpServer::read(section, defaults);
    for key in ["max_request_body_size", "include_metadata", "compression_algorithms"] {
        section.ignored(key, "the page reads nothing of a request but its path");
    }
    if server.auth.is_some() {
        section.error("auth", "is not supported: the page is for whoever can reach it");
    }
    server
}

#[cfg(test)]
mod tests {
    use confmap::{Diagnostics, Node};

    use super::*;

    fn read(yaml: &str) -> (Config, Diagnostics) {
        let node = Node::from_yaml("test", yaml).unwrap();
        let diagnostics = Diagnostics::new();
        let config =
            Config::read(Section::new(Some(&node), "extensions::health_check", &diagnostics));
        (config, diagnostics)
    }

    #[test]
    fn defaults_are_upstreams() {
        let (config, diagnostics) = read("");
        assert!(diagnostics.is_empty(), "{diagnostics}");
        assert_eq!(config.http.address.endpoint, "localhost:13133");
        assert_eq!(config.path, "/");
        assert_eq!(config.form, Form::First { healthy: None, unhealthy: None });
        let (config, diagnostics) = read("{use_v2: true, http: }");
        assert!(diagnostics.is_empty(), "{diagnostics}");
        assert_eq!(
            (config.http.address.endpoint.as_str(), config.path.as_str()),
            ("localhost:13133", "/status")
        );
        assert_eq!(config.form, Form::Second);
    }

    #[test]
    fn what_is_not_carried_out_is_named() {
        for (yaml, errors, word) in [
            ("check_collector_pipeline: {enabled: true}", 0, "check_collector_pipeline"),
            ("grpc: {}", 0, "use_v2: true"),
            ("{use_v2: true, http: , endpoint: 'h:1'}", 0, "endpoint"),
            (
                "{use_v2: true, http: , component_health: {recovery_duration: 1m}}",
                0,
                "component_health",
            ),
            ("{use_v2: true, http: , grpc: }", 1, "is not supported"),
            ("{use_v2: true, http: {config: {enabled: true}}}", 1, "print-config"),
            ("{use_v2: true, http: {status: {enabled: false}}}", 1, "cannot be off"),
            ("{use_v2: true, http: {status: {verbose: true}}}", 0, "http::status::verbose"),
            ("{use_v2: true, http: {config: {path: /c}}}", 0, "http::config::path"),
            ("{use_v2: true, http: {enabled: true}}", 1, "invalid keys: enabled"),
            ("max_request_body_size: 1024", 0, "max_request_body_size"),
            ("include_metadata: true", 0, "include_metadata"),
            ("use_v2: true", 1, "at least one protocol"),
            ("auth: {authenticator: x}", 1, "auth"),
            ("path: health", 1, "must start with /"),
            ("port: 1", 1, "invalid keys: port"),
        ] {
            let (_, diagnostics) = read(yaml);
            let text = diagnostics.to_string();
            assert_eq!(diagnostics.error_count(), errors, "{yaml}: {text}");
            assert!(text.contains(word), "{yaml}: {text}");
        }
    }
}
