//! Metrics requests.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, exemplar, number_data_point,
};

use super::{key_value, resource, scope};
use crate::oracle::entropy::Entropy;

pub(super) fn request(e: &mut Entropy<'_>) -> ExportMetricsServiceRequest {
    ExportMetricsServiceRequest {
        resource_metrics: e.list(3, |e| ResourceMetrics {
            resource: e.maybe(resource),
            scope_metrics: e.list(3, |e| ScopeMetrics {
                scope: e.maybe(scope),
                metrics: e.list(4, metric),
                schema_url: e.text(),
            }),
            schema_url: e.text(),
        }),
    }
}

pub(crate) fn metric(e: &mut Entropy<'_>) -> Metric {
    Metric {
        name: e.text(),
        description: e.text(),
        unit: e.text(),
        metadata: e.list(2, key_value),
        data: match e.below(6) {
            0 => None,
            1 => Some(Data::Gauge(Gauge { data_points: e.list(3, number_point) })),
            2 => Some(Data::Sum(Sum {
                data_points: e.list(3, number_point),
                aggregation_temporality: e.enumeration(2),
                is_monotonic: e.flag(),
            })),
            3 => Some(Data::Histogram(Histogram {
                data_points: e.list(3, histogram_point),
                aggregation_temporality: e.enumeration(2),
            })),
            4 => Some(Data::ExponentialHistogram(ExponentialHistogram {
                data_points: e.list(3, exponential_histogram_point),
                aggregation_temporality: e.enumeration(2),
            })),
            _ => Some(Data::Summary(Summary { data_points: e.list(3, summary_point) })),
        },
    }
}

pub(crate) fn number_point(e: &mut Entropy<'_>) -> NumberDataPoint {
    NumberDataPoint {
        attributes: e.list(3, key_value),
        start_time_unix_nano: e.u64(),
        time_unix_nano: e.u64(),
        exemplars: e.list(2, exemplar),
        flags: e.u32(),
        value: e.maybe(|e| match e.flag() {
            true => number_data_point::Value::AsDouble(e.f64()),
            false => number_data_point::Value::AsInt(e.i64()),
        }),
    }
}

pub(crate) fn histogram_point(e: &mut Entropy<'_>) -> HistogramDataPoint {
    HistogramDataPoint {
        attributes: e.list(3, key_value),
        start_time_unix_nano: e.u64(),
        time_unix_nano: e.u64(),
        count: e.u64(),
        sum: e.maybe(Entropy::f64),
        bucket_counts: e.list(5, Entropy::u64),
        explicit_bounds: e.list(5, Entropy::f64),
        exemplars: e.list(2, exemplar),
        flags: e.u32(),
        min: e.maybe(Entropy::f64),
        max: e.maybe(Entropy::f64),
    }
}

pub(crate) fn exponential_histogram_point(e: &mut Entropy<'_>) -> ExponentialHistogramDataPoint {
    ExponentialHistogramDataPoint {
        attributes: e.list(3, key_value),
        start_time_unix_nano: e.u64(),
        time_unix_nano: e.u64(),
        count: e.u64(),
        sum: e.maybe(Entropy::f64),
        scale: e.i32(),
        zero_count: e.u64(),
        positive: e.maybe(buckets),
        negative: e.maybe(buckets),
        flags: e.u32(),
        exemplars: e.list(2, exemplar),
        min: e.maybe(Entropy::f64),
        max: e.maybe(Entropy::f64),
        zero_threshold: e.f64(),
    }
}

pub(crate) fn buckets(e: &mut Entropy<'_>) -> Buckets {
    Buckets { offset: e.i32(), bucket_counts: e.list(5, Entropy::u64) }
}

pub(crate) fn summary_point(e: &mut Entropy<'_>) -> SummaryDataPoint {
    SummaryDataPoint {
        attributes: e.list(3, key_value),
        start_time_unix_nano: e.u64(),
        time_unix_nano: e.u64(),
        count: e.u64(),
        sum: e.f64(),
        quantile_values: e.list(3, |e| ValueAtQuantile { quantile: e.f64(), value: e.f64() }),
        flags: e.u32(),
    }
}

pub(crate) fn exemplar(e: &mut Entropy<'_>) -> Exemplar {
    Exemplar {
        filtered_attributes: e.list(2, key_value),
        time_unix_nano: e.u64(),
        span_id: e.id(8),
        trace_id: e.id(16),
        value: e.maybe(|e| match e.flag() {
            true => exemplar::Value::AsDouble(e.f64()),
            false => exemplar::Value::AsInt(e.i64()),
        }),
    }
}
