//! Where a server listens: `endpoint` and `transport`.

use std::path::PathBuf;

use confmap::{Decode, Mismatch, Node, Section};

/// The address a server listens at, as upstream's `confignet.AddrConfig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    /// The kind of socket.
    pub transport: Transport,
    /// `host:port`, or the path of a socket file. An empty host means every address.
    pub endpoint: String,
}

/// The kind of socket. The datagram kinds of upstream can't carry HTTP and are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// TCP over either family of addresses.
    #[default]
    Tcp,
    /// TCP over IPv4.
    Tcp4,
    /// TCP over IPv6.
    Tcp6,
    /// A socket file.
    Unix,
}

/// Why a text is no `host:port`. The first two texts are Go's `net.SplitHostPort`'s.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No port.
    #[error("address {0}: missing port in address")]
    MissingPort(String),
    /// An IPv6 address without brackets, or worse.
    #[error("address {0}: too many colons in address; put an IPv6 address in brackets")]
    TooManyColons(String),
    /// Brackets that do not close, or in the wrong place.
    #[error("address {0}: wrong brackets in address")]
    Brackets(String),
    /// A port that is no number up to 65535.
    #[error("invalid port {0:?}")]
    Port(String),
    /// A scheme where only `host:port` may stand.
    #[error("address {0}: must be host:port, without a scheme such as http://")]
    Scheme(String),
}

impl ListenAddress {
    /// A TCP address.
    #[must_use]
    pub fn tcp(endpoint: &str) -> Self {
        Self { transport: Transport::Tcp, endpoint: endpoint.to_owned() }
    }

    /// Reads `endpoint` and `transport`. `dialer` is ignored, since a server dials nobody.
    #[must_use]
    pub fn read(section: &mut Section<'_>, defaults: Self) -> Self {
        let transport = section.get("transport").unwrap_or(defaults.transport);
        let endpoint = section.get("endpoint").unwrap_or(defaults.endpoint);
        section.ignored("dialer", "a server does not connect to anyone");
        let address = Self { transport, endpoint };
        if let Err(error) = address.check() {
            section.error("endpoint", error);
        }
        address
    }

    /// The path, if this is a socket file.
    #[must_use]
    pub fn unix_path(&self) -> Option<PathBuf> {
        let path = self.endpoint.strip_prefix("unix://").unwrap_or(&self.endpoint);
        (self.transport == Transport::Unix).then(|| PathBuf::from(path))
    }

    /// The `host:port` to bind for a TCP address: an empty host, and `localhost`, become the one
    /// of the family that `transport` asks for.
    #[must_use]
    pub fn bind_address(&self) -> String {
        let Ok((host, port)) = split_host_port(&self.endpoint) else {
            return self.endpoint.clone();
        };
        match (self.transport, host) {
            (Transport::Tcp4, "") => format!("0.0.0.0:{port}"),
            (Transport::Tcp4, "localhost") => format!("127.0.0.1:{port}"),
            (Transport::Tcp6, "") => format!("[::]:{port}"),
            (Transport::Tcp6, "localhost") => format!("[::1]:{port}"),
            _ => self.endpoint.clone(),
        }
    }

    fn check(&self) -> Result<(), String> {
        match self.transport {
            Transport::Unix if self.endpoint.is_empty() => {
                Err("unix socket path cannot be empty".to_owned())
            }
            Transport::Unix => Ok(()),
            _ if self.endpoint.is_empty() => Err("requires a non-empty \"endpoint\"".to_owned()),
            _ => split_host_port(&self.endpoint).map(drop).map_err(|error| error.to_string()),
        }
    }
}

impl Decode for Transport {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        let text = String::decode(node)?;
        match text.as_str() {
            "" | "tcp" => Ok(Self::Tcp),
            "tcp4" => Ok(Self::Tcp4),
            "tcp6" => Ok(Self::Tcp6),
            "unix" => Ok(Self::Unix),
            "udp" | "udp4" | "udp6" | "ip" | "ip4" | "ip6" | "unixgram" | "unixpacket"
            | "npipe" => Err(Mismatch::new(format!("transport {text:?} is not supported"))
                .help("use tcp, tcp4, tcp6 or unix")),
            _ => Err(Mismatch::new(format!("unsupported transport type {text:?}"))
                .help("use tcp, tcp4, tcp6 or unix")),
        }
    }
}

/// Splits `host:port`; the brackets of an IPv6 address are taken off.
///
/// # Errors
/// Says what is wrong with the text.
pub fn split_host_port(text: &str) -> Result<(&str, u16), AddressError> {
    if text.contains("://") {
        return Err(AddressError::Scheme(text.to_owned()));
    }
    let (host, port) =
        text.rsplit_once(':').ok_or_else(|| AddressError::MissingPort(text.into()))?;
    let host = if let Some(inner) = host.strip_prefix('[') {
        match inner.strip_suffix(']') {
            Some(inner) if !inner.contains(['[', ']']) => inner,
            _ if port.ends_with(']') => return Err(AddressError::MissingPort(text.into())),
            _ => return Err(AddressError::Brackets(text.into())),
        }
    } else if host.contains(':') {
        return Err(AddressError::TooManyColons(text.into()));
    } else if host.contains(['[', ']']) || port.contains(['[', ']']) {
        return Err(AddressError::Brackets(text.into()));
    } else {
        host
    };
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| port.parse().ok()).flatten();
    Ok((host, number.ok_or_else(|| AddressError::Port(port.to_owned()))?))
}

#[cfg(test)]
mod tests;
