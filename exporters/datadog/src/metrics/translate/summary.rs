//! Summaries: count and sum as what was added, quantiles as gauges.

use pdata::view::{Repeated, SummaryDataPoint};
use telemetry::names::DropReason;

use super::{Fate, Named, Step, Work, has_no_value, seconds};
use crate::config::SummaryMode;
use crate::metrics::outbox::Carries;
use crate::metrics::state::{Amount, Point, Undone, Value};
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
        let key = self.identity(Role::Summary, named.name);
        let (count, sum) = (point.count as f64, point.sum);
        let step = self.step(key, Point::new(start, time, Value::Summary { count, sum }));
        let (added, mut reason) = match step {
            Step::After(earlier) => match earlier.value {
                Value::Summary { count: then, sum: sum_then } if count >= then => {
                    let added = (count - then, sum - sum_then, Some(earlier.time));
                    (Some(added), DropReason::Untranslatable)
                }
                // It was reset.
                _ => match self.first(start, time) {
                    Step::Complete => (Some((count, sum, None)), DropReason::Untranslatable),
                    _ => (None, DropReason::Baseline),
                },
            },
            Step::Complete => (Some((count, sum, None)), DropReason::Untranslatable),
            Step::Stale => (None, DropReason::Stale),
            Step::Baseline => (None, DropReason::Baseline),
        };
        let mut carries = Carries::Point;
        let sample =
            |value| Sample { kind: Type::Count, seconds: seconds(time), interval: 0, value };
        if let Some((count, sum, before)) = added {
            let amount = Amount::Summary { count, sum: if sum.is_finite() { sum } else { 0.0 } };
            let sent = Undone { key, start, time, before, amount, entry: 0 };
            let unitless = Named { unit: "", ..named };
            self.series(unitless, ".count", sample(count), carries, Some(sent));
            carries = Carries::Nothing;
            if sum.is_finite() {
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
}
