//! Metrics requests whose points can be told apart.

use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics,
};

use crate::spans;

/// A request of `count` gauges of one point each, with names unlike those of every other call in this process.
pub fn request(count: usize) -> ExportMetricsServiceRequest {
    with_metrics((0..count).map(|_| gauge()).collect())
}

/// A request of one resource and one scope with these metrics.
pub fn with_metrics(metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
    let scope = ScopeMetrics { metrics, ..Default::default() };
    let resource = ResourceMetrics {
        resource: Some(spans::resource()),
        scope_metrics: vec![scope],
        ..Default::default()
    };
    ExportMetricsServiceRequest { resource_metrics: vec![resource] }
}

/// A metric of this content.
pub fn metric(name: &str, data: Data) -> Metric {
    Metric { name: name.to_owned(), data: Some(data), ..Default::default() }
}

/// A gauge of one point, just measured, with a name of its own.
pub fn gauge() -> Metric {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let point = NumberDataPoint {
        time_unix_nano: spans::now_nanos(),
        value: Some(Value::AsDouble(number as f64)),
        ..Default::default()
    };
    metric(&format!("tests.gauge.n{number}"), Data::Gauge(Gauge { data_points: vec![point] }))
}

/// The names of a request's metrics, in order.
pub fn names(request: &ExportMetricsServiceRequest) -> Vec<String> {
    let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    scopes.flat_map(|scope| &scope.metrics).map(|metric| metric.name.clone()).collect()
}
