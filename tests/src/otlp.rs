//! An OTLP backend, over gRPC and HTTP on one port, that decodes everything in full.
//!
//! The rules are those of opentelemetry-proto `docs/specification.md` and of the gRPC protocol over HTTP/2 (grpc
//! `doc/PROTOCOL-HTTP2.md`).

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use crate::answer::Answer;
use crate::desk::{Decoded, Desk};
use crate::server::{Outcome, Server, Service};
use crate::spans::{self, SpanId};

mod decode;
mod reply;
pub mod status;

pub(crate) use decode::{header, headers};

/// A listening OTLP backend. Its [`Desk`] is reached by dereferencing.
///
/// Dropping it fails the test when anything came that a real backend could have refused.
#[derive(Debug)]
pub struct OtlpBackend {
    desk: Arc<Desk<OtlpRequest>>,
    server: Server,
}

/// One export request, decoded.
#[derive(Clone, Debug)]
pub struct OtlpRequest {
    /// How it came.
    pub transport: Transport,
    /// Names in lower case, with values, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// Bytes of the body before decompression.
    pub wire_bytes: usize,
    /// Bytes of the message after decompression.
    pub plain_bytes: usize,
    /// What it carries.
    pub payload: Payload,
}

/// How an export request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// gRPC over HTTP/2.
    Grpc,
    /// HTTP with a protobuf body.
    HttpProtobuf,
    /// HTTP with a JSON body.
    HttpJson,
}

/// The three signals.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// Traces.
    Traces(ExportTraceServiceRequest),
    /// Metrics.
    Metrics(ExportMetricsServiceRequest),
    /// Logs.
    Logs(ExportLogsServiceRequest),
}

impl OtlpBackend {
    /// Listens on any free port.
    pub fn start() -> Self {
        Self::start_on(0)
    }

    /// Listens on a port that the agent was told before.
    pub fn start_on(port: u16) -> Self {
        let desk = Desk::new();
        let server = Server::start(port, Arc::new(Responder { desk: Arc::clone(&desk) }));
        Self { desk, server }
    }

    /// The port, for both transports.
    pub fn port(&self) -> u16 {
        self.server.port()
    }
}

impl Deref for OtlpBackend {
    type Target = Desk<OtlpRequest>;

    fn deref(&self) -> &Self::Target {
        &self.desk
    }
}

impl Drop for OtlpBackend {
    fn drop(&mut self) {
        self.desk.assert_clean();
    }
}

impl OtlpRequest {
    /// The traces it carries.
    ///
    /// # Panics
    ///
    /// When it carries another signal.
    pub fn traces(&self) -> &ExportTraceServiceRequest {
        match &self.payload {
            Payload::Traces(traces) => traces,
            other => panic!("expected traces, got {other:?}"),
        }
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Decoded for OtlpRequest {
    fn span_ids(&self) -> Vec<SpanId> {
        match &self.payload {
            Payload::Traces(traces) => {
                spans::of(traces).filter_map(|s| s.span_id.as_slice().try_into().ok()).collect()
            }
            Payload::Metrics(_) | Payload::Logs(_) => Vec::new(),
        }
    }
}

/// The serving side.
struct Responder {
    desk: Arc<Desk<OtlpRequest>>,
}

impl Service for Responder {
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        Box::pin(async move {
            let answer = self.desk.next_answer();
            let (head, body) = request.into_parts();
            // The agent may give up while it is sending.
            let body = read(body, answer.reading_pause()).await.ok()?;
            self.respond(&head, body, answer).await
        })
    }
}

impl Responder {
    async fn respond(&self, head: &Parts, body: Bytes, answer: Answer) -> Outcome {
        let transport = match decode::transport(head) {
            Ok(transport) => transport,
            Err(violation) => return self.violated(head, violation),
        };
        let request = match decode::request(transport, head, &body) {
            Ok(request) => request,
            Err(violation) => return self.violated(head, violation),
        };
        let (answer, number) = self.desk.record(request, answer);
        let outcome = match &answer {
            Answer::Accept | Answer::ReadSlowly(_) => Some(reply::success(transport, 0)),
            Answer::AcceptAfter(time) => {
                tokio::time::sleep(*time).await;
                Some(reply::success(transport, 0))
            }
            Answer::PartialSuccess { rejected } => Some(reply::success(transport, *rejected)),
            Answer::Status { code, retry_after } => {
                Some(reply::http_status(transport, *code, retry_after.as_deref()))
            }
            Answer::Grpc { code, retry_delay } => Some(reply::grpc_status(*code, *retry_delay)),
            Answer::Stall => {
                self.desk.until_released().await;
                None
            }
            Answer::Close => None,
        };
        if answer.is_acceptance() {
            self.desk.accept(number);
        }
        outcome
    }

    fn violated(&self, head: &Parts, violation: String) -> Outcome {
        self.desk.violation(format!("{} {}: {violation}", head.method, head.uri));
        Some(reply::http_status(Transport::HttpProtobuf, 400, None))
    }
}

/// Reads a body to its end, with a pause after each piece when asked to.
pub(crate) async fn read(
    mut body: Incoming,
    pause: Option<Duration>,
) -> Result<Bytes, hyper::Error> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(piece) = frame?.into_data() {
            bytes.extend_from_slice(&piece);
        }
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
    }
    Ok(bytes.into())
}
