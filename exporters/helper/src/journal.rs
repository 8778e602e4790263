//! What the operator reads: one warning when an outage begins, one line when it ends, and losses in summary.
//!
//! Texts are upstream's where upstream has one (`exporterhelper/internal/retry_sender.go`, `queue_sender.go`, `base_exporter.go`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pdata::Signal;
use tokio::time::Instant;

use crate::push::SendError;
use crate::reason::Reason;

/// At most one line of a kind in this time; what is left out is added to the next one.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// The log of one exporter and signal.
pub(crate) struct Journal {
    id: String,
    signal: Signal,
    /// What to turn on so that data survives failures.
    hint: String,
    in_outage: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    outage: Option<Outage>,
    dropped: Limited,
    rejected: Limited,
    partial: Limited,
    uncounted: Limited,
}

struct Outage {
    since: Instant,
    attempts: u64,
    dropped: usize,
}

/// Lines of one kind.
#[derive(Default)]
struct Limited {
    last: Option<Instant>,
    left_out: usize,
}

impl Journal {
    pub(crate) fn new(id: &str, signal: Signal, has_queue: bool, has_retry: bool) -> Self {
        let mut hint = String::new();
        if !has_queue {
            hint += " Try enabling sending_queue to survive temporary failures.";
        }
        if !has_retry {
            hint += " Try enabling retry_on_failure config option to retry on retryable errors.";
        }
        let (in_outage, state) = (AtomicBool::new(false), Mutex::default());
        Self { id: id.to_owned(), signal, hint, in_outage, state }
    }

    /// An attempt failed and another one follows.
    pub(crate) fn will_retry(&self, error: &SendError, interval: Duration) {
        {
            let mut state = self.lock();
            if let Some(outage) = &mut state.outage {
                outage.attempts += 1;
                return;
            }
            state.outage = Some(Outage { since: Instant::now(), attempts: 1, dropped: 0 });
            self.in_outage.store(true, Ordering::Relaxed);
        }
        tracing::warn!(
            "otelcol.component.id" = %self.id,
            "otelcol.component.kind" = "exporter",
            "otelcol.signal" = self.signal.name(),
            %error,
            ?interval,
            "Exporting failed. Will retry the request after interval."
        );
    }

    /// An attempt succeeded. One atomic load unless there is an outage to end.
    pub(crate) fn succeeded(&self) {
        if !self.in_outage.load(Ordering::Relaxed) {
            return;
        }
        let ended = {
            let mut state = self.lock();
            self.in_outage.store(false, Ordering::Relaxed);
            state.dropped.left_out = 0;
            state.outage.take()
        };
        let Some(Outage { since, attempts, dropped }) = ended else { return };
        tracing::info!(
            "otelcol.component.id" = %self.id,
            "otelcol.component.kind" = "exporter",
            "otelcol.signal" = self.signal.name(),
            outage = ?since.elapsed(),
            failed_attempts = attempts,
            dropped_items = dropped,
            "Exporting works again."
        );
    }

    /// Items were lost, and nobody will send them again.
    pub(crate) fn dropped(&self, items: usize, error: &str) {
        let due = {
            let mut state = self.lock();
            if let Some(outage) = &mut state.outage {
                outage.dropped += items;
            }
            state.dropped.due(items)
        };
        if let Some(items) = due {
            self.say_dropped(items, error);
        }
    }

    /// Items went back to the caller.
    pub(crate) fn rejected(&self, items: usize, error: &str) {
        let due = self.lock().rejected.due(items);
        if let Some(items) = due {
            tracing::error!(
                "otelcol.component.id" = %self.id,
                "otelcol.component.kind" = "exporter",
                "otelcol.signal" = self.signal.name(),
                error,
                rejected_items = items,
                "Exporting failed. Rejecting data.{}",
                self.hint
            );
        }
    }

    /// The backend took a request and rejected some of its items, or had something to say.
    pub(crate) fn partial_success(&self, rejected: usize, message: Option<&Reason>) {
        let due = self.lock().partial.due(rejected);
        let Some(rejected) = due else { return };
        let response = message.map_or("", Reason::as_str);
        let (spans, points, records) = match self.signal {
            Signal::Traces => (Some(rejected), None, None),
            Signal::Metrics => (None, Some(rejected), None),
            Signal::Logs => (None, None, Some(rejected)),
        };
        tracing::warn!(
            "otelcol.component.id" = %self.id,
            "otelcol.component.kind" = "exporter",
            "otelcol.signal" = self.signal.name(),
            response,
            dropped_spans = spans,
            dropped_data_points = points,
            dropped_log_records = records,
            "Partial success response"
        );
    }

    /// A translation left items out that it should have counted as unsendable: a defect of the exporter.
    pub(crate) fn lost_count(&self, items: usize) {
        let due = self.lock().uncounted.due(items);
        if let Some(items) = due {
            tracing::error!(
                "otelcol.component.id" = %self.id,
                "otelcol.component.kind" = "exporter",
                "otelcol.signal" = self.signal.name(),
                dropped_items = items,
                "The exporter's translation lost count of items; please report this."
            );
        }
    }

    /// Says what the limit on lines has left out so far.
    pub(crate) fn close(&self) {
        let left_out = std::mem::take(&mut self.lock().dropped.left_out);
        if left_out > 0 {
            self.say_dropped(left_out, "as before");
        }
    }

    fn say_dropped(&self, items: usize, error: &str) {
        tracing::error!(
            "otelcol.component.id" = %self.id,
            "otelcol.component.kind" = "exporter",
            "otelcol.signal" = self.signal.name(),
            error,
            dropped_items = items,
            "Exporting failed. Dropping data.{}",
            self.hint
        );
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limited {
    /// The items to be told now, those left out before included; nothing when a line was written lately.
    fn due(&mut self, items: usize) -> Option<usize> {
        self.left_out += items;
        let now = Instant::now();
        if self.last.is_some_and(|last| now.duration_since(last) < LINE_EVERY) {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.left_out))
    }
}
