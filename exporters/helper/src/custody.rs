//! Who is told what became of the items of a payload.

use std::sync::{Arc, Mutex, PoisonError};

use pipeline::{Class, ConsumeError};
use tokio::sync::oneshot;

use crate::ledger::Held;

/// The items of a payload on its way to the backend, and the callers that wait for its outcome. When it is dropped, on whatever way out, each
/// caller gets its share.
pub(crate) struct Custody {
    /// The items.
    pub(crate) held: Held,
    /// What went wrong, if something did.
    pub(crate) error: Option<ConsumeError>,
    waiters: Vec<(Waiter, usize)>,
}

/// A caller that waits. Clones stand for parts of its payload; it is answered when the last of them is gone.
#[derive(Clone)]
pub(crate) struct Waiter(Arc<Waiting>);

struct Waiting {
    verdict: Mutex<Verdict>,
    answer: Mutex<Option<oneshot::Sender<Verdict>>>,
}

/// What became of a payload whose caller waits.
#[derive(Default)]
pub(crate) struct Verdict {
    held: Option<Held>,
    /// Whether some of the items may have been delivered.
    delivered: bool,
    error: Option<ConsumeError>,
}

impl Custody {
    /// Items for which `waiter` waits, if anybody does.
    pub(crate) fn new(held: Held, waiter: Option<Waiter>) -> Self {
        let waiters = waiter.into_iter().map(|waiter| (waiter, held.open())).collect();
        Self { held, error: None, waiters }
    }

    /// The verdict on a payload that stayed in one piece, and for which nobody else waits.
    pub(crate) fn verdict(mut self) -> Verdict {
        let delivered = self.held.delivered() > 0;
        let error = self.error.take();
        Verdict { held: Some(self.held.split(usize::MAX)), delivered, error }
    }

    /// Takes in another payload's.
    pub(crate) fn absorb(&mut self, mut other: Custody) {
        self.waiters.append(&mut other.waiters);
        let open = other.held.open();
        self.held.absorb(other.held.split(open));
    }

    /// Cuts off so many items, which nobody else has joined yet.
    pub(crate) fn split(&mut self, items: usize) -> Custody {
        let held = self.held.split(items);
        let mut waiters = Vec::new();
        if let Some((waiter, waited_for)) = self.waiters.first_mut() {
            *waited_for = waited_for.saturating_sub(items);
            waiters.push((waiter.clone(), items));
        }
        Custody { held, error: None, waiters }
    }
}

impl Drop for Custody {
    fn drop(&mut self) {
        // Which items of a joined payload the backend took is not known: once it took some, none may be sent again.
        let delivered = self.held.delivered() > 0;
        for (waiter, items) in self.waiters.drain(..) {
            let (held, error) = (Some(self.held.split(items)), self.error.clone());
            waiter.give(Verdict { held, delivered, error });
        }
    }
}

impl Waiter {
    /// A caller, and where it gets its answer.
    pub(crate) fn new() -> (Self, oneshot::Receiver<Verdict>) {
        let (answer, answered) = oneshot::channel();
        let (verdict, answer) = (Mutex::default(), Mutex::new(Some(answer)));
        (Self(Arc::new(Waiting { verdict, answer })), answered)
    }

    fn give(&self, share: Verdict) {
        let mut verdict = self.0.verdict.lock().unwrap_or_else(PoisonError::into_inner);
        verdict.add(share);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let verdict = self.verdict.get_mut().unwrap_or_else(PoisonError::into_inner);
        let answer = self.answer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(answer) = answer {
            // A caller that went away has no use for it; what is in it was never counted.
            let _left = answer.send(std::mem::take(verdict));
        }
    }
}

impl Verdict {
    fn add(&mut self, share: Verdict) {
        match (&mut self.held, share.held) {
            (Some(ours), Some(theirs)) => ours.absorb(theirs),
            (ours @ None, theirs) => *ours = theirs,
            (Some(_), None) => {}
        }
        self.delivered |= share.delivered;
        keep_worse(&mut self.error, share.error);
    }

    /// The answer to the caller, and how many of its items were lost if that is `Ok`. An error means that nothing of the payload has been
    /// delivered, so that it can be sent again as a whole; once something was delivered, the rest is counted as lost.
    pub(crate) fn decide(self) -> (Result<(), ConsumeError>, usize) {
        let Some(held) = self.held else { return (Err(closed()), 0) };
        if !self.delivered {
            let cut_off = (held.open() > 0).then(closed);
            if let Some(error) = self.error.or(cut_off) {
                return (Err(error), 0);
            }
        }
        let lost = held.lost();
        held.commit();
        (Ok(()), lost)
    }
}

/// Keeps the error after which the caller does more: one that is worth another try wins.
pub(crate) fn keep_worse(kept: &mut Option<ConsumeError>, error: Option<ConsumeError>) {
    let Some(error) = error else { return };
    if kept.as_ref().is_none_or(|kept| !kept.is_retryable() && error.is_retryable()) {
        *kept = Some(error);
    }
}

/// The exporter is shutting down.
pub(crate) fn closed() -> ConsumeError {
    ConsumeError::new(Class::Closed, "the exporter is shutting down")
}
