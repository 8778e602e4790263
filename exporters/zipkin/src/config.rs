//! Settings.

use std::time::Duration;

use ::config::{HttpClient, Timeout};
use confmap::{Decode, Mismatch, Node, Section};
use exporter_helper::Settings;
use http::Uri;
use net::client::is_absolute;

use crate::translate::{Format, Options};

/// Where Zipkin takes spans.
pub(crate) const SPANS_PATH: &str = "/api/v2/spans";

/// The exporter's settings; keys and defaults are those of open-telemetry/opentelemetry-collector-contrib
/// `exporter/zipkinexporter`.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The client.
    pub(crate) client: HttpClient,
    /// Where spans are posted to. A config without errors has it.
    pub(crate) url: Option<Uri>,
    /// How bodies are encoded.
    pub(crate) format: Format,
    /// The name of services without one.
    pub(crate) default_service_name: String,
    /// Queue and retry.
    pub(crate) helper: Settings,
}

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let defaults =
            HttpClient { timeout: Some(Duration::from_secs(5)), ..HttpClient::default() };
        let client = HttpClient::read(&mut section, defaults);
        let url = read_url(&mut section, &client.endpoint);
        let format = section.get("format").unwrap_or(Format::Json);
        let default_service_name = section.get("default_service_name");
        let default_service_name =
            default_service_name.unwrap_or_else(|| Options::NO_SERVICE_NAME.to_owned());
        let helper = Settings::read(&mut section, Timeout(client.timeout));
        section.finish();
        Self { client, url, format, default_service_name, helper }
    }
}

impl Decode for Format {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        match String::decode(node)?.as_str() {
            "json" => Ok(Format::Json),
            "proto" => Ok(Format::Proto),
            other => Err(Mismatch::new(format!("{other} is not one of json or proto"))
                .help("valid values: json, proto")),
        }
    }
}

/// The endpoint is the whole URL.
fn read_url(section: &mut Section<'_>, endpoint: &str) -> Option<Uri> {
    let example = "http://localhost:9411/api/v2/spans";
    if endpoint.is_empty() {
        let help = format!("set it to the whole URL, such as {example}");
        section.error_with_help("endpoint", "requires a non-empty 'endpoint'", help);
        return None;
    }
    let url = endpoint.parse::<Uri>().ok().filter(is_absolute);
    match url.as_ref().map(Uri::path) {
        None => {
            let message = format!("{endpoint:?} is not a URL of http or https");
            let help = format!("write it with its scheme and path, such as {example}");
            section.error_with_help("endpoint", message, help);
        }
        Some("" | "/") => section.warn(
            "endpoint",
            format!("is taken as it stands and has no path; Zipkin takes spans at {SPANS_PATH}"),
        ),
        Some(path) if path.ends_with("/api/v1/spans") => section.warn(
            "endpoint",
            format!(
                "is the path of Zipkin v1, and v2 is sent there; Zipkin takes it at {SPANS_PATH}"
            ),
        ),
        Some(_) => {}
    }
    url
}

#[cfg(test)]
mod tests;
