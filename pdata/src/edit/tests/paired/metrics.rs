//! Metrics.

use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, Sum, Summary, SummaryDataPoint, exemplar,
    number_data_point,
};

use super::{E, Each, attributes, bytes, list, own, set, text};
use crate::edit::{
    BucketsMut, DataPointMut, ExemplarMut, ExponentialHistogramDataPointMut, HistogramDataPointMut,
    MetricKind, MetricMut, NumberDataPointMut, PointsMut, SummaryDataPointMut, ValueAtQuantileMut,
};
use crate::oracle::entropy::Entropy;
use crate::view::{NumberValue, Temporality};

pub(in crate::edit::tests) fn metric(e: E<'_, '_>, ours: &mut MetricMut<'_>, theirs: &mut Metric) {
    set!(e, ours.set_name(text), theirs.name, e.text());
    set!(e, ours.set_description(text), theirs.description, e.text());
    set!(e, ours.set_unit(text), theirs.unit, e.text());
    attributes(e, &mut ours.metadata(), &mut theirs.metadata);
    match e.below(6) {
        0 => kind(e, ours, theirs),
        1 => temporality(e, ours, theirs),
        2 if e.one_in(4) => {
            ours.clear_data();
            theirs.data = None;
        }
        2 | 3 => points_with_metric(e, ours, theirs),
        _ => {
            let edited = ours.points(|ours| points(e, ours, theirs.data.as_mut().unwrap()));
            assert_eq!(edited.is_some(), theirs.data.is_some());
        }
    }
}

fn kind(e: E<'_, '_>, ours: &mut MetricMut<'_>, theirs: &mut Metric) {
    let old = theirs.data.take();
    let mut numbers = match &old {
        Some(Data::Gauge(gauge)) => gauge.data_points.clone(),
        Some(Data::Sum(sum)) => sum.data_points.clone(),
        _ => Vec::new(),
    };
    let numbers = std::mem::take(&mut numbers);
    let (kind, new) = match e.below(5) {
        0 => (MetricKind::Gauge, Data::Gauge(Gauge { data_points: numbers })),
        1 => (MetricKind::Sum, Data::Sum(Sum { data_points: numbers, ..Sum::default() })),
        2 => (MetricKind::Histogram, Data::Histogram(Histogram::default())),
        3 => {
            let histogram = ExponentialHistogram::default();
            (MetricKind::ExponentialHistogram, Data::ExponentialHistogram(histogram))
        }
        _ => (MetricKind::Summary, Data::Summary(Summary::default())),
    };
    let same = ours.kind() == Some(kind);
    ours.set_kind(kind);
    assert_eq!(ours.kind(), Some(kind));
    theirs.data = if same { old } else { Some(new) };
}

fn temporality(e: E<'_, '_>, ours: &mut MetricMut<'_>, theirs: &mut Metric) {
    let number = e.below(3);
    let value = [Temporality::Unspecified, Temporality::Delta, Temporality::Cumulative][number];
    let monotonic = e.flag();
    let field = match &mut theirs.data {
        Some(Data::Sum(sum)) => Some(&mut sum.aggregation_temporality),
        Some(Data::Histogram(histogram)) => Some(&mut histogram.aggregation_temporality),
        Some(Data::ExponentialHistogram(histogram)) => Some(&mut histogram.aggregation_temporality),
        _ => None,
    };
    assert_eq!(ours.set_temporality(value), field.is_some());
    field.into_iter().for_each(|field| *field = number as i32);
    let is_sum = matches!(theirs.data, Some(Data::Sum(_)));
    assert_eq!(ours.set_monotonic(monotonic), is_sum);
    if let Some(Data::Sum(sum)) = &mut theirs.data {
        sum.is_monotonic = monotonic;
    }
}

fn points(e: E<'_, '_>, ours: PointsMut<'_, '_>, theirs: &mut Data) {
    match (ours, theirs) {
        (PointsMut::Number(mut ours), Data::Gauge(theirs)) => {
            list(e, &mut ours, &mut theirs.data_points, number_point);
        }
        (PointsMut::Number(mut ours), Data::Sum(theirs)) => {
            list(e, &mut ours, &mut theirs.data_points, number_point);
        }
        (PointsMut::Histogram(mut ours), Data::Histogram(theirs)) => {
            list(e, &mut ours, &mut theirs.data_points, histogram_point);
        }
        (PointsMut::ExponentialHistogram(mut ours), Data::ExponentialHistogram(theirs)) => {
            list(e, &mut ours, &mut theirs.data_points, exponential_histogram_point);
        }
        (PointsMut::Summary(mut ours), Data::Summary(theirs)) => {
            list(e, &mut ours, &mut theirs.data_points, summary_point);
        }
        (ours, theirs) => panic!("{ours:?} are not the points of {theirs:?}"),
    }
}

