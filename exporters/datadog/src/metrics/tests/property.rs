//! What holds for any metrics: nothing is lost without being counted, and differences add up.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::metrics::testing::{BEGAN, Rig, metrics, nanos};

/// A double of any sort.
fn double() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-1e3..1e3).prop_map(Value::from),
        any::<f64>().prop_map(|value| match value.is_finite() {
            true => value.into(),
            false => "NaN".into(),
        }),
        prop::sample::select(&["NaN", "Infinity", "-Infinity"][..]).prop_map(Value::from),
        prop::sample::select(&[0.0, -0.0, 1e-300, 1e300, f64::MAX][..]).prop_map(Value::from),
    ]
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0_u64..10, Just(u64::MAX), any::<u64>().prop_map(|n| n >> 20)]
}

fn optional(of: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    prop::option::of(of).prop_map(Option::unwrap_or_default)
}

/// A point that may hold nearly anything.
fn point() -> impl Strategy<Value = Value> {
    let times = (0_u64..4, 0_u64..4, 0_u32..2, 0_u8..3);
    let values = (double(), optional(double()), optional(double()), count(), count());
    let buckets = (
        prop::collection::vec(count(), 0..5),
        prop::collection::vec(double(), 0..5),
        -12_i32..25,
        -1200_i32..1200,
    );
    (times, values, buckets).prop_map(|(times, values, buckets)| {
        let ((start, time, flags, series), (value, min, max, count, zero)) = (times, values);
        let (counts, bounds, scale, offset) = buckets;
        let counts: Vec<String> = counts.iter().map(u64::to_string).collect();
        json!({
            "attributes": [{"key": "series", "value": {"intValue": series.to_string()}}],
            "startTimeUnixNano": nanos(start), "timeUnixNano": nanos(time), "flags": flags,
            "asDouble": value, "count": count.to_string(), "sum": value, "min": min, "max": max,
            "bucketCounts": counts, "explicitBounds": bounds,
            "scale": scale, "zeroCount": zero.to_string(),
            "positive": {"offset": offset, "bucketCounts": counts},
            "negative": {"offset": -offset, "bucketCounts": counts},
            "quantileValues": [{"quantile": value, "value": value}],
        })
    })
}

/// A metric of any kind. Fields that its points do not have are left out.
fn metric() -> impl Strategy<Value = Value> {
    let points = prop::collection::vec(point(), 0..4);
    (0_usize..5, points, 0_u8..4, any::<bool>()).prop_map(
        |(kind, points, temporality, monotonic)| {
            let kinds = ["gauge", "sum", "histogram", "exponentialHistogram", "summary"];
            let common = ["attributes", "startTimeUnixNano", "timeUnixNano", "flags"];
            let own: &[&str] = [
                &["asDouble"][..],
                &["asDouble"],
                &["count", "sum", "min", "max", "bucketCounts", "explicitBounds"],
                &["count", "sum", "min", "max", "scale", "zeroCount", "positive", "negative"],
                &["count", "sum", "quantileValues"],
            ][kind];
            let fits = |point: Value| {
                let Value::Object(fields) = point else { panic!() };
                let has = |key: &str| common.contains(&key) || own.contains(&key);
                fields
                    .into_iter()
                    .filter(|(key, value)| has(key) && !value.is_null())
                    .collect::<Value>()
            };
            let points: Value = points.into_iter().map(fits).collect();
            let mut data = json!({"dataPoints": points});
            if matches!(kind, 1..=3) {
                data["aggregationTemporality"] = temporality.into();
            }
            if kind == 1 {
                data["isMonotonic"] = monotonic.into();
            }
            let mut metric = json!({"name": "m", "unit": "ms"});
            metric[kinds[kind]] = data;
            metric
        },
    )
}

