//! The server: HTTP/1.1 and HTTP/2 on every port, with or without TLS.
//!
//! A connection's protocol is known from its first bytes, or from ALPN. Its timeouts are looked
//! at once a second by the task that accepts, so that a request costs no timer. A connection is
//! told to stop by a flag and a wake-up, which costs a request one atomic load.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use hyper::body::Incoming;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::tls::ServerTls;
use crate::{BoxFuture, ReplyBody};

mod accept;
mod activity;
mod connection;
mod cors;
mod first_bytes;
mod service;
mod socket;

use accept::Acceptor;
pub use cors::Cors;

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. The future is dropped when the peer goes away or the server's time to
    /// drain is over.
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: Arc<Peer>,
    ) -> BoxFuture<'static, Response<ReplyBody>>;
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The peer's address; none over a unix socket.
    pub address: Option<SocketAddr>,
    /// Whether the connection is encrypted.
    pub is_encrypted: bool,
}

/// A bound socket to accept connections from.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(std::net::TcpListener),
    /// A socket file.
    Unix(UnixListener),
}

/// How a server treats its connections.
#[derive(Clone)]
pub struct ServerSettings {
    /// What log lines call the server, such as the id of its component.
    pub name: Arc<str>,
    /// TLS; without it the server speaks plain text. Its files are read by [`Server::serve`].
    pub tls: Option<config::TlsServer>,
    /// Which browser pages may send; such requests' checks are made, and answered, for the handler.
    pub cors: Option<Arc<Cors>>,
    /// The longest time from the first byte of a request's head to its last.
    pub header_timeout: Duration,
    /// How long a connection may be without a request; `None` for ever.
    pub idle_timeout: Option<Duration>,
    /// How long a peer may leave its answer unread.
    pub write_timeout: Duration,
    /// Whether an HTTP/1 connection serves more than one request.
    pub keep_alive: bool,
    /// Headers that every response gets.
    pub response_headers: HeaderMap,
    /// How many requests an HTTP/2 connection may have open at once.
    pub max_concurrent_streams: u32,
    /// After how long without a frame an HTTP/2 peer is probed; `None` for never.
    pub ping_interval: Option<Duration>,
    /// How long it then has to answer.
    pub ping_timeout: Duration,
    /// After which age a connection is asked to end, give or take a tenth.
    pub max_connection_age: Option<Duration>,
    /// How long it then has to finish its requests; `None` for ever.
    pub max_connection_age_grace: Option<Duration>,
    /// How many connections there may be; further ones wait to be accepted.
    pub max_connections: usize,
}

/// A running server. Dropping it aborts every connection; see [`Server::shutdown`].
#[derive(Debug)]
pub struct Server {
    phase: watch::Sender<Phase>,
    accepting: JoinSet<usize>,
    /// Ends when the last task of the last connection has dropped its sender.
    requests: mpsc::Receiver<Infallible>,
}

/// What has become of the connections of a server that was shut down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut at the deadline, in the middle of a request.
    pub aborted: usize,
}

/// What connections are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Serving,
    Draining,
    Aborting,
}

/// The state that a server's connections share.
struct Shared {
    settings: ServerSettings,
    tls: Option<Arc<ServerTls>>,
    handler: Arc<dyn Handler>,
    slots: Arc<Semaphore>,
    requests: mpsc::Sender<Infallible>,
    hints: Hints,
}

/// Mistakes of clients that are logged once, since a client repeats them for ever.
#[derive(Default)]
struct Hints {
    tls_on_plain: AtomicBool,
    plain_on_tls: AtomicBool,
    handshake_failed: AtomicBool,
    full: AtomicBool,
}

/// How long a connection may take from acceptance to its first byte, and to the end of its TLS
/// handshake: gRPC's own default.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(120);

/// How long to wait, after connections were aborted, for their tasks to notice.
const ABORT_TIMEOUT: Duration = Duration::from_secs(1);

impl Server {
    /// Reads the files of TLS, which blocks, and begins to accept connections. Must be called
    /// within a runtime.
    ///
    /// # Errors
    /// When a listener can't be registered with the runtime, or with a
    /// [`TlsError`](crate::tls::TlsError) inside, when TLS can't be used.
    pub fn serve(
        listeners: Vec<Listener>,
        settings: ServerSettings,
        handler: Arc<dyn Handler>,
    ) -> io::Result<Self> {
        let acceptors: Vec<Acceptor> =
            listeners.into_iter().map(Acceptor::new).collect::<io::Result<_>>()?;
        let tls = settings.tls.as_ref().map(ServerTls::load).transpose();
        let tls = tls.map_err(io::Error::other)?.map(Arc::new);
        let (phase, _) = watch::channel(Phase::Serving);
        let (sender, requests) = mpsc::channel(1);
        let slots = Arc::new(Semaphore::new(settings.max_connections));
        let shared = Arc::new(Shared {
            settings,
            tls,
            handler,
            slots,
            requests: sender,
            hints: Hints::default(),
        });
        let mut accepting = JoinSet::new();
        for acceptor in acceptors {
            accepting.spawn(accept::run(acceptor, shared.clone(), phase.subscribe()));
        }
        Ok(Self { phase, accepting, requests })
    }

