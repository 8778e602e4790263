//! The life of an environment that is frozen between invocations: wait for an event, send beside the handler, see its end, say that all is
//! done.
//!
//! The gate is open only between an INVOKE event and the next call of `/next`, and only when something is to be sent. Thus nothing is
//! half-sent when the platform freezes the process: a request has ended by then, or is recalled and made anew later.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pipeline::{Deadline, Gate, HeldItems, MemoryBudget, Service};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout_at};

mod finished;
mod quiet;

use self::finished::Finished;
use self::quiet::Quiet;
use crate::api::{Event, Invoke, Registered, Shutdown};
use crate::flush::{Ended, Holding, Opening, Planner, Settings, Waiting};
use crate::function::Function;
use crate::telemetry::Observer;

/// The longest that a flush beside a handler may take. Handlers run for 15 minutes at most.
const FLUSH_MAX: Duration = Duration::from_secs(900);

/// What runs between the events of the platform.
pub struct Lifecycle<'a> {
    platform: &'a Registered,
    service: &'a Service,
    gate: Gate,
    budget: MemoryBudget,
    held: HeldItems,
    observer: Option<Observer>,
    finished: Finished,
    quiet: Quiet,
    planner: Planner,
    waiting_since: Option<SystemTime>,
    at_first_invocation: Option<fn()>,
    function: Option<Arc<Function>>,
}

/// What is done beside a handler.
#[derive(Default)]
struct Sending<'a> {
    flush: Option<Flush<'a>>,
    /// Connections in the making.
    warming: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
}

impl Sending<'_> {
    fn is_idle(&self) -> bool {
        self.flush.is_none() && self.warming.is_none()
    }
}

/// A flush under way.
struct Flush<'a> {
    work: Pin<Box<dyn Future<Output = usize> + Send + 'a>>,
    began: SystemTime,
    begun: Instant,
}

impl<'a> Lifecycle<'a> {
    /// The life of these pipelines. `observer` tells of the ends of invocations; without one they are guessed.
    #[must_use]
    pub fn new(
        platform: &'a Registered,
        service: &'a Service,
        observer: Option<Observer>,
        settings: Settings,
    ) -> Self {
        let process = service.process();
        Self {
            platform,
            service,
            gate: process.gate.clone(),
            budget: process.budget.clone(),
            held: service.held(),
            finished: Finished::default(),
            quiet: Quiet::new(observer.is_some()),
            observer,
            planner: Planner::new(settings),
            waiting_since: None,
            at_first_invocation: None,
            function: process.provided(),
        }
    }

    /// Calls this when the first invocation begins: the init phase may have been in another environment.
    #[must_use]
    pub fn at_first_invocation(self, call: fn()) -> Self {
        Self { at_first_invocation: Some(call), ..self }
    }

    /// Lives until the platform says that the environment ends. The gate is open then. `first` is an event that has come already.
    pub async fn run(mut self, mut first: Option<Event>) -> Shutdown {
        loop {
            let event = match first.take() {
                Some(event) => event,
                None => self.next_event().await,
            };
            match event {
                Event::Invoke(invoke) => self.invocation(&invoke).await,
                Event::Shutdown(shutdown) => {
                    self.gate.open();
                    return shutdown;
                }
            }
        }
    }

    /// Says that all is done, and waits for what comes next.
    async fn next_event(&mut self) -> Event {
        let platform = self.platform;
        let mut next = std::pin::pin!(platform.next());
        loop {
            tokio::select! {
                biased;
                event = &mut next => return event,
                () = observe(&mut self.observer, &mut self.finished) => {}
            }
        }
    }

    async fn invocation(&mut self, invoke: &Invoke) {
        if let Some(call) = self.at_first_invocation.take() {
            call();
        }
        if let Some(function) = &self.function {
            function.set_arn(&invoke.function_arn);
            function.invoked(&invoke.request_id, SystemTime::now());
            function.traced(&invoke.trace);
        }
        let began = SystemTime::now();
        let mut sending = Sending::default();
        let waiting = self.waiting(began);
        if self.planner.invoked(began, waiting) == Opening::Send {
            sending.flush = Some(self.flush());
        } else if self.planner.warms(began) {
            self.gate.open();
            let service = self.service;
            sending.warming = Some(Box::pin(service.warm()));
        }
        let ended = self.handler(invoke, began, &mut sending).await;
        self.end(invoke, ended, sending).await;
        let recalled = self.gate.close(Duration::ZERO).await;
        if recalled > 0 {
            self.planner.recalled();
        }
        tracing::debug!(
            request_id = invoke.request_id,
            ended = ?ended,
            held_items = self.held.count(),
            recalled_requests = recalled,
            "Invocation is over."
        );
    }

