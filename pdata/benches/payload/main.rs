//! What a payload's operations cost, on requests of 100 spans (about 36 kB). prost's owned types are measured beside them.

mod request;

use bytes::Bytes;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
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
