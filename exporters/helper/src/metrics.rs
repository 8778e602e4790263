//! What an exporter shows of itself: upstream's families of metrics, those of the delivery accounts, and its sign of life.

use std::sync::Arc;
use std::time::Duration;

use pdata::Signal;
use pipeline::{Context, Pulse, item};
use telemetry::names::{self, CounterFamily, DropReason, Label, RefuseReason, label};
use telemetry::{Counter, Gauge, Histogram, Registry};

/// Handles, and what is needed to make those that are used rarely.
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    id: String,
    signal: Signal,
    labels: Vec<(Label, String)>,
    /// Items in requests that the backend acknowledged.
    pub(crate) sent: Counter,
    /// Items that the backend took.
    pub(crate) delivered: Counter,
    /// Items in hand.
    pub(crate) held: Gauge,
    /// Items for which the queue had no room.
    pub(crate) enqueue_failed: Counter,
    /// Requests being sent or waiting for their next try.
    pub(crate) in_flight: Gauge,
    /// Requests sent again.
    pub(crate) retries: Counter,
    /// Items in a payload offered to the queue.
    pub(crate) enqueue_size: Histogram,
    /// Bytes in a payload offered to the queue.
    pub(crate) enqueue_size_bytes: Histogram,
    /// Items in a batch.
    pub(crate) send_size: Histogram,
    /// Bytes in a batch.
    pub(crate) send_size_bytes: Histogram,
    /// What tells an exporter that tries from one that is stuck.
    pub(crate) pulse: Pulse,
}

/// What a branch can drop items for; the others are the graph's and the processors'.
const DROP_REASONS: [DropReason; 5] = [
    DropReason::TooLarge,
    DropReason::RetriesExhausted,
    DropReason::Shutdown,
    DropReason::Untranslatable,
    DropReason::ComponentFailed,
];

impl Metrics {
    /// Those of an exporter that may hold items for this long to join them.
    pub(crate) fn new(
        context: &Context,
        signal: Signal,
        labels: Vec<(Label, String)>,
        holds_for: Duration,
    ) -> Self {
        let registry = context.process.registry.clone();
        let id = context.id.to_string();
        let item = item(signal);
        let exporter = [(label::EXPORTER, id.as_str())];
        let typed = [(label::EXPORTER, id.as_str()), (label::DATA_TYPE, signal.name())];
        let mut sent_labels = exporter.to_vec();
        sent_labels.extend(labels.iter().map(|(label, value)| (*label, value.as_str())));
        let held = registry.gauge(&names::EXPORTER_HELD_ITEMS, &typed);
        let work = held.clone();
        let pulse = context.process.vitals.watch(context.kind, &context.id, holds_for, move || {
            usize::try_from(work.get()).unwrap_or_default()
        });
        let metrics = Self {
            pulse,
            sent: registry.counter(names::EXPORTER_SENT.of(item), &sent_labels),
            delivered: registry.counter(&names::EXPORTER_DELIVERED_ITEMS, &typed),
            held,
            enqueue_failed: registry.counter(names::EXPORTER_ENQUEUE_FAILED.of(item), &exporter),
            in_flight: registry.gauge(&names::EXPORTER_IN_FLIGHT_REQUESTS, &typed),
            retries: registry.counter(&names::EXPORTER_RETRIES, &typed),
            enqueue_size: registry.histogram(&names::EXPORTER_ENQUEUE_SIZE, &exporter),
            enqueue_size_bytes: registry.histogram(&names::EXPORTER_ENQUEUE_SIZE_BYTES, &exporter),
            send_size: registry.histogram(&names::EXPORTER_QUEUE_BATCH_SEND_SIZE, &exporter),
            send_size_bytes: registry
                .histogram(&names::EXPORTER_QUEUE_BATCH_SEND_SIZE_BYTES, &exporter),
            id: id.clone(),
            registry,
            signal,
            labels,
        };
        // Series that are there from the start read as zero, not as missing.
        for reason in [RefuseReason::Permanent, RefuseReason::PartialSuccess] {
            metrics.by_reason(&names::EXPORTER_REFUSED_ITEMS, reason.as_str(), 0);
        }
        for reason in DROP_REASONS {
            metrics.by_reason(&names::EXPORTER_DROPPED_ITEMS, reason.as_str(), 0);
        }
        metrics
    }

    /// The signal.
    pub(crate) fn signal(&self) -> Signal {
        self.signal
    }

    /// The exporter's id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Adds to the series of a reason. Looks it up each time: only failures come here.
    pub(crate) fn by_reason(&self, family: &'static CounterFamily, reason: &str, items: usize) {
        let labels = [
            (label::EXPORTER, self.id.as_str()),
            (label::DATA_TYPE, self.signal.name()),
            (label::REASON, reason),
        ];
        self.registry.counter(family, &labels).add(items as u64);
    }

    /// Counts items in requests that failed for good.
    pub(crate) fn send_failed(&self, items: usize, error_type: &str, permanent: bool) {
        let mut labels = vec![
            (label::EXPORTER, self.id.as_str()),
            (label::ERROR_TYPE, error_type),
            (label::ERROR_PERMANENT, if permanent { "true" } else { "false" }),
        ];
        labels.extend(self.labels.iter().map(|(label, value)| (*label, value.as_str())));
        let family = names::EXPORTER_SEND_FAILED.of(item(self.signal));
        self.registry.counter(family, &labels).add(items as u64);
    }
}
