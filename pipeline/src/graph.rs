//! The graph: running components and the ways between them.
//!
//! A receiver is one instance for its id, with an outlet for each signal; a processor one for each pipeline; an exporter one for
//! each signal; a connector one for each pair of signals. What stands behind an outlet is a fan-out, or the next processor.
//!
//! The graph knows the order of things: data flows from the first stage to the last, so components are started from the last stage
//! to the first, and stopped and flushed from the first to the last.

mod account;
mod build;
mod fanout;
mod stages;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use confmap::Node;
use pdata::Signal;

use crate::component::{Component, Extension};
use crate::consumer::Consumer;
use crate::context::{BuildError, Context};
use crate::id::{ComponentId, ComponentKind, PipelineId};
use crate::outlet::Outlet;
use crate::plan::Plan;

pub(crate) use self::build::Builder;

/// What tells one instance from all others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// A service extension.
    Extension(ComponentId),
    /// A receiver, for all its signals.
    Receiver(ComponentId),
    /// A processor in a pipeline.
    Processor(PipelineId, ComponentId),
    /// A connector from pipelines of the first signal to pipelines of the second.
    Connector(ComponentId, Signal, Signal),
    /// An exporter for a signal.
    Exporter(ComponentId, Signal),
}

/// One running component.
pub(crate) struct Instance {
    pub(crate) context: Context,
    pub(crate) component: Arc<dyn Component>,
    /// Where data goes in; receivers and extensions have none.
    pub(crate) entrance: Option<Arc<dyn Consumer>>,
    /// Where data comes out, with its signal; exporters and extensions have none.
    pub(crate) outlets: Vec<(Signal, Outlet)>,
    /// Itself as an extension.
    pub(crate) extension: Option<Arc<dyn Extension>>,
    /// The settings it was built from.
    pub(crate) section: Node,
}

/// All instances of a service. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Graph {
    pub(crate) instances: BTreeMap<Key, Arc<Instance>>,
    /// Extensions in the order in which they start.
    pub(crate) extensions: Vec<Key>,
    /// Everything else in topological order: receivers first, exporters last. Members of one stage do not feed each other.
    pub(crate) stages: Vec<Vec<Key>>,
}

/// A component could not be made.
#[derive(Debug)]
pub(crate) struct BuildFailure {
    pub(crate) key: Key,
    pub(crate) error: BuildError,
}

impl Key {
    pub(crate) fn id(&self) -> &ComponentId {
        match self {
            Key::Extension(id) | Key::Receiver(id) => id,
            Key::Processor(_, id) | Key::Connector(id, _, _) | Key::Exporter(id, _) => id,
        }
    }

    pub(crate) fn kind(&self) -> ComponentKind {
        match self {
            Key::Extension(_) => ComponentKind::Extension,
            Key::Receiver(_) => ComponentKind::Receiver,
            Key::Processor(..) => ComponentKind::Processor,
            Key::Connector(..) => ComponentKind::Connector,
            Key::Exporter(..) => ComponentKind::Exporter,
        }
    }
}

/// `"otlp" exporter for data type "traces"`: the order of words is the Collector's.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" {}", self.id(), self.kind().name())?;
        match self {
            Key::Extension(_) | Key::Receiver(_) => Ok(()),
            Key::Processor(pipeline, _) => write!(f, " in pipeline \"{pipeline}\""),
            Key::Connector(_, from, to) => write!(f, " ({from} to {to})"),
            Key::Exporter(_, signal) => write!(f, " for data type \"{signal}\""),
        }
    }
}

impl Graph {
    /// The instances of a stage, those in `left_out` excepted.
    pub(crate) fn members<'a>(
        &'a self,
        stage: &'a [Key],
        left_out: &'a Graph,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Instance>)> {
        let of_stage = stage.iter().filter_map(|key| self.instances.get_key_value(key));
        of_stage.filter(|(key, instance)| {
            !left_out.instances.get(key).is_some_and(|other| Arc::ptr_eq(other, instance))
        })
    }

    /// The keys of everything that a plan asks for, extensions excepted.
    pub(crate) fn keys_of(plan: &Plan) -> impl Iterator<Item = Key> {
        stages::of(plan).into_iter().flatten()
    }

    /// The processors of a pipeline in their order.
    pub(crate) fn processors_of(&self, pipeline: &PipelineId) -> Vec<&ComponentId> {
        let of_pipeline = |key: &'_ Key| matches!(key, Key::Processor(of, _) if of == pipeline);
        self.stages.iter().flatten().filter(|key| of_pipeline(key)).map(Key::id).collect()
    }

    /// The running extensions by id.
    pub(crate) fn extensions(
        &self,
    ) -> impl Iterator<Item = (ComponentId, Arc<dyn Extension>)> + '_ {
        self.extensions.iter().filter_map(|key| {
            let extension = self.instances.get(key)?.extension.clone()?;
            Some((key.id().clone(), extension))
        })
    }
}

#[cfg(test)]
mod tests;
