//! From a plan to instances.

use std::collections::BTreeMap;
use std::sync::Arc;

use pdata::Signal;
use telemetry::names::{self, label};

use super::account::Account;
use super::fanout::{Branch, FanOut};
use super::{BuildFailure, Graph, Instance, Key, stages};
use crate::component::Component;
use crate::consumer::Consumer;
use crate::context::{BuildError, Context, Process};
use crate::id::{ComponentId, PipelineId};
use crate::outlet::{Outlet, Outlets};
use crate::plan::{PipelinePlan, Plan};

/// Builds a graph, part of which may run already.
pub(crate) struct Builder<'a> {
    plan: &'a Plan,
    process: &'a Process,
    instances: BTreeMap<Key, Arc<Instance>>,
    /// What stands behind the last processor of each pipeline.
    ends: BTreeMap<PipelineId, Arc<dyn Consumer>>,
    redirects: Vec<Redirect>,
}

/// A running component's outlet, and where it is to lead.
pub(crate) struct Redirect {
    outlet: Outlet,
    next: Arc<dyn Consumer>,
}

impl Redirect {
    pub(crate) fn carry_out(self) {
        self.outlet.redirect(self.next);
    }
}

impl<'a> Builder<'a> {
    /// Builds what the plan asks for and `kept` does not have. Nothing is started, and nothing that runs is changed: the redirects
    /// do that, in their order, which is from the last stage to the first. A payload on its way then never meets a new stage
    /// that leads back to an old one.
    pub(crate) fn build(
        plan: &'a Plan,
        process: &'a Process,
        kept: &BTreeMap<Key, Arc<Instance>>,
    ) -> Result<(Graph, Vec<Redirect>), BuildFailure> {
        let (instances, ends) = (BTreeMap::new(), BTreeMap::new());
        let mut builder = Self { plan, process, instances, ends, redirects: Vec::new() };
        let extensions: Vec<Key> =
            plan.extensions.iter().map(|(id, _)| Key::Extension(id.clone())).collect();
        let stages = stages::of(plan);
        for key in extensions.iter().chain(stages.iter().rev().flatten()) {
            let instance = match kept.get(key) {
                Some(instance) => builder.redirect(key, instance),
                None => builder
                    .instance(key)
                    .map_err(|error| BuildFailure { key: key.clone(), error })?,
            };
            builder.instances.insert(key.clone(), instance);
        }
        let Self { instances, redirects, .. } = builder;
        Ok((Graph { instances, extensions, stages }, redirects))
    }

    fn redirect(&mut self, key: &Key, instance: &Arc<Instance>) -> Arc<Instance> {
        for (signal, outlet) in &instance.outlets {
            let (outlet, next) = (outlet.clone(), self.next(key, *signal));
            self.redirects.push(Redirect { outlet, next });
        }
        instance.clone()
    }

    /// Where the data of `signal` that `key` puts out goes.
    fn next(&mut self, key: &Key, signal: Signal) -> Arc<dyn Consumer> {
        let plan = self.plan;
        let processor = match key {
            Key::Processor(pipeline, id) => Some((pipeline, id)),
            _ => None,
        };
        let Some((pipeline, id)) = processor else {
            return self.pipelines_fed_by(key.id(), signal);
        };
        let pipeline = plan.pipelines.iter().find(|p| p.id == *pipeline);
        let at = pipeline.and_then(|p| p.processors.iter().position(|other| other == id));
        match (pipeline, at) {
            (Some(pipeline), Some(at)) => self.within(pipeline, at + 1),
            _ => Arc::new(FanOut::new(Vec::new())),
        }
    }

    /// The way from a receiver or connector into the pipelines of a signal.
    fn pipelines_fed_by(&mut self, source: &ComponentId, signal: Signal) -> Arc<dyn Consumer> {
        let plan = self.plan;
        let mut branches = Vec::new();
        for pipeline in plan.fed_by(source, signal) {
            let account = Account::of_pipeline(&self.process.registry, &pipeline.id);
            let observes = plan.only_observes(pipeline);
            branches.push(Branch { next: self.within(pipeline, 0), account, observes });
        }
        Arc::new(FanOut::new(branches))
    }

    /// The processor at a position in a pipeline, or what stands behind the last.
    fn within(&mut self, pipeline: &PipelinePlan, at: usize) -> Arc<dyn Consumer> {
        let processor = pipeline.processors.get(at);
        let processor = processor.map(|id| Key::Processor(pipeline.id.clone(), id.clone()));
        match processor.and_then(|key| self.entrance(&key)) {
            Some(entrance) => entrance,
            None => self.end(pipeline),
        }
    }

    /// The way from the end of a pipeline to its exporters and connectors.
    fn end(&mut self, pipeline: &PipelinePlan) -> Arc<dyn Consumer> {
        if let Some(end) = self.ends.get(&pipeline.id) {
            return end.clone();
        }
        let (registry, signal, plan) = (&self.process.registry, pipeline.id.signal(), self.plan);
        let mut branches = Vec::new();
        for id in &pipeline.exporters {
            if let Some(next) = self.entrance(&Key::Exporter(id.clone(), signal)) {
                let account = Account::of_exporter(registry, &pipeline.id, id);
                branches.push(Branch { next, account, observes: false });
            }
            for to in plan.connected(id, signal) {
                if let Some(next) = self.entrance(&Key::Connector(id.clone(), signal, to)) {
                    let account = Account::of_connector(registry, &pipeline.id, id, to);
                    branches.push(Branch { next, account, observes: to != signal });
                }
            }
        }
        let labels = [(label::PIPELINE, &*pipeline.id.to_string())];
        let forwarded = registry.counter(&names::PIPELINE_FORWARDED_ITEMS, &labels);
        let end: Arc<dyn Consumer> = Arc::new(FanOut::counting(branches, forwarded));
        self.ends.insert(pipeline.id.clone(), end.clone());
        end
    }

