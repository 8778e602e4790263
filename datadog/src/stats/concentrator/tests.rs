use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::stats::{ClientStatsPayload, StatsPayload, Tag};

mod caps;
mod time;

const SECOND: u64 = 1_000_000_000;
/// A time at which a bucket begins.
const T0: u64 = 1_700_000_000 * SECOND;

fn concentrator() -> Concentrator {
    Concentrator::new(ConcentratorSettings::default(), T0, 1)
}

/// A top-level span of one second that ended at `T0` and so many seconds.
fn ended(seconds: u64) -> StatSpan<'static> {
    StatSpan {
        service: "shop",
        name: "http.server.request",
        resource: "GET /",
        span_type: "web",
        kind: "server",
        top_level: true,
        trace_root: true,
        start: T0 + seconds * SECOND - SECOND,
        duration: SECOND,
        weight: 1.0,
        ..StatSpan::default()
    }
}

/// Hits, errors, top-level hits and duration.
type Counts = [u64; 4];
/// Environment, start of the bucket, service, name, resource.
type Group = (String, u64, String, String, String);

fn counts(flushed: &Flushed) -> BTreeMap<Group, Counts> {
    let mut all = BTreeMap::new();
    for client in flushed.stats() {
        for bucket in &client.stats {
            for g in &bucket.stats {
                let text = str::to_owned;
                let key = (
                    text(client.env),
                    bucket.start,
                    text(g.service),
                    text(g.name),
                    text(g.resource),
                );
                let counts = [g.hits, g.errors, g.top_level_hits, g.duration];
                assert_eq!(all.insert(key, counts), None, "a group twice");
            }
        }
    }
    all
}

