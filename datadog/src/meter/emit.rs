//! Statistics on their way out: held until the metrics pipeline takes them, within bounds.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pdata::{Payload, Signal};
use pipeline::{Admission, Class, Client, Consumer, Context, Deadline, Envelope, Hold, Outlet};
use telemetry::names::{self, DropReason, label};
use telemetry::{Counter, Gauge};
use tokio::sync::Notify;

/// Payloads that wait at most: ten minutes of them, when each interval makes one.
const WAITING_MAX: usize = 64;
/// Bytes that wait at most.
const WAITING_BYTES_MAX: usize = 32 << 20;
/// First and longest wait before a refused payload is offered again.
const OFFER_AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Hands on payloads of metrics, one after the other.
pub(crate) struct Emitter {
    next: Outlet,
    budget: pipeline::MemoryBudget,
    waiting: Mutex<VecDeque<Envelope>>,
    /// Work for the sending task.
    work: Notify,
    /// One less waits.
    sent: Notify,
    metrics: Metrics,
}

struct Metrics {
    held: Gauge,
    no_room: Counter,
    refused: Counter,
    given_up: Counter,
}

impl Emitter {
    pub(crate) fn new(context: &Context, next: Outlet) -> Self {
        Self {
            next,
            budget: context.process.budget.clone(),
            waiting: Mutex::default(),
            work: Notify::new(),
            sent: Notify::new(),
            metrics: Metrics::new(context),
        }
    }

    /// Takes payloads to be handed on. What there is no room for is dropped and counted.
    pub(crate) fn push(&self, payloads: Vec<Payload>) {
        let mut dropped = 0;
        for payload in payloads {
            let (items, bytes) = (payload.items(), payload.encoded_len());
            let mut waiting = lock(&self.waiting);
            let held: usize = waiting.iter().map(|envelope| envelope.payload.encoded_len()).sum();
            if waiting.len() >= WAITING_MAX || held.saturating_add(bytes) > WAITING_BYTES_MAX {
                dropped += items;
                continue;
            }
            self.metrics.held.add(items as i64);
            let hold = self.hold(bytes);
            waiting.push_back(Envelope { payload, client: Client::unknown(), hold });
        }
        if dropped > 0 {
            self.metrics.no_room.add(dropped as u64);
            tracing::error!(
                dropped_items = dropped,
                "APM stats were dropped: the metrics pipeline has not taken any for a long time"
            );
        }
        self.work.notify_one();
    }

    /// A share of the memory budget. Never refused: the payload is there already.
    fn hold(&self, bytes: usize) -> Hold {
        match self.budget.try_hold(0) {
            Admission::Granted(hold) => {
                hold.resize(bytes);
                hold
            }
            Admission::Spent(_) => Hold::none(),
        }
    }

    /// Hands on what waits, for ever.
    pub(crate) async fn run(&self) {
        loop {
            let first = lock(&self.waiting).front().cloned();
            let Some(envelope) = first else {
                self.work.notified().await;
                continue;
            };
            self.send(envelope).await;
        }
    }

    /// Hands on the first payload, however often it takes.
    async fn send(&self, envelope: Envelope) {
        let items = envelope.items();
        let mut pause = OFFER_AGAIN.0;
        loop {
            match self.next.consume(envelope.clone()).await {
                Ok(()) => break,
                Err(error) if error.class == Class::Permanent => {
                    self.metrics.refused.add(items as u64);
                    tracing::error!(
                        dropped_items = items,
                        error = %error,
                        "APM stats were dropped: the metrics pipeline refused them for good"
                    );
                    break;
                }
                Err(error) => {
                    tracing::debug!(error = %error, "the metrics pipeline does not take APM stats at present");
                    tokio::time::sleep(error.retry_after.unwrap_or(pause).min(OFFER_AGAIN.1)).await;
                    pause = (pause * 2).min(OFFER_AGAIN.1);
                }
            }
        }
        lock(&self.waiting).pop_front();
        self.metrics.held.sub(items as i64);
        self.sent.notify_waiters();
    }

    /// Waits until nothing waits. Returns the items that still do at the deadline.
    pub(crate) async fn drained(&self, deadline: Deadline) -> usize {
        let empty = async {
            loop {
                let sent = self.sent.notified();
                if lock(&self.waiting).is_empty() {
                    return;
                }
                sent.await;
            }
        };
        let _in_time = deadline.bound(empty).await;
        self.waiting_items()
    }

    /// Gives up what waits. Returns its items, which are counted.
    pub(crate) fn give_up(&self) -> usize {
        let items = self.waiting_items();
        lock(&self.waiting).clear();
        self.metrics.held.sub(items as i64);
        self.metrics.given_up.add(items as u64);
        items
    }

    fn waiting_items(&self) -> usize {
        lock(&self.waiting).iter().map(Envelope::items).sum()
    }
}

impl Metrics {
    fn new(context: &Context) -> Self {
        let (registry, id) = (&context.process.registry, context.id.to_string());
        let of = [(label::COMPONENT, id.as_str()), (label::DATA_TYPE, Signal::Metrics.name())];
        let dropped = |reason: DropReason| {
            let [component, data_type] = of;
            let labels = [component, data_type, (label::REASON, reason.as_str())];
            registry.counter(&names::CONNECTOR_DROPPED_ITEMS, &labels)
        };
        Self {
            held: registry.gauge(&names::CONNECTOR_HELD_ITEMS, &of),
            no_room: dropped(DropReason::QueueFull),
            refused: dropped(DropReason::ComponentFailed),
            given_up: dropped(DropReason::Shutdown),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
