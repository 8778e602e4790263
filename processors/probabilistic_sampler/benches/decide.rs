//! What a span costs in the sampler: payloads of 100 spans with eight attributes, about 30 kB. Divide by 100 for the time of a span.
//!
//! The processor is measured whole, from one consumer to the next. `nothing` is the same without it, `floor` only looks at each span.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};

use bytes::Bytes;
use confmap::{Diagnostics, Node, Section};
use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use pdata::wire::{put_fixed64, put_len, put_message, put_uint};
use pdata::{Payload, Signal};
use pipeline::{
    BoxFuture, ComponentKind, ConsumeError, Consumer, Context, Envelope, Outlet, Process, Processor,
};

/// Shows what is allocated, beside the time.
#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const SPANS: usize = 100;

fn main() {
    divan::main();
}

/// New spans: each one that is kept gets a trace state.
#[divan::bench(args = [
    "{mode: hash_seed, sampling_percentage: 100}",
    "{mode: hash_seed, sampling_percentage: 10}",
    "{mode: equalizing, sampling_percentage: 100}",
    "{mode: equalizing, sampling_percentage: 10}",
    "{mode: proportional, sampling_percentage: 10}",
    "{mode: equalizing, sampling_percentage: 0}",
])]
fn new_spans(bencher: Bencher<'_, '_>, settings: &str) {
    run(bencher, &sampler(settings), &payload(Signal::Traces, ""));
}

/// Spans that need no new trace state.
#[divan::bench(args = ["ot=th:0", "ot=rv:ffffffffffffff;th:c,vendor=t61rcWkgMzE"])]
fn unchanged_spans(bencher: Bencher<'_, '_>, state: &str) {
    let settings = "{mode: equalizing, sampling_percentage: 100}";
    run(bencher, &sampler(settings), &payload(Signal::Traces, state));
}

#[divan::bench(args = [
    "{mode: hash_seed, sampling_percentage: 10}",
    "{mode: hash_seed, sampling_percentage: 10, attribute_source: record, from_attribute: key.7}",
    "{mode: equalizing, sampling_percentage: 10}",
])]
fn new_log_records(bencher: Bencher<'_, '_>, settings: &str) {
    let processor = sampler_of(settings, Signal::Logs);
    run(bencher, &processor, &payload(Signal::Logs, ""));
}

/// A visit to each span that looks for an attribute: what no decision can be without.
#[divan::bench]
fn floor(bencher: Bencher<'_, '_>) {
    let payload = payload(Signal::Traces, "ot=th:0");
    bencher.counter(ItemsCount::new(SPANS)).with_inputs(|| payload.clone()).bench_local_values(
        |mut payload| {
            payload.edit_spans(|_, _, span| {
                black_box(span.view().attribute("sampling.priority"));
            });
            payload
        },
    );
}

#[divan::bench]
fn nothing(bencher: Bencher<'_, '_>) {
    let next: Arc<dyn Consumer> = Arc::new(Sink);
    run(bencher, &next, &payload(Signal::Traces, ""));
}

fn run<C: Consumer + ?Sized>(bencher: Bencher<'_, '_>, consumer: &Arc<C>, payload: &Payload) {
    bencher
        .counter(ItemsCount::new(SPANS))
        .with_inputs(|| Envelope::of(payload.clone()))
        .bench_local_values(|envelope| {
            let mut offer = pin!(consumer.consume(black_box(envelope)));
            let answer = offer.as_mut().poll(&mut Task::from_waker(Waker::noop()));
            assert!(matches!(answer, Poll::Ready(Ok(()))), "the sink takes everything at once");
        });
}

struct Sink;

impl Consumer for Sink {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        black_box(envelope);
        Box::pin(std::future::ready(Ok(())))
    }
}

fn sampler(settings: &str) -> Arc<dyn Processor> {
    sampler_of(settings, Signal::Traces)
}

fn sampler_of(settings: &str, signal: Signal) -> Arc<dyn Processor> {
    let node = Node::from_yaml("bench.yaml", settings).expect("sound");
    let diagnostics = Diagnostics::new();
    let section = Section::new(Some(&node), "processors::probabilistic_sampler", &diagnostics);
    let build = (processor_probabilistic_sampler::FACTORY.parse)(section);
    let (id, kind) = ("probabilistic_sampler".parse().expect("sound"), ComponentKind::Processor);
    let context = Context::new(Process::default(), kind, id, Some(signal), None);
    build(context, Outlet::to(Arc::new(Sink))).expect("sound")
}

fn payload(signal: Signal, state: &str) -> Payload {
    let mut random = fastrand::Rng::with_seed(1);
    let mut request = Vec::new();
    put_message(&mut request, 1, |resource| {
        put_message(resource, 1, |out| attribute(out, 1, "service.name", "checkout"));
        put_message(resource, 2, |scope| {
            for _ in 0..SPANS {
                let trace = random.u128(..).to_be_bytes();
                put_message(scope, 2, |item| match signal {
                    Signal::Logs => log_record(item, &trace),
                    _ => span(item, &trace, state),
                });
            }
        });
    });
    Payload::decode(signal, Bytes::from(request)).expect("sound").payload
}

fn span(out: &mut Vec<u8>, trace: &[u8; 16], state: &str) {
    put_len(out, 1, trace);
    put_len(out, 2, &[7; 8]);
    if !state.is_empty() {
        put_len(out, 3, state.as_bytes());
    }
    put_len(out, 5, b"GET /checkout/{id}");
    put_uint(out, 6, 2);
    put_fixed64(out, 7, 1_700_000_000_000_000_000);
    put_fixed64(out, 8, 1_700_000_000_003_000_000);
    attributes(out, 9);
}

fn log_record(out: &mut Vec<u8>, trace: &[u8; 16]) {
    put_fixed64(out, 1, 1_700_000_000_000_000_000);
    put_len(out, 3, b"INFO");
    put_message(out, 5, |body| put_len(body, 1, b"order 4711 was placed"));
    attributes(out, 6);
    put_len(out, 9, trace);
}

fn attributes(out: &mut Vec<u8>, number: u32) {
    for i in 0..8 {
        attribute(out, number, &format!("key.{i}"), "a value of some length");
    }
}

fn attribute(out: &mut Vec<u8>, number: u32, key: &str, value: &str) {
    put_message(out, number, |out| {
        put_len(out, 1, key.as_bytes());
        put_message(out, 2, |out| put_len(out, 1, value.as_bytes()));
    });
}
