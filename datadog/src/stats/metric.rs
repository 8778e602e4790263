//! Statistics inside an OTLP metric: how a connector hands them to an exporter, in one process or over OTLP.
//!
//! The form is that of DataDog/datadog-agent `pkg/opentelemetry-mapping-go/otlp/metrics/statspayload.go`: a sum of the name below with one
//! data point, whose attribute of the same name holds a protobuf `StatsPayload` as bytes.

use bytes::Bytes;
use pdata::view::{AnyValue, Data, Metric};
use pdata::{Payload, Signal, wire};

/// Name of the metric and of its attribute.
pub const METRIC_NAME: &str = "dd.internal.stats.payload";

/// A metrics payload of one data point that holds an encoded `StatsPayload`.
pub fn wrap(stats: &[u8]) -> Payload {
    let mut request = Vec::with_capacity(stats.len() + 128);
    wire::put_message(&mut request, 1, |resource_metrics| {
        // An empty resource and scope, as Go's pdata writes them.
        wire::put_len(resource_metrics, 1, &[]);
        wire::put_message(resource_metrics, 2, |scope_metrics| {
            wire::put_len(scope_metrics, 1, &[]);
            wire::put_message(scope_metrics, 2, |metric| {
                wire::put_len(metric, 1, METRIC_NAME.as_bytes());
                wire::put_message(metric, 7, |sum| {
                    wire::put_message(sum, 1, |point| {
                        wire::put_message(point, 7, |attribute| {
                            wire::put_len(attribute, 1, METRIC_NAME.as_bytes());
                            wire::put_message(attribute, 2, |value| wire::put_len(value, 7, stats));
                        });
                    });
                });
            });
        });
    });
    let decoded = Payload::decode(Signal::Metrics, Bytes::from(request));
    decoded.map_or_else(|_unsound| Payload::empty(Signal::Metrics), |decoded| decoded.payload)
}

/// Whether a metric is made to hold statistics, and is no metric of its own.
pub fn is_stats(metric: &Metric<'_>) -> bool {
    metric.name == METRIC_NAME && matches!(metric.data, Data::Sum { .. })
}

/// The encoded `StatsPayload`s that a metric holds; none of any other metric.
pub fn unwrap<'a>(metric: &Metric<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let points = match metric.data {
        Data::Sum { points, .. } if metric.name == METRIC_NAME => Some(points),
        _ => None,
    };
    let bytes = |value: AnyValue<'a>| match value {
        AnyValue::Bytes(bytes) => Some(bytes),
        _ => None,
    };
    let points = points.into_iter().flatten();
    points.filter_map(move |point| point.attributes.get(METRIC_NAME).and_then(bytes))
}

#[cfg(test)]
mod tests;
