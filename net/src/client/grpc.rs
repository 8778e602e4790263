//! The gRPC client: unary calls.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use config::{Compression, CompressionLevel, GrpcTarget};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, TE, USER_AGENT};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, StatusCode, Uri, Version};
use tokio::time::{Instant, sleep, timeout_at};

use super::connect::Connector;
use super::pool::{Http2, Link, Ping, Pool, PoolSettings, peer};
use super::rope::Rope;
use super::target::{Place, Target};
use super::{ClientOptions, RESPONSE_BYTES_MAX};
use crate::auth::{ClientAuth, Outgoing};
use crate::body::{BodyError, BodyLimits, Gather, decode, next_frame};
use crate::compress::{compress, compress_now};
use crate::error::{Cause, Class, Stage, TransportError, Wanted};
use crate::grpc::{self, Code, Status};
use crate::server::header_map;
use crate::tls::ClientTls;

/// A client for unary gRPC calls to one target.
///
/// Nothing is opened, read or parsed before the first call.
pub struct GrpcClient {
    pool: Pool,
    target: Target,
    authority: Authority,
    headers: HeaderMap,
    compression: Compression,
    level: CompressionLevel,
    wait_for_ready: bool,
    auth: Option<Arc<dyn ClientAuth>>,
    response_bytes_max: usize,
}

/// A message, framed and compressed, ready to be sent any number of times.
#[derive(Clone, Debug)]
pub struct GrpcMessage {
    pieces: Arc<[Bytes]>,
    encoding: Compression,
}

/// The answer to a call that succeeded.
#[derive(Clone, Debug)]
pub struct GrpcReply {
    /// The message.
    pub message: Bytes,
    /// The headers before it.
    pub headers: HeaderMap,
}

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There was no answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server's answer was not OK.
    #[error("{peer}: the server answered {status}")]
    Status {
        /// The peer, as in [`TransportError`].
        peer: String,
        /// The answer.
        status: Status,
    },
}

/// The longest wait for the next bytes of an answer.
const STALL: Duration = Duration::from_secs(30);

/// The pause between two attempts to connect, for a call that waits for the server.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

impl GrpcClient {
    /// A client of these settings.
    ///
    /// # Errors
    /// When the endpoint or the authority can't be used; the text names the key.
    pub fn new(settings: &config::GrpcClient, options: ClientOptions) -> Result<Self, String> {
        let place = match settings.target().map_err(|error| format!("endpoint: {error}"))? {
            GrpcTarget::Tcp { host, port } => Place::Tcp { host, port },
            GrpcTarget::Unix(path) => Place::Unix(path),
        };
        let target = Target { place, tls: settings.uses_tls() };
        let authority = match &settings.authority {
            Some(authority) => Authority::try_from(authority.as_str()).ok(),
            None => target.authority(),
        };
        let authority = authority.ok_or("authority: is no valid host")?;
        let environment = options.environment;
        let stale_after = environment.stale_after();
        let connector = Connector {
            tls: Arc::new(ClientTls::new(&settings.tls, &["h2"], &environment)),
            proxy_tls: Arc::new(ClientTls::new(&settings.tls, &["http/1.1"], &environment)),
            proxy_url: None,
            environment,
            wanted: Wanted::Grpc,
            #[cfg(test)]
            addresses: Vec::new(),
        };
        let ping = settings.keepalive.as_ref().map(|keepalive| Ping {
            interval: keepalive.time,
            timeout: keepalive.timeout,
            while_idle: keepalive.permit_without_stream,
        });
        let pool = PoolSettings {
            http2: Http2::Always,
            max_idle: 0,
            max_busy: None,
            idle_timeout: None,
            keep_alive: true,
            stale_after,
            ping,
            balance: settings.balancer == config::Balancer::RoundRobin,
        };
        let mut headers = header_map(&settings.headers);
        let agent = settings.user_agent.clone().or(options.user_agent);
        if let Some(agent) = agent.and_then(|agent| HeaderValue::from_str(&agent).ok()) {
            headers.insert(USER_AGENT, agent);
        }
        Ok(Self {
            pool: Pool::new(connector, pool),
            target,
            authority,
            headers,
            compression: settings.compression,
            level: settings.compression_level,
            wait_for_ready: settings.wait_for_ready,
            auth: options.auth,
            response_bytes_max: options.response_bytes_max.unwrap_or(RESPONSE_BYTES_MAX),
        })
    }

    /// Frames a message, and compresses it as the settings say; off the reactor when it is large.
    ///
    /// # Errors
    /// When a codec fails, which none does on memory.
    pub async fn encode(&self, pieces: Vec<Bytes>) -> io::Result<GrpcMessage> {
        let pieces = compress(pieces, self.codec(), self.level).await?;
        Ok(self.framed(pieces))
    }

