//! What a component is given: its name, and everything of the process that it may use.

use std::any::{Any, TypeId};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use pdata::Signal;
use telemetry::Registry;
use telemetry::names::{self, Item, label};
use tokio::sync::mpsc;

use crate::budget::MemoryBudget;
use crate::component::Extension;
use crate::gate::Gate;
use crate::id::{ComponentId, ComponentKind, PipelineId};
use crate::listeners::{DatagramSocket, Listener, Listeners, TransportAddress};
use crate::tasks::Tasks;
use crate::topology::Topology;
use crate::vitals::Vitals;

/// A component's context. Clones share it.
#[derive(Clone)]
pub struct Context {
    /// Its kind.
    pub kind: ComponentKind,
    /// Its id.
    pub id: ComponentId,
    /// The signal it is an instance for; receivers and extensions have none.
    pub signal: Option<Signal>,
    /// The pipeline it is an instance for; only processors have one.
    pub pipeline: Option<PipelineId>,
    /// Its tasks.
    pub tasks: Tasks,
    /// What the process has.
    pub process: Process,
    used_extensions: Arc<Mutex<BTreeSet<ComponentId>>>,
}

/// What all components share. Clones share it.
#[derive(Clone, Default)]
pub struct Process {
    /// The process's own metrics.
    pub registry: Arc<Registry>,
    /// The memory budget.
    pub budget: MemoryBudget,
    /// Listening sockets.
    pub listeners: Listeners,
    /// What every request to a backend passes.
    pub gate: Gate,
    /// In what kind of place it runs.
    pub hosting: Hosting,
    /// Who is watched for being stuck.
    pub vitals: Vitals,
    extensions: Arc<Mutex<HashMap<ComponentId, Arc<dyn Extension>>>>,
    topology: Arc<ArcSwap<Topology>>,
    provided: Arc<Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>,
    fatal: Option<mpsc::Sender<String>>,
}

/// The kind of place that a process runs in, as far as components behave differently there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hosting {
    /// A machine or a container.
    #[default]
    Machine,
    /// The environment of a function, whose caller waits for whoever sends telemetry: nothing that a sender waits for may depend on a
    /// backend.
    Function,
}

/// Why a component cannot be made of a sound config section.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BuildError(pub String);

/// Why a component cannot start: a port in use, a missing file. Names the thing and the remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

impl Context {
    /// The context of a component of this process.
    pub fn new(
        process: Process,
        kind: ComponentKind,
        id: ComponentId,
        signal: Option<Signal>,
        pipeline: Option<PipelineId>,
    ) -> Self {
        let labels = [(label::KIND, kind.name()), (label::COMPONENT, &id.to_string())];
        let failures = process.registry.counter(&names::COMPONENT_FAILURES, &labels);
        let tasks = Tasks::new(id.to_string()).counting_failures(failures);
        Self { kind, id, signal, pipeline, tasks, process, used_extensions: Arc::default() }
    }

    /// Whether one of these extensions was asked for a capability.
    pub(crate) fn uses_any(&self, extensions: &BTreeSet<ComponentId>) -> bool {
        let used = self.used_extensions.lock().unwrap_or_else(PoisonError::into_inner);
        !used.is_disjoint(extensions)
    }

    /// Listens at an address.
    ///
    /// # Errors
    /// Names the address, what is wrong with it and what to do.
    pub fn listen(&self, address: &TransportAddress) -> Result<Listener, StartError> {
        let listener = self.process.listeners.bind(&self.id, address);
        listener.map_err(|error| cannot_listen(&address.to_string(), &error))
    }

    /// Takes datagrams at a `host:port` of UDP.
    ///
    /// # Errors
    /// As [`Context::listen`].
    pub fn listen_udp(&self, address: &str) -> Result<DatagramSocket, StartError> {
        let socket = self.process.listeners.bind_udp(&self.id, address);
        socket.map_err(|error| cannot_listen(&format!("{address}/udp"), &error))
    }

    /// Ends the process in order: for failures after start that leave the component useless.
    pub fn report_fatal(&self, error: &str) {
        if let Some(fatal) = &self.process.fatal {
            let (kind, id) = (self.kind.name(), &self.id);
            // A full channel means that the process is ending already.
            let _ending = fatal.try_send(format!("{kind} \"{id}\" failed: {error}"));
        }
    }

