//! The life of a component.

use std::any::{Any, TypeId};
use std::sync::Arc;

use crate::consumer::{BoxFuture, Consumer};
use crate::context::{Hosting, StartError};
use crate::deadline::Deadline;

/// What every running component can do. It is started once, after everything it sends to, and shut down once, before
/// everything it sends to; shutdown without start is safe.
pub trait Component: Send + Sync {
    /// Begins to work: binds sockets, spawns tasks. Returns when ready; must not wait for a backend.
    fn start(&self) -> BoxFuture<'_, Result<(), StartError>> {
        Box::pin(async { Ok(()) })
    }

    /// Makes ready for what is expected soon, such as by opening a connection. Nothing depends on it, and it may be dropped part-way.
    fn warm(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Passes on or sends what is held, without stopping. Returns the items still held at the deadline.
    fn flush(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        let _nothing_held = deadline;
        Box::pin(async { 0 })
    }

    /// Why it cannot start in a process in such a place, whatever its settings; nothing where it can. For whoever checks a config.
    fn unfit_for(&self, hosting: Hosting) -> Option<&'static str> {
        let _fit_for_all = hosting;
        None
    }

    /// Stops for good: takes nothing new, passes on or sends what is held until the deadline, joins its tasks. Returns the items
    /// that had to be given up, which the component has counted as dropped.
    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize>;
}

/// Takes data from outside.
pub trait Receiver: Component {}

/// Changes, drops, delays or regroups payloads in one pipeline.
///
/// Counts what enters and leaves it (`PROCESSOR_INCOMING`, `PROCESSOR_OUTGOING`), what it drops (`PIPELINE_DROPPED_ITEMS`)
/// and, with a gauge, what it holds (`PIPELINE_HELD_ITEMS`).
pub trait Processor: Component + Consumer {}

/// Sends the data of one signal outside.
///
/// Who counts what, so that accepted = delivered + refused + dropped + held adds up: the graph counts every envelope it offers
/// as accepted (`EXPORTER_ACCEPTED_ITEMS`), and what the exporter answers with an error as returned to the sender or dropped for
/// this branch. The exporter counts what becomes of envelopes that it answers with `Ok`: delivered, refused by the backend, dropped
/// (`EXPORTER_DELIVERED_ITEMS`, `EXPORTER_REFUSED_ITEMS`, `EXPORTER_DROPPED_ITEMS`), and shows with a gauge what it has in hand
/// (`EXPORTER_HELD_ITEMS`); its labels are `exporter` and `data_type`.
pub trait Exporter: Component + Consumer {}

/// The end of pipelines of one signal and the start of pipelines of another, or the same.
///
/// The graph counts what enters it, as delivered, and what it passes on, as accepted by the pipelines behind it. What it makes itself and
/// holds for a while, or gives up, the connector counts (`CONNECTOR_HELD_ITEMS`, `CONNECTOR_DROPPED_ITEMS`). One that makes data of another
/// signal is offered data after the others, when one of those took it: it must not refuse what it can hold.
pub trait Connector: Component + Consumer {}

/// A process-level service outside pipelines.
pub trait Extension: Component {
    /// The data pipelines run: every receiver is listening.
    fn pipelines_ready(&self) {}

    /// The data pipelines are about to stop.
    fn pipelines_stopping(&self) {}

    /// A reload came to an end; the error is what was wrong with the new config, which was not taken up.
    fn reloaded(&self, result: Result<(), &str>) {
        let _not_interested = result;
    }

    /// Itself as something that other components look for by type: an authenticator, a storage. An extension may be several of them.
    fn capability(self: Arc<Self>, wanted: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        let _nothing_of_any_type = wanted;
        None
    }
}
