//! Log lines that must not become a flood.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Says something at once, and then no more often than once in a while.
#[derive(Debug, Default)]
pub(crate) struct Periodic {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When it may be said again.
    next: Option<Instant>,
    left_out: u64,
}

/// How long nothing is said.
const PERIOD: Duration = Duration::from_secs(10);

impl Periodic {
    /// Whether it is time to say it, and then how often it was not said since the last time.
    pub(crate) fn is_time(&self) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if state.next.is_some_and(|next| now < next) {
            state.left_out += 1;
            return None;
        }
        state.next = Some(now + PERIOD);
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn said_once_then_counted_until_its_time_has_come() {
        let periodic = Periodic::default();
        assert_eq!(periodic.is_time(), Some(0));
        assert_eq!(periodic.is_time(), None);
        assert_eq!(periodic.is_time(), None);
        tokio::time::advance(PERIOD).await;
        assert_eq!(periodic.is_time(), Some(2));
        assert_eq!(periodic.is_time(), None);
    }
}
