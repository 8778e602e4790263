//! A point in time that nested waits share, so that their timeouts cannot add up.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

/// When something has to be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline `timeout` from now. Timeouts of more than a year count as a year.
    pub fn after(timeout: Duration) -> Self {
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
        Self(Instant::now() + timeout.min(YEAR))
    }

    /// The instant.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// Time left; zero once it has passed.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    pub fn is_over(self) -> bool {
        self.left().is_zero()
    }

    /// The earlier of this deadline and `timeout` from now.
    pub fn within(self, timeout: Duration) -> Self {
        self.min(Self::after(timeout))
    }

    /// The future's output, or `None` when the deadline comes first; the future is dropped then.
    pub async fn bound<F: Future>(self, future: F) -> Option<F::Output> {
        tokio::time::timeout_at(self.0, future).await.ok()
    }
}
