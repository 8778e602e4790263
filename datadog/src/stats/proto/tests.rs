use libdd_trace_protobuf::pb;
use proptest::prelude::*;
use prost::Message;

use super::super::fixtures::any_payload;
use super::*;

proptest! {
    #[test]
    fn what_the_library_encodes_is_decoded_and_encoded_to_the_same(payload in any_payload()) {
        let bytes = payload.encode_to_vec();
        let decoded = StatsPayload::decode(&bytes).unwrap();
        prop_assert_eq!(decoded.entries(), payload.stats.iter().flat_map(|c| &c.stats).map(|b| b.stats.len()).sum::<usize>());
        let again = pb::StatsPayload::decode(decoded.encode().as_slice()).unwrap();
        prop_assert_eq!(again, payload);
    }

    #[test]
    fn decoded_is_what_was_encoded(payload in any_payload()) {
        let bytes = payload.encode_to_vec();
        let decoded = StatsPayload::decode(&bytes).unwrap();
        let bytes = decoded.encode();
        prop_assert_eq!(StatsPayload::decode(&bytes).unwrap(), decoded);
    }

    #[test]
    fn any_bytes_are_refused_or_read_but_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _either = StatsPayload::decode(&bytes);
    }

    #[test]
    fn changed_bytes_are_refused_or_read_but_never_a_panic(
        payload in any_payload(), changes in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..8)
    ) {
        let mut bytes = payload.encode_to_vec();
        if !bytes.is_empty() {
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        let _either = StatsPayload::decode(&bytes);
    }

    #[test]
    fn payload_that_breaks_off_is_refused_or_shorter(payload in any_payload(), cut in any::<prop::sample::Index>()) {
        let bytes = payload.encode_to_vec();
        if !bytes.is_empty() {
            let cut = cut.index(bytes.len());
            if let Ok(decoded) = StatsPayload::decode(&bytes[..cut]) {
                prop_assert!(decoded.encode().len() <= cut);
            }
        }
    }
}

#[test]
fn unknown_fields_and_groups_are_passed_over() {
    let mut bytes = Vec::new();
    wire::put_uint(&mut bytes, 99, 7);
    bytes.extend([0x4b, 0x08, 0x01, 0x4c]);
    wire::put_fixed64(&mut bytes, 50, 1);
    wire::put_len(&mut bytes, 2, b"prod");
    wire::put_message(&mut bytes, 3, |client| {
        wire::put_fixed32(client, 60, 1);
        wire::put_message(client, 4, |bucket| wire::put_len(bucket, 77, b"new"));
    });
    let decoded = StatsPayload::decode(&bytes).unwrap();
    assert_eq!((decoded.agent_env, decoded.stats.len()), ("prod", 1));
}

#[test]
fn what_is_wrong_is_named() {
    let field = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        write(&mut bytes);
        StatsPayload::decode(&bytes).map(drop)
    };
    assert_eq!(field(&|out| out.extend([0x0a, 5, b'x'])), Err(NotStats::Malformed));
    assert_eq!(field(&|out| wire::put_uint(out, 2, 1)), Err(NotStats::WireType(2)));
    assert_eq!(field(&|out| wire::put_len(out, 6, b"x")), Err(NotStats::WireType(6)));
    assert_eq!(field(&|out| wire::put_len(out, 4, &[0xff])), Err(NotStats::NotUtf8(4)));
}

#[test]
fn many_empty_groups_are_refused_before_they_fill_the_memory() {
    let mut bytes = Vec::new();
    wire::put_message(&mut bytes, 3, |client| {
        wire::put_message(client, 4, |bucket| {
            (0..1_000_000).for_each(|_| wire::put_len(bucket, 3, &[]));
        });
    });
    assert_eq!(StatsPayload::decode(&bytes), Err(NotStats::TooMany));
    bytes.clear();
    wire::put_message(&mut bytes, 3, |client| {
        (0..1_000_000).for_each(|_| wire::put_len(client, 12, &[]));
    });
    // A reference to a text takes sixteen bytes and its list twice that; this is refused late, or taken.
    if let Ok(decoded) = StatsPayload::decode(&bytes) {
        assert!(
            decoded.stats[0].tags.capacity() * 16 <= bytes.len() * EXPANSION_MAX + EXPANSION_FLOOR
        );
    }
}

#[test]
fn groups_as_they_really_are_take_a_fraction_of_what_they_may() {
    let group = pb::ClientGroupedStats {
        service: "shop".to_owned(),
        name: "server.request".to_owned(),
        resource: "GET /".to_owned(),
        hits: 1,
        ok_summary: vec![0; 24],
        error_summary: vec![0; 24],
        ..Default::default()
    };
    let bucket = pb::ClientStatsBucket { stats: vec![group; 20_000], ..Default::default() };
    let client = pb::ClientStatsPayload { stats: vec![bucket], ..Default::default() };
    let bytes = pb::StatsPayload { stats: vec![client], ..Default::default() }.encode_to_vec();
    assert_eq!(StatsPayload::decode(&bytes).unwrap().entries(), 20_000);
}
