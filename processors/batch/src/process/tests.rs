use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use pdata::{Payload, wire};
use pipeline::{ComponentKind, MemoryBudget, Process};

use super::*;

/// Takes what it gets, unless told to refuse.
#[derive(Default)]
struct Next {
    got: Mutex<Vec<Envelope>>,
    refuses: AtomicBool,
    refuses_for_good: AtomicBool,
    offered: Notify,
}

impl Next {
    fn sizes(&self) -> Vec<usize> {
        lock(&self.got).iter().map(Envelope::items).collect()
    }
}

impl Consumer for Next {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        Box::pin(async move {
            self.offered.notify_one();
            if self.refuses_for_good.load(Ordering::Relaxed) {
                return Err(ConsumeError::permanent("no"));
            }
            if self.refuses.load(Ordering::Relaxed) {
                return Err(ConsumeError::overloaded("full"));
            }
            lock(&self.got).push(envelope);
            Ok(())
        })
    }
}

/// A payload of `spans` empty spans.
fn traces(spans: usize) -> Payload {
    let mut request = Vec::new();
    wire::put_message(&mut request, 1, |resource| {
        wire::put_message(resource, 2, |scope| {
            for _ in 0..spans {
                wire::put_len(scope, 2, &[]);
            }
        });
    });
    Payload::decode(Signal::Traces, Bytes::from(request)).unwrap().payload
}

fn from_tenant(tenant: &str, spans: usize) -> Envelope {
    let metadata = vec![("tenant".to_owned(), tenant.to_owned())];
    let client = Arc::new(Client { metadata, ..Client::default() });
    Envelope { client, ..Envelope::of(traces(spans)) }
}

async fn started(config: Config) -> (Batch, Arc<Next>, Process) {
    let process = Process::default();
    let (batch, next) = started_in(process.clone(), config).await;
    (batch, next, process)
}

async fn started_in(process: Process, config: Config) -> (Batch, Arc<Next>) {
    let next = Arc::new(Next::default());
    let id = "batch".parse().unwrap();
    let pipeline = Some("traces".parse().unwrap());
    let signal = Some(Signal::Traces);
    let context = Context::new(process, ComponentKind::Processor, id, signal, pipeline);
    let batch = Batch::new(Arc::new(config), context, Outlet::to(next.clone()));
    batch.start().await.unwrap();
    (batch, next)
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

/// Lets the sending task do what it can without time passing.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn batch_goes_when_it_is_full_and_not_before() {
    let (batch, next, _) = started(Config { send_batch_size: 10, ..Config::default() }).await;
    for _ in 0..3 {
        batch.consume(Envelope::of(traces(3))).await.unwrap();
    }
    settle().await;
    assert!(next.sizes().is_empty());
    batch.consume(Envelope::of(traces(3))).await.unwrap();
    settle().await;
    assert_eq!(next.sizes(), [12]);
}

#[tokio::test(start_paused = true)]
async fn batch_goes_when_its_first_item_has_waited_long_enough() {
    let (batch, next, _) = started(Config::default()).await;
    batch.consume(Envelope::of(traces(1))).await.unwrap();
    tokio::time::advance(Duration::from_millis(150)).await;
    batch.consume(Envelope::of(traces(1))).await.unwrap();
    settle().await;
    assert!(next.sizes().is_empty());
    tokio::time::advance(Duration::from_millis(51)).await;
    settle().await;
    assert_eq!(next.sizes(), [2]);
}

#[tokio::test(start_paused = true)]
async fn batch_has_at_most_the_maximum_of_items() {
    let config = Config { send_batch_size: 4, send_batch_max_size: 5, ..Config::default() };
    let (batch, next, _) = started(config).await;
    batch.consume(Envelope::of(traces(14))).await.unwrap();
    settle().await;
    assert_eq!(next.sizes(), [5, 5, 4]);
}

#[tokio::test(start_paused = true)]
async fn rest_of_a_cut_batch_waits_for_more_and_for_its_time() {
    let config = Config { send_batch_size: 4, send_batch_max_size: 5, ..Config::default() };
    let (batch, next, _) = started(config).await;
    batch.consume(Envelope::of(traces(13))).await.unwrap();
    settle().await;
    assert_eq!(next.sizes(), [5, 5]);
    tokio::time::advance(Duration::from_millis(201)).await;
    settle().await;
    assert_eq!(next.sizes(), [5, 5, 3]);
}

#[tokio::test(start_paused = true)]
async fn without_timeout_nothing_waits() {
    let config = Config { timeout: Duration::ZERO, ..Config::default() };
    let (batch, next, _) = started(config).await;
    batch.consume(Envelope::of(traces(2))).await.unwrap();
    settle().await;
    assert_eq!(next.sizes(), [2]);
}

