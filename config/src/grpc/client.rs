//! Settings of a gRPC client, as upstream's `configgrpc.ClientConfig`.

use std::path::PathBuf;
use std::time::Duration;

use confmap::{Decode, Mismatch, Node, Presence, Section};

use super::ignore_buffer_sizes;
use crate::{
    Auth, Compression, CompressionLevel, Headers, TlsClient, refuse_middlewares, split_host_port,
};

/// A gRPC client.
#[derive(Clone, Debug, PartialEq)]
pub struct GrpcClient {
    /// The endpoint as written; [`GrpcClient::target`] says what it means.
    pub endpoint: String,
    /// How messages are compressed: gzip, snappy, zstd or none.
    pub compression: Compression,
    /// How hard; gRPC has no setting for it.
    pub compression_level: CompressionLevel,
    /// TLS.
    pub tls: TlsClient,
    /// Probing of the connection; `None` for none.
    pub keepalive: Option<ClientKeepalive>,
    /// Whether a call waits for a connection until its deadline instead of failing.
    pub wait_for_ready: bool,
    /// Headers added to every call that does not have them already.
    pub headers: Headers,
    /// The user agent in place of the program's own.
    pub user_agent: Option<String>,
    /// How calls are spread over the addresses of the endpoint.
    pub balancer: Balancer,
    /// `:authority` in place of the endpoint.
    pub authority: Option<String>,
    /// Who signs calls.
    pub auth: Option<Auth>,
}

/// Where a gRPC client connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrpcTarget {
    /// A host, by name or address, and a port.
    Tcp {
        /// The host; an IPv6 address is without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A socket file.
    Unix(PathBuf),
}

/// How calls are spread over several addresses of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balancer {
    /// All addresses in turn.
    #[default]
    RoundRobin,
    /// The first address that can be reached.
    PickFirst,
}

/// `keepalive` of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKeepalive {
    /// After how long without a sign of life the server is probed.
    pub time: Duration,
    /// How long a probe waits for its answer before the connection is given up.
    pub timeout: Duration,
    /// Whether this is done while no call is open, too.
    pub permit_without_stream: bool,
}

impl Default for ClientKeepalive {
    fn default() -> Self {
        let (time, timeout) = (Duration::from_secs(10), Duration::from_secs(10));
        Self { time, timeout, permit_without_stream: false }
    }
}

/// The defaults of `configgrpc`; the OTLP exporter turns keepalive off and gzip on.
impl Default for GrpcClient {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            compression: Compression::None,
            compression_level: CompressionLevel::Measured,
            tls: TlsClient::default(),
            keepalive: Some(ClientKeepalive::default()),
            wait_for_ready: false,
            headers: Headers::default(),
            user_agent: None,
            balancer: Balancer::RoundRobin,
            authority: None,
            auth: None,
        }
    }
}

impl GrpcClient {
    /// Reads the keys of a gRPC client from the section they stand in. An empty endpoint is the
    /// component's to refuse.
    #[must_use]
    pub fn read(section: &mut Section<'_>, defaults: Self) -> Self {
        refuse_middlewares(section);
        ignore_buffer_sizes(section);
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        let read = Self {
            endpoint: section.get("endpoint").unwrap_or(defaults.endpoint),
            compression: section
                .get("compression")
                .map_or(defaults.compression, |Codec(compression)| compression),
            compression_level: defaults.compression_level,
            tls: TlsClient::read(section, defaults.tls),
            keepalive: ClientKeepalive::read(section, defaults.keepalive),
            wait_for_ready: section.get("wait_for_ready").unwrap_or(defaults.wait_for_ready),
            headers: Headers::read(section, "headers", defaults.headers),
            user_agent: text(section.get("user_agent")).or(defaults.user_agent),
            balancer: section.get("balancer_name").unwrap_or(defaults.balancer),
            authority: text(section.get("authority")).or(defaults.authority),
            auth: Auth::read_for_client(section).or(defaults.auth),
        };
        read.check(section);
        read
    }

