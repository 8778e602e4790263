//! Gauges and sums.

use pdata::view::{Attributes, NumberDataPoint, NumberValue, Repeated, Temporality};
use telemetry::names::DropReason;

use super::{Fate, Named, Step, Work, has_no_value, names, seconds};
use crate::config::CumulativeMonotonicMode;
use crate::metrics::outbox::Carries;
use crate::metrics::state::{Amount, Point, Undone, Value};
use crate::metrics::tags::Role;
use crate::metrics::wire::{Sample, Type};

/// The attribute by which a delta sum is made a rate.
const AS_TYPE: &str = "datadog.metric.as_type";
/// How far from whole seconds a point's time range may be so that it is taken for so many: upstream's `intervalTolerance`.
const JITTER: f64 = 0.05;

impl Work<'_> {
    pub(super) fn gauges(&mut self, named: Named<'_>, points: Repeated<'_, NumberDataPoint<'_>>) {
        for point in points {
            let fate = self.value(named, &point, Type::Gauge);
            self.settle(fate);
        }
    }

    pub(super) fn sums(
        &mut self,
        named: Named<'_>,
        points: Repeated<'_, NumberDataPoint<'_>>,
        temporality: Temporality,
        monotonic: bool,
    ) {
        let mode = self.translator.settings.sums.cumulative_monotonic_mode;
        let to_delta = monotonic && mode == CumulativeMonotonicMode::ToDelta;
        for point in points {
            let fate = match temporality {
                Temporality::Delta => self.value(named, &point, Type::Count),
                Temporality::Cumulative if to_delta => self.difference(named, &point),
                Temporality::Cumulative => self.value(named, &point, Type::Gauge),
                Temporality::Unspecified => Fate::Lost(DropReason::Untranslatable),
            };
            self.settle(fate);
        }
    }

    /// A point that stands for itself.
    fn value(&mut self, named: Named<'_>, point: &NumberDataPoint<'_>, kind: Type) -> Fate {
        let mut value = match read(point) {
            Ok(value) => value,
            Err(reason) => return Fate::Lost(reason),
        };
        let (mut kind, mut interval) = (kind, 0);
        if kind == Type::Count && is_rate(&point.attributes) {
            kind = Type::Rate;
            interval = interval_of(point.start_time_unix_nano, point.time_unix_nano);
            if interval > 0 {
                value /= interval as f64;
            }
        }
        self.tag(&point.attributes);
        let seconds = seconds(point.time_unix_nano);
        let sample = Sample { kind, seconds, interval, value };
        self.series(named, "", sample, Carries::Point, None);
        Fate::Sent
    }

    /// A point of a sum that only grows: what was added since the one before.
    fn difference(&mut self, named: Named<'_>, point: &NumberDataPoint<'_>) -> Fate {
        let value = match read(point) {
            Ok(value) => value,
            Err(reason) => return Fate::Lost(reason),
        };
        let (start, time) = (point.start_time_unix_nano, point.time_unix_nano);
        self.tag(&point.attributes);
        let key = self.identity(Role::Number, named.name);
        let step = self.step(key, Point::new(start, time, Value::Number(value)));
        let after = match step {
            Step::After(earlier) => match earlier.value {
                Value::Number(then) if value >= then => Some((value - then, earlier.time)),
                // It was reset.
                _ => match self.first(start, time) {
                    Step::Complete => None,
                    _ => return Fate::Lost(DropReason::Baseline),
                },
            },
            Step::Complete => None,
            Step::Stale => return Fate::Lost(DropReason::Stale),
            Step::Baseline => return Fate::Lost(DropReason::Baseline),
        };
        let mut sample = Sample { kind: Type::Count, seconds: seconds(time), interval: 0, value };
        let mut before = None;
        if let Some((added, then)) = after {
            (sample.value, before) = (added, Some(then));
        }
        let amount = Amount::Number(sample.value);
        if names::is_shown_as_rate(named.name) {
            let Some((added, then)) = after else { return Fate::Lost(DropReason::Baseline) };
            sample.kind = Type::Gauge;
            sample.value = added / ((time - then) as f64 / 1e9);
        }
        let sent = Undone { key, start, time, before, amount, entry: 0 };
        self.series(named, "", sample, Carries::Point, Some(sent));
        Fate::Sent
    }
}

/// The value of a point, if it has one that can be sent.
fn read(point: &NumberDataPoint<'_>) -> Result<f64, DropReason> {
    let value = match point.value {
        Some(NumberValue::Double(value)) => value,
        Some(NumberValue::Int(value)) => value as f64,
        None => return Err(DropReason::Empty),
    };
    match has_no_value(point.flags) {
        true => Err(DropReason::Empty),
        false if value.is_finite() => Ok(value),
        false => Err(DropReason::Untranslatable),
    }
}

/// Whether a delta sum asks to be shown as a rate.
fn is_rate(attributes: &Attributes<'_>) -> bool {
    let as_type = attributes.get(AS_TYPE);
    let word = as_type.and_then(|value| value.as_str());
    word.is_some_and(|word| word.as_str().eq_ignore_ascii_case("rate"))
}

/// The whole seconds that a point's time range is, if it is.
fn interval_of(start: u64, time: u64) -> i64 {
    if start == 0 || start > time {
        return 0;
    }
    let range = (time - start) as f64 / 1e9;
    match (range - range.round()).abs() < JITTER {
        true => range.round() as i64,
        false => 0,
    }
}
