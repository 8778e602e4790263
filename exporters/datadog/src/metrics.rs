//! Metrics: series and distributions, and the APM stats that a connector hands over as a metric.
//!
//! Differences of cumulative points depend on the payloads before, so each payload is translated once and in order ([`Push::keeps_state`]). Its requests are lists
//! of entries that mean the same by themselves, so what the backend does not take is cut in two as it is. What does not arrive is taken back: the next points
//! of its series are sent as the difference to what arrived last ([`state::Undo`]).

mod origin;
mod outbox;
mod running;
mod sketch;
mod state;
mod tags;
#[cfg(test)]
mod testing;
mod translate;
mod units;
mod wire;

use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use exporter_helper::{EncodeError, Encoded, EncodedRequest, Push, SendError, Sent};
use pdata::Payload;
use pipeline::{Admission, Client, Context, Hold};
use telemetry::names::DropReason;

use crate::exporter::Shared;
use outbox::{MetricsRequest, Outbox};
use state::State;
use translate::{Moment, Translator};

/// The most memory that the last points of cumulative series take, whatever the budget.
const STATE_BYTES_MAX: usize = 64 << 20;
/// And the part of the memory budget that they take at most.
const STATE_SHARE: usize = 4;

/// The push for metrics.
pub(crate) struct Metrics {
    shared: Arc<Shared>,
    context: Context,
    translator: Translator,
    state: Arc<Mutex<State>>,
    /// The state's part of the memory budget.
    hold: Hold,
    /// That points could not be translated is told once, and counted always.
    told: Once,
}

impl Metrics {
    /// With the settings of `shared`.
    pub(crate) fn new(shared: Arc<Shared>, context: Context) -> Self {
        let settings = shared.config.metrics.clone();
        let budget = &context.process.budget;
        let limit_bytes = STATE_BYTES_MAX.min(budget.limit_bytes() / STATE_SHARE);
        let state = State::new(settings.delta_ttl, limit_bytes);
        let state = Arc::new(Mutex::new(state));
        let hold = match budget.try_hold(0) {
            Admission::Granted(hold) => hold,
            Admission::Spent(_) => Hold::none(),
        };
        let function = context.process.provided();
        let translator = Translator::new(settings, now(), state.clone()).beside(function);
        Self { shared, context, translator, state, hold, told: Once::new() }
    }

    /// Has the memory budget know of the state, and the operator of what it had no room for.
    fn account(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.hold.resize(state.bytes());
        let evicted = state.take_evicted();
        if evicted > 0 {
            let kept = state.len();
            drop(state);
            tracing::warn!(
                "otelcol.component.id" = %self.context.id,
                "otelcol.component.kind" = "exporter",
                evicted_series = evicted,
                kept_series = kept,
                "There are more cumulative series than there is memory for. Those that were idle longest were forgotten; the next point of each is not \
                 sent. Lower metrics::delta_ttl, raise service::memory, or have the SDKs export deltas."
            );
        }
    }

    fn tell_of_stats(&self, error: &str) {
        tracing::warn!(
            "otelcol.component.id" = %self.context.id,
            "otelcol.component.kind" = "exporter",
            dropped_items = 1,
            error,
            "A metric that should hold APM stats holds something else, and is dropped."
        );
    }

    fn tell(&self, unsendable: &[(DropReason, usize)]) {
        let is_fault = |(reason, _): &&(DropReason, usize)| {
            matches!(reason, DropReason::Untranslatable | DropReason::TooLarge)
        };
        let Some((reason, points)) = unsendable.iter().find(is_fault) else { return };
        self.told.call_once(|| {
            tracing::warn!(
                "otelcol.component.id" = %self.context.id,
                "otelcol.component.kind" = "exporter",
                dropped_items = points,
                reason = reason.as_str(),
                "Some data points have no form in Datadog: no number, no temporality, or buckets that contradict each other. They are dropped, \
                 and counted in otelcol_exporter_dropped_items. This is said once."
            );
        });
    }
}

impl Push for Metrics {
    type Request = MetricsRequest;

    fn encode(
        &self,
        payload: &Payload,
        _: &Client,
    ) -> Result<Encoded<MetricsRequest>, EncodeError> {
        let moment = Moment { now: now(), fallback_host: self.shared.fallback_host() };
        let mut outbox = Outbox::new(self.state.clone());
        self.translator.translate(payload, moment, &mut outbox, |outbox, stats| {
            match crate::stats::requests(&self.shared.intake, stats) {
                Ok(requests) if requests.is_empty() => outbox.lose(DropReason::Empty, 1),
                Ok(requests) => outbox.add_all(requests),
                Err(error) => {
                    self.tell_of_stats(&error.to_string());
                    outbox.lose(DropReason::Untranslatable, 1);
                }
            }
        });
        self.account();
        let (requests, unsendable) = outbox.finish();
        self.tell(&unsendable);
        Ok(Encoded { requests, unsendable })
    }

    async fn send(&self, request: &MetricsRequest) -> Result<Sent, SendError> {
        let sent = self.shared.intake.send(&request.intake).await?;
        request.settle();
        Ok(sent)
    }

    fn keeps_state(&self) -> bool {
        true
    }

    fn halve(
        &self,
        request: EncodedRequest<MetricsRequest>,
    ) -> Vec<EncodedRequest<MetricsRequest>> {
        request.request.halve()
    }
}

/// The time, in nanoseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
