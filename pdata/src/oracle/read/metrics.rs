//! Metrics, from views and as views see them.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, exemplar, number_data_point,
};

use super::{attributes, resource, scope, see_attributes, see_enum, see_resource, see_scope};
use crate::Payload;
use crate::view::{self, NumberValue, Temporality};

pub(super) fn request(payload: &Payload) -> ExportMetricsServiceRequest {
    let resource_metrics = payload.resource_metrics().map(|view| ResourceMetrics {
        resource: Some(resource(view.resource)),
        scope_metrics: view.scope_metrics.iter().map(scope_metrics).collect(),
        schema_url: view.schema_url().to_string(),
    });
    ExportMetricsServiceRequest { resource_metrics: resource_metrics.collect() }
}

fn scope_metrics(view: view::ScopeMetrics<'_>) -> ScopeMetrics {
    ScopeMetrics {
        scope: Some(scope(view.scope)),
        metrics: view.metrics.iter().map(metric).collect(),
        schema_url: view.schema_url().to_string(),
    }
}

fn metric(view: view::Metric<'_>) -> Metric {
    let data = match view.data {
        view::Data::Empty => None,
        view::Data::Gauge(points) => {
            Some(Data::Gauge(Gauge { data_points: points.iter().map(number_point).collect() }))
        }
        view::Data::Sum { points, temporality, monotonic } => Some(Data::Sum(Sum {
            data_points: points.iter().map(number_point).collect(),
            aggregation_temporality: number(temporality),
            is_monotonic: monotonic,
        })),
        view::Data::Histogram { points, temporality } => Some(Data::Histogram(Histogram {
            data_points: points.iter().map(histogram_point).collect(),
            aggregation_temporality: number(temporality),
        })),
        view::Data::ExponentialHistogram { points, temporality } => {
            Some(Data::ExponentialHistogram(ExponentialHistogram {
                data_points: points.iter().map(exponential_histogram_point).collect(),
                aggregation_temporality: number(temporality),
            }))
        }
        view::Data::Summary(points) => {
            Some(Data::Summary(Summary { data_points: points.iter().map(summary_point).collect() }))
        }
    };
    Metric {
        name: view.name.to_string(),
        description: view.description.to_string(),
        unit: view.unit.to_string(),
        metadata: attributes(view.metadata),
        data,
    }
}

fn number(temporality: Temporality) -> i32 {
    match temporality {
        Temporality::Unspecified => 0,
        Temporality::Delta => 1,
        Temporality::Cumulative => 2,
    }
}

fn number_point(view: view::NumberDataPoint<'_>) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(view.attributes),
        start_time_unix_nano: view.start_time_unix_nano,
        time_unix_nano: view.time_unix_nano,
        exemplars: view.exemplars.iter().map(exemplar).collect(),
        flags: view.flags,
        value: view.value.map(|value| match value {
            NumberValue::Double(value) => number_data_point::Value::AsDouble(value),
            NumberValue::Int(value) => number_data_point::Value::AsInt(value),
        }),
    }
}

fn histogram_point(view: view::HistogramDataPoint<'_>) -> HistogramDataPoint {
    HistogramDataPoint {
        attributes: attributes(view.attributes),
        start_time_unix_nano: view.start_time_unix_nano,
        time_unix_nano: view.time_unix_nano,
        count: view.count,
        sum: view.sum,
        bucket_counts: view.bucket_counts.iter().collect(),
        explicit_bounds: view.explicit_bounds.doubles().collect(),
        exemplars: view.exemplars.iter().map(exemplar).collect(),
        flags: view.flags,
        min: view.min,
        max: view.max,
    }
}

fn exponential_histogram_point(
    view: view::ExponentialHistogramDataPoint<'_>,
) -> ExponentialHistogramDataPoint {
    let buckets = |view: view::Buckets<'_>| {
        Some(Buckets { offset: view.offset, bucket_counts: view.bucket_counts().collect() })
    };
    ExponentialHistogramDataPoint {
        attributes: attributes(view.attributes),
        start_time_unix_nano: view.start_time_unix_nano,
        time_unix_nano: view.time_unix_nano,
        count: view.count,
        sum: view.sum,
        scale: view.scale,
        zero_count: view.zero_count,
        positive: buckets(view.positive),
        negative: buckets(view.negative),
        flags: view.flags,
        exemplars: view.exemplars.iter().map(exemplar).collect(),
        min: view.min,
        max: view.max,
        zero_threshold: view.zero_threshold,
    }
}

fn summary_point(view: view::SummaryDataPoint<'_>) -> SummaryDataPoint {
    let quantiles = view
        .quantile_values
        .iter()
        .map(|v| ValueAtQuantile { quantile: v.quantile, value: v.value });
    SummaryDataPoint {
        attributes: attributes(view.attributes),
        start_time_unix_nano: view.start_time_unix_nano,
        time_unix_nano: view.time_unix_nano,
        count: view.count,
        sum: view.sum,
        quantile_values: quantiles.collect(),
        flags: view.flags,
    }
}

fn exemplar(view: view::Exemplar<'_>) -> Exemplar {
    Exemplar {
        filtered_attributes: attributes(view.filtered_attributes),
        time_unix_nano: view.time_unix_nano,
        span_id: view.span_id.to_vec(),
        trace_id: view.trace_id.to_vec(),
        value: view.value.map(|value| match value {
            NumberValue::Double(value) => exemplar::Value::AsDouble(value),
            NumberValue::Int(value) => exemplar::Value::AsInt(value),
        }),
    }
}

pub(super) fn see(request: &mut ExportMetricsServiceRequest) {
    for resource_metrics in &mut request.resource_metrics {
        see_resource(&mut resource_metrics.resource);
        for scope_metrics in &mut resource_metrics.scope_metrics {
            see_scope(&mut scope_metrics.scope);
            for metric in &mut scope_metrics.metrics {
                see_attributes(&mut metric.metadata);
                if let Some(data) = &mut metric.data {
                    see_data(data);
                }
            }
        }
    }
}

fn see_data(data: &mut Data) {
    match data {
        Data::Gauge(gauge) => gauge.data_points.iter_mut().for_each(see_number_point),
        Data::Sum(sum) => {
            see_enum(&mut sum.aggregation_temporality, 2);
            sum.data_points.iter_mut().for_each(see_number_point);
        }
        Data::Histogram(histogram) => {
            see_enum(&mut histogram.aggregation_temporality, 2);
            for point in &mut histogram.data_points {
                see_attributes(&mut point.attributes);
                see_exemplars(&mut point.exemplars);
            }
        }
        Data::ExponentialHistogram(histogram) => {
            see_enum(&mut histogram.aggregation_temporality, 2);
            for point in &mut histogram.data_points {
                see_attributes(&mut point.attributes);
                see_exemplars(&mut point.exemplars);
                point.positive.get_or_insert_default();
                point.negative.get_or_insert_default();
            }
        }
        Data::Summary(summary) => {
            summary.data_points.iter_mut().for_each(|p| see_attributes(&mut p.attributes));
        }
    }
}

fn see_number_point(point: &mut NumberDataPoint) {
    see_attributes(&mut point.attributes);
    see_exemplars(&mut point.exemplars);
}

fn see_exemplars(exemplars: &mut [Exemplar]) {
    exemplars.iter_mut().for_each(|e| see_attributes(&mut e.filtered_attributes));
}
