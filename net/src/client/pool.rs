//! Connections, kept and reused.
//!
//! Each connection has a task, owned by the pool, that drives it and ends it when it has been idle
//! for long enough. An HTTP/1 connection is lent to one request at a time; an HTTP/2 connection is
//! shared by all.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::Response;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::connect::{Connected, Connector, Met, exchange_cause};
use super::rope::Rope;
use super::target::{Place, Target};
use crate::error::{Cause, Stage, TransportError};

mod lease;
mod shared;

use lease::{Connection, Sender, Usage};
pub(super) use lease::{Lease, Link};
use shared::Shared;

/// How a pool treats its connections.
#[derive(Clone, Debug)]
pub(super) struct PoolSettings {
    pub(super) http2: Http2,
    /// How many idle HTTP/1 connections to a target are kept.
    pub(super) max_idle: usize,
    /// How many requests over HTTP/1 may be under way to a target.
    pub(super) max_busy: Option<usize>,
    pub(super) idle_timeout: Option<Duration>,
    /// Whether a connection serves more than one request.
    pub(super) keep_alive: bool,
    /// After which time without a request a connection is not trusted any more, by either clock.
    pub(super) stale_after: Option<Duration>,
    pub(super) ping: Option<Ping>,
    /// Whether requests go to all addresses of a name in turn; for HTTP/2 only.
    pub(super) balance: bool,
}

/// When HTTP/2 is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Http2 {
    /// When the server agrees to it in TLS.
    IfAgreed,
    /// Always, as gRPC does.
    Always,
}

/// Probes of an HTTP/2 connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ping {
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) while_idle: bool,
}

/// The connections of one client.
pub(super) struct Pool {
    connector: Connector,
    settings: PoolSettings,
    targets: Mutex<HashMap<Target, Arc<TargetPool>>>,
    tasks: Tasks,
}

/// The connections to one target.
pub(super) struct TargetPool {
    target: Target,
    idle: Mutex<Vec<Connection>>,
    shared: Mutex<Shared>,
    /// One connects at a time as long as its connection could be shared.
    connecting: tokio::sync::Mutex<()>,
    busy: Option<Arc<Semaphore>>,
    stale_after: Option<Duration>,
}

type Tasks = Arc<Mutex<JoinSet<()>>>;

/// A connection in the making.
type Acquiring<'a> = Pin<Box<dyn Future<Output = Result<Lease, TransportError>> + Send + 'a>>;

/// How long a connection without requests is trusted where the platform freezes the process: routers and balancers on the way forget
/// connections, and the word of it does not reach a frozen process.
pub(super) const STALE_AFTER_FREEZES: Duration = Duration::from_secs(10);

/// How often a request goes again because its connection had ended unnoticed.
const STALE_RETRIES_MAX: usize = 3;

/// How long connections may take to say goodbye when the client is closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How many targets a pool remembers; beyond it, those without connections are forgotten.
const TARGETS_MAX: usize = 64;

impl Pool {
    pub(super) fn new(connector: Connector, settings: PoolSettings) -> Self {
        Self { connector, settings, targets: Mutex::default(), tasks: Tasks::default() }
    }

