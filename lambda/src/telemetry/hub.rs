//! The hub: takes batches off the listener's hands, reads them, and passes them on in order.

use std::convert::Infallible;
use std::future::Future;
use std::ops::Deref;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use pipeline::{Admission, Deadline, Hold, MemoryBudget};
use telemetry::names::{self, EventDropReason, label};
use telemetry::{Counter, Registry};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;

use super::batch::{Parsed, parse};
use super::event::{Event, EventKind};
use super::subscription::Types;
use crate::function::Function;

/// Batches that wait to be read. Their bytes are bounded by the memory budget.
const WAITING_BATCHES: usize = 256;
/// Batches that a receiver may be behind.
const INTAKE_BATCHES: usize = 16;
/// Batches that the lifecycle may be behind; older ones give way.
const OBSERVED_BATCHES: usize = 128;
/// How long a batch may be on its way into the receivers' pipelines before the lifecycle hears of it all the same.
const TAKEN_WITHIN: Duration = Duration::from_millis(250);
/// How long the platform's request waits for a place when too many batches wait.
const PLACE_WITHIN: Duration = Duration::from_secs(1);
/// The shortest time between two log lines about dropped events.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// Where events come together. Receivers [`attach`](Hub::attach), the lifecycle [`observe`](Hub::observe)s.
///
/// Batches wait until [`Hub::run`] is polled, so nothing is lost that comes before the pipelines are there.
pub struct Hub {
    waiting: mpsc::Sender<Raw>,
    unread: Mutex<Option<mpsc::Receiver<Raw>>>,
    intakes: Mutex<Vec<Attached>>,
    observers: broadcast::Sender<Arc<[Event]>>,
    budget: MemoryBudget,
    counters: Counters,
    complained: Mutex<Option<Instant>>,
    received: AtomicU64,
    passed_on: watch::Sender<u64>,
    subscribed: AtomicBool,
    function: OnceLock<Arc<Function>>,
}

/// A batch as it came.
struct Raw {
    body: Bytes,
    /// None when the memory budget was spent: the platform's events are kept and everybody's lines are not.
    hold: Option<Hold>,
}

struct Attached {
    types: Types,
    port: u16,
    sender: mpsc::Sender<Delivery>,
}

/// A receiver's way to the events.
#[derive(Debug)]
pub struct Intake {
    deliveries: mpsc::Receiver<Delivery>,
}

/// A batch for a receiver: all events of it, whatever types the receiver asked for. Dropping it says that what the receiver makes of
/// it has been accepted, or given up and counted.
#[derive(Clone, Debug)]
pub struct Delivery {
    events: Arc<[Event]>,
    hold: Hold,
    _taken: mpsc::Sender<Infallible>,
}

/// The lifecycle's way to the platform's events.
#[derive(Debug)]
pub struct Observer {
    batches: broadcast::Receiver<Arc<[Event]>>,
}

struct Counters {
    events: Counter,
    dropped: Vec<(EventDropReason, Counter)>,
}

impl Hub {
    /// A hub without events. What waits in it is held in this budget.
    pub fn new(registry: &Registry, budget: MemoryBudget) -> Arc<Self> {
        let (waiting, unread) = mpsc::channel(WAITING_BATCHES);
        Arc::new(Self {
            waiting,
            unread: Mutex::new(Some(unread)),
            intakes: Mutex::default(),
            observers: broadcast::Sender::new(OBSERVED_BATCHES),
            budget,
            counters: Counters::new(registry),
            complained: Mutex::default(),
            received: AtomicU64::new(0),
            passed_on: watch::Sender::new(0),
            subscribed: AtomicBool::new(false),
            function: OnceLock::new(),
        })
    }

    /// Has what `platform.start` says of the function noted: its ARN and its traces, which Managed Instances tell in no other way.
    pub fn inform(&self, function: Arc<Function>) {
        let _first = self.function.set(function);
    }

