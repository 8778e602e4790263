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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use pdata::Signal;
    use pipeline::testing::{Recorder, envelope};

    use super::*;

    #[tokio::test]
    async fn spans_go_through_unchanged_and_so_does_a_refusal() {
        let next = Recorder::default();
        let pass = Pass::new(Outlet::to(Arc::new(next.clone())));
        let sent = envelope(Signal::Traces, 3);
        pass.consume(sent.clone()).await.unwrap();
        assert_eq!(next.envelopes()[0].payload.to_bytes(), sent.payload.to_bytes());
        next.refuse(Some(ConsumeError::overloaded("full")));
        assert_eq!(pass.consume(sent).await, Err(ConsumeError::overloaded("full")));
        assert_eq!(pass.shutdown(Deadline::after(Duration::ZERO)).await, 0);
    }
}
