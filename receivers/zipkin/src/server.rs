//! Requests as they come off the port, and their answers.
//!
//! Like upstream's, the receiver takes spans at any path; one with `api/v1/spans` in it is Zipkin v1, which is not read here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use config::HttpServer;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body;
use net::ReplyBody;
use net::auth::{AuthError, ServerAuthenticator};
use net::body::{BodyError, BodyLimits, NoRoom, content_encoding, read_body};
use pipeline::{Class, Client, ConsumeError, Hold};
use tokio::time::Instant;

use crate::decode::{DecodeError, Format};
use crate::intake::{Intake, Transport};

/// When a sender is to come back, where nobody says.
const COME_BACK_AFTER: Duration = Duration::from_secs(1);

/// What the port does with requests.
pub(crate) struct Port {
    /// The way in.
    pub(crate) intake: Arc<Intake>,
    /// The server's settings.
    pub(crate) settings: HttpServer,
    /// Who judges senders: the extension that the settings' `auth` names.
    pub(crate) authenticator: Option<Arc<ServerAuthenticator>>,
}

impl Port {
    /// Answers a request. Who is refused before all of the body was read is told that the connection ends, or the next request
    /// would be sent into the closing.
    pub(crate) async fn answer<B>(
        &self,
        request: Request<B>,
        peer: Option<SocketAddr>,
    ) -> Response<ReplyBody>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let transport = transport(&request);
        let is_http1 = request.version() < Version::HTTP_2;
        let (head, mut body) = request.into_parts();
        let result = self.post(transport, Request::from_parts(head, &mut body), peer).await;
        self.intake.count(transport, &result);
        let mut response = match result {
            Ok(()) => return with_status(StatusCode::ACCEPTED, ReplyBody::empty()),
            Err(refusal) => refusal.into_response(),
        };
        if is_http1 && !body.is_end_stream() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn post<B>(
        &self,
        transport: Transport,
        request: Request<B>,
        peer: Option<SocketAddr>,
    ) -> Result<(), Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        if request.method() != Method::POST {
            let text = "405 method not allowed, supported: [POST]";
            return Err(Refusal::of(StatusCode::METHOD_NOT_ALLOWED, text));
        }
        let format = match transport {
            Transport::V1Thrift | Transport::V1Json => return Err(Refusal::v1(transport)),
            Transport::V2Json => Format::Json,
            Transport::V2Proto => Format::Proto,
        };
        let client = self.client(&request, peer).await?;
        let codec = content_encoding(request.headers(), &self.settings.compression_algorithms)?;
        let hold = self.intake.admit()?;
        let limits = BodyLimits {
            deadline: self.settings.read_timeout.map(|timeout| Instant::now() + timeout),
            ..BodyLimits::of(self.settings.max_body_bytes)
        };
        let account = |bytes| account(&hold, bytes);
        let body = read_body(request.into_body(), codec, &limits, account).await?;
        self.intake.take(transport, format, body, hold, client).await
    }

    /// The sender, once it is known that it may send.
    async fn client<B>(
        &self,
        request: &Request<B>,
        peer: Option<SocketAddr>,
    ) -> Result<Arc<Client>, Refusal> {
        let auth = match &self.authenticator {
            Some(authenticator) => {
                let auth = self.settings.auth.as_ref();
                let params = auth.map(|auth| auth.request_params.as_slice()).unwrap_or_default();
                authenticator.judge(request, params).await?.to_vec()
            }
            None if !self.settings.include_metadata => return Ok(Client::unknown()),
            None => Vec::new(),
        };
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let mut metadata = Vec::new();
        if self.settings.include_metadata {
            metadata.extend(request.headers().iter().filter_map(text));
        }
        Ok(Arc::new(Client { metadata, address: peer, auth }))
    }
}

/// What a sender is told when its spans are not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: StatusCode,
    text: String,
    retry_after: Option<Duration>,
    /// Whether the pipelines said no, rather than the receiver.
    pub(crate) is_the_pipelines: bool,
}

impl Refusal {
    fn of(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), retry_after: None, is_the_pipelines: false }
    }

    /// The body makes no sense.
    pub(crate) fn bad(error: &DecodeError) -> Self {
        Self::of(StatusCode::BAD_REQUEST, error.to_string())
    }

    /// The memory budget is spent.
    pub(crate) fn no_room(retry_after: Duration) -> Self {
        let text = "the memory budget is spent; come back when the exporters have made room";
        let refusal = Self::of(StatusCode::SERVICE_UNAVAILABLE, text);
        Self { retry_after: Some(retry_after), is_the_pipelines: true, ..refusal }
    }

    fn v1(transport: Transport) -> Self {
        match transport {
            Transport::V1Thrift => Self::of(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Zipkin v1 and its Thrift encoding are not supported; send v2 JSON or protobuf to /api/v2/spans",
            ),
            _ => Self::of(
                StatusCode::BAD_REQUEST,
                "Zipkin v1 is not supported; send v2 JSON or protobuf to /api/v2/spans",
            ),
        }
    }

    fn into_response(self) -> Response<ReplyBody> {
        let method_not_allowed = self.status == StatusCode::METHOD_NOT_ALLOWED;
        let mut response = with_status(self.status, ReplyBody::from(self.text));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if method_not_allowed {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        if let Some(delay) = self.retry_after {
            let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::NoRoom => Self::no_room(COME_BACK_AFTER),
            error => Self::of(error.http_status(), error.to_string()),
        }
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Refused(why) => Self::of(StatusCode::UNAUTHORIZED, why),
            AuthError::Unavailable(why) => Self::of(StatusCode::SERVICE_UNAVAILABLE, why),
        }
    }
}

/// Upstream answers 500 to what can be tried again; 503 says so.
impl From<ConsumeError> for Refusal {
    fn from(error: ConsumeError) -> Self {
        let (status, retry_after) = match error.class {
            Class::Permanent => (StatusCode::BAD_REQUEST, None),
            Class::Overloaded | Class::Retryable | Class::Closed => {
                let delay = error.retry_after.unwrap_or(COME_BACK_AFTER);
                (StatusCode::SERVICE_UNAVAILABLE, Some(delay))
            }
        };
        let refusal = Self::of(status, error.message);
        Self { retry_after, is_the_pipelines: true, ..refusal }
    }
}

/// Tells the memory budget how many bytes a body takes by now.
fn account(hold: &Hold, bytes: usize) -> Result<(), NoRoom> {
    if hold.try_resize(bytes) { Ok(()) } else { Err(NoRoom) }
}

fn transport<B>(request: &Request<B>) -> Transport {
    let is_v1 = request.uri().path().contains("api/v1/spans");
    match media_type(request.headers()) {
        media_type if is_v1 && media_type.eq_ignore_ascii_case("application/x-thrift") => {
            Transport::V1Thrift
        }
        _ if is_v1 => Transport::V1Json,
        media_type if media_type.eq_ignore_ascii_case("application/x-protobuf") => {
            Transport::V2Proto
        }
        _ => Transport::V2Json,
    }
}

/// The media type of the body, without parameters.
fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().split(';').next().unwrap_or_default().trim()
}

fn with_status(status: StatusCode, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests;
