//! Metrics and their data points.

use std::fmt::Display;

use pdata::Payload;
use pdata::view::{
    Attributes, Data, Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, Metric,
    NumberDataPoint, NumberValue, Repeated, SummaryDataPoint, Temporality,
};

use super::{put_attributes, put_nested_attributes, put_resource, put_scope};
use crate::display::{Fixed, Id, Timestamp};
use crate::lines::Lines;
use crate::normal::{bucket_factor, bucket_index};

pub(super) fn put_metrics(out: &mut Lines, payload: &Payload) {
    for (i, resource) in payload.resource_metrics().enumerate() {
        out.line(format_args!("ResourceMetrics #{i}"));
        put_resource(out, &resource.schema_url(), &resource.resource);
        for (i, scope) in resource.scope_metrics.iter().enumerate() {
            out.line(format_args!("ScopeMetrics #{i}"));
            out.line(format_args!("ScopeMetrics SchemaURL: {}", scope.schema_url()));
            put_scope(out, &scope.scope);
            for (i, metric) in scope.metrics.iter().enumerate() {
                out.line(format_args!("Metric #{i}"));
                put_metric(out, &metric);
            }
        }
    }
}

fn put_metric(out: &mut Lines, metric: &Metric<'_>) {
    let kind = match metric.data {
        Data::Empty => "Empty",
        Data::Gauge(_) => "Gauge",
        Data::Sum { .. } => "Sum",
        Data::Histogram { .. } => "Histogram",
        Data::ExponentialHistogram { .. } => "ExponentialHistogram",
        Data::Summary(_) => "Summary",
    };
    out.line(format_args!("Descriptor:"));
    out.line(format_args!("     -> Name: {}", metric.name));
    out.line(format_args!("     -> Description: {}", metric.description));
    out.line(format_args!("     -> Unit: {}", metric.unit));
    out.line(format_args!("     -> DataType: {kind}"));
    put_nested_attributes(out, "Metadata", metric.metadata);
    match metric.data {
        Data::Empty => {}
        Data::Gauge(points) => put_numbers(out, points),
        Data::Sum { points, temporality, monotonic } => {
            out.line(format_args!("     -> IsMonotonic: {monotonic}"));
            put_temporality(out, temporality);
            put_numbers(out, points);
        }
        Data::Histogram { points, temporality } => {
            put_temporality(out, temporality);
            for (i, point) in points.iter().enumerate() {
                out.line(format_args!("HistogramDataPoints #{i}"));
                put_histogram(out, &point);
            }
        }
        Data::ExponentialHistogram { points, temporality } => {
            put_temporality(out, temporality);
            for (i, point) in points.iter().enumerate() {
                out.line(format_args!("ExponentialHistogramDataPoints #{i}"));
                put_exponential_histogram(out, &point);
            }
        }
        Data::Summary(points) => {
            for (i, point) in points.iter().enumerate() {
                out.line(format_args!("SummaryDataPoints #{i}"));
                put_summary(out, &point);
            }
        }
    }
}

fn put_temporality(out: &mut Lines, temporality: Temporality) {
    let name = match temporality {
        Temporality::Unspecified => "Unspecified",
        Temporality::Delta => "Delta",
        Temporality::Cumulative => "Cumulative",
    };
    out.line(format_args!("     -> AggregationTemporality: {name}"));
}

fn put_numbers(out: &mut Lines, points: Repeated<'_, NumberDataPoint<'_>>) {
    for (i, point) in points.iter().enumerate() {
        out.line(format_args!("NumberDataPoints #{i}"));
        put_head(out, point.attributes, point.start_time_unix_nano, point.time_unix_nano);
        put_number(out, "Value", point.value);
        put_exemplars(out, point.exemplars);
    }
}

