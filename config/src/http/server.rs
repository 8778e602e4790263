//! Settings of an HTTP server, as upstream's `confighttp.ServerConfig`.

use std::time::Duration;

use confmap::{Presence, Section};

use crate::{Auth, Compression, Headers, ListenAddress, TlsServer, refuse_middlewares};

/// The largest body unless set, raw and decompressed, in bytes.
pub const DEFAULT_MAX_BODY_BYTES: usize = 20 * 1024 * 1024;

/// An HTTP server.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpServer {
    /// Where it listens.
    pub address: ListenAddress,
    /// TLS; without it the server speaks plain text.
    pub tls: Option<TlsServer>,
    /// Which browser pages may send.
    pub cors: Option<Cors>,
    /// Who may send.
    pub auth: Option<Auth>,
    /// The largest body in bytes, before and after decompression.
    pub max_body_bytes: usize,
    /// Whether request headers become client metadata.
    pub include_metadata: bool,
    /// Headers added to every response.
    pub response_headers: Headers,
    /// The codecs accepted; [`Compression::None`] among them is the plain body.
    pub compression_algorithms: Vec<Compression>,
    /// Time for a whole request; `None` for no limit.
    pub read_timeout: Option<Duration>,
    /// Time for the head of a request; `None` leaves it to `read_timeout`.
    pub read_header_timeout: Option<Duration>,
    /// Time for writing a response; `None` for no limit.
    pub write_timeout: Option<Duration>,
    /// How long a connection may wait for its next request; `None` leaves it to `read_timeout`.
    pub idle_timeout: Option<Duration>,
    /// Whether a connection serves more than one request.
    pub keep_alives_enabled: bool,
}

/// Cross-origin resource sharing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// Origins with at most any number of `*` for any text.
    pub allowed_origins: Vec<String>,
    /// Request headers allowed besides the simple ones; `*` for all.
    pub allowed_headers: Vec<String>,
    /// Response headers that a page may see.
    pub exposed_headers: Vec<String>,
    /// For how many seconds a browser remembers the answer; 0 leaves that to it.
    pub max_age_secs: u32,
}

impl Default for HttpServer {
    fn default() -> Self {
        Self {
            address: ListenAddress::tcp(""),
            tls: None,
            cors: None,
            auth: None,
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
            include_metadata: false,
            response_headers: Headers::default(),
            compression_algorithms: Compression::ALL.to_vec(),
            read_timeout: None,
            read_header_timeout: Some(Duration::from_secs(60)),
            write_timeout: Some(Duration::from_secs(30)),
            idle_timeout: Some(Duration::from_secs(60)),
            keep_alives_enabled: true,
        }
    }
}

impl HttpServer {
    /// Reads the keys of an HTTP server from the section they stand in.
    #[must_use]
    pub fn read(section: &mut Section<'_>, defaults: Self) -> Self {
        refuse_middlewares(section);
        Self {
            address: ListenAddress::read(section, defaults.address),
            tls: TlsServer::read(section).or(defaults.tls),
            cors: Cors::read(section).or(defaults.cors),
            auth: Auth::read_for_http_server(section).or(defaults.auth),
            max_body_bytes: match section.get::<i64>("max_request_body_size") {
                None => defaults.max_body_bytes,
                Some(bytes) => {
                    let positive = usize::try_from(bytes).ok().filter(|bytes| *bytes > 0);
                    positive.unwrap_or(DEFAULT_MAX_BODY_BYTES)
                }
            },
            include_metadata: section.get("include_metadata").unwrap_or(defaults.include_metadata),
            response_headers: Headers::read(section, "response_headers", defaults.response_headers),
            compression_algorithms: section
                .get("compression_algorithms")
                .unwrap_or(defaults.compression_algorithms),
            read_timeout: timeout(section, "read_timeout", defaults.read_timeout),
            read_header_timeout: timeout(
                section,
                "read_header_timeout",
                defaults.read_header_timeout,
            ),
            write_timeout: timeout(section, "write_timeout", defaults.write_timeout),
            idle_timeout: timeout(section, "idle_timeout", defaults.idle_timeout),
            keep_alives_enabled: section
                .get("keep_alives_enabled")
                .unwrap_or(defaults.keep_alives_enabled),
        }
    }

    /// The time for the head of a request, as Go applies the settings.
    #[must_use]
    pub fn header_timeout(&self) -> Option<Duration> {
        self.read_header_timeout.or(self.read_timeout)
    }

    /// The time a connection may be idle, as Go applies the settings.
    #[must_use]
    pub fn idle_limit(&self) -> Option<Duration> {
        self.idle_timeout.or(self.read_timeout)
    }
}

impl Cors {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let mut cors = section.optional_section("cors", Presence::None)?;
        let max_age: i64 = cors.get("max_age").unwrap_or(0);
        let read = Self {
            allowed_origins: cors.get("allowed_origins").unwrap_or_default(),
            allowed_headers: cors.get("allowed_headers").unwrap_or_default(),
            exposed_headers: cors.get("exposed_headers").unwrap_or_default(),
            max_age_secs: u32::try_from(max_age.max(0)).unwrap_or(u32::MAX),
        };
        if read.allowed_origins.is_empty() && !read.allowed_headers.is_empty() {
            cors.warn(
                "allowed_headers",
                "The CORS configuration specifies allowed headers but no allowed origins, and is therefore ignored.",
            );
        }
        cors.finish();
        (!read.allowed_origins.is_empty()).then_some(read)
    }
}

fn timeout(
    section: &mut Section<'_>,
    key: &'static str,
    default: Option<Duration>,
) -> Option<Duration> {
    match section.get::<Duration>(key) {
        None => default,
        Some(timeout) => Some(timeout).filter(|timeout| !timeout.is_zero()),
    }
}

#[cfg(test)]
mod tests;