    /// What the endpoint means: `host:port`, either with `http://`, `https://`, `dns:///` or
    /// `passthrough:///` before it, or `unix://` and a path.
    ///
    /// # Errors
    /// Says what is wrong with the endpoint, in upstream's words where it has some.
    pub fn target(&self) -> Result<GrpcTarget, String> {
        let endpoint = self.endpoint.as_str();
        if let Some(path) = endpoint.strip_prefix("unix://") {
            if path.is_empty() {
                return Err("unix socket path cannot be empty".to_owned());
            }
            return Ok(GrpcTarget::Unix(path.into()));
        }
        let address = match endpoint.split_once("://") {
            None => endpoint,
            Some(("http" | "https", address)) => address.strip_suffix('/').unwrap_or(address),
            Some(("dns" | "passthrough", rest)) => match rest.split_once('/') {
                Some(("", address)) => address,
                Some((server, _)) => {
                    return Err(format!("a DNS server of its own ({server:?}) is not supported"));
                }
                None => return Err("has no host; write dns:///host:port".to_owned()),
            },
            Some((scheme, _)) => return Err(format!("scheme {scheme:?} is not supported")),
        };
        if address.contains('@') {
            return Err("has a user before the host, which gRPC does not send; remove it, and set the header authorization".to_owned());
        }
        if let Some((_, path)) = address.split_once('/') {
            return Err(format!("has a path (\"/{path}\"), which gRPC does not know; remove it"));
        }
        let (host, port) = split_host_port(address).map_err(|error| error.to_string())?;
        Ok(GrpcTarget::Tcp { host: host.to_owned(), port })
    }

    /// Whether connections are made with TLS.
    #[must_use]
    pub fn uses_tls(&self) -> bool {
        !self.tls.is_plaintext() || self.endpoint.starts_with("https://")
    }

    fn check(&self, section: &Section<'_>) {
        if !self.endpoint.is_empty()
            && let Err(message) = self.target()
        {
            section.error("endpoint", message);
        }
        if self.authority.as_ref().is_some_and(|authority| authority.contains('@')) {
            section.error("authority", "must be a host, without a user before it");
        }
        if self.endpoint.starts_with("http://") && self.uses_tls() {
            let message = "http:// does not turn TLS off in gRPC; set tls.insecure: true for a server without TLS";
            section.warn("endpoint", message);
        }
        if self.endpoint.starts_with("https://") && self.tls.is_plaintext() {
            let message = "https:// keeps TLS on in spite of tls.insecure: true; leave it out for a server without TLS";
            section.warn("endpoint", message);
        }
        let known = [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Zstd];
        if !known.contains(&self.compression) {
            let name = self.compression.name();
            let message = format!("unsupported compression type {name:?}");
            section.error_with_help("compression", message, CODECS);
        }
    }
}

/// What to write instead of a codec that gRPC does not have.
const CODECS: &str = "valid values: gzip, snappy, zstd, none";

/// A codec, of which gRPC has fewer than HTTP; which of them is looked at with the other settings.
struct Codec(Compression);

impl Decode for Codec {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        Compression::decode(node).map(Self).map_err(|mismatch| mismatch.help(CODECS))
    }

    fn decode_null(node: &Node) -> Option<Self> {
        Compression::decode_null(node).map(Self)
    }
}

impl ClientKeepalive {
    fn read(section: &mut Section<'_>, default: Option<Self>) -> Option<Self> {
        let presence = if default.is_some() { Presence::Some } else { Presence::Default };
        let mut keepalive = section.optional_section("keepalive", presence)?;
        let defaults = default.unwrap_or_default();
        let read = Self {
            time: keepalive.get("time").unwrap_or(defaults.time).max(MIN_KEEPALIVE_TIME),
            timeout: keepalive
                .get("timeout")
                .filter(|timeout: &Duration| !timeout.is_zero())
                .unwrap_or(defaults.timeout),
            permit_without_stream: keepalive
                .get("permit_without_stream")
                .unwrap_or(defaults.permit_without_stream),
        };
        keepalive.finish();
        Some(read)
    }
}

/// gRPC's own lower bound of the time between probes.
const MIN_KEEPALIVE_TIME: Duration = Duration::from_secs(10);

impl Decode for Balancer {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        let text = String::decode(node)?;
        match text.as_str() {
            "round_robin" => Ok(Self::RoundRobin),
            "" | "pick_first" => Ok(Self::PickFirst),
            _ => Err(Mismatch::new(format!("invalid balancer_name: {text}"))
                .help("valid values: round_robin, pick_first")),
        }
    }
}

#[cfg(test)]
mod tests;
