use proptest::prelude::{any, proptest};
use proptest::sample::select;

use super::{DecodeError, Malformation};
use crate::oracle::arbitrary::request;
use crate::oracle::entropy::{Entropy, entropy};
use crate::oracle::mutate::mutate;
use crate::oracle::{Request, cases, shape};
use crate::wire::{END_GROUP, START_GROUP, put_key, put_len, put_message, put_uint};
use crate::{Payload, Signal};

/// Decodes, and checks that prost agrees: about structure always, and about text when there is nothing to mend.
fn decode_like_prost(signal: Signal, bytes: Vec<u8>) -> Result<(), DecodeError> {
    let prost = Request::decode(signal, &bytes);
    let structure = shape::accepts(signal, &bytes);
    let ours = Payload::decode(signal, bytes.into());
    assert_eq!(ours.is_ok(), structure, "{ours:?} {prost:?}");
    let decoded = ours?;
    assert_eq!(prost.is_ok(), decoded.repaired_strings == 0, "{prost:?}");
    if let Ok(prost) = prost {
        assert_eq!(Request::of(&decoded.payload), prost);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn random_bytes_are_refused_as_prost_refuses_them(
        bytes in proptest::collection::vec(any::<u8>(), 0..60), signal in select(&Signal::ALL[..]),
    ) {
        let _ = decode_like_prost(signal, bytes);
    }

    #[test]
    fn random_messages_are_refused_as_prost_refuses_them(
        bytes in entropy(200), signal in select(&Signal::ALL[..]),
    ) {
        let _ = decode_like_prost(signal, random_message(&mut Entropy(&bytes), 8));
    }
}

proptest! {
    #![proptest_config(cases(6000))]

    #[test]
    fn attributes_nearly_right_are_refused_as_prost_refuses_them(bytes in entropy(60)) {
        let e = &mut Entropy(&bytes);
        let mut request = Vec::new();
        put_message(&mut request, 1, |resource_spans| {
            put_message(resource_spans, 1, |resource| {
                for _ in 0..=e.below(2) {
                    put_len(resource, 1, &attribute(e));
                }
            });
        });
        let _ = decode_like_prost(Signal::Traces, request);
    }
}

#[test]
fn long_key_is_not_taken_for_a_short_one() {
    // The key's length is 0x85 0x7f, over sixteen thousand; were it one byte, a value would stand where it ends.
    let mut attribute = vec![0x0a, 0x85];
    attribute.extend([0x7f; 0x85]);
    attribute.extend([0x12, 2, 0x18, 5]);
    let mut request = Vec::new();
    put_message(&mut request, 1, |r| put_message(r, 1, |r| put_len(r, 1, &attribute)));
    let error = decode_like_prost(Signal::Traces, request).unwrap_err();
    assert_eq!(error.malformation, Malformation::Truncated);
}

/// An attribute of a key and text, an integer or any other value, with a byte wrong here and there.
fn attribute(e: &mut Entropy<'_>) -> Vec<u8> {
    let mut value = vec![[0x0a, 0x18, 0x10, 0x21, 0x3a][e.below(5)]];
    if value == [0x18] {
        value.extend(e.list(11, |_| 0x80));
        value.push(e.below(3) as u8);
    } else {
        put_len(&mut value, 0, &e.list(40, |e| b'a' + e.byte() % 8));
        value.remove(1);
    }
    let key = e.list(40, |e| b'a' + e.byte() % 8);
    let mut body = Vec::new();
    put_len(&mut body, 1, &key);
    put_len(&mut body, 2, &value);
    for _ in 0..e.below(3) {
        let at = [0, 1, key.len() + 2, key.len() + 3, key.len() + 4, key.len() + 5, e.below(256)];
        let at = at[e.below(at.len())] % body.len();
        match e.below(5) {
            0 => body[at] = body[at].wrapping_add(1),
            1 => body[at] = body[at].wrapping_sub(1),
            2 => body[at] ^= 0x80,
            3 => body.insert(at, e.byte()),
            _ => drop(body.remove(at)),
        }
    }
    body
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn requests_with_bytes_changed_are_refused_as_prost_refuses_them(
        bytes in entropy(600), changes in entropy(100), signal in select(&Signal::ALL[..]),
    ) {
        let e = &mut Entropy(&changes);
        let encoded = request(&mut Entropy(&bytes), signal).encode();
        let mut encoded = mutate(e, signal.request_schema(), &encoded);
        if encoded.is_empty() {
            return Ok(());
        }
        for _ in 0..1 + e.below(4) {
            let at = (e.below(256) << 8 | e.below(256)) % encoded.len();
            match e.below(4) {
                0 => encoded[at] ^= 1 << e.below(8),
                1 => encoded[at] = [e.byte(), 0xff][e.below(2)],
                2 => encoded.insert(at, e.byte()),
                _ if encoded.len() > 1 => drop(encoded.remove(at)),
                _ => {}
            }
        }
        let _ = decode_like_prost(signal, encoded);
    }

    #[test]
    fn cut_off_requests_are_refused_as_prost_refuses_them(
        bytes in entropy(300), cut in any::<u16>(), signal in select(&Signal::ALL[..]),
    ) {
        let mut encoded = request(&mut Entropy(&bytes), signal).encode();
        let keep = usize::from(cut) % (encoded.len() + 1);
        encoded.truncate(keep);
        let _ = decode_like_prost(signal, encoded);
    }
}

/// Fields that often nest, with any wire type: more often nearly right than random bytes are.
fn random_message(e: &mut Entropy<'_>, depth: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..e.below(4) {
        let number = 1 + e.below(17) as u32;
        if depth > 0 && e.below(4) > 0 {
            put_len(&mut out, number, &random_message(e, depth - 1));
        } else {
            put_key(&mut out, number, e.below(8) as u8);
            out.extend((0..e.below(10)).map(|_| e.byte()));
        }
    }
    out
}

