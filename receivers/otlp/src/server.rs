//! Requests as they come off a port: both protocols are understood on either one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use config::Compression;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body;
use net::ReplyBody;
use net::auth::{AuthError, ServerAuthenticator};
use net::body::{BodyError, BodyLimits, NoRoom, content_encoding, read_body};
use net::grpc;
use pdata::Signal;
use pipeline::{Client, GrpcCode, Hold};
use tokio::time::Instant;

use crate::answer::Refusal;
use crate::config::Paths;
use crate::intake::{Encoding, Intake};

/// What one port does with requests.
pub(crate) struct Port {
    /// The way in for gRPC.
    pub(crate) grpc: Arc<Intake>,
    /// The way in for HTTP.
    pub(crate) http: Arc<Intake>,
    /// Paths of HTTP requests.
    pub(crate) paths: Paths,
    /// The largest message of a gRPC call, in bytes.
    pub(crate) grpc_body_bytes_max: usize,
    /// The largest body of an HTTP request, in bytes.
    pub(crate) http_body_bytes_max: usize,
    /// Codecs that an HTTP request may use.
    pub(crate) compression: Vec<Compression>,
    /// Time for the body of a request; `None` leaves it to the limit on silence.
    pub(crate) read_timeout: Option<Duration>,
    /// Whether headers become client metadata.
    pub(crate) include_metadata: bool,
    /// Who may send.
    pub(crate) auth: Option<Auth>,
}

/// An authenticator, and the query parameters that count as headers for it.
pub(crate) struct Auth {
    /// The service extension's capability.
    pub(crate) authenticator: Arc<ServerAuthenticator>,
    /// Names of query parameters; they win over headers of the same name.
    pub(crate) request_params: Vec<String>,
}

/// The signal of a gRPC method (opentelemetry-proto `collector/*/v1/*_service.proto`).
fn signal_of_method(path: &str) -> Option<Signal> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some(Signal::Traces),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Some(Signal::Metrics),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some(Signal::Logs),
        _ => None,
    }
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
        let is_http1 = request.version() < Version::HTTP_2;
        let (head, mut body) = request.into_parts();
        let mut response = self.dispatch(Request::from_parts(head, &mut body), peer).await;
        if is_http1 && !response.status().is_success() && !body.is_end_stream() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn dispatch<B>(
        &self,
        request: Request<B>,
        peer: Option<SocketAddr>,
    ) -> Response<ReplyBody>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        if grpc::is_grpc(request.headers()) {
            let result = self.call(request, peer).await;
            self.grpc.count(&result);
            return match result {
                Ok(()) => grpc::success(&[]),
                Err(refusal) => grpc::failure(&refusal.into_status()),
            };
        }
        self.post(request, peer).await
    }

    async fn call<B>(&self, request: Request<B>, peer: Option<SocketAddr>) -> Result<(), Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let path = request.uri().path();
        let signal = signal_of_method(path).ok_or_else(|| {
            let message = format!("unknown method {path}");
            Refusal::of(StatusCode::NOT_FOUND, GrpcCode::Unimplemented, message)
        })?;
        self.grpc.outlet(signal).ok_or_else(|| Refusal::not_found(signal))?;
        let client = self.client(&request, peer).await?;
        let encoding = grpc::message_encoding(request.headers()).map_err(|status| {
            Refusal::of(StatusCode::BAD_REQUEST, GrpcCode::Unimplemented, status.message)
        })?;
        let hold = self.grpc.admit(0)?;
        let limits = self.limits(self.grpc_body_bytes_max);
        let account = |bytes| account(&hold, bytes);
        let body = grpc::read_message(request.into_body(), encoding, &limits, account).await?;
        self.grpc.take(signal, Encoding::Protobuf, body, hold, client).await
    }

    async fn post<B>(&self, request: Request<B>, peer: Option<SocketAddr>) -> Response<ReplyBody>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let Some(signal) = self.paths.signal(request.uri().path()) else {
            return plain(StatusCode::NOT_FOUND, "404 page not found");
        };
        if self.http.outlet(signal).is_none() {
            return plain(StatusCode::NOT_FOUND, "404 page not found");
        }
        if request.method() != Method::POST {
            let mut response =
                plain(StatusCode::METHOD_NOT_ALLOWED, "405 method not allowed, supported: [POST]");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        let Some(encoding) = media_type(request.headers()) else {
            return plain(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "415 unsupported media type, supported: [application/json, application/x-protobuf]",
            );
        };
        let result = self.export(request, signal, encoding, peer).await;
        self.http.count(&result);
        match result {
            Ok(()) => accepted(encoding),
            Err(refusal) => refused(encoding, &refusal),
        }
    }

    async fn export<B>(
        &self,
        request: Request<B>,
        signal: Signal,
        encoding: Encoding,
        peer: Option<SocketAddr>,
    ) -> Result<(), Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let client = self.client(&request, peer).await?;
        let codec = content_encoding(request.headers(), &self.compression)?;
        let hold = self.http.admit(0)?;
        let limits = self.limits(self.http_body_bytes_max);
        let account = |bytes| account(&hold, bytes);
        let body = read_body(request.into_body(), codec, &limits, account).await?;
        self.http.take(signal, encoding, body, hold, client).await
    }

    fn limits(&self, bytes: usize) -> BodyLimits {
        let deadline = self.read_timeout.map(|timeout| Instant::now() + timeout);
        BodyLimits { deadline, ..BodyLimits::of(bytes) }
    }

    /// The sender, once it is known that it may send.
    async fn client<B>(
        &self,
        request: &Request<B>,
        peer: Option<SocketAddr>,
    ) -> Result<Arc<Client>, Refusal> {
        let auth = match &self.auth {
            Some(Auth { authenticator, request_params }) => {
                authenticator.judge(request, request_params).await?.to_vec()
            }
            None if !self.include_metadata => return Ok(Client::unknown()),
            None => Vec::new(),
        };
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let headers = self.include_metadata.then(|| request.headers().iter().filter_map(text));
        let metadata = headers.into_iter().flatten().collect();
        Ok(Arc::new(Client { metadata, address: peer, auth }))
    }
}

