//! Signals of the process.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What somebody outside asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// SIGTERM: a platform stops the container; applications beside it may still be sending.
    Terminate,
    /// SIGINT: a person at the terminal wants it to end.
    Interrupt,
    /// SIGHUP.
    Reload,
}

/// The signals that are listened to.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Begins to listen. From here on they do not end the process by themselves.
    ///
    /// # Errors
    /// When the system does not allow a handler.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The next request. May be dropped at any point.
    pub(crate) async fn next(&mut self) -> Request {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Request::Terminate,
            _ = self.interrupt.recv() => Request::Interrupt,
            _ = self.hang_up.recv() => Request::Reload,
        }
    }

    /// The next request to stop; what else comes in between is dropped.
    pub(crate) async fn next_stop(&mut self) -> Request {
        loop {
            let request = self.next().await;
            if request != Request::Reload {
                return request;
            }
        }
    }
}
