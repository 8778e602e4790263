//! APM stats: of every span, once, whoever computes them.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, NumberDataPoint, Sum};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{Span, Status, status};
use prost::Message as _;
use tests::answer::Answer;
use tests::datadog::stats::{
    ClientGroupedStats, ClientStatsBucket, ClientStatsPayload, Durations, StatsPayload, entries,
};
use tests::datadog::{DatadogIntake, Settings};
use tests::gateway::{Gateway, undelivered};
use tests::metrics::Branch;
use tests::{points, spans};

use super::{EXPORTER, Line, METRICS, TRACES, groups, hits, send_to};

/// A server's span and, of the same service, a query that it made and some work of its own.
fn trace(nanos: u64, failed: bool) -> Vec<Span> {
    let mut server = spans::span();
    server.attributes.push(spans::attribute("http.route", "/orders"));
    server.start_time_unix_nano = server.end_time_unix_nano - nanos;
    let code = if failed { status::StatusCode::Error } else { status::StatusCode::Unset };
    server.status = Some(Status { code: code.into(), ..Default::default() });
    let child = |name: &str, kind: SpanKind, attributes: Vec<KeyValue>| Span {
        trace_id: server.trace_id.clone(),
        parent_span_id: server.span_id.clone(),
        name: name.to_owned(),
        kind: kind.into(),
        attributes,
        ..spans::span()
    };
    let query = child(
        "query",
        SpanKind::Client,
        vec![
            spans::attribute("db.system", "postgresql"),
            spans::attribute("db.namespace", "shop"),
            spans::attribute("db.query.text", "SELECT * FROM orders WHERE id = 42"),
        ],
    );
    let work = child("render", SpanKind::Internal, Vec::new());
    vec![server, query, work]
}

/// Ten traces, two of them failed.
fn ten_traces() -> ExportTraceServiceRequest {
    let traces = (0..10).flat_map(|number| trace((number + 1) * 10_000_000, number < 2));
    spans::with_spans(traces.collect())
}

/// Checks what the intake knows of so many requests of [`ten_traces`].
fn assert_ten_traces(intake: &DatadogIntake, times: u64) {
    let groups = groups(intake);
    let of = |name: &str| groups.iter().filter(|group| group.name == name).collect::<Vec<_>>();
    let sum = |groups: &[&ClientGroupedStats], of: fn(&ClientGroupedStats) -> u64| {
        groups.iter().map(|group| of(group)).sum::<u64>()
    };
    let (server, query) = (of("http.server.request"), of("postgresql.query"));
    assert_eq!(server.len() + query.len(), groups.len(), "{groups:?}");
    assert_eq!(sum(&server, |group| group.hits), 10 * times);
    assert_eq!(sum(&server, |group| group.errors), 2 * times);
    assert_eq!(sum(&server, |group| group.top_level_hits), 10 * times);
    assert_eq!(sum(&server, |group| group.duration), 550_000_000 * times);
    assert_eq!(sum(&query, |group| group.hits), 10 * times);
    assert_eq!(sum(&query, |group| group.top_level_hits), 0);
    for group in server {
        assert_eq!((group.service.as_str(), group.resource.as_str()), ("shop", "GET /orders"));
        assert_eq!((group.span_kind.as_str(), group.is_trace_root), ("server", 1));
    }
    for group in query {
        assert_eq!(group.resource, "SELECT * FROM orders WHERE id = ?");
        assert_eq!((group.span_kind.as_str(), group.is_trace_root), ("client", 2));
        let tags = ["db.namespace:shop", "db.system:postgresql"];
        assert!(tags.iter().all(|tag| group.peer_tags.iter().any(|t| t == tag)), "{group:?}");
    }
    let sketches: Vec<Durations> = groups
        .iter()
        .filter(|group| group.name == "http.server.request")
        .flat_map(|group| [&group.ok_summary, &group.error_summary])
        .map(|summary| Durations::decode(summary).unwrap())
        .collect();
    for nanos in (1..=10).map(|number| number * 10_000_000) {
        assert!(sketches.iter().any(|sketch| sketch.may_hold(nanos)), "{nanos} ns: {sketches:?}");
    }
}

