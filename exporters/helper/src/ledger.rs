//! The branch's accounts: what is held, and what became of what was.
//!
//! Every item taken in stands in exactly one [`Held`], which is used up by outcomes. What is left when it is dropped (a request cut off at the
//! deadline, a panic) is counted then, so the accounts balance on every way out.
//!
//! Who counts: the graph counts what it offers as accepted, and what is answered with an error as returned or dropped. These accounts count
//! what was answered with `Ok`. Where the caller waits for the outcome, outcomes are therefore noted and counted only once the
//! answer is known to be `Ok` ([`Verdict::decide`](crate::custody::Verdict::decide)).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use telemetry::names::{self, DropReason, RefuseReason};
use tokio::sync::Notify;

use crate::metrics::Metrics;

/// The accounts of one exporter and signal.
pub(crate) struct Ledger {
    shared: Arc<Shared>,
    generations: Mutex<Generations>,
}

struct Generations {
    /// Takes what comes in.
    newest: Arc<Generation>,
    /// Those before it that still hold something.
    older: Vec<Arc<Generation>>,
}

/// Counts, for the ledger and for everything held.
pub(crate) struct Shared {
    metrics: Arc<Metrics>,
    stopping: AtomicBool,
    given_up: AtomicUsize,
}

/// What was taken in between two flushes, so that a flush need not wait for what came after it.
pub(crate) struct Generation {
    shared: Arc<Shared>,
    held: AtomicUsize,
    emptied: Notify,
}

/// What became of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The backend has them.
    Delivered,
    /// The backend does not want them.
    Refused(RefuseReason),
    /// This process gave them up.
    Dropped(DropReason),
    /// They could not be sent, and another try might have helped: the caller's when it waits, otherwise they are dropped.
    Failed,
}

/// Items in hand.
pub(crate) struct Held {
    generation: Arc<Generation>,
    /// Items without an outcome.
    open: usize,
    /// Outcomes that are only noted, because the caller waits for them.
    noted: Option<Tally>,
}

/// Items by outcome.
#[derive(Debug, Default)]
pub(crate) struct Tally(Vec<(Outcome, usize)>);

impl Ledger {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        let (stopping, given_up) = (AtomicBool::new(false), AtomicUsize::new(0));
        let shared = Arc::new(Shared { metrics, stopping, given_up });
        let newest = Generation::new(shared.clone());
        Self { shared, generations: Mutex::new(Generations { newest, older: Vec::new() }) }
    }

    /// Takes items in. With `waiting`, outcomes are noted and not counted.
    pub(crate) fn hold(&self, items: usize, waiting: bool) -> Held {
        let generation = {
            let generations = self.lock();
            // Under the lock, or a flush could overlook it.
            generations.newest.add(items);
            generations.newest.clone()
        };
        let metrics = &self.shared.metrics;
        if metrics.held.get() == 0 {
            // What comes to an idle exporter is not late already.
            metrics.pulse.beat(Duration::ZERO);
        }
        metrics.held.add(items as i64);
        Held { generation, open: items, noted: waiting.then(Tally::default) }
    }

    /// Everything held now; what comes from now on is not part of it.
    pub(crate) fn turn(&self) -> Vec<Arc<Generation>> {
        let mut generations = self.lock();
        let next = Generation::new(self.shared.clone());
        let newest = std::mem::replace(&mut generations.newest, next);
        generations.older.push(newest);
        generations.older.retain(|generation| generation.held() > 0);
        generations.older.clone()
    }

    /// Says that what is cut off from now on is cut off by the end of the process.
    pub(crate) fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }

    /// Items dropped because of the end, since this was last asked.
    pub(crate) fn take_given_up(&self) -> usize {
        self.shared.given_up.swap(0, Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn count(&self, outcome: Outcome, items: usize) {
        if items == 0 {
            return;
        }
        let metrics = &self.metrics;
        match outcome {
            Outcome::Delivered => metrics.delivered.add(items as u64),
            Outcome::Refused(reason) => {
                metrics.by_reason(&names::EXPORTER_REFUSED_ITEMS, reason.as_str(), items);
            }
            Outcome::Dropped(reason) => {
                if reason == DropReason::Shutdown {
                    self.given_up.fetch_add(items, Ordering::Relaxed);
                    metrics.send_failed(items, "Shutdown", false);
                }
                metrics.by_reason(&names::EXPORTER_DROPPED_ITEMS, reason.as_str(), items);
            }
            Outcome::Failed => self.count(Outcome::Dropped(DropReason::RetriesExhausted), items),
        }
    }

    /// Why something is dropped that nobody decided about.
    fn cut_off(&self) -> DropReason {
        match self.stopping.load(Ordering::Relaxed) {
            true => DropReason::Shutdown,
            false => DropReason::ComponentFailed,
        }
    }
}

impl Generation {
    fn new(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { shared, held: AtomicUsize::new(0), emptied: Notify::new() })
    }

    /// Items of it that are held.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Acquire)
    }

    /// Waits until nothing of it is held.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.held() == 0 {
                return;
            }
            emptied.await;
        }
    }

    fn add(&self, items: usize) {
        self.held.fetch_add(items, Ordering::Relaxed);
    }

    fn take(&self, items: usize) {
        if items > 0 && self.held.fetch_sub(items, Ordering::AcqRel) == items {
            self.emptied.notify_waiters();
        }
    }
}

