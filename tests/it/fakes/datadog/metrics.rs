use prost::Message as _;
use tests::datadog::series::{LIMIT, Metadata, Origin, Point, Resource, Series, Type};
use tests::datadog::sketches::{self, Dogsketch, Sketch};
use tests::datadog::{DatadogIntake, KEY, MetricPayload, SketchPayload};
use tests::{encoding, send};

use super::{Case, JSON, PROTOBUF, assert_refused, changed, post};

const POINT: Point = Point { value: 3.0, timestamp: 1_700_000_000 };
const ORIGIN: Origin = Origin { origin_product: 19, origin_category: 17, origin_service: 0 };

fn series() -> MetricPayload {
    let series = Series {
        resources: vec![Resource { r#type: "host".to_owned(), name: "i-1".to_owned() }],
        metric: "jobs.done_total-a b".to_owned(),
        tags: vec!["env:prod".to_owned(), "飛脚".to_owned(), "path:/a b".to_owned()],
        points: vec![POINT],
        r#type: Type::Count.into(),
        unit: "job".to_owned(),
        source_type_name: "s".to_owned(),
        interval: 10,
        metadata: Some(Metadata { origin: Some(ORIGIN) }),
    };
    MetricPayload { series: vec![series] }
}

fn sketches() -> SketchPayload {
    let moment = Dogsketch {
        ts: 1_700_000_000,
        cnt: 65_539,
        min: -1.0,
        max: 10.0,
        avg: 2.0,
        sum: 131_078.0,
        k: vec![-1338, 0, 1338, 1338, 1487],
        n: vec![1, 1, 65_535, 1, 1],
    };
    let sketch = Sketch {
        metric: "latency".to_owned(),
        host: "i-1".to_owned(),
        tags: vec!["env:prod".to_owned()],
        dogsketches: vec![moment],
        metadata: Some(Metadata { origin: Some(ORIGIN) }),
    };
    SketchPayload { sketches: vec![sketch] }
}

#[test]
fn series_are_taken_as_protobuf_and_json() {
    let intake = DatadogIntake::start();
    let sent = series();
    assert_eq!(post::<MetricPayload>(&intake, PROTOBUF, sent.encode_to_vec()).status, 202);
    let json = r#"{"series":[{"metric":"jobs.done_total-a b","type":1,"interval":10,"unit":"job",
        "points":[{"timestamp":1700000000,"value":3}],"tags":["env:prod","飛脚","path:/a b"],
        "resources":[{"type":"host","name":"i-1"}],"source_type_name":"s",
        "metadata":{"origin":{"origin_product":19,"origin_category":17}}}]}"#;
    assert_eq!(post::<MetricPayload>(&intake, JSON, json.into()).status, 202);
    let calls = intake.series.accepted();
    assert_eq!((&calls[0].content, calls[0].size.items), (&sent, 1));
    assert_eq!(calls[1].content, sent);
    assert_eq!(sent.series[0].host(), Some("i-1"));
    let unknown = json.replace("\"unit\"", "\"units\"").into_bytes();
    assert_refused::<MetricPayload>(&intake, JSON, unknown, 400, "unknown field");
}