    /// As [`GrpcClient::encode`], here and now: for callers that have a thread for it.
    ///
    /// # Errors
    /// When a codec fails, which none does on memory.
    pub fn encode_now(&self, pieces: Vec<Bytes>) -> io::Result<GrpcMessage> {
        let pieces = if self.compression.is_compressed() {
            vec![compress_now(&pieces, self.codec(), self.level)?]
        } else {
            pieces
        };
        Ok(self.framed(pieces))
    }

    /// The codec on the wire: what gRPC calls snappy is the framed format.
    fn codec(&self) -> Compression {
        match self.compression {
            Compression::Snappy => Compression::SnappyFramed,
            codec => codec,
        }
    }

    fn framed(&self, pieces: Vec<Bytes>) -> GrpcMessage {
        let len = pieces.iter().map(Bytes::len).sum();
        let prefix = grpc::prefix(self.compression.is_compressed(), len);
        let pieces = std::iter::once(Bytes::copy_from_slice(&prefix)).chain(pieces).collect();
        GrpcMessage { pieces, encoding: self.compression }
    }

    /// Opens a connection for a call that is expected soon, unless there is one. What goes wrong is left for that call to find out. May be
    /// dropped at any point.
    pub async fn warm(&self, deadline: Instant) {
        self.pool.warm(&self.target, deadline).await;
    }

