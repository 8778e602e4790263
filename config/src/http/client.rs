//! Settings of an HTTP client, as upstream's `confighttp.ClientConfig`.

use std::time::Duration;

use confmap::{Opaque, Presence, Section};

use crate::{Auth, Compression, CompressionLevel, Headers, TlsClient, refuse_middlewares};

/// An HTTP client.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpClient {
    /// The URL to send to, as written; the component makes its URLs of it.
    pub endpoint: String,
    /// The proxy, which may name a user and a password. Without one the environment decides.
    pub proxy_url: Option<Opaque>,
    /// TLS, for `https` URLs.
    pub tls: TlsClient,
    /// Time for a request from connecting to the last byte of the answer; `None` for no limit.
    pub timeout: Option<Duration>,
    /// Headers added to every request. `Host` replaces the endpoint's host.
    pub headers: Headers,
    /// Who signs requests.
    pub auth: Option<Auth>,
    /// How bodies are compressed.
    pub compression: Compression,
    /// How hard.
    pub compression_level: CompressionLevel,
    /// How many idle connections are kept.
    pub max_idle_conns: usize,
    /// How many connections there may be to a host; `None` for no limit.
    pub max_conns_per_host: Option<usize>,
    /// How long an idle connection is kept; `None` for ever.
    pub idle_conn_timeout: Option<Duration>,
    /// Whether each connection serves one request only.
    pub disable_keep_alives: bool,
    /// How long an HTTP/2 connection may hear nothing before it is probed; `None` for never.
    pub http2_read_idle_timeout: Option<Duration>,
    /// How long a probe waits for its answer.
    pub http2_ping_timeout: Duration,
    /// Whether HTTP/2 is offered to a server with TLS.
    pub force_attempt_http2: bool,
}

impl Default for HttpClient {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            proxy_url: None,
            tls: TlsClient::default(),
            timeout: None,
            headers: Headers::default(),
            auth: None,
            compression: Compression::None,
            compression_level: CompressionLevel::Measured,
            max_idle_conns: 100,
            max_conns_per_host: None,
            idle_conn_timeout: Some(Duration::from_secs(90)),
            disable_keep_alives: false,
            http2_read_idle_timeout: None,
            http2_ping_timeout: Duration::from_secs(15),
            force_attempt_http2: true,
        }
    }
}

/// What "no limit" of idle connections means here.
const MAX_IDLE_CONNS: usize = 1024;

impl HttpClient {
    /// Reads the keys of an HTTP client from the section they stand in.
    #[must_use]
    pub fn read(section: &mut Section<'_>, defaults: Self) -> Self {
        refuse_middlewares(section);
        if section.optional_section("cookies", Presence::None).is_some_and(|cookies| {
            cookies.finish();
            true
        }) {
            section.warn("cookies", "is accepted and has no effect: no cookies are kept");
        }
        for key in ["read_buffer_size", "write_buffer_size"] {
            section.ignored(key, "buffers grow as needed");
        }
        let (compression, compression_level) = Compression::read(section, defaults.compression);
        let read = Self {
            endpoint: section.get("endpoint").unwrap_or(defaults.endpoint),
            proxy_url: read_proxy(section).or(defaults.proxy_url),
            tls: TlsClient::read(section, defaults.tls),
            timeout: limit(section.get("timeout"), defaults.timeout),
            headers: Headers::read(section, "headers", defaults.headers),
            auth: Auth::read_for_client(section).or(defaults.auth),
            compression,
            compression_level,
            max_idle_conns: read_max_idle(section, defaults.max_idle_conns),
            max_conns_per_host: match section.get::<usize>("max_conns_per_host") {
                Some(conns) => Some(conns).filter(|conns| *conns > 0),
                None => defaults.max_conns_per_host,
            },
            idle_conn_timeout: limit(section.get("idle_conn_timeout"), defaults.idle_conn_timeout),
            disable_keep_alives: section
                .get("disable_keep_alives")
                .unwrap_or(defaults.disable_keep_alives),
            http2_read_idle_timeout: limit(
                section.get("http2_read_idle_timeout"),
                defaults.http2_read_idle_timeout,
            ),
            http2_ping_timeout: limit(section.get("http2_ping_timeout"), None)
                .unwrap_or(defaults.http2_ping_timeout),
            force_attempt_http2: section
                .get("force_attempt_http2")
                .unwrap_or(defaults.force_attempt_http2),
        };
        if read.tls.insecure && read.endpoint.starts_with("https://") {
            let message = "tls.insecure does not turn TLS off in HTTP; write http:// for a server without TLS, or set tls.insecure_skip_verify: true for a certificate that is not to be checked";
            section.warn("endpoint", message);
        }
        read
    }
}

/// Both bounds in one: one client here talks to one host in nearly every case.
fn read_max_idle(section: &mut Section<'_>, default: usize) -> usize {
    let all = match section.get::<usize>("max_idle_conns") {
        Some(0) => MAX_IDLE_CONNS,
        Some(conns) => conns.min(MAX_IDLE_CONNS),
        None => default,
    };
    let per_host = section.get::<usize>("max_idle_conns_per_host").filter(|conns| *conns > 0);
    per_host.map_or(all, |conns| conns.min(all))
}

fn read_proxy(section: &mut Section<'_>) -> Option<Opaque> {
    let proxy: Opaque = section.get("proxy_url")?;
    if proxy.is_empty() {
        return None;
    }
    let scheme = proxy.expose().split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http" | "https") => {}
        Some("socks5" | "socks5h") => {
            section.error("proxy_url", "SOCKS proxies are not supported; use an http:// proxy");
        }
        _ => section.error("proxy_url", "must be a URL such as http://proxy.example:3128"),
    }
    Some(proxy)
}

fn limit(read: Option<Duration>, default: Option<Duration>) -> Option<Duration> {
    match read {
        Some(limit) => Some(limit).filter(|limit| !limit.is_zero()),
        None => default,
    }
}

#[cfg(test)]
mod tests;