    /// A receiver's intake. Attach before [`subscribe`](super::subscribe): the types of all receivers are asked for there, and the
    /// listener opens the port of the first that names one (0: any).
    pub fn attach(&self, types: Types, port: u16) -> Intake {
        let (sender, deliveries) = mpsc::channel(INTAKE_BATCHES);
        self.intakes().push(Attached { types, port, sender });
        Intake { deliveries }
    }

    /// The lifecycle's view: of each batch the platform's events, once the receivers' pipelines have what the batch holds, or have
    /// taken more than a quarter of a second.
    pub fn observe(&self) -> Observer {
        Observer { batches: self.observers.subscribe() }
    }

    /// The types that the attached receivers want.
    pub fn wanted_types(&self) -> Types {
        self.intakes().iter().fold(Types::default(), |all, one| all.union(one.types))
    }

    /// The port that the listener should have; 0 when any will do.
    pub fn wanted_port(&self) -> u16 {
        self.intakes().iter().map(|attached| attached.port).find(|port| *port != 0).unwrap_or(0)
    }

    /// Marks the process as subscribed. True the first time only.
    pub(super) fn begin_subscription(&self) -> bool {
        !self.subscribed.swap(true, Ordering::Relaxed)
    }

    /// Takes a body from the platform, to be read later.
    pub(super) async fn receive(&self, body: Bytes) {
        let hold = match self.budget.try_hold(body.len()) {
            Admission::Granted(hold) => Some(hold),
            Admission::Spent(_) => None,
        };
        let place = Deadline::after(PLACE_WITHIN).bound(self.waiting.reserve()).await;
        match place {
            Some(Ok(place)) => {
                let _number = self.received.fetch_add(1, Ordering::Relaxed);
                place.send(Raw { body, hold });
            }
            // What is in it is not known; it counts as one.
            _ => self.drop_events(EventDropReason::Backlog, 1),
        }
    }

    /// Reads batches and passes them on, until `stopped`; then what has come already, and ends. A second call ends at once.
    pub async fn run(&self, stopped: impl Future<Output = ()>) {
        let unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut unread) = unread else { return };
        let mut stopped = pin!(stopped);
        loop {
            let next = pin!(unread.recv());
            match or_stopped(next, stopped.as_mut()).await {
                Some(Some(raw)) => self.pass_on(raw).await,
                Some(None) => return,
                None => break,
            }
        }
        while let Ok(raw) = unread.try_recv() {
            self.pass_on(raw).await;
        }
    }

    /// Waits until every batch that has come by now was passed on, or the deadline. Tells which.
    pub async fn settled(&self, deadline: Deadline) -> bool {
        let received = self.received.load(Ordering::Relaxed);
        let mut passed_on = self.passed_on.subscribe();
        let settled = passed_on.wait_for(|passed_on| *passed_on >= received);
        matches!(deadline.bound(settled).await, Some(Ok(_)))
    }

    async fn pass_on(&self, raw: Raw) {
        let Raw { body, hold } = raw;
        let Parsed { mut events, odd, fault } = parse(&body);
        drop(body);
        let malformed = odd + usize::from(fault.is_some());
        if malformed > 0 {
            self.drop_events(EventDropReason::Malformed, malformed);
        }
        if hold.is_none() {
            let before = events.len();
            events.retain(|event| event.kind.is_platform());
            self.drop_events(EventDropReason::BudgetSpent, before - events.len());
        }
        self.counters.events.add(events.len() as u64);
        self.note_function(&events);
        let events: Arc<[Event]> = events.into();
        self.deliver(&events, hold.unwrap_or_default()).await;
        let is_platforms = |event: &&Event| event.kind.is_platform();
        let platform: Arc<[Event]> = events.iter().filter(is_platforms).cloned().collect();
        if !platform.is_empty() {
            // An error means that nobody observes.
            let _observers = self.observers.send(platform);
        }
        self.passed_on.send_modify(|passed_on| *passed_on += 1);
    }

    fn note_function(&self, events: &[Event]) {
        let Some(function) = self.function.get() else { return };
        let starts = events.iter().filter(|event| event.kind == EventKind::Start);
        for record in starts.filter_map(Event::platform) {
            if let Some(arn) = record.text("functionArn") {
                function.set_arn(arn);
            }
            if let Some(header) = record.trace_header() {
                function.traced(header);
            }
        }
    }

    /// Hands a batch to the receivers and waits until they have taken it, for a while.
    async fn deliver(&self, events: &Arc<[Event]>, hold: Hold) {
        if events.is_empty() {
            return;
        }
        let deadline = Deadline::after(TAKEN_WITHIN);
        let (taken, mut all_taken) = mpsc::channel(1);
        let delivery = Delivery { events: events.clone(), hold, _taken: taken };
        let senders: Vec<mpsc::Sender<Delivery>> = {
            let mut intakes = self.intakes();
            intakes.retain(|attached| !attached.sender.is_closed());
            intakes.iter().map(|attached| attached.sender.clone()).collect()
        };
        for sender in senders {
            if deadline.bound(sender.send(delivery.clone())).await.is_none() {
                self.drop_events(EventDropReason::Backlog, events.len());
            }
        }
        drop(delivery);
        let _late = deadline.bound(all_taken.recv()).await;
    }

    /// Counts events that are given up, and says so once in a while.
    pub fn drop_events(&self, reason: EventDropReason, events: usize) {
        if events == 0 {
            return;
        }
        if let Some((_, counter)) = self.counters.dropped.iter().find(|(known, _)| *known == reason)
        {
            counter.add(events as u64);
        }
        let mut complained = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if complained.is_none_or(|last| now.saturating_duration_since(last) >= COMPLAIN_EVERY) {
            *complained = Some(now);
            tracing::warn!(
                reason = reason.as_str(),
                events,
                "events of the Telemetry API were dropped; further drops are counted in hikyaku_lambda_telemetry_dropped_events and logged once a minute at most"
            );
        }
    }

    fn intakes(&self) -> std::sync::MutexGuard<'_, Vec<Attached>> {
        self.intakes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intake {
    /// The next batch; nothing when the hub is gone.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.deliveries.recv().await
    }

    /// The next batch, if one is there already.
    pub fn try_next(&mut self) -> Option<Delivery> {
        self.deliveries.try_recv().ok()
    }
}

