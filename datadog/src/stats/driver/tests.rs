use std::collections::BTreeMap;

use bytes::Bytes;
use pdata::{Signal, wire};

use super::*;
use crate::stats::{Limits, unwrap};

const SECOND: u64 = 1_000_000_000;
const T0: u64 = 1_700_000_000 * SECOND;

/// Root spans of a server with these names, in one resource.
fn traces<'n>(names: impl IntoIterator<Item = &'n str>) -> Payload {
    let mut request = Vec::new();
    wire::put_message(&mut request, 1, |resource| {
        wire::put_message(resource, 2, |scope| {
            for (i, name) in names.into_iter().enumerate() {
                wire::put_message(scope, 2, |span| {
                    wire::put_len(span, 1, &[1; 16]);
                    wire::put_len(span, 2, &(i as u64 + 1).to_be_bytes());
                    wire::put_len(span, 5, name.as_bytes());
                    wire::put_uint(span, 6, 2);
                    wire::put_fixed64(span, 7, T0 - SECOND);
                    wire::put_fixed64(span, 8, T0);
                });
            }
        });
    });
    Payload::decode(Signal::Traces, Bytes::from(request)).unwrap().payload
}

fn stats_of(payload: &Payload) -> Vec<Vec<u8>> {
    let metrics = payload.resource_metrics().flat_map(|r| r.scope_metrics);
    let metrics = metrics.flat_map(|s| s.metrics);
    metrics.flat_map(|metric| unwrap(&metric).map(<[u8]>::to_vec).collect::<Vec<_>>()).collect()
}

/// Hits by resource, of all payloads.
fn hits(payloads: &[Payload]) -> BTreeMap<String, u64> {
    let mut hits = BTreeMap::new();
    for stats in payloads.iter().flat_map(stats_of) {
        for client in StatsPayload::decode(&stats).unwrap().stats {
            for group in client.stats.iter().flat_map(|bucket| &bucket.stats) {
                *hits.entry(group.resource.to_owned()).or_default() += group.hits;
            }
        }
    }
    hits
}

fn without_caps() -> DriverSettings {
    let limits = Limits { groups: usize::MAX, resources: usize::MAX, ..Limits::default() };
    let concentrator = ConcentratorSettings { limits, ..ConcentratorSettings::default() };
    DriverSettings { concentrator, agent_version: "v1".to_owned(), ..DriverSettings::default() }
}

#[test]
fn statistics_that_are_too_many_for_one_payload_are_split_and_none_is_lost() {
    let names: Vec<String> = (0..9001).map(|i| format!("GET /{i}")).collect();
    let mut driver = Driver::new(without_caps(), T0, 1);
    assert_eq!(driver.add(&traces(names.iter().map(String::as_str)), T0 + 1), 9001);
    let payloads = driver.flush_all(T0 + 1);
    for stats in payloads.iter().flat_map(stats_of) {
        let decoded = StatsPayload::decode(&stats).unwrap();
        assert!(decoded.split_payload && decoded.entries() <= ENTRIES_MAX);
        assert_eq!((decoded.agent_env, decoded.agent_version), ("none", "v1"));
    }
    assert_eq!(payloads.len(), 3);
    let hits = hits(&payloads);
    assert_eq!(hits.len(), 9001);
    assert!(hits.values().all(|hits| *hits == 1));
}

#[test]
fn payload_stays_below_what_an_otlp_receiver_takes() {
    let names: Vec<String> = (0..3000).map(|i| format!("GET /{i}/{}", "x".repeat(4000))).collect();
    let mut driver = Driver::new(without_caps(), T0, 1);
    driver.add(&traces(names.iter().map(String::as_str)), T0 + 1);
    let payloads = driver.flush_all(T0 + 1);
    assert!(payloads.len() > 3);
    assert!(payloads.iter().all(|payload| payload.encoded_len() < 4 << 20));
    assert_eq!(hits(&payloads).len(), 3000);
}

#[test]
fn payload_that_is_not_split_does_not_say_so() {
    let mut driver = Driver::new(without_caps(), T0, 1);
    driver.add(&traces(["GET /"]), T0 + 1);
    let payloads = driver.flush_all(T0 + 1);
    let [stats] = &stats_of(&payloads[0])[..] else { panic!("one metric") };
    let decoded = StatsPayload::decode(stats).unwrap();
    assert!(!decoded.split_payload && !decoded.client_computed);
}

#[test]
fn flush_waits_for_two_intervals_and_then_yields_each_statistic_once() {
    let mut driver = Driver::new(DriverSettings::default(), T0, 1);
    driver.add(&traces(["GET /"]), T0 + 1);
    assert!(driver.flush(T0 + 19 * SECOND).is_empty() && !driver.is_empty());
    assert_eq!(hits(&driver.flush(T0 + 20 * SECOND)).len(), 1);
    assert!(driver.flush_all(T0 + 21 * SECOND).is_empty());
    assert!(driver.is_empty() && driver.bytes() == 0);
}
