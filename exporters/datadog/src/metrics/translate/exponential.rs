//! Exponential histograms. Upstream drops cumulative ones; here they are sent as the difference to the point before, as other histograms are.

use pdata::view::{Buckets as BucketsView, ExponentialHistogramDataPoint, Repeated, Temporality};
use telemetry::names::DropReason;

use super::histogram::has_moved;
use super::{Fate, Named, Step, Work, has_no_value, seconds};
use crate::metrics::outbox::Carries;
use crate::metrics::sketch;
use crate::metrics::state::{Amount, Buckets, Exponential, Point, Undone, Value};
use crate::metrics::tags::Role;
use crate::metrics::wire::{Sample, Type};

/// The most buckets of one point that are remembered for the next.
const BUCKETS_MAX: usize = 1 << 14;

/// What came to a histogram in a stretch of time.
struct Added {
    values: Exponential,
    has_min: bool,
    has_max: bool,
    /// What is taken back if it does not arrive; `None` for deltas.
    sent: Option<Undone>,
}

impl Work<'_> {
    pub(super) fn exponentials(
        &mut self,
        named: Named<'_>,
        points: Repeated<'_, ExponentialHistogramDataPoint<'_>>,
        temporality: Temporality,
    ) {
        for point in points {
            let fate = self.exponential(named, &point, temporality);
            self.settle(fate);
        }
    }

    fn exponential(
        &mut self,
        named: Named<'_>,
        point: &ExponentialHistogramDataPoint<'_>,
        temporality: Temporality,
    ) -> Fate {
        if has_no_value(point.flags) {
            return Fate::Lost(DropReason::Empty);
        }
        let values = read(point);
        self.tag(&point.attributes);
        let added = match temporality {
            Temporality::Delta => Added { values, has_min: true, has_max: true, sent: None },
            Temporality::Cumulative => match self.exponential_since(named, point, values) {
                Ok(added) => added,
                Err(reason) => return Fate::Lost(reason),
            },
            Temporality::Unspecified => return Fate::Lost(DropReason::Untranslatable),
        };
        let is_delta = temporality == Temporality::Delta;
        self.send_exponential(named, point.time_unix_nano, added, is_delta)
    }

    /// What came to a cumulative histogram since its last point.
    fn exponential_since(
        &mut self,
        named: Named<'_>,
        point: &ExponentialHistogramDataPoint<'_>,
        values: Exponential,
    ) -> Result<Added, DropReason> {
        if values.positive.counts.len() + values.negative.counts.len() > BUCKETS_MAX {
            return Err(DropReason::Untranslatable);
        }
        let (start, time) = (point.start_time_unix_nano, point.time_unix_nano);
        let key = self.identity(Role::Exponential, named.name);
        let added = |values: Exponential, has_min, has_max, before| {
            let amount = Amount::Exponential(Box::new(values.clone()));
            let sent = Some(Undone { key, start, time, before, amount, entry: 0 });
            Ok(Added { values, has_min, has_max, sent })
        };
        let remembered = Value::Exponential(Box::new(values.clone()));
        let earlier = match self.step(key, Point::new(start, time, remembered)) {
            Step::Stale => return Err(DropReason::Stale),
            Step::Baseline => return Err(DropReason::Baseline),
            Step::Complete => None,
            Step::After(earlier) => Some(earlier),
        };
        if let Some(Point { time: then, value, .. }) = earlier {
            let Value::Exponential(counted) = value else { return Err(DropReason::Baseline) };
            if let Some(since) = values.since(&counted) {
                let (has_min, has_max) =
                    (has_moved(values.min, counted.min), has_moved(values.max, counted.max));
                return added(since, has_min, has_max, Some(then));
            }
            // It was reset.
            if let Step::Baseline = self.first(start, time) {
                return Err(DropReason::Baseline);
            }
        }
        added(values, true, true, None)
    }

    fn send_exponential(
        &mut self,
        named: Named<'_>,
        time: u64,
        added: Added,
        is_delta: bool,
    ) -> Fate {
        let Added { values, has_min, has_max, mut sent } = added;
        // A distribution whatever `histograms::mode` says, as upstream has it: they have no buckets that could be counted.
        let is_in_range = self.fill(&values, has_min, has_max).is_ok();
        let has_sketch = is_in_range && !self.scratch.sketch.is_empty();
        let mut carries = if has_sketch { Carries::Nothing } else { Carries::Point };
        if self.translator.settings.histograms.send_aggregation_metrics {
            let sample = |kind, value| Sample { kind, seconds: seconds(time), interval: 0, value };
            let unitless = Named { unit: "", ..named };
            let with = if has_sketch { None } else { sent.take() };
            let count = sample(Type::Count, values.count as f64);
            self.series(unitless, ".count", count, carries, with);
            carries = Carries::Nothing;
            let extremes = [values.min, values.max].map(|value| value.filter(|_| is_delta));
            let [min, max] = extremes;
            for (suffix, kind, value) in [
                (".sum", Type::Count, Some(values.sum)),
                (".min", Type::Gauge, min),
                (".max", Type::Gauge, max),
            ] {
                if let Some(value) = value.filter(|value| value.is_finite()) {
                    self.series(named, suffix, sample(kind, value), carries, None);
                }
            }
        }
        if has_sketch {
            return self.sketch(named, time, sent);
        }
        match carries {
            Carries::Nothing => Fate::Sent,
            Carries::Point if is_in_range && values.count == 0 => Fate::Lost(DropReason::Empty),
            Carries::Point => Fate::Lost(DropReason::Untranslatable),
        }
    }

    /// Makes a sketch of a histogram.
    fn fill(
        &mut self,
        values: &Exponential,
        has_min: bool,
        has_max: bool,
    ) -> Result<(), sketch::OutOfRange> {
        let sketch = &mut self.scratch.sketch;
        sketch.take(&sketch::Exponential {
            scale: values.scale,
            zero_count: values.zero_count,
            positive: side(&values.positive),
            negative: side(&values.negative),
        })?;
        if sketch.is_empty() {
            return Ok(());
        }
        sketch.finish();
        let Exponential { count, sum, min, max, .. } = *values;
        if count == 1 && sum.is_finite() {
            // The one value is known.
            (sketch.summary.min, sketch.summary.max) = (sum, sum);
        }
        sketch.summary.refine(count, sum, min, max, has_min, has_max);
        Ok(())
    }
}

fn side(buckets: &Buckets) -> sketch::Side<'_> {
    sketch::Side { offset: buckets.offset, counts: &buckets.counts }
}

fn read(point: &ExponentialHistogramDataPoint<'_>) -> Exponential {
    let number = |value: Option<f64>| value.filter(|value| value.is_finite());
    let buckets = |view: BucketsView<'_>| Buckets {
        offset: view.offset,
        counts: view.bucket_counts().collect(),
    };
    Exponential {
        count: point.count,
        sum: number(point.sum).unwrap_or(f64::NAN),
        min: number(point.min),
        max: number(point.max),
        scale: point.scale,
        zero_count: point.zero_count,
        zero_threshold: point.zero_threshold,
        positive: buckets(point.positive),
        negative: buckets(point.negative),
    }
}
