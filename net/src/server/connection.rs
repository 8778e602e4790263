//! One connection, from its first byte to its end.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::accept::Watched;
use super::first_bytes::{self, First, Protocol};
use super::service::{RequestTasks, Service};
use super::socket::{Rewound, Socket, Stream, Wire};
use super::{HANDSHAKE_TIMEOUT, Peer, Phase, ServerSettings, Shared};
use crate::tls::ServerTls;

/// HTTP/2 frames as large as a usual request, so that one read takes it whole.
const HTTP2_FRAME_BYTES: u32 = 1024 * 1024;

/// A request of gRPC's largest default size arrives without a pause for a window update.
const HTTP2_STREAM_WINDOW_BYTES: u32 = 5 * 1024 * 1024;

/// All streams of a connection together.
const HTTP2_CONNECTION_WINDOW_BYTES: u32 = 8 * 1024 * 1024;

/// The longest list of headers; gRPC metadata can outgrow hyper's 16 KiB.
const HTTP2_HEADER_LIST_BYTES: u32 = 64 * 1024;

/// What is read ahead of an HTTP/1 connection, and so the longest head of a request: as much as in HTTP/2. A connection whose body nobody
/// reads, since there is no memory for it, keeps this much all the same.
pub(super) const HTTP1_BUFFER_BYTES: usize = 64 * 1024;

/// How long a client in plain text may take to read why it gets no answer.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(500);

/// A connection that was just accepted.
pub(super) struct Accepted {
    pub(super) socket: Socket,
    pub(super) address: Option<SocketAddr>,
}

/// Serves a connection until it ends, or is told to.
pub(super) async fn run(
    accepted: Accepted,
    state: Arc<Watched>,
    shared: Arc<Shared>,
    mut phase: watch::Receiver<Phase>,
) {
    let Accepted { socket, address } = accepted;
    let begun = tokio::select! {
        begun = timeout(HANDSHAKE_TIMEOUT, begin(socket)) => begun,
        // Before its first request a connection has nothing to finish.
        _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
    };
    let (rewound, protocol) = match begun {
        Ok(Ok(Some(begun))) => begun,
        Ok(Ok(None) | Err(_)) | Err(_) => return,
    };
    let settings = &shared.settings;
    let (stream, is_http2) = match (&shared.tls, protocol) {
        (None, Protocol::Tls) => {
            shared.hints.tls_on_plain(&settings.name);
            return;
        }
        (None, _) => (Stream::Plain(rewound), protocol == Protocol::Http2),
        (Some(_), Protocol::Http1 | Protocol::Http2) => {
            shared.hints.plain_on_tls(&settings.name);
            say_tls_is_wanted(rewound, protocol).await;
            return;
        }
        (Some(tls), Protocol::Tls) => {
            let handshake = timeout(HANDSHAKE_TIMEOUT, accept_tls(tls, rewound));
            let done = tokio::select! {
                done = handshake => done,
                _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
            };
            match done {
                Ok(Ok(begun)) => begun,
                Ok(Err(error)) => {
                    shared.hints.handshake_failed(&settings.name, address, &error);
                    return;
                }
                Err(_elapsed) => return,
            }
        }
    };
    let peer = Arc::new(Peer { address, is_encrypted: shared.tls.is_some() });
    let service = Service::new(peer, state.clone(), shared.clone());
    let io = TokioIo::new(Wire::new(stream, state.clone()));
    let result = if is_http2 {
        state.is_http2.store(true, Ordering::Relaxed);
        let connection = http2_builder(settings, &shared).serve_connection(io, service);
        Driven { connection, state: &state, draining: false }.await
    } else {
        let connection = http1_builder(settings).serve_connection(io, service);
        Driven { connection, state: &state, draining: false }.await
    };
    if let Err(error) = result {
        let server = &*settings.name;
        tracing::debug!(server, %error, "a connection ended with an error");
    }
}

/// Sees what a connection speaks.
async fn begin(mut socket: Socket) -> io::Result<Option<(Rewound, Protocol)>> {
    let begun = first_bytes::read(&mut socket).await?;
    Ok(begun.map(|(first, protocol)| (Rewound::new(socket, first), protocol)))
}

/// The handshake; and whether HTTP/2 is spoken then. A client that does not use ALPN is asked by
/// its first bytes.
async fn accept_tls(tls: &Arc<ServerTls>, rewound: Rewound) -> io::Result<(Stream, bool)> {
    let acceptor = TlsAcceptor::from(tls.config().await);
    let mut stream = Box::new(acceptor.accept(rewound).await?);
    let agreed = stream.get_ref().1.alpn_protocol().map(|protocol| protocol == b"h2");
    if let Some(is_http2) = agreed {
        return Ok((Stream::Tls(First::none(), stream), is_http2));
    }
    let (first, protocol) =
        first_bytes::read(&mut stream).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok((Stream::Tls(first, stream), protocol == Protocol::Http2))
}

/// Tells an HTTP/1 client in plain text why it gets no answer, in the words of Go's server.
async fn say_tls_is_wanted(mut rewound: Rewound, protocol: Protocol) {
    const ANSWER: &[u8] =
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    if protocol == Protocol::Http1 {
        let said = async {
            rewound.write_all(ANSWER).await?;
            rewound.shutdown().await?;
            // What the client still sends is read, or it would lose the answer.
            tokio::io::copy(&mut (&mut rewound).take(64 * 1024), &mut tokio::io::sink()).await
        };
        // The client is told as far as it listens.
        drop(timeout(GOODBYE_TIMEOUT, said).await);
    }
}

fn http1_builder(settings: &ServerSettings) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .keep_alive(settings.keep_alive)
        .header_read_timeout(None)
        .max_buf_size(HTTP1_BUFFER_BYTES)
        .timer(TokioTimer::new());
    builder
}

fn http2_builder(settings: &ServerSettings, shared: &Shared) -> http2::Builder<RequestTasks> {
    let mut builder = http2::Builder::new(RequestTasks::new(shared.requests.clone()));
    builder
        .timer(TokioTimer::new())
        .max_frame_size(HTTP2_FRAME_BYTES)
        .initial_stream_window_size(HTTP2_STREAM_WINDOW_BYTES)
        .initial_connection_window_size(HTTP2_CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HTTP2_HEADER_LIST_BYTES)
        .max_concurrent_streams(settings.max_concurrent_streams)
        .keep_alive_interval(settings.ping_interval)
        .keep_alive_timeout(settings.ping_timeout);
    builder
}

/// A connection of either version of HTTP.
trait Connection: Future<Output = hyper::Result<()>> + Unpin {
    fn end(&mut self);
}

impl Connection for http1::Connection<TokioIo<Wire>, Service> {
    fn end(&mut self) {
        Pin::new(self).graceful_shutdown();
    }
}

impl Connection for http2::Connection<TokioIo<Wire>, Service, RequestTasks> {
    fn end(&mut self) {
        Pin::new(self).graceful_shutdown();
    }
}

/// Polls a connection, and does what its owner commands.
struct Driven<'a, C> {
    connection: C,
    state: &'a Watched,
    draining: bool,
}

impl<C: Connection> Future for Driven<'_, C> {
    type Output = hyper::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        let this = self.get_mut();
        match this.state.activity.commanded(cx) {
            Phase::Serving => {}
            Phase::Draining if this.draining => {}
            Phase::Draining => {
                this.draining = true;
                this.connection.end();
            }
            Phase::Aborting => return Poll::Ready(Ok(())),
        }
        Pin::new(&mut this.connection).poll(cx)
    }
}