/// The only group there is.
fn only(stats: &[ClientStatsPayload<'_>]) -> crate::stats::ClientGroupedStats<'static> {
    let [client] = stats else { panic!("{} deployments", stats.len()) };
    let [bucket] = &client.stats[..] else { panic!("{} buckets", client.stats.len()) };
    let [group] = &bucket.stats[..] else { panic!("{} groups", bucket.stats.len()) };
    // Through its bytes, to keep it longer than what it borrows from.
    let payload = StatsPayload { stats: stats.to_vec(), ..StatsPayload::default() };
    let bytes: &'static [u8] = payload.encode().leak();
    let mut decoded = StatsPayload::decode(bytes).unwrap();
    let found = decoded.stats.remove(0).stats.remove(0).stats.remove(0);
    assert_eq!(&found, group);
    found
}

/// A span: environment, resource, end, duration, whether it failed, whether it is top-level.
type Made = (usize, usize, u64, u64, bool, bool);

/// Made-up spans, with what they come to.
fn made(count: usize) -> (Vec<Made>, BTreeMap<Group, Counts>) {
    let mut rng = fastrand::Rng::with_seed(3);
    let (mut spans, mut truth) = (Vec::new(), BTreeMap::<Group, Counts>::new());
    for _ in 0..count {
        let (env, resource) = (rng.usize(..3), rng.usize(..40));
        let (end, duration) = (T0 + rng.u64(..20 * SECOND), rng.u64(..3 * SECOND));
        let (error, top_level) = (rng.u8(..10) == 0, rng.bool());
        let group = (
            format!("env{env}"),
            end - end % (10 * SECOND),
            "shop".to_owned(),
            "http.server.request".to_owned(),
            format!("GET /{resource}"),
        );
        let counts = truth.entry(group).or_default();
        counts[0] += 1;
        counts[1] += u64::from(error);
        counts[2] += u64::from(top_level);
        counts[3] += duration;
        spans.push((env, resource, end, duration, error, top_level));
    }
    (spans, truth)
}

/// What the concentrator makes of them, handed in as so many.
fn counted(spans: &[Made], batch: usize) -> BTreeMap<Group, Counts> {
    let envs = ["env0", "env1", "env2"];
    let resources: Vec<String> = (0..40).map(|i| format!("GET /{i}")).collect();
    let mut concentrator = concentrator();
    for batch in spans.chunks(batch) {
        for (env, name) in envs.iter().enumerate() {
            let key = PayloadKey { env: name, ..PayloadKey::default() };
            let mut stats = concentrator.payload(&key, T0 + 20 * SECOND);
            for &(_, resource, end, duration, error, top_level) in
                batch.iter().filter(|span| span.0 == env)
            {
                let (resource, start) = (&*resources[resource], end - duration);
                let span = StatSpan { resource, start, duration, error, top_level, ..ended(0) };
                assert!(stats.add(&span));
            }
        }
    }
    let flushed = concentrator.flush(T0 + 20 * SECOND, true);
    assert!(concentrator.is_empty());
    assert_eq!(concentrator.bytes(), 0);
    counts(&flushed)
}

#[test]
fn a_million_spans_are_counted_exactly() {
    let (spans, truth) = made(1_000_000);
    assert!(counted(&spans, spans.len()) == truth, "the counts differ");
}

#[test]
fn counts_are_the_same_split_over_many_payloads_and_out_of_order() {
    let (mut spans, truth) = made(100_000);
    fastrand::Rng::with_seed(5).shuffle(&mut spans);
    assert!(counted(&spans, 257) == truth, "the counts differ");
}

#[test]
fn spans_are_counted_that_are_top_level_measured_or_of_a_counted_kind_and_complete() {
    let plain = StatSpan { top_level: false, kind: "internal", ..ended(0) };
    let by_kind = |kind| StatSpan { kind, ..plain };
    let cases = [
        (plain, false, false),
        (StatSpan { top_level: true, ..plain }, true, true),
        (StatSpan { measured: true, ..plain }, true, true),
        (by_kind("server"), true, false),
        (by_kind("client"), true, false),
        (by_kind("producer"), true, false),
        (by_kind("consumer"), true, false),
        (by_kind("unspecified"), false, false),
        (StatSpan { top_level: true, partial: true, ..plain }, false, false),
        (StatSpan { kind: "client", partial: true, ..plain }, false, false),
    ];
    for (span, with_kinds, without) in cases {
        for (by_span_kind, expected) in [(true, with_kinds), (false, without)] {
            let settings = ConcentratorSettings { by_span_kind, ..Default::default() };
            let mut concentrator = Concentrator::new(settings, T0, 1);
            let counted = concentrator.payload(&PayloadKey::default(), T0).add(&span);
            assert_eq!(counted, expected, "{span:?} with kinds {by_span_kind}");
            assert_eq!(concentrator.is_empty(), !expected);
        }
    }
}

#[test]
fn every_field_tells_groups_apart_and_comes_out_as_it_went_in() {
    let tags = &[("db.name", "orders".into()), ("db.system", "mysql".into())];
    let base = ended(0);
    let spans = [
        base,
        StatSpan { service: "cart", ..base },
        StatSpan { name: "grpc.server.request", ..base },
        StatSpan { resource: "POST /", ..base },
        StatSpan { span_type: "custom", ..base },
        StatSpan { kind: "consumer", ..base },
        StatSpan { http_status_code: 404, ..base },
        StatSpan { grpc_status_code: Some(0), ..base },
        StatSpan { grpc_status_code: Some(14), ..base },
        StatSpan { http_method: "GET", ..base },
        StatSpan { http_endpoint: "/u/{id}", ..base },
        StatSpan { service_source: "m", ..base },
        StatSpan { synthetics: true, ..base },
        StatSpan { trace_root: false, ..base },
        StatSpan { peer_tags: tags, ..base },
        StatSpan { additional_tags: tags, ..base },
        // Texts that are the same when they are put one behind the other.
        StatSpan { service: "sho", name: "phttp.server.request", ..base },
    ];
    let mut concentrator = concentrator();
    for (i, span) in spans.iter().enumerate() {
        for _ in 0..=i {
            concentrator.payload(&PayloadKey::default(), T0).add(span);
        }
    }
    let flushed = concentrator.flush(T0, true);
    let stats = flushed.stats();
    let groups = &stats[0].stats[0].stats;
    assert_eq!(groups.len(), spans.len());
    for (i, span) in spans.iter().enumerate() {
        let group = groups.iter().find(|g| g.hits == i as u64 + 1).unwrap();
        let texts = |tags: &[Tag<'_>]| -> Vec<String> {
            tags.iter().map(|(key, value)| format!("{key}:{value}")).collect()
        };
        let found = [
            group.service,
            group.name,
            group.resource,
            group.span_type,
            group.span_kind,
            group.http_method,
            group.http_endpoint,
            group.service_source,
            &group.grpc_status_code,
        ];
        let code = span.grpc_status_code.map(|code| code.to_string()).unwrap_or_default();
        let expected = [
            span.service,
            span.name,
            span.resource,
            span.span_type,
            span.kind,
            span.http_method,
            span.http_endpoint,
            span.service_source,
            &code,
        ];
        assert_eq!(found, expected);
        assert_eq!(group.http_status_code, span.http_status_code);
        assert_eq!(group.synthetics, span.synthetics);
        assert_eq!(group.is_trace_root, if span.trace_root { 1 } else { 2 });
        assert_eq!(group.peer_tags, texts(span.peer_tags));
        assert_eq!(group.additional_metric_tags, texts(span.additional_tags));
    }
}

#[test]
fn peer_tags_come_out_sorted_as_texts() {
    let tags = &[
        ("messaging.destination", "a".into()),
        ("messaging.destination.name", "a".into()),
        ("peer.service", "b".into()),
    ];
    let mut concentrator = concentrator();
    let span = StatSpan { peer_tags: tags, ..ended(0) };
    concentrator.payload(&PayloadKey::default(), T0).add(&span);
    let flushed = concentrator.flush(T0, true);
    let expected = ["messaging.destination.name:a", "messaging.destination:a", "peer.service:b"];
    assert_eq!(only(&flushed.stats()).peer_tags, expected);
}

#[test]
fn deployments_have_payloads_of_their_own_with_all_that_is_known_of_them() {
    let mut concentrator = concentrator();
    let key = PayloadKey {
        env: "prod",
        hostname: "host",
        version: "1.2",
        container_id: "c1",
        lang: "go",
        git_commit_sha: "abc",
        image_tag: "v7",
        base_service: "base",
        container_tags: &["pod_name:p", "zone:z"],
    };
    let others = [
        PayloadKey { env: "", ..key },
        PayloadKey { hostname: "", ..key },
        PayloadKey { version: "", ..key },
        PayloadKey { container_id: "", ..key },
        PayloadKey { lang: "", ..key },
        PayloadKey { git_commit_sha: "", ..key },
        PayloadKey { image_tag: "", ..key },
        PayloadKey { base_service: "", ..key },
        // Tags belong to the container: they make no other deployment.
        PayloadKey { container_tags: &[], ..key },
    ];
    concentrator.payload(&key, T0).add(&ended(0));
    for other in &others {
        concentrator.payload(other, T0).add(&ended(0));
    }
    let flushed = concentrator.flush(T0, true);
    let stats = flushed.stats();
    assert_eq!(stats.len(), others.len());
    let first = stats.iter().find(|client| client.entries() == 1 && client.env == "prod").unwrap();
    let known = [
        first.hostname,
        first.version,
        first.container_id,
        first.lang,
        first.git_commit_sha,
        first.image_tag,
        first.service,
    ];
    assert_eq!(known, ["host", "1.2", "c1", "go", "abc", "v7", "base"]);
    assert_eq!(first.tags, ["pod_name:p", "zone:z"]);
    assert_eq!(first.stats[0].stats[0].hits, 2);
    assert!(stats.iter().any(|client| client.env == "none"), "an environment is never empty");
    let bare = stats.iter().find(|client| client.container_id.is_empty()).unwrap();
    assert_eq!(bare.tags, [] as [&str; 0], "tags belong to a container");
}

#[test]
fn weights_multiply_all_counts_but_those_of_the_sketches() {
    let mut concentrator = concentrator();
    for error in [true, false, false] {
        let span = StatSpan { weight: 4.0, error, ..ended(0) };
        concentrator.payload(&PayloadKey::default(), T0).add(&span);
    }
    let flushed = concentrator.flush(T0, true);
    let group = only(&flushed.stats());
    assert_eq!([group.hits, group.errors, group.top_level_hits], [12, 4, 12]);
    assert_eq!(group.duration, 12 * SECOND);
    let count = |sketch: &[u8]| libdd_ddsketch::DDSketch::from_encoded(sketch).unwrap().count();
    assert_eq!([count(&group.ok_summary), count(&group.error_summary)], [2.0, 1.0]);
}

#[test]
fn weight_that_is_no_number_of_at_least_one_counts_as_one() {
    for weight in [0.0, 0.5, -3.0, f64::NAN, f64::NEG_INFINITY] {
        let mut concentrator = concentrator();
        concentrator.payload(&PayloadKey::default(), T0).add(&StatSpan { weight, ..ended(0) });
        let flushed = concentrator.flush(T0, true);
        assert_eq!(only(&flushed.stats()).hits, 1, "{weight}");
    }
}

#[test]
fn fractions_of_weighted_counts_are_neither_lost_nor_won_on_average() {
    let resources: Vec<String> = (0..1000).map(|i| format!("GET /{i}")).collect();
    let mut concentrator = concentrator();
    for resource in &resources {
        let span = StatSpan { weight: 1.25, resource, ..ended(0) };
        concentrator.payload(&PayloadKey::default(), T0).add(&span);
    }
    let flushed = concentrator.flush(T0, true);
    let counts = counts(&flushed);
    assert!(counts.values().all(|counts| matches!(counts[0], 1 | 2)));
    let hits: u64 = counts.values().map(|counts| counts[0]).sum();
    // 1250 ± six standard deviations of 13.7.
    assert!((1168..=1332).contains(&hits), "{hits} hits");
}

#[test]
fn weight_beyond_all_bounds_does_not_overflow() {
    let mut concentrator = concentrator();
    let span = StatSpan { weight: f64::INFINITY, duration: u64::MAX, ..ended(0) };
    concentrator.payload(&PayloadKey::default(), T0).add(&span);
    let flushed = concentrator.flush(T0, true);
    assert_eq!(only(&flushed.stats()).hits, u64::MAX);
}

proptest! {
    #[test]
    fn statistics_do_not_depend_on_the_order_of_spans(
        spans in prop::collection::vec((0..4_usize, 0..3_u64, 0..5_000_000_000_u64, any::<bool>()), 1..60),
        seed in any::<u64>(),
    ) {
        let resources = ["a", "b", "c", "d"];
        let run = |spans: &[(usize, u64, u64, bool)]| {
            let mut concentrator = concentrator();
            for (resource, late, duration, error) in spans {
                let end = T0 + 30 * SECOND - late * 10 * SECOND;
                let span = StatSpan {
                    resource: resources[*resource],
                    start: end - duration,
                    duration: *duration,
                    error: *error,
                    ..ended(0)
                };
                concentrator.payload(&PayloadKey::default(), T0 + 30 * SECOND).add(&span);
            }
            counts(&concentrator.flush(T0, true))
        };
        let ordered = run(&spans);
        let mut shuffled = spans;
        fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
        prop_assert_eq!(ordered, run(&shuffled));
    }
}