/// Tells the memory budget how many bytes a body takes by now.
fn account(hold: &Hold, bytes: usize) -> Result<(), NoRoom> {
    if hold.try_resize(bytes) { Ok(()) } else { Err(NoRoom) }
}

/// The encoding that a `Content-Type` names; parameters do not matter.
fn media_type(headers: &HeaderMap) -> Option<Encoding> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/x-protobuf") {
        Some(Encoding::Protobuf)
    } else if media_type.eq_ignore_ascii_case("application/json") {
        Some(Encoding::Json)
    } else {
        None
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn accepted(encoding: Encoding) -> Response<ReplyBody> {
    let body = match encoding {
        Encoding::Protobuf => ReplyBody::empty(),
        Encoding::Json => ReplyBody::from("{\"partialSuccess\":{}}"),
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, encoding.content_type());
    response
}

fn refused(encoding: Encoding, refusal: &Refusal) -> Response<ReplyBody> {
    let mut response = Response::new(refusal.body(encoding));
    *response.status_mut() = refusal.http;
    response.headers_mut().insert(CONTENT_TYPE, encoding.content_type());
    if let Some(delay) = refusal.retry_after {
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        let code = match error {
            BodyError::TooLarge { .. } => GrpcCode::ResourceExhausted,
            BodyError::TimedOut => GrpcCode::DeadlineExceeded,
            BodyError::NoRoom => GrpcCode::Unavailable,
            _ => GrpcCode::InvalidArgument,
        };
        let refusal = Self::of(error.http_status(), code, error.to_string());
        match error {
            BodyError::NoRoom => Self::no_room(Duration::from_secs(1)),
            _ => refusal,
        }
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Refused(why) => {
                Self::of(StatusCode::UNAUTHORIZED, GrpcCode::Unauthenticated, why)
            }
            AuthError::Unavailable(why) => {
                Self::of(StatusCode::SERVICE_UNAVAILABLE, GrpcCode::Unavailable, why)
            }
        }
    }
}

#[cfg(test)]
mod tests;
