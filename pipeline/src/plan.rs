//! The plan: a configuration read and checked as a whole, ready to be built.
//!
//! Everything that is wrong is reported at once, each thing at its place. Components that no pipeline uses are read and checked
//! like the others, and never built. The rules and their texts are the Collector's (open-telemetry/opentelemetry-collector
//! `otelcol/config.go`, `service/pipelines/config.go`, `service/internal/graph`).

mod connections;
mod extensions;
mod pipelines;
mod sections;
mod settings;
mod upstream;

use std::collections::BTreeMap;

use confmap::{Diagnostic, Diagnostics, Node, Path, Section};
use pdata::Signal;

use crate::factory::{
    ConnectorFactory, ExporterFactory, ExtensionFactory, Factory, Probe, ProcessorFactory,
    ReceiverFactory,
};
use crate::id::{ComponentId, ComponentKind, PipelineId};

use self::sections::Configured;
pub use self::settings::{MemorySettings, ShutdownSettings};

/// The component tables of a binary.
#[derive(Clone, Copy, Debug, Default)]
pub struct Components {
    /// Receivers.
    pub receivers: &'static [&'static ReceiverFactory],
    /// Processors.
    pub processors: &'static [&'static ProcessorFactory],
    /// Exporters.
    pub exporters: &'static [&'static ExporterFactory],
    /// Connectors.
    pub connectors: &'static [&'static ConnectorFactory],
    /// Service extensions.
    pub extensions: &'static [&'static ExtensionFactory],
}

/// A sound configuration.
pub struct Plan {
    pub(crate) receivers: BTreeMap<ComponentId, Planned<ReceiverFactory>>,
    pub(crate) processors: BTreeMap<ComponentId, Planned<ProcessorFactory>>,
    pub(crate) exporters: BTreeMap<ComponentId, Planned<ExporterFactory>>,
    pub(crate) connectors: BTreeMap<ComponentId, Planned<ConnectorFactory>>,
    /// Those that `service::extensions` lists, in its order.
    pub(crate) extensions: Vec<(ComponentId, Planned<ExtensionFactory>)>,
    /// In topological order: a pipeline stands before those that its connectors feed.
    pub(crate) pipelines: Vec<PipelinePlan>,
    pub(crate) shutdown: ShutdownSettings,
    memory: MemorySettings,
    renamed: Vec<Renamed>,
}

/// A component's section, read.
pub(crate) struct Planned<F: Factory> {
    pub(crate) factory: &'static F,
    pub(crate) build: F::Build,
    /// What a reload compares.
    pub(crate) section: Node,
}

/// A pipeline's members. A connector stands among the exporters where data enters it, among the receivers where it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PipelinePlan {
    pub(crate) id: PipelineId,
    pub(crate) receivers: Vec<ComponentId>,
    pub(crate) processors: Vec<ComponentId>,
    pub(crate) exporters: Vec<ComponentId>,
}

/// A component that is configured under another name than this program's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// Its kind.
    pub kind: ComponentKind,
    /// Its id as written.
    pub id: ComponentId,
    /// Its type's own name.
    pub component_type: &'static str,
}