#[tokio::test(start_paused = true)]
async fn clients_with_other_metadata_have_batches_of_their_own() {
    let config = Config {
        metadata_keys: vec!["tenant".into()],
        metadata_cardinality_limit: 2,
        ..Config::default()
    };
    let (batch, next, _) = started(config).await;
    for (tenant, spans) in [("a", 1), ("b", 2), ("a", 3)] {
        batch.consume(from_tenant(tenant, spans)).await.unwrap();
    }
    let refused = batch.consume(from_tenant("c", 1)).await.unwrap_err();
    assert_eq!(refused.class, Class::Permanent);
    assert_eq!(batch.flush(soon()).await, 0);
    let mut got: Vec<_> = lock(&next.got)
        .iter()
        .map(|e| (e.client.metadata("Tenant").collect::<String>(), e.items()))
        .collect();
    got.sort();
    assert_eq!(got, [("a".to_owned(), 4), ("b".to_owned(), 2)]);
}

#[tokio::test(start_paused = true)]
async fn refused_batch_is_held_and_pushes_back_until_it_is_taken() {
    let (batch, next, process) = started(Config { send_batch_size: 1, ..Config::default() }).await;
    next.refuses.store(true, Ordering::Relaxed);
    let mut accepted = 0;
    let refused = loop {
        match batch.consume(Envelope::of(traces(1))).await {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
        settle().await;
        assert!(accepted < 100, "the processor takes in without end");
    };
    assert_eq!(refused.class, Class::Overloaded);
    next.refuses.store(false, Ordering::Relaxed);
    assert_eq!(batch.shutdown(soon()).await, 0);
    assert_eq!(next.sizes().iter().sum::<usize>(), accepted);
    assert!(
        telemetry::render(&process.registry, telemetry::MetricsLevel::Normal)
            .contains("hikyaku_pipeline_held_items{pipeline=\"traces\"} 0")
    );
}

#[tokio::test(start_paused = true)]
async fn batch_refused_for_good_is_dropped_and_counted() {
    let (batch, next, process) = started(Config { send_batch_size: 1, ..Config::default() }).await;
    next.refuses_for_good.store(true, Ordering::Relaxed);
    batch.consume(Envelope::of(traces(7))).await.unwrap();
    assert_eq!(batch.shutdown(soon()).await, 0);
    let metrics = telemetry::render(&process.registry, telemetry::MetricsLevel::Normal);
    let line = "hikyaku_pipeline_dropped_items{pipeline=\"traces\",reason=\"component_failed\"} 7";
    assert!(metrics.contains(line), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn shutdown_says_what_it_gave_up_at_the_deadline() {
    let (batch, next, process) = started(Config::default()).await;
    next.refuses.store(true, Ordering::Relaxed);
    batch.consume(Envelope::of(traces(5))).await.unwrap();
    assert_eq!(batch.shutdown(soon()).await, 5);
    let metrics = telemetry::render(&process.registry, telemetry::MetricsLevel::Normal);
    let line = "hikyaku_pipeline_dropped_items{pipeline=\"traces\",reason=\"shutdown\"} 5";
    assert!(metrics.contains(line), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn memory_is_given_back_when_the_batch_is_gone() {
    let (batch, next, _) = started(Config::default()).await;
    let budget = MemoryBudget::new(1000, 1000);
    for _ in 0..3 {
        let pipeline::Admission::Granted(hold) = budget.try_hold(100) else { panic!("no room") };
        batch.consume(Envelope { hold, ..Envelope::of(traces(1)) }).await.unwrap();
    }
    assert_eq!(budget.held_bytes(), 300);
    assert_eq!(batch.flush(soon()).await, 0);
    assert_eq!(budget.held_bytes(), 300, "the next stage has the batch");
    lock(&next.got).clear();
    assert_eq!(budget.held_bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn beside_a_function_nobody_waits_for_room() {
    for (process, waits) in [
        (Process::default(), true),
        (Process::default().beside_function(pipeline::Gate::closed()), false),
    ] {
        let config = Config { send_batch_size: 1, ..Config::default() };
        let (batch, next) = started_in(process, config).await;
        next.refuses.store(true, Ordering::Relaxed);
        let begun = tokio::time::Instant::now();
        let refused = async {
            while batch.consume(Envelope::of(traces(1))).await.is_ok() {
                settle().await;
            }
        };
        assert!(soon().bound(refused).await.is_some());
        assert_eq!(!begun.elapsed().is_zero(), waits);
    }
}
