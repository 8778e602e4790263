//! JSON held against prost's types, and against those types' own JSON.

use proptest::prelude::{prop_assert_eq, proptest};
use proptest::sample::select;

use crate::oracle::arbitrary::request;
use crate::oracle::entropy::{Entropy, entropy};
use crate::oracle::mutate::mutate;
use crate::oracle::read::seen;
use crate::oracle::{Request, cases};
use crate::schema::{Kind, Message};
use crate::wire::{FieldValue, Reader, put_fixed64, put_len};
use crate::{Payload, Signal};

/// As text, in which one not-a-number is like another: JSON has only one.
fn same(ours: &Request, theirs: &Request) -> bool {
    format!("{ours:?}") == format!("{theirs:?}")
}

fn json(payload: &Payload) -> Vec<u8> {
    let mut out = Vec::new();
    payload.to_json(&mut out);
    out
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn payload_comes_back_from_its_json(
        bytes in entropy(1200), changes in entropy(1200), signal in select(&Signal::ALL[..]),
    ) {
        let encoded = request(&mut Entropy(&bytes), signal).encode();
        let encoded = mutate(&mut Entropy(&changes), signal.request_schema(), &encoded);
        let mut payload = Payload::decode(signal, encoded.into()).unwrap().payload;
        payload.append(request(&mut Entropy(&changes), signal).payload());
        let decoded = Payload::from_json(signal, &json(&payload)).unwrap();
        prop_assert_eq!(decoded.repaired_strings, 0);
        prop_assert_eq!(decoded.payload.items(), payload.items());
        let (ours, theirs) = (Request::of(&decoded.payload), Request::of(&payload));
        assert!(same(&ours, &theirs), "{ours:?}\n{theirs:?}");
    }

    #[test]
    fn no_json_panics(bytes in entropy(400), wrong in entropy(30), signal in select(&Signal::ALL[..])) {
        let mut json = json(&request(&mut Entropy(&bytes), signal).payload());
        let e = &mut Entropy(&wrong);
        for _ in 0..1 + e.below(3) {
            let at = (e.below(256) << 8 | e.below(256)) % json.len();
            match e.below(4) {
                0 => json[at] = e.byte(),
                1 => json[at] = b"{}[],:\"0-.eEtnf\\"[e.below(16)],
                2 => json.truncate(at.max(1)),
                _ => json.insert(at, b"{}[],:\"0-.eEtnf\\"[e.below(16)]),
            }
        }
        let _ = Payload::from_json(signal, &json);
    }

    #[test]
    fn serdes_json_reads_ours_and_we_read_its(
        bytes in entropy(1200), signal in select(&Signal::ALL[..]),
    ) {
        let theirs = as_serde_can(request(&mut Entropy(&bytes), signal));
        let written = json(&theirs.payload());
        let (read, write) = match &theirs {
            Request::Traces(theirs) => (
                serde_json::from_slice(&written).map(Request::Traces),
                serde_json::to_vec(&theirs),
            ),
            Request::Metrics(theirs) => (
                serde_json::from_slice(&written).map(Request::Metrics),
                serde_json::to_vec(&theirs),
            ),
            Request::Logs(theirs) => (
                serde_json::from_slice(&written).map(Request::Logs),
                serde_json::to_vec(&theirs),
            ),
        };
        let read = read.unwrap();
        assert!(same(&read, &theirs), "{read:?}\n{theirs:?}");
        let ours = Request::of(&Payload::from_json(signal, &write.unwrap()).unwrap().payload);
        assert!(same(&ours, &theirs), "{ours:?}\n{theirs:?}");
    }
}

/// The request without what opentelemetry-proto's JSON does not carry as the specification has it: numbers that are not finite, and the
/// absence of some fields.
fn as_serde_can(request: Request) -> Request {
    let signal = request.signal();
    let encoded = tame(signal.request_schema(), &seen(request).encode());
    Request::decode(signal, &encoded).unwrap()
}

fn tame(schema: &'static Message, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // Fields that it wants to be there.
    let mut missing: Vec<u32> = match schema.name {
        "KeyValue" => vec![1],
        "EntityRef" => vec![1, 2, 3, 4],
        "ArrayValue" | "KeyValueList" => vec![1],
        _ => vec![],
    };
    for field in Reader::new(body) {
        let known = schema.field(field.number).unwrap();
        missing.retain(|number| *number != field.number);
        match (known.kind, field.value) {
            (Kind::Double, FieldValue::Fixed64(bits)) if !f64::from_bits(bits).is_finite() => {
                put_fixed64(&mut out, field.number, 1.5f64.to_bits());
            }
            (Kind::Double, FieldValue::Len(packed)) => {
                let bounds = packed.as_chunks().0.iter().map(|bits| f64::from_le_bytes(*bits));
                let finite = bounds.map(|bound| if bound.is_finite() { bound } else { 1.5 });
                put_len(
                    &mut out,
                    field.number,
                    &finite.flat_map(f64::to_le_bytes).collect::<Vec<_>>(),
                );
            }
            (kind, FieldValue::Len(body)) if let Some(child) = kind.message() => {
                put_len(&mut out, field.number, &tame(child, body));
            }
            _ => out.extend_from_slice(field.raw),
        }
    }
    let text = [0x0a, 1, b'x'];
    missing.into_iter().for_each(|number| put_len(&mut out, number, &text));
    out
}
