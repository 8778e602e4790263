//! Where a component sends what it has: a consumer that a reload can replace.

use std::sync::Arc;

use arc_swap::ArcSwap;
use pdata::Signal;

use crate::consumer::{BoxFuture, ConsumeError, Consumer};
use crate::envelope::Envelope;

/// The way to the next stage. Clones share it; a reload swaps what is behind it while envelopes flow.
#[derive(Clone)]
pub struct Outlet {
    next: Arc<ArcSwap<Arc<dyn Consumer>>>,
}

impl Outlet {
    /// An outlet to this consumer.
    pub fn to(next: Arc<dyn Consumer>) -> Self {
        Self { next: Arc::new(ArcSwap::from_pointee(next)) }
    }

    /// Sends what comes from now on to another consumer.
    pub fn redirect(&self, next: Arc<dyn Consumer>) {
        self.next.store(Arc::new(next));
    }
}

impl Consumer for Outlet {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        let next = Arc::clone(&self.next.load());
        Box::pin(async move { next.consume(envelope).await })
    }
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outlet")
    }
}

/// A receiver's outlets, by signal. A signal that no pipeline takes has none.
#[derive(Clone, Debug, Default)]
pub struct Outlets {
    by_signal: [Option<Outlet>; 3],
}

impl Outlets {
    /// The outlets with this one for `signal`.
    #[must_use]
    pub fn with(mut self, signal: Signal, outlet: Outlet) -> Self {
        if let Some(slot) = self.by_signal.get_mut(signal as usize) {
            *slot = Some(outlet);
        }
        self
    }

    /// The outlet for a signal.
    pub fn get(&self, signal: Signal) -> Option<&Outlet> {
        self.by_signal.get(signal as usize)?.as_ref()
    }

    /// The signals that have an outlet.
    pub fn signals(&self) -> impl Iterator<Item = Signal> {
        Signal::ALL.into_iter().filter(|signal| self.get(*signal).is_some())
    }
}
