//! Accepting connections and looking after them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, sleep};

use super::activity::{Activity, Verdict};
use super::connection::{self, Accepted};
use super::socket::Socket;
use super::{Listener, Phase, Shared};

/// How often connections are looked at.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// How long to wait after a failed accept: without file descriptors it fails again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A listener that belongs to the runtime.
pub(super) enum Acceptor {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection as its owner sees it.
pub(super) struct Watched {
    pub(super) activity: Activity,
    pub(super) is_http2: AtomicBool,
}

impl Acceptor {
    pub(super) fn new(listener: Listener) -> io::Result<Self> {
        Ok(match listener {
            Listener::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                Self::Tcp(TcpListener::from_std(listener)?)
            }
            Listener::Unix(listener) => {
                listener.set_nonblocking(true)?;
                Self::Unix(UnixListener::from_std(listener)?)
            }
        })
    }

    async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // Answers are small and final; waiting to fill a packet only delays them.
                stream.set_nodelay(true)?;
                crate::keep_alive(&stream)?;
                Ok(Accepted { socket: Socket::Tcp(stream), address: Some(address) })
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok(Accepted { socket: Socket::Unix(stream), address: None })
            }
        }
    }
}

/// Accepts until told to stop, then sees the connections out. Returns how many were cut off in
/// the middle of a request.
pub(super) async fn run(
    acceptor: Acceptor,
    shared: Arc<Shared>,
    mut phase: watch::Receiver<Phase>,
) -> usize {
    let mut connections = JoinSet::new();
    let mut watched: Vec<Arc<Watched>> = Vec::new();
    let mut checks = interval_at(Instant::now() + CHECK_INTERVAL, CHECK_INTERVAL);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            // An error means that the server was dropped, and this task with it.
            _ = phase.changed() => break,
            _ = checks.tick(), if !connections.is_empty() => {
                reap(&mut connections, &shared);
                check(&mut watched, &shared);
            }
            accepted = accept(&acceptor, &shared) => match accepted {
                Ok((accepted, slot)) => {
                    reap(&mut connections, &shared);
                    let state = Arc::new(Watched {
                        activity: Activity::new(&shared.settings),
                        is_http2: AtomicBool::new(false),
                    });
                    watched.push(state.clone());
                    let serve =
                        connection::run(accepted, state, shared.clone(), phase.clone());
                    connections.spawn(async move {
                        serve.await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    let server = &*shared.settings.name;
                    tracing::warn!(server, %error, "could not accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(acceptor);
    drain(connections, watched, &shared, phase).await
}

/// Waits for a free slot first, so that a connection beyond the limit stays in the kernel's queue.
async fn accept(
    acceptor: &Acceptor,
    shared: &Shared,
) -> io::Result<(Accepted, OwnedSemaphorePermit)> {
    let slot = match shared.slots.clone().try_acquire_owned() {
        Ok(slot) => slot,
        Err(_none) => {
            shared.hints.full(&shared.settings.name, shared.settings.max_connections);
            shared.slots.clone().acquire_owned().await.map_err(io::Error::other)?
        }
    };
    Ok((acceptor.accept().await?, slot))
}

async fn drain(
    mut connections: JoinSet<()>,
    mut watched: Vec<Arc<Watched>>,
    shared: &Shared,
    mut phase: watch::Receiver<Phase>,
) -> usize {
    watched.iter().for_each(|state| state.activity.command(Phase::Draining));
    let mut checks = interval(CHECK_INTERVAL);
    loop {
        tokio::select! {
            ended = connections.join_next() => match ended {
                Some(ended) => report(ended, shared),
                None => return 0,
            },
            _ = checks.tick() => check(&mut watched, shared),
            // An error means that the server was dropped, and this task with it.
            _ = phase.wait_for(|phase| *phase == Phase::Aborting) => break,
        }
    }
    let aborted = watched.iter().filter(|state| state.activity.is_busy()).count();
    watched.iter().for_each(|state| state.activity.command(Phase::Aborting));
    connections.shutdown().await;
    aborted
}

/// Looks at every connection, and forgets those that have ended.
fn check(watched: &mut Vec<Arc<Watched>>, shared: &Shared) {
    watched.retain(|state| Arc::strong_count(state) > 1);
    for state in watched {
        let is_http2 = state.is_http2.load(Ordering::Relaxed);
        match state.activity.verdict(&shared.settings, is_http2) {
            Verdict::Keep => {}
            Verdict::End => state.activity.command(Phase::Draining),
            Verdict::Cut(why) => {
                let server = &*shared.settings.name;
                tracing::debug!(server, why, "closed a connection");
                state.activity.command(Phase::Aborting);
            }
        }
    }
}

fn reap(connections: &mut JoinSet<()>, shared: &Shared) {
    while let Some(ended) = connections.try_join_next() {
        report(ended, shared);
    }
}

fn report(ended: Result<(), JoinError>, shared: &Shared) {
    if ended.is_err_and(|error| error.is_panic()) {
        let server = &*shared.settings.name;
        tracing::error!(
            server,
            "a connection panicked and was closed; please report this with the lines above"
        );
    }
}
