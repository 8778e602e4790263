//! What cases on file cannot show: time, memory, and values that are absurd.

use serde_json::{Value, json};
use telemetry::names::DropReason;

use super::histogram::put_bound;
use super::names::is_of_runtime;
use crate::metrics::testing::{BEGAN, NOW, Rig, metrics, nanos, payload};

const SECOND: u64 = 1_000_000_000;

/// A point of a cumulative sum of series `k`, which began after the exporter.
fn sum(seconds: u64, k: u64, value: u64) -> pdata::Payload {
    let began = BEGAN / SECOND + 1;
    let point = json!({
        "startTimeUnixNano": nanos(began), "timeUnixNano": nanos(began + seconds),
        "asInt": value.to_string(), "attributes": [{"key": "k", "value": {"intValue": k.to_string()}}],
    });
    metrics(json!([{"name": "c", "sum": {
        "dataPoints": [point], "aggregationTemporality": 2, "isMonotonic": true,
    }}]))
}

#[test]
fn points_are_remembered_for_as_long_as_the_setting_says() {
    let rig = Rig::new("metrics: {delta_ttl: 60}");
    assert_eq!(rig.send_at(&sum(1, 0, 5), NOW).values(), [("c", 5.0)]);
    assert_eq!(rig.send_at(&sum(2, 0, 7), NOW + 59 * SECOND).values(), [("c", 2.0)]);
    // The whole value was sent once, so it is not sent again.
    let late = rig.send_at(&sum(3, 0, 9), NOW + 119 * SECOND);
    assert_eq!((late.values(), &late.lost[..]), (vec![], &[(DropReason::Baseline, 1)][..]));
    assert_eq!(rig.send_at(&sum(4, 0, 10), NOW + 120 * SECOND).values(), [("c", 1.0)]);
}

#[test]
fn a_series_that_is_forgotten_altogether_is_not_taken_for_a_new_one() {
    let rig = Rig::new("metrics: {delta_ttl: 60}");
    rig.send_at(&sum(1, 0, 5), NOW);
    // Others go on, and what is old is let go.
    for round in 1..5 {
        rig.send_at(&sum(round, 1, round), NOW + round * 60 * SECOND);
    }
    assert_eq!(rig.state.lock().unwrap().len(), 1);
    let back = rig.send_at(&sum(300, 0, 9), NOW + 300 * SECOND);
    assert_eq!((back.values(), &back.lost[..]), (vec![], &[(DropReason::Baseline, 1)][..]));
    // One that is new is told from it.
    assert_eq!(rig.send_at(&sum(300, 2, 4), NOW + 300 * SECOND).values(), [("c", 4.0)]);
}

#[test]
fn with_little_memory_differences_are_missed_and_never_doubled() {
    let rig = Rig::remembering("", 128 << 10);
    let mut sent = vec![0.0; 5_000];
    for round in 1..4 {
        for k in 0..5_000 {
            let translated = rig.send(&sum(round, k, 10 * round));
            for series in translated.own() {
                let tag = series.tags.iter().find_map(|tag| tag.strip_prefix("k:")).unwrap();
                sent[tag.parse::<usize>().unwrap()] += series.points[0].value;
            }
        }
    }
    assert!(rig.state.lock().unwrap().take_evicted() > 0);
    assert!(sent.iter().all(|total| *total <= 30.0), "a series counts more than it said");
    assert!(sent.iter().any(|total| *total < 30.0));
}

#[test]
fn absurd_counts_take_neither_time_nor_memory() {
    for count in [1_u64 << 40, u64::MAX / 4] {
        let histogram = json!([{"name": "h", "histogram": {"aggregationTemporality": 1, "dataPoints": [{
            "timeUnixNano": nanos(10), "count": count.to_string(), "sum": 1.0,
            "bucketCounts": [count.to_string(), "0"], "explicitBounds": [1.0],
        }]}}]);
        assert_eq!(Rig::new("").send(&metrics(histogram)).lost, [(DropReason::TooLarge, 1)]);
    }
    let wide = json!([{"name": "h", "histogram": {"aggregationTemporality": 1, "dataPoints": [{
        "timeUnixNano": nanos(10), "count": "3", "sum": 1.0,
        "bucketCounts": ["0", "3", "0"], "explicitBounds": [-1e308, 1e308],
    }]}}]);
    let sent = Rig::new("").send(&metrics(wide));
    assert_eq!(sent.sketches[0].dogsketches[0].n.iter().sum::<u32>(), 3);
}