/// An agent with a pipeline for traces and one for the connector's metrics, laid out by the caller.
fn with_connector(settings: &Settings, traces: &[(&str, &str)]) -> Gateway {
    let gateway = Gateway::new()
        .connector("datadog/connector", "{}")
        .exporter(EXPORTER, &settings.to_string())
        .pipeline("metrics", "{ receivers: [datadog/connector], exporters: [datadog] }");
    traces.iter().fold(gateway, |gateway, (id, members)| gateway.pipeline(id, members))
}

/// Beside the exporter, and before it.
const LAYOUTS: [&[(&str, &str)]; 2] = [
    &[("traces", "{ receivers: [otlp], exporters: [datadog, datadog/connector] }")],
    &[
        ("traces/in", "{ receivers: [otlp], exporters: [datadog/connector] }"),
        ("traces/out", "{ receivers: [datadog/connector], exporters: [datadog] }"),
    ],
];

#[test]
fn the_exporter_computes_stats_where_no_connector_does() {
    let line = Line::start();
    for _ in 0..3 {
        let request = ten_traces();
        line.send(TRACES, &request);
        line.intake.traces.wait_for_spans(&spans::ids(&request));
    }
    // The last seconds are not lost: buckets that are still open are sent at the stop.
    let intake = line.stop();
    assert_ten_traces(&intake, 3);
    let calls = intake.stats.accepted();
    let call = &calls[0];
    assert_eq!(call.header("content-encoding"), Some("gzip"));
    let entry = entries(&call.content).next().unwrap();
    assert_eq!((entry.client.hostname.as_str(), entry.client.env.as_str()), ("test-host", "none"));
    assert_eq!(entry.bucket.duration, 10_000_000_000);
}

#[test]
fn a_connector_in_the_config_computes_them_and_nobody_else() {
    for layout in LAYOUTS {
        let intake = DatadogIntake::start();
        let gateway = with_connector(&intake.settings(), layout);
        let agent = gateway.start();
        let request = ten_traces();
        send_to(&gateway, TRACES, &request);
        intake.traces.wait_for_spans(&spans::ids(&request));
        let ended = agent.stop();
        assert_eq!((ended.code, undelivered(&ended)), (Some(0), 0), "{}", ended.stderr);
        intake.traces.assert_delivered_once(&spans::ids(&request));
        assert_ten_traces(&intake, 1);
    }
}

#[test]
fn nobody_computes_stats_that_are_not_wanted() {
    let line = Line::start_with(|settings| settings.traces("compute_stats: never"));
    let request = ten_traces();
    line.send(TRACES, &request);
    line.intake.traces.wait_for_spans(&spans::ids(&request));
    assert!(line.stop().stats.requests().is_empty());
}

/// The connector's own interval, so that buckets close while the agent runs.
#[test]
fn closed_buckets_are_sent_while_the_agent_runs() {
    let intake = DatadogIntake::start();
    let gateway = Gateway::new()
        .connector("datadog/connector", "{ traces: { bucket_interval: 1s } }")
        .exporter(EXPORTER, &intake.settings().to_string())
        .pipeline("traces", "{ receivers: [otlp], exporters: [datadog, datadog/connector] }")
        .pipeline("metrics", "{ receivers: [datadog/connector], exporters: [datadog] }");
    let agent = gateway.start();
    send_to(&gateway, TRACES, &ten_traces());
    intake.stats.wait_for("stats of all spans", |calls| {
        let taken = calls.iter().filter(|call| call.accepted);
        taken.flat_map(|call| entries(&call.request.content)).map(|e| e.group.hits).sum::<u64>()
            >= 20
    });
    let ended = agent.stop();
    assert_eq!((ended.code, undelivered(&ended)), (Some(0), 0), "{}", ended.stderr);
    assert_ten_traces(&intake, 1);
    let calls = intake.stats.accepted();
    assert!(
        calls
            .iter()
            .flat_map(|call| entries(&call.content))
            .all(|e| e.bucket.duration == 1_000_000_000)
    );
}

