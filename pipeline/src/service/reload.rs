//! A new plan takes the place of the old one while data flows.
//!
//! Everything new is built and started before anything old is touched, so that an error leaves the old service as it was. Then the
//! outlets of what stays are redirected, and what is left over is drained in the background. Sockets are shared between a
//! component and its successor for that while, so no connection is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use telemetry::names::{self, ReloadOutcome, label};

use super::{Service, ServiceError, drain, lifecycle};
use crate::deadline::Deadline;
use crate::graph::{Builder, Graph, Instance, Key};
use crate::id::ComponentId;
use crate::plan::Plan;
use crate::topology::Topology;

/// What a reload did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// Instances that go on as they were, with their sockets and queues.
    pub kept: usize,
    /// Instances that were built.
    pub started: usize,
    /// Instances that end once they have passed on what they hold.
    pub retired: usize,
}

impl Service {
    /// Goes over to a new plan. Logs and counts the outcome, and tells the extensions.
    ///
    /// # Errors
    /// When a component of the new plan cannot be made or started. The old service then runs on unchanged.
    pub async fn reload(&mut self, plan: Plan) -> Result<Reloaded, ServiceError> {
        let result = self.replace(plan).await;
        match &result {
            Ok(done) => {
                tracing::info!(
                    kept = done.kept,
                    started = done.started,
                    retired = done.retired,
                    "Config reloaded."
                );
                self.reload_ended(Ok(()));
            }
            Err(error) => self.refuse_reload(&error.to_string()),
        }
        result
    }

    /// Notes that a reload was asked for and its config is not sound: logs and counts it, and tells the extensions.
    pub fn refuse_reload(&self, why: &str) {
        tracing::error!(error = why, "Config reload failed; the old config stays in use.");
        self.reload_ended(Err(why));
    }

    fn reload_ended(&self, result: Result<(), &str>) {
        let outcome = if result.is_ok() { ReloadOutcome::Success } else { ReloadOutcome::Failure };
        let registry = &self.process.registry;
        registry.counter(&names::CONFIG_RELOADS, &[(label::OUTCOME, outcome.as_str())]).increment();
        let successful = registry.gauge(&names::CONFIG_LAST_RELOAD_SUCCESSFUL, &[]);
        successful.set(i64::from(result.is_ok()));
        for (_, extension) in self.graph.extensions() {
            extension.reloaded(result);
        }
    }

    async fn replace(&mut self, plan: Plan) -> Result<Reloaded, ServiceError> {
        let kept = Graph { instances: kept(&self.graph, &plan), ..Graph::default() };
        let (graph, redirects) = Builder::build(&plan, &self.process, &kept.instances)?;
        let leaving = self.graph.instances.keys().filter(|key| !kept.instances.contains_key(key));
        let leaving: BTreeSet<ComponentId> = leaving.map(|key| key.id().clone()).collect();
        let hand_over = self.process.listeners.hand_over(leaving);
        if let Err(error) = lifecycle::start(&graph, &kept, &self.process).await {
            self.process.set_extensions(self.graph.extensions().collect());
            return Err(error);
        }
        hand_over.complete();
        self.process.set_topology(Topology::of(&plan));
        self.process.set_extensions(graph.extensions().collect());
        for redirect in redirects {
            redirect.carry_out();
        }
        let done = Reloaded {
            kept: kept.instances.len(),
            started: graph.instances.len() - kept.instances.len(),
            retired: self.graph.instances.len() - kept.instances.len(),
        };
        for (key, instance) in graph.members(&graph.extensions, &kept) {
            if let Some(extension) = &instance.extension {
                tracing::debug!(extension = %key.id(), "telling a new extension that the pipelines run");
                extension.pipelines_ready();
            }
        }
        let old = std::mem::replace(&mut self.graph, graph);
        self.pipelines = super::pipeline_names(&plan);
        let deadline = Deadline::after(self.shutdown.deadline);
        let budget = self.shutdown.exporter_budget;
        self.shutdown = plan.shutdown;
        while self.retiring.try_join_next().is_some() {}
        self.retiring.spawn(async move {
            for stopped in drain::stop_pipelines(&old, &kept, deadline, budget).await {
                lifecycle::report_given_up(&stopped);
            }
            drain::stop_extensions(&old, &kept, deadline).await;
        });
        Ok(done)
    }
}

/// The running instances that a plan leaves as they are: same kind, id and role, same settings, and no replaced extension in use.
fn kept(running: &Graph, plan: &Plan) -> BTreeMap<Key, Arc<Instance>> {
    let stays = |key: &Key, instance: &Instance| match key {
        Key::Extension(id) => {
            let planned = plan.extensions.iter().find(|(other, _)| other == id);
            planned.is_some_and(|(_, planned)| planned.section == instance.section)
        }
        Key::Receiver(id) => plan.receivers.get(id).is_some_and(|planned| {
            let fed =
                planned.factory.signals.iter().filter(|s| plan.fed_by(id, **s).next().is_some());
            planned.section == instance.section
                && fed.eq(instance.outlets.iter().map(|(signal, _)| signal))
        }),
        Key::Processor(_, id) => {
            plan.processors.get(id).is_some_and(|planned| planned.section == instance.section)
        }
        Key::Connector(id, from, to) => plan.connectors.get(id).is_some_and(|planned| {
            planned.section == instance.section
                && plan.connected(id, *from).any(|other| other == *to)
        }),
        Key::Exporter(id, _) => {
            plan.exporters.get(id).is_some_and(|planned| planned.section == instance.section)
        }
    };
    let of_extensions = |key: &&Key| matches!(key, Key::Extension(_));
    let replaced: BTreeSet<ComponentId> = running
        .instances
        .iter()
        .filter(|(key, instance)| of_extensions(key) && !stays(key, instance))
        .map(|(key, _)| key.id().clone())
        .collect();
    let wanted = wanted_keys(plan);
    let mut kept: BTreeMap<Key, Arc<Instance>> = running
        .instances
        .iter()
        .filter(|(key, instance)| wanted.contains(*key) && stays(key, instance))
        .filter(|(_, instance)| !instance.context.uses_any(&replaced))
        .map(|(key, instance)| (key.clone(), instance.clone()))
        .collect();
    for pipeline in &plan.pipelines {
        let before = running.processors_of(&pipeline.id);
        let stayed = |id: &&ComponentId| {
            kept.contains_key(&Key::Processor(pipeline.id.clone(), (*id).clone()))
        };
        let then: Vec<&ComponentId> = before.iter().copied().filter(stayed).collect();
        let now: Vec<&ComponentId> = pipeline.processors.iter().filter(stayed).collect();
        if then != now {
            // In another order, a payload on its way could pass one of them twice and the other not at all.
            kept.retain(|key, _| !matches!(key, Key::Processor(of, _) if *of == pipeline.id));
        }
    }
    kept
}

fn wanted_keys(plan: &Plan) -> BTreeSet<Key> {
    let extensions = plan.extensions.iter().map(|(id, _)| Key::Extension(id.clone()));
    extensions.chain(Graph::keys_of(plan)).collect()
}
