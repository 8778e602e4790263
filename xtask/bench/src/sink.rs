//! The backend of a bench run: takes what the agent delivers, says yes, and remembers every span by its number.
//!
//! One port, HTTP/1.1, h2c and gRPC. It decodes no more than it takes to reach the span ids, since it shares the machine
//! with what is measured.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};

use crate::ids::{self, NumberSet};

pub(crate) mod decode;

/// A window that never makes the agent wait: what is measured is the agent, not the sink's flow control.
const WINDOW_BYTES: u32 = 16 << 20;

/// What arrived in one run.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    run: u16,
    /// The spans of this run.
    pub(crate) spans: NumberSet,
    /// Spans that this run never sent: another run's, or damaged ones.
    pub(crate) foreign: u64,
    /// Requests that could not be read to their end.
    pub(crate) unreadable: u64,
    pub(crate) requests: u64,
    pub(crate) wire_bytes: u64,
    /// Hits of APM stats.
    pub(crate) hits: u64,
    /// When each span arrived, where that is noted.
    pub(crate) times: Vec<(u64, Instant)>,
}

/// What a request's path says it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Otlp,
    Zipkin,
    XRay,
    Datadog,
    DatadogStats,
    /// Something of Datadog's that the bench does not look at.
    DatadogOther,
}

impl Content {
    fn at(path: &str) -> Self {
        match path {
            "/TraceSegments" => Self::XRay,
            "/api/v0.2/traces" => Self::Datadog,
            "/api/v0.2/stats" => Self::DatadogStats,
            path if path.ends_with("/spans") => Self::Zipkin,
            path if path.starts_with("/api/") || path == "/intake" => Self::DatadogOther,
            _ => Self::Otlp,
        }
    }

    fn success(self) -> Response<BoxBody<Bytes, Infallible>> {
        let mut response = reply(StatusCode::OK);
        match self {
            Self::Zipkin | Self::Datadog | Self::DatadogStats => {
                return reply(StatusCode::ACCEPTED);
            }
            // Which answers the check of the key; the others ask for a success only.
            Self::DatadogOther => {
                *response.body_mut() = Full::from(&br#"{"valid":true}"#[..]).boxed();
                return response;
            }
            Self::XRay => {
                *response.body_mut() =
                    Full::from(&br#"{"UnprocessedTraceSegments":[]}"#[..]).boxed();
                return response;
            }
            Self::Otlp => {}
        }
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        response.headers_mut().insert(CONTENT_TYPE, protobuf);
        response
    }
}

/// The listening sink.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    delivery: Mutex<Delivery>,
    refusing: AtomicBool,
    notes_times: AtomicBool,
    /// Before each answer, in microseconds.
    delay_micros: AtomicU64,
}

impl Sink {
    /// Binds a free port and serves it for as long as the runtime lives.
    pub(crate) async fn listen() -> std::io::Result<(Arc<Self>, u16)> {
        let sink = Arc::new(Self::default());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        tokio::spawn(Arc::clone(&sink).accept(listener));
        Ok((sink, port))
    }

    /// Forgets the last run and expects the next one.
    pub(crate) fn begin(&self, run: u16) {
        *self.lock() = Delivery { run, ..Delivery::default() };
    }

    /// How many different spans of this run have arrived.
    pub(crate) fn arrived(&self) -> u64 {
        self.lock().spans.len()
    }

    /// The run's account; the sink starts over.
    pub(crate) fn take(&self) -> Delivery {
        std::mem::take(&mut *self.lock())
    }

    /// While set, every request is answered 503 and forgotten.
    pub(crate) fn refuse(&self, refusing: bool) {
        self.refusing.store(refusing, Ordering::Relaxed);
    }

    /// How long every answer takes.
    pub(crate) fn answer_after(&self, delay: Duration) {
        let micros = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        self.delay_micros.store(micros, Ordering::Relaxed);
    }

    /// Whether the time of each span's arrival is noted.
    pub(crate) fn note_times(&self, notes: bool) {
        self.notes_times.store(notes, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Delivery> {
        self.delivery.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            tokio::spawn(Arc::clone(&self).serve(stream));
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) {
        // A socket option that cannot be set costs latency, not correctness.
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request| Arc::clone(&self).answer(request));
        let mut server = auto::Builder::new(TokioExecutor::new());
        server
            .http2()
            .max_frame_size(1 << 20)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES);
        // The agent closing its connection is an ordinary end.
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
        let grpc = header(request.headers(), CONTENT_TYPE).starts_with("application/grpc");
        let encoding =
            if grpc { HeaderName::from_static("grpc-encoding") } else { CONTENT_ENCODING };
        let encoding = header(request.headers(), encoding).to_owned();
        let content = Content::at(request.uri().path());
        let Ok(body) = request.into_body().collect().await.map(|body| body.to_bytes()) else {
            self.lock().unreadable += 1;
            return Ok(reply(StatusCode::BAD_REQUEST));
        };
        let delay = self.delay_micros.load(Ordering::Relaxed);
        if delay > 0 {
            tokio::time::sleep(Duration::from_micros(delay)).await;
        }
        if self.refusing.load(Ordering::Relaxed) {
            return Ok(reply(StatusCode::SERVICE_UNAVAILABLE));
        }
        let wire_bytes = body.len() as u64;
        let body = if grpc {
            decode::message(&body, &encoding)
        } else {
            decode::inflate(&body, &encoding)
        };
        self.record(content, body.as_deref(), wire_bytes);
        Ok(if grpc { grpc_success() } else { content.success() })
    }

    fn record(&self, content: Content, body: Option<&[u8]>, wire_bytes: u64) {
        let mut delivery = self.lock();
        let delivery = &mut *delivery;
        let (noted, now) = (self.notes_times.load(Ordering::Relaxed), Instant::now());
        let mut visit = |id| match ids::number(delivery.run, id) {
            Some(number) => {
                delivery.spans.insert(number);
                if noted {
                    delivery.times.push((number, now));
                }
            }
            None => delivery.foreign += 1,
        };
        let whole = body.is_some_and(|body| match content {
            Content::Otlp => decode::otlp_span_ids(body, &mut visit),
            Content::XRay => decode::xray_span_ids(body, &mut visit),
            Content::Zipkin => decode::zipkin_span_ids(body, &mut visit),
            Content::Datadog => decode::datadog_span_ids(body, &mut visit),
            Content::DatadogStats => match decode::datadog_hits(body) {
                Some(hits) => {
                    delivery.hits += hits;
                    true
                }
                None => false,
            },
            Content::DatadogOther => true,
        });
        delivery.unreadable += u64::from(!whole);
        if !matches!(content, Content::DatadogStats | Content::DatadogOther) {
            delivery.requests += 1;
            delivery.wire_bytes += wire_bytes;
        }
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn reply(status: StatusCode) -> Response<BoxBody<Bytes, Infallible>> {
    let mut response = Response::new(Full::new(Bytes::new()).boxed());
    *response.status_mut() = status;
    response
}

/// An empty message and the trailers of success.
fn grpc_success() -> Response<BoxBody<Bytes, Infallible>> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(Bytes::from_static(&[0; 5]))
        .with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(body.boxed());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}
