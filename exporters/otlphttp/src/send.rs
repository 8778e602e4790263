//! One request out, and what its answer means.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use ::config::{Auth, HttpClient as ClientSettings};
use bytes::Bytes;
use exporter_helper::{
    EncodeError, Encoded, EncodedRequest, OFFLOAD_BYTES, Push, Reason, SendError, Sent, classify,
    exporter, user_agent,
};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, Uri};
use net::auth::ClientAuthenticator;
use net::client::{
    Body, ClientOptions, Environment, HttpClient, Reply, Request, retry_after, shown,
};
use pdata::{PartialSuccess, Payload, RpcStatus};
use pipeline::{BuildError, Client, Context, Deadline, Exporter, StartError};
use telemetry::names::label;

use crate::config::{Config, Encoding};

/// The limit of an attempt that has none of its own.
const WITHOUT_TIMEOUT: Duration = Duration::from_secs(3600);

/// Makes the exporter for the context's signal.
pub(crate) fn build(config: &Config, context: Context) -> Result<Arc<dyn Exporter>, BuildError> {
    let url = context.signal.and_then(|signal| config.url(signal));
    let Some(url) = url else {
        let signal = context.signal.map_or("this signal", |signal| signal.name());
        let id = &context.id;
        let text = format!(
            "exporters::{id}: has no URL for {signal}; set \"endpoint\" or \"{signal}_endpoint\""
        );
        return Err(BuildError(text));
    };
    net::tls::check_client(&config.client.tls).map_err(|error| BuildError(error.to_string()))?;
    let mut settings = config.helper.clone();
    let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("https") { 443 } else { 80 });
    settings.labels = vec![
        (label::SERVER_ADDRESS, url.host().unwrap_or_default().to_owned()),
        (label::SERVER_PORT, port.to_string()),
        (label::URL_PATH, url.path().to_owned()),
    ];
    let push = OtlpHttp {
        settings: config.client.clone(),
        encoding: config.encoding,
        url: url.clone(),
        context: context.clone(),
        client: OnceLock::new(),
    };
    exporter(context, settings, push)
}

struct OtlpHttp {
    settings: ClientSettings,
    encoding: Encoding,
    url: Uri,
    context: Context,
    /// Made at start, when authenticators can be found.
    client: OnceLock<HttpClient>,
}

impl OtlpHttp {
    fn client(&self) -> &HttpClient {
        self.client.get_or_init(|| HttpClient::new(&self.settings, self.options(None)))
    }

    fn options(&self, auth: Option<&ClientAuthenticator>) -> ClientOptions {
        ClientOptions {
            environment: Environment::process(),
            user_agent: Some(user_agent()),
            auth: auth.map(|authenticator| authenticator.0.clone()),
            ..ClientOptions::default()
        }
    }

    fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static(match self.encoding {
            Encoding::Proto => "application/x-protobuf",
            Encoding::Json => "application/json",
        })
    }

    /// What an answer means.
    fn read(&self, reply: &Reply) -> Result<Sent, SendError> {
        if !reply.status.is_success() {
            let said = self.status(reply);
            let delay = retry_after(&reply.headers, SystemTime::now()).or(said.retry_delay);
            let reason =
                format!("{} answered {}: {}", shown(&self.url), reply.status, said.message);
            classify::http(reply.status.as_u16(), delay, Reason::new(reason))?;
        }
        let partial = match self.answer_encoding(reply) {
            Encoding::Proto => PartialSuccess::from_protobuf(&reply.body),
            Encoding::Json => PartialSuccess::from_json(&reply.body),
        };
        Ok(match partial {
            _ if reply.body.is_empty() => Sent::all(),
            Ok(partial) if partial.is_full() => Sent::all(),
            Ok(partial) => {
                let rejected = usize::try_from(partial.rejected).unwrap_or(usize::MAX);
                Sent::partly(rejected, Reason::new(partial.message))
            }
            Err(_not_otlp) => Sent::partly(
                0,
                Reason::new(format!(
                    "{} took the data, and its answer is no OTLP response",
                    shown(&self.url)
                )),
            ),
        })
    }

    fn answer_encoding(&self, reply: &Reply) -> Encoding {
        match reply.header(&CONTENT_TYPE) {
            Some(media_type) if media_type.starts_with("application/json") => Encoding::Json,
            Some(media_type) if media_type.starts_with("application/x-protobuf") => Encoding::Proto,
            _ => self.encoding,
        }
    }

    /// What a refusal's body says: a `google.rpc.Status`, or just text.
    fn status(&self, reply: &Reply) -> RpcStatus {
        let status = match self.answer_encoding(reply) {
            Encoding::Proto => RpcStatus::from_protobuf(&reply.body),
            Encoding::Json => RpcStatus::from_json(&reply.body),
        };
        let text = |_not_a_status| {
            let message = String::from_utf8_lossy(&reply.body).into_owned();
            RpcStatus { message, ..RpcStatus::default() }
        };
        status.unwrap_or_else(text)
    }
}

impl Push for OtlpHttp {
    type Request = Body;

    fn encode(&self, payload: &Payload, _: &Client) -> Result<Encoded<Body>, EncodeError> {
        let pieces = match self.encoding {
            Encoding::Proto => payload.chunks().to_vec(),
            Encoding::Json => {
                let mut json = Vec::new();
                payload.to_json(&mut json);
                vec![Bytes::from(json)]
            }
        };
        let failed = |error| EncodeError::Untranslatable(Reason::new(format!("{error}")));
        let body = self.client().compress_now(pieces).map_err(failed)?;
        let bytes = body.len();
        let own_bytes = if self.passes_on() { 0 } else { bytes };
        let request = EncodedRequest::new(body, payload.items(), bytes);
        Ok(Encoded::one(request.memory_bytes(own_bytes)))
    }

    async fn send(&self, body: &Body) -> Result<Sent, SendError> {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(CONTENT_TYPE, self.content_type());
        let (uri, body) = (self.url.clone(), body.clone());
        let request = Request { method: Method::POST, uri, headers, body };
        let deadline = Deadline::after(self.settings.timeout.unwrap_or(WITHOUT_TIMEOUT));
        let reply = self.client().send(&request, deadline.instant()).await;
        self.read(&reply.map_err(|error| SendError::unreached(&error))?)
    }

    async fn warm(&self, deadline: Deadline) {
        self.client().warm(&self.url, deadline.instant()).await;
    }

    fn request_bytes(&self, payload: &Payload) -> Option<usize> {
        self.passes_on().then(|| payload.encoded_len())
    }

    fn offload_bytes(&self) -> usize {
        if self.passes_on() { usize::MAX } else { OFFLOAD_BYTES }
    }

    async fn start(&self) -> Result<(), StartError> {
        if let Some(Auth { authenticator, .. }) = &self.settings.auth {
            let id = authenticator
                .parse()
                .map_err(|error| StartError(format!("auth::authenticator: {error}")))?;
            let authenticator = self.context.capability::<ClientAuthenticator>(&id)?;
            let options = self.options(Some(&authenticator));
            let client = HttpClient::new(&self.settings, options);
            // Set once: start is called once, before the first request.
            let _first = self.client.set(client);
        }
        Ok(())
    }
}

impl OtlpHttp {
    /// Whether a body is the payload's own bytes.
    fn passes_on(&self) -> bool {
        self.encoding == Encoding::Proto && !self.settings.compression.is_compressed()
    }
}

#[cfg(test)]
mod tests;
