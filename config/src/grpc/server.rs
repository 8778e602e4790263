//! Settings of a gRPC server, as upstream's `configgrpc.ServerConfig`.

use std::time::Duration;

use confmap::{Presence, Section};

use super::ignore_buffer_sizes;
use crate::{Auth, ListenAddress, TlsServer, refuse_middlewares};

/// The largest message unless set, in bytes: gRPC's own default.
const DEFAULT_MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// A gRPC server.
#[derive(Clone, Debug, PartialEq)]
pub struct GrpcServer {
    /// Where it listens.
    pub address: ListenAddress,
    /// TLS; without it the server speaks plain text.
    pub tls: Option<TlsServer>,
    /// The largest message in bytes, before and after decompression.
    pub max_message_bytes: usize,
    /// How many calls a connection may have open at once; `None` for the server's default.
    pub max_concurrent_streams: Option<u32>,
    /// Probing and ageing of connections.
    pub keepalive: ServerKeepalive,
    /// Who may send.
    pub auth: Option<Auth>,
    /// Whether request headers become client metadata.
    pub include_metadata: bool,
}

/// `keepalive::server_parameters`; `None` is for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerKeepalive {
    /// How long a connection may have no call before it is closed.
    pub max_connection_idle: Option<Duration>,
    /// How long a connection may last before it is asked to end.
    pub max_connection_age: Option<Duration>,
    /// How long it then has to finish its calls.
    pub max_connection_age_grace: Option<Duration>,
    /// After how long without a sign of life the peer is probed.
    pub time: Duration,
    /// How long a probe waits for its answer before the connection is closed.
    pub timeout: Duration,
}

/// The defaults of gRPC: a probe after two hours, answered within 20 s.
impl Default for ServerKeepalive {
    fn default() -> Self {
        Self {
            max_connection_idle: None,
            max_connection_age: None,
            max_connection_age_grace: None,
            time: Duration::from_secs(2 * 3600),
            timeout: Duration::from_secs(20),
        }
    }
}

impl Default for GrpcServer {
    fn default() -> Self {
        Self {
            address: ListenAddress::tcp(""),
            tls: None,
            max_message_bytes: DEFAULT_MAX_MESSAGE_BYTES,
            max_concurrent_streams: None,
            keepalive: ServerKeepalive::default(),
            auth: None,
            include_metadata: false,
        }
    }
}

impl GrpcServer {
    /// Reads the keys of a gRPC server from the section they stand in.
    #[must_use]
    pub fn read(section: &mut Section<'_>, defaults: Self) -> Self {
        refuse_middlewares(section);
        ignore_buffer_sizes(section);
        Self {
            address: ListenAddress::read(section, defaults.address),
            tls: TlsServer::read(section).or(defaults.tls),
            max_message_bytes: read_max_message(section).unwrap_or(defaults.max_message_bytes),
            max_concurrent_streams: section
                .get("max_concurrent_streams")
                .or(defaults.max_concurrent_streams)
                .filter(|streams| *streams > 0),
            keepalive: ServerKeepalive::read(section, defaults.keepalive),
            auth: Auth::read_for_grpc_server(section).or(defaults.auth),
            include_metadata: section.get("include_metadata").unwrap_or(defaults.include_metadata),
        }
    }
}

impl ServerKeepalive {
    fn read(section: &mut Section<'_>, defaults: Self) -> Self {
        let Some(mut keepalive) = section.optional_section("keepalive", Presence::Some) else {
            return Self::default();
        };
        if let Some(mut policy) = keepalive.optional_section("enforcement_policy", Presence::Some) {
            let why = "a client that probes often is answered, not turned away";
            policy.ignored("min_time", why);
            policy.ignored("permit_without_stream", why);
            policy.finish();
        }
        let parameters = keepalive.optional_section("server_parameters", Presence::Some);
        let read = parameters.map_or_else(Self::default, |mut parameters| {
            let mut limit = |key, default| match parameters.get::<Duration>(key) {
                Some(limit) => Some(limit).filter(|limit| !limit.is_zero()),
                None => default,
            };
            let read = Self {
                max_connection_idle: limit("max_connection_idle", defaults.max_connection_idle),
                max_connection_age: limit("max_connection_age", defaults.max_connection_age),
                max_connection_age_grace: limit(
                    "max_connection_age_grace",
                    defaults.max_connection_age_grace,
                ),
                time: limit("time", None).unwrap_or(defaults.time),
                timeout: limit("timeout", None).unwrap_or(defaults.timeout),
            };
            parameters.finish();
            read
        });
        keepalive.finish();
        read
    }
}

fn read_max_message(section: &mut Section<'_>) -> Option<usize> {
    const KEY: &str = "max_recv_msg_size_mib";
    const MIB: i64 = 1024 * 1024;
    let mib: i64 = section.get(KEY)?;
    if mib == 0 {
        return Some(DEFAULT_MAX_MESSAGE_BYTES);
    }
    let bytes = mib.checked_mul(MIB).and_then(|bytes| usize::try_from(bytes).ok());
    if bytes.is_none() {
        let max = i64::MAX / MIB;
        let message =
            format!("invalid max_recv_msg_size_mib value, must be between 1 and {max}: {mib}");
        section.error(KEY, message);
    }
    bytes
}

#[cfg(test)]
mod tests;