/// Stats that cannot be delivered are an item like any other: sent again, and counted.
#[test]
fn stats_are_sent_again_until_they_are_taken_and_once() {
    let line = Line::start();
    line.intake.stats.answer_next([
        Answer::status(503),
        Answer::status(429),
        Answer::status(408),
        Answer::Close,
    ]);
    let request = ten_traces();
    line.send(TRACES, &request);
    line.intake.traces.wait_for_spans(&spans::ids(&request));
    let intake = line.stop();
    assert_eq!(intake.stats.requests().len(), 5);
    assert_ten_traces(&intake, 1);
}

#[test]
fn a_stop_says_which_stats_it_could_not_deliver() {
    let intake = DatadogIntake::start();
    intake.stats.answer_always(Answer::status(503));
    let gateway = Gateway::new()
        .shutdown("{ linger: 0s, deadline: 2s }")
        .exporter(EXPORTER, &intake.settings().to_string());
    let agent = gateway.start();
    let request = ten_traces();
    send_to(&gateway, TRACES, &request);
    intake.traces.wait_for_spans(&spans::ids(&request));
    let ended = agent.stop();
    intake.traces.assert_delivered_once(&spans::ids(&request));
    assert!(!intake.stats.requests().is_empty() && intake.stats.accepted().is_empty());
    // One payload, or two when a bucket of ten seconds ended in between.
    assert!((1..=2).contains(&undelivered(&ended)), "{}", ended.stderr);
    assert!(ended.stderr.contains("datadog/apm_stats"), "{}", ended.stderr);
}

/// A Collector in front of the agent, whose connector has computed them.
#[test]
fn stats_that_come_as_a_metric_go_to_the_stats_endpoint() {
    let line = Line::start();
    let sketch = libdd_ddsketch::DDSketch::default;
    let mut ok = sketch();
    ok.add(1e6).unwrap();
    let group = ClientGroupedStats {
        service: "cart".to_owned(),
        name: "http.server.request".to_owned(),
        resource: "GET /cart".to_owned(),
        hits: 1,
        duration: 1_000_000,
        ok_summary: ok.encode_to_vec(),
        error_summary: sketch().encode_to_vec(),
        top_level_hits: 1,
        span_kind: "server".to_owned(),
        is_trace_root: 1,
        ..Default::default()
    };
    let bucket = ClientStatsBucket {
        start: 1_700_000_000_000_000_000,
        duration: 10_000_000_000,
        stats: vec![group],
        agent_time_shift: 0,
    };
    let client = ClientStatsPayload {
        hostname: "elsewhere".to_owned(),
        env: "prod".to_owned(),
        stats: vec![bucket],
        container_id: "c1".to_owned(),
        tags: vec!["task_arn:a".to_owned()],
        ..Default::default()
    };
    let payload = StatsPayload { stats: vec![client.clone()], ..Default::default() };
    line.send(METRICS, &as_metric(&payload));
    line.intake.stats.wait_for_accepted(1);
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, 1);
    assert_eq!(branch.delivered, 1.0, "{branch:?}");
    let intake = line.stop();
    let call = intake.stats.accepted().remove(0);
    let found = &call.content.stats[0];
    assert_eq!(found.stats, client.stats);
    assert_eq!(
        (&found.hostname, &found.env, &found.container_id, &found.tags),
        (&client.hostname, &client.env, &client.container_id, &client.tags)
    );
    assert!(!call.content.agent_version.is_empty() && !found.tracer_version.is_empty());
    assert!(intake.series.requests().is_empty(), "the metric itself is nobody's");
    assert_eq!(hits(&intake), 1);
}

/// What the Collector's connector makes of a payload (`StatsToMetrics` of the Agent's mapping module).
fn as_metric(payload: &StatsPayload) -> ExportMetricsServiceRequest {
    const NAME: &str = "dd.internal.stats.payload";
    let value = AnyValue { value: Some(Value::BytesValue(payload.encode_to_vec())) };
    let point = NumberDataPoint {
        attributes: vec![KeyValue {
            key: NAME.to_owned(),
            value: Some(value),
            ..Default::default()
        }],
        ..Default::default()
    };
    let sum = Sum {
        data_points: vec![point],
        aggregation_temporality: AggregationTemporality::Unspecified.into(),
        is_monotonic: false,
    };
    points::with_metrics(vec![points::metric(NAME, Data::Sum(sum))])
}
