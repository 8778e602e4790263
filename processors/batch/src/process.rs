//! The processor: one accumulator and one sending task for each combination of client metadata.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pdata::Signal;
use pipeline::{
    BoxFuture, Class, Client, Component, ConsumeError, Consumer, Context, Deadline, Envelope,
    Hosting, Outlet, Processor,
};
use telemetry::names::{self, DropReason, label};
use telemetry::{Counter, Gauge, Histogram};
use tokio::sync::Notify;

use crate::accumulator::Accumulator;
use crate::config::Config;

/// Ready batches that wait for the next stage before senders have to wait, too.
const READY_BATCHES_MAX: usize = 2;
/// How long a sender waits for room before it is refused.
const PUSH_BACK: Duration = Duration::from_secs(1);
/// First and longest wait before a refused batch is offered again.
const OFFER_AGAIN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// The processor in one pipeline.
pub(crate) struct Batch {
    config: Arc<Config>,
    context: Context,
    shared: Arc<Shared>,
    /// The only shard, when batches are not told apart by metadata.
    single: Option<Arc<Shard>>,
    shards: Mutex<HashMap<Vec<Vec<String>>, Arc<Shard>>>,
}

/// What the shards have in common.
struct Shared {
    config: Arc<Config>,
    next: Outlet,
    metrics: Metrics,
}

/// The batches of one combination of client metadata.
struct Shard {
    accumulator: Mutex<Accumulator>,
    /// Work for the sending task: a first item, a full batch, a flush.
    work: Notify,
    /// Room for senders again, and progress for whoever flushes.
    sent: Notify,
    /// Items joined, ready or being sent.
    held_items: AtomicUsize,
}

struct Metrics {
    incoming: Counter,
    outgoing: Counter,
    refused: Counter,
    given_up: Counter,
    held: Gauge,
    size_trigger: Counter,
    timeout_trigger: Counter,
    cardinality: Gauge,
    send_size: Histogram,
    send_size_bytes: Histogram,
}

impl Batch {
    /// The processor, not yet started.
    pub(crate) fn new(config: Arc<Config>, context: Context, next: Outlet) -> Self {
        let shared =
            Arc::new(Shared { config: config.clone(), next, metrics: Metrics::new(&context) });
        let this = Self { config, context, shared, single: None, shards: Mutex::default() };
        let single = this.config.metadata_keys.is_empty().then(|| this.shard(Client::unknown()));
        Self { single, ..this }
    }

    /// How long a sender waits for room. Behind the sender of a function stands the function's caller.
    fn patience(&self) -> Duration {
        match self.context.process.hosting {
            Hosting::Machine => PUSH_BACK,
            Hosting::Function => Duration::ZERO,
        }
    }

    fn signal(&self) -> Signal {
        self.context.signal.unwrap_or(Signal::Traces)
    }

    fn shard(&self, client: Arc<Client>) -> Arc<Shard> {
        Arc::new(Shard {
            accumulator: Mutex::new(Accumulator::new(self.signal(), client)),
            work: Notify::new(),
            sent: Notify::new(),
            held_items: AtomicUsize::new(0),
        })
    }

    fn spawn(&self, shard: Arc<Shard>) {
        let (shared, tasks) = (self.shared.clone(), self.context.tasks.clone());
        self.context.tasks.spawn("batch", async move {
            tokio::select! {
                () = shard.run(&shared) => {}
                () = tasks.stopped() => {}
            }
        });
    }

    /// The shard for a client's metadata, made on first use.
    fn shard_for(&self, client: &Client) -> Result<Arc<Shard>, ConsumeError> {
        if let Some(single) = &self.single {
            return Ok(single.clone());
        }
        let values = |key: &String| client.metadata(key).map(str::to_owned).collect();
        let key: Vec<Vec<String>> = self.config.metadata_keys.iter().map(values).collect();
        let mut shards = lock(&self.shards);
        if let Some(shard) = shards.get(&key) {
            return Ok(shard.clone());
        }
        let limit = self.config.metadata_cardinality_limit;
        if limit > 0 && shards.len() >= limit {
            return Err(ConsumeError::permanent(format!(
                "too many batcher metadata-value combinations: metadata_cardinality_limit is {limit}"
            )));
        }
        let named = self.config.metadata_keys.iter().zip(&key);
        let metadata = named
            .flat_map(|(name, values)| values.iter().map(move |v| (name.clone(), v.clone())))
            .collect();
        let shard = self.shard(Arc::new(Client { metadata, ..Client::default() }));
        self.spawn(shard.clone());
        shards.insert(key, shard.clone());
        self.shared.metrics.cardinality.set(shards.len() as i64);
        Ok(shard)
    }

    fn all_shards(&self) -> Vec<Arc<Shard>> {
        let shards = lock(&self.shards);
        self.single.iter().chain(shards.values()).cloned().collect()
    }
}

impl Consumer for Batch {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        Box::pin(async move {
            let shard = self.shard_for(&envelope.client)?;
            shard.room(self.patience()).await?;
            shard.take(envelope, &self.shared);
            Ok(())
        })
    }
}

impl Component for Batch {
    fn start(&self) -> BoxFuture<'_, Result<(), pipeline::StartError>> {
        if let Some(single) = &self.single {
            self.spawn(single.clone());
        }
        Box::pin(async { Ok(()) })
    }

    fn flush(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            let mut held = 0;
            for shard in self.all_shards() {
                lock(&shard.accumulator).close(self.config.send_batch_max_size);
                shard.work.notify_one();
                let _in_time = deadline.bound(shard.drained()).await;
                held += shard.held_items.load(Ordering::Relaxed);
            }
            held
        })
    }

    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            self.flush(deadline).await;
            self.context.tasks.join(deadline).await;
            let held = |shard: &Arc<Shard>| shard.held_items.load(Ordering::Relaxed);
            let given_up: usize = self.all_shards().iter().map(held).sum();
            self.shared.metrics.given_up.add(given_up as u64);
            self.shared.metrics.held.sub(given_up as i64);
            given_up
        })
    }
}

