//! Opening connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use confmap::Opaque;
use rustls::{AlertDescription, CertificateError};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::Environment;
use super::first_bytes::{FirstBytes, Io, Noting, Spoken};
use super::pool::Link;
use super::proxy::{self, Proxy};
use super::target::{Place, Target, is_loopback};
use crate::error::{Cause, CertificateFault, Stage, Wanted};
use crate::tls::ClientTls;

/// The longest that connecting may take, handshake apart; as Go's.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest that a handshake may take; as Go's.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens connections of one client.
pub(super) struct Connector {
    pub(super) tls: Arc<ClientTls>,
    /// TLS to a proxy; its certificate is checked like a server's.
    pub(super) proxy_tls: Arc<ClientTls>,
    pub(super) proxy_url: Option<Opaque>,
    pub(super) environment: Environment,
    pub(super) wanted: Wanted,
    /// What every name resolves to, where a test needs several addresses.
    #[cfg(test)]
    pub(super) addresses: Vec<SocketAddr>,
}

/// A connection, ready for HTTP.
pub(super) struct Connected {
    pub(super) io: Noting,
    pub(super) first: FirstBytes,
    pub(super) address: Option<SocketAddr>,
    /// Whether TLS agreed on HTTP/2; nothing when there was no such talk.
    pub(super) agreed_http2: Option<bool>,
    /// Whether requests go to an HTTP proxy, which wants to see whole URLs.
    pub(super) through: Option<Proxy>,
}

/// A failure, with the address that was tried last.
#[derive(Debug)]
pub(super) struct ConnectError {
    pub(super) address: Option<SocketAddr>,
    pub(super) cause: Cause,
}

impl From<Cause> for ConnectError {
    fn from(cause: Cause) -> Self {
        Self { address: None, cause }
    }
}

impl Connector {
    /// The proxy for a target, if it is to be reached through one.
    pub(super) fn proxy(&self, target: &Target) -> Result<Option<Proxy>, Cause> {
        let is_grpc = self.wanted == Wanted::Grpc;
        let proxy = match (&self.proxy_url, &target.place) {
            (Some(url), Place::Tcp { .. }) => Some(Proxy::of(url)),
            _ => Proxy::from_environment(&self.environment, target, is_grpc),
        };
        proxy.transpose().map_err(|error| Cause::Proxy {
            proxy: "of the settings or the environment".to_owned(),
            reason: format!("its URL {error}"),
        })
    }

    /// Connects to a target. With `address`, to this one of its addresses.
    pub(super) async fn connect(
        &self,
        target: &Target,
        address: Option<SocketAddr>,
        deadline: Instant,
    ) -> Result<Connected, ConnectError> {
        let begun = Instant::now();
        let until = deadline.min(begun + CONNECT_TIMEOUT);
        let timed_out = |stage| Cause::Timeout { stage, after: begun.elapsed() };
        let proxy = self.proxy(target)?;
        let (stream, address, through) = match proxy {
            None => {
                let (stream, address) = self.dial(target, address, until).await?;
                (stream, address, None)
            }
            Some(proxy) => {
                let (mut stream, address) = timeout_at(until, self.dial_proxy(&proxy, until))
                    .await
                    .map_err(|_elapsed| timed_out(Stage::Connect))??;
                if target.tls || self.wanted == Wanted::Grpc {
                    let name = proxy::name(&proxy);
                    timeout_at(until, proxy::connect(&mut *stream, &proxy, target))
                        .await
                        .map_err(|_elapsed| timed_out(Stage::Connect))?
                        .map_err(|reason| Cause::Proxy { proxy: name, reason })?;
                    (stream, address, None)
                } else {
                    (stream, address, Some(proxy))
                }
            }
        };
        let first = FirstBytes::default();
        if !target.tls {
            let io = Noting::new(stream, first.clone());
            return Ok(Connected { io, first, address, agreed_http2: None, through });
        }
        let until = deadline.min(Instant::now() + HANDSHAKE_TIMEOUT);
        let handshake = self.handshake(&self.tls, target.host(), stream);
        let stream = timeout_at(until, handshake)
            .await
            .unwrap_or_else(|_elapsed| Err(timed_out(Stage::TlsHandshake)))
            .map_err(|cause| ConnectError { address, cause })?;
        let agreed = stream.get_ref().1.alpn_protocol().map(|protocol| protocol == b"h2");
        let io = Noting::new(Box::new(stream), first.clone());
        Ok(Connected { io, first, address, agreed_http2: agreed, through })
    }

    /// The addresses of a target's name.
    pub(super) async fn resolve(
        &self,
        host: &str,
        port: u16,
        until: Instant,
    ) -> Result<Vec<SocketAddr>, Cause> {
        #[cfg(test)]
        if !self.addresses.is_empty() {
            return Ok(self.addresses.clone());
        }
        let begun = Instant::now();
        let found = timeout_at(until, lookup_host((host, port)))
            .await
            .map_err(|_elapsed| Cause::Timeout { stage: Stage::Connect, after: begun.elapsed() })?;
        let addresses: Vec<SocketAddr> = found.map_err(Cause::Dns)?.collect();
        if addresses.is_empty() {
            return Err(Cause::Dns(io::Error::new(io::ErrorKind::NotFound, "no address is known")));
        }
        Ok(addresses)
    }