/// All points, with the metric's own fields, and at times its kind, edited on the way.
fn points_with_metric(e: E<'_, '_>, ours: &mut MetricMut<'_>, theirs: &mut Metric) {
    let Some(mut points) = theirs.data.clone() else { return };
    theirs.data = theirs.data.take().map(without_points);
    let mut each = Each::default();
    ours.points_with_metric(|ours, point| {
        set!(e, ours.set_name(text), theirs.name, e.text());
        match e.below(10) {
            0 => kind(e, ours, theirs),
            1 => temporality(e, ours, theirs),
            _ => {}
        }
        match (point, &mut points) {
            (DataPointMut::Number(ours), Data::Gauge(theirs)) => {
                each.edit(e, ours, &mut theirs.data_points, number_point);
            }
            (DataPointMut::Number(ours), Data::Sum(theirs)) => {
                each.edit(e, ours, &mut theirs.data_points, number_point);
            }
            (DataPointMut::Histogram(ours), Data::Histogram(theirs)) => {
                each.edit(e, ours, &mut theirs.data_points, histogram_point);
            }
            (DataPointMut::ExponentialHistogram(ours), Data::ExponentialHistogram(theirs)) => {
                each.edit(e, ours, &mut theirs.data_points, exponential_histogram_point);
            }
            (DataPointMut::Summary(ours), Data::Summary(theirs)) => {
                each.edit(e, ours, &mut theirs.data_points, summary_point);
            }
            (ours, theirs) => panic!("{ours:?} is not a point of {theirs:?}"),
        }
    });
    match (theirs.data.as_mut(), points) {
        (Some(Data::Gauge(Gauge { data_points }) | Data::Sum(Sum { data_points, .. })), points) => {
            if let Data::Gauge(Gauge { data_points: all })
            | Data::Sum(Sum { data_points: all, .. }) = points
            {
                *data_points = each.left(all);
            }
        }
        (Some(Data::Histogram(data)), Data::Histogram(all)) => {
            data.data_points = each.left(all.data_points);
        }
        (Some(Data::ExponentialHistogram(data)), Data::ExponentialHistogram(all)) => {
            data.data_points = each.left(all.data_points);
        }
        (Some(Data::Summary(data)), Data::Summary(all)) => {
            data.data_points = each.left(all.data_points);
        }
        _ => {}
    }
}

fn without_points(mut data: Data) -> Data {
    match &mut data {
        Data::Gauge(data) => data.data_points.clear(),
        Data::Sum(data) => data.data_points.clear(),
        Data::Histogram(data) => data.data_points.clear(),
        Data::ExponentialHistogram(data) => data.data_points.clear(),
        Data::Summary(data) => data.data_points.clear(),
    }
    data
}

fn number_point(e: E<'_, '_>, ours: &mut NumberDataPointMut<'_>, theirs: &mut NumberDataPoint) {
    attributes(e, &mut ours.attributes(), &mut theirs.attributes);
    set!(e, ours.set_start_time_unix_nano(own), theirs.start_time_unix_nano, e.u64());
    set!(e, ours.set_time_unix_nano(own), theirs.time_unix_nano, e.u64());
    list(e, &mut ours.exemplars(), &mut theirs.exemplars, exemplar);
    set!(e, ours.set_flags(own), theirs.flags, e.u32());
    if e.flag() {
        let value = number_value(e);
        ours.set_value(value);
        theirs.value = value.map(|value| match value {
            NumberValue::Double(value) => number_data_point::Value::AsDouble(value),
            NumberValue::Int(value) => number_data_point::Value::AsInt(value),
        });
    }
}

fn number_value(e: E<'_, '_>) -> Option<NumberValue> {
    [None, Some(NumberValue::Double(e.f64())), Some(NumberValue::Int(e.i64()))][e.below(3)]
}

