//! The senders: every connection sends one request after the other and waits for each answer, as an SDK does.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::ids::NumberSet;
use crate::payload::Template;

/// A different request for each of so many turns, so that no cache sees the same one again and again.
const TEMPLATES: u64 = 64;

/// How long an answer may take before its connection is given up.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LoadShape {
    /// gRPC rather than HTTP/1.1 with protobuf.
    pub(crate) grpc: bool,
    pub(crate) spans: usize,
    pub(crate) connections: usize,
    /// Spans a second over all connections; 0 is as many as are answered.
    pub(crate) rate: f64,
    pub(crate) gzip: bool,
}

impl Default for LoadShape {
    fn default() -> Self {
        Self { grpc: true, spans: 100, connections: 4, rate: 0.0, gzip: false }
    }
}

/// What the senders know at the end.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// Spans whose request was answered with success.
    pub(crate) acknowledged: NumberSet,
    /// Spans whose request was refused; they count as the sender's, not as lost.
    pub(crate) refused: u64,
    /// One per acknowledged request.
    pub(crate) latencies: Vec<Duration>,
}

/// A load that runs until it is stopped.
pub(crate) struct Load {
    shared: Arc<Shared>,
    senders: JoinSet<Sent>,
}

struct Shared {
    shape: LoadShape,
    port: u16,
    run: u16,
    templates: Vec<Template>,
    next: AtomicU64,
    stop: AtomicBool,
}

impl Load {
    /// Starts the senders against the agent's port.
    pub(crate) fn start(shape: LoadShape, port: u16, run: u16) -> Self {
        let templates = (0..TEMPLATES).map(|seed| Template::new(shape.spans, seed)).collect();
        let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { shape, port, run, templates, next, stop });
        let mut senders = JoinSet::new();
        for position in 0..shape.connections {
            senders.spawn(Arc::clone(&shared).send(position));
        }
        Self { shared, senders }
    }

    /// Lets every sender finish the request it is at, and returns what they know together.
    pub(crate) async fn stop(mut self) -> Sent {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut total = Sent::default();
        while let Some(joined) = self.senders.join_next().await {
            let one = joined.unwrap_or_default();
            total.acknowledged.append(&one.acknowledged);
            total.refused += one.refused;
            total.latencies.extend(one.latencies);
        }
        total
    }
}

impl Shared {
    async fn send(self: Arc<Self>, position: usize) -> Sent {
        let LoadShape { spans, connections, rate, .. } = self.shape;
        let pause =
            (rate > 0.0).then(|| Duration::from_secs_f64((spans * connections) as f64 / rate));
        let mut sent = Sent::default();
        let mut connection = None;
        let mut templates = self.templates.iter().cycle().skip(position * 7);
        let mut due = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            if let Some(pause) = pause {
                tokio::time::sleep_until(due.into()).await;
                due += pause;
            }
            if connection.is_none() {
                connection = Connection::open(self.port, self.shape.grpc).await;
            }
            let (Some(open), Some(template)) = (connection.as_mut(), templates.next()) else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let first = self.next.fetch_add(spans as u64, Ordering::Relaxed);
            let body = self.body(template, first);
            let asked = Instant::now();
            let request = open.request(self.port, body, self.shape.gzip);
            match tokio::time::timeout(ANSWER_WITHIN, request).await.ok().flatten() {
                Some(true) => {
                    sent.latencies.push(asked.elapsed());
                    sent.acknowledged.insert_range(first, spans as u64);
                }
                Some(false) => {
                    sent.refused += spans as u64;
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                None => connection = None,
            }
        }
        sent
    }

    fn body(&self, template: &Template, first: u64) -> Bytes {
        let prefix = if self.shape.grpc { 5 } else { 0 };
        let mut body = Vec::with_capacity(prefix + template.len());
        body.resize(prefix, 0);
        template.append_to(&mut body, self.run, first);
        if self.shape.gzip {
            let mut encoder = GzEncoder::new(vec![0; prefix], Compression::new(6));
            let plain = body.get(prefix..).unwrap_or_default();
            if encoder.write_all(plain).is_ok() {
                body = encoder.finish().unwrap_or_default();
            }
        }
        let length = (body.len() - prefix) as u32;
        if let Some((head, _)) = body.split_first_chunk_mut::<5>().filter(|_| prefix == 5) {
            let [b0, b1, b2, b3] = length.to_be_bytes();
            *head = [u8::from(self.shape.gzip), b0, b1, b2, b3];
        }
        body.into()
    }
}

enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    async fn open(port: u16, grpc: bool) -> Option<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let io = TokioIo::new(stream);
        if grpc {
            let mut client = http2::Builder::new(TokioExecutor::new());
            let (sender, driver) =
                client.initial_stream_window_size(1 << 20).handshake(io).await.ok()?;
            tokio::spawn(driver);
            Some(Self::Http2(sender))
        } else {
            let (sender, driver) = http1::handshake(io).await.ok()?;
            tokio::spawn(driver);
            Some(Self::Http1(sender))
        }
    }

    /// Whether the agent took the request; none when the connection broke before it said so.
    async fn request(&mut self, port: u16, body: Bytes, gzip: bool) -> Option<bool> {
        let grpc = matches!(self, Self::Http2(_));
        let mut request = if grpc {
            let uri = Uri::builder()
                .scheme("http")
                .authority(format!("127.0.0.1:{port}"))
                .path_and_query("/opentelemetry.proto.collector.trace.v1.TraceService/Export");
            Request::post(uri.build().ok()?)
                .header("content-type", "application/grpc")
                .header("te", "trailers")
        } else {
            Request::post("/v1/traces")
                .header("host", format!("127.0.0.1:{port}"))
                .header("content-type", "application/x-protobuf")
        };
        if gzip {
            request =
                request.header(if grpc { "grpc-encoding" } else { "content-encoding" }, "gzip");
        }
        let request = request.body(Full::new(body)).ok()?;
        let response: Response<_> = match self {
            Self::Http1(sender) => {
                sender.ready().await.ok()?;
                sender.send_request(request).await.ok()?
            }
            Self::Http2(sender) => {
                sender.ready().await.ok()?;
                sender.send_request(request).await.ok()?
            }
        };
        let success = response.status().is_success();
        let early = response.headers().get("grpc-status").map(|status| status == "0");
        let body = response.into_body().collect().await.ok()?;
        let late = body.trailers().and_then(|trailers| trailers.get("grpc-status"));
        let status = early.or(late.map(|status| status == "0"));
        Some(success && status.unwrap_or(!grpc))
    }
}
