//! What the exporter writes, the receiver reads back; what the receiver reads, the exporter writes again.

use std::collections::BTreeMap;

use bytes::Bytes;
use exporter_zipkin::translate::{self, Options, translate};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use pdata::{Payload, Signal};
use proptest::array::{uniform8, uniform16};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use prost::Message as _;
use serde_json::{Map, Value, json};

use super::{Format, decode, otlp, read};

/// Text in lower case, as Zipkin's JSON has names.
fn name() -> impl Strategy<Value = String> {
    "[a-z0-9 _./|é日-]{1,12}"
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![name(), "[ -~\\n\\t<>&é\u{2028}]{0,16}", Just("true".to_owned())]
}

/// Attributes of a span that mean nothing in particular.
fn plain_key() -> impl Strategy<Value = String> {
    "[a-d]\\.[a-d]{1,3}"
}

fn string(text: String) -> AnyValue {
    AnyValue { value: Some(Any::StringValue(text)) }
}

fn key_values(map: BTreeMap<String, AnyValue>) -> Vec<KeyValue> {
    let pair = |(key, value)| KeyValue { key, value: Some(value), ..KeyValue::default() };
    map.into_iter().map(pair).collect()
}

/// Values that JSON keeps apart: no whole doubles, no bytes.
fn json_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        text().prop_map(Any::StringValue),
        any::<i64>().prop_map(Any::IntValue),
        any::<bool>().prop_map(Any::BoolValue),
        (-1000i32..1000).prop_map(|n| Any::DoubleValue(f64::from(n) + 0.5)),
    ];
    let leaf = leaf.prop_map(|value| AnyValue { value: Some(value) });
    leaf.prop_recursive(2, 6, 3, |inner| {
        vec(inner, 0..3)
            .prop_map(|values| AnyValue { value: Some(Any::ArrayValue(ArrayValue { values })) })
    })
}

fn event() -> impl Strategy<Value = Event> {
    let attributes = btree_map(plain_key(), json_value(), 0..3).prop_map(key_values);
    (1u64..2_000_000_000_000, name(), attributes, 0u32..3).prop_map(
        |(micros, name, attributes, dropped_attributes_count)| Event {
            time_unix_nano: micros * 1000,
            name,
            attributes,
            dropped_attributes_count,
        },
    )
}

fn link() -> impl Strategy<Value = Link> {
    let attributes = btree_map(plain_key(), json_value(), 0..3).prop_map(key_values);
    (uniform16(1u8..255), uniform8(1u8..255), "[a-z=|]{0,6}", attributes, 0u32..3).prop_map(
        |(trace_id, span_id, trace_state, attributes, dropped_attributes_count)| Link {
            trace_id: trace_id.to_vec(),
            span_id: span_id.to_vec(),
            trace_state,
            attributes,
            dropped_attributes_count,
            ..Link::default()
        },
    )
}

fn span() -> impl Strategy<Value = Span> {
    let ids = (uniform16(1u8..255), uniform8(1u8..255), any::<bool>());
    let attributes = (
        btree_map(plain_key(), text().prop_map(string), 0..4),
        option::of(prop_oneof![Just("10.0.0.1"), Just("2001:db8::7"), Just("db.internal")]),
        option::of(1i64..65_536),
        option::of(name()),
    );
    let status = prop_oneof![
        Just(Status::default()),
        "[a-z ]{0,5}".prop_map(|message| Status { message, code: 1 }),
        "[a-z ]{0,5}".prop_map(|message| Status { message, code: 2 }),
    ];
    let times = (1_000_000u64..2_000_000_000_000_000, 0u64..1_000_000);
    let rest = (vec(event(), 0..3), vec(link(), 0..3), status);
    (ids, name(), "[a-z=,]{0,6}", 0..6i32, times, attributes, rest).prop_map(
        |((trace_id, span_id, parent), name, trace_state, kind, times, attributes, rest)| {
            let (mut attributes, address, port, peer) = attributes;
            let int = |int| AnyValue { value: Some(Any::IntValue(int)) };
            let named = peer.is_some();
            attributes.extend(peer.map(|peer| ("service.peer.name".to_owned(), string(peer))));
            attributes.extend(
                address.map(|ip| ("network.peer.address".to_owned(), string(ip.to_owned()))),
            );
            // A port with nobody to belong to becomes text.
            let port = port.filter(|_| named);
            attributes.extend(port.map(|port| ("net.peer.port".to_owned(), int(port))));
            Span {
                trace_id: trace_id.to_vec(),
                parent_span_id: span_id.iter().filter(|_| parent).map(|byte| byte ^ 0x55).collect(),
                span_id: span_id.to_vec(),
                name,
                trace_state,
                kind,
                start_time_unix_nano: times.0 * 1000,
                end_time_unix_nano: (times.0 + times.1) * 1000,
                attributes: key_values(attributes),
                events: rest.0,
                links: rest.1,
                status: Some(rest.2),
                ..Span::default()
            }
        },
    )
}

fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope = (option::of(name()), option::of(name())).prop_map(|(name, version)| {
        Some(InstrumentationScope {
            name: name.unwrap_or_default(),
            version: version.unwrap_or_default(),
            ..InstrumentationScope::default()
        })
    });
    let source = proptest::sample::select(&["service.name", "faas.name"][..]);
    let resource =
        (option::of((source, name())), option::of(text())).prop_map(|(service, host)| {
            let mut attributes = BTreeMap::new();
            attributes.extend(service.map(|(key, name)| (key.to_owned(), string(name))));
            attributes.extend(host.map(|host| ("host.name".to_owned(), string(host))));
            Some(Resource { attributes: key_values(attributes), ..Resource::default() })
        });
    (resource, scope, vec(span(), 1..4)).prop_map(|(resource, scope, spans)| {
        let scope_spans = vec![ScopeSpans { scope, spans, ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { resource, scope_spans, ..Default::default() }];
        ExportTraceServiceRequest { resource_spans }
    })
}

fn payload(request: &ExportTraceServiceRequest) -> Payload {
    Payload::decode(Signal::Traces, Bytes::from(request.encode_to_vec())).unwrap().payload
}

/// A span in Zipkin JSON as its server would hand it out: names in lower case, full ids, text tags.
fn zipkin_span() -> impl Strategy<Value = Value> {
    let optional = |key: &'static str, strategy: proptest::strategy::BoxedStrategy<Value>| {
        option::of(strategy).prop_map(move |value| value.map(|value| (key.to_owned(), value)))
    };
    let id = || "[1-9a-f]{16}".prop_map(Value::from).boxed();
    let kind = proptest::sample::select(&["CLIENT", "SERVER", "PRODUCER", "CONSUMER"][..]);
    let endpoint = || {
        let name = optional("serviceName", name().prop_map(Value::from).boxed());
        let addresses = std::vec![("ipv4", "10.0.0.1"), ("ipv6", "2001:db8::7")];
        let address = option::of(proptest::sample::select(addresses)).prop_map(|address| {
            address.map(|(key, address)| (key.to_owned(), Value::from(address)))
        });
        let port = optional("port", (1u16..).prop_map(Value::from).boxed());
        (name, address, port).prop_filter_map("an endpoint has a name or an address", |parts| {
            let named = parts.0.is_some() || parts.1.is_some();
            let all = [parts.0, parts.1, parts.2];
            named.then(|| Value::Object(all.into_iter().flatten().collect::<Map<_, _>>()))
        })
    };
    let annotation = (1u64..2_000_000_000_000_000, text())
        .prop_map(|(timestamp, value)| json!({"timestamp": timestamp, "value": value}));
    let key = prop_oneof![
        plain_key(),
        proptest::sample::select(
            &[
                "host.name",
                "otel.library.name",
                "otel.scope.version",
                "error",
                "w3c.tracestate",
                "otlp.link.0",
                "otlp.link.3",
                "http.route",
                "k8s.pod.name"
            ][..]
        )
        .prop_map(str::to_owned),
    ];
    let tags = btree_map(key, name().prop_map(Value::from), 1..6)
        .prop_map(|tags| tags.into_iter().collect::<Map<_, _>>().into());
    let micros = || (1_000_000u64..2_000_000_000_000_000).prop_map(Value::from).boxed();
    (
        ["[1-9a-f]{16}", "[1-9a-f]{32}"].map(|pattern| pattern.prop_map(Value::from)),
        any::<bool>(),
        id(),
        optional("parentId", id()),
        optional("name", name().prop_map(Value::from).boxed()),
        optional("kind", kind.prop_map(Value::from).boxed()),
        (micros(), optional("duration", micros())),
        (endpoint(), optional("remoteEndpoint", endpoint().boxed())),
        optional("annotations", vec(annotation, 1..3).prop_map(Value::from).boxed()),
        optional("tags", tags.boxed()),
    )
        .prop_map(
            |(trace_ids, long, id, parent, name, kind, times, endpoints, notes, tags)| {
                let trace_id = trace_ids[usize::from(long)].clone();
                let mut span = Map::new();
                span.insert("traceId".to_owned(), trace_id);
                span.insert("id".to_owned(), id);
                span.insert("timestamp".to_owned(), times.0);
                span.insert("localEndpoint".to_owned(), endpoints.0);
                span.extend(
                    [parent, name, kind, times.1, endpoints.1, notes, tags].into_iter().flatten(),
                );
                Value::Object(span)
            },
        )
}

