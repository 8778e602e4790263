//! Who feeds whom in the running config, for components that have to know: the Datadog exporter computes statistics only of spans that no
//! connector of its kind sees.

use std::collections::{BTreeMap, BTreeSet};

use pdata::Signal;

use crate::id::ComponentId;
use crate::plan::{PipelinePlan, Plan};

/// The pipelines of a config and what they connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    pipelines: Vec<PipelinePlan>,
    connectors: BTreeMap<ComponentId, &'static str>,
}

impl Topology {
    /// That of a plan.
    pub(crate) fn of(plan: &Plan) -> Self {
        let connectors = plan.connectors.iter();
        Self {
            pipelines: plan.pipelines.clone(),
            connectors: connectors
                .map(|(id, planned)| (id.clone(), planned.factory.component_type))
                .collect(),
        }
    }

    /// The connectors of a type that turn data of one signal into another in this config.
    pub fn connectors<'a>(
        &'a self,
        component_type: &'a str,
        from: Signal,
        to: Signal,
    ) -> impl Iterator<Item = &'a ComponentId> {
        let of_type = self.connectors.iter().filter(move |(_, own)| **own == component_type);
        of_type.map(|(id, _)| id).filter(move |id| {
            let is_entered =
                self.pipelines_of(from).any(|pipeline| pipeline.exporters.contains(id));
            is_entered && self.pipelines_of(to).any(|pipeline| pipeline.receivers.contains(id))
        })
    }

    /// The receivers whose data of `signal`, and of the signals it was made of, comes to an exporter or a connector, directly or through
    /// connectors.
    pub fn sources(&self, signal: Signal, exporter: &ComponentId) -> BTreeSet<ComponentId> {
        let (mut sources, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let is_entered = |pipeline: &&PipelinePlan| pipeline.exporters.contains(exporter);
        let mut open: Vec<&PipelinePlan> = self.pipelines_of(signal).filter(is_entered).collect();
        while let Some(pipeline) = open.pop() {
            if !seen.insert(&pipeline.id) {
                continue;
            }
            for receiver in &pipeline.receivers {
                if self.connectors.contains_key(receiver) {
                    open.extend(self.pipelines.iter().filter(|p| p.exporters.contains(receiver)));
                } else {
                    sources.insert(receiver.clone());
                }
            }
        }
        sources
    }

    fn pipelines_of(&self, signal: Signal) -> impl Iterator<Item = &PipelinePlan> {
        self.pipelines.iter().filter(move |pipeline| pipeline.id.signal() == signal)
    }
}

#[cfg(test)]
mod tests {
    use confmap::{Diagnostics, Node};

    use super::*;
    use crate::testing::COMPONENTS;

    fn topology(pipelines: &str) -> Topology {
        let yaml = format!(
            "receivers: {{fake: , fake/2: }}\nexporters: {{fake/out: , fake/other: }}\nconnectors: {{fake/c: , fake_spanmetrics: }}\nservice:\n  pipelines:\n{pipelines}"
        );
        let diagnostics = Diagnostics::new();
        let node = Node::from_yaml("file:config.yaml", &yaml).unwrap();
        let plan = Plan::read(&node, &COMPONENTS, &diagnostics);
        Topology::of(&plan.unwrap_or_else(|| unreachable!("{diagnostics}")))
    }

    fn id(text: &str) -> ComponentId {
        text.parse().unwrap()
    }

    #[test]
    fn sources_are_found_through_connectors() {
        let topology = topology(
            "    traces/in: {receivers: [fake], exporters: [fake/c, fake_spanmetrics]}
    traces/out: {receivers: [fake/c], exporters: [fake/out]}
    traces/other: {receivers: [fake/2], exporters: [fake/other]}
    metrics: {receivers: [fake_spanmetrics], exporters: [fake/other]}\n",
        );
        assert_eq!(topology.sources(Signal::Traces, &id("fake/out")), [id("fake")].into());
        assert_eq!(topology.sources(Signal::Traces, &id("fake/c")), [id("fake")].into());
        assert_eq!(topology.sources(Signal::Metrics, &id("fake/other")), [id("fake")].into());
        assert_eq!(topology.sources(Signal::Traces, &id("fake/other")), [id("fake/2")].into());
        assert_eq!(topology.sources(Signal::Logs, &id("fake/out")), BTreeSet::new());
    }

    #[test]
    fn only_connectors_that_connect_the_signals_count() {
        let topology = topology(
            "    traces/in: {receivers: [fake], exporters: [fake/c, fake_spanmetrics]}
    traces/out: {receivers: [fake/c], exporters: [fake/out]}
    metrics: {receivers: [fake_spanmetrics], exporters: [fake/out]}\n",
        );
        let of = |component_type, from, to| -> Vec<String> {
            topology.connectors(component_type, from, to).map(ToString::to_string).collect()
        };
        let (traces, metrics) = (Signal::Traces, Signal::Metrics);
        assert_eq!(of("fake_spanmetrics", traces, metrics), ["fake_spanmetrics"]);
        assert_eq!(of("fake", traces, traces), ["fake/c"]);
        assert_eq!(of("fake", traces, metrics), [""; 0]);
        assert_eq!(of("other", traces, traces), [""; 0]);
    }
}
