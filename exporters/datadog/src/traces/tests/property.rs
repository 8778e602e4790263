//! Whatever comes: the bodies decode, and every span is in one of them or left out for a reason.

use std::collections::HashMap;

use libdd_trace_protobuf::pb::AgentPayload;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use prost::Message as _;

use datadog::keys::Key;

use super::*;

fn value() -> impl Strategy<Value = Option<AnyValue>> {
    let leaf = prop_oneof![
        ".{0,12}".prop_map(Any::StringValue),
        Just(Any::StringValue("x".repeat(30_000))),
        any::<bool>().prop_map(Any::BoolValue),
        any::<i64>().prop_map(Any::IntValue),
        any::<f64>().prop_map(Any::DoubleValue),
        vec(any::<u8>(), 0..5).prop_map(Any::BytesValue),
    ];
    let list = vec(leaf.clone(), 0..3).prop_map(|values| {
        let values = values.into_iter().map(|value| AnyValue { value: Some(value) }).collect();
        Any::ArrayValue(ArrayValue { values })
    });
    proptest::option::of(prop_oneof![leaf, list].prop_map(|value| AnyValue { value: Some(value) }))
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let keys: Vec<&'static str> = Key::ALL.iter().map(|key| key.text()).collect();
    let key = prop_oneof![select(keys).prop_map(str::to_owned), ".{0,8}", Just("k".repeat(300))];
    let attribute =
        (key, value()).prop_map(|(key, value)| KeyValue { key, value, ..KeyValue::default() });
    vec(attribute, 0..8)
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    let ids = (0u8..3, 0u64..6, 0u64..6);
    let times = (any::<u64>(), any::<u64>());
    let span = (ids, ".{0,6}", 0..7i32, times, attributes(), attributes(), 0..4i32);
    let span =
        span.prop_map(|((trace, id, parent), name, kind, (start, end), own, events, code)| Span {
            trace_id: [[7; 15].as_slice(), &[trace]].concat(),
            span_id: id.to_be_bytes().to_vec(),
            parent_span_id: parent.to_be_bytes().to_vec(),
            name,
            kind,
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            attributes: own,
            events: vec![span::Event { attributes: events.clone(), ..Default::default() }],
            links: vec![span::Link { attributes: events, ..Default::default() }],
            status: Some(Status { code, ..Status::default() }),
            ..Span::default()
        });
    vec(span, 0..6)
}

fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let resource_spans =
        (attributes(), attributes(), spans()).prop_map(|(resource, scope, spans)| {
            let scope = InstrumentationScope { attributes: scope, ..Default::default() };
            ResourceSpans {
                resource: Some(Resource { attributes: resource, ..Resource::default() }),
                scope_spans: vec![ScopeSpans {
                    scope: Some(scope),
                    spans,
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }
        });
    vec(resource_spans, 0..3)
        .prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

/// The keys of a map's entries as they stand in the encoding: a decoder would hide repeats.
fn assert_no_key_twice(body: &[u8]) {
    let fields = |bytes: &[u8], number: u32| -> Vec<Vec<u8>> {
        let fields = pdata::wire::Reader::new(bytes).filter(|field| field.number == number);
        fields
            .filter_map(|field| match field.value {
                pdata::wire::FieldValue::Len(inside) => Some(inside.to_vec()),
                _ => None,
            })
            .collect()
    };
    for span in
        fields(body, 5).iter().flat_map(|tracer| fields(tracer, 6)).flat_map(|c| fields(&c, 3))
    {
        for map in [10, 11] {
            let mut seen: HashMap<Vec<u8>, usize> = HashMap::new();
            for entry in fields(&span, map) {
                *seen.entry(fields(&entry, 1).concat()).or_default() += 1;
            }
            let cut = |key: &[u8]| key.ends_with(b"...");
            assert!(seen.iter().all(|(key, times)| *times == 1 || cut(key)), "{seen:?}");
        }
    }
}

proptest! {
    #[test]
    fn every_span_is_sent_once_or_left_out_for_a_reason(request in request(), small in any::<bool>()) {
        let encoded = request.encode_to_vec();
        let payload = Payload::decode(Signal::Traces, encoded.into()).unwrap().payload;
        let body_len_max = if small { 4_000 } else { BODY_LEN_MAX };
        let options = Options { body_len_max, ..Options::default() };
        let translation = translated(&payload, &options);
        let mut sent = 0;
        for body in &translation.bodies {
            prop_assert!(body.bytes.len() <= body_len_max);
            assert_no_key_twice(&body.bytes);
            let decoded = AgentPayload::decode(body.bytes.as_slice()).unwrap();
            for chunk in decoded.tracer_payloads.iter().flat_map(|tracer| &tracer.chunks) {
                prop_assert!(!chunk.spans.is_empty() && chunk.priority > 0);
                for span in &chunk.spans {
                    sent += 1;
                    prop_assert!(span.trace_id == chunk.spans[0].trace_id && span.span_id != 0);
                    prop_assert!(span.duration >= 0 && !span.service.is_empty());
                    prop_assert!(!span.name.is_empty() && span.resource.len() <= 5_000);
                    let lens = span.meta.iter().all(|(k, v)| k.len() <= 203 && v.len() <= 25_003);
                    prop_assert!(lens);
                }
            }
        }
        prop_assert_eq!(sent + translation.left_out.total(), payload.items());
    }
}