#[test]
fn stats_stand_beside_other_metrics() {
    let name = datadog::stats::METRIC_NAME;
    let point = |value: Value| json!({"attributes": [{"key": name, "value": value}]});
    let stats = json!({"name": name, "sum": {"dataPoints": [
        point(json!({"bytesValue": "AQID"})),
        point(json!({"stringValue": "no bytes"})),
        point(json!({"bytesValue": "BA=="})),
    ]}});
    let gauge = |name: &str| json!({"name": name, "gauge": {"dataPoints": [{"asInt": "1"}]}});
    let sent = Rig::new("").send(&metrics(json!([gauge("a"), stats, gauge(name)])));
    assert_eq!(sent.stats, [vec![1, 2, 3], vec![4]]);
    assert_eq!(sent.lost, [(DropReason::Untranslatable, 1)]);
    assert_eq!(sent.values(), [("a", 1.0), (name, 1.0)]);
}

#[test]
fn series_of_one_host_are_told_from_those_of_another_whatever_their_order() {
    let rig = Rig::new("");
    let of = |hosts: [(&str, u64); 2], seconds: u64| {
        let resource = |(host, value): (&str, u64)| {
            let point = json!({
                "startTimeUnixNano": nanos(1), "timeUnixNano": nanos(seconds), "asInt": value.to_string(),
            });
            let sum =
                json!({"dataPoints": [point], "aggregationTemporality": 2, "isMonotonic": true});
            json!({
                "resource": {"attributes": [{"key": "host.name", "value": {"stringValue": host}}]},
                "scopeMetrics": [{"metrics": [{"name": "c", "sum": sum}]}],
            })
        };
        payload(&json!({"resourceMetrics": hosts.map(resource)}))
    };
    rig.send(&of([("a", 1), ("b", 100)], 10));
    let sent = rig.send(&of([("b", 150), ("a", 2)], 20));
    assert_eq!(sent.values(), [("c", 50.0), ("c", 1.0)]);
}

#[test]
fn bounds_are_written_as_go_writes_them() {
    for (bound, expected) in [
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1.0"),
        (0.5, "0.5"),
        (-2.5, "-2.5"),
        (100_000.0, "100000.0"),
        (1_000_000.0, "1e+06.0"),
        (1_234_567.5, "1.2345675e+06"),
        (1e20, "1e+20.0"),
        (1e100, "1e+100.0"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (2.5e-5, "2.5e-05"),
    ] {
        let mut text = Vec::new();
        put_bound(&mut text, bound);
        assert_eq!(std::str::from_utf8(&text).unwrap(), expected);
    }
}

#[test]
fn runtime_metrics_are_told_by_their_names() {
    for name in ["jvm.memory.used", "v8js.heap", "dotnet.exceptions", "go.memory.used"] {
        assert!(is_of_runtime(name.as_bytes()), "{name}");
    }
    for name in ["jvm", "go.other", "http.server.duration", "my.jvm.memory"] {
        assert!(!is_of_runtime(name.as_bytes()), "{name}");
    }
}

#[test]
fn a_sum_that_is_no_number_keeps_the_difference_for_the_next_one() {
    let rig = Rig::new("");
    let of = |seconds: u64, count: u64, sum: Value| {
        metrics(json!([{"name": "s", "summary": {"dataPoints": [{
            "startTimeUnixNano": nanos(1), "timeUnixNano": nanos(seconds),
            "count": count.to_string(), "sum": sum,
        }]}}]))
    };
    rig.send(&of(10, 1, json!(2.0)));
    assert_eq!(rig.send(&of(20, 3, json!("NaN"))).values(), [("s.count", 2.0)]);
    let sent = rig.send(&of(30, 4, json!(9.0)));
    assert_eq!(sent.values(), [("s.count", 1.0), ("s.sum", 7.0)]);
}
