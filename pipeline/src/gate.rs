//! The gate that every request to a backend passes.
//!
//! A platform that freezes the process between two pieces of work must not find a request half-sent: the peer may be gone at thaw, and
//! whether it took the request would never be known. Whoever talks to such a platform closes the gate before it says that it may freeze the
//! process, and opens it when it has been told to go on. A request that is recalled by the closing is sent again, from its beginning, once
//! the gate is open.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::Instant;

/// How long recalled requests may take to let go. They need one turn of the runtime.
const RECALL_TIMEOUT: Duration = Duration::from_secs(1);

/// The gate of a process. Clones share it; the default is open for good.
#[derive(Clone, Debug, Default)]
pub struct Gate(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    phase: watch::Sender<Phase>,
    under_way: watch::Sender<UnderWay>,
    closed: Mutex<Closed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// Nothing new passes; what is under way may end.
    Closing,
    /// What is under way has to begin anew.
    Closed,
}

/// What has passed and not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct UnderWay {
    requests: usize,
    /// What carries no data: connections in the making.
    asides: usize,
}

/// How long it has been closed.
#[derive(Debug)]
struct Closed {
    since: Option<Instant>,
    before: Duration,
}

/// A request under way.
struct Passage<'a> {
    shared: &'a Shared,
    is_aside: bool,
}

impl Gate {
    /// A gate that can be closed, and is.
    pub fn closed() -> Self {
        Self(Some(Arc::new(Shared {
            phase: watch::Sender::new(Phase::Closed),
            under_way: watch::Sender::default(),
            closed: Mutex::new(Closed { since: Some(Instant::now()), before: Duration::ZERO }),
        })))
    }

    /// Whether it is ever closed: whether the platform freezes the process.
    pub fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// Lets requests pass.
    pub fn open(&self) {
        let Some(shared) = &self.0 else { return };
        let mut closed = shared.closed();
        if let Some(since) = closed.since.take() {
            closed.before += since.elapsed();
        }
        drop(closed);
        shared.phase.send_replace(Phase::Open);
    }

    /// Lets nothing pass from now on, gives what is under way `grace` to end, and recalls the rest. On return nothing is under way. Returns
    /// how many requests were recalled.
    pub async fn close(&self, grace: Duration) -> usize {
        let Some(shared) = &self.0 else { return 0 };
        shared.phase.send_replace(Phase::Closing);
        let _since = shared.closed().since.get_or_insert_with(Instant::now);
        let mut under_way = shared.under_way.subscribe();
        let ended = under_way.wait_for(|under_way| under_way.requests == 0);
        if shared.under_way.borrow().requests > 0 {
            let _ended = tokio::time::timeout(grace, ended).await;
        }
        let recalled = shared.under_way.borrow().requests;
        shared.phase.send_replace(Phase::Closed);
        let mut under_way = shared.under_way.subscribe();
        let gone = under_way.wait_for(|under_way| *under_way == UnderWay::default());
        // Requests are futures that are dropped when they are polled next.
        let _gone = tokio::time::timeout(RECALL_TIMEOUT, gone).await;
        recalled
    }

    /// Makes an attempt while the gate is open. When the gate closes before it has ended, it is dropped, and made anew after the next
    /// opening. May be dropped at any point.
    pub async fn pass<F: Future>(&self, attempt: impl FnMut() -> F) -> F::Output {
        self.pass_as(false, attempt).await
    }

    /// As [`Gate::pass`], for what carries no data: closing the gate neither waits for it nor counts it.
    pub async fn pass_aside<F: Future>(&self, attempt: impl FnMut() -> F) -> F::Output {
        self.pass_as(true, attempt).await
    }

    async fn pass_as<F: Future>(
        &self,
        is_aside: bool,
        mut attempt: impl FnMut() -> F,
    ) -> F::Output {
        let Some(shared) = &self.0 else { return attempt().await };
        let mut phase = shared.phase.subscribe();
        loop {
            came(&mut phase, Phase::Open).await;
            let _passage = Passage::new(shared, is_aside);
            tokio::select! {
                biased;
                output = attempt() => return output,
                () = came(&mut phase, Phase::Closed) => {}
            }
        }
    }

    /// Completes at the first opening at or after this time by the wall clock: what waited for a time while the process was frozen need not
    /// wait for it by a clock that stood still. Never completes for a gate that is always open.
    pub async fn opened_after(&self, due: SystemTime) {
        let Some(shared) = &self.0 else { return std::future::pending().await };
        let mut phase = shared.phase.subscribe();
        phase.mark_unchanged();
        while phase.changed().await.is_ok() {
            if *phase.borrow_and_update() == Phase::Open && SystemTime::now() >= due {
                return;
            }
        }
        std::future::pending().await
    }

