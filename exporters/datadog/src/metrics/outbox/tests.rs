//! Splitting loses and doubles nothing, and no request is beyond a limit.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::metrics::testing::{NO_LIMITS, Rig, Sent, metrics, nanos};

/// Gauges and histograms, each named by its number, with tags of some length.
fn many(gauges: usize, histograms: usize, tag_len: usize) -> pdata::Payload {
    let noise = |seed: usize| {
        let mut random = fastrand::Rng::with_seed(seed as u64);
        (0..tag_len).map(|_| random.alphanumeric()).collect::<String>()
    };
    let attributes = |nth| json!([{"key": "noise", "value": {"stringValue": noise(nth)}}]);
    let gauge = |nth: usize| {
        let point = json!({"timeUnixNano": nanos(10), "asInt": nth.to_string(), "attributes": attributes(nth)});
        json!({"name": format!("g{nth}"), "gauge": {"dataPoints": [point]}})
    };
    let histogram = |nth: usize| {
        let point = json!({
            "timeUnixNano": nanos(10), "count": "3", "sum": 3.0, "bucketCounts": ["1", "2"],
            "explicitBounds": [1.0], "attributes": attributes(nth),
        });
        let points = json!({"dataPoints": [point], "aggregationTemporality": 1});
        json!({"name": format!("h{nth}"), "histogram": points})
    };
    metrics((0..gauges).map(gauge).chain((0..histograms).map(histogram)).collect::<Value>())
}

/// Names in the requests of a payload, in order.
fn names(requests: &[EncodedRequest<MetricsRequest>]) -> Vec<String> {
    let mut sent = Sent::default();
    requests.iter().for_each(|request| sent.read(request));
    let series = sent.series.iter().map(|series| series.metric.clone());
    series.chain(sent.sketches.iter().map(|sketch| sketch.metric.clone())).collect()
}

fn limited(limits: Limits) -> Rig {
    Rig { limits: Some(limits), ..Rig::new("") }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn splitting_loses_and_doubles_nothing(
        gauges in 0_usize..60,
        histograms in 0_usize..30,
        tag_len in 0_usize..300,
        raw in 600_usize..20_000,
        compressed in 600_usize..5_000,
        entries in 1_usize..50,
    ) {
        let payload = many(gauges, histograms, tag_len);
        let whole = names(&limited(NO_LIMITS).encode(&payload));
        let requests = limited(Limits { raw, compressed, entries }).encode(&payload);
        prop_assert_eq!(names(&requests), whole);
        prop_assert_eq!(requests.iter().map(|request| request.items).sum::<usize>(), gauges + histograms);
        for request in &requests {
            let body = request.request.intake.body.decompressed(usize::MAX).unwrap();
            prop_assert!(body.len() <= raw && request.bytes <= compressed);
            prop_assert!(request.request.carries.len() <= entries);
        }
    }

    #[test]
    fn halving_loses_and_doubles_nothing(gauges in 2_usize..40, histograms in 2_usize..20) {
        let rig = limited(NO_LIMITS);
        let mut requests = rig.encode(&many(gauges, histograms, 20));
        let whole = names(&requests);
        while requests.iter().any(|request| request.items > 1) {
            let mut smaller = Vec::new();
            for request in requests {
                if request.items < 2 {
                    smaller.push(request);
                    continue;
                }
                let items = request.items;
                let halves = request.request.halve();
                prop_assert_eq!(halves.len(), 2);
                prop_assert_eq!(halves[0].items, items / 2);
                prop_assert_eq!(halves[0].items + halves[1].items, items);
                smaller.extend(halves);
            }
            requests = smaller;
        }
        prop_assert_eq!(names(&requests), whole);
        prop_assert_eq!(requests.len(), gauges + histograms);
    }
}

