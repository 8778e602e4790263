//! The decisions.

use std::time::{Duration, SystemTime};

use super::estimate::Estimate;
use super::settings::{Settings, Strategy};

/// Gaps between invocations that have to be known before any is expected.
const GAPS_MIN: u32 = 5;
/// A gap after which those before it mean nothing any more.
const GAP_FORGETS: Duration = Duration::from_secs(300);
/// How often a running handler is looked at when data waits.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How old data may become in a handler that runs on and on, where it is not sent at once.
const LONG_HANDLER: Duration = Duration::from_secs(1);
/// The least and the most that an invocation is held, without need, for a flush that is about to end: beside recalling it, which has the
/// backend get it twice, a few milliseconds once in a while are the smaller evil.
const FINISH: (Duration, Duration) = (Duration::from_millis(3), Duration::from_millis(50));
/// Longest time for which no invocation waits for a backend that did not take what it waited for before.
const OUTAGE_MAX: Duration = Duration::from_secs(60);
/// Time that is left to the function before its timeout, whatever is held.
const MARGIN: Duration = Duration::from_millis(150);

/// What waits to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Items.
    pub items: u64,
    /// Since when the oldest of them has been waiting, as far as is known.
    pub since: Option<SystemTime>,
    /// Whether it takes much of the memory there is for it.
    pub is_much: bool,
}

/// How an invocation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Data is sent beside the handler: what waits now, and what comes.
    Send,
    /// Nothing is sent for now.
    Hold,
}

/// How an invocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The function answered.
    Well,
    /// It failed or timed out; the environment may not live on.
    Badly,
    /// Nobody said so.
    Unknown,
}

/// Whether `/next` is held for a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// It is not: what waits is left for later.
    Not,
    /// For the rest of a flush that is about to end, at most this long.
    Briefly(Duration),
    /// Until nothing waits any more, at most this long.
    For(Duration),
}

/// Decides when to flush, and how long an invocation waits for it.
#[derive(Debug)]
pub struct Planner {
    settings: Settings,
    /// From one invocation's beginning to the next one's.
    gaps: Estimate,
    /// How long handlers run.
    handlers: Estimate,
    /// How long flushes take that succeed.
    flushes: Estimate,
    began: Option<SystemTime>,
    last_flush: Option<SystemTime>,
    outage: Option<Outage>,
    /// A request was recalled since the last flush that succeeded. Sent beside one more short handler, it would be recalled once more, and
    /// the backend would get it again and again.
    was_recalled: bool,
    /// A flush succeeded since the last invocation began; at first, one is expected to.
    is_in_use: bool,
}

#[derive(Clone, Copy, Debug)]
struct Outage {
    until: SystemTime,
    pause: Duration,
}

