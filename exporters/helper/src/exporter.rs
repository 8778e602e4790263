//! The exporter that a pipeline sees.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use config::Timeout;
use pipeline::{
    BoxFuture, BuildError, Component, ConsumeError, Consumer, Context, Deadline, Envelope,
    Exporter, StartError,
};
use telemetry::Registration;
use telemetry::names::{self, label};

use crate::chain::Chain;
use crate::custody::{Custody, Verdict, Waiter, closed};
use crate::erased::Erased;
use crate::function;
use crate::journal::Journal;
use crate::ledger::{Generation, Ledger};
use crate::metrics::Metrics;
use crate::push::Push;
use crate::queue::{Job, Queue, Summon};
use crate::settings::Settings;

/// How long a connection may take that nobody waits for.
const WARM_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes an exporter for the context's signal out of one push.
///
/// # Errors
/// When the context is of no signal, which is a defect of the caller.
pub fn exporter<P: Push>(
    context: Context,
    settings: Settings,
    push: P,
) -> Result<Arc<dyn Exporter>, BuildError> {
    Ok(Arc::new(build(context, settings, push)?))
}

pub(crate) fn build<P: Push>(
    context: Context,
    settings: Settings,
    push: P,
) -> Result<Helper, BuildError> {
    let Some(signal) = context.signal else {
        return Err(BuildError(format!("exporter \"{}\" was built for no signal", context.id)));
    };
    let Settings { timeout: Timeout(timeout), retry, queue: queue_settings, labels } = settings;
    let is_joined = function::joins(queue_settings.as_ref(), &context);
    let queue_settings = function::queue(queue_settings, &context);
    let batch = queue_settings.as_ref().and_then(|queue| queue.batch.as_ref());
    let holds_for = batch.map_or(Duration::ZERO, |batch| batch.flush_timeout);
    let metrics = Arc::new(Metrics::new(&context, signal, labels, holds_for));
    let journal = Journal::new(metrics.id(), signal, queue_settings.is_some(), retry.is_some());
    let branch = context.process.budget.branch();
    let push = Arc::new(Erased(Arc::new(push)));
    let core = Core {
        chain: Chain::new(
            push,
            timeout,
            retry,
            metrics.clone(),
            journal,
            branch.clone(),
            &context.process,
        ),
        ledger: Ledger::new(metrics.clone()),
        queue: queue_settings.as_ref().map(|queue| Queue::new(queue, branch, is_joined)),
        waits: queue_settings.as_ref().is_none_or(|queue| queue.wait_for_result),
        batches: queue_settings.is_some_and(|queue| queue.batch.is_some()),
        metrics,
        context,
    };
    Ok(Helper::new(core))
}

/// What [`exporter`] makes.
pub(crate) struct Helper {
    pub(crate) core: Arc<Core>,
    /// Keeps the queue's gauges in sight.
    _shown: Vec<Registration>,
}

pub(crate) struct Core {
    chain: Chain,
    pub(crate) ledger: Ledger,
    pub(crate) queue: Option<Queue>,
    /// Whether callers wait for the outcome.
    waits: bool,
    batches: bool,
    metrics: Arc<Metrics>,
    context: Context,
}

impl Exporter for Helper {}

impl Consumer for Helper {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        let core = &self.core;
        match &core.queue {
            // The protocol's advice on empty requests, and upstream's queue: there is nothing to do.
            _ if envelope.items() == 0 => Box::pin(std::future::ready(Ok(()))),
            Some(queue) => Box::pin(core.enqueue(queue, envelope)),
            None => Box::pin(core.export(envelope)),
        }
    }
}

impl Component for Helper {
    fn start(&self) -> BoxFuture<'_, Result<(), StartError>> {
        self.core.chain.push.start()
    }

    fn warm(&self) -> BoxFuture<'_, ()> {
        let core = &self.core;
        let warm = || core.chain.push.warm(Deadline::after(WARM_TIMEOUT));
        Box::pin(core.context.process.gate.pass_aside(warm))
    }

    fn flush(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            let core = &self.core;
            let _hurried = core.chain.pace.flush();
            let held = core.ledger.turn();
            if let Some(queue) = &core.queue {
                core.answer(queue.close_batches());
            }
            let _in_time = deadline.bound(emptied(&held)).await;
            held.iter().map(|generation| generation.held()).sum()
        })
    }

    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            let core = &self.core;
            core.ledger.stop();
            core.chain.pace.stop(deadline);
            if let Some(queue) = &core.queue {
                core.answer(queue.close());
            }
            let _in_time = deadline.bound(emptied(&core.ledger.turn())).await;
            if let Some(queue) = &core.queue {
                queue.clear();
            }
            core.context.tasks.join(deadline).await;
            core.chain.journal.close();
            core.ledger.take_given_up()
        })
    }
}