#[test]
fn requests_are_as_large_as_the_intake_takes_them() {
    let requests = Rig::new("").encode(&many(25_000, 0, 0));
    let entries: Vec<usize> =
        requests.iter().map(|request| request.request.carries.len()).collect();
    // And the series that say that the exporter runs, with and without its host.
    assert_eq!(entries, [10_000, 10_000, 5_002]);
    // Half a megabyte of noise does not shrink: the limit of what is compressed is met, too.
    let requests = Rig::new("").encode(&many(2_000, 0, 1_000));
    assert!(requests.len() > 1);
    assert!(requests.iter().all(|request| request.bytes <= 512_000));
    let largest = requests.iter().map(|request| request.bytes).max().unwrap();
    assert!(largest > 256_000, "{largest} bytes, a half at least");
}

#[test]
fn an_entry_that_no_request_can_hold_is_lost_alone() {
    for limits in [Limits { raw: 2_000, ..NO_LIMITS }, Limits { compressed: 2_000, ..NO_LIMITS }] {
        let rig = limited(limits);
        let long = many(1, 1, 3_000);
        let sent = rig.send(&long);
        assert_eq!(sent.lost, [(DropReason::TooLarge, 2)]);
        assert_eq!(sent.points, 0);
        let sent = limited(limits).send(&many(5, 5, 10));
        assert_eq!((sent.points, sent.lost()), (10, 0));
    }
}

#[test]
fn a_single_point_cannot_be_cut() {
    let mut requests = Rig::new("").encode(&many(1, 0, 0));
    let request = requests.pop().unwrap();
    assert_eq!(request.request.carries, [true, false, false], "the others are about the exporter");
    let mut same = request.request.halve();
    assert_eq!((same.len(), same[0].items), (1, 1));
    assert_eq!(names(&[same.pop().unwrap()]).len(), 3);
}

/// A cumulative sum of two series.
fn cumulative(time: u64, values: [u64; 2]) -> pdata::Payload {
    let point = |(nth, value): (usize, u64)| {
        json!({
            "startTimeUnixNano": nanos(1), "timeUnixNano": nanos(time), "asInt": value.to_string(),
            "attributes": [{"key": "k", "value": {"intValue": nth.to_string()}}],
        })
    };
    let points: Value = values.into_iter().enumerate().map(point).collect();
    metrics(
        json!([{"name": "c", "sum": {"dataPoints": points, "aggregationTemporality": 2, "isMonotonic": true}}]),
    )
}

#[test]
fn a_half_that_does_not_arrive_is_sent_with_the_next_points() {
    for arrives in [0, 1] {
        let rig = limited(NO_LIMITS);
        rig.send(&cumulative(10, [0, 0]));
        let mut requests = rig.encode(&cumulative(20, [3, 5]));
        assert_eq!(requests.len(), 1);
        let halves = requests.pop().unwrap().request.halve();
        halves[arrives].request.settle();
        drop(halves);
        let sent = rig.send(&cumulative(30, [10, 20]));
        let expected = if arrives == 0 { [7.0, 20.0] } else { [10.0, 15.0] };
        assert_eq!(sent.values(), [("c", expected[0]), ("c", expected[1])]);
    }
}

#[test]
fn memory_of_what_could_be_taken_back_is_known() {
    let rig = limited(NO_LIMITS);
    let bytes = |payload: &pdata::Payload| {
        let request = &rig.encode(payload)[0];
        request.memory_bytes - request.bytes
    };
    rig.send(&cumulative(10, [0, 0]));
    let (with, without) = (bytes(&cumulative(20, [1, 1])), bytes(&many(2, 0, 0)));
    assert!(with >= without + 2 * size_of::<Undone>(), "{with} and {without} bytes");
}

#[test]
fn points_are_counted_by_why_they_are_lost() {
    let state = Arc::new(Mutex::new(State::new(Duration::from_secs(1), 0)));
    let mut outbox = Outbox::new(state);
    outbox.lose(DropReason::Empty, 0);
    outbox.lose(DropReason::Stale, 2);
    outbox.lose(DropReason::Empty, 1);
    outbox.lose(DropReason::Stale, 3);
    let (requests, lost) = outbox.finish();
    assert!(requests.is_empty());
    assert_eq!(lost, [(DropReason::Stale, 5), (DropReason::Empty, 1)]);
}
