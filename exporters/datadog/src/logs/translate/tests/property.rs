//! Anything that can be sent, against the model.

use bytes::Bytes;
use pdata::wire::{put_fixed64, put_len, put_message, put_uint};
use pdata::{Payload, Signal};
use proptest::collection::vec;
use proptest::prelude::{
    BoxedStrategy, Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use proptest::sample::select;

use super::{items, model};

/// Keys that mean something, in several cases, and some that mean nothing.
const KEYS: [&str; 40] = [
    "msg",
    "message",
    "Log",
    "status",
    "SEVERITY",
    "level",
    "syslog.severity",
    "trace_id",
    "TraceID",
    "contextmap.traceid",
    "span_id",
    "otelspanid",
    "ddtags",
    "DDTags",
    "hostname",
    "service",
    "ddsource",
    "datadog.log.source",
    "service.name",
    "host.name",
    "cloud.provider",
    "cloud.platform",
    "aws.ecs.launchtype",
    "host.id",
    "dd.trace_id",
    "otel.trace_id",
    "dd.span_id",
    "otel.span_id",
    "@timestamp",
    "otel.timestamp",
    "otel.severity_text",
    "otel.severity_number",
    "otel.event_name",
    "otel.body",
    "otel.scope.name",
    "otel.message",
    "",
    "a",
    "a.b",
    "b",
];

const TEXTS: [&str; 12] = [
    "",
    "x",
    "aws",
    "aws_lambda",
    "fargate",
    "localhost",
    "error",
    "5b8efff798038103d269b633813fc60c",
    "5B8EFFF798038103D269B633813FC60C",
    "eee19b7ec3c1b174",
    "00000000000000000000000000000000",
    "q\"\\\u{2028}\u{1}日",
];

/// A value of an attribute.
#[derive(Clone, Debug)]
enum Any {
    Empty,
    Text(String),
    Bool(bool),
    Int(i64),
    Double(f64),
    List(Vec<Any>),
    Map(Vec<(String, Any)>),
    Bytes(Vec<u8>),
}

type Pairs = Vec<(String, Any)>;

#[derive(Clone, Debug)]
struct Record {
    time: u64,
    observed: u64,
    severity: i32,
    severity_text: String,
    body: Any,
    attributes: Pairs,
    trace_id: Vec<u8>,
    span_id: Vec<u8>,
    event_name: String,
}

/// Resources, with scopes, with records.
type Groups = Vec<(Pairs, Vec<(Pairs, String, Vec<Record>)>)>;

fn key() -> BoxedStrategy<String> {
    prop_oneof![6 => select(&KEYS[..]).prop_map(str::to_owned), 1 => "\\PC{0,4}"].boxed()
}

fn text() -> BoxedStrategy<String> {
    prop_oneof![4 => select(&TEXTS[..]).prop_map(str::to_owned), 1 => "\\PC{0,8}"].boxed()
}

fn value() -> BoxedStrategy<Any> {
    let leaf = prop_oneof![
        Just(Any::Empty),
        text().prop_map(Any::Text),
        text().prop_map(Any::Text),
        any::<bool>().prop_map(Any::Bool),
        any::<i64>().prop_map(Any::Int),
        proptest::num::f64::ANY.prop_map(Any::Double),
        vec(any::<u8>(), 0..4).prop_map(Any::Bytes),
    ];
    leaf.prop_recursive(12, 40, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Any::List),
            vec((key(), inner), 0..3).prop_map(Any::Map),
        ]
    })
    .boxed()
}

fn pairs() -> BoxedStrategy<Pairs> {
    vec((key(), value()), 0..8).boxed()
}

fn record() -> BoxedStrategy<Record> {
    let half = |len: usize| (0..len).map(|at| u8::from(at < len / 2)).collect::<Vec<u8>>();
    let id = |len: usize| {
        prop_oneof![Just(vec![]), Just(vec![0; len]), Just(half(len)), vec(any::<u8>(), len)]
    };
    let times = (prop_oneof![Just(0), any::<u64>()], prop_oneof![Just(0), any::<u64>()]);
    let severity = (prop_oneof![-1..30i32, any::<i32>()], text());
    (times, severity, value(), pairs(), id(16), id(8), text())
        .prop_map(|(times, severity, body, attributes, trace_id, span_id, event_name)| Record {
            time: times.0,
            observed: times.1,
            severity: severity.0,
            severity_text: severity.1,
            body,
            attributes,
            trace_id,
            span_id,
            event_name,
        })
        .boxed()
}

fn groups() -> BoxedStrategy<Groups> {
    let scope = (pairs(), text(), vec(record(), 0..3));
    vec((pairs(), vec(scope, 0..3)), 0..3).boxed()
}

