//! The seams for authenticators, which service extensions fill.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Request, Uri};

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

impl ServerAuthenticator {
    /// Judges a request. Query parameters of these names stand for headers, and win over headers
    /// of the same name.
    ///
    /// # Errors
    /// If the authenticator says no, or can't say.
    pub async fn judge<B>(
        &self,
        request: &Request<B>,
        params: &[String],
    ) -> Result<AuthAttributes, AuthError> {
        let mut headers = request.headers().clone();
        let query = request.uri().query().unwrap_or_default().split('&');
        for (name, value) in query.filter_map(|pair| pair.split_once('=')) {
            if params.iter().any(|param| param == name)
                && let (Ok(name), Ok(value)) = (HeaderName::try_from(name), value.parse())
            {
                headers.insert(name, value);
            }
        }
        self.0.authenticate(&headers).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says which headers it was shown.
    struct Mirror;

    impl ServerAuth for Mirror {
        fn authenticate<'a>(
            &'a self,
            headers: &'a HeaderMap,
        ) -> BoxFuture<'a, Result<AuthAttributes, AuthError>> {
            let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
            let shown = headers.iter().map(|(name, value)| (name.to_string(), text(value)));
            let shown = shown.collect();
            Box::pin(async move { Ok(shown) })
        }
    }

    #[tokio::test]
    async fn named_query_parameters_stand_for_headers_and_win_over_them() {
        for (query, shown) in [
            ("", "header"),
            ("?x-word=query", "query"),
            ("?a&x-word=first&x-other=1&x-word=last", "last"),
            ("?x-words=query", "header"),
        ] {
            let uri = format!("http://localhost/{query}");
            let request = Request::get(uri).header("x-word", "header").body(()).unwrap();
            let params = ["x-word".to_owned()];
            let seen = ServerAuthenticator(Arc::new(Mirror)).judge(&request, &params).await;
            assert_eq!(*seen.unwrap(), [("x-word".to_owned(), shown.to_owned())], "{query}");
        }
    }
}
