//! What becomes of a datagram: read, queued, counted, handed to the pipeline.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pdata::{Decoded, Signal};
use pipeline::{
    Admission, Client, ComponentId, ConsumeError, Consumer, Context, Deadline, Envelope,
    MemoryBudget, Outlet,
};
use telemetry::Counter;
use telemetry::names::{self, RequestOutcome, label};
use tokio::sync::mpsc;

use crate::decode::{DecodeError, decode};
use crate::periodic::Periodic;

/// Documents that may wait for the pipelines: X-Ray's daemon keeps 20 batches of 50.
const QUEUED_MAX: usize = 1000;
/// Documents that are handed on together, when so many wait.
const TOGETHER_MAX: usize = 50;
/// How long documents are offered to pipelines that have no room.
const OFFERED_FOR: Duration = Duration::from_secs(5);
/// When they are offered again, unless the pipelines say.
const OFFERED_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The way into the pipelines.
pub(crate) struct Intake {
    id: ComponentId,
    next: Outlet,
    budget: MemoryBudget,
    counters: Counters,
    /// Spans in the queue or on their way into the pipelines.
    held: AtomicUsize,
    wrong: Periodic,
    dropped: Periodic,
}

struct Counters {
    accepted: Counter,
    refused: Counter,
    failed: Counter,
    repaired_strings: Counter,
    requests: RequestCounters,
}

/// Requests by how they ended.
pub(crate) struct RequestCounters {
    pub(crate) success: Counter,
    pub(crate) refused: Counter,
    pub(crate) failure: Counter,
}

/// Where documents wait.
pub(crate) struct Queue {
    entrance: mpsc::Sender<Envelope>,
}

/// The other end of it.
pub(crate) struct Waiting {
    exit: mpsc::Receiver<Envelope>,
}

/// A queue for documents.
pub(crate) fn queue() -> (Queue, Waiting) {
    let (entrance, exit) = mpsc::channel(QUEUED_MAX);
    (Queue { entrance }, Waiting { exit })
}

impl Intake {
    /// The way to `next`.
    pub(crate) fn new(context: &Context, next: Outlet) -> Self {
        let (registry, id) = (&context.process.registry, context.id.to_string());
        let labels = [(label::RECEIVER, id.as_str()), (label::TRANSPORT, "udp")];
        let spans = pipeline::item(Signal::Traces);
        let counters = Counters {
            accepted: registry.counter(names::RECEIVER_ACCEPTED.of(spans), &labels),
            refused: registry.counter(names::RECEIVER_REFUSED.of(spans), &labels),
            failed: registry.counter(names::RECEIVER_FAILED.of(spans), &labels),
            repaired_strings: registry.counter(&names::RECEIVER_REPAIRED_STRINGS, &labels),
            requests: RequestCounters::new(context, "udp"),
        };
        Self {
            id: context.id.clone(),
            next,
            budget: context.process.budget.clone(),
            counters,
            held: AtomicUsize::new(0),
            wrong: Periodic::default(),
            dropped: Periodic::default(),
        }
    }

    /// Reads a datagram and puts its spans into the queue, or drops and counts them.
    pub(crate) fn take(&self, datagram: &[u8], queue: &Queue) {
        let Decoded { payload, repaired_strings } = match decode(datagram) {
            Ok(decoded) => decoded,
            Err(error) => return self.fail(&error),
        };
        self.counters.repaired_strings.add(repaired_strings as u64);
        let spans = payload.items();
        if spans == 0 {
            return self.counters.requests.success.increment();
        }
        let hold = match self.budget.try_hold(payload.encoded_len()) {
            Admission::Granted(hold) => hold,
            Admission::Spent(_) => return self.drop_one(spans, "the memory budget is spent"),
        };
        self.held.fetch_add(spans, Ordering::Relaxed);
        let envelope = Envelope { payload, client: Client::unknown(), hold };
        if queue.entrance.try_send(envelope).is_err() {
            self.held.fetch_sub(spans, Ordering::Relaxed);
            let why =
                "the pipelines take segments more slowly than they come, and the queue is full";
            return self.drop_one(spans, why);
        }
        self.counters.requests.success.increment();
    }