impl Plan {
    /// Reads a resolved configuration. `None` when `diagnostics` has errors in the end, earlier ones included.
    ///
    /// `service::telemetry` is left to the caller.
    pub fn read(config: &Node, components: &Components, diagnostics: &Diagnostics) -> Option<Self> {
        let mut root = Section::new(Some(config), "", diagnostics);
        if config.is_null() || config.as_map().is_some_and(confmap::Map::is_empty) {
            root.error_here("empty configuration file");
            root.finish();
            return None;
        }
        let mut renamed = Vec::new();
        let receivers = sections::read(&mut root, components.receivers, components, &mut renamed);
        let processors = sections::read(&mut root, components.processors, components, &mut renamed);
        let exporters = sections::read(&mut root, components.exporters, components, &mut renamed);
        let connectors = sections::read(&mut root, components.connectors, components, &mut renamed);
        let extensions = sections::read(&mut root, components.extensions, components, &mut renamed);
        let configured = Configured { receivers, processors, exporters, connectors, extensions };
        configured.check_sides(&root);

        let mut service = root.section("service");
        let enabled = pipelines::read_extensions(&mut service, &configured);
        let pipelines = pipelines::read_pipelines(&mut service, &configured);
        let shutdown = ShutdownSettings::read(service.section("shutdown"));
        let memory = MemorySettings::read(service.section("memory"));
        let _left_to_the_caller = service.is_set("telemetry");
        service.finish();
        root.finish();

        let order = connections::check(&pipelines, &configured, diagnostics);
        extensions::check(&configured, &pipelines, &enabled, components, diagnostics);
        configured.warn_of_unused(&pipelines, &enabled, diagnostics);
        if diagnostics.has_errors() {
            return None;
        }
        let mut plans: Vec<_> = pipelines.into_iter().map(|read| Some(read.plan())).collect();
        let in_order = order.into_iter().filter_map(|at| plans.get_mut(at)?.take()).collect();
        let mut extensions = sections::sound(configured.extensions);
        let enabled = enabled.into_iter().filter_map(|id| extensions.remove_entry(&id)).collect();
        Some(Self {
            receivers: sections::sound(configured.receivers),
            processors: sections::sound(configured.processors),
            exporters: sections::sound(configured.exporters),
            connectors: sections::sound(configured.connectors),
            extensions: enabled,
            pipelines: in_order,
            shutdown,
            memory,
            renamed,
        })
    }

    /// Where the agent that runs a configuration says whether it is ready: what the first of `service::extensions` that has such a page
    /// is set to, and its id. Nothing else of the configuration has to be sound; errors of that extension's section go to `diagnostics`.
    pub fn probe(
        config: &Node,
        components: &Components,
        diagnostics: &Diagnostics,
    ) -> Option<(ComponentId, Probe)> {
        extensions::probe(config, components, diagnostics)
    }

    /// `service::memory`.
    pub fn memory(&self) -> &MemorySettings {
        &self.memory
    }

    /// `service::shutdown`.
    pub fn shutdown(&self) -> &ShutdownSettings {
        &self.shutdown
    }

    /// Components configured under another name than this program's own.
    pub fn renamed(&self) -> &[Renamed] {
        &self.renamed
    }

    /// The pipelines of `signal` that data from `source`, a receiver or connector, enters.
    pub(crate) fn fed_by<'a>(
        &'a self,
        source: &'a ComponentId,
        signal: Signal,
    ) -> impl Iterator<Item = &'a PipelinePlan> {
        let of_signal = self.pipelines.iter().filter(move |p| p.id.signal() == signal);
        of_signal.filter(move |pipeline| pipeline.receivers.contains(source))
    }

    /// The signals that a connector turns data of `from` into, in this plan.
    pub(crate) fn connected<'a>(
        &'a self,
        connector: &'a ComponentId,
        from: Signal,
    ) -> impl Iterator<Item = Signal> + 'a {
        let pairs = self.connectors.get(connector).map_or(&[][..], |c| c.factory.signals);
        Signal::ALL.into_iter().filter(move |to| {
            pairs.contains(&(from, *to)) && self.fed_by(connector, *to).next().is_some()
        })
    }

    /// Whether a pipeline's data ends in connectors that make data of other signals of it, and nowhere else.
    pub(crate) fn only_observes(&self, pipeline: &PipelinePlan) -> bool {
        let from = pipeline.id.signal();
        pipeline.exporters.iter().all(|id| {
            self.connectors.contains_key(id) && self.connected(id, from).all(|to| to != from)
        })
    }
}

/// Pushes an error with the Collector's words about a pipeline, at the place of one of its references.
fn pipeline_error(
    diagnostics: &Diagnostics,
    path: &Path,
    reference: &pipelines::Reference<'_>,
    message: String,
    help: Option<String>,
) {
    let mut diagnostic = Diagnostic::error(path, message).at_value(reference.item.node());
    if let Some(help) = help {
        diagnostic = diagnostic.help(help);
    }
    diagnostics.push(diagnostic);
}

#[cfg(test)]
mod tests;
