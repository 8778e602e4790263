//! Histograms with explicit bounds.

use std::sync::Arc;

use pdata::view::{HistogramDataPoint, Repeated, Temporality};
use telemetry::names::DropReason;

use super::{Fate, Named, Step, Work, has_no_value, seconds};
use crate::config::HistogramMode;
use crate::metrics::outbox::Carries;
use crate::metrics::sketch::{NotAscending, Sketch};
use crate::metrics::state::{Amount, Histogram, Point, Undone, Value};
use crate::metrics::tags::Role;
use crate::metrics::wire::{Sample, Type};

/// What came to a histogram in a stretch of time.
struct Added {
    values: Histogram,
    /// Whether its minimum is one of that time.
    has_min: bool,
    /// Whether its maximum is.
    has_max: bool,
    /// What is taken back if it does not arrive; `None` for deltas.
    before: Option<Before>,
}

/// What a cumulative point was sent as the difference to.
struct Before {
    key: u128,
    start: u64,
    time: u64,
    earlier: Option<u64>,
}

impl Work<'_> {
    pub(super) fn histograms(
        &mut self,
        named: Named<'_>,
        points: Repeated<'_, HistogramDataPoint<'_>>,
        temporality: Temporality,
    ) {
        let mut bounds: Arc<[f64]> = Arc::new([]);
        for point in points {
            let fate = match temporality {
                Temporality::Unspecified => Fate::Lost(DropReason::Untranslatable),
                _ => self.histogram(named, &point, temporality, &mut bounds),
            };
            self.settle(fate);
        }
    }

    fn histogram(
        &mut self,
        named: Named<'_>,
        point: &HistogramDataPoint<'_>,
        temporality: Temporality,
        bounds: &mut Arc<[f64]>,
    ) -> Fate {
        if has_no_value(point.flags) {
            return Fate::Lost(DropReason::Empty);
        }
        let Some(values) = read(point, bounds) else {
            return Fate::Lost(DropReason::Untranslatable);
        };
        self.tag(&point.attributes);
        let added = match temporality {
            Temporality::Cumulative => match self.histogram_since(named, point, values) {
                Ok(added) => added,
                Err(reason) => return Fate::Lost(reason),
            },
            _ => Added { values, has_min: true, has_max: true, before: None },
        };
        let is_delta = temporality != Temporality::Cumulative;
        self.send_histogram(named, point.time_unix_nano, added, is_delta)
    }

    /// What came to a cumulative histogram since its last point.
    fn histogram_since(
        &mut self,
        named: Named<'_>,
        point: &HistogramDataPoint<'_>,
        values: Histogram,
    ) -> Result<Added, DropReason> {
        let (start, time) = (point.start_time_unix_nano, point.time_unix_nano);
        let key = self.identity(Role::Histogram, named.name);
        let remembered = Value::Histogram(Box::new(values.clone()));
        let earlier = match self.step(key, Point::new(start, time, remembered)) {
            Step::Stale => return Err(DropReason::Stale),
            Step::Baseline => return Err(DropReason::Baseline),
            Step::Complete => None,
            Step::After(earlier) => Some(earlier),
        };
        if let Some(Point { time: then, value, .. }) = earlier {
            let Value::Histogram(counted) = value else { return Err(DropReason::Baseline) };
            if let Some(since) = values.since(&counted) {
                // An extreme of all time that has moved is one of this time.
                return Ok(Added {
                    has_min: has_moved(values.min, counted.min),
                    has_max: has_moved(values.max, counted.max),
                    before: Some(Before { key, start, time, earlier: Some(then) }),
                    values: since,
                });
            }
            // It was reset.
            if let Step::Baseline = self.first(start, time) {
                return Err(DropReason::Baseline);
            }
        }
        let before = Some(Before { key, start, time, earlier: None });
        Ok(Added { has_min: true, has_max: true, before, values })
    }

    fn send_histogram(
        &mut self,
        named: Named<'_>,
        time: u64,
        added: Added,
        is_delta: bool,
    ) -> Fate {
        let Added { values, has_min, has_max, before } = added;
        let settings = &self.translator.settings.histograms;
        let (mode, aggregates) = (settings.mode, settings.send_aggregation_metrics);
        if mode == HistogramMode::Distributions {
            let sketch = &mut self.scratch.sketch;
            if fill(sketch, &values, has_min, has_max).is_err() {
                return Fate::Lost(DropReason::Untranslatable);
            }
        }
        let has_sketch = mode == HistogramMode::Distributions && !self.scratch.sketch.is_empty();
        let mut carries = if has_sketch { Carries::Nothing } else { Carries::Point };
        let mut sent = before.map(|before| Undone {
            key: before.key,
            start: before.start,
            time: before.time,
            before: before.earlier,
            amount: Amount::Histogram(Box::new(values.clone())),
            entry: 0,
        });
        let sample = |kind, value| Sample { kind, seconds: seconds(time), interval: 0, value };
        let unitless = Named { unit: "", ..named };
        // A sum of which the sketch takes care is taken back with that.
        let mut with = |carries| if carries == Carries::Point { sent.take() } else { None };
        if aggregates {
            let count = sample(Type::Count, values.count as f64);
            self.series(unitless, ".count", count, carries, with(carries));
            carries = Carries::Nothing;
            let sum = Some(values.sum).filter(|sum| sum.is_finite());
            let extremes = [(".min", values.min), (".max", values.max)];
            // Of cumulative points they would come ever more rarely.
            let extremes = extremes.into_iter().filter(|_| is_delta);
            if let Some(sum) = sum {
                self.series(named, ".sum", sample(Type::Count, sum), carries, None);
            }
            for (suffix, value) in extremes {
                if let Some(value) = value.filter(|value| value.is_finite()) {
                    self.series(named, suffix, sample(Type::Gauge, value), carries, None);
                }
            }
        }
        if mode == HistogramMode::Counters {
            for (lower, upper, count) in values.buckets() {
                self.tag_bounds(lower, upper);
                let count = sample(Type::Count, count as f64);
                self.series(unitless, ".bucket", count, carries, with(carries));
                self.scratch.own.clear();
                carries = Carries::Nothing;
            }
        }
        if has_sketch {
            return self.sketch(named, time, sent);
        }
        match carries {
            Carries::Nothing => Fate::Sent,
            Carries::Point if values.count == 0 => Fate::Lost(DropReason::Empty),
            // Its buckets do not say where its values are, or they are not asked for and there are none.
            Carries::Point => Fate::Lost(DropReason::Untranslatable),
        }
    }

    fn tag_bounds(&mut self, lower: f64, upper: f64) {
        for (key, bound) in [("lower_bound", lower), ("upper_bound", upper)] {
            let mut text = Vec::new();
            put_bound(&mut text, bound);
            self.scratch.own.push(key.as_bytes(), &text);
        }
    }
}

