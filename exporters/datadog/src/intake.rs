//! Datadog's intake: where a request goes, how its body is compressed, and what the answer means.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use ::config::CompressionLevel;
use bytes::Bytes;
use exporter_helper::{EncodeError, Reason, SendError, Sent, user_agent};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use net::client::{
    Body, ClientOptions, Environment, HttpClient, Reply, Request, retry_after, shown,
};
use net::error::TransportError;
use pipeline::Deadline;

use crate::config::Config;

mod classify;
mod endpoint;

pub(crate) use classify::{Answer, classify};
pub(crate) use endpoint::{Base, Endpoint};

/// The header of the API key.
const DD_API_KEY: HeaderName = HeaderName::from_static("dd-api-key");
/// The limit of an attempt that has none of its own.
const WITHOUT_TIMEOUT: Duration = Duration::from_secs(3600);

/// A client of the intake. Nothing is opened, read or parsed before the first request.
pub(crate) struct Intake {
    config: Arc<Config>,
    client: OnceLock<HttpClient>,
    /// The key as a header, which no log shows.
    key: HeaderValue,
}

/// A request, encoded once for all attempts to send it.
#[derive(Clone, Debug)]
pub(crate) struct IntakeRequest {
    /// Where it goes.
    pub(crate) endpoint: Endpoint,
    /// The body, compressed.
    pub(crate) body: Body,
    /// Headers beside those that every request has.
    pub(crate) headers: HeaderMap,
}

impl Intake {
    /// A client with these settings, which had no errors.
    pub(crate) fn new(config: Arc<Config>) -> Self {
        let key = HeaderValue::from_str(config.api.key.expose());
        let mut key = key.unwrap_or(HeaderValue::from_static(""));
        key.set_sensitive(true);
        Self { config, client: OnceLock::new(), key }
    }

    /// Makes a request of a body, compressing it in the way that the endpoint takes. Work for the processor: call it where a
    /// payload is encoded.
    pub(crate) fn request(
        &self,
        endpoint: Endpoint,
        body: impl Into<Bytes>,
    ) -> Result<IntakeRequest, EncodeError> {
        let (codec, level) = match endpoint {
            Endpoint::Logs => (self.config.logs.compression, self.config.logs.compression_level),
            _ => (endpoint.compression(), CompressionLevel::Measured),
        };
        let failed = |error| EncodeError::Untranslatable(Reason::new(format!("{error}")));
        let body = Body::compressed(vec![body.into()], codec, level).map_err(failed)?;
        Ok(IntakeRequest { endpoint, body, headers: HeaderMap::new() })
    }

    /// Sends a request once.
    pub(crate) async fn send(&self, request: &IntakeRequest) -> Result<Sent, SendError> {
        let endpoint = request.endpoint;
        match self.exchange(request).await {
            Ok(reply) => self.read(endpoint, &reply),
            Err(error) => Err(SendError::unreached(&error)),
        }
    }

    /// Sends a request once and gives the answer as it is.
    pub(crate) async fn exchange(&self, request: &IntakeRequest) -> Result<Reply, TransportError> {
        let endpoint = request.endpoint;
        let mut headers = request.headers.clone();
        headers.insert(DD_API_KEY, self.key.clone());
        if let Some(content_type) = endpoint.content_type() {
            headers.insert(CONTENT_TYPE, content_type);
        }
        let uri = self.url(endpoint);
        let request =
            Request { method: endpoint.method(), uri, headers, body: request.body.clone() };
        let timeout = self.config.client.timeout.unwrap_or(WITHOUT_TIMEOUT);
        self.client().send(&request, Deadline::after(timeout).instant()).await
    }

    /// Opens a connection for a request to this endpoint.
    pub(crate) async fn warm(&self, endpoint: Endpoint, deadline: Deadline) {
        self.client().warm(&self.url(endpoint), deadline.instant()).await;
    }

    /// The URL of an endpoint.
    pub(crate) fn url(&self, endpoint: Endpoint) -> Uri {
        let base = match endpoint.base() {
            Base::Traces => &self.config.traces.endpoint,
            Base::Metrics => &self.config.metrics.endpoint,
            Base::Logs => &self.config.logs.endpoint,
        };
        let base = base.as_ref().map(Uri::to_string).unwrap_or_default();
        let base = base.trim_end_matches('/');
        // A setting that is the whole URL is meant well.
        let base = base.strip_suffix(endpoint.path()).unwrap_or(base);
        let url = format!("{base}{}", endpoint.path());
        url.parse().unwrap_or_default()
    }

    /// What an answer means.
    fn read(&self, endpoint: Endpoint, reply: &Reply) -> Result<Sent, SendError> {
        let delay = retry_after(&reply.headers, SystemTime::now());
        let said = String::from_utf8_lossy(&reply.body);
        let answer = Answer { status: reply.status, delay, said: &said };
        classify(endpoint, &shown(&self.url(endpoint)), &answer)
    }

    fn client(&self) -> &HttpClient {
        self.client.get_or_init(|| {
            let options = ClientOptions {
                environment: Environment::process(),
                user_agent: Some(user_agent()),
                ..ClientOptions::default()
            };
            HttpClient::new(&self.config.client, options)
        })
    }
}

impl IntakeRequest {
    /// A request without a body.
    pub(crate) fn empty(endpoint: Endpoint) -> Self {
        Self { endpoint, body: Body::empty(), headers: HeaderMap::new() }
    }
}

#[cfg(test)]
mod tests;