    /// Stops accepting, lets requests finish until the deadline, and joins every task.
    ///
    /// HTTP/2 peers are told (GOAWAY) and HTTP/1 connections end after their current request.
    /// What is not finished at the deadline is aborted and counted. Dropping the future aborts
    /// everything at once.
    pub async fn shutdown(mut self, deadline: Instant) -> Drained {
        self.phase.send_replace(Phase::Draining);
        let mut drained = Drained::default();
        let in_time = timeout_at(deadline, async {
            while let Some(ended) = self.accepting.join_next().await {
                drained.aborted += ended.unwrap_or_default();
            }
            // The senders are gone when the last request's task has ended.
            let _never = self.requests.recv().await;
        });
        if in_time.await.is_ok() {
            return drained;
        }
        self.phase.send_replace(Phase::Aborting);
        let abort = async {
            while let Some(ended) = self.accepting.join_next().await {
                drained.aborted += ended.unwrap_or_default();
            }
            let _never = self.requests.recv().await;
        };
        if timeout_at(Instant::now() + ABORT_TIMEOUT, abort).await.is_err() {
            tracing::warn!("a server's tasks did not end when they were aborted");
        }
        drained
    }
}

impl Hints {
    fn tls_on_plain(&self, server: &str) {
        if !self.tls_on_plain.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                server,
                "a client speaks TLS to a port without it: set tls.cert_file and tls.key_file here, or turn TLS off in the client (for gRPC, insecure: true or http://)"
            );
        }
    }

    fn plain_on_tls(&self, server: &str) {
        if !self.plain_on_tls.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                server,
                "a client speaks plain text to a port with TLS: turn TLS on in the client (https://), or remove the tls section here"
            );
        }
    }

    fn handshake_failed(&self, server: &str, peer: Option<SocketAddr>, error: &io::Error) {
        let peer = peer.map(tracing::field::display);
        if self.handshake_failed.swap(true, Ordering::Relaxed) {
            tracing::debug!(server, peer, %error, "a TLS handshake failed");
        } else {
            tracing::warn!(
                server,
                peer,
                %error,
                "a TLS handshake failed; further ones are logged at level debug"
            );
        }
    }

    fn full(&self, server: &str, max_connections: usize) {
        if !self.full.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                server,
                max_connections,
                "all connections are taken: further ones wait until others end"
            );
        }
    }
}

impl ServerSettings {
    /// The defaults: limits on everything a peer can leave hanging but an idle connection.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            tls: None,
            cors: None,
            header_timeout: Duration::from_secs(60),
            idle_timeout: None,
            write_timeout: Duration::from_secs(60),
            keep_alive: true,
            response_headers: HeaderMap::new(),
            max_concurrent_streams: 250,
            ping_interval: Some(Duration::from_secs(2 * 3600)),
            ping_timeout: Duration::from_secs(20),
            max_connection_age: None,
            max_connection_age_grace: None,
            max_connections: 4096,
        }
    }

    /// The settings of an HTTP server. A timeout that the user turned off keeps its default of
    /// [`ServerSettings::new`], so that no peer can hold a half-sent request for ever.
    #[must_use]
    pub fn http(name: impl Into<Arc<str>>, config: &config::HttpServer) -> Self {
        let defaults = Self::new(name);
        Self {
            tls: config.tls.clone(),
            cors: config.cors.as_ref().map(|cors| Arc::new(Cors::new(cors))),
            header_timeout: config.header_timeout().unwrap_or(defaults.header_timeout),
            idle_timeout: config.idle_limit(),
            write_timeout: config.write_timeout.unwrap_or(defaults.write_timeout),
            keep_alive: config.keep_alives_enabled,
            response_headers: header_map(&config.response_headers),
            ..defaults
        }
    }

    /// The settings of a gRPC server.
    #[must_use]
    pub fn grpc(name: impl Into<Arc<str>>, config: &config::GrpcServer) -> Self {
        let defaults = Self::new(name);
        let keepalive = &config.keepalive;
        Self {
            tls: config.tls.clone(),
            idle_timeout: keepalive.max_connection_idle,
            max_concurrent_streams: config
                .max_concurrent_streams
                .unwrap_or(defaults.max_concurrent_streams),
            ping_interval: Some(keepalive.time),
            ping_timeout: keepalive.timeout,
            max_connection_age: keepalive.max_connection_age,
            max_connection_age_grace: keepalive.max_connection_age_grace,
            ..defaults
        }
    }
}

/// Makes a handler of an async function.
pub fn handler_fn<F, Fut>(answer: F) -> Arc<dyn Handler>
where
    F: Fn(Request<Incoming>, Arc<Peer>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Response<ReplyBody>> + Send + 'static,
{
    struct Function<F>(F);

    impl<F, Fut> Handler for Function<F>
    where
        F: Fn(Request<Incoming>, Arc<Peer>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Response<ReplyBody>> + Send + 'static,
    {
        fn handle(
            self: Arc<Self>,
            request: Request<Incoming>,
            peer: Arc<Peer>,
        ) -> BoxFuture<'static, Response<ReplyBody>> {
            Box::pin((self.0)(request, peer))
        }
    }

    Arc::new(Function(answer))
}

/// Headers for the wire; their names and values were checked when they were read.
pub(crate) fn header_map(headers: &config::Headers) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers.iter() {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes())
            && let Ok(mut value) = HeaderValue::from_str(value.expose())
        {
            value.set_sensitive(true);
            map.insert(name, value);
        }
    }
    map
}

#[cfg(test)]
mod tests;
