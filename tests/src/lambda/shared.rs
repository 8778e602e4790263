//! The platform's state, as its server, its deliveries and a test share it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use super::machine::Machine;
use crate::wait::PATIENCE;

/// A call to one of the three APIs, and what was said to it.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method and the path, as `POST /2020-01-01/extension/register`.
    pub what: String,
    /// The request's body.
    pub body: String,
    /// The status of the answer.
    pub status: u16,
    /// When it came in full.
    pub at: Instant,
}

/// Calls that are kept: the first ones matter.
const CALLS_MAX: usize = 4096;

#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    version: watch::Sender<u64>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) machine: Machine,
    pub(super) calls: Vec<Call>,
}

impl Shared {
    pub(super) fn new(machine: Machine) -> Arc<Self> {
        let state = Mutex::new(State { machine, calls: Vec::new() });
        Arc::new(Self { state, changed: Condvar::new(), version: watch::Sender::new(0) })
    }

    /// Looks at the state, or changes it and tells everybody.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Machine) -> T) -> T {
        let value = work(&mut self.lock().machine);
        self.changed.notify_all();
        self.version.send_modify(|version| *version += 1);
        value
    }

    /// Like [`Shared::with`], for a change that is no news to the server itself.
    pub(super) fn with_quietly<T>(&self, work: impl FnOnce(&mut Machine) -> T) -> T {
        let value = work(&mut self.lock().machine);
        self.changed.notify_all();
        value
    }

    pub(super) fn look<T>(&self, work: impl FnOnce(&Machine) -> T) -> T {
        work(&self.lock().machine)
    }

    pub(super) fn record(&self, call: Call) {
        let mut state = self.lock();
        if state.calls.len() < CALLS_MAX {
            state.calls.push(call);
        }
        drop(state);
        self.changed.notify_all();
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// A receiver that learns of every change from now on.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Waits for something in a test's thread. None: the patience of [`crate::wait`] is over, or `given_up` says so.
    pub(super) fn wait<T>(
        &self,
        mut look: impl FnMut(&mut State) -> Option<T>,
        mut given_up: impl FnMut() -> bool,
    ) -> Option<T> {
        const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(20);
        let started = Instant::now();
        let mut state = self.lock();
        loop {
            if let Some(seen) = look(&mut state) {
                return Some(seen);
            }
            if started.elapsed() >= PATIENCE || given_up() {
                return None;
            }
            let waited = self.changed.wait_timeout(state, LOOK_AGAIN);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