/// Reads a point. `bounds` are those of the point before, which are mostly the same. `None` where counts and bounds do not fit together, or bounds are no
/// numbers.
fn read(point: &HistogramDataPoint<'_>, bounds: &mut Arc<[f64]>) -> Option<Histogram> {
    let counts: Box<[u64]> = point.bucket_counts.iter().collect();
    if !counts.is_empty() {
        if !point.explicit_bounds.doubles().eq(bounds.iter().copied()) {
            *bounds = point.explicit_bounds.doubles().collect();
        }
        if counts.len() != bounds.len() + 1 || bounds.iter().any(|bound| bound.is_nan()) {
            return None;
        }
    }
    let number = |value: Option<f64>| value.filter(|value| value.is_finite());
    Some(Histogram {
        count: point.count,
        sum: number(point.sum).unwrap_or(f64::NAN),
        min: number(point.min),
        max: number(point.max),
        bounds: if counts.is_empty() { Arc::new([]) } else { bounds.clone() },
        counts,
    })
}

/// Whether an extreme of all time is another than before, so that it is one of the time since.
pub(super) fn has_moved(now: Option<f64>, then: Option<f64>) -> bool {
    now.zip(then).is_some_and(|(now, then)| now != then)
}

/// Makes a sketch of a histogram.
fn fill(
    sketch: &mut Sketch,
    values: &Histogram,
    has_min: bool,
    has_max: bool,
) -> Result<(), NotAscending> {
    sketch.clear();
    let (mut low, mut high) = (None, None);
    for (lower, upper, count) in values.buckets() {
        let (from, to) = match (lower.is_infinite(), upper.is_infinite()) {
            (true, true) => at_mean(values),
            (_, true) => (lower, lower),
            (true, _) => (upper, upper),
            // The bucket is open below: nothing in it is zero.
            _ if lower == 0.0 && upper > 0.0 => (upper, upper),
            _ => (lower, upper),
        };
        sketch.spread(from, to, count)?;
        if count > 0 {
            low = low.or(Some(lower));
            high = Some(upper);
        }
    }
    let counted = values.counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count));
    let unaccounted = values.count.saturating_sub(counted);
    if !values.counts.is_empty() {
        // As after a change of bounds.
        let (from, to) = at_mean(values);
        sketch.spread(from, to, unaccounted)?;
        if unaccounted > 0 {
            low = low.map(|low| low.min(from));
            high = high.map(|high| high.max(to));
        }
    } else if values.count > 0 {
        // One bucket, between the extremes as far as they are known.
        let (min, max) = (values.min.filter(|_| has_min), values.max.filter(|_| has_max));
        let (from, to) = match (min, max) {
            (Some(min), Some(max)) => (min, max),
            (Some(end), None) | (None, Some(end)) => (end, end),
            (None, None) => at_mean(values),
        };
        sketch.spread(from, to, values.count)?;
    }
    if sketch.is_empty() {
        return Ok(());
    }
    sketch.finish();
    let finite = |bound: Option<f64>| bound.filter(|bound| bound.is_finite());
    let summary = &mut sketch.summary;
    summary.min = finite(low).unwrap_or(summary.min);
    summary.max = finite(high).unwrap_or(summary.max);
    summary.refine(values.count, values.sum, values.min, values.max, has_min, has_max);
    Ok(())
}

/// Where values are put of which no more is known than how many they are and what they add up to.
fn at_mean(values: &Histogram) -> (f64, f64) {
    let mean = values.sum / values.count as f64;
    let mean = if mean.is_finite() { mean } else { 0.0 };
    (mean, mean)
}

/// Appends a bound, or a quantile, as tags have it: `inf`, `0`, `10.0`, `0.5`, and `1e+06.0` for a million.
pub(super) fn put_bound(out: &mut Vec<u8>, bound: f64) {
    if bound.is_nan() {
        out.extend_from_slice(b"nan");
    } else if bound.is_infinite() {
        out.extend_from_slice(if bound > 0.0 { b"inf" } else { b"-inf" });
    } else if bound == 0.0 {
        out.push(b'0');
    } else {
        // As Go's `%g` does: a plain number from 1e-4 to below 1e6.
        let scientific = format!("{bound:e}");
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        let text = match exponent {
            -4..6 => format!("{bound}"),
            _ => format!("{digits}e{}{:02}", sign(exponent), exponent.abs()),
        };
        out.extend_from_slice(text.as_bytes());
        if bound == bound.floor() {
            out.extend_from_slice(b".0");
        }
    }
}

fn sign(exponent: i32) -> char {
    if exponent < 0 { '-' } else { '+' }
}
