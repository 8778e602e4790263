//! Pipelines: what components are, how they are wired, started, drained, reloaded and stopped.
//!
//! Data flows as [`Envelope`]s through [`Consumer`]s. A component is built by its factory from a config section and a
//! [`Context`]; it spawns tasks, binds listeners and finds service extensions only through that context, so that the
//! service can join, keep or replace them.
//!
//! Invariants: no await without a deadline; every task has an owner that joins it; what is accepted is delivered, refused, dropped
//! for a stated and counted reason, or held.

mod budget;
mod client;
mod component;
mod consumer;
mod context;
mod deadline;
mod envelope;
mod factory;
mod gate;
mod graph;
mod id;
mod listeners;
mod outlet;
mod plan;
mod service;
mod tasks;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod topology;
mod vitals;

pub use budget::{Admission, Branch, Hold, Kept, MemoryBudget};
pub use client::Client;
pub use component::{Component, Connector, Exporter, Extension, Processor, Receiver};
pub use consumer::{BoxFuture, Class, ConsumeError, Consumer};
pub use context::{BuildError, Context, Hosting, Process, StartError, item};
pub use deadline::Deadline;
pub use envelope::Envelope;
pub use factory::{
    BuildConnector, BuildExporter, BuildExtension, BuildProcessor, BuildReceiver, ConnectorFactory,
    ExporterFactory, ExtensionFactory, Probe, ProcessorFactory, ReceiverFactory,
};
pub use gate::Gate;
pub use id::{ComponentId, ComponentKind, IdError, PipelineId};
pub use listeners::{DatagramSocket, Listener, Listeners, Socket, TransportAddress};
pub use outlet::{Outlet, Outlets};
pub use pdata::GrpcCode;
pub use plan::{Components, MemorySettings, Plan, Renamed, ShutdownSettings};
pub use service::{DrainReport, ExporterDrain, HeldItems, Reloaded, Service, ServiceError, Stop};
pub use tasks::Tasks;
pub use topology::Topology;
pub use vitals::{Pulse, Vitals};
