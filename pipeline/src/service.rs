//! The service: a graph that runs. It is started, reloaded, flushed, and in the end drained.

mod drain;
mod lifecycle;
mod reload;

use std::time::Duration;

use confmap::{Diagnostic, Diagnostics, Path};
use telemetry::Registration;
use telemetry::names;
use tokio::task::JoinSet;

pub use self::drain::{DrainReport, ExporterDrain, HeldItems, Stop};
pub use self::reload::Reloaded;
use crate::context::{BuildError, Process, StartError};
use crate::deadline::Deadline;
use crate::graph::{BuildFailure, Builder, Graph};
use crate::plan::{Plan, ShutdownSettings};
use crate::topology::Topology;

/// Running pipelines and service extensions. Dropping a service without [`Service::shutdown`] aborts its tasks and loses what it
/// holds.
pub struct Service {
    process: Process,
    graph: Graph,
    /// The ids of the pipelines, as label values.
    pipelines: Vec<String>,
    shutdown: ShutdownSettings,
    /// What earlier reloads replaced and is still sending what it has.
    retiring: JoinSet<()>,
    _budget_series: [Registration; 2],
}

/// Why a service does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A component cannot be made.
    #[error("failed to create {component}: {reason}")]
    Build {
        /// The component: `"otlp" exporter for data type "traces"`.
        component: String,
        /// What it said.
        reason: BuildError,
    },
    /// A component cannot start.
    #[error("failed to start {component}: {reason}")]
    Start {
        /// The component: `"otlp" receiver`.
        component: String,
        /// What it said.
        reason: StartError,
    },
}

impl Service {
    /// Builds and starts everything: extensions, then exporters, and so on against the flow of data to the receivers. Must run on
    /// a tokio runtime.
    ///
    /// # Errors
    /// When a component cannot be made or started. What was started has been stopped again.
    pub async fn start(plan: Plan, process: Process) -> Result<Self, ServiceError> {
        let kept = Graph::default();
        let (graph, _no_redirects) = Builder::build(&plan, &process, &kept.instances)?;
        process.set_topology(Topology::of(&plan));
        lifecycle::start(&graph, &kept, &process).await?;
        let budget = process.budget.clone();
        let limit = move || Some(budget.limit_bytes() as f64);
        let budget = process.budget.clone();
        let used = move || Some(budget.held_bytes() as f64);
        let registry = &process.registry;
        let _budget_series = [
            registry.gauge_fn(&names::MEMORY_BUDGET_BYTES, &[], limit),
            registry.gauge_fn(&names::MEMORY_BUDGET_USED_BYTES, &[], used),
        ];
        registry.gauge(&names::CONFIG_LAST_RELOAD_SUCCESSFUL, &[]).set(1);
        for (_, extension) in graph.extensions() {
            extension.pipelines_ready();
        }
        tracing::info!("Everything is ready. Begin running and processing data.");
        let pipelines = pipeline_names(&plan);
        let (shutdown, retiring) = (plan.shutdown, JoinSet::new());
        Ok(Self { process, graph, pipelines, shutdown, retiring, _budget_series })
    }

    /// Builds everything that a plan asks for, and starts nothing: what `validate` does beyond reading. Warns of what starts elsewhere
    /// than on a machine or in a container.
    ///
    /// # Errors
    /// When a component cannot be made.
    pub fn check(plan: &Plan, diagnostics: &Diagnostics) -> Result<(), ServiceError> {
        let (kept, process) = (Graph::default(), Process::default());
        let (graph, _no_redirects) = Builder::build(plan, &process, &kept.instances)?;
        for (key, instance) in &graph.instances {
            if let Some(why) = instance.component.unfit_for(process.hosting) {
                let path = Path::from(key.kind().section()).key(&key.id().to_string());
                let place = instance.section.origin();
                diagnostics.push(Diagnostic::warning(path, why).at(place).without_excerpt());
            }
        }
        Ok(())
    }

    /// Has everything that is held sent, stage by stage with the flow of data, without stopping anything. Returns the items still
    /// held at the deadline.
    pub async fn flush(&self, deadline: Deadline) -> usize {
        let mut held = 0;
        for stage in &self.graph.stages {
            held += lifecycle::flush(self.graph.members(stage, &Graph::default()), deadline).await;
        }
        held
    }

    /// Has everything made ready for data that is expected soon. May be dropped at any point, which ends it.
    pub async fn warm(&self) {
        let mut warming = JoinSet::new();
        for stage in &self.graph.stages {
            for (_, instance) in self.graph.members(stage, &Graph::default()) {
                let component = instance.component.clone();
                warming.spawn(async move { component.warm().await });
            }
        }
        while warming.join_next().await.is_some() {}
    }

    /// What the components share.
    pub fn process(&self) -> &Process {
        &self.process
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // After a shutdown there are none left. Tasks may hold their component, so dropping that alone would not end them.
        for instance in self.graph.instances.values() {
            instance.context.tasks.abort();
        }
    }
}

impl From<BuildFailure> for ServiceError {
    fn from(failure: BuildFailure) -> Self {
        ServiceError::Build { component: failure.key.to_string(), reason: failure.error }
    }
}

fn pipeline_names(plan: &Plan) -> Vec<String> {
    plan.pipelines.iter().map(|pipeline| pipeline.id.to_string()).collect()
}

/// Longest a component may take to start. It must not wait for a backend, so this is far more than any needs.
const START_TIMEOUT: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests;
