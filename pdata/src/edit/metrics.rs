//! Metrics.

mod points;

pub use points::{
    Buckets, BucketsMut, Exemplar, ExemplarMut, ExponentialHistogramDataPoint,
    ExponentialHistogramDataPointMut, HistogramDataPoint, HistogramDataPointMut, NumberDataPoint,
    NumberDataPointMut, SummaryDataPoint, SummaryDataPointMut, ValueAtQuantile, ValueAtQuantileMut,
};

use super::AttributesMut;
use super::body::Body;
use super::message::{Editable, ListMut, MessageMut, edit_apart, only, setters};
use super::rewriter::fields;
use crate::schema::metrics::METRIC;
use crate::view::{self, Temporality};
use crate::wire::{FieldValue, put_len, put_message};

/// Data points, in the data of every kind.
const POINTS: u32 = 1;
const TEMPORALITY: u32 = 2;
const MONOTONIC: u32 = 3;

/// Marks [`MetricMut`].
#[derive(Debug)]
pub enum Metric {}

/// A metric under edit.
pub type MetricMut<'s> = MessageMut<'s, Metric>;

impl Editable for Metric {
    type View<'v> = view::Metric<'v>;
}

/// What a metric's data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Sampled values.
    Gauge = 5,
    /// Sums.
    Sum = 7,
    /// Histograms with explicit bounds.
    Histogram = 9,
    /// Exponential histograms.
    ExponentialHistogram = 10,
    /// Summaries.
    Summary = 11,
}

impl MetricKind {
    fn of(number: u32) -> Option<Self> {
        use MetricKind::{ExponentialHistogram, Gauge, Histogram, Sum, Summary};
        [Gauge, Sum, Histogram, ExponentialHistogram, Summary]
            .into_iter()
            .find(|kind| kind.number() == number)
    }

    fn number(self) -> u32 {
        self as u32
    }

    /// Whether data points of the other kind may stand in this one.
    fn shares_points(self, other: Self) -> bool {
        let is_number = |kind| matches!(kind, MetricKind::Gauge | MetricKind::Sum);
        self == other || is_number(self) && is_number(other)
    }
}

setters! { Metric {
    /// Sets the name.
    set_name: text = 1;
    /// Sets the description.
    set_description: text = 2;
    /// Sets the unit, in UCUM.
    set_unit: text = 3;
    /// The metadata.
    metadata: attributes = 12;
}}

