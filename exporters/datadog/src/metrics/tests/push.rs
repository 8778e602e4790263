//! The exporter against a backend.

use std::collections::BTreeMap;

use pdata::Signal;
use pipeline::testing::within_patience;
use pipeline::{Class, Deadline, Envelope, Process};
use prost::Message as _;
use serde_json::{Value, json};
use telemetry::MetricsLevel;

use crate::metrics::testing::{MetricPayload, Series, SketchPayload, metrics, nanos, payload};
use crate::testing::{Backend, Seen, answer, exporter, settings, shared};

const SERIES: &str = "/api/v2/series";
const SKETCHES: &str = "/api/beta/sketches";

fn series(seen: &Seen) -> Vec<Series> {
    let all = MetricPayload::decode(seen.body.clone()).unwrap().series;
    all.into_iter().filter(|series| !series.metric.starts_with("otel.")).collect()
}

/// Values by name, each of which may come once.
fn values(requests: &[Seen]) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::new();
    for series in requests.iter().flat_map(series) {
        let before = values.insert(series.metric.clone(), series.points[0].value);
        assert_eq!(before, None, "{} came twice", series.metric);
    }
    values
}

fn gauges(names: impl IntoIterator<Item = String>) -> Value {
    let gauge = |name: String| json!({"name": name, "gauge": {"dataPoints": [{"timeUnixNano": nanos(10), "asInt": "1"}]}});
    names.into_iter().map(gauge).collect()
}

fn cumulative(seconds: u64, value: u64) -> pdata::Payload {
    let point = json!({
        "startTimeUnixNano": nanos(1), "timeUnixNano": nanos(seconds), "asInt": value.to_string(),
    });
    metrics(json!([{"name": "c", "sum": {
        "dataPoints": [point], "aggregationTemporality": 2, "isMonotonic": true,
    }}]))
}

fn count(process: &Process, family: &str, reason: &str) -> u64 {
    let metrics = telemetry::render(&process.registry, MetricsLevel::Normal);
    let reason = if reason.is_empty() { String::new() } else { format!(",reason=\"{reason}\"") };
    let line = format!("{family}{{exporter=\"datadog\",data_type=\"metrics\"{reason}}} ");
    let found = metrics.lines().find_map(|found| found.strip_prefix(&line));
    found.map_or(0, |count| count.parse().unwrap())
}

const DELIVERED: &str = "otelcol_exporter_delivered_items";
const REFUSED: &str = "otelcol_exporter_refused_items";
const DROPPED: &str = "otelcol_exporter_dropped_items";

#[tokio::test]
async fn series_and_sketches_go_to_their_endpoints() {
    let backend = Backend::new();
    let (_server, url) = backend.start();
    let (exporter, process) = exporter(&shared(&settings(&url, "")), Signal::Metrics);
    exporter.start().await.unwrap();
    let histogram = json!({"name": "h", "histogram": {"aggregationTemporality": 1, "dataPoints": [
        {"timeUnixNano": nanos(10), "count": "1", "sum": 2.0, "bucketCounts": ["1"], "explicitBounds": []},
    ]}});
    let mut all = gauges(["g".to_owned()]);
    all.as_array_mut().unwrap().push(histogram);
    exporter.consume(Envelope::of(metrics(all))).await.unwrap();
    let sent = &backend.wait_for(SERIES, 1).await[0];
    assert_eq!(sent.headers["content-type"], "application/x-protobuf");
    assert_eq!(sent.headers["dd-api-key"], crate::testing::KEY);
    assert_eq!(values(std::slice::from_ref(sent)), BTreeMap::from([("g".to_owned(), 1.0)]));
    let sent = &backend.wait_for(SKETCHES, 1).await[0];
    assert_eq!(sent.headers["content-type"], "application/x-protobuf");
    let sketches = SketchPayload::decode(sent.body.clone()).unwrap().sketches;
    assert_eq!(sketches[0].dogsketches[0].cnt, 1);
    exporter.shutdown(Deadline::after(std::time::Duration::from_secs(60))).await;
    assert_eq!(count(&process, DELIVERED, ""), 2);
}

