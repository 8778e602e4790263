use std::collections::HashMap;

use libdd_ddsketch::DDSketch;
use libdd_ddsketch::pb::{DdSketch, IndexMapping, Store};
use prost::Message as _;
use tests::datadog::stats::{
    ClientGroupedStats, ClientStatsBucket, ClientStatsPayload, Durations, entries,
};
use tests::datadog::{Content as _, DatadogIntake, KEY, StatsPayload};
use tests::send;

use super::{Case, MSGPACK, assert_refused, post};

const TEN_SECONDS: u64 = 10_000_000_000;

/// Three hits, one of them an error.
fn group() -> ClientGroupedStats {
    ClientGroupedStats {
        service: "cart".to_owned(),
        name: "http.server.request".to_owned(),
        resource: "GET /cart".to_owned(),
        http_status_code: 200,
        r#type: "web".to_owned(),
        hits: 3,
        errors: 1,
        duration: 3_000_000,
        ok_summary: sketch(&[1e6, 2e6]),
        error_summary: sketch(&[0.0]),
        top_level_hits: 2,
        span_kind: "server".to_owned(),
        peer_tags: vec!["db.name:orders".to_owned()],
        is_trace_root: 1,
        ..Default::default()
    }
}

fn payload() -> StatsPayload {
    payload_of(vec![group()])
}

fn payload_of(stats: Vec<ClientGroupedStats>) -> StatsPayload {
    let bucket = ClientStatsBucket {
        start: 170_000_000 * TEN_SECONDS,
        duration: TEN_SECONDS,
        stats,
        agent_time_shift: 0,
    };
    let client = ClientStatsPayload {
        hostname: "i-1".to_owned(),
        env: "prod".to_owned(),
        stats: vec![bucket],
        tags: vec!["task_arn:a".to_owned()],
        ..Default::default()
    };
    StatsPayload {
        agent_hostname: "i-1".to_owned(),
        agent_env: "none".to_owned(),
        stats: vec![client],
        agent_version: "1".to_owned(),
        client_computed: false,
        split_payload: false,
    }
}

fn sketch(values: &[f64]) -> Vec<u8> {
    let mut sketch = DDSketch::default();
    values.iter().for_each(|value| sketch.add(*value).unwrap());
    sketch.encode_to_vec()
}

/// Maps with names, as the Agent writes them.
fn named(payload: &StatsPayload) -> Vec<u8> {
    rmp_serde::to_vec_named(payload).unwrap()
}

#[test]
fn stats_are_taken_and_their_sketches_decoded() {
    let intake = DatadogIntake::start();
    let sent = payload();
    assert_eq!(post::<StatsPayload>(&intake, MSGPACK, named(&sent)).status, 202);
    let call = intake.stats.accepted().remove(0);
    assert_eq!((&call.content, call.size.items), (&sent, 1));
    let entry = entries(&call.content).next().unwrap();
    assert_eq!((entry.client.env.as_str(), entry.bucket.duration), ("prod", TEN_SECONDS));
    let ok = Durations::decode(&entry.group.ok_summary).unwrap();
    assert_eq!(ok.count(), 2.0);
    assert!(ok.may_hold(1_000_000) && ok.may_hold(2_000_000));
    assert!(!ok.may_hold(1_050_000) && !ok.may_hold(0));
    assert!(Durations::decode(&entry.group.error_summary).unwrap().may_hold(0));
}

/// The Agent's sketches have another base than the Rust library's, and both forms of a store are read.
#[test]
fn a_sketch_of_the_agent_s_is_decoded() {
    let mapping = IndexMapping { gamma: 1.01 / 0.99, index_offset: 0.0, interpolation: 0 };
    let store = Store {
        bin_counts: HashMap::from([(1056, 3.0)]),
        contiguous_bin_counts: vec![1.0, 0.0, 2.0],
        contiguous_bin_index_offset: 690,
    };
    let sketch = DdSketch {
        mapping: Some(mapping),
        positive_values: Some(store),
        negative_values: None,
        zero_count: 0.0,
    };
    let durations = Durations::decode(&sketch.encode_to_vec()).unwrap();
    assert_eq!((durations.count(), durations.bins.len()), (6.0, 3));
    // 1 ms has the index 690, and 1.5 s the index 1056.
    assert!(durations.may_hold(1_000_000) && durations.may_hold(1_500_000_000));
    assert!(!durations.may_hold(100_000_000));
}

