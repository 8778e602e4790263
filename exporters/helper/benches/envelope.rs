//! What the helper costs beside the send: envelopes of one span each, taken in and pushed to a backend that answers at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use config::{Batch, Queue, Retry, Timeout};
use exporter_helper::{
    EncodeError, Encoded, EncodedRequest, Push, SendError, Sent, Settings, exporter,
};
use pdata::{Payload, Signal};
use pipeline::{Client, ComponentKind, Context, Envelope, Exporter, Process};

const ENVELOPES: usize = 1000;

fn main() {
    divan::main();
}

struct Nowhere {
    items: Arc<AtomicUsize>,
}

impl Push for Nowhere {
    type Request = Payload;

    fn encode(&self, payload: &Payload, _: &Client) -> Result<Encoded<Payload>, EncodeError> {
        let (items, bytes) = (payload.items(), payload.encoded_len());
        let request = EncodedRequest::new(payload.clone(), items, bytes).memory_bytes(0);
        Ok(Encoded::one(request))
    }

    async fn send(&self, request: &Payload) -> Result<Sent, SendError> {
        self.items.fetch_add(request.items(), Ordering::Relaxed);
        Ok(Sent::all())
    }
}

fn run(bencher: divan::Bencher<'_, '_>, queue: Option<Queue>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let items = Arc::new(AtomicUsize::new(0));
    let id = "bench".parse().expect("an id");
    let kind = ComponentKind::Exporter;
    let context = Context::new(Process::default(), kind, id, Some(Signal::Traces), None);
    let (timeout, retry) = (Timeout::default(), Some(Retry::default()));
    let settings = Settings { timeout, retry, queue, labels: Vec::new() };
    let push = Nowhere { items: items.clone() };
    let exporter: Arc<dyn Exporter> = exporter(context, settings, push).expect("an exporter");
    let payload = pipeline::testing::payload(Signal::Traces, 1);
    bencher.counter(divan::counter::ItemsCount::new(ENVELOPES)).bench_local(|| {
        runtime.block_on(async {
            items.store(0, Ordering::Relaxed);
            for _ in 0..ENVELOPES {
                exporter.consume(Envelope::of(payload.clone())).await.expect("there is room");
            }
            while items.load(Ordering::Relaxed) < ENVELOPES {
                tokio::task::yield_now().await;
            }
        });
    });
}

#[divan::bench]
fn queued(bencher: divan::Bencher<'_, '_>) {
    run(bencher, Some(Queue { queue_size: 10_000, ..Queue::default() }));
}

#[divan::bench]
fn batched(bencher: divan::Bencher<'_, '_>) {
    let batch = Batch { min_size: 500, ..Batch::default() };
    run(bencher, Some(Queue { queue_size: 10_000, batch: Some(batch), ..Queue::default() }));
}

#[divan::bench]
fn unqueued(bencher: divan::Bencher<'_, '_>) {
    run(bencher, None);
}

#[divan::bench]
fn payload_clones_alone(bencher: divan::Bencher<'_, '_>) {
    let payload = pipeline::testing::payload(Signal::Traces, 1);
    bencher.counter(divan::counter::ItemsCount::new(ENVELOPES)).bench_local(|| {
        for _ in 0..ENVELOPES {
            divan::black_box(Envelope::of(payload.clone()));
        }
    });
}