    /// Calls a method, `/package.Service/Method`. `metadata` wins over the headers of the
    /// settings. The future may be dropped at any point, which cancels the call; the server may
    /// have seen it by then.
    ///
    /// # Errors
    /// Without an answer by the deadline, or with one that is not OK.
    pub async fn call(
        &self,
        method: &str,
        message: &GrpcMessage,
        metadata: &HeaderMap,
        deadline: Instant,
    ) -> Result<GrpcReply, CallError> {
        let begun = Instant::now();
        let uri = self.uri(method)?;
        loop {
            let mut headers = self.headers_of(message, metadata, deadline);
            if let Some(auth) = &self.auth {
                self.authorize(&**auth, &uri, message, &mut headers, deadline).await?;
            }
            let build = |_: &Link| {
                let mut request = http::Request::new(Rope::new(message.pieces.clone()));
                *request.method_mut() = Method::POST;
                *request.uri_mut() = uri.clone();
                *request.version_mut() = Version::HTTP_2;
                *request.headers_mut() = headers.clone();
                Ok(request)
            };
            match self.pool.exchange(&self.target, deadline, build).await {
                Ok((response, lease)) => {
                    let peer = peer(&self.target, lease.link().address);
                    return self.read(response, peer, begun, deadline).await;
                }
                Err(error) if self.wait_for_ready && is_not_ready(&error) => {
                    if deadline <= Instant::now() + RECONNECT_PAUSE {
                        return Err(error.into());
                    }
                    sleep(RECONNECT_PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Ends every connection and joins their tasks. Calls under way fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    fn fail(&self, cause: Cause) -> TransportError {
        TransportError::new(self.target.place.to_string(), cause)
    }

    fn uri(&self, method: &str) -> Result<Uri, TransportError> {
        let invalid = || self.fail(Cause::InvalidRequest("the method's name is no valid path"));
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(if self.target.tls { Scheme::HTTPS } else { Scheme::HTTP });
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::try_from(method).map_err(|_| invalid())?);
        Uri::from_parts(parts).map_err(|_| invalid())
    }

    fn headers_of(
        &self,
        message: &GrpcMessage,
        metadata: &HeaderMap,
        deadline: Instant,
    ) -> HeaderMap {
        let mut headers = self.headers.clone();
        for name in metadata.keys() {
            headers.remove(name);
        }
        headers.extend(metadata.iter().map(|(name, value)| (name.clone(), value.clone())));
        headers.insert(CONTENT_TYPE, grpc::CONTENT_TYPE);
        headers.insert(TE, HeaderValue::from_static("trailers"));
        let left = deadline.saturating_duration_since(Instant::now());
        headers.insert(GRPC_TIMEOUT, grpc::format_timeout(left));
        if message.encoding.is_compressed() {
            let name = HeaderValue::from_static(message.encoding.name());
            headers.insert(GRPC_ENCODING, name);
        }
        headers.insert(GRPC_ACCEPT_ENCODING, grpc::ACCEPT_ENCODING);
        headers
    }

    async fn authorize(
        &self,
        auth: &dyn ClientAuth,
        uri: &Uri,
        message: &GrpcMessage,
        headers: &mut HeaderMap,
        deadline: Instant,
    ) -> Result<(), TransportError> {
        let begun = Instant::now();
        let method = &Method::POST;
        let outgoing = Outgoing { method, uri, headers, body: &message.pieces };
        match timeout_at(deadline, auth.authorize(outgoing)).await {
            Ok(authorized) => authorized.map_err(|error| self.fail(Cause::Auth(error))),
            Err(_elapsed) => {
                let after = begun.elapsed();
                Err(self.fail(Cause::Timeout { stage: Stage::Connect, after }))
            }
        }
    }

    /// Reads the message and the outcome.
    async fn read(
        &self,
        response: http::Response<hyper::body::Incoming>,
        peer: String,
        begun: Instant,
        deadline: Instant,
    ) -> Result<GrpcReply, CallError> {
        let (head, mut body) = response.into_parts();
        let outcome = |status: Status| match status.code {
            Code::Ok => Ok(()),
            _ => Err(CallError::Status { peer: peer.clone(), status }),
        };
        // A failure without a message has its outcome in the headers.
        if let Some(status) = Status::read(&head.headers) {
            outcome(status)?;
        }
        if head.status != StatusCode::OK || !grpc::is_grpc(&head.headers) {
            outcome(not_grpc(head.status, &head.headers))?;
        }
        let limits = BodyLimits {
            deadline: Some(deadline),
            stall: STALL,
            ..BodyLimits::of(self.response_bytes_max)
        };
        let mut gather = Gather::default();
        let mut trailers = None;
        loop {
            let frame = next_frame(&mut body, &limits).await.map_err(|error| {
                let cause = match error {
                    BodyError::TimedOut => {
                        Cause::Timeout { stage: Stage::Answer, after: begun.elapsed() }
                    }
                    _ => Cause::Closed,
                };
                TransportError::new(peer.clone(), cause)
            })?;
            match frame.map(http_body::Frame::into_data) {
                None => break,
                Some(Ok(data)) => {
                    if gather.len() + data.len() > self.response_bytes_max + grpc::PREFIX_BYTES {
                        let text = "the answer's message is too large";
                        outcome(Status::new(Code::ResourceExhausted, text))?;
                    }
                    gather.push(data, 0);
                }
                Some(Err(frame)) => trailers = frame.into_trailers().ok(),
            }
        }
        let status = trailers.as_ref().and_then(Status::read);
        let missing = || Status::new(Code::Internal, "the answer has no grpc-status");
        let status = status.or_else(|| Status::read(&head.headers)).unwrap_or_else(missing);
        outcome(status)?;
        let message = self.message(gather.finish(), &head.headers).await;
        match message {
            Ok(message) => Ok(GrpcReply { message, headers: head.headers }),
            Err(status) => Err(CallError::Status { peer, status }),
        }
    }

    async fn message(&self, data: Bytes, headers: &HeaderMap) -> Result<Bytes, Status> {
        let Some((prefix, _)) = data.split_first_chunk::<{ grpc::PREFIX_BYTES }>() else {
            return Err(Status::new(Code::Internal, "the answer has no message"));
        };
        let message = data.slice(grpc::PREFIX_BYTES..);
        if *prefix == grpc::prefix(false, message.len()) {
            return Ok(message);
        }
        if *prefix != grpc::prefix(true, message.len()) {
            return Err(Status::new(Code::Internal, "the answer's message is cut off"));
        }
        let codec = grpc::message_encoding(headers)?;
        if !codec.is_compressed() {
            let text = "the answer is compressed, and does not say how";
            return Err(Status::new(Code::Internal, text));
        }
        let decoded = decode(&message, codec, self.response_bytes_max, &mut |_| Ok(())).await;
        decoded.map_err(|error| Status::new(Code::Internal, error.to_string()))
    }
}

impl GrpcMessage {
    /// The number of bytes on the wire, prefix included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }

    /// Never: there is a prefix.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }
}

impl CallError {
    /// Whether the same call can succeed later, by the rules of the OTLP specification:
    /// `RESOURCE_EXHAUSTED` only if the server says when.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Transport(error) => error.class(),
            Self::Status { status, .. } => match status.code {
                Code::Canceled
                | Code::DeadlineExceeded
                | Code::Aborted
                | Code::OutOfRange
                | Code::Unavailable
                | Code::DataLoss => Class::Retryable,
                Code::ResourceExhausted if status.retry_delay().is_some() => Class::Retryable,
                _ => Class::Permanent,
            },
        }
    }

    /// How long the server asks to wait.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        match self {
            Self::Transport(_) => None,
            Self::Status { status, .. } => status.retry_delay(),
        }
    }
}

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

/// Whether a call failed because there was no connection.
fn is_not_ready(error: &TransportError) -> bool {
    matches!(
        error.cause,
        Cause::Dns(_) | Cause::Refused { .. } | Cause::Connect(_) | Cause::ClosedAtOnce { .. }
    )
}

/// The outcome of a call that something else than a gRPC server answered.
fn not_grpc(status: StatusCode, headers: &HeaderMap) -> Status {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("none");
    let kind: String = kind.chars().take(64).collect();
    let message = format!(
        "unexpected HTTP status {status} with content-type {kind:?}: this is not a gRPC server's answer; check that the endpoint is its gRPC port"
    );
    let code = if status == StatusCode::OK { Code::Unknown } else { grpc::code_of_http(status) };
    Status::new(code, message)
}

#[cfg(test)]
mod tests;
