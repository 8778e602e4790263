//! Statistics in step with time: spans are counted as they come, and their statistics handed on in each interval. What the connector
//! is, and what the exporter has where there is no connector.

mod emit;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use pdata::Payload;
use pipeline::{
    Admission, BoxFuture, Component, Connector, ConsumeError, Consumer, Context, Deadline,
    Envelope, Hold, Outlet, StartError,
};
use telemetry::Counter;
use telemetry::names::{self, label};
use tokio::time::{Instant, MissedTickBehavior};

use crate::stats::{Driver, DriverSettings};
use emit::Emitter;

/// What is counted or encoded beside other work; more than that is done on a blocking thread.
const INLINE_BYTES_MAX: usize = 256 << 10;
/// Longest interval of the flushing task.
const INTERVAL_MAX: Duration = Duration::from_secs(24 * 3600);

/// Nanoseconds since 1970.
type Clock = Box<dyn Fn() -> u64 + Send + Sync>;

/// Counts spans, and hands on metrics that hold their statistics.
pub struct Meter {
    context: Context,
    interval: Duration,
    counting: Arc<Counting>,
    emitter: Arc<Emitter>,
}

/// The spans counted so far.
struct Counting {
    driver: Mutex<Driver>,
    clock: Clock,
    /// Its share of the memory budget.
    hold: Hold,
    collapsed: Counter,
    has_warned: AtomicBool,
}

impl Meter {
    /// A meter that is not started yet. Statistics go out once in each interval.
    pub fn new(
        settings: DriverSettings,
        interval: Duration,
        context: Context,
        next: Outlet,
    ) -> Self {
        Self::with_clock((settings, interval), context, next, Box::new(system_time))
    }

    fn with_clock(
        (settings, interval): (DriverSettings, Duration),
        context: Context,
        next: Outlet,
        clock: Clock,
    ) -> Self {
        let id = context.id.to_string();
        let labels = [(label::COMPONENT, id.as_str())];
        let hold = match context.process.budget.try_hold(0) {
            Admission::Granted(hold) => hold,
            Admission::Spent(_) => Hold::none(),
        };
        let counting = Counting {
            driver: Mutex::new(Driver::new(settings, clock(), fastrand::u64(..))),
            clock,
            hold,
            collapsed: context.process.registry.counter(&names::APM_STATS_COLLAPSED_SPANS, &labels),
            has_warned: AtomicBool::new(false),
        };
        let emitter = Arc::new(Emitter::new(&context, next));
        Self { context, interval, counting: Arc::new(counting), emitter }
    }

    /// Hands on all that was counted. Returns the items that wait at the deadline.
    async fn flush_all(&self, deadline: Deadline) -> usize {
        self.emitter.push(Counting::flush(&self.counting, true).await);
        self.emitter.drained(deadline).await
    }
}

impl Consumer for Meter {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        Box::pin(async move {
            if envelope.payload.encoded_len() <= INLINE_BYTES_MAX {
                self.counting.add(&envelope.payload);
            } else {
                let counting = self.counting.clone();
                aside(move || counting.add(&envelope.payload)).await;
            }
            Ok(())
        })
    }
}

impl Component for Meter {
    fn start(&self) -> BoxFuture<'_, Result<(), StartError>> {
        let (emitter, tasks) = (self.emitter.clone(), self.context.tasks.clone());
        self.context.tasks.spawn("emit", async move {
            tokio::select! {
                () = emitter.run() => {}
                () = tasks.stopped() => {}
            }
        });
        let (emitter, counting) = (self.emitter.clone(), self.counting.clone());
        let (interval, tasks) = (self.interval.min(INTERVAL_MAX), self.context.tasks.clone());
        self.context.tasks.spawn("flush", async move {
            let mut ticks = tokio::time::interval_at(Instant::now() + interval, interval);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _tick = ticks.tick() => {}
                    () = tasks.stopped() => return,
                }
                emitter.push(Counting::flush(&counting, false).await);
            }
        });
        Box::pin(async { Ok(()) })
    }

    fn flush(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(self.flush_all(deadline))
    }

    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            self.flush_all(deadline).await;
            self.context.tasks.join(deadline).await;
            self.emitter.give_up()
        })
    }
}

impl Connector for Meter {}

impl Counting {
    fn add(&self, payload: &Payload) {
        let mut driver = self.driver();
        driver.add(payload, (self.clock)());
        self.hold.resize(driver.bytes());
    }

    /// The statistics that are due, or all.
    async fn flush(this: &Arc<Self>, all: bool) -> Vec<Payload> {
        if this.driver().bytes() <= INLINE_BYTES_MAX {
            return this.flush_now(all);
        }
        let this = this.clone();
        aside(move || this.flush_now(all)).await
    }

    fn flush_now(&self, all: bool) -> Vec<Payload> {
        let mut driver = self.driver();
        let now = (self.clock)();
        let payloads = if all { driver.flush_all(now) } else { driver.flush(now) };
        self.hold.resize(driver.bytes());
        let collapsed = driver.take_collapsed().total();
        drop(driver);
        if collapsed > 0 {
            self.collapsed.add(collapsed);
            if !self.has_warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    spans = collapsed,
                    "Spans have more resources, peers or deployments than APM stats tell apart; the rest is counted as tracer_blocked_value. \
                     Take ids out of span names and routes. This is logged once."
                );
            }
        }
        payloads
    }

    fn driver(&self) -> MutexGuard<'_, Driver> {
        self.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does work that takes long on a thread where it keeps nobody waiting.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is being shut down, and drops this future next.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}

fn system_time() -> u64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