impl Delivery {
    /// The share of the memory budget that the batch has.
    pub fn hold(&self) -> &Hold {
        &self.hold
    }
}

impl Deref for Delivery {
    type Target = [Event];

    fn deref(&self) -> &[Event] {
        &self.events
    }
}

impl Observer {
    /// The next batch's platform events; nothing when the hub is gone. Who is far behind misses the oldest.
    pub async fn next(&mut self) -> Option<Arc<[Event]>> {
        loop {
            match self.batches.recv().await {
                Ok(events) => return Some(events),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// The next batch's platform events, if one is there already.
    pub fn try_next(&mut self) -> Option<Arc<[Event]>> {
        loop {
            match self.batches.try_recv() {
                Ok(events) => return Some(events),
                Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                Err(_) => return None,
            }
        }
    }
}

impl Counters {
    fn new(registry: &Registry) -> Self {
        let dropped = EventDropReason::ALL.iter().map(|reason| {
            let labels = [(label::REASON, reason.as_str())];
            (*reason, registry.counter(&names::LAMBDA_TELEMETRY_DROPPED_EVENTS, &labels))
        });
        Self {
            events: registry.counter(&names::LAMBDA_TELEMETRY_EVENTS, &[]),
            dropped: dropped.collect(),
        }
    }
}

/// The future's output; nothing when it is told to stop first.
async fn or_stopped<T>(
    mut next: std::pin::Pin<&mut impl Future<Output = T>>,
    mut stopped: std::pin::Pin<&mut impl Future<Output = ()>>,
) -> Option<T> {
    std::future::poll_fn(|cx| {
        if let std::task::Poll::Ready(output) = next.as_mut().poll(cx) {
            return std::task::Poll::Ready(Some(output));
        }
        stopped.as_mut().poll(cx).map(|()| None)
    })
    .await
}

#[cfg(test)]
mod tests;