    /// A running extension's capability of this type: an authenticator, a storage.
    ///
    /// # Errors
    /// When there is no such extension in `service::extensions`, or it is of another kind.
    pub fn capability<T: Any + Send + Sync>(&self, id: &ComponentId) -> Result<Arc<T>, StartError> {
        // Remembered, since this component has to be made anew when a reload replaces the extension.
        let mut used = self.used_extensions.lock().unwrap_or_else(PoisonError::into_inner);
        let _known_before = used.insert(id.clone());
        drop(used);
        let extensions = self.process.extensions.lock().unwrap_or_else(PoisonError::into_inner);
        let extension = extensions.get(id).cloned().ok_or_else(|| {
            StartError(format!("extension \"{id}\" is not running; list it in service::extensions"))
        })?;
        let capability =
            extension.capability(TypeId::of::<T>()).and_then(|any| any.downcast::<T>().ok());
        capability.ok_or_else(|| {
            StartError(format!("extension \"{id}\" cannot be used here; it is of another kind"))
        })
    }
}

impl Process {
    /// What the components of a process share. Fatal errors go to `fatal`.
    pub fn new(registry: Arc<Registry>, budget: MemoryBudget, fatal: mpsc::Sender<String>) -> Self {
        Self { registry, budget, fatal: Some(fatal), ..Self::default() }
    }

    /// The same beside a function, whose platform freezes the process unless this gate is open for good.
    #[must_use]
    pub fn beside_function(self, gate: Gate) -> Self {
        Self { gate, hosting: Hosting::Function, ..self }
    }

    /// Gives the components something of the surroundings that they look for by type, such as Lambda's events. What was provided of
    /// this type before is replaced.
    pub fn provide<T: Any + Send + Sync>(&self, service: Arc<T>) {
        let mut provided = self.provided.lock().unwrap_or_else(PoisonError::into_inner);
        let _before = provided.insert(TypeId::of::<T>(), service);
    }

    /// What the surroundings of the process provide of this type; nothing where there is none.
    pub fn provided<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let provided = self.provided.lock().unwrap_or_else(PoisonError::into_inner);
        provided.get(&TypeId::of::<T>()).cloned()?.downcast().ok()
    }

    /// Who feeds whom in the running config. A reload changes it, also for components that it keeps.
    pub fn topology(&self) -> Arc<Topology> {
        self.topology.load_full()
    }

    /// Makes known who feeds whom.
    pub(crate) fn set_topology(&self, topology: Topology) {
        self.topology.store(Arc::new(topology));
    }

    /// Makes the running extensions known, in place of those before.
    pub fn set_extensions(&self, extensions: HashMap<ComponentId, Arc<dyn Extension>>) {
        *self.extensions.lock().unwrap_or_else(PoisonError::into_inner) = extensions;
    }
}

fn cannot_listen(address: &str, error: &std::io::Error) -> StartError {
    let remedy = match error.kind() {
        std::io::ErrorKind::AddrInUse => "; stop what listens there or set another endpoint",
        std::io::ErrorKind::PermissionDenied => "; ports below 1024 need a privilege",
        std::io::ErrorKind::AddrNotAvailable => "; no interface has this address",
        _ => "",
    };
    StartError(format!("cannot listen on {address}: {error}{remedy}"))
}

/// The word for a signal's item in the process's own metrics.
pub fn item(signal: Signal) -> Item {
    match signal {
        Signal::Traces => Item::Spans,
        Signal::Metrics => Item::MetricPoints,
        Signal::Logs => Item::LogRecords,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fatal_error_names_its_component_and_only_the_first_is_kept() {
        let (fatal, mut ends) = mpsc::channel(1);
        let process = Process::new(Arc::default(), MemoryBudget::default(), fatal);
        let id = "otlp/2".parse().unwrap();
        let context = Context::new(process, ComponentKind::Receiver, id, None, None);
        context.report_fatal("the socket is gone");
        context.report_fatal("again");
        assert_eq!(ends.try_recv().unwrap(), "receiver \"otlp/2\" failed: the socket is gone");
        assert!(ends.try_recv().is_err());
    }

    #[test]
    fn what_the_surroundings_provide_is_found_by_type_through_every_clone() {
        let process = Process::default();
        let context = Context::new(
            process.clone(),
            ComponentKind::Receiver,
            "nop".parse().unwrap(),
            None,
            None,
        );
        assert_eq!(context.process.provided::<u16>(), None);
        process.provide(Arc::new(7_u16));
        process.provide(Arc::new("text"));
        assert_eq!(context.process.provided::<u16>().as_deref(), Some(&7));
        assert_eq!(context.process.provided::<&str>().as_deref(), Some(&"text"));
        assert_eq!(context.process.provided::<u32>(), None);
    }
}