/// Settings that change what becomes of metrics.
fn settings() -> impl Strategy<Value = String> {
    let modes = prop::sample::select(&["distributions", "counters", "nobuckets"][..]);
    let initial = prop::sample::select(&["auto", "keep", "drop"][..]);
    (modes, initial, any::<bool>(), any::<bool>()).prop_map(|(mode, initial, aggregates, tags)| {
        let aggregates = aggregates || mode == "nobuckets";
        format!(
            "metrics:
  histograms: {{mode: {mode}, send_aggregation_metrics: {aggregates}}}
  sums: {{initial_cumulative_monotonic_value: {initial}}}
  resource_attributes_as_tags: {tags}"
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_point_of_anything_is_sent_or_counted_and_what_is_sent_is_sound(
        payloads in prop::collection::vec(prop::collection::vec(metric(), 0..4), 1..4),
        settings in settings(),
    ) {
        let rig = Rig::new(&settings);
        for one in payloads {
            // That points add up is checked in there.
            let sent = rig.send(&metrics(one.into()));
            for series in sent.own() {
                prop_assert_eq!(series.points.len(), 1);
                prop_assert!(series.points[0].value.is_finite(), "{:?}", series);
            }
            for sketch in &sent.sketches {
                let [one] = &sketch.dogsketches[..] else { panic!("{sketch:?}") };
                prop_assert_eq!(one.k.len(), one.n.len());
                prop_assert!(one.k.is_sorted() && !one.k.is_empty());
                prop_assert!(one.n.iter().all(|n| (1..=65_535).contains(n)));
                let numbers = [one.min, one.max, one.sum, one.avg];
                prop_assert!(numbers.iter().all(|number| number.is_finite()), "{:?}", one);
            }
        }
    }
}

/// Values of series that only grow, payload by payload.
fn growing() -> impl Strategy<Value = Vec<Vec<u64>>> {
    let steps = prop::collection::vec(prop::collection::vec(0_u64..1000, 3), 2..12);
    steps.prop_map(|steps| {
        let mut values = vec![0; 3];
        steps
            .into_iter()
            .map(|step| {
                values.iter_mut().zip(step).for_each(|(value, step)| *value += step);
                values.clone()
            })
            .collect()
    })
}

/// A cumulative sum, histogram, exponential histogram and summary of each value, that began at `start`.
fn cumulative(start: u64, time: u64, values: &[u64]) -> Value {
    let point = |more: Value| {
        let mut points = Vec::new();
        for (nth, value) in values.iter().enumerate() {
            let mut point = json!({
                "startTimeUnixNano": nanos(start), "timeUnixNano": nanos(time),
                "attributes": [{"key": "k", "value": {"intValue": nth.to_string()}}],
            });
            for key in more.as_array().unwrap() {
                let key = key.as_str().unwrap();
                let text = Value::from(value.to_string());
                point[key] = match key {
                    "asInt" | "count" => text,
                    "sum" => (*value as f64).into(),
                    "bucketCounts" => json!(["0", text]),
                    "explicitBounds" => json!([1.0]),
                    "positive" => json!({"offset": 3, "bucketCounts": [text]}),
                    _ => panic!("{key}"),
                };
            }
            points.push(point);
        }
        Value::from(points)
    };
    json!([
        {"name": "sum", "sum": {
            "aggregationTemporality": 2, "isMonotonic": true, "dataPoints": point(json!(["asInt"])),
        }},
        {"name": "histogram", "histogram": {
            "aggregationTemporality": 2,
            "dataPoints": point(json!(["count", "sum", "bucketCounts", "explicitBounds"])),
        }},
        {"name": "exponential", "exponentialHistogram": {
            "aggregationTemporality": 2, "dataPoints": point(json!(["count", "sum", "positive"])),
        }},
        {"name": "summary", "summary": {"dataPoints": point(json!(["count", "sum"]))}},
    ])
}

/// What has arrived in all, by metric and series.
#[derive(Default)]
struct Totals(std::collections::BTreeMap<(String, String), f64>);

impl Totals {
    fn add(&mut self, sent: &crate::metrics::testing::Sent) {
        let series_of = |tags: &[String]| tags.iter().find(|tag| tag.starts_with("k:")).cloned();
        for series in sent.own() {
            let key = (series.metric.clone(), series_of(&series.tags).unwrap());
            *self.0.entry(key).or_default() += series.points[0].value;
        }
        for sketch in &sent.sketches {
            let tag = series_of(&sketch.tags).unwrap();
            let n: u32 = sketch.dogsketches[0].n.iter().sum();
            let key = |what: &str| (format!("{}.{what}", sketch.metric), tag.clone());
            *self.0.entry(key("n")).or_default() += f64::from(n);
            *self.0.entry(key("cnt")).or_default() += sketch.dogsketches[0].cnt as f64;
            *self.0.entry(key("sum")).or_default() += sketch.dogsketches[0].sum;
        }
    }

    fn check(&self, expected: impl Fn(usize) -> u64) {
        let names = [
            "sum",
            "histogram.n",
            "histogram.cnt",
            "histogram.sum",
            "exponential.n",
            "exponential.cnt",
            "exponential.sum",
            "summary.count",
            "summary.sum",
        ];
        for name in names {
            for nth in 0..3 {
                let key = (name.to_owned(), format!("k:{nth}"));
                let total = self.0.get(&key).copied().unwrap_or_default();
                assert_eq!(total, expected(nth) as f64, "{key:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn differences_add_up_to_the_last_value_whatever_arrives_and_however_it_is_batched(
        values in growing(),
        joined in prop::collection::vec(any::<bool>(), 12),
        arrives in prop::collection::vec(any::<bool>(), 12),
        since_began in any::<bool>(),
    ) {
        let began = BEGAN / 1_000_000_000;
        let start = if since_began { began + 1 } else { began - 1 };
        let rig = Rig::new("");
        let mut totals = Totals::default();
        let mut open: Vec<Value> = Vec::new();
        let last = values.len() - 1;
        for (nth, now) in values.iter().enumerate() {
            let Value::Array(more) = cumulative(start, began + 10 + nth as u64, now) else { panic!() };
            open.extend(more);
            // Several points of a series may stand in one payload.
            if joined[nth] && nth != last {
                continue;
            }
            let payload = metrics(std::mem::take(&mut open).into());
            // What does not arrive is dropped with the requests; the last arrives.
            match arrives[nth] || nth == last {
                true => totals.add(&rig.send(&payload)),
                false => drop(rig.encode(&payload)),
            }
        }
        let before = |nth: usize| if since_began { 0 } else { values[0][nth] };
        totals.check(|nth| values[last][nth] - before(nth));
    }
}