    fn entrance(&self, key: &Key) -> Option<Arc<dyn Consumer>> {
        self.instances.get(key)?.entrance.clone()
    }

    fn instance(&mut self, key: &Key) -> Result<Arc<Instance>, BuildError> {
        match key {
            Key::Extension(id) => self.extension(id),
            Key::Receiver(id) => self.receiver(key, id),
            Key::Processor(pipeline, id) => self.processor(key, pipeline, id),
            Key::Connector(id, from, to) => self.connector(key, id, *from, *to),
            Key::Exporter(id, signal) => self.exporter(key, id, *signal),
        }
    }

    fn extension(&self, id: &ComponentId) -> Result<Arc<Instance>, BuildError> {
        let planned = self.plan.extensions.iter().find(|(other, _)| other == id);
        let (_, planned) = planned.ok_or_else(|| unplanned(id))?;
        let context = self.context(&Key::Extension(id.clone()));
        let extension = (planned.build)(context.clone())?;
        let component: Arc<dyn Component> = extension.clone();
        Ok(Arc::new(Instance {
            context,
            component,
            entrance: None,
            outlets: Vec::new(),
            extension: Some(extension),
            section: planned.section.clone(),
        }))
    }

    fn receiver(&mut self, key: &Key, id: &ComponentId) -> Result<Arc<Instance>, BuildError> {
        let planned = self.plan.receivers.get(id).ok_or_else(|| unplanned(id))?;
        let fed = |signal: &Signal| self.plan.fed_by(id, *signal).next().is_some();
        let signals: Vec<Signal> = planned.factory.signals.iter().copied().filter(fed).collect();
        let mut outlets = Vec::new();
        for signal in signals {
            outlets.push((signal, Outlet::to(self.next(key, signal))));
        }
        let by_signal = outlets.iter().fold(Outlets::default(), |outlets, (signal, outlet)| {
            outlets.with(*signal, outlet.clone())
        });
        let context = self.context(key);
        let component: Arc<dyn Component> = (planned.build)(context.clone(), by_signal)?;
        let section = planned.section.clone();
        let instance =
            Instance { context, component, entrance: None, outlets, extension: None, section };
        Ok(Arc::new(instance))
    }

    fn processor(
        &mut self,
        key: &Key,
        pipeline: &PipelineId,
        id: &ComponentId,
    ) -> Result<Arc<Instance>, BuildError> {
        let planned = self.plan.processors.get(id).ok_or_else(|| unplanned(id))?;
        let outlet = Outlet::to(self.next(key, pipeline.signal()));
        let context = self.context(key);
        let processor = (planned.build)(context.clone(), outlet.clone())?;
        Ok(Arc::new(Instance {
            context,
            component: processor.clone(),
            entrance: Some(processor),
            outlets: vec![(pipeline.signal(), outlet)],
            extension: None,
            section: planned.section.clone(),
        }))
    }

    fn connector(
        &mut self,
        key: &Key,
        id: &ComponentId,
        from: Signal,
        to: Signal,
    ) -> Result<Arc<Instance>, BuildError> {
        let planned = self.plan.connectors.get(id).ok_or_else(|| unplanned(id))?;
        debug_assert!(planned.factory.signals.contains(&(from, to)));
        let outlet = Outlet::to(self.next(key, to));
        let context = self.context(key);
        let connector = (planned.build)(context.clone(), to, outlet.clone())?;
        Ok(Arc::new(Instance {
            context,
            component: connector.clone(),
            entrance: Some(connector),
            outlets: vec![(to, outlet)],
            extension: None,
            section: planned.section.clone(),
        }))
    }

    fn exporter(
        &self,
        key: &Key,
        id: &ComponentId,
        signal: Signal,
    ) -> Result<Arc<Instance>, BuildError> {
        let planned = self.plan.exporters.get(id).ok_or_else(|| unplanned(id))?;
        debug_assert!(planned.factory.signals.contains(&signal));
        let context = self.context(key);
        let exporter = (planned.build)(context.clone())?;
        Ok(Arc::new(Instance {
            context,
            component: exporter.clone(),
            entrance: Some(exporter),
            outlets: Vec::new(),
            extension: None,
            section: planned.section.clone(),
        }))
    }

    fn context(&self, key: &Key) -> Context {
        let (signal, pipeline) = match key {
            Key::Extension(_) | Key::Receiver(_) => (None, None),
            Key::Processor(pipeline, _) => (Some(pipeline.signal()), Some(pipeline.clone())),
            Key::Connector(_, signal, _) | Key::Exporter(_, signal) => (Some(*signal), None),
        };
        Context::new(self.process.clone(), key.kind(), key.id().clone(), signal, pipeline)
    }
}

/// A plan lists whatever it refers to, so nobody should ever read this.
fn unplanned(id: &ComponentId) -> BuildError {
    BuildError(format!("\"{id}\" is missing from the plan; please report this"))
}
