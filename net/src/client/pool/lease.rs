//! A connection, and its being lent to a request.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::super::first_bytes::FirstBytes;
use super::super::proxy::Proxy;
use super::super::rope::Rope;
use super::super::target::Target;

/// An open connection.
pub(super) struct Connection {
    pub(super) sender: Sender,
    pub(super) link: Arc<Link>,
    pub(super) usage: Arc<Usage>,
}

/// What is known of a connection.
pub(in crate::client) struct Link {
    pub(in crate::client) target: Target,
    pub(in crate::client) address: Option<SocketAddr>,
    pub(in crate::client) first: FirstBytes,
    /// The HTTP proxy that requests are sent to.
    pub(in crate::client) through: Option<Proxy>,
    pub(in crate::client) is_http2: bool,
}

/// hyper's end of a connection.
pub(super) enum Sender {
    Http1(http1::SendRequest<Rope>),
    Http2(http2::SendRequest<Rope>),
}

/// How many requests use a connection, and since when none does.
pub(super) struct Usage(Mutex<State>);

struct State {
    requests: usize,
    /// When the last one ended, by the clock that timers go by and by the wall clock, which goes on in a freeze.
    since: (Instant, SystemTime),
}

/// A connection lent to a request, for itself alone or, with HTTP/2, together with others. Counts
/// as used until it is dropped.
pub(in crate::client) struct Lease {
    pub(super) connection: Connection,
    /// Whether no request went over it before.
    pub(super) is_new: bool,
    pub(super) permit: Option<OwnedSemaphorePermit>,
    in_use: InUse,
}

struct InUse(Arc<Usage>);

impl Connection {
    /// Lends the connection.
    pub(super) fn lend(self, is_new: bool) -> Lease {
        let in_use = InUse::new(self.usage.clone());
        Lease { connection: self, is_new, permit: None, in_use }
    }

    /// The same connection once more, if it is one that can be shared.
    pub(super) fn share(&self) -> Option<Self> {
        let Sender::Http2(sender) = &self.sender else {
            return None;
        };
        let sender = Sender::Http2(sender.clone());
        Some(Self { sender, link: self.link.clone(), usage: self.usage.clone() })
    }
}

impl Lease {
    pub(in crate::client) fn link(&self) -> &Link {
        &self.connection.link
    }

    /// Ends the loan.
    pub(super) fn into_connection(self) -> Connection {
        drop(self.in_use);
        self.connection
    }
}

impl Sender {
    /// Sends a request and waits for the head of its answer. A request that was not sent comes
    /// back with the error.
    pub(super) async fn send(
        &mut self,
        request: Request<Rope>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Rope>>> {
        match self {
            Self::Http1(sender) => sender.try_send_request(request).await,
            Self::Http2(sender) => sender.try_send_request(request).await,
        }
    }

    /// Waits until an HTTP/1 connection has finished with its last request. False when it ended
    /// instead.
    pub(super) async fn is_ready(&mut self) -> bool {
        match self {
            Self::Http1(sender) => sender.ready().await.is_ok(),
            Self::Http2(sender) => sender.ready().await.is_ok(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_closed(),
            Self::Http2(sender) => sender.is_closed(),
        }
    }
}

impl Usage {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { requests: 0, since: (Instant::now(), SystemTime::now()) }))
    }

    /// Since when no request uses the connection; nothing while one does.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.requests == 0).then_some(state.since.0)
    }

    /// Whether no request has used the connection for this long, by either clock.
    pub(super) fn is_idle_for(&self, limit: Duration) -> bool {
        let state = self.state();
        let by_wall = state.since.1.elapsed().unwrap_or_default();
        state.requests == 0 && state.since.0.elapsed().max(by_wall) >= limit
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InUse {
    fn new(usage: Arc<Usage>) -> Self {
        usage.state().requests += 1;
        Self(usage)
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let mut state = self.0.state();
        *state = State {
            requests: state.requests.saturating_sub(1),
            since: (Instant::now(), SystemTime::now()),
        };
    }
}