    /// Hands the queue's documents to the pipelines, until there is nobody left to fill it. `is_stopping` says whether there is time to
    /// offer documents more than once.
    pub(crate) async fn hand_on(&self, mut waiting: Waiting, is_stopping: impl Fn() -> bool) {
        let mut together = Vec::with_capacity(TOGETHER_MAX);
        while waiting.exit.recv_many(&mut together, TOGETHER_MAX).await > 0 {
            let joined = together.drain(..).reduce(|mut all, one| {
                all.payload.append(one.payload);
                all.hold.absorb(one.hold);
                all
            });
            let Some(envelope) = joined else { continue };
            let spans = envelope.items();
            match self.offer(envelope, &is_stopping).await {
                Ok(()) => self.counters.accepted.add(spans as u64),
                Err(error) => self.refuse(spans, &error.message),
            }
            self.held.fetch_sub(spans, Ordering::Relaxed);
            self.budget.pace().await;
        }
    }

    /// Counts what is still held as refused, once nobody works on it any more. How many spans that are.
    pub(crate) fn give_up(&self) -> usize {
        let spans = self.held.swap(0, Ordering::Relaxed);
        if spans > 0 {
            self.refuse(spans, "the receiver was stopped before the pipelines took them");
        }
        spans
    }

    /// Offers documents again, as long as that can help.
    async fn offer(
        &self,
        envelope: Envelope,
        is_stopping: &impl Fn() -> bool,
    ) -> Result<(), ConsumeError> {
        let deadline = Deadline::after(OFFERED_FOR);
        loop {
            let error = match self.next.consume(envelope.clone()).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if !error.is_retryable() || deadline.is_over() || is_stopping() {
                return Err(error);
            }
            let delay = error.retry_after.unwrap_or(OFFERED_AGAIN_AFTER);
            tokio::time::sleep(delay.min(deadline.left())).await;
        }
    }

    /// The port can't be read.
    pub(crate) fn report_unreadable(&self, error: &std::io::Error) {
        if let Some(left_out) = self.wrong.is_time() {
            tracing::warn!(
                "otelcol.component.id" = %self.id,
                "otelcol.component.kind" = "receiver",
                error = %error,
                not_logged = left_out,
                "Segments could not be read from the port"
            );
        }
    }

    /// The datagram makes no sense.
    fn fail(&self, error: &DecodeError) {
        self.counters.failed.increment();
        self.counters.requests.failure.increment();
        if let Some(left_out) = self.wrong.is_time() {
            tracing::warn!(
                "otelcol.component.id" = %self.id,
                "otelcol.component.kind" = "receiver",
                error = %error,
                not_logged = left_out,
                "A datagram is no X-Ray segment. Dropping it."
            );
        }
    }

    fn drop_one(&self, spans: usize, why: &str) {
        self.counters.requests.refused.increment();
        self.refuse(spans, why);
    }

    fn refuse(&self, spans: usize, why: &str) {
        self.counters.refused.add(spans as u64);
        if let Some(left_out) = self.dropped.is_time() {
            tracing::warn!(
                "otelcol.component.id" = %self.id,
                "otelcol.component.kind" = "receiver",
                error = %why,
                dropped_spans = spans,
                not_logged = left_out,
                "Segments are dropped, since UDP has nobody to give them back to."
            );
        }
    }
}

impl RequestCounters {
    /// Those of a transport.
    pub(crate) fn new(context: &Context, transport: &str) -> Self {
        let id = context.id.to_string();
        let counter = |outcome: RequestOutcome| {
            let labels = [
                (label::RECEIVER, id.as_str()),
                (label::TRANSPORT, transport),
                (label::OUTCOME, outcome.as_str()),
            ];
            context.process.registry.counter(&names::RECEIVER_REQUESTS, &labels)
        };
        Self {
            success: counter(RequestOutcome::Success),
            refused: counter(RequestOutcome::Refused),
            failure: counter(RequestOutcome::Failure),
        }
    }
}

#[cfg(test)]
mod tests;
