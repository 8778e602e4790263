//! The three signals, each as Datadog knows it.

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Histogram, HistogramDataPoint, NumberDataPoint, Sum, number_data_point,
};
use tests::datadog::series::Type;
use tests::datadog::traces;
use tests::metrics::Branch;
use tests::{points, records, spans};

use super::{EXPORTER, LOGS, Line, METRICS, TRACES, assert_series_once};

#[test]
fn spans_arrive_with_their_names_and_their_host() {
    let line = Line::start();
    let mut request = spans::request(3);
    let resource = request.resource_spans[0].resource.as_mut().unwrap();
    resource.attributes.push(spans::attribute("deployment.environment.name", "prod"));
    line.send(TRACES, &request);
    line.intake.traces.wait_for_spans(&spans::ids(&request));
    line.intake.traces.assert_delivered_once(&spans::ids(&request));
    let call = line.intake.traces.accepted().remove(0);
    assert_eq!(call.header("content-encoding"), Some("zstd"));
    assert!(call.header("user-agent").unwrap().starts_with("hikyaku/"), "{:?}", call.headers);
    assert_eq!(call.content.host_name, "test-host");
    let tracer = &call.content.tracer_payloads[0];
    assert_eq!((tracer.env.as_str(), tracer.hostname.as_str()), ("prod", "test-host"));
    let span = traces::spans(&call.content).next().unwrap();
    assert_eq!((span.service.as_str(), span.name.as_str()), ("shop", "http.server.request"));
    assert_eq!((span.resource.as_str(), span.r#type.as_str()), ("GET", "web"));
    assert_eq!(span.meta["otel.trace_id"].len(), 32);
    assert_eq!((span.duration, span.error), (5_000_000, 0));
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, 3);
    assert_eq!(branch.delivered, 3.0);
}

#[test]
fn metrics_arrive_as_series_and_distributions() {
    let line = Line::start();
    let now = spans::now_nanos();
    let delta = i32::from(AggregationTemporality::Delta);
    let point = NumberDataPoint {
        attributes: vec![spans::attribute("route", "/orders")],
        start_time_unix_nano: now - 1_000_000_000,
        time_unix_nano: now,
        value: Some(number_data_point::Value::AsInt(7)),
        ..Default::default()
    };
    let sum = Sum { data_points: vec![point], aggregation_temporality: delta, is_monotonic: true };
    let point = HistogramDataPoint {
        start_time_unix_nano: now - 1_000_000_000,
        time_unix_nano: now,
        count: 3,
        sum: Some(30.0),
        explicit_bounds: vec![5.0, 20.0],
        bucket_counts: vec![1, 1, 1],
        ..Default::default()
    };
    let histogram = Histogram { data_points: vec![point], aggregation_temporality: delta };
    let gauge = points::gauge();
    let name = gauge.name.clone();
    let metrics = vec![
        gauge,
        points::metric("tests.sum", Data::Sum(sum)),
        points::metric("tests.histogram", Data::Histogram(histogram)),
    ];
    line.send(METRICS, &points::with_metrics(metrics));
    let names = [name.clone(), "tests.sum".to_owned()];
    assert_series_once(&line.intake, &names);
    let calls = line.intake.series.accepted();
    let series: Vec<_> = calls.into_iter().flat_map(|call| call.content.series).collect();
    let of = |name: &str| series.iter().find(|series| series.metric == name).unwrap();
    let gauge = of(&name);
    assert_eq!((gauge.r#type(), gauge.host()), (Type::Gauge, Some("test-host")));
    let seconds = i64::try_from(now / 1_000_000_000).unwrap();
    assert!((seconds..seconds + 2).contains(&gauge.points[0].timestamp));
    let sum = of("tests.sum");
    assert_eq!((sum.r#type(), sum.points[0].value), (Type::Count, 7.0));
    for tag in ["route:/orders", "service:shop"] {
        assert!(sum.tags.iter().any(|found| found == tag), "{tag}: {:?}", sum.tags);
    }
    let mut calls = line.intake.sketches.wait_for_accepted(1);
    let sketch = calls[0].content.sketches.remove(0);
    assert_eq!((sketch.metric.as_str(), sketch.host.as_str()), ("tests.histogram", "test-host"));
    let moment = &sketch.dogsketches[0];
    assert_eq!((moment.cnt, moment.sum, moment.ts), (3, 30.0, seconds));
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, 3);
    assert_eq!(branch.delivered, 3.0, "{branch:?}");
}

#[test]
fn log_records_arrive_with_their_trace() {
    let line = Line::start();
    let request = records::request(3);
    line.send(LOGS, &request);
    line.intake.logs.wait_for_spans(&records::ids(&request));
    line.intake.logs.assert_delivered_once(&records::ids(&request));
    let call = line.intake.logs.accepted().remove(0);
    assert_eq!(call.header("content-encoding"), Some("zstd"));
    let log = &call.content.0[0];
    assert_eq!((log.text("message"), log.text("status")), (Some("paid"), Some("info")));
    assert_eq!((log.text("service"), log.text("hostname")), (Some("shop"), Some("test-host")));
    assert!(log.tags().contains(&"service:shop"), "{:?}", log.tags());
    assert_eq!(log.text("otel.trace_id").map(str::len), Some(32));
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, 3);
    assert_eq!(branch.delivered, 3.0, "{branch:?}");
}
