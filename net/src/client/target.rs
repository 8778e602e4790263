//! Whom to connect to.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use http::Uri;
use http::uri::Authority;

/// Why a URL can't be sent to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// No URL at all.
    #[error("must be a URL such as http://host:4318")]
    Invalid,
    /// Another scheme.
    #[error("must begin with http:// or https://")]
    Scheme,
    /// No host.
    #[error("has no host")]
    NoHost,
}

/// Where requests go: what one pool of connections is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) place: Place,
    pub(super) tls: bool,
}

/// A host and port, or a socket file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

impl Target {
    /// The target of a URL.
    pub(super) fn of(uri: &Uri) -> Result<Self, UrlError> {
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(_) => return Err(UrlError::Scheme),
            None => return Err(UrlError::Invalid),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(UrlError::NoHost)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { place: Place::Tcp { host: host.to_owned(), port }, tls })
    }

    /// The host, for TLS and for what proxies are asked for.
    pub(super) fn host(&self) -> &str {
        match &self.place {
            Place::Tcp { host, .. } => host,
            Place::Unix(_) => "localhost",
        }
    }

    /// The host and port, as `Host` and `:authority` have them: the usual port is left out.
    pub(super) fn authority(&self) -> Option<Authority> {
        let text = match &self.place {
            Place::Unix(_) => "localhost".to_owned(),
            Place::Tcp { host, port } if *port == if self.tls { 443 } else { 80 } => {
                bracketed(host)
            }
            Place::Tcp { host, port } => format!("{}:{port}", bracketed(host)),
        };
        Authority::try_from(text).ok()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } => write!(f, "{}:{port}", bracketed(host)),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

/// A host as it stands before a port.
pub(super) fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str, address: Option<SocketAddr>) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || address.is_some_and(|address| address.ip().is_loopback())
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