#[tokio::test]
async fn what_is_too_large_is_cut_and_what_is_poisonous_is_searched_for() {
    let backend = Backend::answering(|seen, _| {
        let all = if seen.path == SERIES { series(seen) } else { Vec::new() };
        match all.len() {
            _ if all.iter().any(|series| series.metric == "poison") => answer(400, "bad"),
            0..=10 => answer(202, "{}"),
            _ => answer(413, "too large"),
        }
    });
    let (_server, url) = backend.start();
    let (exporter, process) = exporter(&shared(&settings(&url, "")), Signal::Metrics);
    exporter.start().await.unwrap();
    let mut names: Vec<String> = (0..100).map(|nth| format!("g{nth}")).collect();
    names.insert(33, "poison".to_owned());
    exporter.consume(Envelope::of(metrics(gauges(names)))).await.unwrap();
    exporter.shutdown(Deadline::after(std::time::Duration::from_secs(60))).await;
    let taken: Vec<Seen> = backend
        .requests(SERIES)
        .into_iter()
        .filter(|seen| {
            let all = series(seen);
            all.len() <= 10 && all.iter().all(|series| series.metric != "poison")
        })
        .collect();
    assert_eq!(values(&taken).len(), 100);
    assert_eq!(count(&process, DELIVERED, ""), 100);
    assert_eq!(count(&process, REFUSED, "permanent"), 1);
}

#[tokio::test]
async fn differences_are_right_with_many_payloads_under_way() {
    let backend = Backend::new();
    let (_server, url) = backend.start();
    let (exporter, process) = exporter(&shared(&settings(&url, "")), Signal::Metrics);
    exporter.start().await.unwrap();
    for nth in 0..200 {
        exporter.consume(Envelope::of(cumulative(10 + nth, nth * nth))).await.unwrap();
    }
    exporter.shutdown(Deadline::after(std::time::Duration::from_secs(60))).await;
    let mut sent: Vec<_> = backend.requests(SERIES).iter().flat_map(series).collect();
    sent.sort_by_key(|series| series.points[0].timestamp);
    let differences: Vec<f64> = sent.iter().map(|series| series.points[0].value).collect();
    assert_eq!(differences, (1..200).map(|nth| f64::from(2 * nth - 1)).collect::<Vec<_>>());
    assert_eq!(count(&process, DELIVERED, ""), 199);
    assert_eq!(count(&process, DROPPED, "baseline"), 1);
}

