//! Traces whose statistics the exporter computes itself, since no connector does.

use std::sync::{Arc, Mutex, PoisonError};

use datadog::meter::Meter;
use datadog::stats::{ConcentratorSettings, DriverSettings};
use exporter_helper::exporter;
use pdata::Signal;
use pipeline::{
    BoxFuture, BuildError, Component, ComponentId, ComponentKind, ConsumeError, Consumer, Context,
    Deadline, Envelope, Exporter, Outlet, Process, StartError, Topology,
};
use telemetry::Counter;
use telemetry::names::{self, RefuseReason, label};

use super::Stats;
use crate::config::ComputeStats;
use crate::exporter::Shared;
use crate::traces::Options;

/// The type of the connector that computes statistics.
const CONNECTOR: &str = "datadog";

/// An exporter of traces, and the statistics of what it takes.
struct WithStats {
    traces: Arc<dyn Exporter>,
    meter: Meter,
    /// Where the statistics are sent from.
    sink: Arc<dyn Exporter>,
    decision: Decision,
}

/// Gives an exporter of traces the statistics that its settings ask for.
///
/// # Errors
/// When the exporter of statistics cannot be made.
pub(crate) fn with_stats(
    shared: &Arc<Shared>,
    context: &Context,
    traces: Arc<dyn Exporter>,
) -> Result<Arc<dyn Exporter>, BuildError> {
    let settings = &shared.config.traces;
    if settings.compute_stats == ComputeStats::Never || shared.config.only_metadata {
        return Ok(traces);
    }
    let id = stats_id(&context.id);
    let id: ComponentId =
        id.parse().map_err(|error| BuildError(format!("exporter \"{id}\": {error}")))?;
    // Whoever is shut down ends the tasks of its context: the meter before the sink, which then sends what the meter had.
    let stats_context = || {
        let (process, id) = (context.process.clone(), id.clone());
        Context::new(process, ComponentKind::Exporter, id, Some(Signal::Metrics), None)
    };
    let (sink_context, meter_context) = (stats_context(), stats_context());
    let helper = shared.config.helper.clone();
    let sink = exporter(sink_context.clone(), helper, Stats::new(shared.clone()))?;
    let outlet = Outlet::to(Arc::new(Counted::new(&sink_context, sink.clone())));
    let interval = ConcentratorSettings::default().bucket_interval;
    let meter = Meter::new(driver_settings(shared), interval, meter_context, outlet);
    let decision = Decision {
        always: settings.compute_stats == ComputeStats::Always,
        exporter: context.id.clone(),
        process: context.process.clone(),
        last: Mutex::default(),
    };
    Ok(Arc::new(WithStats { traces, meter, sink, decision }))
}

/// The name that the statistics of an exporter go by in metrics and logs.
fn stats_id(exporter: &ComponentId) -> String {
    match exporter.name() {
        "" => format!("{}/apm_stats", exporter.component_type()),
        name => format!("{}/{name}_apm_stats", exporter.component_type()),
    }
}

/// As the connector counts spans, with the exporter's settings.
fn driver_settings(shared: &Shared) -> DriverSettings {
    let settings = &shared.config.traces;
    let options = Options::of(settings, shared.fallback_host());
    DriverSettings {
        concentrator: ConcentratorSettings {
            by_span_kind: settings.compute_stats_by_span_kind,
            ..ConcentratorSettings::default()
        },
        naming: options.naming,
        top_level_by_kind: options.top_level_by_kind,
        peer_tags: settings.peer_tags_aggregation,
        further_peer_tags: settings.peer_tags.clone(),
        ignore_resources: options.ignore_resources,
        fallback_host: options.fallback_host,
        ..DriverSettings::default()
    }
}

/// What the graph counts of an exporter that a pipeline feeds.
struct Counted {
    next: Arc<dyn Exporter>,
    accepted: Counter,
    returned: Counter,
}

impl Counted {
    fn new(context: &Context, next: Arc<dyn Exporter>) -> Self {
        let (registry, id) = (&context.process.registry, context.id.to_string());
        let of = [(label::EXPORTER, id.as_str()), (label::DATA_TYPE, Signal::Metrics.name())];
        let [exporter, data_type] = of;
        let returned = [exporter, data_type, (label::REASON, RefuseReason::Returned.as_str())];
        Self {
            next,
            accepted: registry.counter(&names::EXPORTER_ACCEPTED_ITEMS, &of),
            returned: registry.counter(&names::EXPORTER_REFUSED_ITEMS, &returned),
        }
    }
}

impl Consumer for Counted {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        Box::pin(async move {
            let items = envelope.items() as u64;
            self.accepted.add(items);
            let taken = self.next.consume(envelope).await;
            if taken.is_err() {
                self.returned.add(items);
            }
            taken
        })
    }
}

impl Exporter for WithStats {}

impl Consumer for WithStats {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        Box::pin(async move {
            if !self.decision.computes() {
                return self.traces.consume(envelope).await;
            }
            // Counted once it is accepted: what is refused comes again.
            self.traces.consume(envelope.clone()).await?;
            self.meter.consume(envelope).await
        })
    }
}

impl Component for WithStats {
    fn start(&self) -> BoxFuture<'_, Result<(), StartError>> {
        Box::pin(async move {
            self.sink.start().await?;
            self.meter.start().await?;
            self.traces.start().await
        })
    }

    fn flush(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            let stats =
                async { self.meter.flush(deadline).await + self.sink.flush(deadline).await };
            let (traces, stats) = tokio::join!(self.traces.flush(deadline), stats);
            traces + stats
        })
    }

    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            let stats =
                async { self.meter.shutdown(deadline).await + self.sink.shutdown(deadline).await };
            let (traces, stats) = tokio::join!(self.traces.shutdown(deadline), stats);
            traces + stats
        })
    }
}

/// Whether the exporter computes statistics in the config that runs: unless a connector sees its spans before it does.
struct Decision {
    always: bool,
    exporter: ComponentId,
    process: Process,
    /// For which wiring it was decided last, and how.
    last: Mutex<Option<(Arc<Topology>, bool)>>,
}

impl Decision {
    fn computes(&self) -> bool {
        if self.always {
            return true;
        }
        let topology = self.process.topology();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, computes)) = &*last
            && Arc::ptr_eq(known, &topology)
        {
            return *computes;
        }
        let connector = self.connector(&topology);
        match &connector {
            Some(connector) => tracing::info!(
                "otelcol.component.id" = %self.exporter,
                connector = %connector,
                "APM stats of these traces are computed by a connector of this config."
            ),
            None => tracing::info!(
                "otelcol.component.id" = %self.exporter,
                "APM stats are computed by the exporter, since no datadog connector sees these traces (setting: traces::compute_stats)."
            ),
        }
        let computes = connector.is_none();
        *last = Some((topology, computes));
        computes
    }

    /// The connector that makes statistics of spans from receivers whose spans come here, too.
    fn connector(&self, topology: &Topology) -> Option<ComponentId> {
        let sources = topology.sources(Signal::Traces, &self.exporter);
        let mut connectors = topology.connectors(CONNECTOR, Signal::Traces, Signal::Metrics);
        connectors
            .find(|connector| !topology.sources(Signal::Traces, connector).is_disjoint(&sources))
            .cloned()
    }
}