/// What comes back differently, by rule: a service without a name gets one, the newer names of the scope become the older ones, a failed span has
/// a status and an error's text stays.
fn as_sent_again(span: &Value) -> Value {
    let mut span = span.clone();
    if span["localEndpoint"]["serviceName"].is_null() {
        span["localEndpoint"]["serviceName"] = "otlpresourcenoservicename".into();
    }
    if let Some(tags) = span.get_mut("tags").and_then(Value::as_object_mut) {
        if let Some(version) = tags.remove("otel.scope.version") {
            tags.insert("otel.library.version".to_owned(), version);
        }
        if tags.contains_key("error") {
            tags.insert("otel.status_code".to_owned(), "STATUS_CODE_ERROR".into());
        }
    }
    span
}

proptest::proptest! {
    #[test]
    fn exported_spans_are_imported_as_they_were(request in request()) {
        let body = translate(&payload(&request), &Options::of(translate::Format::Json)).body;
        let mut expected = otlp::normal(&request);
        let mut actual = otlp::normal(&read(&body, Format::Json, false));
        // Links' and events' attributes are compared as they are, a request's schema fields not at all.
        sort_spans(&mut expected);
        sort_spans(&mut actual);
        assert_eq!(actual, expected, "{}", String::from_utf8_lossy(&body));

        let body = translate(&payload(&request), &Options::of(translate::Format::Proto)).body;
        let mut from_proto = otlp::normal(&read(&body, Format::Proto, false));
        sort_spans(&mut from_proto);
        assert_eq!(from_proto, expected);
    }

    #[test]
    fn imported_spans_are_exported_as_they_came(spans in vec(zipkin_span(), 1..4)) {
        let body = Value::from(spans.clone()).to_string();
        let payload = decode(body.as_bytes(), Format::Json, false).unwrap().payload;
        let again = translate(&payload, &Options::of(translate::Format::Json)).body;
        let by_id = |spans: Vec<Value>| -> Vec<Value> {
            let mut spans = spans;
            spans.sort_by_key(Value::to_string);
            spans
        };
        let actual = by_id(serde_json::from_slice(&again).unwrap());
        let expected = by_id(spans.iter().map(as_sent_again).collect());
        assert_eq!(Value::from(actual), Value::from(expected));
    }
}

/// Spans of a scope in the order of their encoding, which neither side promises to keep.
fn sort_spans(request: &mut Value) {
    for resource_spans in request["resourceSpans"].as_array_mut().unwrap() {
        for scope_spans in resource_spans["scopeSpans"].as_array_mut().unwrap() {
            scope_spans["spans"].as_array_mut().unwrap().sort_by_key(Value::to_string);
        }
    }
}
