//! From traces to traces: spans go through unchanged.

use pipeline::{
    BoxFuture, Component, Connector, ConsumeError, Consumer, Deadline, Envelope, Outlet,
};

/// A way from the end of a pipeline to the start of another.
pub(crate) struct Pass {
    next: Outlet,
}

impl Pass {
    pub(crate) fn new(next: Outlet) -> Self {
        Self { next }
    }
}

impl Consumer for Pass {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        self.next.consume(envelope)
    }
}

impl Component for Pass {
    fn shutdown(&self, _deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async { 0 })
    }
}

impl Connector for Pass {}
