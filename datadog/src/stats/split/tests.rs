use std::collections::BTreeMap;

use libdd_trace_protobuf::pb;
use proptest::prelude::*;
use prost::Message;

use super::super::fixtures::any_payload;
use super::*;

/// Every group with all that it belongs to, and how often it is there.
fn everything(parts: &[StatsPayload<'_>]) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for part in parts {
        for client in &part.stats {
            for bucket in &client.stats {
                for group in &bucket.stats {
                    let (client_head, bucket_head) = (
                        ClientStatsPayload { stats: Vec::new(), ..client.clone() },
                        ClientStatsBucket { stats: Vec::new(), ..bucket.clone() },
                    );
                    let key = format!("{client_head:?} {bucket_head:?} {group:?}");
                    *all.entry(key).or_default() += 1;
                }
            }
        }
    }
    all
}

proptest! {
    #[test]
    fn parts_together_are_the_whole_and_none_is_too_large(payload in any_payload(), max in 1..8_usize) {
        let bytes = payload.encode_to_vec();
        let whole = StatsPayload::decode(&bytes).unwrap();
        let parts = whole.clone().split(max);
        prop_assert_eq!(everything(&parts), everything(std::slice::from_ref(&whole)));
        for part in &parts {
            prop_assert!((1..=max).contains(&part.entries()));
            prop_assert_eq!(part.split_payload, parts.len() > 1 || whole.split_payload);
            prop_assert_eq!(part.agent_env, whole.agent_env);
            for client in &part.stats {
                let times: Vec<_> = client.stats.iter().map(|b| (b.start, b.duration)).collect();
                prop_assert!(times.windows(2).all(|pair| pair[0] != pair[1] || parts.len() == 1));
            }
        }
    }
}

#[test]
fn ten_thousand_groups_of_one_deployment_become_three_parts_of_like_size() {
    let sketch = vec![0; 24];
    let group = |i: u64| pb::ClientGroupedStats {
        hits: i,
        ok_summary: sketch.clone(),
        ..Default::default()
    };
    let bucket = |start, range: std::ops::Range<u64>| pb::ClientStatsBucket {
        start,
        stats: range.map(group).collect(),
        ..Default::default()
    };
    let client = pb::ClientStatsPayload {
        tags: vec!["a:b".to_owned()],
        git_commit_sha: "abc".to_owned(),
        stats: vec![bucket(10, 0..6000), bucket(20, 6000..10_000)],
        ..Default::default()
    };
    let bytes = pb::StatsPayload { stats: vec![client], ..Default::default() }.encode_to_vec();
    let parts = StatsPayload::decode(&bytes).unwrap().split(ENTRIES_MAX);
    let sizes: Vec<usize> = parts.iter().map(StatsPayload::entries).collect();
    assert_eq!(sizes, [3334, 3333, 3333]);
    for part in &parts {
        assert!(part.split_payload);
        let [client] = &part.stats[..] else { panic!("one deployment") };
        assert_eq!((client.tags.as_slice(), client.git_commit_sha), (&["a:b"][..], "abc"));
        assert_eq!(client.stats.iter().map(|b| b.start).collect::<Vec<_>>(), [10, 20]);
    }
}

#[test]
fn payload_that_is_small_enough_stays_whole_and_an_empty_one_vanishes() {
    assert_eq!(StatsPayload::default().split(10), []);
    let group = pb::ClientGroupedStats::default();
    let bucket = pb::ClientStatsBucket { stats: vec![group; 10], ..Default::default() };
    let client = pb::ClientStatsPayload { stats: vec![bucket], ..Default::default() };
    let bytes = pb::StatsPayload { stats: vec![client], ..Default::default() }.encode_to_vec();
    let whole = StatsPayload::decode(&bytes).unwrap();
    assert_eq!(whole.clone().split(10), [whole]);
}
