//! The translation against golden cases, a plain model and Zipkin's own rules.

mod golden;
mod model;
mod property;
mod schema;
mod zipkin_proto;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use pdata::{Payload, Signal};
use prost::Message as _;
use serde_json::{Value, json};

use super::{Dropped, Format, Options, Translation, translate};

fn payload(request: &ExportTraceServiceRequest) -> Payload {
    let bytes = Bytes::from(request.encode_to_vec());
    Payload::decode(Signal::Traces, bytes).unwrap().payload
}

fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, any_value::Value::StringValue(value.to_owned()))
}

fn span(number: u8) -> Span {
    Span {
        trace_id: vec![7; 16],
        span_id: vec![number; 8],
        start_time_unix_nano: 1_700_000_000_000_000_000,
        ..Span::default()
    }
}

fn request(resource: Vec<KeyValue>, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource = Some(Resource { attributes: resource, ..Resource::default() });
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

fn json(translation: &Translation) -> Value {
    serde_json::from_slice(&translation.body).unwrap()
}

/// The tags of the only span.
fn tags(resource: Vec<KeyValue>, attributes: Vec<KeyValue>) -> Value {
    let request = request(resource, vec![Span { attributes, ..span(1) }]);
    let mut spans = json(&translate(&payload(&request), &Options::of(Format::Json)));
    spans[0]["tags"].take()
}

#[test]
fn span_that_cannot_be_sent_is_counted_by_reason_and_the_others_go() {
    let unsendable = [
        Span { trace_id: vec![0; 16], ..span(2) },
        Span { trace_id: vec![1; 8], ..span(3) },
        Span { trace_id: Vec::new(), ..span(4) },
        Span { span_id: vec![0; 8], ..span(5) },
        Span { span_id: vec![1; 4], ..span(6) },
    ];
    let spans = [&[span(1)], unsendable.as_slice(), &[span(7)]].concat();
    let payload = payload(&request(Vec::new(), spans));
    for format in [Format::Json, Format::Proto] {
        let translation = translate(&payload, &Options::of(format));
        assert_eq!(translation.spans, 2);
        assert_eq!(translation.dropped, Dropped { trace_id: 3, span_id: 2 });
        assert_eq!(translation.consumed(), payload.items());
    }
    let json = json(&translate(&payload, &Options::of(Format::Json)));
    assert_eq!(json[0]["id"], "0101010101010101");
    assert_eq!(json[1]["id"], "0707070707070707");
}

#[test]
fn body_without_spans_is_a_whole_body() {
    let payload = payload(&request(Vec::new(), vec![Span { span_id: Vec::new(), ..span(1) }]));
    assert_eq!(translate(&payload, &Options::of(Format::Json)).body, b"[]");
    assert_eq!(translate(&payload, &Options::of(Format::Proto)).body, b"");
}

#[test]
fn bodies_of_bounded_size_hold_every_span_once() {
    let spans: Vec<Span> = (1..=40)
        .map(|number| Span { name: "n".repeat(usize::from(number) * 7), ..span(number) })
        .collect();
    for format in [Format::Json, Format::Proto] {
        for body_len_max in [0, 1, 150, 151, 300, 777, 5000] {
            let mut rest = payload(&request(vec![text("service.name", "a")], spans.clone()));
            let mut ids = Vec::new();
            while !rest.is_empty() {
                let options = Options { body_len_max, ..Options::of(format) };
                let translation = translate(&rest, &options);
                let fits = translation.body.len() <= body_len_max;
                assert!(fits || translation.spans == 1, "{body_len_max}: {translation:?}");
                ids.extend(match format {
                    Format::Json => schema::ids_of_json(&translation.body),
                    Format::Proto => schema::ids_of_proto(&translation.body),
                });
                rest = rest.split_off(translation.consumed());
            }
            let expected: Vec<String> = (1..=40u8).map(|n| format!("{n:02x}").repeat(8)).collect();
            assert_eq!(ids, expected, "{format:?} {body_len_max}");
        }
    }
}

#[test]
fn bounded_body_is_filled_as_far_as_it_goes() {
    let payload = payload(&request(Vec::new(), vec![span(1); 10]));
    for format in [Format::Json, Format::Proto] {
        let whole = translate(&payload, &Options::of(format)).body.len();
        for (body_len_max, spans) in [(whole, 10), (whole - 1, 9)] {
            let options = Options { body_len_max, ..Options::of(format) };
            assert_eq!(translate(&payload, &options).spans, spans, "{format:?}");
        }
    }
}

#[test]
fn doubles_outside_json_keep_their_names_in_tags_lists_and_annotations() {
    use any_value::Value::{ArrayValue, DoubleValue};
    let all = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e21];
    let list = all.iter().map(|double| AnyValue { value: Some(DoubleValue(*double)) }).collect();
    let attributes = vec![
        attribute("nan", DoubleValue(f64::NAN)),
        attribute("inf", DoubleValue(f64::INFINITY)),
        attribute("neg", DoubleValue(f64::NEG_INFINITY)),
        attribute(
            "list",
            ArrayValue(opentelemetry_proto::tonic::common::v1::ArrayValue { values: list }),
        ),
    ];
    let event = opentelemetry_proto::tonic::trace::v1::span::Event {
        time_unix_nano: 1_700_000_000_000_000_000,
        name: "e".to_owned(),
        attributes: vec![attribute("nan", DoubleValue(f64::NAN))],
        ..Default::default()
    };
    let request = request(Vec::new(), vec![Span { attributes, events: vec![event], ..span(1) }]);
    let span = &json(&translate(&payload(&request), &Options::of(Format::Json)))[0];
    assert_eq!(
        span["tags"],
        json!({
            "nan": "NaN", "inf": "Infinity", "neg": "-Infinity",
            "list": r#"["NaN","Infinity","-Infinity",1e+21]"#,
        })
    );
    assert_eq!(span["annotations"][0]["value"], r#"e|{"nan":"NaN"}|0"#);
}

#[test]
fn key_of_the_span_replaces_the_inherited_one_however_many_there_are() {
    for count in [1, 10, 70, 400] {
        let key = |number: usize| format!("k{number}");
        let inherited = (0..count).map(|number| text(&key(number), "old")).collect();
        let own = (0..count).step_by(3).map(|number| text(&key(number), "new")).collect();
        let tags = tags(inherited, own);
        assert_eq!(tags.as_object().unwrap().len(), count);
        for number in 0..count {
            let expected = if number % 3 == 0 { "new" } else { "old" };
            assert_eq!(tags[key(number)], expected, "{number} of {count}");
        }
    }
}

#[test]
fn own_link_replaces_an_attribute_that_looks_like_one() {
    let link = opentelemetry_proto::tonic::trace::v1::span::Link {
        trace_id: vec![0xaa; 16],
        span_id: vec![0xbb; 8],
        ..Default::default()
    };
    let spans = vec![
        Span {
            attributes: vec![text("otlp.link.0", "own"), text("otlp.link.1", "kept")],
            links: vec![link],
            ..span(1)
        },
        span(2),
    ];
    let resource = vec![text("otlp.link.0", "inherited"), text("otlp.link.2", "kept")];
    let request = request(resource, spans);
    let spans = json(&translate(&payload(&request), &Options::of(Format::Json)));
    let real = format!("{}|{}||{{}}|0", "aa".repeat(16), "bb".repeat(8));
    assert_eq!(
        spans[0]["tags"],
        json!({"otlp.link.0": real, "otlp.link.1": "kept", "otlp.link.2": "kept"})
    );
    assert_eq!(spans[1]["tags"], json!({"otlp.link.0": "inherited", "otlp.link.2": "kept"}));
}

#[test]
fn service_without_a_name_gets_the_default() {
    let payload = payload(&request(Vec::new(), vec![span(1)]));
    let options = Options { default_service_name: "Shop", ..Options::of(Format::Json) };
    let spans = json(&translate(&payload, &options));
    assert_eq!(spans[0]["localEndpoint"], json!({"serviceName": "shop"}));
}