impl Planner {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            gaps: Estimate::default(),
            handlers: Estimate::default(),
            flushes: Estimate::default(),
            began: None,
            last_flush: None,
            outage: None,
            was_recalled: false,
            is_in_use: true,
        }
    }

    /// An invocation begins.
    pub fn invoked(&mut self, now: SystemTime, waiting: Waiting) -> Opening {
        if let Some(before) = self.began.replace(now) {
            let gap = since(before, now);
            if gap > GAP_FORGETS {
                self.gaps.forget();
            } else {
                self.gaps.observe(gap);
            }
        }
        let _begun = self.last_flush.get_or_insert(now);
        let sends = waiting.items > 0
            && !self.is_in_outage(now)
            && match self.settings.strategy {
                Strategy::End => true,
                Strategy::Periodic(interval) => self.is_periodically_due(interval, now),
                Strategy::Continuous => !self.was_recalled || self.is_due(now, waiting),
                Strategy::Auto => {
                    !self.expects_next()
                        || self.is_due(now, waiting)
                        || !self.was_recalled && self.fits_beside_handler()
                }
            };
        if sends { Opening::Send } else { Opening::Hold }
    }

    /// Whether to open connections beside the handler that has just begun, for what is likely sent at its end: asked once for each
    /// invocation. A function that sent nothing the last time is not expected to this time.
    pub fn warms(&mut self, now: SystemTime) -> bool {
        let is_in_use = std::mem::take(&mut self.is_in_use);
        is_in_use
            && !self.is_in_outage(now)
            && match self.settings.strategy {
                Strategy::End | Strategy::Continuous => true,
                Strategy::Periodic(interval) => self.is_periodically_due(interval, now),
                Strategy::Auto => !self.expects_next(),
            }
    }

    /// How often [`Planner::look`] wants to be asked while a handler runs.
    #[must_use]
    pub fn look_every(&self) -> Duration {
        LOOK_EVERY
    }

    /// Whether to flush now, beside the handler.
    #[must_use]
    pub fn look(&self, now: SystemTime, waiting: Waiting) -> bool {
        if waiting.items == 0 || self.is_in_outage(now) {
            return false;
        }
        let old = waiting.since.is_some_and(|start| since(start, now) >= LONG_HANDLER);
        match self.settings.strategy {
            Strategy::End => true,
            Strategy::Continuous => !self.was_recalled || old || self.is_due(now, waiting),
            Strategy::Periodic(interval) => {
                waiting.is_much || self.is_periodically_due(interval, now)
            }
            Strategy::Auto => !self.expects_next() || waiting.is_much || old,
        }
    }

    /// The handler is over. Tells whether the invocation is held for a flush: for one that is under way since `flushing`, or for a new one.
    pub fn ended(
        &mut self,
        now: SystemTime,
        deadline: SystemTime,
        how: Ended,
        waiting: Waiting,
        flushing: Option<SystemTime>,
    ) -> Holding {
        if let (Some(began), Ended::Well) = (self.began, how) {
            self.handlers.observe(since(began, now));
        }
        if waiting.items == 0 && flushing.is_none() {
            return Holding::Not;
        }
        if self.is_in_outage(now) {
            return Holding::Not;
        }
        let left = since(now, deadline).saturating_sub(MARGIN);
        let budget = self.settings.budget.min(left);
        let urgent = how == Ended::Badly || waiting.is_much;
        let waits = match self.settings.strategy {
            Strategy::End => true,
            Strategy::Periodic(interval) => {
                urgent || flushing.is_some() || self.is_periodically_due(interval, now)
            }
            Strategy::Continuous => urgent || self.is_due(now, waiting),
            Strategy::Auto => urgent || !self.expects_next() || self.is_due(now, waiting),
        };
        if budget.is_zero() {
            return Holding::Not;
        }
        if waits {
            return Holding::For(budget);
        }
        let Some(flushing) = flushing else { return Holding::Not };
        if self.flushes.seen() == 0 {
            return Holding::Not;
        }
        // A flush that takes much longer than others may never end.
        let longest = self.flushes.high().saturating_mul(3);
        let remaining = longest.saturating_sub(since(flushing, now));
        let (least, most) = match self.settings.strategy {
            // Whoever wants data sent beside every handler accepts that some handlers are too short for it.
            Strategy::Continuous => (FINISH.0, budget),
            _ => FINISH,
        };
        Holding::Briefly(remaining.clamp(least.min(most), most).min(budget))
    }

    /// Until when to wait for the end of a handler whose end may go unnoticed: late enough for ordinary ones, and with time to call `/next`
    /// before the function times out.
    #[must_use]
    pub fn end_of_waiting(&self, now: SystemTime, deadline: SystemTime) -> Duration {
        let left = since(now, deadline);
        let margin = MARGIN.max(self.flushes.high().saturating_mul(3)).min(left / 2);
        left.saturating_sub(margin)
    }

    /// A flush came to its end: all that waited when it began has been settled.
    pub fn flushed(&mut self, now: SystemTime, took: Duration) {
        self.flushes.observe(took);
        self.last_flush = Some(now);
        self.outage = None;
        self.was_recalled = false;
        self.is_in_use = true;
    }

    /// Requests were recalled when an invocation ended.
    pub fn recalled(&mut self) {
        self.was_recalled = true;
    }

    /// An invocation was held for a flush, in vain. For a time that doubles, nothing is sent, and following invocations are not held. True
    /// when it is the first one since a flush succeeded.
    pub fn held_in_vain(&mut self, now: SystemTime) -> bool {
        let is_first = self.outage.is_none();
        let pause = self.outage.map_or(Duration::from_secs(2), |outage| outage.pause * 2);
        let pause = pause.min(OUTAGE_MAX);
        let until = now.checked_add(pause).unwrap_or(now);
        self.outage = Some(Outage { until, pause });
        is_first
    }

    fn is_in_outage(&self, now: SystemTime) -> bool {
        // A clock that was set back does not prolong it.
        self.outage.is_some_and(|outage| {
            outage
                .until
                .duration_since(now)
                .is_ok_and(|left| !left.is_zero() && left <= outage.pause)
        })
    }

    /// Whether another invocation can be expected so soon that data may wait for it: three gaps fit into the age that it may have.
    fn expects_next(&self) -> bool {
        self.gaps.seen() >= GAPS_MIN && self.gaps.high().saturating_mul(3) <= self.settings.max_age
    }

    /// Whether data would be too old by the invocation after the next, with the time that sending it takes, and a tenth to spare.
    fn is_due(&self, now: SystemTime, waiting: Waiting) -> bool {
        let max_age = self.settings.max_age;
        let next = self.gaps.high().saturating_add(self.flushes.high()).saturating_mul(2);
        let ahead = next.max(max_age / 10).min(max_age / 2);
        waiting.is_much
            || waiting.since.is_some_and(|start| {
                since(start, now).saturating_add(ahead) >= self.settings.max_age
            })
    }

    fn is_periodically_due(&self, interval: Duration, now: SystemTime) -> bool {
        // A flush in the future is one before the clock was set back, which is no reason to wait for it.
        self.last_flush
            .is_none_or(|last| now.duration_since(last).map_or(true, |age| age >= interval))
    }

    /// Whether a flush that begins with a handler is likely over before it.
    fn fits_beside_handler(&self) -> bool {
        self.flushes.seen() > 0 && self.flushes.high() * 3 / 2 < self.handlers.low()
    }
}

/// The time from one point to another; none when the clock was set back in between.
fn since(start: SystemTime, end: SystemTime) -> Duration {
    end.duration_since(start).unwrap_or_default()
}

#[cfg(test)]
mod tests;
