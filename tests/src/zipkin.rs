//! A Zipkin v2 backend that checks every constraint that openzipkin/zipkin-api documents (`zipkin2-api.yaml`,
//! `zipkin.proto`).

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request};

use crate::desk::{Decoded, Desk};
use crate::encoding;
use crate::otlp::{self, header, headers};
use crate::server::{self, Outcome, Reply, Server, Service};
use crate::spans::SpanId;

pub mod model;
mod protobuf;

pub use model::{Endpoint, Span};

/// The path that Zipkin takes spans at.
pub const PATH: &str = "/api/v2/spans";

/// A listening Zipkin backend. Its [`Desk`] is reached by dereferencing.
///
/// Dropping it fails the test when anything came that Zipkin's own documents forbid.
#[derive(Debug)]
pub struct ZipkinBackend {
    desk: Arc<Desk<ZipkinRequest>>,
    server: Server,
}

/// One list of spans, decoded and checked.
#[derive(Clone, Debug)]
pub struct ZipkinRequest {
    /// Protobuf rather than JSON.
    pub protobuf: bool,
    /// Names in lower case, with values, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// Bytes of the body before decompression.
    pub wire_bytes: usize,
    /// The spans, in the order of the list.
    pub spans: Vec<Span>,
}

impl ZipkinBackend {
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

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// What an exporter's `endpoint` is set to.
    pub fn endpoint(&self) -> String {
        endpoint(self.port())
    }
}

/// What an exporter's `endpoint` is set to for a Zipkin on this port.
pub fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}{PATH}")
}

impl Deref for ZipkinBackend {
    type Target = Desk<ZipkinRequest>;

    fn deref(&self) -> &Self::Target {
        &self.desk
    }
}

impl Drop for ZipkinBackend {
    fn drop(&mut self) {
        self.desk.assert_clean();
    }
}

impl Decoded for ZipkinRequest {
    fn span_ids(&self) -> Vec<SpanId> {
        self.spans.iter().map(Span::span_id).collect()
    }
}

/// The serving side.
struct Responder {
    desk: Arc<Desk<ZipkinRequest>>,
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
            let body = otlp::read(body, answer.reading_pause()).await.ok()?;
            match decode(&head, &body) {
                Ok(request) => {
                    server::play(&self.desk, request, answer, || server::reply(202), refusal).await
                }
                Err(violation) => {
                    self.desk.violation(format!("{} {}: {violation}", head.method, head.uri));
                    Some(refusal(400, None))
                }
            }
        })
    }
}

fn decode(head: &Parts, body: &Bytes) -> Result<ZipkinRequest, String> {
    if head.method != Method::POST || head.uri.path() != PATH {
        return Err("another call than a POST of spans".to_owned());
    }
    let protobuf = match header(head, "content-type") {
        Some("application/json") => false,
        Some("application/x-protobuf") => true,
        other => return Err(format!("content type {other:?}")),
    };
    let plain = encoding::undo(header(head, "content-encoding").unwrap_or_default(), body)?;
    let spans = if protobuf { protobuf::spans(&plain)? } else { model::spans(&plain)? };
    if spans.is_empty() {
        return Err("a list without a single span".to_owned());
    }
    for span in &spans {
        span.check(protobuf).map_err(|rule| format!("{rule} in {span:?}"))?;
    }
    Ok(ZipkinRequest { protobuf, headers: headers(head), wire_bytes: body.len(), spans })
}

fn refusal(code: u16, retry_after: Option<&str>) -> Reply {
    server::with_retry_after(server::reply(code), retry_after)
}
