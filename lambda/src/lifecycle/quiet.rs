//! Guesses the end of a handler where the platform does not tell it: the OpenTelemetry SDKs send what they have at its end, and are quiet
//! then.
//!
//! A wrong guess costs freshness and nothing else: what comes later is held until the next invocation.

use std::time::Duration;

use pipeline::Service;
use tokio::time::{Instant, sleep};

/// How often it is looked whether data has come in.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long nothing has come in when the handler is taken to be over.
const QUIET: Duration = Duration::from_millis(30);
/// How long the first data of an invocation is waited for, if the one before had some.
const FIRST_DATA: Duration = Duration::from_secs(1);
/// Invocations whose end was not told, after which it is not expected any more.
const UNTOLD_MAX: u32 = 2;

/// Whether, and how, the end is guessed.
#[derive(Debug)]
pub(super) struct Quiet {
    /// The platform is expected to tell.
    is_told: bool,
    untold: u32,
    is_guessing: bool,
    begun: Instant,
    accepted_before: u64,
    accepted: u64,
    since: Instant,
    has_data: bool,
}

impl Quiet {
    /// `is_told` when the platform tells of ends.
    pub(super) fn new(is_told: bool) -> Self {
        let now = Instant::now();
        Self {
            is_told,
            untold: 0,
            is_guessing: !is_told,
            begun: now,
            accepted_before: 0,
            accepted: 0,
            since: now,
            has_data: true,
        }
    }

    /// An invocation begins, with so many items accepted before it.
    pub(super) fn invoked(&mut self, accepted: u64) {
        let now = Instant::now();
        self.is_guessing = !self.is_told || self.untold >= UNTOLD_MAX;
        (self.begun, self.since) = (now, now);
        (self.accepted_before, self.accepted) = (accepted, accepted);
    }

    /// The end may not be told this time.
    pub(super) fn begin_guessing(&mut self) {
        self.is_guessing = true;
    }

    /// The end was told.
    pub(super) fn was_told(&mut self) {
        self.untold = 0;
    }

    /// The end was not told while it was waited for.
    pub(super) fn was_not_told(&mut self) {
        self.untold = self.untold.saturating_add(1);
    }

    /// Completes in a while, with whether the handler is likely over; never where the end is told. May be dropped at any point.
    pub(super) async fn over(&mut self, service: &Service) -> bool {
        if !self.is_guessing {
            return std::future::pending().await;
        }
        sleep(LOOK_EVERY).await;
        self.look(service.accepted(), Instant::now())
    }

    fn look(&mut self, accepted: u64, now: Instant) -> bool {
        if accepted != self.accepted {
            (self.accepted, self.since) = (accepted, now);
        }
        let has_data = accepted != self.accepted_before;
        let over = match has_data {
            true => now.saturating_duration_since(self.since) >= QUIET,
            // A function that sent nothing the last time is not waited for.
            false => !self.has_data || now.saturating_duration_since(self.begun) >= FIRST_DATA,
        };
        if over {
            self.has_data = has_data;
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_end_is_when_data_has_come_and_nothing_more_comes() {
        let mut quiet = Quiet::new(false);
        quiet.invoked(100);
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert!(!quiet.look(100, at(500)));
        assert!(!quiet.look(110, at(510)));
        assert!(!quiet.look(120, at(530)));
        assert!(!quiet.look(120, at(550)));
        assert!(quiet.look(120, at(560)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_function_that_sends_nothing_is_waited_for_once() {
        let mut quiet = Quiet::new(false);
        let start = Instant::now();
        quiet.invoked(0);
        assert!(!quiet.look(0, start + Duration::from_millis(990)));
        assert!(quiet.look(0, start + Duration::from_secs(1)));
        quiet.invoked(0);
        assert!(quiet.look(0, start));
        // Until it sends again.
        quiet.invoked(0);
        assert!(!quiet.look(5, start));
    }

    #[tokio::test(start_paused = true)]
    async fn guessing_begins_when_ends_go_untold() {
        let mut quiet = Quiet::new(true);
        quiet.invoked(0);
        assert!(!quiet.is_guessing);
        quiet.was_not_told();
        quiet.was_not_told();
        quiet.invoked(0);
        assert!(quiet.is_guessing);
        quiet.was_told();
        quiet.invoked(0);
        assert!(!quiet.is_guessing);
    }
}
