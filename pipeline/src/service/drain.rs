//! The end of a service: receivers finish what they took, each stage passes on what it holds, exporters send it.

use std::time::Duration;

use pdata::Signal;
use telemetry::names::{self, label};
use telemetry::{Counter, Gauge, Registry};

use super::lifecycle::{self, Stopped};
use super::{Graph, Service};
use crate::deadline::Deadline;
use crate::graph::Key;
use crate::id::ComponentId;

/// Kept back from the exporters for the report and the extensions.
const RESERVE: Duration = Duration::from_millis(200);

/// How to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Receivers go on for as long as `service::shutdown` says, since applications that stop at the same time send their last data
    /// then; the deadline is the configured one.
    Lingering,
    /// Receivers stop at once; the deadline is the configured one.
    AtOnce,
    /// Receivers stop at once; everything is over by this deadline.
    By(Deadline),
}

/// What came of the last of the data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrainReport {
    /// Each exporter, once for each of its signals.
    pub exporters: Vec<ExporterDrain>,
    /// Items that receivers, processors and connectors had to give up.
    pub given_up_before_exporters: usize,
    /// Components that did not end in time. What they held is lost and not counted here.
    pub overdue: Vec<String>,
}

/// What came of the last of an exporter's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExporterDrain {
    /// The exporter.
    pub id: ComponentId,
    /// The signal.
    pub signal: Signal,
    /// Items that the backend took from the moment the stop was asked for.
    pub delivered: usize,
    /// Items that were given up at the deadline.
    pub undelivered: usize,
}

impl DrainReport {
    /// Whether everything that had been accepted went out.
    pub fn is_complete(&self) -> bool {
        self.overdue.is_empty()
            && self.given_up_before_exporters == 0
            && self.exporters.iter().all(|exporter| exporter.undelivered == 0)
    }
}

/// A look at what a service holds, for whoever ends it before it is drained.
pub struct HeldItems {
    gauges: Vec<Gauge>,
}

impl HeldItems {
    /// Items in processors, connectors and exporters now.
    pub fn count(&self) -> u64 {
        self.gauges.iter().map(|gauge| u64::try_from(gauge.get()).unwrap_or(0)).sum()
    }
}

impl Service {
    /// A look at what it holds that outlives it.
    pub fn held(&self) -> HeldItems {
        let registry = &self.process.registry;
        let mut gauges: Vec<Gauge> = self
            .pipelines
            .iter()
            .map(|id| {
                registry.gauge(&names::PIPELINE_HELD_ITEMS, &[(label::PIPELINE, id.as_str())])
            })
            .collect();
        gauges.extend(self.graph.instances.keys().filter_map(|key| {
            let Key::Connector(id, _, to) = key else { return None };
            let id = id.to_string();
            let labels = [(label::COMPONENT, id.as_str()), (label::DATA_TYPE, to.name())];
            Some(registry.gauge(&names::CONNECTOR_HELD_ITEMS, &labels))
        }));
        gauges.extend(self.exporter_counts().into_iter().map(|counts| counts.held));
        HeldItems { gauges }
    }

    /// Stops everything: receivers, then each next stage once it has passed on what it holds, exporters once they have sent it,
    /// extensions. Says in the log what each exporter could not deliver. Must not be dropped part-way, unless the rest may be lost.
    pub async fn shutdown(mut self, how: Stop) -> DrainReport {
        tracing::info!("Starting shutdown...");
        let deadline = match how {
            Stop::By(deadline) => deadline,
            Stop::Lingering | Stop::AtOnce => Deadline::after(self.shutdown.deadline),
        };
        for (_, extension) in self.graph.extensions() {
            extension.pipelines_stopping();
        }
        let counts = self.exporter_counts();
        if how == Stop::Lingering {
            self.linger(deadline).await;
        }
        let share = deadline.within(deadline.left() / 3);
        let retired = async { while self.retiring.join_next().await.is_some() {} };
        if share.bound(retired).await.is_none() {
            tracing::warn!(
                "Components that a reload replaced were still sending; they are given up."
            );
            self.retiring.abort_all();
        }
        let graph = std::mem::take(&mut self.graph);
        let budget = self.shutdown.exporter_budget;
        let stopped = stop_pipelines(&graph, &Graph::default(), deadline, budget).await;
        let report = report(stopped, &counts);
        stop_extensions(&graph, &Graph::default(), deadline).await;
        tracing::info!("Shutdown complete.");
        report
    }

    /// Waits while data comes in.
    async fn linger(&self, deadline: Deadline) {
        let (linger, quiet) = (self.shutdown.linger, self.shutdown.quiet);
        if linger.is_zero() {
            return;
        }
        let end = deadline.within(linger);
        let look_every = (quiet / 8).max(Duration::from_millis(5));
        tracing::info!(
            linger_seconds = linger.as_secs_f64(),
            quiet_seconds = quiet.as_secs_f64(),
            "Receiving what applications still send."
        );
        let mut quiet_at = Deadline::after(quiet);
        let mut before = self.accepted();
        while !end.is_over() && !quiet_at.is_over() {
            tokio::time::sleep(look_every.min(end.left())).await;
            let now = self.accepted();
            if now != before {
                (before, quiet_at) = (now, Deadline::after(quiet));
            }
        }
    }