    /// Sends a request, and gives its answer with the connection it came over. `build` makes the
    /// request for the connection at hand.
    pub(super) async fn exchange(
        &self,
        target: &Target,
        deadline: Instant,
        build: impl Fn(&Link) -> Result<http::Request<Rope>, Cause>,
    ) -> Result<(Response<Incoming>, Lease), TransportError> {
        let pool = self.target(target);
        let begun = Instant::now();
        let fail = |cause| TransportError::new(target.place.to_string(), cause);
        let timed_out = |stage| Cause::Timeout { stage, after: begun.elapsed() };
        let permit = match &pool.busy {
            None => None,
            Some(busy) => match timeout_at(deadline, busy.clone().acquire_owned()).await {
                Ok(permit) => permit.ok(),
                Err(_elapsed) => return Err(fail(timed_out(Stage::Connect))),
            },
        };
        let mut stale = 0;
        loop {
            let mut lease = self.acquire(&pool, deadline).await?;
            let link = lease.connection.link.clone();
            let at_peer = |cause| TransportError::new(peer(target, link.address), cause);
            let request = build(&link).map_err(at_peer)?;
            let sender = &mut lease.connection.sender;
            let sent = match timeout_at(deadline, sender.send(request)).await {
                Ok(sent) => sent,
                Err(_elapsed) => {
                    // The connection may be dead; a new request shall not find that out again.
                    pool.forget(&lease);
                    return Err(at_peer(timed_out(Stage::Answer)));
                }
            };
            let error = match sent {
                Ok(response) => {
                    lease.permit = permit;
                    return Ok((response, lease));
                }
                Err(error) => error,
            };
            pool.forget(&lease);
            let is_unsent = error.message().is_some();
            if is_unsent && !lease.is_new && stale < STALE_RETRIES_MAX {
                stale += 1;
                continue;
            }
            let met = Met { link: &link, is_new: lease.is_new };
            return Err(at_peer(exchange_cause(error.into_error(), &met, self.connector.wanted)));
        }
    }

    /// Opens a connection for a request that is expected soon, unless there is one. What goes wrong is left for that request to find out.
    pub(super) async fn warm(&self, target: &Target, deadline: Instant) {
        let pool = self.target(target);
        if !pool.is_warm().await
            && let Ok(lease) = self.acquire(&pool, deadline).await
        {
            self.give_back(lease);
        }
    }

    /// Takes a connection back whose answer has been read.
    pub(super) fn give_back(&self, lease: Lease) {
        let connection = lease.into_connection();
        if !self.settings.keep_alive || connection.link.is_http2 {
            return;
        }
        let pool = self.target(&connection.link.target);
        let mut idle = lock(&pool.idle);
        idle.retain(|connection| !connection.sender.is_closed());
        if idle.len() < self.settings.max_idle {
            idle.push(connection);
        }
    }

    /// Ends every connection. Requests under way fail.
    pub(super) async fn close(&self) {
        lock(&self.targets).clear();
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        let ended = async { while tasks.join_next().await.is_some() {} };
        if timeout(CLOSE_TIMEOUT, ended).await.is_err() {
            tasks.shutdown().await;
        }
    }

    fn target(&self, target: &Target) -> Arc<TargetPool> {
        let mut targets = lock(&self.targets);
        if let Some(pool) = targets.get(target) {
            return pool.clone();
        }
        if targets.len() >= TARGETS_MAX {
            targets.retain(|_, pool| Arc::strong_count(pool) > 1 || !pool.is_empty());
        }
        let pool = Arc::new(TargetPool {
            target: target.clone(),
            idle: Mutex::default(),
            shared: Mutex::default(),
            stale_after: self.settings.stale_after,
            connecting: tokio::sync::Mutex::default(),
            busy: self.settings.max_busy.map(|busy| Arc::new(Semaphore::new(busy))),
        });
        targets.insert(target.clone(), pool.clone());
        pool
    }

    /// A connection, kept or new. On the heap, since its callers are generic, and compiled into many crates.
    fn acquire<'a>(&'a self, pool: &'a TargetPool, deadline: Instant) -> Acquiring<'a> {
        Box::pin(self.checkout_or_open(pool, deadline))
    }

    async fn checkout_or_open(
        &self,
        pool: &TargetPool,
        deadline: Instant,
    ) -> Result<Lease, TransportError> {
        if let Some(lease) = pool.checkout(deadline).await {
            return Ok(lease);
        }
        let is_shareable = match self.settings.http2 {
            Http2::Always => true,
            Http2::IfAgreed => pool.target.tls && !lock(&pool.shared).is_refused(),
        };
        if !is_shareable {
            return self.open(pool, None, deadline).await;
        }
        let begun = Instant::now();
        let Ok(_alone) = timeout_at(deadline, pool.connecting.lock()).await else {
            let cause = Cause::Timeout { stage: Stage::Connect, after: begun.elapsed() };
            return Err(TransportError::new(pool.target.place.to_string(), cause));
        };
        if let Some(lease) = pool.checkout(deadline).await {
            return Ok(lease);
        }
        match &pool.target.place {
            Place::Tcp { host, port } if self.settings.balance => {
                self.open_balanced(pool, host, *port, deadline).await
            }
            _ => self.open(pool, None, deadline).await,
        }
    }