#[tokio::test]
async fn a_payload_that_is_returned_can_be_sent_again() {
    // Without a queue the sender waits, is told of the failure, and sends the same again.
    let backend = Backend::answering(|_, nth| match nth {
        0 => answer(202, "{}"),
        1..4 => answer(503, "not now"),
        _ => answer(202, "{}"),
    });
    let (_server, url) = backend.start();
    let more = "sending_queue: {enabled: false}
retry_on_failure: {enabled: false}
metrics: {endpoint: \"URL\", sums: {initial_cumulative_monotonic_value: keep}}";
    let yaml = format!("api: {{key: {}}}\n{}", crate::testing::KEY, more.replace("URL", &url));
    let (exporter, process) = exporter(&shared(&yaml), Signal::Metrics);
    exporter.start().await.unwrap();
    let offer = |seconds, value| exporter.consume(Envelope::of(cumulative(seconds, value)));
    within_patience("the first", offer(10, 5)).await.unwrap();
    for _ in 0..3 {
        let error = within_patience("a refusal", offer(20, 12)).await.unwrap_err();
        assert_eq!(error.class, Class::Retryable);
    }
    within_patience("the same", offer(20, 12)).await.unwrap();
    within_patience("the next", offer(30, 13)).await.unwrap();
    let taken = backend.requests(SERIES).into_iter().enumerate();
    let taken = taken.filter(|(nth, _)| !(1..4).contains(nth)).flat_map(|(_, seen)| series(&seen));
    let taken: Vec<_> =
        taken.map(|series| (series.points[0].timestamp, series.points[0].value)).collect();
    assert_eq!(taken, [(10, 5.0), (20, 7.0), (30, 1.0)]);
    assert_eq!(count(&process, DELIVERED, ""), 3);
}

#[tokio::test]
async fn a_payload_refused_by_a_full_queue_has_changed_nothing() {
    let backend = Backend::new();
    let (_server, url) = backend.start();
    let more = "sending_queue: {queue_size: 1, num_consumers: 1}";
    let shared = shared(&settings(&url, more));
    let (exporter, process) = exporter(&shared, Signal::Metrics);
    exporter.start().await.unwrap();
    exporter.consume(Envelope::of(cumulative(10, 5))).await.unwrap();
    // No consumer has had its turn yet: there is room for one.
    let mut refused = 0;
    while exporter.consume(Envelope::of(cumulative(20, 12))).await.is_err() {
        refused += 1;
        tokio::task::yield_now().await;
    }
    assert!(refused > 0, "the queue was never full");
    exporter.shutdown(Deadline::after(std::time::Duration::from_secs(60))).await;
    assert_eq!(values(&backend.requests(SERIES)), BTreeMap::from([("c".to_owned(), 7.0)]));
    assert_eq!(count(&process, DROPPED, "stale"), 0);
}

#[tokio::test]
async fn differences_that_were_given_up_come_with_the_next_point() {
    let backend = Backend::answering(|_, nth| match nth {
        2 => answer(503, "not now"),
        _ => answer(202, "{}"),
    });
    let (_server, url) = backend.start();
    let more = "retry_on_failure: {enabled: false}
sending_queue: {num_consumers: 1}";
    let yaml = settings(&url, "").replace(
        "retry_on_failure: {initial_interval: 1ms, max_interval: 1ms}\n",
        &format!("{more}\n"),
    );
    let (exporter, process) = exporter(&shared(&yaml), Signal::Metrics);
    exporter.start().await.unwrap();
    for (seconds, value) in [(10, 1), (20, 3), (30, 10), (40, 11)] {
        exporter.consume(Envelope::of(cumulative(seconds, value))).await.unwrap();
        // The first holds nothing but that the exporter runs.
        backend.wait_for(SERIES, (seconds / 10).try_into().unwrap()).await;
        exporter.flush(Deadline::after(std::time::Duration::from_secs(60))).await;
    }
    exporter.shutdown(Deadline::after(std::time::Duration::from_secs(60))).await;
    let sent = backend.requests(SERIES);
    let sent: Vec<f64> = sent.iter().flat_map(series).map(|one| one.points[0].value).collect();
    assert_eq!(sent, [2.0, 7.0, 8.0], "the seven did not arrive");
    assert_eq!(count(&process, DROPPED, "retries_exhausted"), 1);
}

#[tokio::test]
async fn stats_of_a_connector_go_to_their_own_endpoint() {
    let backend = Backend::new();
    let (_server, url) = backend.start();
    let (exporter, process) = exporter(&shared(&settings(&url, "")), Signal::Metrics);
    exporter.start().await.unwrap();
    let group =
        datadog::stats::ClientGroupedStats { service: "web", hits: 3, ..Default::default() };
    let bucket = datadog::stats::ClientStatsBucket {
        start: 10,
        duration: 10,
        stats: vec![group],
        ..Default::default()
    };
    let client = datadog::stats::ClientStatsPayload {
        hostname: "h",
        env: "prod",
        stats: vec![bucket],
        ..Default::default()
    };
    let stats = datadog::stats::StatsPayload { stats: vec![client], ..Default::default() };
    exporter.consume(Envelope::of(datadog::stats::wrap(&stats.encode()))).await.unwrap();
    exporter.consume(Envelope::of(datadog::stats::wrap(b"no stats"))).await.unwrap();
    let sent = backend.wait_for("/api/v0.2/stats", 1).await;
    assert_eq!(sent[0].headers["content-type"], "application/msgpack");
    assert!(sent[0].body.windows(3).any(|window| window == b"web"));
    exporter.shutdown(Deadline::after(std::time::Duration::from_secs(60))).await;
    assert_eq!(backend.requests(SERIES).len(), 0, "stats make no host a host with metrics");
    assert_eq!(
        (count(&process, DELIVERED, ""), count(&process, DROPPED, "untranslatable")),
        (1, 1)
    );
}

#[tokio::test]
async fn what_is_remembered_counts_in_the_memory_budget() {
    let backend = Backend::new();
    let (_server, url) = backend.start();
    let (exporter, process) = exporter(&shared(&settings(&url, "")), Signal::Metrics);
    exporter.start().await.unwrap();
    let points: Value = (0..1000)
        .map(|nth| {
            json!({
                "startTimeUnixNano": nanos(1), "timeUnixNano": nanos(10), "asInt": "1",
                "attributes": [{"key": "k", "value": {"intValue": nth.to_string()}}],
            })
        })
        .collect();
    let sum = json!({"dataPoints": points, "aggregationTemporality": 2, "isMonotonic": true});
    let sum = json!([{"name": "c", "sum": sum}]);
    exporter.consume(Envelope::of(metrics(sum))).await.unwrap();
    exporter.flush(Deadline::after(std::time::Duration::from_secs(60))).await;
    let held = process.budget.held_bytes();
    assert!((64_000..1 << 20).contains(&held), "{held} bytes");
    exporter.shutdown(Deadline::after(std::time::Duration::from_secs(60))).await;
    drop(exporter);
    assert_eq!(process.budget.held_bytes(), 0);
}

/// Hosts and tags of the series that say that the exporter runs.
fn running(seen: &[Seen]) -> Vec<(String, String, Vec<String>)> {
    let all = seen.iter().flat_map(|seen| MetricPayload::decode(seen.body.clone()).unwrap().series);
    let own = all.filter(|series| series.metric.starts_with("otel.datadog_exporter."));
    let mut own: Vec<_> = own
        .map(|series| {
            let is_current = |tag: &&String| !tag.starts_with("version:");
            let tags = series.tags.iter().filter(is_current).cloned().collect();
            (series.metric, series.resources[0].name.clone(), tags)
        })
        .collect();
    own.sort();
    own
}

#[tokio::test]
async fn the_backend_is_told_where_the_exporter_runs() {
    let backend = Backend::new();
    let (_server, url) = backend.start();
    let (exporter, _) = exporter(&shared(&settings(&url, "hostname: own")), Signal::Metrics);
    exporter.start().await.unwrap();
    let of = |attributes: Value, name: &str| json!({"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": gauges([name.to_owned()])}]});
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let hosts = json!([
        of(json!([text("host.name", "a")]), "g"),
        of(json!([text("host.name", "b")]), "jvm.memory.used"),
        of(json!([]), "g"),
    ]);
    let task = json!([of(
        json!([text("aws.ecs.launchtype", "FARGATE"), text("aws.ecs.task.arn", "arn:t")]),
        "g"
    )]);
    for resources in [hosts.clone(), hosts, task] {
        let payload = payload(&json!({"resourceMetrics": resources}));
        exporter.consume(Envelope::of(payload)).await.unwrap();
        exporter.flush(Deadline::after(std::time::Duration::from_secs(60))).await;
    }
    let name = "otel.datadog_exporter.metrics.running".to_owned();
    let command = "command:hikyaku".to_owned();
    let seen = backend.requests(SERIES);
    let on_hosts =
        ["", "a", "own"].map(|host| (name.clone(), host.to_owned(), vec![command.clone()]));
    assert_eq!(running(&seen[..1]), on_hosts, "runtime metrics make no host one");
    assert_eq!(running(&seen[1..2]), [], "it is told once in a while");
    let tags = vec![command, "task_arn:arn:t".to_owned()];
    assert_eq!(running(&seen[2..]), [(format!("{name}.fargate"), String::new(), tags)]);
    exporter.shutdown(Deadline::after(std::time::Duration::from_secs(60))).await;
}
