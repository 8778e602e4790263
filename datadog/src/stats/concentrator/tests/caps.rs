//! What is not told apart when there is too much of it.

use super::*;
use crate::stats::payloads::PAYLOADS_MAX;
use crate::stats::{ClientGroupedStats, Limits};

const SENTINEL: &str = "tracer_blocked_value";

fn limited(limits: Limits) -> Concentrator {
    Concentrator::new(ConcentratorSettings { limits, ..Default::default() }, T0, 1)
}

fn with_groups<T>(flushed: &Flushed, look: impl Fn(&[ClientGroupedStats<'_>]) -> T) -> T {
    let stats = flushed.stats();
    look(&stats[0].stats[0].stats)
}

#[test]
fn resources_beyond_the_cap_are_counted_as_one_and_those_within_go_on() {
    let mut concentrator = limited(Limits { resources: 3, ..Limits::default() });
    let resources: Vec<String> = (0..10).map(|i| format!("GET /{i}")).collect();
    for resource in resources.iter().chain(&resources) {
        concentrator.payload(&PayloadKey::default(), T0).add(&StatSpan { resource, ..ended(0) });
    }
    let collapsed = concentrator.take_collapsed();
    assert_eq!((collapsed.resources, collapsed.total()), (14, 14));
    let flushed = concentrator.flush(T0, true);
    with_groups(&flushed, |groups| {
        assert_eq!(groups.len(), 4);
        let blocked = groups.iter().find(|group| group.resource == SENTINEL).unwrap();
        assert_eq!((blocked.hits, blocked.service), (14, "shop"));
        assert!(groups.iter().filter(|group| group.resource != SENTINEL).all(|g| g.hits == 2));
    });
}

#[test]
fn endpoints_and_peer_tags_beyond_their_caps_are_counted_as_one() {
    let mut concentrator = limited(Limits { http_endpoints: 2, peer_tags: 2, ..Limits::default() });
    let texts: Vec<String> = (0..5).map(|i| format!("/{i}")).collect();
    for text in &texts {
        let tags = [("peer.service", text.as_str().into())];
        let spans = [
            StatSpan { http_endpoint: text, ..ended(0) },
            StatSpan { peer_tags: &tags, kind: "client", ..ended(0) },
        ];
        for span in spans {
            concentrator.payload(&PayloadKey::default(), T0).add(&span);
        }
    }
    let collapsed = concentrator.take_collapsed();
    assert_eq!((collapsed.http_endpoints, collapsed.peer_tags, collapsed.total()), (3, 3, 6));
    let flushed = concentrator.flush(T0, true);
    with_groups(&flushed, |groups| {
        let hits = |is: &dyn Fn(&ClientGroupedStats<'_>) -> bool| -> u64 {
            groups.iter().filter(|group| is(group)).map(|group| group.hits).sum()
        };
        assert_eq!(hits(&|group| group.http_endpoint == SENTINEL), 3);
        assert_eq!(hits(&|group| group.peer_tags == [SENTINEL]), 3);
        assert_eq!(hits(&|_| true), 10);
    });
}

#[test]
fn groups_beyond_the_cap_are_counted_in_one_that_says_nothing() {
    let mut concentrator = limited(Limits { groups: 5, ..Limits::default() });
    let names: Vec<String> = (0..20).map(|i| format!("op{i}")).collect();
    for name in &names {
        let span = StatSpan { name, http_status_code: 200, grpc_status_code: Some(1), ..ended(0) };
        concentrator.payload(&PayloadKey::default(), T0).add(&span);
    }
    assert_eq!(concentrator.take_collapsed().groups, 15);
    let flushed = concentrator.flush(T0, true);
    with_groups(&flushed, |groups| {
        assert_eq!(groups.len(), 6);
        let blocked = groups.iter().find(|group| group.name == SENTINEL).unwrap();
        assert_eq!((blocked.hits, blocked.duration), (15, 15 * SECOND));
        assert_eq!((blocked.http_status_code, blocked.is_trace_root), (0, 0));
        assert_eq!(blocked.grpc_status_code, "");
        assert_eq!([blocked.service, blocked.resource, blocked.span_type], [SENTINEL; 3]);
        assert_eq!(blocked.peer_tags, [SENTINEL]);
    });
}

#[test]
fn bytes_beyond_the_cap_make_no_more_groups() {
    let mut concentrator = limited(Limits { bytes: 20_000, ..Limits::default() });
    let long: Vec<String> = (0..100).map(|i| format!("{i}{}", "x".repeat(5000))).collect();
    for resource in &long {
        concentrator.payload(&PayloadKey::default(), T0).add(&StatSpan { resource, ..ended(0) });
    }
    assert!(concentrator.bytes() < 30_000, "{} bytes", concentrator.bytes());
    let flushed = concentrator.flush(T0, true);
    assert_eq!(counts(&flushed).values().map(|counts| counts[0]).sum::<u64>(), 100);
    assert_eq!(concentrator.bytes(), 0);
}

#[test]
fn deployments_beyond_the_cap_share_one() {
    let mut concentrator = concentrator();
    let versions: Vec<String> = (0..PAYLOADS_MAX + 50).map(|i| format!("v{i}")).collect();
    for version in &versions {
        let key = PayloadKey { env: "prod", version, ..PayloadKey::default() };
        concentrator.payload(&key, T0).add(&ended(0));
    }
    assert_eq!(concentrator.take_collapsed().payloads, 50);
    let flushed = concentrator.flush(T0, true);
    let stats = flushed.stats();
    assert_eq!(stats.len(), PAYLOADS_MAX + 1);
    let shared = stats.iter().find(|client| client.env == SENTINEL).unwrap();
    assert_eq!(shared.stats[0].stats[0].hits, 50);
}

#[test]
fn deployments_of_too_many_bytes_share_one_until_others_are_flushed() {
    let mut concentrator = concentrator();
    let count = |concentrator: &mut Concentrator, now: u64| {
        for i in 0..10 {
            let hostname = format!("{i}{}", "x".repeat(1 << 20));
            let key = PayloadKey { hostname: &hostname, ..PayloadKey::default() };
            concentrator.payload(&key, now).add(&ended(0));
        }
        concentrator.take_collapsed().payloads
    };
    assert_eq!(count(&mut concentrator, T0), 7);
    let flushed = concentrator.flush(T0 + 100 * SECOND, false);
    let stats = flushed.stats();
    assert_eq!(stats.iter().map(|client| client.stats[0].stats[0].hits).sum::<u64>(), 10);
    assert_eq!(count(&mut concentrator, T0 + 100 * SECOND), 7);
}

#[test]
fn deployments_that_are_flushed_make_room_for_others_and_never_change_those_that_stay() {
    let mut concentrator = concentrator();
    for round in 0..20_u64 {
        let now = T0 + round * 10 * SECOND;
        for i in 0..500 {
            let (round, version) = (round.to_string(), i.to_string());
            let key = PayloadKey { env: &round, version: &version, ..PayloadKey::default() };
            concentrator.payload(&key, now).add(&ended(round.parse::<u64>().unwrap() * 10));
        }
        let flushed = concentrator.flush(now, false);
        for client in flushed.stats() {
            let round: u64 = client.env.parse().unwrap();
            assert_eq!(client.stats.len(), 1);
            assert_eq!(client.stats[0].start, T0 + round * 10 * SECOND, "{client:?}");
        }
    }
    assert_eq!(concentrator.take_collapsed(), Collapsed::default());
    assert!(concentrator.payloads.entries().len() <= 1500);
}
