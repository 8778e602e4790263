//! Credentials that were found, until others have to be asked for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::Error;
use crate::credentials::{Age, Credentials, Lasts, Lease};

/// How long old credentials that are still good stay in use before new ones are asked for again after a failure.
const ASK_AGAIN: Duration = Duration::from_secs(30);
/// The same for an instance's that have expired: at least, and how much more by chance, so that not all instances ask at once.
const ASK_AGAIN_EXPIRED: (Duration, Duration) =
    (Duration::from_secs(5 * 60), Duration::from_secs(10 * 60));

/// Asks a source at most once at a time, shortly before what it gave out expires.
pub(crate) struct Cache {
    clock: Clock,
    /// Held by whoever asks.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

/// The wall clock, or a test's.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// Not before then is asked again while `held` will do.
    ask_at: Option<Instant>,
    /// How often asking ended, and how the last time did if it failed.
    asked: u64,
    failure: Option<Error>,
}

struct Held {
    lease: Lease,
    since: SystemTime,
}

impl Cache {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, turn: tokio::sync::Mutex::default(), state: Mutex::default() }
    }

    /// What is held, or what `ask` gives out. Those who come while it is asked wait for its answer, unless what is held is still good. The
    /// future may be dropped at any point; then the next one asks.
    pub(crate) async fn get<F>(&self, ask: impl FnOnce() -> F) -> Result<Credentials, Error>
    where
        F: Future<Output = Result<Lease, Error>>,
    {
        let (still_good, asked_before) = {
            let state = self.state();
            let still_good = match state.usable((self.clock)()) {
                Usable::Fresh(credentials) => return Ok(credentials),
                Usable::Ageing(credentials) => Some(credentials),
                Usable::No => None,
            };
            (still_good, state.asked)
        };
        let _turn = match still_good {
            None => self.turn.lock().await,
            Some(credentials) => match self.turn.try_lock() {
                Ok(turn) => turn,
                Err(_somebody_asks) => return Ok(credentials),
            },
        };
        {
            let state = self.state();
            match state.usable((self.clock)()) {
                Usable::Fresh(credentials) => return Ok(credentials),
                Usable::Ageing(_) | Usable::No => {}
            }
            if let Some(failure) = state.failure.as_ref().filter(|_| state.asked > asked_before) {
                return Err(failure.clone());
            }
        }
        let outcome = ask().await;
        self.take(outcome)
    }

    /// Forgets what is held: a service has said that it is no good.
    pub(crate) fn forget(&self) {
        let mut state = self.state();
        (state.held, state.ask_at) = (None, None);
    }

    /// Keeps what was given out, or, when nothing was, stays with what is held as long as that will do.
    fn take(&self, outcome: Result<Lease, Error>) -> Result<Credentials, Error> {
        let now = (self.clock)();
        let mut state = self.state();
        state.asked += 1;
        match outcome {
            Ok(lease) => {
                let credentials = lease.credentials.clone();
                (state.ask_at, state.failure) = (None, None);
                if matches!(lease.lasts, Lasts::UntilAtLeast(end) if end <= now) {
                    // The metadata service itself has nothing newer.
                    state.ask_at = Some(Instant::now() + ask_again_expired());
                }
                state.held = Some(Held { lease, since: now });
                Ok(credentials)
            }
            Err(error) => {
                let kept = state.kept_in_spite(now);
                match kept {
                    Some((credentials, wait)) => {
                        state.ask_at = Some(Instant::now() + wait);
                        state.failure = None;
                        tracing::warn!(
                            error = %error,
                            ask_again_in_s = wait.as_secs(),
                            "AWS credentials could not be renewed; the old ones stay in use"
                        );
                        Ok(credentials)
                    }
                    None => {
                        (state.held, state.ask_at) = (None, None);
                        state.failure = Some(error.clone());
                        Err(error)
                    }
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is held, as seen now.
enum Usable {
    Fresh(Credentials),
    Ageing(Credentials),
    No,
}

impl State {
    fn usable(&self, now: SystemTime) -> Usable {
        let Some(held) = &self.held else { return Usable::No };
        let credentials = held.lease.credentials.clone();
        let is_waiting = self.ask_at.is_some_and(|at| Instant::now() < at);
        match held.lease.age(held.since, now) {
            Age::Fresh => Usable::Fresh(credentials),
            Age::Ageing if is_waiting => Usable::Fresh(credentials),
            Age::Ageing => Usable::Ageing(credentials),
            Age::Expired if is_waiting && held.outlives_its_end() => Usable::Fresh(credentials),
            Age::Expired => Usable::No,
        }
    }

    /// What stays in use though asking for more has failed, and how long until it is asked for again.
    fn kept_in_spite(&self, now: SystemTime) -> Option<(Credentials, Duration)> {
        let held = self.held.as_ref()?;
        let credentials = held.lease.credentials.clone();
        match held.lease.age(held.since, now) {
            Age::Fresh | Age::Ageing => Some((credentials, ASK_AGAIN)),
            Age::Expired if held.outlives_its_end() => Some((credentials, ask_again_expired())),
            Age::Expired => None,
        }
    }
}

impl Held {
    fn outlives_its_end(&self) -> bool {
        matches!(self.lease.lasts, Lasts::UntilAtLeast(_))
    }
}

fn ask_again_expired() -> Duration {
    let (least, more) = ASK_AGAIN_EXPIRED;
    least + more.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests;
