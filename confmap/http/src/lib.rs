//! The `http:` and `https:` providers of a configuration
//! (open-telemetry/opentelemetry-collector `confmap/provider/httpprovider`, `httpsprovider`).
//!
//! Each reference is a URL, fetched by GET and read as YAML. The references of one call are fetched
//! side by side over one small client, which is gone when the call is over. Every call has a
//! deadline, and every body a limit. Needs a tokio runtime.

use std::time::Duration;

use confmap::{
    BoxFuture, Provider, ProviderError, Reference, Retrieved, join_all, limits::MAX_DOCUMENT_BYTES,
};
use http::{HeaderMap, StatusCode, header};
use net::{
    client::{Body, ClientOptions, Environment, HttpClient, Request},
    error::TransportError,
};
use tokio::time::Instant;

use crate::url::Url;

mod url;

/// How long all references of one call may take together.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How many redirects are followed for one reference, as Go's client does.
const MAX_REDIRECTS: usize = 10;

/// How many connections are opened to a host.
const MAX_CONNECTIONS: usize = 8;

/// Fetches configuration from a web server: one provider for `http:`, one for `https:`.
///
/// Proxies and trusted authorities follow the usual variables (`HTTPS_PROXY`, `NO_PROXY`,
/// `SSL_CERT_FILE`); besides the public authorities, those of the system are trusted. A user and
/// password in the URL are sent as basic authentication. Redirects are followed, but never from
/// `https:` to `http:`.
#[derive(Clone, Debug)]
pub struct HttpProvider {
    scheme: &'static str,
    environment: Environment,
}

/// Why a URL yields no configuration.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Not a URL.
    #[error("invalid uri {uri:?}")]
    InvalidUri {
        /// The reference.
        uri: String,
    },
    /// No answer.
    #[error("unable to download the file via HTTP GET for uri {uri:?}")]
    Transport {
        /// The reference.
        uri: String,
        /// The peer and the cause.
        source: TransportError,
    },
    /// An answer that is not 200.
    #[error("failed to load resource from uri {uri:?}. status code: {}", status.as_u16())]
    Status {
        /// The reference.
        uri: String,
        /// The status.
        status: StatusCode,
    },
    /// A redirect to nowhere, or to plain text.
    #[error("uri {uri:?} redirects to no http or https location that can be followed")]
    Redirect {
        /// The reference.
        uri: String,
    },
    /// Redirects without an end.
    #[error("uri {uri:?} redirects more than {MAX_REDIRECTS} times")]
    TooManyRedirects {
        /// The reference.
        uri: String,
    },
    /// A body beyond the limit.
    #[error("the response from uri {uri:?} is larger than {MAX_DOCUMENT_BYTES} bytes")]
    TooLarge {
        /// The reference.
        uri: String,
    },
    /// A body that is no text.
    #[error("the response from uri {uri:?} is not valid UTF-8")]
    NotUtf8 {
        /// The reference.
        uri: String,
    },
}

impl HttpProvider {
    /// The provider of `http:`.
    #[must_use]
    pub fn http(environment: Environment) -> Self {
        Self { scheme: "http", environment }
    }

    /// The provider of `https:`.
    #[must_use]
    pub fn https(environment: Environment) -> Self {
        Self { scheme: "https", environment }
    }

    fn client(&self) -> HttpClient {
        let mut settings = config::HttpClient {
            max_conns_per_host: Some(MAX_CONNECTIONS),
            ..config::HttpClient::default()
        };
        settings.tls.material.include_system_ca_certs_pool = true;
        let options = ClientOptions {
            environment: self.environment.clone(),
            user_agent: Some(concat!("hikyaku/", env!("CARGO_PKG_VERSION")).to_owned()),
            auth: None,
            response_bytes_max: Some(MAX_DOCUMENT_BYTES),
        };
        HttpClient::new(&settings, options)
    }
}

impl Provider for HttpProvider {
    fn scheme(&self) -> &'static str {
        self.scheme
    }

    fn retrieve<'a>(
        &'a self,
        references: &'a [Reference],
    ) -> BoxFuture<'a, Vec<Result<Retrieved, ProviderError>>> {
        Box::pin(async move {
            let client = self.client();
            let deadline = Instant::now() + TIMEOUT;
            let fetches = references.iter().map(|reference| {
                let fetch = fetch(&client, reference, deadline);
                Box::pin(fetch) as BoxFuture<'_, Result<Retrieved, FetchError>>
            });
            let answers = join_all(fetches.collect()).await;
            client.close().await;
            answers.into_iter().map(|answer| answer.map_err(FetchError::with_remedy)).collect()
        })
    }
}

impl FetchError {
    fn with_remedy(self) -> ProviderError {
        let help = match &self {
            Self::InvalidUri { .. } => "write a whole URL, such as https://host/config.yaml",
            Self::Status { status, .. } => match *status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    "the server wants credentials: write user:password and an @ before the host"
                }
                StatusCode::NOT_FOUND => "check the path of the URL",
                _ => "ask for the URL with another client to see what the server says",
            },
            Self::Redirect { .. } | Self::TooManyRedirects { .. } => {
                "name the URL that the redirects should end at"
            }
            Self::TooLarge { .. } | Self::NotUtf8 { .. } => "name the URL of a YAML file",
            // The cause names its own.
            Self::Transport { .. } => return ProviderError::new(self),
        };
        ProviderError::new(self).help(help)
    }
}

/// Fetches what a reference names.
async fn fetch(
    client: &HttpClient,
    reference: &Reference,
    deadline: Instant,
) -> Result<Retrieved, FetchError> {
    let name = || reference.to_string();
    let written = format!("{}:{}", reference.scheme(), reference.opaque());
    let mut url = Url::parse(&written).ok_or_else(|| FetchError::InvalidUri { uri: name() })?;
    for _ in 0..=MAX_REDIRECTS {
        let mut headers = HeaderMap::new();
        if let Some(authorization) = url.authorization() {
            headers.insert(header::AUTHORIZATION, authorization);
        }
        let request = Request {
            method: http::Method::GET,
            uri: url.uri().clone(),
            headers,
            body: Body::empty(),
        };
        let reply = client
            .send(&request, deadline)
            .await
            .map_err(|source| FetchError::Transport { uri: name(), source })?;
        match reply.status {
            StatusCode::OK if reply.is_truncated => {
                return Err(FetchError::TooLarge { uri: name() });
            }
            StatusCode::OK => {
                let text = String::from_utf8(reply.body.to_vec());
                let text = text.map_err(|_| FetchError::NotUtf8 { uri: name() })?;
                return Ok(Retrieved::yaml(text).shown());
            }
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => {
                let location = reply.header(&header::LOCATION);
                let next = location.and_then(|location| url.join(location));
                url = next.ok_or_else(|| FetchError::Redirect { uri: name() })?;
            }
            status => return Err(FetchError::Status { uri: name(), status }),
        }
    }
    Err(FetchError::TooManyRedirects { uri: name() })
}

#[cfg(test)]
mod tests;
