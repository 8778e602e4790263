//! Settings.

use std::time::Duration;

use ::config::{Compression, HttpClient, Timeout};
use confmap::{Decode, Mismatch, Node, Section};
use exporter_helper::Settings;
use http::Uri;
use net::client::is_absolute;
use pdata::Signal;

/// The exporter's settings; keys and defaults are those of the Collector's `exporter/otlphttpexporter`.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The client.
    pub(crate) client: HttpClient,
    /// URLs by signal, in the order of [`Signal::ALL`]; none where neither `endpoint` nor the signal's own key is set.
    pub(crate) urls: [Option<Uri>; 3],
    /// How requests are encoded.
    pub(crate) encoding: Encoding,
    /// Queue and retry.
    pub(crate) helper: Settings,
}

/// How requests are encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Protobuf.
    #[default]
    Proto,
    /// OTLP/JSON.
    Json,
}

impl Decode for Encoding {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        match String::decode(node)?.as_str() {
            "proto" => Ok(Encoding::Proto),
            "json" => Ok(Encoding::Json),
            other => Err(Mismatch::new(format!("invalid encoding type: {other}"))
                .help("valid values: proto, json")),
        }
    }
}

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let defaults = HttpClient {
            timeout: Some(Duration::from_secs(30)),
            compression: Compression::Gzip,
            ..HttpClient::default()
        };
        let client = HttpClient::read(&mut section, defaults);
        let helper = Settings::read(&mut section, Timeout(client.timeout));
        let encoding = section.get("encoding").unwrap_or_default();
        section.ignored("profiles_endpoint", "profiles are not carried");
        let urls = read_urls(&mut section, &client.endpoint);
        section.finish();
        Self { client, urls, encoding, helper }
    }

    /// The URL for a signal.
    pub(crate) fn url(&self, signal: Signal) -> Option<&Uri> {
        self.urls.get(signal as usize)?.as_ref()
    }
}

/// A signal's own URL is taken as it stands; the base gets `/v1/<signal>` behind it.
fn read_urls(section: &mut Section<'_>, base: &str) -> [Option<Uri>; 3] {
    let base = base.trim_end_matches('/');
    let mut any = !base.is_empty();
    for signal in Signal::ALL {
        let path = format!("/v1/{signal}");
        if base.ends_with(&path) {
            section.warn(
                "endpoint",
                format!("ends in {path}, to which {path} is added again; use {signal}_endpoint for a whole URL"),
            );
        }
    }
    let urls = Signal::ALL.map(|signal| {
        let key = match signal {
            Signal::Traces => "traces_endpoint",
            Signal::Metrics => "metrics_endpoint",
            Signal::Logs => "logs_endpoint",
        };
        match section.get::<String>(key).filter(|url| !url.is_empty()) {
            Some(url) => {
                any = true;
                parse_url(section, key, &url)
            }
            None if base.is_empty() => None,
            None => {
                // The base is checked once, below; its errors would be the same for each signal.
                format!("{base}/v1/{signal}").parse().ok().filter(is_absolute)
            }
        }
    });
    if !base.is_empty() {
        let _reported = parse_url(section, "endpoint", base);
    }
    if !any {
        section.error_here("at least one endpoint must be specified: set \"endpoint\"");
    }
    urls
}

fn parse_url(section: &Section<'_>, key: &str, url: &str) -> Option<Uri> {
    match url.parse::<Uri>() {
        Ok(uri) if is_absolute(&uri) => Some(uri),
        _ => {
            section.error_with_help(
                key,
                format!("{url:?} is not a URL of http or https"),
                "write it with its scheme, such as http://localhost:4318",
            );
            None
        }
    }
}

#[cfg(test)]
mod tests;