#[test]
fn every_broken_rule_of_a_group_is_a_violation() {
    let broken_sketch = |change: fn(&mut DdSketch)| {
        let mut sketch = DdSketch::decode(sketch(&[1e6, 2e6]).as_slice()).unwrap();
        change(&mut sketch);
        sketch.encode_to_vec()
    };
    let with = |change: fn(&mut ClientGroupedStats)| {
        let mut group = group();
        change(&mut group);
        group
    };
    let summary = |ok_summary| ClientGroupedStats { ok_summary, ..group() };
    let cases = [
        (with(|group| group.service = "Cart".to_owned()), "service"),
        (with(|group| group.name = "a-b".to_owned()), "name"),
        (with(|group| group.resource = "r".repeat(5001)), "longer"),
        (with(|group| group.http_status_code = 7), "HTTP status 7"),
        (with(|group| group.span_kind = "SERVER".to_owned()), "kind"),
        (with(|group| group.is_trace_root = 3), "root 3"),
        (with(|group| group.peer_tags[0] = "db".to_owned()), "peer tag"),
        (with(|group| group.hits = 0), "0 hits"),
        (with(|group| group.errors = 4), "4 errors"),
        (with(|group| group.top_level_hits = 4), "4 at the top"),
        (with(|group| group.hits = 4), "sketches of 2 and 1"),
        (with(|group| group.ok_summary.clear()), "without a mapping"),
        (with(|group| group.error_summary = sketch(&[1e6, 1e6])), "sketches of 2 and 2"),
        (summary(vec![0x0a]), "cut short"),
        (summary(broken_sketch(|sketch| sketch.mapping = None)), "without a mapping"),
        (summary(broken_sketch(|sketch| sketch.mapping.as_mut().unwrap().gamma = 1.0)), "mapping"),
        (
            summary(broken_sketch(|sketch| sketch.mapping.as_mut().unwrap().interpolation = 3)),
            "interpolation",
        ),
        (
            summary(broken_sketch(|sketch| {
                sketch.negative_values = sketch.positive_values.clone();
            })),
            "negative",
        ),
        (summary(broken_sketch(|sketch| sketch.zero_count = -1.0)), "a count of -1"),
        (summary([broken_sketch(|_| ()), vec![0x28, 1]].concat()), "a field 5"),
    ];
    let intake = DatadogIntake::start();
    for (group, word) in cases {
        let body = named(&payload_of(vec![group]));
        assert_refused::<StatsPayload>(&intake, MSGPACK, body, 400, word);
    }
    let twins =
        named(&payload_of(vec![group(), ClientGroupedStats { top_level_hits: 0, ..group() }]));
    assert_refused::<StatsPayload>(&intake, MSGPACK, twins, 400, "that are one");
}

#[test]
fn every_broken_rule_of_an_envelope_is_a_violation() {
    let cases: [Case<StatsPayload>; 10] = [
        (|payload| payload.agent_version.clear(), "version"),
        (|payload| payload.stats.clear(), "without stats"),
        (|payload| payload.stats[0].env.clear(), "environment"),
        (|payload| payload.stats[0].env = "Prod".to_owned(), "environment"),
        (|payload| payload.stats[0].tags[0] = "1".to_owned(), "the tag"),
        (|payload| payload.stats[0].stats.clear(), "without buckets"),
        (|payload| payload.stats[0].stats[0].stats.clear(), "without entries"),
        (|payload| payload.stats[0].stats[0].start += 1, "starts at"),
        (|payload| payload.stats[0].stats[0].duration = 0, "a bucket of 0 ns"),
        (
            |payload| {
                let twin = payload.stats[0].stats[0].clone();
                payload.stats[0].stats.push(twin);
            },
            "twice for a client",
        ),
    ];
    let intake = DatadogIntake::start();
    for (change, word) in cases {
        let mut payload = payload();
        change(&mut payload);
        assert_refused::<StatsPayload>(&intake, MSGPACK, named(&payload), 400, word);
    }
}

/// Go's decoder is given maps, and bytes for the sketches; Rust's would take lists for both.
#[test]
fn messagepack_of_another_form_is_a_violation() {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Payload {
        agent_hostname: &'static str,
        agent_env: &'static str,
        stats: Vec<serde_json::Value>,
        agent_version: &'static str,
        client_computed: bool,
        split_payload: bool,
    }
    let intake = DatadogIntake::start();
    let refused = |body: Vec<u8>, word: &str| {
        assert_refused::<StatsPayload>(&intake, MSGPACK, body, 400, word);
    };
    let whole = named(&payload());
    refused(rmp_serde::to_vec(&payload()).unwrap(), "no map");
    refused([whole.as_slice(), &[0]].concat(), "1 bytes after");
    refused(whole[..whole.len() - 1].to_vec(), "MessagePack");
    let as_json = serde_json::to_value(&payload().stats[0]).unwrap();
    let payload = |client: serde_json::Value| {
        let payload = Payload {
            agent_hostname: "",
            agent_env: "none",
            stats: vec![client],
            agent_version: "1",
            client_computed: false,
            split_payload: false,
        };
        rmp_serde::to_vec_named(&payload).unwrap()
    };
    // In JSON, bytes have become lists of numbers.
    refused(payload(as_json.clone()), "Summary that is no bytes");
    let mut unknown = as_json.clone();
    unknown["Host"] = "h".into();
    refused(payload(unknown), "an unknown key \"Host\"");
    let mut missing = as_json.clone();
    missing["Stats"][0].as_object_mut().unwrap().remove("Start");
    missing["Stats"][0]["Stats"] = serde_json::json!([]);
    refused(payload(missing), "missing field `Start`");
    // A map of one key, twice.
    refused(
        [&[0x82_u8][..], &[0xa5], b"Stats", &[0x90, 0xa5], b"Stats", &[0x90]].concat(),
        "twice",
    );
}

#[test]
fn four_thousand_entries_are_taken_and_no_more() {
    let intake = DatadogIntake::start();
    let of = |count: usize| {
        let with = |number| ClientGroupedStats { resource: format!("GET /{number}"), ..group() };
        named(&payload_of((0..count).map(with).collect()))
    };
    assert_eq!(post::<StatsPayload>(&intake, MSGPACK, of(4000)).status, 202);
    assert_refused::<StatsPayload>(&intake, MSGPACK, of(4001), 413, "4001 items, at most 4000");
    let headers = [("dd-api-key", KEY), ("user-agent", "t"), ("content-type", MSGPACK)];
    let reply = send::http(intake.port(), StatsPayload::PATH, &headers, vec![0; 3_000_001]);
    assert_eq!(reply.status, 413);
    assert!(intake.take_violations()[0].contains("3000001 bytes as they came, at most 3000000"));
}
