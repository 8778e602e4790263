//! Any payload translates to what the plain model says, to valid Zipkin in both encodings, and without a panic.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use pdata::{Payload, Signal};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use prost::Message as _;
use serde_json::Value;

use super::{model, schema};
use crate::translate::{Format, Options, translate};

const TEXTS: &[&str] = &[
    "",
    "a",
    "GET /Cart",
    "10.1.2.3",
    "2001:db8::1",
    "::ffff:10.0.0.1",
    "443",
    "70000",
    "0080",
    "true",
    "false",
    "timeout",
    "a\"b\\c\n\u{1}",
    "<x> & \u{2028}\u{2029}",
    "日本語 Ä",
    "a|b|{}|0",
    "0123456789abcdef0123456789ABCDEF",
    "tail\u{7f}\u{1f}",
];

const KEYS: &[&str] = &[
    "a",
    "b",
    "key with \"quotes\"",
    "service.name",
    "faas.name",
    "faas.id",
    "cloud.resource_id",
    "k8s.deployment.name",
    "otlp.service.name.source",
    "otel.library.name",
    "otel.library.version",
    "network.local.address",
    "net.host.port",
    "service.peer.name",
    "peer.service",
    "network.peer.address",
    "net.peer.port",
    "error",
    "http.response.status_code",
    "http.status_code",
    "w3c.tracestate",
    "span.kind",
    "otel.status_code",
    "otel.status_description",
    "otlp.link.0",
    "otlp.link.1",
    "otlp.link.01",
    "",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(TEXTS).prop_map(str::to_owned),
        1 => "[ -~äöü\\n\\t\"\\\\]{0,20}",
    ]
}

fn value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        4 => text().prop_map(Any::StringValue),
        1 => any::<bool>().prop_map(Any::BoolValue),
        1 => any::<i64>().prop_map(Any::IntValue),
        1 => (0i64..70_000).prop_map(Any::IntValue),
        1 => double().prop_map(Any::DoubleValue),
        1 => proptest::sample::select(&[0.0, -0.0, 1.0, 443.0, 1e-7, 1e20, 1e21, f64::NAN][..])
            .prop_map(Any::DoubleValue),
        1 => vec(any::<u8>(), 0..5).prop_map(Any::BytesValue),
    ];
    let leaf = option::weighted(0.95, leaf).prop_map(|value| AnyValue { value });
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|values| AnyValue {
                value: Some(Any::ArrayValue(ArrayValue { values }))
            }),
            vec((text(), inner).prop_map(key_value), 0..3).prop_map(|values| AnyValue {
                value: Some(Any::KvlistValue(KeyValueList { values }))
            }),
        ]
    })
}

/// Any double but those between two shortest forms, of which Go and the translation take the even one, and Rust's standard library, on
/// which the model relies, the other.
fn double() -> impl Strategy<Value = f64> {
    any::<f64>().prop_map(|double| {
        let may_be_between = (1e13..1e17).contains(&double.abs());
        if may_be_between { double.trunc() } else { double }
    })
}

fn key_value((key, value): (String, AnyValue)) -> KeyValue {
    KeyValue { key, value: Some(value), ..KeyValue::default() }
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let key = proptest::sample::select(KEYS).prop_map(str::to_owned);
    vec((key, value()).prop_map(key_value), 0..8)
}

fn id(len: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => vec(any::<u8>(), len),
        1 => Just(vec![0; len]),
        1 => vec(any::<u8>(), 0..20),
        1 => vec(any::<u8>(), len / 2).prop_map(move |low| [vec![0; len / 2], low].concat()),
    ]
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        0u64..2_000_000_000,
        1_700_000_000_000_000_000u64..1_700_000_000_000_005_000,
        any::<u64>(),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    (time(), text(), attributes(), prop_oneof![3 => Just(0), 1 => any::<u32>()]).prop_map(
        |(time_unix_nano, name, attributes, dropped_attributes_count)| Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count,
        },
    )
}