impl Processor for Batch {}

impl Shard {
    /// Waits until there is room for another payload.
    async fn room(&self, patience: Duration) -> Result<(), ConsumeError> {
        let has_room = || lock(&self.accumulator).ready() < READY_BATCHES_MAX;
        if has_room() {
            return Ok(());
        }
        let wait = async {
            loop {
                let sent = self.sent.notified();
                if has_room() {
                    return;
                }
                sent.await;
            }
        };
        tokio::time::timeout(patience, wait).await.map_err(|_no_room| {
            ConsumeError::overloaded(
                "the batch processor is full: no exporter behind it takes data",
            )
            .retry_after(PUSH_BACK)
        })
    }

    fn take(&self, envelope: Envelope, shared: &Shared) {
        let (items, metrics) = (envelope.items(), &shared.metrics);
        metrics.incoming.add(items as u64);
        metrics.held.add(items as i64);
        self.held_items.fetch_add(items, Ordering::Relaxed);
        let mut accumulator = lock(&self.accumulator);
        let first = accumulator.push(envelope);
        let (full_at, items_max) = (shared.config.full_at(), shared.config.send_batch_max_size);
        let full = accumulator.joined_items() >= full_at;
        if full {
            metrics.size_trigger.add(accumulator.close_down_to(full_at, items_max) as u64);
        }
        drop(accumulator);
        if first || full {
            self.work.notify_one();
        }
    }

    /// Sends ready batches, and closes batches whose time is up.
    async fn run(&self, shared: &Shared) {
        loop {
            let (batch, due) = {
                let mut accumulator = lock(&self.accumulator);
                let due = accumulator.first_at().map(|first| first + shared.config.timeout);
                (accumulator.pop(), due)
            };
            if let Some(batch) = batch {
                self.send(batch, shared).await;
                continue;
            }
            let time_is_up = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.work.notified() => {}
                () = time_is_up => {
                    let batches = lock(&self.accumulator).close(shared.config.send_batch_max_size);
                    shared.metrics.timeout_trigger.add(batches as u64);
                }
            }
        }
    }

    /// Hands a batch on, however often it takes.
    async fn send(&self, batch: Envelope, shared: &Shared) {
        let (items, metrics) = (batch.items(), &shared.metrics);
        let mut pause = OFFER_AGAIN.0;
        loop {
            match shared.next.consume(batch.clone()).await {
                Ok(()) => {
                    metrics.outgoing.add(items as u64);
                    metrics.send_size.observe(items as u64);
                    metrics.send_size_bytes.observe(batch.payload.encoded_len() as u64);
                    break;
                }
                Err(error) if error.class == Class::Permanent => {
                    metrics.refused.add(items as u64);
                    tracing::error!(
                        dropped_items = items,
                        error = %error,
                        "Sender failed: the next stage refused a batch for good"
                    );
                    break;
                }
                Err(error) => {
                    tokio::time::sleep(error.retry_after.unwrap_or(pause).min(OFFER_AGAIN.1)).await;
                    pause = (pause * 2).min(OFFER_AGAIN.1);
                }
            }
        }
        metrics.held.sub(items as i64);
        self.held_items.fetch_sub(items, Ordering::Relaxed);
        self.sent.notify_waiters();
    }

    /// Waits until every closed batch has been sent.
    async fn drained(&self) {
        loop {
            let sent = self.sent.notified();
            let joined = lock(&self.accumulator).joined_items();
            if self.held_items.load(Ordering::Relaxed) <= joined {
                return;
            }
            sent.await;
        }
    }
}

impl Metrics {
    fn new(context: &Context) -> Self {
        let registry = &context.process.registry;
        let (id, signal) = (context.id.to_string(), context.signal.map_or("", Signal::name));
        let pipeline = context.pipeline.as_ref().map(ToString::to_string).unwrap_or_default();
        let of_processor = &[(label::PROCESSOR, id.as_str())];
        let of_signal = &[(label::PROCESSOR, id.as_str()), (label::OTEL_SIGNAL, signal)];
        let of_pipeline = &[(label::PIPELINE, pipeline.as_str())];
        let dropped = |reason: DropReason| {
            let labels = &[(label::PIPELINE, pipeline.as_str()), (label::REASON, reason.as_str())];
            registry.counter(&names::PIPELINE_DROPPED_ITEMS, labels)
        };
        Self {
            incoming: registry.counter(&names::PROCESSOR_INCOMING, of_signal),
            outgoing: registry.counter(&names::PROCESSOR_OUTGOING, of_signal),
            refused: dropped(DropReason::ComponentFailed),
            given_up: dropped(DropReason::Shutdown),
            held: registry.gauge(&names::PIPELINE_HELD_ITEMS, of_pipeline),
            size_trigger: registry.counter(&names::BATCH_SIZE_TRIGGER_SEND, of_processor),
            timeout_trigger: registry.counter(&names::BATCH_TIMEOUT_TRIGGER_SEND, of_processor),
            cardinality: registry.gauge(&names::BATCH_METADATA_CARDINALITY, of_processor),
            send_size: registry.histogram(&names::BATCH_SEND_SIZE, of_processor),
            send_size_bytes: registry.histogram(&names::BATCH_SEND_SIZE_BYTES, of_processor),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