impl Held {
    /// Items without an outcome.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Whether the caller waits for the outcome.
    pub(crate) fn is_awaited(&self) -> bool {
        self.noted.is_some()
    }

    /// Items that were delivered, as far as outcomes are noted.
    pub(crate) fn delivered(&self) -> usize {
        self.noted.as_ref().map_or(0, |noted| noted.of(Outcome::Delivered))
    }

    /// Settles what became of so many items; at most of all that are open.
    pub(crate) fn settle(&mut self, outcome: Outcome, items: usize) {
        debug_assert!(items <= self.open, "{items} of {} items: {outcome:?}", self.open);
        let items = items.min(self.open);
        self.open -= items;
        match &mut self.noted {
            Some(noted) => noted.add(outcome, items),
            None => {
                self.generation.shared.count(outcome, items);
                self.release(items);
            }
        }
    }

    /// Items that failed, by what is noted, and that nobody has told the operator of.
    pub(crate) fn lost(&self) -> usize {
        let told = |outcome: &Outcome| {
            let partly = Outcome::Refused(RefuseReason::PartialSuccess);
            let unsendable = [
                DropReason::Untranslatable,
                DropReason::Empty,
                DropReason::Baseline,
                DropReason::Stale,
            ];
            [Outcome::Delivered, partly].contains(outcome)
                || unsendable.map(Outcome::Dropped).contains(outcome)
        };
        let noted = self.noted.iter().flat_map(|noted| &noted.0);
        self.open + noted.filter(|(outcome, _)| !told(outcome)).map(|(_, n)| n).sum::<usize>()
    }

    /// Lets go of what is open without counting it: the caller is answered with an error, and has it still.
    pub(crate) fn disown(&mut self) {
        let open = std::mem::take(&mut self.open);
        self.release(open);
    }

    /// Cuts off so many items, open ones first, with their share of what was noted.
    pub(crate) fn split(&mut self, items: usize) -> Held {
        let open = self.open.min(items);
        self.open -= open;
        let noted = self.noted.as_mut().map(|noted| noted.split(items - open));
        Held { generation: self.generation.clone(), open, noted }
    }

    /// Takes in the items of another. They count as taken in when this one's were, which is never later.
    pub(crate) fn absorb(&mut self, mut other: Held) {
        let open = std::mem::take(&mut other.open);
        let noted = other.noted.take();
        let items = open + noted.as_ref().map_or(0, Tally::items);
        self.generation.add(items);
        other.generation.take(items);
        self.open += open;
        if let (Some(ours), Some(theirs)) = (&mut self.noted, noted) {
            theirs.0.into_iter().for_each(|(outcome, items)| ours.add(outcome, items));
        }
    }

    /// Counts what was noted: the caller is answered with `Ok`. Items still open were cut off.
    pub(crate) fn commit(mut self) {
        let Some(noted) = self.noted.take() else { return };
        let shared = &self.generation.shared;
        noted.0.iter().for_each(|(outcome, items)| shared.count(*outcome, *items));
        self.release(noted.items());
    }

    fn release(&self, items: usize) {
        if items == 0 {
            return;
        }
        self.generation.shared.metrics.held.sub(items as i64);
        self.generation.take(items);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let items = match self.noted.take() {
            Some(noted) => self.open + noted.items(),
            None => {
                let reason = self.generation.shared.cut_off();
                self.settle(Outcome::Dropped(reason), self.open);
                0
            }
        };
        self.release(items);
    }
}

impl Tally {
    pub(crate) fn items(&self) -> usize {
        self.0.iter().map(|(_, items)| items).sum()
    }

    fn of(&self, wanted: Outcome) -> usize {
        self.0.iter().filter(|(outcome, _)| *outcome == wanted).map(|(_, items)| items).sum()
    }

    fn add(&mut self, outcome: Outcome, items: usize) {
        match self.0.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, count)) => *count += items,
            None => self.0.push((outcome, items)),
        }
    }

    fn split(&mut self, mut items: usize) -> Tally {
        let mut taken = Tally::default();
        for (outcome, count) in &mut self.0 {
            let some = items.min(*count);
            *count -= some;
            items -= some;
            taken.add(*outcome, some);
        }
        taken
    }
}
