//! Waiting for something that happens outside of the test, always under a deadline.

use std::time::{Duration, Instant};

/// Long enough for the slowest machine that runs the tests; a wait that is met takes no longer than it must.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks. It decides how soon a change is seen, never whether.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Looks until there is something to see.
///
/// # Panics
///
/// When nothing is there after [`PATIENCE`]; the message says what was awaited.
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, look).unwrap_or_else(|| panic!("waited {PATIENCE:?} for {what}"))
}

/// Looks until there is something to see or the time is over.
pub fn within<T>(time: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        let seen = look();
        if seen.is_some() || started.elapsed() >= time {
            return seen;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