    /// Opens a connection to the address whose turn it is. One that can't be reached is left
    /// alone for a while, as long as there are others.
    async fn open_balanced(
        &self,
        pool: &TargetPool,
        host: &str,
        port: u16,
        deadline: Instant,
    ) -> Result<Lease, TransportError> {
        let fail = |cause| TransportError::new(pool.target.place.to_string(), cause);
        if self.connector.proxy(&pool.target).map_err(fail)?.is_some() {
            return self.open(pool, None, deadline).await;
        }
        if lock(&pool.shared).is_unresolved() {
            match self.connector.resolve(host, port, deadline).await {
                Ok(addresses) => lock(&pool.shared).resolve(addresses),
                Err(cause) => return lock(&pool.shared).any().ok_or_else(|| fail(cause)),
            }
        }
        let addresses = lock(&pool.shared).wanting();
        let mut failure = None;
        for (tried, address) in addresses.iter().enumerate() {
            let left = deadline.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            match self.open(pool, Some(*address), Instant::now() + share).await {
                Ok(lease) => return Ok(lease),
                Err(error) => {
                    lock(&pool.shared).fail(*address);
                    failure = Some(error);
                }
            }
        }
        let mut shared = lock(&pool.shared);
        shared.any().ok_or_else(|| {
            shared.begin_anew();
            failure.unwrap_or_else(|| fail(Cause::Closed))
        })
    }

    /// Opens a connection; a shared one is kept for the others at once.
    async fn open(
        &self,
        pool: &TargetPool,
        address: Option<SocketAddr>,
        deadline: Instant,
    ) -> Result<Lease, TransportError> {
        let target = &pool.target;
        let begun = Instant::now();
        let connected = self
            .connector
            .connect(target, address, deadline)
            .await
            .map_err(|error| TransportError::new(peer(target, error.address), error.cause))?;
        let is_http2 = match self.settings.http2 {
            Http2::Always => true,
            Http2::IfAgreed => connected.agreed_http2 == Some(true),
        };
        let reached = connected.address;
        let connection = timeout_at(deadline, self.begin(target, connected, is_http2))
            .await
            .unwrap_or_else(|_elapsed| {
                Err(Cause::Timeout { stage: Stage::Connect, after: begun.elapsed() })
            })
            .map_err(|cause| TransportError::new(peer(target, reached), cause))?;
        if is_http2 {
            lock(&pool.shared).keep(address, &connection);
        } else {
            lock(&pool.shared).refuse();
        }
        Ok(connection.lend(true))
    }

    /// Begins to speak HTTP on a connection, and spawns its task.
    async fn begin(
        &self,
        target: &Target,
        connected: Connected,
        is_http2: bool,
    ) -> Result<Connection, Cause> {
        let Connected { io, first, address, through, .. } = connected;
        let link = Arc::new(Link { target: target.clone(), address, first, through, is_http2 });
        let met = Met { link: &link, is_new: true };
        let failed = |error| exchange_cause(error, &met, self.connector.wanted);
        let io = TokioIo::new(io);
        let usage = Arc::new(Usage::new());
        let idle_timeout = self.settings.idle_timeout;
        let sender = if is_http2 {
            let mut builder = http2::Builder::new(PoolTasks(Arc::downgrade(&self.tasks)));
            builder.timer(TokioTimer::new());
            if let Some(ping) = self.settings.ping {
                builder
                    .keep_alive_interval(ping.interval)
                    .keep_alive_timeout(ping.timeout)
                    .keep_alive_while_idle(ping.while_idle);
            }
            let (sender, connection) = builder.handshake(io).await.map_err(failed)?;
            spawn(&self.tasks, drive(connection, usage.clone(), idle_timeout));
            Sender::Http2(sender)
        } else {
            let (sender, connection) = http1::Builder::new().handshake(io).await.map_err(failed)?;
            spawn(&self.tasks, drive(connection, usage.clone(), idle_timeout));
            Sender::Http1(sender)
        };
        Ok(Connection { sender, link, usage })
    }
}