impl MetricMut<'_> {
    /// What its data is. `None` when it has none.
    pub fn kind(&self) -> Option<MetricKind> {
        fields(self.body.bytes()).find_map(|(_, field)| MetricKind::of(field.number))
    }

    /// Makes its data of a kind. Data points stay between gauges and sums, and are dropped between all else; temporality and
    /// monotonicity are not stated afterwards, unless the kind was this one before.
    pub fn set_kind(&mut self, kind: MetricKind) {
        let Some((old, data)) = data(self.body.bytes()) else {
            return self.body.append(|out| put_len(out, kind.number(), &[]));
        };
        if old == kind {
            return;
        }
        let shared = kind.shares_points(old);
        let points = only(data, |field| shared && field.number == POINTS);
        self.body.put(METRIC.oneof, |out| put_len(out, kind.number(), &points));
    }

    /// Drops its data.
    pub fn clear_data(&mut self) {
        self.body.put(METRIC.oneof, |_| {});
    }

    /// Sets what its points' time ranges are. Says whether it is of a kind that states it.
    pub fn set_temporality(&mut self, temporality: Temporality) -> bool {
        let kinds = [MetricKind::Sum, MetricKind::Histogram, MetricKind::ExponentialHistogram];
        self.edit_data(&kinds, |data| data.put_uint(TEMPORALITY, temporality as u64))
    }

    /// Sets whether its sum only grows. Says whether it is a sum.
    pub fn set_monotonic(&mut self, monotonic: bool) -> bool {
        let set = |data: &mut Body<'_>| data.put_uint(MONOTONIC, u64::from(monotonic));
        self.edit_data(&[MetricKind::Sum], set)
    }

    fn edit_data(&mut self, kinds: &[MetricKind], edit: impl FnOnce(&mut Body<'_>)) -> bool {
        let kind = self.kind().filter(|kind| kinds.contains(kind));
        if let Some(kind) = kind {
            self.body.edit_child(kind.number(), |mut data| {
                edit(&mut data);
                (data, ())
            });
        }
        kind.is_some()
    }

    /// Edits its data points. `None` when it has no data.
    pub fn points<R>(&mut self, edit: impl FnOnce(PointsMut<'_, '_>) -> R) -> Option<R> {
        let kind = self.kind()?;
        Some(self.body.edit_child(kind.number(), |mut data| {
            let result = edit(PointsMut::new(kind, &mut data));
            (data, result)
        }))
    }

    /// Edits, or removes, each data point in order, with the metric at hand, which shows no points meanwhile. Should the metric be made one
    /// of other points, these are dropped.
    pub fn points_with_metric(
        &mut self,
        mut edit: impl FnMut(&mut MetricMut<'_>, DataPointMut<'_, '_>),
    ) {
        let bytes = self.body.bytes();
        let Some((kind, points)) = data(bytes) else { return };
        let mut own = only(bytes, |field| field.number != kind.number());
        put_len(&mut own, kind.number(), &only(points, |field| field.number != POINTS));
        let mut metric = MetricMut::new(Body::new(&own, self.body.depth, Vec::new()));
        let depth = self.body.depth.saturating_sub(2);
        let edited = edit_apart(points, POINTS, depth, |point| {
            DataPointMut::with(kind, point, |point| edit(&mut metric, point))
        });
        let removed = metric.is_removed();
        if edited.is_some() || metric.body.is_edited() {
            let points = edited.unwrap_or_else(|| only(points, |field| field.number == POINTS));
            let all = metric.with_points(kind, &points);
            self.body.replace_all(all);
        }
        self.body.removed |= removed;
    }

    /// The metric with points of a kind in front of those it has, if it is of such points.
    fn with_points(&self, kind: MetricKind, points: &[u8]) -> Vec<u8> {
        let bytes = self.body.bytes();
        let Some((now, rest)) = data(bytes).filter(|(now, _)| now.shares_points(kind)) else {
            return bytes.to_vec();
        };
        let mut out = only(bytes, |field| field.number != now.number());
        put_message(&mut out, now.number(), |out| {
            out.extend_from_slice(points);
            out.extend_from_slice(rest);
        });
        out
    }
}

/// A metric's data: its kind and its body.
fn data(metric: &[u8]) -> Option<(MetricKind, &[u8])> {
    fields(metric).find_map(|(_, field)| match field.value {
        FieldValue::Len(body) => Some((MetricKind::of(field.number)?, body)),
        _ => None,
    })
}

/// A metric's data points under edit, by kind.
#[derive(Debug)]
pub enum PointsMut<'b, 's> {
    /// Of a gauge or a sum.
    Number(ListMut<'b, 's, NumberDataPoint>),
    /// Of a histogram.
    Histogram(ListMut<'b, 's, HistogramDataPoint>),
    /// Of an exponential histogram.
    ExponentialHistogram(ListMut<'b, 's, ExponentialHistogramDataPoint>),
    /// Of a summary.
    Summary(ListMut<'b, 's, SummaryDataPoint>),
}

impl<'b, 's> PointsMut<'b, 's> {
    fn new(kind: MetricKind, data: &'b mut Body<'s>) -> Self {
        match kind {
            MetricKind::Gauge | MetricKind::Sum => Self::Number(ListMut::new(data, POINTS)),
            MetricKind::Histogram => Self::Histogram(ListMut::new(data, POINTS)),
            MetricKind::ExponentialHistogram => {
                Self::ExponentialHistogram(ListMut::new(data, POINTS))
            }
            MetricKind::Summary => Self::Summary(ListMut::new(data, POINTS)),
        }
    }
}

/// A data point under edit, by kind.
#[derive(Debug)]
pub enum DataPointMut<'b, 's> {
    /// Of a gauge or a sum.
    Number(&'b mut NumberDataPointMut<'s>),
    /// Of a histogram.
    Histogram(&'b mut HistogramDataPointMut<'s>),
    /// Of an exponential histogram.
    ExponentialHistogram(&'b mut ExponentialHistogramDataPointMut<'s>),
    /// Of a summary.
    Summary(&'b mut SummaryDataPointMut<'s>),
}

/// Does the same with the point of each kind.
macro_rules! each {
    ($of:expr, $point:ident => $do:expr) => {
        match $of {
            DataPointMut::Number($point) => $do,
            DataPointMut::Histogram($point) => $do,
            DataPointMut::ExponentialHistogram($point) => $do,
            DataPointMut::Summary($point) => $do,
        }
    };
}

impl<'s> DataPointMut<'_, 's> {
    fn with(kind: MetricKind, body: Body<'s>, edit: impl FnOnce(DataPointMut<'_, 's>)) -> Body<'s> {
        let (body, ()) = match kind {
            MetricKind::Gauge | MetricKind::Sum => {
                MessageMut::with(body, |point| edit(DataPointMut::Number(point)))
            }
            MetricKind::Histogram => {
                MessageMut::with(body, |point| edit(DataPointMut::Histogram(point)))
            }
            MetricKind::ExponentialHistogram => {
                MessageMut::with(body, |point| edit(DataPointMut::ExponentialHistogram(point)))
            }
            MetricKind::Summary => {
                MessageMut::with(body, |point| edit(DataPointMut::Summary(point)))
            }
        };
        body
    }

    /// The attributes.
    pub fn attributes(&mut self) -> AttributesMut<'_, 's> {
        each!(self, point => point.attributes())
    }

    /// Sets the start of the time range, in nanoseconds since 1970.
    pub fn set_start_time_unix_nano(&mut self, time: u64) {
        each!(self, point => point.set_start_time_unix_nano(time));
    }

    /// Sets the time, in nanoseconds since 1970.
    pub fn set_time_unix_nano(&mut self, time: u64) {
        each!(self, point => point.set_time_unix_nano(time));
    }

    /// Sets the flags.
    pub fn set_flags(&mut self, flags: u32) {
        each!(self, point => point.set_flags(flags));
    }

    /// Takes the point out of its metric.
    pub fn remove(&mut self) {
        each!(self, point => point.remove());
    }
}