impl Helper {
    fn new(core: Core) -> Self {
        let core = Arc::new(core);
        let mut shown = Vec::new();
        if core.queue.is_some() {
            let registry = &core.context.process.registry;
            let labels = [
                (label::EXPORTER, core.metrics.id()),
                (label::DATA_TYPE, core.metrics.signal().name()),
            ];
            let read = |number: fn(&Queue) -> usize| {
                let core = Arc::downgrade(&core);
                move || core.upgrade()?.queue.as_ref().map(|queue| number(queue) as f64)
            };
            let (size, capacity) = (read(Queue::size), read(Queue::capacity));
            shown.push(registry.gauge_fn(&names::EXPORTER_QUEUE_SIZE, &labels, size));
            shown.push(registry.gauge_fn(&names::EXPORTER_QUEUE_CAPACITY, &labels, capacity));
        }
        Self { core, _shown: shown }
    }
}

impl Core {
    /// Without a queue: the caller waits until the outcome is known. Dropped part-way, nothing is counted.
    async fn export(self: &Arc<Self>, envelope: Envelope) -> Result<(), ConsumeError> {
        let items = envelope.items();
        if self.chain.pace.is_stopping() {
            return Err(closed());
        }
        let mut custody = Custody::new(self.ledger.hold(items, true), None);
        let whole = {
            let delivery = self.chain.deliver(envelope.payload, &envelope.client, &mut custody);
            let delivery = pin!(delivery);
            tokio::select! {
                biased;
                whole = Caught(delivery) => whole,
                () = self.chain.pace.over() => Ok(()),
            }
        };
        if let Err(Panicked) = whole {
            self.panicked();
            custody.error = Some(ConsumeError::permanent("the exporter failed"));
        }
        self.tell(items, custody.verdict())
    }

    async fn enqueue(
        self: &Arc<Self>,
        queue: &Queue,
        envelope: Envelope,
    ) -> Result<(), ConsumeError> {
        let items = envelope.items();
        self.metrics.enqueue_size.observe(items as u64);
        self.metrics.enqueue_size_bytes.observe(envelope.payload.encoded_len() as u64);
        let offered = match queue.room(&envelope.payload).await {
            Ok(room) => {
                let (waiter, answered) = match self.waits {
                    true => Some(Waiter::new()).unzip(),
                    false => (None, None),
                };
                let held = self.ledger.hold(items, self.waits);
                let custody = Custody::new(held, waiter);
                queue.push(envelope, custody, room).map(|summon| (summon, answered))
            }
            Err(error) => Err(error),
        };
        let (summon, answered) = offered.map_err(|error| {
            self.metrics.enqueue_failed.add(items as u64);
            self.chain.journal.rejected(items, &error.to_string());
            ConsumeError::from(error)
        })?;
        self.answer(summon);
        match answered {
            None => Ok(()),
            Some(answered) => self.tell(items, answered.await.unwrap_or_default()),
        }
    }

    /// The caller's answer, which is told to the operator too.
    fn tell(&self, items: usize, verdict: Verdict) -> Result<(), ConsumeError> {
        let (answer, lost) = verdict.decide();
        match &answer {
            Ok(()) if lost > 0 => self.chain.journal.dropped(lost, "sent in part only"),
            Ok(()) => {}
            Err(error) => self.chain.journal.rejected(items, &error.message),
        }
        answer
    }

    fn answer(self: &Arc<Self>, summon: Summon) {
        if summon == Summon::Consumer {
            let core = self.clone();
            self.context.tasks.spawn("sending queue consumer", core.consume());
        }
    }

    /// A consumer of the queue, which ends with it.
    async fn consume(self: Arc<Self>) {
        let Some(queue) = &self.queue else { return };
        while let Some((job, summon)) = queue.next().await {
            self.answer(summon);
            if self.batches {
                self.metrics.send_size.observe(job.payload.items() as u64);
                self.metrics.send_size_bytes.observe(job.payload.encoded_len() as u64);
            }
            let work = pin!(self.work_off(job));
            // What a panic cuts off is counted as the job is dropped.
            if let Err(Panicked) = Caught(work).await {
                self.panicked();
            }
        }
    }

    async fn work_off(&self, job: Job) {
        let Job { payload, client, mut custody, hold, kept, room } = job;
        self.chain.deliver(payload, &client, &mut custody).await;
        drop((custody, kept, hold, room));
    }

    fn panicked(&self) {
        let id = self.metrics.id();
        let labels = [(label::KIND, "exporter"), (label::COMPONENT, id)];
        let registry = &self.context.process.registry;
        registry.counter(&names::COMPONENT_FAILURES, &labels).increment();
        tracing::error!(
            "otelcol.component.id" = %id,
            "otelcol.component.kind" = "exporter",
            "otelcol.signal" = self.metrics.signal().name(),
            "sending a payload panicked, and the payload was dropped; please report this with the lines above"
        );
    }
}

/// A future whose panic is an output like others. Not polled again after it.
struct Caught<'a, F>(Pin<&'a mut F>);

/// It panicked.
struct Panicked;

impl<F: Future> Future for Caught<'_, F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let future = self.0.as_mut();
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(_message_is_printed_by_the_hook) => Poll::Ready(Err(Panicked)),
        }
    }
}

pub(crate) async fn emptied(held: &[Arc<Generation>]) {
    for generation in held {
        generation.emptied().await;
    }
}
