//! Proxies: which one, if any, and how to pass it.

use std::net::IpAddr;

use confmap::Opaque;
use http::{HeaderValue, Uri};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Environment;
use super::target::{Place, Target, UrlError, bracketed, is_loopback};
use super::url::without_user;

/// The longest head of a proxy's answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// A proxy.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    /// Where it is, and whether it is spoken to in TLS.
    pub(super) target: Target,
    /// `Proxy-Authorization`, marked as sensitive.
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxy {
    /// The proxy of a URL. Its text is never part of an error, as it may have a password in it.
    pub(super) fn of(url: &Opaque) -> Result<Self, UrlError> {
        let text = url.expose();
        // A bare host and port is common in the variables, and taken for http, as in Go.
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = text.parse().map_err(|_invalid| UrlError::Invalid)?;
        let (uri, authorization) = without_user(&uri);
        Ok(Self { target: Target::of(&uri)?, authorization })
    }

    /// The proxy that the environment names for a target, if any.
    pub(super) fn from_environment(
        environment: &Environment,
        target: &Target,
        is_grpc: bool,
    ) -> Option<Result<Self, UrlError>> {
        let Place::Tcp { host, port } = &target.place else {
            return None;
        };
        let url = if target.tls || is_grpc {
            environment.https_proxy.as_ref()
        } else {
            environment.http_proxy.as_ref()
        };
        let url = url?;
        (!is_excepted(&environment.no_proxy, host, *port)).then(|| Self::of(url))
    }
}

/// Asks a proxy to connect to `target`. The error is its status line, or what went wrong.
pub(super) async fn connect<S>(stream: &mut S, proxy: &Proxy, target: &Target) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    let place = target.place.to_string();
    let mut request = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n").into_bytes();
    if let Some(authorization) = &proxy.authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let failed = |error: std::io::Error| error.to_string();
    stream.write_all(&request).await.map_err(failed)?;
    stream.flush().await.map_err(failed)?;
    // Byte by byte, since what follows the head belongs to the target.
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= ANSWER_BYTES_MAX {
            return Err("its answer is too long".to_owned());
        }
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_ended) => return Err("it closed the connection".to_owned()),
        }
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let status = line.split(' ').nth(1).unwrap_or_default();
    match status.strip_prefix('2') {
        Some(rest) if line.starts_with("HTTP/1.") && rest.len() == 2 => Ok(()),
        _ if status == "407" => Err(format!("{line}; give its user and password in proxy_url")),
        _ => Err(line.chars().take(200).collect()),
    }
}

/// Whether `NO_PROXY` excepts a host, by the rules of Go's `golang.org/x/net/http/httpproxy`:
/// this machine always; `*`; an address; a range of addresses; a domain and all below it, or, with
/// a leading dot, only those below it; each with a port if only that is meant.
fn is_excepted(no_proxy: &str, host: &str, port: u16) -> bool {
    if is_loopback(host, None) {
        return true;
    }
    let address: Option<IpAddr> = host.parse().ok();
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    no_proxy.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let Some((network, bits)) = entry.split_once('/') {
            return address.is_some_and(|address| is_within(address, network, bits));
        }
        let (name, only_port) = split_port(entry);
        if only_port.is_some_and(|only| only != port) {
            return false;
        }
        if let Ok(excepted) = name.parse::<IpAddr>() {
            return address == Some(excepted);
        }
        let name = name.to_ascii_lowercase();
        match name.strip_prefix("*.").or_else(|| name.strip_prefix('.')) {
            Some(parent) => is_below(&host, parent),
            None => host == name || is_below(&host, &name),
        }
    })
}

fn is_below(host: &str, parent: &str) -> bool {
    host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some(rest) = entry.strip_prefix('[') {
        let (address, port) = rest.split_once(']').unwrap_or((rest, ""));
        return (address, port.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.rsplit_once(':') {
        // More than one colon is an address of IPv6.
        Some((name, port)) if !name.contains(':') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_no_port) => (entry, None),
        },
        _ => (entry, None),
    }
}

fn is_within(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (u128::from(address.to_bits()), u128::from(network.to_bits()), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let host_bits = width - bits.min(width);
    host_bits >= 128 || (address >> host_bits) == (network >> host_bits)
}

/// The name a proxy has in errors.
pub(super) fn name(proxy: &Proxy) -> String {
    match &proxy.target.place {
        Place::Tcp { host, port } => format!("{}:{port}", bracketed(host)),
        Place::Unix(_) => proxy.target.place.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use confmap::Opaque;

    use super::{Proxy, is_excepted};

    #[test]
    fn hosts_are_excepted_by_the_rules_of_go() {
        let excepted = |no_proxy, host| is_excepted(no_proxy, host, 443);
        assert!(excepted("", "localhost") && excepted("", "127.0.0.7") && excepted("", "::1"));
        assert!(!excepted("", "example.com"));
        assert!(excepted("*", "example.com"));
        assert!(excepted("a, example.com", "example.com"));
        assert!(excepted("example.com", "sub.Example.com."));
        assert!(!excepted("example.com", "badexample.com"));
        assert!(excepted(".example.com", "sub.example.com"));
        assert!(!excepted(".example.com", "example.com"));
        assert!(excepted("*.example.com", "sub.example.com"));
        assert!(excepted("10.0.0.0/8", "10.200.3.4") && !excepted("10.0.0.0/8", "11.0.0.1"));
        assert!(excepted("0.0.0.0/0", "9.9.9.9") && excepted("fd00::/8", "fd12::1"));
        assert!(!excepted("10.0.0.0/8", "ten.example.com"));
        assert!(excepted("192.168.0.1", "192.168.0.1"));
        assert!(excepted("example.com:443", "example.com"));
        assert!(!excepted("example.com:8443", "example.com"));
        assert!(excepted("[fd00::1]:443", "fd00::1") && excepted("fd00::1", "fd00::1"));
    }

    #[test]
    fn proxy_is_made_of_a_url_or_of_a_bare_host_and_port() {
        let proxy = Proxy::of(&Opaque::new("http://us%65r:p%40ss@proxy:3128/")).unwrap();
        assert_eq!(proxy.target.place.to_string(), "proxy:3128");
        let authorization = proxy.authorization.unwrap();
        assert_eq!(authorization, "Basic dXNlcjpwQHNz");
        assert!(!format!("{authorization:?}").contains("dXNl"), "it must not be logged");
        assert!(Proxy::of(&Opaque::new("proxy:3128")).unwrap().authorization.is_none());
        assert!(Proxy::of(&Opaque::new("socks5://proxy:1080")).is_err());
    }
}