    /// Waits for the end of the handler, and flushes beside it.
    async fn handler(
        &mut self,
        invoke: &Invoke,
        began: SystemTime,
        sending: &mut Sending<'a>,
    ) -> Ended {
        let until = Instant::now() + self.planner.end_of_waiting(began, invoke.deadline);
        let every = self.planner.look_every();
        let mut looks = interval_at(Instant::now() + every, every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        self.quiet.invoked(self.service.accepted());
        self.finished.invoked();
        loop {
            if let Some(ended) = self.finished.take(&invoke.request_id) {
                self.quiet.was_told();
                return ended;
            }
            if self.finished.is_anything_lost() {
                self.quiet.begin_guessing();
            }
            tokio::select! {
                biased;
                () = observe(&mut self.observer, &mut self.finished) => {}
                left = finish(&mut sending.flush) => self.flushed(sending.flush.take(), left),
                () = warmed(&mut sending.warming) => sending.warming = None,
                () = sleep_until(until) => {
                    self.quiet.was_not_told();
                    return Ended::Unknown;
                }
                quiet = self.quiet.over(self.service) => {
                    if quiet {
                        return Ended::Unknown;
                    }
                }
                _look = looks.tick(), if sending.is_idle() => {
                    let now = SystemTime::now();
                    let waiting = self.waiting(now);
                    if self.planner.look(now, waiting) {
                        sending.flush = Some(self.flush());
                    }
                }
            }
        }
    }

    /// Holds the invocation for what has to be sent, if anything has to.
    async fn end(&mut self, invoke: &Invoke, ended: Ended, sending: Sending<'a>) {
        let Sending { mut flush, mut warming } = sending;
        let now = SystemTime::now();
        let waiting = self.waiting(now);
        let flushing = flush.as_ref().map(|flush| flush.began);
        let holding = self.planner.ended(now, invoke.deadline, ended, waiting, flushing);
        let (until, is_needed) = match holding {
            Holding::Not => return,
            Holding::Briefly(limit) => (Instant::now() + limit, false),
            Holding::For(limit) => (Instant::now() + limit, true),
        };
        if warming.is_some() && is_needed {
            // What it opens is what the flush needs.
            let _warm = timeout_at(until, warmed(&mut warming)).await;
        }
        loop {
            let mut current = flush.take().unwrap_or_else(|| self.flush());
            match timeout_at(until, &mut current.work).await {
                Ok(left) => self.flushed(Some(current), left),
                Err(_no_time_left) => {
                    if is_needed && self.planner.held_in_vain(SystemTime::now()) {
                        tracing::warn!(
                            held_items = self.held.count(),
                            "Backends did not take everything in the time that an invocation is held for it (HIKYAKU_FLUSH_BUDGET). What is left is sent beside later invocations, which are not held for a while."
                        );
                    }
                    return;
                }
            }
            // What came while that flush was under way is not part of it.
            if !is_needed || self.waiting(SystemTime::now()).items == 0 {
                return;
            }
        }
    }

    /// Begins to send what waits.
    fn flush(&self) -> Flush<'a> {
        self.gate.open();
        let service = self.service;
        Flush {
            work: Box::pin(async move { service.flush(Deadline::after(FLUSH_MAX)).await }),
            began: SystemTime::now(),
            begun: Instant::now(),
        }
    }

    fn flushed(&mut self, flush: Option<Flush<'a>>, left: usize) {
        let Some(flush) = flush else { return };
        if left == 0 {
            self.planner.flushed(SystemTime::now(), flush.begun.elapsed());
            // What waits now came after it began.
            self.waiting_since = Some(flush.began);
        }
    }

    fn waiting(&mut self, now: SystemTime) -> Waiting {
        let items = self.held.count();
        self.waiting_since = match items {
            0 => None,
            // Not after now: a clock that was set back would make the data young for as long as that was.
            _ => Some(self.waiting_since.map_or(now, |since| since.min(now))),
        };
        let is_much = self.budget.held_bytes() >= self.budget.limit_bytes() / 4;
        Waiting { items, since: self.waiting_since, is_much }
    }
}

/// Takes the next batch of events in; never completes without an observer. May be dropped at any point.
async fn observe(observer: &mut Option<Observer>, finished: &mut Finished) {
    let events = match observer {
        Some(observer) => observer.next().await,
        None => None,
    };
    match events {
        Some(events) => finished.note(&events),
        None => std::future::pending().await,
    }
}

/// The end of the opening of connections; never completes when there is none. May be dropped at any point.
async fn warmed(warming: &mut Option<Pin<Box<dyn Future<Output = ()> + Send + '_>>>) {
    match warming {
        Some(warming) => warming.as_mut().await,
        None => std::future::pending().await,
    }
}

/// The end of the flush under way; never completes when there is none. May be dropped at any point.
async fn finish(flush: &mut Option<Flush<'_>>) -> usize {
    match flush {
        Some(flush) => flush.work.as_mut().await,
        None => std::future::pending().await,
    }
}