fn put_histogram(out: &mut Lines, point: &HistogramDataPoint<'_>) {
    put_head(out, point.attributes, point.start_time_unix_nano, point.time_unix_nano);
    put_range(out, point.count, point.sum, point.min, point.max);
    for (i, bound) in point.explicit_bounds.doubles().enumerate() {
        out.line(format_args!("ExplicitBounds #{i}: {}", Fixed(bound)));
    }
    for (i, count) in point.bucket_counts.iter().enumerate() {
        out.line(format_args!("Buckets #{i}, Count: {count}"));
    }
    put_exemplars(out, point.exemplars);
}

fn put_exponential_histogram(out: &mut Lines, point: &ExponentialHistogramDataPoint<'_>) {
    put_head(out, point.attributes, point.start_time_unix_nano, point.time_unix_nano);
    put_range(out, point.count, point.sum, point.min, point.max);
    let factor = bucket_factor(point.scale);
    let bound = |index: f64| (index * factor).exp();
    let negative: Vec<u64> = point.negative.bucket_counts().collect();
    for (i, count) in negative.iter().enumerate().rev() {
        let index = bucket_index(&point.negative, i);
        let (lower, upper) = (Fixed(-bound(index + 1.0)), Fixed(-bound(index)));
        out.line(format_args!("Bucket [{lower}, {upper}), Count: {count}"));
    }
    if point.zero_count != 0 {
        out.line(format_args!("Bucket [0, 0], Count: {}", point.zero_count));
    }
    for (i, count) in point.positive.bucket_counts().enumerate() {
        let index = bucket_index(&point.positive, i);
        let (lower, upper) = (Fixed(bound(index)), Fixed(bound(index + 1.0)));
        out.line(format_args!("Bucket ({lower}, {upper}], Count: {count}"));
    }
    put_exemplars(out, point.exemplars);
}

fn put_summary(out: &mut Lines, point: &SummaryDataPoint<'_>) {
    put_head(out, point.attributes, point.start_time_unix_nano, point.time_unix_nano);
    put_range(out, point.count, Some(point.sum), None, None);
    for (i, at) in point.quantile_values.iter().enumerate() {
        let (quantile, value) = (Fixed(at.quantile), Fixed(at.value));
        out.line(format_args!("QuantileValue #{i}: Quantile {quantile}, Value {value}"));
    }
}

/// What every kind of data point begins with.
fn put_head(out: &mut Lines, attributes: Attributes<'_>, start: u64, time: u64) {
    put_attributes(out, "Data point attributes", attributes);
    out.line(format_args!("StartTimestamp: {}", Timestamp(start)));
    out.line(format_args!("Timestamp: {}", Timestamp(time)));
}

fn put_range(out: &mut Lines, count: u64, sum: Option<f64>, min: Option<f64>, max: Option<f64>) {
    out.line(format_args!("Count: {count}"));
    for (name, value) in [("Sum", sum), ("Min", min), ("Max", max)] {
        if let Some(value) = value {
            out.line(format_args!("{name}: {}", Fixed(value)));
        }
    }
}

fn put_number(out: &mut Lines, name: &str, value: Option<NumberValue>) {
    let mut put = |value: &dyn Display| out.line(format_args!("{name}: {value}"));
    match value {
        None => {}
        Some(NumberValue::Int(value)) => put(&value),
        Some(NumberValue::Double(value)) => put(&Fixed(value)),
    }
}

fn put_exemplars(out: &mut Lines, exemplars: Repeated<'_, Exemplar<'_>>) {
    if !exemplars.is_empty() {
        out.line(format_args!("Exemplars:"));
    }
    for (i, exemplar) in exemplars.iter().enumerate() {
        out.line(format_args!("Exemplar #{i}"));
        out.line(format_args!("     -> Trace ID: {}", Id(exemplar.trace_id)));
        out.line(format_args!("     -> Span ID: {}", Id(exemplar.span_id)));
        out.line(format_args!("     -> Timestamp: {}", Timestamp(exemplar.time_unix_nano)));
        put_number(out, "     -> Value", exemplar.value);
        put_nested_attributes(out, "FilteredAttributes", exemplar.filtered_attributes);
    }
}