    async fn dial_proxy(
        &self,
        proxy: &Proxy,
        until: Instant,
    ) -> Result<(Box<dyn Io>, Option<SocketAddr>), ConnectError> {
        let name = proxy::name(proxy);
        let at_proxy = |error: ConnectError| ConnectError {
            cause: Cause::Proxy { proxy: name.clone(), reason: error.cause.to_string() },
            ..error
        };
        let (stream, address) = self.dial(&proxy.target, None, until).await.map_err(at_proxy)?;
        if !proxy.target.tls {
            return Ok((stream, address));
        }
        let stream = self
            .handshake(&self.proxy_tls, proxy.target.host(), stream)
            .await
            .map_err(|cause| at_proxy(ConnectError { address, cause }))?;
        Ok((Box::new(stream), address))
    }

    async fn dial(
        &self,
        target: &Target,
        address: Option<SocketAddr>,
        until: Instant,
    ) -> Result<(Box<dyn Io>, Option<SocketAddr>), ConnectError> {
        match &target.place {
            Place::Unix(path) => {
                let begun = Instant::now();
                let stream = timeout_at(until, UnixStream::connect(path))
                    .await
                    .map_err(|_elapsed| Cause::Timeout {
                        stage: Stage::Connect,
                        after: begun.elapsed(),
                    })?
                    .map_err(|error| dial_cause(error, false))?;
                Ok((Box::new(stream), None))
            }
            Place::Tcp { host, port } => {
                let addresses = match address {
                    Some(address) => vec![address],
                    None => self.resolve(host, *port, until).await?,
                };
                let (stream, address) = dial_any(host, &addresses, until).await?;
                Ok((Box::new(stream), Some(address)))
            }
        }
    }

    async fn handshake(
        &self,
        tls: &Arc<ClientTls>,
        host: &str,
        stream: Box<dyn Io>,
    ) -> Result<tokio_rustls::client::TlsStream<Box<dyn Io>>, Cause> {
        let config = tls.config().await.map_err(Cause::TlsSetup)?;
        let name = tls.server_name(host).map_err(Cause::TlsSetup)?;
        TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(|error| handshake_cause(error, self.wanted))
    }
}

/// Tries one address after the other; each gets its share of the time that is left.
async fn dial_any(
    host: &str,
    addresses: &[SocketAddr],
    until: Instant,
) -> Result<(TcpStream, SocketAddr), ConnectError> {
    let mut failure = ConnectError::from(Cause::Dns(io::ErrorKind::NotFound.into()));
    for (tried, &address) in addresses.iter().enumerate() {
        let begun = Instant::now();
        let left = until.saturating_duration_since(begun);
        let share = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let cause = match timeout_at(begun + left / share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => match prepare(&stream) {
                Ok(()) => return Ok((stream, address)),
                Err(error) => Cause::Connect(error),
            },
            Ok(Err(error)) => dial_cause(error, is_loopback(host, Some(address))),
            Err(_elapsed) => Cause::Timeout { stage: Stage::Connect, after: begun.elapsed() },
        };
        failure = ConnectError { address: Some(address), cause };
    }
    Err(failure)
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    crate::keep_alive(stream)
}

fn dial_cause(error: io::Error, is_loopback: bool) -> Cause {
    if error.kind() == io::ErrorKind::ConnectionRefused {
        Cause::Refused { is_loopback }
    } else {
        Cause::Connect(error)
    }
}

/// What went wrong in a handshake.
fn handshake_cause(error: io::Error, wanted: Wanted) -> Cause {
    use rustls::{Error, InvalidMessage};
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        // A server without TLS takes the handshake for a broken request, and hangs up.
        return match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                Cause::PlaintextPeer { wanted }
            }
            _ => Cause::Tls(error),
        };
    };
    match tls {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Cause::PlaintextPeer { wanted }
        }
        Error::InvalidCertificate(fault) => Cause::Certificate(certificate_fault(fault)),
        Error::AlertReceived(alert) => alert_cause(*alert),
        _ => Cause::Tls(error),
    }
}

fn certificate_fault(fault: &CertificateError) -> CertificateFault {
    match fault {
        // Signed by another authority of the same name, such as one that was made anew.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            CertificateFault::UnknownIssuer
        }
        CertificateError::NotValidForName => CertificateFault::Name(Vec::new()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            CertificateFault::Name(presented.iter().take(8).cloned().collect())
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => CertificateFault::Time,
        other => CertificateFault::Other(other.to_string()),
    }
}

/// What a failure after connecting means, from what the server has said.
pub(super) fn exchange_cause(error: hyper::Error, met: &Met, wanted: Wanted) -> Cause {
    let (is_http2, is_encrypted) = (met.link.is_http2, met.link.target.tls);
    if let Some(alert) = met.link.first.alert() {
        return alert_cause(alert);
    }
    match met.link.first.spoken() {
        Spoken::Tls if !is_encrypted => Cause::TlsPeer { wanted },
        Spoken::WantsTls if !is_encrypted && is_http2 => Cause::TlsPeer { wanted },
        Spoken::Http1 | Spoken::WantsTls if is_http2 => Cause::Http1Peer,
        Spoken::Http2 if !is_http2 => Cause::Http2Peer,
        Spoken::Nothing if met.is_new && !is_encrypted => Cause::ClosedAtOnce { wanted },
        _ if error.is_parse() => Cause::Protocol(error),
        _ => Cause::Closed,
    }
}

/// The connection on which an exchange failed.
pub(super) struct Met<'a> {
    pub(super) link: &'a Link,
    /// Whether no request went over it before.
    pub(super) is_new: bool,
}

fn alert_cause(alert: AlertDescription) -> Cause {
    match alert {
        AlertDescription::CertificateRequired => Cause::ClientCertificate,
        alert => Cause::Alert(alert),
    }
}
