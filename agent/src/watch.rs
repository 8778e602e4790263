//! Looks at what the config reads elsewhere, as often as the config says.

use std::time::Duration;

use confmap::{Providers, Refresh};
use tokio::time::{Instant, sleep_until};

/// How much sooner or later than asked for a look may come, so that processes that started together do not ask together.
const JITTER: f64 = 0.1;

/// What is looked at, and when next.
pub(crate) struct Watch {
    refresh: Option<Refresh>,
    next: Instant,
}

impl Watch {
    /// Looks at these references, or at none.
    pub(crate) fn new(refresh: Option<Refresh>) -> Self {
        let next = refresh.as_ref().map_or_else(Instant::now, soon);
        Self { refresh, next }
    }

    /// Waits until something has changed, and names it; what could not be looked at is logged. May be dropped at any point: the next call goes
    /// on.
    pub(crate) async fn changed(&mut self, providers: &Providers) -> Vec<String> {
        let Some(refresh) = &self.refresh else { return std::future::pending().await };
        loop {
            sleep_until(self.next).await;
            let refreshed = refresh.check(providers).await;
            self.next = soon(refresh);
            for warning in &refreshed.warnings {
                tracing::warn!("{warning}");
            }
            if !refreshed.changed.is_empty() {
                return refreshed.changed;
            }
        }
    }
}

fn soon(refresh: &Refresh) -> Instant {
    let factor = 1.0 - JITTER + 2.0 * JITTER * fastrand::f64();
    Instant::now() + Duration::mul_f64(refresh.every(), factor)
}
