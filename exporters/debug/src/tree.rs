//! Verbosity `tree` for traces: gathers the spans of a trace and draws them.
//!
//! Spans are held until their trace is shown; while nobody reads, they are held on, and senders are pushed back once the store is
//! full.

mod facts;
mod layout;
mod render;
mod row;
mod store;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pdata::{Payload, Signal};
use pipeline::{
    BoxFuture, Class, Component, ConsumeError, Consumer, Context, Deadline, Envelope, Exporter,
    StartError, item,
};
use telemetry::names::{self, DropReason, label};
use telemetry::{Counter, Gauge};
use tokio::sync::Notify;
use tokio::time::Instant;

use self::render::{Picture, render};
use self::row::{Key, Row};
use self::store::{Bounds, Store};
use crate::config::{Config, TreeConfig};
use crate::output::{Outputs, WriteError};
use crate::records::service_name;
use crate::sampler::Sampler;
use crate::style::Style;

/// How long a sender waits for room and is asked to stay away without, and the pause before the next try to write.
const PUSH_BACK: Duration = Duration::from_secs(1);

/// The exporter of traces. Clones share it.
#[derive(Clone)]
pub(crate) struct Tree {
    context: Context,
    shared: Arc<Shared>,
}

struct Shared {
    config: TreeConfig,
    outputs: Arc<Outputs>,
    store: Mutex<Store>,
    /// Something was added.
    added: Notify,
    /// Something was shown.
    shown: Notify,
    /// Held while pictures are taken and written, so that they appear in order.
    press: tokio::sync::Mutex<Press>,
    metrics: Metrics,
}

/// What is being written.
struct Press {
    sampler: Sampler,
    /// A text that nobody read, and the spans in it.
    unread: Option<(Arc<[u8]>, usize)>,
}

struct Metrics {
    sent: Counter,
    delivered: Counter,
    lost: Counter,
    given_up: Counter,
    held: Gauge,
}

impl Tree {
    /// The exporter, not yet started.
    pub(crate) fn new(config: Arc<Config>, context: Context, outputs: Arc<Outputs>) -> Self {
        Self::with_bounds(config, context, outputs, Bounds::default())
    }

    fn with_bounds(
        config: Arc<Config>,
        context: Context,
        outputs: Arc<Outputs>,
        bounds: Bounds,
    ) -> Self {
        let store = Store::new(&config.tree, bounds, context.process.budget.clone());
        let press = Press { sampler: Sampler::new(config.sampling), unread: None };
        let shared = Arc::new(Shared {
            config: config.tree.clone(),
            outputs,
            store: Mutex::new(store),
            added: Notify::new(),
            shown: Notify::new(),
            press: tokio::sync::Mutex::new(press),
            metrics: Metrics::new(&context),
        });
        Self { context, shared }
    }

    async fn take(&self, envelope: Envelope) -> Result<(), ConsumeError> {
        let shared = &self.shared;
        if self.context.tasks.is_stopping() {
            return Err(ConsumeError::new(Class::Closed, "the debug exporter is shutting down"));
        }
        let room = tokio::time::timeout(PUSH_BACK, shared.room()).await;
        room.map_err(|_no_room| {
            let message = "the debug exporter is full: its output takes nothing";
            ConsumeError::overloaded(message).retry_after(PUSH_BACK)
        })?;
        shared.gather(&envelope.payload);
        shared.added.notify_one();
        Ok(())
    }

    /// Shows traces when it is time, or when there are too many.
    async fn run(self) {
        let shared = &self.shared;
        loop {
            let (due, is_surplus) = {
                let mut store = shared.store();
                (store.next_due(), store.is_surplus())
            };
            let time_is_up = async {
                match due {
                    _ if is_surplus => {}
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.context.tasks.stopped() => return,
                () = shared.added.notified() => continue,
                () = time_is_up => {}
            }
            // Not cut short when told to stop: what is written only in part would be written again.
            let shown = shared.show(|store| match store.is_surplus() {
                true => store.take_oldest(),
                false => store.take_due(Instant::now()),
            });
            if shown.await.is_err() {
                tokio::select! {
                    () = self.context.tasks.stopped() => return,
                    () = tokio::time::sleep(PUSH_BACK) => {}
                }
            }
        }
    }
}

impl Consumer for Tree {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        Box::pin(self.take(envelope))
    }
}

