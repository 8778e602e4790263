use bytes::Bytes;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;

use crate::oracle::arbitrary::request;
use crate::oracle::entropy::{Entropy, entropy};
use crate::oracle::mutate::{break_text, mutate};
use crate::oracle::read::{seen, views};
use crate::oracle::{Request, arbitrary, cases};
use crate::{Payload, Signal, wire};

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn what_prost_writes_is_kept_as_it_is_and_reads_back_equal(
        bytes in entropy(1500), signal in select(&Signal::ALL[..]),
    ) {
        let request = request(&mut Entropy(&bytes), signal);
        let encoded = Bytes::from(request.encode());
        let decoded = Payload::decode(signal, encoded.clone()).unwrap();
        prop_assert_eq!(decoded.repaired_strings, 0);
        prop_assert_eq!(decoded.payload.items(), request.items());
        prop_assert_eq!(decoded.payload.encoded_len(), encoded.len());
        let kept = decoded.payload.to_bytes();
        prop_assert!(kept.is_empty() || kept.as_ptr() == encoded.as_ptr());
        prop_assert_eq!(views(&decoded.payload), seen(request));
    }

    #[test]
    fn legal_mutations_read_as_prost_reads_them(
        bytes in entropy(1200), changes in entropy(1200), signal in select(&Signal::ALL[..]),
    ) {
        let request = request(&mut Entropy(&bytes), signal);
        let schema = signal.request_schema();
        let mutated = mutate(&mut Entropy(&changes), schema, &request.encode());
        let expected = Request::decode(signal, &mutated).expect("the mutation is legal");
        let decoded = Payload::decode(signal, mutated.into()).unwrap();
        prop_assert_eq!(decoded.repaired_strings, 0);
        prop_assert_eq!(decoded.payload.items(), expected.items());
        prop_assert_eq!(&Request::of(&decoded.payload), &expected);
        prop_assert_eq!(views(&decoded.payload), seen(expected));
    }

    #[test]
    fn broken_text_is_mended_and_counted_and_all_else_stays(
        bytes in entropy(1200), changes in entropy(400), signal in select(&Signal::ALL[..]),
    ) {
        let request = request(&mut Entropy(&bytes), signal);
        let schema = signal.request_schema();
        let (broken, mended, count) =
            break_text(&mut Entropy(&changes), schema, &request.encode());
        let expected = Request::decode(signal, &mended).unwrap();
        let decoded = Payload::decode(signal, broken.into()).unwrap();
        prop_assert_eq!(decoded.repaired_strings, count);
        prop_assert_eq!(decoded.payload.items(), request.items());
        prop_assert_eq!(views(&decoded.payload), seen(expected));
    }
}

#[test]
fn unknown_fields_survive_normalisation() {
    let mut span = Vec::new();
    wire::put_len(&mut span, 900, b"later");
    wire::put_len(&mut span, 5, b"name\xff");
    let mut body = Vec::new();
    wire::put_message(&mut body, 1, |resource_spans| {
        wire::put_message(resource_spans, 2, |scope_spans| wire::put_len(scope_spans, 2, &span));
        wire::put_len(resource_spans, 901, b"vendor");
    });
    let decoded = Payload::decode(Signal::Traces, body.into()).unwrap();
    assert_eq!((decoded.repaired_strings, decoded.payload.items()), (1, 1));
    let bytes = decoded.payload.to_bytes();
    for kept in [&b"later"[..], b"vendor", "name\u{fffd}".as_bytes()] {
        assert!(bytes.windows(kept.len()).any(|window| window == kept));
    }
}

#[test]
fn first_attribute_of_a_key_is_found() {
    let mut request = request(&mut Entropy(&[]), Signal::Traces);
    let Request::Traces(traces) = &mut request else { unreachable!() };
    let mut span = arbitrary::span(&mut Entropy(&[]));
    for (key, value) in [("a", 1), ("b", 2), ("a", 3)] {
        span.attributes.push(opentelemetry_proto::tonic::common::v1::KeyValue {
            key: key.to_owned(),
            value: Some(opentelemetry_proto::tonic::common::v1::AnyValue {
                value: Some(opentelemetry_proto::tonic::common::v1::any_value::Value::IntValue(
                    value,
                )),
            }),
            key_strindex: 0,
        });
    }
    traces.resource_spans.push(Default::default());
    traces.resource_spans[0].scope_spans.push(Default::default());
    traces.resource_spans[0].scope_spans[0].spans.push(span);
    let payload = request.payload();
    let resource = payload.resource_spans().next().unwrap();
    let span = resource.scope_spans.iter().next().unwrap().spans.iter().next().unwrap();
    assert_eq!(span.attribute("a"), Some(crate::view::AnyValue::Int(1)));
    assert_eq!(span.attribute("c"), None);
}