/// A log record whose body nests `depth` lists, with `inside` in the innermost value.
fn nested(depth: usize, inside: &[u8]) -> Vec<u8> {
    fn value(out: &mut Vec<u8>, depth: usize, inside: &[u8]) {
        match depth {
            0 => out.extend_from_slice(inside),
            _ => put_message(out, 5, |list| put_message(list, 1, |v| value(v, depth - 1, inside))),
        }
    }
    let mut out = Vec::new();
    put_message(&mut out, 1, |resource_logs| {
        put_message(resource_logs, 2, |scope_logs| {
            put_message(scope_logs, 2, |record| {
                put_message(record, 5, |v| value(v, depth, inside))
            });
        });
    });
    out
}

#[test]
fn depth_ends_where_prosts_does() {
    let mut group = Vec::new();
    for key in [START_GROUP, END_GROUP] {
        put_key(&mut group, 77, key);
    }
    let mut groups = Vec::new();
    for _ in 0..5 {
        put_key(&mut groups, 77, START_GROUP);
    }
    for _ in 0..5 {
        put_key(&mut groups, 77, END_GROUP);
    }
    let mut scalar = Vec::new();
    put_uint(&mut scalar, 3, 7);
    let mut unknown = Vec::new();
    put_uint(&mut unknown, 99, 7);
    let mut map = Vec::new();
    put_message(&mut map, 6, |map| {
        put_message(map, 1, |attribute| {
            put_len(attribute, 1, b"k");
            put_message(attribute, 2, |value| put_len(value, 1, b"v"));
        });
    });
    let insides = [&b""[..], &scalar, &unknown, &group, &groups, &map];
    let limits = insides.map(|inside| {
        let fits = |depth: &usize| decode_like_prost(Signal::Logs, nested(*depth, inside)).is_ok();
        let limit = (0..120).take_while(fits).count();
        assert!((limit..120).all(|depth| !fits(&depth)));
        limit
    });
    // Request, resource, scope and record stand above the body, which is message 4; each list adds two.
    assert_eq!(limits, [49, 49, 48, 48, 46, 47]);
}

#[test]
fn depth_of_a_known_field_is_its_fault() {
    let error = Payload::decode(Signal::Logs, nested(90, b"").into()).unwrap_err();
    assert_eq!(error.malformation, Malformation::Depth);
}

#[test]
fn malformation_and_its_place_are_named() {
    let case = |bytes: &[u8]| {
        let error = Payload::decode(Signal::Traces, bytes.to_vec().into()).unwrap_err();
        (error.offset, error.malformation)
    };
    // A resource spans message of four bytes whose schema URL is a varint.
    assert_eq!(case(&[0x0a, 4, 0x1a, 0, 0x18, 1]), (4, Malformation::WireType));
    assert_eq!(case(&[0x0a, 9, 0x1a]), (0, Malformation::Truncated));
    assert_eq!(case(&[0x0a, 0, 0x00]), (2, Malformation::Key));
    assert_eq!(case(&[0x9a, 6]), (0, Malformation::Truncated));
    assert_eq!(case(&[0x0e]), (0, Malformation::Key));
    assert_eq!(case(&[0x54]), (0, Malformation::Group));
    assert_eq!(case(&[0x53, 0x5c]), (1, Malformation::Group));
    // The third of three resource spans.
    assert_eq!(case(&[0x0a, 0, 0x0a, 0, 0x0a, 1]), (4, Malformation::Truncated));
}

#[test]
fn packed_numbers_that_do_not_fill_their_length_are_refused() {
    // Bucket counts of a histogram point, then of an exponential one.
    let fixed = |packed: &[u8]| metric(9, |point| put_len(point, 6, packed));
    let varints = |packed: &[u8]| {
        metric(10, |point| put_message(point, 8, |buckets| put_len(buckets, 2, packed)))
    };
    for (request, sound) in [
        (fixed(&[0; 3]), false),
        (fixed(&[0; 4]), false),
        (fixed(&[0; 16]), true),
        (varints(&[0x80]), false),
        (varints(&[1, 0x80, 1]), true),
    ] {
        match decode_like_prost(Signal::Metrics, request) {
            Ok(()) => assert!(sound),
            Err(error) => assert_eq!((error.malformation, sound), (Malformation::Packed, false)),
        }
    }
}

/// A request of one data point of the metric kind with the given field number.
fn metric(kind: u32, point: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    put_message(&mut out, 1, |resource_metrics| {
        put_message(resource_metrics, 2, |scope_metrics| {
            put_message(scope_metrics, 2, |metric| {
                put_message(metric, kind, |data| put_message(data, 1, point));
            });
        });
    });
    out
}
