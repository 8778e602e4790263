use libdd_trace_protobuf::pb;
use proptest::prelude::*;
use prost::Message;

use super::super::fixtures::any_payload;
use super::*;

proptest! {
    #[test]
    fn the_library_reads_what_went_in(payload in any_payload()) {
        let bytes = payload.encode_to_vec();
        let packed = StatsPayload::decode(&bytes).unwrap().to_msgpack();
        let read: pb::StatsPayload = rmp_serde::from_slice(&packed).unwrap();
        prop_assert_eq!(read, payload);
    }
}

#[test]
fn keys_are_those_of_the_library_and_sketches_are_binary() {
    let group = pb::ClientGroupedStats { ok_summary: vec![1, 2], ..Default::default() };
    let bucket = pb::ClientStatsBucket { stats: vec![group], ..Default::default() };
    let client = pb::ClientStatsPayload { stats: vec![bucket], ..Default::default() };
    let payload = pb::StatsPayload { stats: vec![client], ..Default::default() };
    let bytes = payload.encode_to_vec();
    let ours = StatsPayload::decode(&bytes).unwrap().to_msgpack();
    let theirs = rmp_serde::to_vec_named(&payload).unwrap();
    let keys = |packed: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(packed);
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let mut words: Vec<String> =
            words.filter(|word| word.len() > 2).map(str::to_owned).collect();
        words.sort();
        words
    };
    assert_eq!(keys(&ours), keys(&theirs));
    // `bin 8`, two bytes.
    assert!(ours.windows(4).any(|window| window == [0xc4, 2, 1, 2]));
}
