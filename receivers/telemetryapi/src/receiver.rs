//! The receiver's life: attached to the hub, and the events on their way into the pipelines.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws::Environment;
use lambda::Function;
use lambda::telemetry::{Delivery, Hub, Intake};
use pdata::Signal;
use pipeline::{
    BoxFuture, Client, Component, ConsumeError, Consumer, Context, Deadline, Envelope, Hold,
    Hosting, Outlets, Receiver, StartError,
};
use telemetry::Counter;
use telemetry::names::{self, EventDropReason, label};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::config::Config;
use crate::mapper::{Mapped, Mapper, Settings};
use crate::metrics::Temporality;
use crate::resource::Resource;

/// How long a payload that the pipelines have no room for is offered again. There is nobody else who still has it.
const OFFER_FOR: Duration = Duration::from_secs(2);
/// How long to wait between two offers, unless the pipeline says.
const OFFER_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// The receiver.
pub(crate) struct TelemetryApi {
    config: Arc<Config>,
    context: Context,
    outlets: Outlets,
    environment: Environment,
    running: Mutex<Option<Arc<Running>>>,
}

/// What a started receiver works with.
struct Running {
    hub: Arc<Hub>,
    /// Locked by the task for as long as it runs.
    intake: tokio::sync::Mutex<Intake>,
    /// Items that the pipelines have neither taken nor refused yet.
    in_hand: AtomicUsize,
    mapper: Mutex<Mapper>,
    outlets: Outlets,
    counters: Vec<(Signal, Counters)>,
    export_interval: Duration,
    exported: Mutex<SystemTime>,
}

struct Counters {
    accepted: Counter,
    refused: Counter,
}

impl TelemetryApi {
    /// The receiver, not yet started.
    pub(crate) fn new(
        config: Arc<Config>,
        context: Context,
        outlets: Outlets,
        environment: &Environment,
    ) -> Self {
        let environment = environment.clone();
        Self { config, context, outlets, environment, running: Mutex::default() }
    }

    fn settings(&self, function: Option<&Function>) -> Settings {
        const PREFERENCE: &str = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
        let preferred = || self.environment.get(PREFERENCE);
        let preferred = || Temporality::named(&preferred()?.to_lowercase());
        let initialization = self.environment.get("AWS_LAMBDA_INITIALIZATION_TYPE");
        Settings {
            config: (*self.config).clone(),
            temporality: self
                .config
                .temporality
                .or_else(preferred)
                .unwrap_or(Temporality::Cumulative),
            is_managed: function.is_some_and(Function::is_managed)
                || initialization.as_deref() == Some("lambda-managed-instances"),
            wants: Signal::ALL.map(|signal| self.outlets.get(signal).is_some()),
        }
    }

    fn begin(&self) -> Result<(), StartError> {
        let Some(hub) = self.context.process.provided::<Hub>() else {
            return Err(StartError(format!(
                "receiver \"{}\" takes its events from AWS Lambda's Telemetry API, which only the Lambda extension has; take it out of the config of an agent that runs elsewhere",
                self.context.id
            )));
        };
        let function = self.context.process.provided::<Function>();
        let settings = self.settings(function.as_deref());
        let resource = Resource::new(&self.environment, function);
        let intake = hub.attach(self.config.types, self.config.port);
        let registry = &self.context.process.registry;
        let id = self.context.id.to_string();
        let labels = [(label::RECEIVER, id.as_str()), (label::TRANSPORT, "http")];
        let counters = Signal::ALL.map(|signal| {
            let item = pipeline::item(signal);
            let counters = Counters {
                accepted: registry.counter(names::RECEIVER_ACCEPTED.of(item), &labels),
                refused: registry.counter(names::RECEIVER_REFUSED.of(item), &labels),
            };
            (signal, counters)
        });
        let running = Arc::new(Running {
            hub,
            intake: tokio::sync::Mutex::new(intake),
            in_hand: AtomicUsize::new(0),
            mapper: Mutex::new(Mapper::new(settings, resource, now())),
            outlets: self.outlets.clone(),
            counters: counters.into(),
            export_interval: self.config.export_interval,
            exported: Mutex::new(SystemTime::now()),
        });
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(running.clone());
        let tasks = self.context.tasks.clone();
        self.context.tasks.spawn("events", async move { running.run(tasks).await });
        Ok(())
    }
}

impl Running {
    async fn run(&self, tasks: pipeline::Tasks) {
        let mut intake = self.intake.lock().await;
        // In a sandbox that freezes the timer says little; each batch looks at the clock as well.
        let mut timer = timer(self.export_interval);
        loop {
            tokio::select! {
                biased;
                delivery = intake.next() => match delivery {
                    Some(delivery) => self.take(delivery).await,
                    None => break,
                },
                () = tick(&mut timer) => self.export_if_due().await,
                () = tasks.stopped() => break,
            }
        }
        while let Some(delivery) = intake.try_next() {
            self.take(delivery).await;
        }
        self.export().await;
    }

