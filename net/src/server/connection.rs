//! One connection, from its first byte to its end.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;
use tokio::time::timeout;

use super::accept::Watched;
use super::first_bytes::{self, Protocol};
use super::service::{RequestTasks, Service};
use super::socket::{Socket, Wire};
use super::{HANDSHAKE_TIMEOUT, Peer, Phase, ServerSettings, Shared};

/// HTTP/2 frames as large as a usual request, so that one read takes it whole.
const HTTP2_FRAME_BYTES: u32 = 1024 * 1024;

/// A request of gRPC's largest default size arrives without a pause for a window update.
const HTTP2_STREAM_WINDOW_BYTES: u32 = 5 * 1024 * 1024;

/// All streams of a connection together.
const HTTP2_CONNECTION_WINDOW_BYTES: u32 = 8 * 1024 * 1024;

/// The longest list of headers; gRPC metadata can outgrow hyper's 16 KiB.
const HTTP2_HEADER_LIST_BYTES: u32 = 64 * 1024;

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
        begun = timeout(HANDSHAKE_TIMEOUT, first_bytes::read(socket)) => begun,
        // Before its first request a connection has nothing to finish.
        _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
    };
    let (rewound, protocol) = match begun {
        Ok(Ok(Some(begun))) => begun,
        Ok(Ok(None) | Err(_)) | Err(_) => return,
    };
    if protocol == Protocol::Tls {
        let server = &*shared.settings.name;
        tracing::warn!(
            server,
            "a client speaks TLS to a port without it: set tls.cert_file and tls.key_file here, or turn TLS off in the client"
        );
        return;
    }
    let peer = Arc::new(Peer { address, is_encrypted: false });
    let service = Service::new(peer, state.clone(), shared.clone());
    let io = TokioIo::new(Wire::new(rewound, state.clone()));
    let settings = &shared.settings;
    let result = if protocol == Protocol::Http2 {
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

fn http1_builder(settings: &ServerSettings) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.keep_alive(settings.keep_alive).header_read_timeout(None).timer(TokioTimer::new());
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