fn link() -> impl Strategy<Value = Link> {
    (id(16), id(8), text(), attributes(), any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, dropped_attributes_count)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            ..Link::default()
        },
    )
}

fn span() -> impl Strategy<Value = Span> {
    let ids = (id(16), id(8), id(8));
    let status = option::of((text(), -1..4i32))
        .prop_map(|status| status.map(|(message, code)| Status { message, code }));
    let rest = (attributes(), vec(event(), 0..3), vec(link(), 0..3), status);
    (ids, text(), text(), -1..7i32, time(), time(), rest).prop_map(
        |((trace_id, span_id, parent_span_id), name, trace_state, kind, start, end, rest)| {
            let (attributes, events, links, status) = rest;
            Span {
                trace_id,
                span_id,
                parent_span_id,
                name,
                trace_state,
                kind,
                start_time_unix_nano: start,
                end_time_unix_nano: end,
                attributes,
                events,
                links,
                status,
                ..Span::default()
            }
        },
    )
}

fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope = option::of((text(), text(), attributes())).prop_map(|scope| {
        scope.map(|(name, version, attributes)| InstrumentationScope {
            name,
            version,
            attributes,
            ..InstrumentationScope::default()
        })
    });
    let scope_spans = (scope, vec(span(), 0..3)).prop_map(|(scope, spans)| ScopeSpans {
        scope,
        spans,
        ..ScopeSpans::default()
    });
    let resource = option::of(attributes()).prop_map(|attributes| {
        attributes.map(|attributes| Resource { attributes, ..Resource::default() })
    });
    let resource_spans = (resource, vec(scope_spans, 0..3)).prop_map(|(resource, scope_spans)| {
        ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }
    });
    vec(resource_spans, 0..3)
        .prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

/// What the encodings say differently, taken out of both.
fn without_differences(mut spans: Value) -> Value {
    for span in spans.as_array_mut().unwrap() {
        for key in ["traceId", "name", "duration"] {
            span.as_object_mut().unwrap().remove(key);
        }
        for side in ["localEndpoint", "remoteEndpoint"] {
            if let Some(name) = span.pointer_mut(&format!("/{side}/serviceName")) {
                *name = name.as_str().unwrap().to_lowercase().into();
            }
        }
        for note in span["annotations"].as_array_mut().into_iter().flatten() {
            note["timestamp"].take();
        }
    }
    spans
}

proptest::proptest! {
    #[test]
    fn translation_is_what_the_model_says_and_zipkin_takes_it(request in request()) {
        let payload = super::payload(&request);
        let json = translate(&payload, &Options::of(Format::Json));
        schema::check_json(&json.body);
        let spans: Value = serde_json::from_slice(&json.body).unwrap();
        assert_eq!(spans, model::spans(&request));
        assert_eq!(json.consumed(), payload.items());

        let proto = translate(&payload, &Options::of(Format::Proto));
        assert_eq!((proto.spans, proto.dropped), (json.spans, json.dropped));
        let from_proto = schema::proto_as_json(&proto.body);
        assert_eq!(without_differences(from_proto), without_differences(spans));
    }

    #[test]
    fn damaged_payload_translates_without_a_panic(
        request in request(),
        damage in vec((any::<u16>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = request.encode_to_vec();
        for (at, byte) in damage {
            let len = bytes.len().max(1);
            if let Some(damaged) = bytes.get_mut(usize::from(at) % len) {
                *damaged = byte;
            }
        }
        if let Ok(decoded) = Payload::decode(Signal::Traces, Bytes::from(bytes)) {
            let json = translate(&decoded.payload, &Options::of(Format::Json));
            schema::check_json(&json.body);
            assert_eq!(json.consumed(), decoded.payload.items());
            translate(&decoded.payload, &Options::of(Format::Proto));
        }
    }
}