impl TargetPool {
    /// A connection that is open already.
    async fn checkout(&self, deadline: Instant) -> Option<Lease> {
        // Lets connections see that the server closed them meanwhile, as after a long freeze; the
        // runtime looks at its sockets before it comes back.
        tokio::task::yield_now().await;
        if let Some(stale_after) = self.stale_after {
            lock(&self.shared).let_go(stale_after);
        }
        if let Some(lease) = lock(&self.shared).checkout() {
            return Some(lease);
        }
        loop {
            // The one used last is the likeliest to be alive.
            let mut connection = lock(&self.idle).pop()?;
            if self.stale_after.is_some_and(|limit| connection.usage.is_idle_for(limit)) {
                continue;
            }
            if timeout_at(deadline, connection.sender.is_ready()).await == Ok(true) {
                return Some(connection.lend(false));
            }
        }
    }

    /// Whether there is a connection that the next request can use. Unlike lending it, this does not make it look used.
    async fn is_warm(&self) -> bool {
        tokio::task::yield_now().await;
        let is_stale = |connection: &Connection| {
            connection.sender.is_closed()
                || self.stale_after.is_some_and(|limit| connection.usage.is_idle_for(limit))
        };
        lock(&self.shared).any_is(|connection| !is_stale(connection))
            || lock(&self.idle).iter().any(|connection| !is_stale(connection))
    }

    /// No further request shall use this connection.
    fn forget(&self, lease: &Lease) {
        lock(&self.shared).forget(&lease.connection);
    }

    fn is_empty(&self) -> bool {
        lock(&self.idle).is_empty() && lock(&self.shared).is_empty()
    }
}

/// Drives a connection until it ends or has been idle for long enough.
async fn drive(
    connection: impl Future<Output = hyper::Result<()>>,
    usage: Arc<Usage>,
    idle_timeout: Option<Duration>,
) {
    let mut connection = std::pin::pin!(connection);
    let Some(idle_timeout) = idle_timeout else {
        // Its error is that of the request under way, if there is one.
        drop(connection.await);
        return;
    };
    let mut check = Instant::now() + idle_timeout;
    loop {
        tokio::select! {
            _ = &mut connection => return,
            () = sleep_until(check) => match usage.idle_since() {
                None => check = Instant::now() + idle_timeout,
                Some(since) if since.elapsed() >= idle_timeout => return,
                Some(since) => check = since + idle_timeout,
            },
        }
    }
}

/// Spawns what hyper needs for HTTP/2 among the pool's tasks.
#[derive(Clone)]
struct PoolTasks(Weak<Mutex<JoinSet<()>>>);

impl<F> hyper::rt::Executor<F> for PoolTasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, task: F) {
        // Without the pool there is nobody left to wait for an answer.
        if let Some(tasks) = self.0.upgrade() {
            spawn(&tasks, async {
                task.await;
            });
        }
    }
}

fn spawn(tasks: &Tasks, task: impl Future<Output = ()> + Send + 'static) {
    let mut tasks = lock(tasks);
    while tasks.try_join_next().is_some() {}
    tasks.spawn(task);
}

/// A peer as errors name it: what was asked for, and the address it led to.
pub(super) fn peer(target: &Target, address: Option<SocketAddr>) -> String {
    let place = target.place.to_string();
    match address {
        Some(address) if address.to_string() != place => format!("{place} ({address})"),
        _ => place,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