fn put_value(out: &mut Vec<u8>, value: &Any) {
    match value {
        Any::Empty => {}
        Any::Text(text) => put_len(out, 1, text.as_bytes()),
        Any::Bool(bool) => put_uint(out, 2, u64::from(*bool)),
        Any::Int(int) => put_uint(out, 3, *int as u64),
        Any::Double(double) => put_fixed64(out, 4, double.to_bits()),
        Any::List(list) => put_message(out, 5, |out| {
            for value in list {
                put_message(out, 1, |out| put_value(out, value));
            }
        }),
        Any::Map(pairs) => put_message(out, 6, |out| put_pairs(out, 1, pairs)),
        Any::Bytes(bytes) => put_len(out, 7, bytes),
    }
}

fn put_pairs(out: &mut Vec<u8>, number: u32, pairs: &Pairs) {
    for (key, value) in pairs {
        put_message(out, number, |out| {
            put_len(out, 1, key.as_bytes());
            put_message(out, 2, |out| put_value(out, value));
        });
    }
}

fn payload(groups: &Groups) -> Payload {
    let mut request = Vec::new();
    for (resource, scopes) in groups {
        put_message(&mut request, 1, |out| {
            put_message(out, 1, |out| put_pairs(out, 1, resource));
            for (attributes, name, records) in scopes {
                put_message(out, 2, |out| {
                    put_message(out, 1, |out| {
                        put_len(out, 1, name.as_bytes());
                        put_pairs(out, 3, attributes);
                    });
                    for record in records {
                        put_message(out, 2, |out| put_record(out, record));
                    }
                });
            }
        });
    }
    Payload::decode(Signal::Logs, Bytes::from(request)).unwrap().payload
}

fn put_record(out: &mut Vec<u8>, record: &Record) {
    put_fixed64(out, 1, record.time);
    put_uint(out, 2, i64::from(record.severity) as u64);
    put_len(out, 3, record.severity_text.as_bytes());
    put_message(out, 5, |out| put_value(out, &record.body));
    put_pairs(out, 6, &record.attributes);
    put_len(out, 9, &record.trace_id);
    put_len(out, 10, &record.span_id);
    put_fixed64(out, 11, record.observed);
    put_len(out, 12, record.event_name.as_bytes());
}

/// A JSON text in which no object has a key twice.
struct Unique;

impl<'de> serde::Deserialize<'de> for Unique {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Unique;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("anything")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Unique, A::Error> {
                let mut seen = std::collections::HashSet::new();
                while let Some(key) = map.next_key::<String>()? {
                    map.next_value::<Unique>()?;
                    if !seen.insert(key.clone()) {
                        return Err(serde::de::Error::custom(format!("{key:?} comes twice")));
                    }
                }
                Ok(Unique)
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Unique, A::Error> {
                while seq.next_element::<Unique>()?.is_some() {}
                Ok(Unique)
            }

            fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
                Ok(Unique)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
                Ok(Unique)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
                Ok(Unique)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
                Ok(Unique)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
                Ok(Unique)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

proptest! {
    #[test]
    fn every_record_becomes_what_the_model_says(groups in groups(), has_host in any::<bool>()) {
        let payload = payload(&groups);
        let host = if has_host { "fallback" } else { "" };
        let (expected, actual) = (model::items(&payload, host), items(&payload, host));
        prop_assert_eq!(&actual, &expected, "{:#}", serde_json::to_string(&actual).unwrap());
        prop_assert_eq!(actual.len(), payload.items());
    }

    #[test]
    fn body_is_json_in_which_no_name_comes_twice(groups in groups()) {
        let mut body = Vec::new();
        let payload = payload(&groups);
        let done = super::translate(&payload, &super::Options { fallback_host: "", function: None }, &mut body);
        prop_assert_eq!(done.written, payload.items());
        let read = serde_json::from_slice::<Vec<Unique>>(&body);
        prop_assert!(read.is_ok(), "{}: {}", read.err().unwrap(), String::from_utf8_lossy(&body));
    }

    #[test]
    fn payload_that_is_cut_makes_the_same_items(groups in groups(), cut in 0..6usize) {
        let payload = payload(&groups);
        let mut first = payload.clone();
        let rest = first.split_off(cut);
        let parts = [items(&first, "h"), items(&rest, "h")].concat();
        prop_assert_eq!(parts, items(&payload, "h"));
    }

    #[test]
    fn bytes_that_are_a_payload_by_chance_do_no_harm(bytes in vec(any::<u8>(), 0..200)) {
        let mut request = Vec::new();
        put_message(&mut request, 1, |out| put_message(out, 2, |out| put_len(out, 2, &bytes)));
        if let Ok(decoded) = Payload::decode(Signal::Logs, Bytes::from(request)) {
            prop_assert_eq!(items(&decoded.payload, "").len(), decoded.payload.items());
        }
    }
}