    /// For how long it has been closed altogether, by the clock that timers go by. Time that such a clock did not count is in neither this
    /// nor what is measured with it, so the difference of the two is the time that could be used.
    pub fn closed_for(&self) -> Duration {
        let Some(shared) = &self.0 else { return Duration::ZERO };
        let closed = shared.closed();
        closed.before + closed.since.map(|since| since.elapsed()).unwrap_or_default()
    }
}

impl UnderWay {
    fn of(&mut self, is_aside: bool) -> &mut usize {
        if is_aside { &mut self.asides } else { &mut self.requests }
    }
}

impl Shared {
    fn closed(&self) -> MutexGuard<'_, Closed> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Completes when this phase comes. The sender lives as long as the gate.
async fn came(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    if phase.wait_for(|phase| *phase == wanted).await.is_err() {
        std::future::pending().await
    }
}

impl<'a> Passage<'a> {
    fn new(shared: &'a Shared, is_aside: bool) -> Self {
        shared.under_way.send_modify(|under_way| *under_way.of(is_aside) += 1);
        Self { shared, is_aside }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        self.shared.under_way.send_modify(|under_way| {
            let count = under_way.of(self.is_aside);
            *count = count.saturating_sub(1);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn nothing_passes_a_closed_gate_and_everything_one_that_is_always_open() {
        let gate = Gate::closed();
        let passed = tokio::time::timeout(LONG, gate.pass(|| async {})).await;
        assert!(passed.is_err());
        gate.open();
        gate.pass(|| async {}).await;
        Gate::default().pass(|| async {}).await;
        assert_eq!(Gate::default().close(LONG).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_under_way_may_end_within_the_grace() {
        let gate = Gate::closed();
        gate.open();
        let attempts = AtomicUsize::new(0);
        let attempt = gate.pass(|| {
            attempts.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(2))
        });
        let close = async {
            tokio::task::yield_now().await;
            gate.close(Duration::from_secs(3)).await
        };
        let ((), recalled) = tokio::join!(attempt, close);
        assert_eq!((recalled, attempts.load(Ordering::Relaxed)), (0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_end_is_recalled_and_begins_anew_when_the_gate_opens() {
        let gate = Gate::closed();
        gate.open();
        let attempts = AtomicUsize::new(0);
        let attempt = gate.pass(|| {
            attempts.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(10))
        });
        let close = async {
            tokio::task::yield_now().await;
            let recalled = gate.close(Duration::from_secs(3)).await;
            let while_closed = attempts.load(Ordering::Relaxed);
            tokio::time::sleep(LONG).await;
            gate.open();
            (recalled, while_closed)
        };
        let ((), (recalled, while_closed)) = tokio::join!(attempt, close);
        assert_eq!((recalled, while_closed, attempts.load(Ordering::Relaxed)), (1, 1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn an_aside_is_recalled_without_grace_and_does_not_count() {
        let gate = Gate::closed();
        gate.open();
        let begun = Instant::now();
        let aside = tokio::time::timeout(LONG, gate.pass_aside(std::future::pending::<()>));
        let close = async {
            tokio::task::yield_now().await;
            let recalled = gate.close(Duration::from_secs(3)).await;
            (recalled, begun.elapsed())
        };
        let (aside, closed) = tokio::join!(aside, close);
        assert!(aside.is_err());
        assert_eq!(closed, (0, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn closed_time_adds_up_and_open_time_does_not_count() {
        let gate = Gate::closed();
        tokio::time::sleep(Duration::from_secs(5)).await;
        gate.open();
        tokio::time::sleep(Duration::from_secs(7)).await;
        gate.close(Duration::ZERO).await;
        tokio::time::sleep(Duration::from_secs(11)).await;
        assert_eq!(gate.closed_for(), Duration::from_secs(16));
    }

    #[tokio::test(start_paused = true)]
    async fn an_opening_after_the_time_ends_a_wait_and_one_before_it_does_not() {
        let gate = Gate::closed();
        let past = SystemTime::now() - LONG;
        let (_, ()) = tokio::join!(gate.opened_after(past), async { gate.open() });
        let future = SystemTime::now() + LONG;
        gate.close(Duration::ZERO).await;
        let too_early = async {
            tokio::task::yield_now().await;
            gate.open();
        };
        let wait = tokio::time::timeout(LONG, gate.opened_after(future));
        let (waited, ()) = tokio::join!(wait, too_early);
        assert!(waited.is_err());
    }
}
