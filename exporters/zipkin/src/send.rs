//! A payload encoded, one request out, and what its answer means.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use ::config::{Auth, HttpClient as ClientSettings};
use bytes::Bytes;
use exporter_helper::{
    About, EncodeError, Encoded, EncodedRequest, Push, Reason, SendError, Sent, classify, exporter,
    user_agent,
};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use net::auth::ClientAuthenticator;
use net::client::{
    Body, ClientOptions, Environment, HttpClient, Reply, Request, retry_after, shown,
};
use pdata::Payload;
use pipeline::{BuildError, Client, Context, Deadline, Exporter, StartError};
use telemetry::names::DropReason;

use crate::config::{Config, SPANS_PATH};
use crate::translate::{Dropped, Options, translate};

/// Payloads are split until their bodies can be expected to be no longer than this, which bounds what is held in memory at
/// once: the default batch of 8192 spans would become 10 MiB of JSON. 1500 spans a request are enough to pay for the request.
const EXPECTED_BODY_BYTES: usize = 2 << 20;
/// The longest body before compression, unless a single span is longer. Zipkin's own server takes 10 MiB.
const BODY_BYTES_MAX: usize = 8 << 20;
/// The limit of an attempt that has none of its own.
const WITHOUT_TIMEOUT: Duration = Duration::from_secs(3600);

/// Makes the exporter.
pub(crate) fn build(config: &Config, context: Context) -> Result<Arc<dyn Exporter>, BuildError> {
    let url = config.url.clone().ok_or_else(|| {
        BuildError(format!("exporters::{}: requires a non-empty \"endpoint\"", context.id))
    })?;
    net::tls::check_client(&config.client.tls).map_err(|error| BuildError(error.to_string()))?;
    let push = Zipkin {
        config: config.clone(),
        shown_url: shown(&url),
        url,
        context: context.clone(),
        client: OnceLock::new(),
    };
    exporter(context, config.helper.clone(), push)
}

struct Zipkin {
    config: Config,
    url: Uri,
    /// The URL for messages: without user and query, which may be secrets.
    shown_url: String,
    context: Context,
    /// Made at start, when authenticators can be found.
    client: OnceLock<HttpClient>,
}

impl Push for Zipkin {
    type Request = Body;

    fn encode(&self, payload: &Payload, _: &Client) -> Result<Encoded<Body>, EncodeError> {
        let format = self.config.format;
        let expected = payload.encoded_len().saturating_mul(format.growth());
        if expected > EXPECTED_BODY_BYTES && payload.items() > 1 {
            return Err(EncodeError::TooLarge);
        }
        let default_service_name = &self.config.default_service_name;
        let options = Options { format, default_service_name, body_len_max: BODY_BYTES_MAX };
        let translation = translate(payload, &options);
        if translation.consumed() < payload.items() {
            return Err(EncodeError::TooLarge);
        }
        let dropped = translation.dropped;
        if dropped.total() > 0 {
            self.warn_of(dropped);
        }
        let mut encoded = Encoded { requests: Vec::new(), unsendable: Vec::new() };
        if dropped.total() > 0 {
            encoded.unsendable.push((DropReason::Untranslatable, dropped.total()));
        }
        if translation.spans > 0 {
            let mut body = translation.body;
            body.shrink_to_fit();
            let failed = |error| EncodeError::Untranslatable(Reason::new(format!("{error}")));
            let body = self.client().compress_now(vec![Bytes::from(body)]).map_err(failed)?;
            let bytes = body.len();
            encoded.requests.push(EncodedRequest::new(body, translation.spans, bytes));
        }
        Ok(encoded)
    }

    async fn send(&self, body: &Body) -> Result<Sent, SendError> {
        let mut headers = HeaderMap::with_capacity(4);
        let content_type = self.config.format.content_type();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let (uri, body) = (self.url.clone(), body.clone());
        let request = Request { method: Method::POST, uri, headers, body };
        let deadline = Deadline::after(self.config.client.timeout.unwrap_or(WITHOUT_TIMEOUT));
        match self.client().send(&request, deadline.instant()).await {
            Ok(reply) => self.read(&reply),
            Err(error) => Err(SendError::unreached(&error)),
        }
    }

    async fn warm(&self, deadline: Deadline) {
        self.client().warm(&self.url, deadline.instant()).await;
    }

    async fn start(&self) -> Result<(), StartError> {
        if let Some(Auth { authenticator, .. }) = &self.config.client.auth {
            let id = authenticator
                .parse()
                .map_err(|error| StartError(format!("auth::authenticator: {error}")))?;
            let authenticator = self.context.capability::<ClientAuthenticator>(&id)?;
            // Set once: start is called once, before the first request.
            let _first = self.client.set(self.client_of(Some(&authenticator)));
        }
        Ok(())
    }
}

impl Zipkin {
    fn client(&self) -> &HttpClient {
        self.client.get_or_init(|| self.client_of(None))
    }

    fn client_of(&self, authenticator: Option<&ClientAuthenticator>) -> HttpClient {
        let settings: &ClientSettings = &self.config.client;
        let options = ClientOptions {
            environment: Environment::process(),
            user_agent: Some(user_agent()),
            auth: authenticator.map(|authenticator| authenticator.0.clone()),
            ..ClientOptions::default()
        };
        HttpClient::new(settings, options)
    }

    /// What an answer means. Upstream tries everything again that is not taken; here a request that can only fail is not.
    fn read(&self, reply: &Reply) -> Result<Sent, SendError> {
        let status = reply.status;
        if status.is_success() {
            return Ok(Sent::all());
        }
        let said = String::from_utf8_lossy(&reply.body);
        // Zipkin's server redirects posts to its front page to its user interface.
        let is_wrong_path = status.is_redirection()
            || matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
        let hint = if is_wrong_path {
            format!(" (Zipkin takes spans at {SPANS_PATH}; setting: endpoint)")
        } else {
            String::new()
        };
        let reason = Reason::new(format!("{} answered {status}{hint}: {said}", self.shown_url));
        let code = Some(classify::grpc_code(status.as_u16()));
        let delay = retry_after(&reply.headers, SystemTime::now());
        Err(match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                SendError::Retryable { code, delay, reason }
            }
            StatusCode::PAYLOAD_TOO_LARGE => SendError::TooLarge { limit_bytes: None, reason },
            StatusCode::INTERNAL_SERVER_ERROR if wraps_too_large(&reply.body) => {
                SendError::TooLarge { limit_bytes: None, reason }
            }
            StatusCode::REQUEST_TIMEOUT => SendError::Retryable { code, delay: None, reason },
            status if status.is_server_error() => {
                SendError::Retryable { code, delay: None, reason }
            }
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                SendError::Permanent { about: About::Request, code, reason }
            }
            _ => SendError::Permanent { about: About::Peer, code, reason },
        })
    }

    fn warn_of(&self, Dropped { trace_id, span_id }: Dropped) {
        tracing::warn!(
            "otelcol.component.id" = %self.context.id,
            "otelcol.component.kind" = "exporter",
            dropped_items = trace_id + span_id,
            invalid_trace_id = trace_id,
            invalid_span_id = span_id,
            "Spans without valid ids have no form in Zipkin. Dropping them."
        );
    }
}

/// Zipkin's server (3.5.1, 10 MiB before decompression) puts the status line of a 413 into the body of a 500.
fn wraps_too_large(body: &[u8]) -> bool {
    body.starts_with(b"413 ")
}

#[cfg(test)]
mod tests;