impl Component for Tree {
    fn start(&self) -> BoxFuture<'_, Result<(), StartError>> {
        Box::pin(async {
            self.shared.outputs.open().await.map_err(StartError)?;
            self.context.tasks.spawn("tree", self.clone().run());
            Ok(())
        })
    }

    fn flush(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            let _in_time = deadline.bound(self.shared.show(Store::take_oldest)).await;
            let unread = deadline.bound(self.shared.press.lock()).await;
            let unread = unread.and_then(|press| press.unread.as_ref().map(|(_, spans)| *spans));
            self.shared.store().spans() + unread.unwrap_or_default()
        })
    }

    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            self.context.tasks.join(deadline).await;
            self.flush(deadline).await;
            self.shared.give_up()
        })
    }
}

impl Exporter for Tree {}

impl Shared {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the spans of a payload into the store.
    fn gather(&self, payload: &Payload) {
        let (mut store, now) = (self.store(), Instant::now());
        for resource in payload.resource_spans() {
            let service: Arc<str> = service_name(&resource.resource).into();
            for span in resource.scope_spans.iter().flat_map(|scope| scope.spans) {
                store.add(Key::new(span.trace_id), Row::new(&span, service.clone()), now);
            }
        }
        self.metrics.held.add(payload.items() as i64);
    }

    /// Waits until the store may take more.
    async fn room(&self) {
        loop {
            let shown = self.shown.notified();
            if !self.store().is_surplus() {
                return;
            }
            shown.await;
        }
    }

    /// Shows every trace that `take` gives, until there is none or nobody reads.
    async fn show(
        &self,
        mut take: impl FnMut(&mut Store) -> Option<Picture>,
    ) -> Result<(), WriteError> {
        let mut press = self.press.lock().await;
        self.print_unread(&mut press).await?;
        let style = Style::new(&self.config, self.outputs.screen().await);
        loop {
            let Some(picture) = take(&mut self.store()) else { return Ok(()) };
            let spans = picture.rows.len();
            self.shown.notify_waiters();
            if !press.sampler.admit(Instant::now()) {
                self.metrics.delivered(spans);
                continue;
            }
            press.unread = Some((render(&picture, style).into_bytes().into(), spans));
            self.print_unread(&mut press).await?;
        }
    }

    /// Writes what is ready. It stays there when nobody reads.
    async fn print_unread(&self, press: &mut Press) -> Result<(), WriteError> {
        let Some((text, spans)) = press.unread.clone() else { return Ok(()) };
        match self.outputs.write(move || text.to_vec()).await {
            Ok(()) => self.metrics.delivered(spans),
            Err(WriteError::Stalled) => return Err(WriteError::Stalled),
            Err(WriteError::Failed(_)) => self.metrics.lost(spans),
        }
        press.unread = None;
        Ok(())
    }

    /// Counts what is still held as given up.
    fn give_up(&self) -> usize {
        let unread = self.press.try_lock().ok().and_then(|mut press| press.unread.take());
        let mut spans = unread.map_or(0, |(_, spans)| spans);
        while let Some(picture) = self.store().take_oldest() {
            spans += picture.rows.len();
        }
        self.metrics.given_up.add(spans as u64);
        self.metrics.held.sub(spans as i64);
        spans
    }
}

impl Metrics {
    fn new(context: &Context) -> Self {
        let signal = context.signal.unwrap_or(Signal::Traces);
        let (registry, id) = (&context.process.registry, context.id.to_string());
        let branch = [(label::EXPORTER, id.as_str()), (label::DATA_TYPE, signal.name())];
        let dropped = |reason: DropReason| {
            let [exporter, data_type] = branch;
            let labels = [exporter, data_type, (label::REASON, reason.as_str())];
            registry.counter(&names::EXPORTER_DROPPED_ITEMS, &labels)
        };
        let sent = names::EXPORTER_SENT.of(item(signal));
        Self {
            sent: registry.counter(sent, &[(label::EXPORTER, id.as_str())]),
            delivered: registry.counter(&names::EXPORTER_DELIVERED_ITEMS, &branch),
            lost: dropped(DropReason::RetriesExhausted),
            given_up: dropped(DropReason::Shutdown),
            held: registry.gauge(&names::EXPORTER_HELD_ITEMS, &branch),
        }
    }

    fn delivered(&self, spans: usize) {
        self.sent.add(spans as u64);
        self.delivered.add(spans as u64);
        self.held.sub(spans as i64);
    }

    fn lost(&self, spans: usize) {
        self.lost.add(spans as u64);
        self.held.sub(spans as i64);
    }
}

#[cfg(test)]
mod tests;
