//! The seams for authenticators, which service extensions fill.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};

use crate::BoxFuture;

/// A request as it goes on the wire: after compression, with all headers.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// The method.
    pub method: &'a Method,
    /// The full URL.
    pub uri: &'a Uri,
    /// The headers, for the authenticator to add its own. The host is in the URL, unless a
    /// `Host` header is among them.
    pub headers: &'a mut HeaderMap,
    /// The body in pieces.
    pub body: &'a [Bytes],
}

/// Signs requests of a client. Asked for every attempt, so that a signature is never stale.
pub trait ClientAuth: Send + Sync {
    /// Adds what authenticates the request. The future may be dropped at any point.
    fn authorize<'a>(&'a self, request: Outgoing<'a>) -> BoxFuture<'a, Result<(), AuthError>>;
}

/// Judges requests of a server.
pub trait ServerAuth: Send + Sync {
    /// Says who sends these headers. Query parameters that the settings name stand among them.
    fn authenticate<'a>(
        &'a self,
        headers: &'a HeaderMap,
    ) -> BoxFuture<'a, Result<AuthAttributes, AuthError>>;
}

/// What an authenticator found out about a sender, by attribute name.
pub type AuthAttributes = Arc<[(String, String)]>;

/// Why a request is not authenticated. The text never has a secret in it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuthError {
    /// It could be later: a token service that is down.
    #[error("{0}")]
    Unavailable(String),
    /// It never will be with these credentials.
    #[error("{0}")]
    Refused(String),
}

/// A client authenticator as a service extension's capability, to be found by type.
#[derive(Clone)]
pub struct ClientAuthenticator(pub Arc<dyn ClientAuth>);

/// A server authenticator as a service extension's capability, to be found by type.
#[derive(Clone)]
pub struct ServerAuthenticator(pub Arc<dyn ServerAuth>);