fn histogram_point(
    e: E<'_, '_>,
    ours: &mut HistogramDataPointMut<'_>,
    theirs: &mut HistogramDataPoint,
) {
    attributes(e, &mut ours.attributes(), &mut theirs.attributes);
    set!(e, ours.set_start_time_unix_nano(own), theirs.start_time_unix_nano, e.u64());
    set!(e, ours.set_time_unix_nano(own), theirs.time_unix_nano, e.u64());
    set!(e, ours.set_count(own), theirs.count, e.u64());
    set!(e, ours.set_sum(own), theirs.sum, e.maybe(Entropy::f64));
    set!(e, ours.set_bucket_counts(slice), theirs.bucket_counts, e.list(20, Entropy::u64));
    set!(e, ours.set_explicit_bounds(slice), theirs.explicit_bounds, e.list(4, Entropy::f64));
    list(e, &mut ours.exemplars(), &mut theirs.exemplars, exemplar);
    set!(e, ours.set_flags(own), theirs.flags, e.u32());
    set!(e, ours.set_min(own), theirs.min, e.maybe(Entropy::f64));
    set!(e, ours.set_max(own), theirs.max, e.maybe(Entropy::f64));
}

fn slice<T>(list: &Vec<T>) -> &[T] {
    list
}

fn exponential_histogram_point(
    e: E<'_, '_>,
    ours: &mut ExponentialHistogramDataPointMut<'_>,
    theirs: &mut ExponentialHistogramDataPoint,
) {
    attributes(e, &mut ours.attributes(), &mut theirs.attributes);
    set!(e, ours.set_start_time_unix_nano(own), theirs.start_time_unix_nano, e.u64());
    set!(e, ours.set_time_unix_nano(own), theirs.time_unix_nano, e.u64());
    set!(e, ours.set_count(own), theirs.count, e.u64());
    set!(e, ours.set_sum(own), theirs.sum, e.maybe(Entropy::f64));
    set!(e, ours.set_scale(own), theirs.scale, e.i32());
    set!(e, ours.set_zero_count(own), theirs.zero_count, e.u64());
    ours.positive(|ours| buckets(e, ours, theirs.positive.get_or_insert_default()));
    ours.negative(|ours| buckets(e, ours, theirs.negative.get_or_insert_default()));
    set!(e, ours.set_flags(own), theirs.flags, e.u32());
    list(e, &mut ours.exemplars(), &mut theirs.exemplars, exemplar);
    set!(e, ours.set_min(own), theirs.min, e.maybe(Entropy::f64));
    set!(e, ours.set_max(own), theirs.max, e.maybe(Entropy::f64));
    set!(e, ours.set_zero_threshold(own), theirs.zero_threshold, e.f64());
}

fn buckets(e: E<'_, '_>, ours: &mut BucketsMut<'_>, theirs: &mut Buckets) {
    set!(e, ours.set_offset(own), theirs.offset, e.i32());
    set!(e, ours.set_bucket_counts(slice), theirs.bucket_counts, e.list(20, Entropy::u64));
}

fn summary_point(e: E<'_, '_>, ours: &mut SummaryDataPointMut<'_>, theirs: &mut SummaryDataPoint) {
    attributes(e, &mut ours.attributes(), &mut theirs.attributes);
    set!(e, ours.set_start_time_unix_nano(own), theirs.start_time_unix_nano, e.u64());
    set!(e, ours.set_time_unix_nano(own), theirs.time_unix_nano, e.u64());
    set!(e, ours.set_count(own), theirs.count, e.u64());
    set!(e, ours.set_sum(own), theirs.sum, e.f64());
    list(e, &mut ours.quantile_values(), &mut theirs.quantile_values, quantile);
    set!(e, ours.set_flags(own), theirs.flags, e.u32());
}

fn quantile(e: E<'_, '_>, ours: &mut ValueAtQuantileMut<'_>, theirs: &mut ValueAtQuantile) {
    set!(e, ours.set_quantile(own), theirs.quantile, e.f64());
    set!(e, ours.set_value(own), theirs.value, e.f64());
}

fn exemplar(e: E<'_, '_>, ours: &mut ExemplarMut<'_>, theirs: &mut Exemplar) {
    attributes(e, &mut ours.filtered_attributes(), &mut theirs.filtered_attributes);
    set!(e, ours.set_time_unix_nano(own), theirs.time_unix_nano, e.u64());
    set!(e, ours.set_span_id(bytes), theirs.span_id, e.id(8));
    set!(e, ours.set_trace_id(bytes), theirs.trace_id, e.id(16));
    if e.flag() {
        let value = number_value(e);
        ours.set_value(value);
        theirs.value = value.map(|value| match value {
            NumberValue::Double(value) => exemplar::Value::AsDouble(value),
            NumberValue::Int(value) => exemplar::Value::AsInt(value),
        });
    }
}