#[test]
fn every_broken_rule_of_a_series_is_a_violation() {
    let cases: [Case<Series>; 17] = [
        (|series| series.metric.clear(), "name"),
        (|series| series.metric = "1st".to_owned(), "name"),
        (|series| series.metric = "a\tb".to_owned(), "name"),
        (|series| series.metric = "m".repeat(201), "name"),
        (|series| series.tags[0] = "1:a".to_owned(), "the tag"),
        (|series| series.tags[0] = "env:".to_owned(), "the tag"),
        (|series| series.tags[0].clear(), "the tag"),
        (|series| series.tags[0] = "t".repeat(201), "the tag"),
        (|series| series.resources[0].r#type.clear(), "resource"),
        (|series| series.resources.push(series.resources[0].clone()), "more than one host"),
        (|series| series.points.clear(), "no points"),
        (|series| series.points[0].value = f64::NAN, "NaN"),
        (|series| series.points[0].timestamp *= 1000, "the time"),
        (|series| series.points[0].timestamp = 0, "the time"),
        (|series| series.r#type = 0, "type 0"),
        (|series| series.r#type = 4, "type 4"),
        (|series| (series.r#type, series.interval) = (Type::Rate.into(), 0), "interval"),
    ];
    let intake = DatadogIntake::start();
    for (change, word) in cases {
        let body = changed(&series(), |payload| change(&mut payload.series[0]));
        assert_refused::<MetricPayload>(&intake, PROTOBUF, body, 400, word);
    }
    assert_refused::<MetricPayload>(&intake, PROTOBUF, Vec::new(), 400, "without series");
    let unknown = [series().encode_to_vec(), vec![0x12, 0]].concat();
    assert_refused::<MetricPayload>(&intake, PROTOBUF, unknown, 400, "a field 2");
}

#[test]
fn ten_thousand_points_are_taken_and_no_more() {
    let intake = DatadogIntake::start();
    let of = |count| changed(&series(), |payload| payload.series[0].points = vec![POINT; count]);
    assert_eq!(post::<MetricPayload>(&intake, PROTOBUF, of(10_000)).status, 202);
    assert_refused::<MetricPayload>(&intake, PROTOBUF, of(10_001), 413, "10001 items");
}

#[test]
fn the_largest_series_are_taken_and_no_larger_ones() {
    let intake = DatadogIntake::start();
    // A unit of many bytes, alike for the limit after decompression and random for the one before.
    let alike = |bytes: usize| {
        let rest = changed(&series(), |payload| payload.series[0].unit = "u".repeat(1 << 21)).len();
        let unit = "u".repeat((1 << 21) + bytes - rest);
        changed(&series(), |payload| payload.series[0].unit = unit)
    };
    let most = alike(LIMIT.plain_bytes);
    assert_eq!(most.len(), 5_242_880);
    assert_eq!(post::<MetricPayload>(&intake, PROTOBUF, most).status, 202);
    let more = alike(LIMIT.plain_bytes + 1);
    assert_refused::<MetricPayload>(&intake, PROTOBUF, more, 413, "at most 5242880");
    // Without an encoding, what comes is what there is.
    let plain = |bytes: usize| {
        let rest = changed(&series(), |payload| payload.series[0].unit = "u".repeat(1 << 18)).len();
        let unit = "u".repeat((1 << 18) + bytes - rest);
        let body = changed(&series(), |payload| payload.series[0].unit = unit);
        let headers = [("dd-api-key", KEY), ("user-agent", "t"), ("content-type", PROTOBUF)];
        send::http(intake.port(), "/api/v2/series", &headers, body).status
    };
    assert_eq!((plain(512_000), plain(512_001)), (202, 413));
    assert!(intake.take_violations()[0].contains("512001 bytes as they came, at most 512000"));
}

#[test]
fn sketches_are_taken_in_every_encoding_of_theirs() {
    let intake = DatadogIntake::start();
    let sent = sketches();
    for encoding in ["gzip", "deflate", "zstd"] {
        let headers = [
            ("dd-api-key", KEY),
            ("user-agent", "t"),
            ("content-type", PROTOBUF),
            ("content-encoding", encoding),
        ];
        let body = encoding::apply(encoding, &sent.encode_to_vec());
        let reply = send::http(intake.port(), "/api/beta/sketches", &headers, body);
        assert_eq!(reply.status, 202, "{encoding}");
    }
    assert_eq!(intake.sketches.accepted()[2].content, sent);
    let other_order = changed(&sent, |payload| payload.sketches[0].dogsketches[0].n.swap(2, 3));
    assert_eq!(post::<SketchPayload>(&intake, PROTOBUF, other_order).status, 202);
    // The Agent's encoder writes common metadata even when they are empty.
    let with_empty = [sent.encode_to_vec(), vec![0x12, 0]].concat();
    assert_eq!(post::<SketchPayload>(&intake, PROTOBUF, with_empty).status, 202);
}

#[test]
fn every_broken_rule_of_a_sketch_is_a_violation() {
    let cases: [Case<Sketch>; 19] = [
        (|sketch| sketch.metric = "_a".to_owned(), "name"),
        (|sketch| sketch.tags[0] = "_a".to_owned(), "the tag"),
        (|sketch| sketch.dogsketches.clear(), "no sketches"),
        (|sketch| sketch.dogsketches[0].ts *= 1_000_000_000, "the time"),
        (|sketch| sketch.dogsketches[0].k.clear(), "0 keys"),
        (|sketch| sketch.dogsketches[0].n.truncate(4), "4 counts"),
        (|sketch| sketch.dogsketches[0].n[0] = 0, "empty or over full"),
        (|sketch| sketch.dogsketches[0].n[2] = 65_536, "empty or over full"),
        (|sketch| sketch.dogsketches[0].k[0] = 1, "the key 0 after 1"),
        (|sketch| sketch.dogsketches[0].n[2] = 65_534, "that are not full"),
        (|sketch| sketch.dogsketches[0].k[4] = 32_768, "scheme"),
        (|sketch| sketch.dogsketches[0].k[0] = -32_768, "scheme"),
        (
            |sketch| {
                (sketch.dogsketches[0].k, sketch.dogsketches[0].n) =
                    ((0..4097).collect(), vec![1; 4097]);
            },
            "too many keys",
        ),
        (|sketch| sketch.dogsketches[0].cnt -= 1, "do not add up"),
        (|sketch| sketch.dogsketches[0].min = 11.0, "least 11"),
        (|sketch| sketch.dogsketches[0].max = f64::INFINITY, "greatest inf"),
        (|sketch| sketch.dogsketches[0].sum = f64::NAN, "sum NaN"),
        (|sketch| sketch.dogsketches[0].avg = 2.1, "the mean 2.1"),
        (|sketch| sketch.dogsketches[0].sum *= 2.0, "the mean 2"),
    ];
    let intake = DatadogIntake::start();
    for (change, word) in cases {
        let body = changed(&sketches(), |payload| change(&mut payload.sketches[0]));
        assert_refused::<SketchPayload>(&intake, PROTOBUF, body, 400, word);
    }
    assert_refused::<SketchPayload>(&intake, PROTOBUF, Vec::new(), 400, "without sketches");
    let filled = [sketches().encode_to_vec(), vec![0x12, 2, 0x0a, 0]].concat();
    assert_refused::<SketchPayload>(&intake, PROTOBUF, filled, 400, "a field 1");
}

#[test]
fn the_largest_sketches_are_taken_and_no_larger_ones() {
    let intake = DatadogIntake::start();
    let of =
        |host: usize| changed(&sketches(), |payload| payload.sketches[0].host = "h".repeat(host));
    let of_bytes = |bytes: usize| {
        let body = of((2 << 20) + bytes - of(2 << 20).len());
        assert_eq!(body.len(), bytes);
        body
    };
    let most = of_bytes(sketches::LIMIT.plain_bytes);
    assert_eq!(most.len(), 4 << 20);
    assert_eq!(post::<SketchPayload>(&intake, PROTOBUF, most).status, 202);
    let more = of_bytes((4 << 20) + 1);
    assert_refused::<SketchPayload>(&intake, PROTOBUF, more, 413, "at most 4194304");
    let plain = |bytes: usize| {
        let headers = [("dd-api-key", KEY), ("user-agent", "t"), ("content-type", PROTOBUF)];
        send::http(intake.port(), "/api/beta/sketches", &headers, of_bytes(bytes)).status
    };
    assert_eq!((plain(2_621_440), plain(2_621_441)), (202, 413));
    assert!(intake.take_violations()[0].contains("at most 2621440"));
}