    /// Hands on what a batch holds. Only then the batch is let go of, which tells the hub.
    async fn take(&self, delivery: Delivery) {
        let mapped = self.mapper().map(&delivery, now());
        self.hand_on(mapped, delivery.hold()).await;
        self.export_if_due().await;
        drop(delivery);
    }

    /// Exports metrics when it is time to, by the wall clock: frozen time counts.
    async fn export_if_due(&self) {
        let due = {
            let exported = self.exported.lock().unwrap_or_else(PoisonError::into_inner);
            // A clock that was set back is no reason to wait for it.
            exported.elapsed().map_or(true, |since| since >= self.export_interval)
        };
        if due {
            self.export().await;
        }
    }

    async fn export(&self) {
        *self.exported.lock().unwrap_or_else(PoisonError::into_inner) = SystemTime::now();
        let mapped = self.mapper().export(now());
        self.hand_on(mapped, &Hold::none()).await;
    }

    async fn hand_on(&self, mapped: Mapped, hold: &Hold) {
        let bytes: usize = mapped.payloads.iter().map(pdata::Payload::encoded_len).sum();
        hold.resize(bytes);
        let items: usize = mapped.payloads.iter().map(pdata::Payload::items).sum();
        self.in_hand.fetch_add(items, Ordering::Relaxed);
        for payload in mapped.payloads {
            let (signal, items) = (payload.signal(), payload.items());
            let envelope = Envelope { payload, client: Client::unknown(), hold: hold.clone() };
            let counters = self.counters.iter().find(|(known, _)| *known == signal);
            match self.offer(signal, envelope).await {
                Ok(()) => {
                    if let Some((_, counters)) = counters {
                        counters.accepted.add(items as u64);
                    }
                }
                Err(_refusal) => {
                    if let Some((_, counters)) = counters {
                        counters.refused.add(items as u64);
                    }
                    self.hub.drop_events(EventDropReason::Refused, items);
                }
            }
            self.in_hand.fetch_sub(items, Ordering::Relaxed);
        }
    }

    /// Counts what the task left behind when it was aborted: what it was handing on, metrics that were never exported, and batches that it
    /// had not come to, event by event. How much that is.
    fn give_up(&self) -> usize {
        let mut lost = self.in_hand.swap(0, Ordering::Relaxed);
        lost +=
            self.mapper().export(now()).payloads.iter().map(pdata::Payload::items).sum::<usize>();
        if let Ok(mut intake) = self.intake.try_lock() {
            lost +=
                std::iter::from_fn(|| intake.try_next()).map(|batch| batch.len()).sum::<usize>();
        }
        self.hub.drop_events(EventDropReason::Shutdown, lost);
        lost
    }

    /// Offers a payload until it is taken, refused for good, or the time is over.
    async fn offer(&self, signal: Signal, envelope: Envelope) -> Result<(), ConsumeError> {
        let Some(outlet) = self.outlets.get(signal) else { return Ok(()) };
        let deadline = Deadline::after(OFFER_FOR);
        loop {
            let Err(error) = outlet.consume(envelope.clone()).await else { return Ok(()) };
            if !error.is_retryable() || deadline.is_over() {
                return Err(error);
            }
            let wait = error.retry_after.unwrap_or(OFFER_AGAIN_AFTER);
            tokio::time::sleep(wait.min(OFFER_AGAIN_AFTER).min(deadline.left())).await;
        }
    }

    fn mapper(&self) -> std::sync::MutexGuard<'_, Mapper> {
        self.mapper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Component for TelemetryApi {
    fn start(&self) -> BoxFuture<'_, Result<(), StartError>> {
        Box::pin(async { self.begin() })
    }

    fn unfit_for(&self, hosting: Hosting) -> Option<&'static str> {
        (hosting == Hosting::Machine).then_some("starts in the Lambda extension only")
    }

    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            let is_in_time = self.context.tasks.join(deadline).await;
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
            running.filter(|_| !is_in_time).map_or(0, |running| running.give_up())
        })
    }
}

impl Receiver for TelemetryApi {}

/// The timer of an interval; none where each batch is followed by an export, since nothing is left to export between two.
fn timer(every: Duration) -> Option<Interval> {
    if every.is_zero() {
        return None;
    }
    let mut timer = interval_at(Instant::now() + every, every);
    timer.set_missed_tick_behavior(MissedTickBehavior::Skip);
    Some(timer)
}

/// The timer's next tick; never completes without one. May be dropped at any point.
async fn tick(timer: &mut Option<Interval>) {
    match timer {
        Some(timer) => {
            let _at = timer.tick().await;
        }
        None => std::future::pending().await,
    }
}

/// Nanoseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
