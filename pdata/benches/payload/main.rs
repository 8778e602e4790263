//! What a payload's operations cost, on requests of 100 spans (about 36 kB). prost's owned types are measured beside them.

mod request;

use bytes::Bytes;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use pdata::{Joiner, Payload, Signal};
use prost::Message;

const SPANS: usize = 100;

fn main() {
    divan::main();
}

fn payload() -> Payload {
    let request = Bytes::from(request::traces(SPANS));
    Payload::decode(Signal::Traces, request).expect("sound").payload
}

#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let request = Bytes::from(request::traces(SPANS));
    bencher
        .counter(ItemsCount::new(SPANS))
        .bench(|| Payload::decode(Signal::Traces, black_box(&request).clone()));
}

#[divan::bench]
fn decode_with_prost(bencher: Bencher<'_, '_>) {
    let request = Bytes::from(request::traces(SPANS));
    bencher
        .counter(ItemsCount::new(SPANS))
        .bench(|| ExportTraceServiceRequest::decode(black_box(&request[..])));
}

/// Every span and every key and value of its attributes.
#[divan::bench]
fn walk_views(bencher: Bencher<'_, '_>) {
    let payload = payload();
    bencher.counter(ItemsCount::new(SPANS)).bench(|| {
        let mut sum = 0;
        for resource in black_box(&payload).resource_spans() {
            for scope in resource.scope_spans {
                for span in scope.spans {
                    sum += span.name.as_bytes().len() + span.start_time_unix_nano as usize;
                    for attribute in span.attributes {
                        sum += attribute.key.as_bytes().len();
                        if let Some(text) = attribute.value.as_str() {
                            sum += text.as_bytes().len();
                        }
                    }
                }
            }
        }
        sum
    });
}

/// 100 requests of one span each.
#[divan::bench]
fn join(bencher: Bencher<'_, '_>) {
    let one = Bytes::from(request::traces(1));
    let one = Payload::decode(Signal::Traces, one).expect("sound").payload;
    bencher.counter(ItemsCount::new(SPANS)).bench(|| {
        let mut joiner = Joiner::new(Signal::Traces);
        for _ in 0..SPANS {
            joiner.push(black_box(&one).clone());
        }
        joiner.take()
    });
}

#[divan::bench]
fn split_in_two(bencher: Bencher<'_, '_>) {
    let payload = payload();
    bencher.counter(ItemsCount::new(SPANS)).bench(|| {
        let mut head = black_box(&payload).clone();
        let rest = head.split_off(SPANS / 2);
        (head, rest)
    });
}

/// One more attribute on each span.
#[divan::bench]
fn edit_upsert_on_spans(bencher: Bencher<'_, '_>) {
    let payload = payload();
    bencher.counter(ItemsCount::new(SPANS)).with_inputs(|| payload.clone()).bench_values(
        |mut p| {
            p.edit_spans(|_, _, span| {
                span.attributes().set("deployment.ring", "canary").expect("flat");
            });
            p
        },
    );
}

/// What a transformation does: four attributes and two fields on each span.
#[divan::bench]
fn edit_six_times_on_spans(bencher: Bencher<'_, '_>) {
    let payload = payload();
    bencher.counter(ItemsCount::new(SPANS)).with_inputs(|| payload.clone()).bench_values(
        |mut p| {
            p.edit_spans(|_, _, span| {
                span.set_name("renamed");
                span.attributes().set("deployment.ring", "canary").expect("flat");
                span.attributes().set("team", "lending").expect("flat");
                span.attributes().remove("server.address");
                span.attributes().remove("user_agent.original");
                span.set_kind(pdata::view::SpanKind::Internal);
            });
            p
        },
    );
}

/// An attribute looked up on each span, and nothing changed.
#[divan::bench]
fn edit_nothing(bencher: Bencher<'_, '_>) {
    let payload = payload();
    bencher.counter(ItemsCount::new(SPANS)).with_inputs(|| payload.clone()).bench_values(
        |mut p| {
            p.edit_spans(|_, _, span| {
                span.attributes().remove("password");
            });
            p
        },
    );
}

/// One more attribute on the resource.
#[divan::bench]
fn edit_upsert_on_resource(bencher: Bencher<'_, '_>) {
    let payload = payload();
    bencher.counter(ItemsCount::new(SPANS)).with_inputs(|| payload.clone()).bench_values(
        |mut p| {
            p.edit_resources(|resource| {
                resource.attributes().set("deployment.ring", "canary").expect("flat");
            });
            p
        },
    );
}

/// The same as [`edit_upsert_on_spans`] with owned types.
#[divan::bench]
fn edit_upsert_on_spans_with_prost(bencher: Bencher<'_, '_>) {
    let request = Bytes::from(request::traces(SPANS));
    bencher.counter(ItemsCount::new(SPANS)).bench(|| {
        let mut request = ExportTraceServiceRequest::decode(&request[..]).expect("sound");
        for resource in &mut request.resource_spans {
            for scope in &mut resource.scope_spans {
                for span in &mut scope.spans {
                    let value = Value::StringValue("canary".to_owned());
                    let value = Some(AnyValue { value: Some(value) });
                    match span.attributes.iter_mut().find(|a| a.key == "deployment.ring") {
                        Some(attribute) => attribute.value = value,
                        None => span.attributes.push(KeyValue {
                            key: "deployment.ring".to_owned(),
                            value,
                            key_strindex: 0,
                        }),
                    }
                }
            }
        }
        request.encode_to_vec()
    });
}

#[divan::bench]
fn from_json(bencher: Bencher<'_, '_>) {
    let mut json = Vec::new();
    payload().to_json(&mut json);
    bencher
        .counter(ItemsCount::new(SPANS))
        .bench(|| Payload::from_json(Signal::Traces, black_box(&json)));
}

/// The same with owned types, which are still to be encoded then.
#[divan::bench]
fn from_json_with_serde(bencher: Bencher<'_, '_>) {
    let mut json = Vec::new();
    payload().to_json(&mut json);
    bencher.counter(ItemsCount::new(SPANS)).bench(|| {
        serde_json::from_slice::<ExportTraceServiceRequest>(black_box(&json)).expect("sound")
    });
}

#[divan::bench]
fn to_json(bencher: Bencher<'_, '_>) {
    let payload = payload();
    bencher.counter(ItemsCount::new(SPANS)).bench(|| {
        let mut json = Vec::new();
        black_box(&payload).to_json(&mut json);
        json
    });
}
