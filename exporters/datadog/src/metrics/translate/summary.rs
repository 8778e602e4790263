//! Summaries: count and sum as what was added, quantiles as gauges.

use std::sync::PoisonError;

use pdata::view::{Repeated, SummaryDataPoint};
use telemetry::names::DropReason;

use super::{Fate, Named, Step, Work, has_no_value, seconds};
use crate::config::SummaryMode;
use crate::metrics::outbox::Carries;
use crate::metrics::state::{Amount, Key, Point, Undone, Value};
use crate::metrics::tags::Role;
use crate::metrics::wire::{Sample, Type};

use super::histogram::put_bound;

impl Work<'_> {
    pub(super) fn summaries(
        &mut self,
        named: Named<'_>,
        points: Repeated<'_, SummaryDataPoint<'_>>,
    ) {
        for point in points {
            let fate = self.summary(named, &point);
            self.settle(fate);
        }
    }

    fn summary(&mut self, named: Named<'_>, point: &SummaryDataPoint<'_>) -> Fate {
        if has_no_value(point.flags) {
            return Fate::Lost(DropReason::Empty);
        }
        let (start, time) = (point.start_time_unix_nano, point.time_unix_nano);
        self.tag(&point.attributes);
        let (count, sum) = (point.count as f64, point.sum);
        let (added, mut reason) = self.summary_since(named, start, time, count, sum);
        let mut carries = Carries::Point;
        let sample =
            |value| Sample { kind: Type::Count, seconds: seconds(time), interval: 0, value };
        if let Some(sent) = added
            && let Amount::Summary { count, sum } = sent.amount
        {
            let unitless = Named { unit: "", ..named };
            self.series(unitless, ".count", sample(count), carries, Some(sent));
            carries = Carries::Nothing;
            if point.sum.is_finite() {
                self.series(named, ".sum", sample(sum), carries, None);
            }
        }
        if self.translator.settings.summaries == SummaryMode::Gauges {
            for quantile in point.quantile_values {
                if !quantile.value.is_finite() {
                    reason = DropReason::Untranslatable;
                    continue;
                }
                let mut tag = Vec::new();
                put_bound(&mut tag, quantile.quantile);
                self.scratch.own.push(b"quantile", &tag);
                let sample = Sample { kind: Type::Gauge, ..sample(quantile.value) };
                self.series(named, ".quantile", sample, carries, None);
                self.scratch.own.clear();
                carries = Carries::Nothing;
            }
        }
        match carries {
            Carries::Nothing => Fate::Sent,
            Carries::Point => Fate::Lost(reason),
        }
    }

    /// What came to a summary since its last point, or why that is not known.
    fn summary_since(
        &mut self,
        named: Named<'_>,
        start: u64,
        time: u64,
        count: f64,
        sum: f64,
    ) -> (Option<Undone>, DropReason) {
        let key = self.identity(Role::Summary, named.name);
        let sent = |count, sum: f64, before| {
            let sum = if sum.is_finite() { sum } else { 0.0 };
            let amount = Amount::Summary { count, sum };
            Some(Undone { key, start, time, before, amount, entry: 0 })
        };
        let added = match self.step(key, Point::new(start, time, Value::Summary { count, sum })) {
            Step::Stale => return (None, DropReason::Stale),
            Step::Baseline => None,
            Step::Complete => sent(count, sum, None),
            Step::After(earlier) => match earlier.value {
                Value::Summary { count: then, sum: sum_then } if count >= then => {
                    if !sum.is_finite() {
                        // The difference waits for a sum that is a number.
                        self.remember_sum(key, sum_then);
                    }
                    sent(count - then, sum - sum_then, Some(earlier.time))
                }
                // It was reset.
                _ => match self.first(start, time) {
                    Step::Complete => sent(count, sum, None),
                    _ => None,
                },
            },
        };
        (added, DropReason::Baseline)
    }

    fn remember_sum(&mut self, key: Key, earlier: f64) {
        let mut state = self.translator.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Value::Summary { sum, .. }) = state.value_mut(key) {
            *sum = earlier;
        }
    }
}
