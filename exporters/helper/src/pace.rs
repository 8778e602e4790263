//! How much time there is: all of it, a flush to be done with, or a deadline that ends everything.

use std::time::Duration;

use pipeline::Deadline;
use tokio::sync::watch;
use tokio::time::Instant;

/// The first delay between tries when time is short; it doubles up to [`HURRIED_DELAY_MAX`].
const HURRIED_DELAY: Duration = Duration::from_millis(100);
/// The longest delay between tries when time is short.
const HURRIED_DELAY_MAX: Duration = Duration::from_secs(1);

/// Waits longer than this, which a backend may well ask for, would overflow the clock.
const WAIT_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// The pace of one exporter, which flush and shutdown set and retries keep.
pub(crate) struct Pace {
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Flushes under way.
    flushes: usize,
    /// When everything is over, once that is known.
    stop: Option<Deadline>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Usual,
    Flushing,
    Stopping,
}

/// A flush under way; dropping it ends it.
pub(crate) struct Flush<'a>(&'a Pace);

/// Delays of one request when time is short.
#[derive(Debug, Default)]
pub(crate) struct Hurry {
    tries: u32,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self { state: watch::Sender::new(State::default()) }
    }

    /// Cuts waits short until the guard is dropped.
    pub(crate) fn flush(&self) -> Flush<'_> {
        self.state.send_modify(|state| state.flushes += 1);
        Flush(self)
    }

    /// Cuts waits short for good; everything is over at the deadline.
    pub(crate) fn stop(&self, deadline: Deadline) {
        self.state.send_modify(|state| state.stop = Some(deadline));
    }

    /// Whether everything is about to be over.
    pub(crate) fn is_stopping(&self) -> bool {
        self.state.borrow().stop.is_some()
    }

    /// Completes when everything is over. May be dropped part-way.
    pub(crate) async fn over(&self) {
        let mut state = self.state.subscribe();
        let stop = match state.wait_for(|state| state.stop.is_some()).await {
            Ok(state) => state.stop,
            Err(_sender_gone) => None,
        };
        if let Some(stop) = stop {
            tokio::time::sleep_until(stop.instant()).await;
        }
    }

    /// Waits before the next try: `delay`, or less when time is short or becomes so meanwhile. What the backend asked for (`throttle`) is kept in
    /// a flush, where waiting loses nothing, and not at the end, where it does. May be dropped part-way.
    pub(crate) async fn wait(
        &self,
        delay: Duration,
        throttle: Option<Duration>,
        hurry: &mut Hurry,
    ) {
        let started = Instant::now();
        let throttled = started + throttle.unwrap_or_default().min(WAIT_MAX);
        let mut state = self.state.subscribe();
        let mut mode = state.borrow_and_update().mode();
        // A wait that was begun in time and is cut short ends at once; one begun in haste is short.
        let hurried = match mode {
            Mode::Usual => started,
            Mode::Flushing | Mode::Stopping => started + hurry.next(),
        };
        loop {
            let until = match mode {
                Mode::Usual => started + delay.min(WAIT_MAX),
                Mode::Flushing => hurried.max(throttled),
                Mode::Stopping => hurried,
            };
            tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                changed = state.changed() => {
                    mode = state.borrow_and_update().mode();
                    debug_assert!(changed.is_ok(), "the pace is not dropped while it is kept");
                }
            }
        }
    }
}

impl State {
    fn mode(self) -> Mode {
        match self {
            Self { stop: Some(_), .. } => Mode::Stopping,
            Self { flushes: 0, .. } => Mode::Usual,
            Self { .. } => Mode::Flushing,
        }
    }
}

impl Drop for Flush<'_> {
    fn drop(&mut self) {
        self.0.state.send_modify(|state| state.flushes = state.flushes.saturating_sub(1));
    }
}

impl Hurry {
    fn next(&mut self) -> Duration {
        let delay = HURRIED_DELAY.saturating_mul(1 << self.tries.min(10));
        self.tries += 1;
        delay.min(HURRIED_DELAY_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    async fn waited(pace: &Pace, throttle: Option<Duration>, hurry: &mut Hurry) -> Duration {
        let started = Instant::now();
        pace.wait(LONG, throttle, hurry).await;
        started.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn usual_wait_is_as_long_as_asked() {
        assert_eq!(waited(&Pace::new(), None, &mut Hurry::default()).await, LONG);
    }

    #[tokio::test(start_paused = true)]
    async fn wait_beyond_the_clocks_range_is_a_long_wait() {
        let (pace, mut hurry) = (Pace::new(), Hurry::default());
        let flush = pace.flush();
        let wait = pace.wait(Duration::MAX, Some(Duration::MAX), &mut hurry);
        assert!(tokio::time::timeout(LONG, wait).await.is_err());
        drop(flush);
        let wait = pace.wait(Duration::MAX, None, &mut hurry);
        assert!(tokio::time::timeout(LONG, wait).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn wait_is_cut_short_by_a_flush_and_by_the_end() {
        let ends: [fn(&Pace); 2] =
            [|pace| std::mem::forget(pace.flush()), |pace| pace.stop(Deadline::after(LONG))];
        for end in ends {
            let pace = Pace::new();
            let mut hurry = Hurry::default();
            let (elapsed, ()) = tokio::join!(waited(&pace, None, &mut hurry), async {
                tokio::time::sleep(Duration::from_secs(60)).await;
                end(&pace);
            });
            assert_eq!(elapsed, Duration::from_secs(60));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn hurried_waits_grow_up_to_a_second() {
        let pace = Pace::new();
        pace.stop(Deadline::after(LONG));
        let mut hurry = Hurry::default();
        for millis in [100, 200, 400, 800, 1000, 1000] {
            assert_eq!(waited(&pace, None, &mut hurry).await, Duration::from_millis(millis));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn backend_that_asked_for_time_gets_it_in_a_flush_and_not_at_the_end() {
        let pace = Pace::new();
        let flush = pace.flush();
        let throttle = Some(Duration::from_secs(30));
        let mut hurry = Hurry::default();
        assert_eq!(waited(&pace, throttle, &mut hurry).await, Duration::from_secs(30));
        let (elapsed, ()) = tokio::join!(waited(&pace, throttle, &mut hurry), async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            pace.stop(Deadline::after(LONG));
        });
        assert_eq!(elapsed, Duration::from_secs(5));
        drop(flush);
    }

    #[tokio::test(start_paused = true)]
    async fn usual_pace_comes_back_when_a_flush_is_over() {
        let pace = Pace::new();
        drop(pace.flush());
        assert_eq!(waited(&pace, None, &mut Hurry::default()).await, LONG);
    }

    #[tokio::test(start_paused = true)]
    async fn all_is_over_at_the_deadline_and_not_before() {
        let pace = Pace::new();
        let started = Instant::now();
        let stop = async {
            tokio::time::sleep(Duration::from_secs(7)).await;
            pace.stop(Deadline::after(Duration::from_secs(10)));
        };
        tokio::join!(pace.over(), stop);
        assert_eq!(started.elapsed(), Duration::from_secs(17));
    }
}
