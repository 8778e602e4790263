//! Why a request did not get an answer.
//!
//! The usual mistakes of a first contact — TLS to a server without it, the wrong one of two ports
//! — are recognised from what the peer said, and name the setting to change.

use std::fmt;
use std::io;
use std::time::Duration;

use rustls::AlertDescription;

use crate::auth::AuthError;
use crate::tls::TlsError;

/// A request that got no answer: to whom, and why.
#[derive(Debug)]
pub struct TransportError {
    /// The peer as `host:port`, with the address that was tried if it is known.
    pub peer: String,
    /// The cause.
    pub cause: Cause,
}

/// Whether the same request can succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It can.
    Retryable,
    /// It can't, without a change of the configuration.
    Permanent,
}

/// What a client wanted to speak, which decides the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// HTTP, by the scheme of a URL.
    Http,
    /// gRPC.
    Grpc,
}

/// What was being done when a time was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Connecting, resolving the name and passing a proxy included.
    Connect,
    /// The handshake of TLS.
    TlsHandshake,
    /// Sending the request and waiting for its answer.
    Answer,
}

/// What is wrong with a server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    /// Signed by nobody who is trusted.
    UnknownIssuer,
    /// For another name; those it is for.
    Name(Vec<String>),
    /// Its time is over, or has not begun.
    Time,
    /// Anything else.
    Other(String),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The name has no address.
    #[error("the host name can't be resolved: {0}")]
    Dns(#[source] io::Error),
    /// Nothing listens.
    #[error("connection refused: nothing listens there{}", if *is_loopback {
        "; inside a container, localhost is the container itself"
    } else {
        ""
    })]
    Refused {
        /// Whether the address is this machine.
        is_loopback: bool,
    },
    /// The connection could not be made for another reason.
    #[error("can't connect: {0}")]
    Connect(#[source] io::Error),
    /// The time was up.
    #[error("timed out after {:.1} s {}", after.as_secs_f64(), match stage {
        Stage::Connect => "while connecting",
        Stage::TlsHandshake => "during the TLS handshake",
        Stage::Answer => "while waiting for the answer",
    })]
    Timeout {
        /// What was being done.
        stage: Stage,
        /// For how long.
        after: Duration,
    },
    /// The proxy did not pass the connection on.
    #[error("the proxy {proxy} refused to connect: {reason}")]
    Proxy {
        /// The proxy as `host:port`.
        proxy: String,
        /// Its status line, or what went wrong with it.
        reason: String,
    },
    /// TLS was begun with a server that speaks plain text.
    #[error("the server does not speak TLS here: {}", match wanted {
        Wanted::Http => "write http:// in the endpoint, or turn TLS on at the server",
        Wanted::Grpc => "set tls.insecure: true, or turn TLS on at the server",
    })]
    PlaintextPeer {
        /// What was wanted.
        wanted: Wanted,
    },
    /// Plain text was sent to a server that speaks TLS.
    #[error("the server expects TLS: {}", match wanted {
        Wanted::Http => "write https:// in the endpoint",
        Wanted::Grpc => "remove tls.insecure: true",
    })]
    TlsPeer {
        /// What was wanted.
        wanted: Wanted,
    },
    /// The server closed a new connection without a word.
    #[error("the server closed the connection without an answer; {}", match wanted {
        Wanted::Http => "if it expects TLS, write https:// in the endpoint",
        Wanted::Grpc => "if it expects TLS, remove tls.insecure: true",
    })]
    ClosedAtOnce {
        /// What was wanted.
        wanted: Wanted,
    },
    /// gRPC was begun with a server that speaks HTTP/1.
    #[error(
        "the server speaks HTTP/1.1, not gRPC: use its gRPC port (usually 4317), or the otlp_http exporter"
    )]
    Http1Peer,
    /// HTTP/1 was sent to a server that speaks HTTP/2 only.
    #[error(
        "the server speaks HTTP/2 only, as gRPC does: use its HTTP port (usually 4318), or the otlp exporter"
    )]
    Http2Peer,
    /// The server's certificate is not good.
    #[error("the server's certificate is refused: {0}")]
    Certificate(CertificateFault),
    /// The server wants to see a certificate.
    #[error("the server wants a client certificate: set tls.cert_file and tls.key_file")]
    ClientCertificate,
    /// The server ended the handshake.
    #[error("the server refused the TLS handshake with {0:?}")]
    Alert(AlertDescription),
    /// TLS went wrong otherwise.
    #[error("the TLS handshake failed: {0}")]
    Tls(#[source] io::Error),
    /// The own TLS settings can't be used.
    #[error("{0}")]
    TlsSetup(#[source] TlsError),
    /// The connection ended before the answer was complete.
    #[error("the connection was closed before the answer was complete")]
    Closed,
    /// The peer broke the protocol.
    #[error("the answer is no valid HTTP: {0}")]
    Protocol(#[source] hyper::Error),
    /// The authenticator could not sign the request.
    #[error("the request can't be authenticated: {0}")]
    Auth(#[source] AuthError),
    /// The request can't be sent as it is.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The body could not be compressed.
    #[error("the request can't be compressed: {0}")]
    Compress(#[source] io::Error),
}

impl TransportError {
    pub(crate) fn new(peer: impl Into<String>, cause: Cause) -> Self {
        Self { peer: peer.into(), cause }
    }

    /// Whether the same request can succeed later.
    #[must_use]
    pub fn class(&self) -> Class {
        self.cause.class()
    }
}

impl Cause {
    /// Whether the same request can succeed later. What a server or the network may mend can,
    /// which includes wrong certificates; the request itself and refused credentials can't.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::InvalidRequest(_) | Self::Auth(AuthError::Refused(_)) => Class::Permanent,
            _ => Class::Retryable,
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.peer, self.cause)
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.cause)
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownIssuer => f.write_str(
                "its issuer is not trusted; set tls.ca_file to the authority's certificate, or tls.include_system_ca_certs_pool: true if the system trusts it",
            ),
            Self::Name(names) if names.is_empty() => f.write_str(
                "it is for another name; set tls.server_name_override to the one it is for",
            ),
            Self::Name(names) => {
                let names = names.join(", ");
                write!(f, "it is for {names}; set tls.server_name_override to that name")
            }
            Self::Time => {
                f.write_str("it has expired, or is not valid yet; check it, and this machine's clock")
            }
            Self::Other(reason) => f.write_str(reason),
        }
    }
}