    /// Items that entered the pipelines so far.
    pub fn accepted(&self) -> u64 {
        let registry = &self.process.registry;
        let entered = self.pipelines.iter().map(|id| {
            let labels = [(label::PIPELINE, id.as_str())];
            registry.counter(&names::PIPELINE_ACCEPTED_ITEMS, &labels).get()
        });
        entered.sum()
    }

    fn exporter_counts(&self) -> Vec<ExporterCounts> {
        let keys = self.graph.instances.keys();
        keys.filter_map(|key| ExporterCounts::of(key, &self.process.registry)).collect()
    }
}

/// The numbers that an exporter keeps of itself.
struct ExporterCounts {
    key: Key,
    delivered: Counter,
    delivered_before: u64,
    held: Gauge,
}

impl ExporterCounts {
    fn of(key: &Key, registry: &Registry) -> Option<Self> {
        let Key::Exporter(id, signal) = key else { return None };
        let id = id.to_string();
        let labels = [(label::EXPORTER, id.as_str()), (label::DATA_TYPE, signal.name())];
        let delivered = registry.counter(&names::EXPORTER_DELIVERED_ITEMS, &labels);
        let held = registry.gauge(&names::EXPORTER_HELD_ITEMS, &labels);
        Some(Self { key: key.clone(), delivered_before: delivered.get(), delivered, held })
    }

    fn delivered_since(&self) -> usize {
        let delivered = self.delivered.get().saturating_sub(self.delivered_before);
        usize::try_from(delivered).unwrap_or(usize::MAX)
    }
}

/// Stops the stages of `graph`, the instances of `kept` excepted, with the flow of data.
pub(super) async fn stop_pipelines(
    graph: &Graph,
    kept: &Graph,
    deadline: Deadline,
    exporter_budget: Option<Duration>,
) -> Vec<Stopped> {
    let mut all = Vec::new();
    let count = graph.stages.len();
    for (at, stage) in graph.stages.iter().enumerate() {
        let members = graph.members(stage, kept);
        let members: Vec<_> =
            members.map(|(key, instance)| (key.clone(), instance.clone())).collect();
        if members.is_empty() {
            continue;
        }
        let last = at + 1 == count;
        let left = deadline.left();
        // A slow sender or a full queue must not use up the time in which exporters can send.
        let share = if last { left.saturating_sub(RESERVE) } else { left / 3 };
        let share = match exporter_budget {
            Some(budget) if last => share.min(budget),
            _ => share,
        };
        all.extend(lifecycle::stop(members, deadline.within(share)).await);
    }
    all
}

/// Stops extensions in reverse order.
pub(super) async fn stop_extensions(graph: &Graph, kept: &Graph, deadline: Deadline) {
    let extensions: Vec<_> = graph.members(&graph.extensions, kept).collect();
    for (key, instance) in extensions.into_iter().rev() {
        // An extension holds no data, but must have a moment to close its connections.
        let deadline = deadline.max(Deadline::after(RESERVE));
        for stopped in lifecycle::stop(vec![(key.clone(), instance.clone())], deadline).await {
            lifecycle::report_given_up(&stopped);
        }
    }
}

fn report(stopped: Vec<Stopped>, counts: &[ExporterCounts]) -> DrainReport {
    let mut report = DrainReport::default();
    for stopped in stopped {
        if stopped.given_up.is_none() {
            report.overdue.push(stopped.key.to_string());
        }
        let Key::Exporter(id, signal) = &stopped.key else {
            lifecycle::report_given_up(&stopped);
            report.given_up_before_exporters += stopped.given_up.unwrap_or(0);
            continue;
        };
        let counts = counts.iter().find(|counts| counts.key == stopped.key);
        let delivered = counts.map_or(0, ExporterCounts::delivered_since);
        let undelivered = stopped.given_up.unwrap_or(0);
        match stopped.given_up {
            Some(0) => tracing::info!(
                "otelcol.component.id" = %id,
                "otelcol.signal" = signal.name(),
                delivered_while_stopping = delivered,
                undelivered_items = 0,
                "Exporter drained."
            ),
            Some(items) => tracing::warn!(
                "otelcol.component.id" = %id,
                "otelcol.signal" = signal.name(),
                delivered_while_stopping = delivered,
                undelivered_items = items,
                "Exporter could not deliver everything before the deadline."
            ),
            None => tracing::error!(
                "otelcol.component.id" = %id,
                "otelcol.signal" = signal.name(),
                delivered_while_stopping = delivered,
                held_items = counts.map_or(0, |counts| counts.held.get()),
                "Exporter did not stop in time. What it held is lost."
            ),
        }
        report.exporters.push(ExporterDrain {
            id: id.clone(),
            signal: *signal,
            delivered,
            undelivered,
        });
    }
    report
}
