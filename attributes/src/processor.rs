//! A processor that edits each payload on its way.

use std::sync::Arc;

use pdata::{Payload, Signal};
use pipeline::{
    BoxFuture, Client, Component, ConsumeError, Consumer, Context, Deadline, Envelope, Outlet,
    Processor,
};
use telemetry::Counter;
use telemetry::names::{self, label};

/// A processor that has `edit` change each payload, and passes it on. It holds nothing.
pub fn processor(
    context: &Context,
    next: Outlet,
    edit: impl Fn(&mut Payload, &Client) + Send + Sync + 'static,
) -> Arc<dyn Processor> {
    let (id, signal) = (context.id.to_string(), context.signal.map_or("", Signal::name));
    let labels = &[(label::PROCESSOR, id.as_str()), (label::OTEL_SIGNAL, signal)];
    let registry = &context.process.registry;
    Arc::new(Editor {
        edit,
        next,
        incoming: registry.counter(&names::PROCESSOR_INCOMING, labels),
        outgoing: registry.counter(&names::PROCESSOR_OUTGOING, labels),
    })
}

struct Editor<F> {
    edit: F,
    next: Outlet,
    incoming: Counter,
    outgoing: Counter,
}

impl<F: Fn(&mut Payload, &Client) + Send + Sync> Consumer for Editor<F> {
    fn consume(&self, mut envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        Box::pin(async move {
            self.incoming.add(envelope.items() as u64);
            let before = envelope.payload.encoded_len();
            (self.edit)(&mut envelope.payload, &envelope.client);
            let grown = envelope.payload.encoded_len().saturating_sub(before);
            envelope.hold.resize(envelope.hold.bytes() + grown);
            let items = envelope.items() as u64;
            self.next.consume(envelope).await?;
            self.outgoing.add(items);
            Ok(())
        })
    }
}

impl<F: Fn(&mut Payload, &Client) + Send + Sync> Component for Editor<F> {
    fn shutdown(&self, _deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async { 0 })
    }
}

impl<F: Fn(&mut Payload, &Client) + Send + Sync> Processor for Editor<F> {}

#[cfg(test)]
mod tests {
    use pipeline::testing::{Recorder, envelope};
    use pipeline::{Admission, ComponentKind, MemoryBudget, Process};
    use telemetry::MetricsLevel;

    use super::*;

    fn grows(payload: &mut Payload, _client: &Client) {
        payload.edit_resources(|resource| {
            let _fits = resource.attributes().set("a", "x".repeat(100).as_str());
        });
    }

    fn started(next: &Recorder, process: &Process) -> Arc<dyn Processor> {
        let (id, signal) = ("attributes/test".parse().unwrap(), Some(Signal::Traces));
        let context = Context::new(process.clone(), ComponentKind::Processor, id, signal, None);
        processor(&context, Outlet::to(Arc::new(next.clone())), grows)
    }

    #[tokio::test]
    async fn payload_is_edited_counted_and_passed_on() {
        let (next, process) = (Recorder::default(), Process::default());
        let processor = started(&next, &process);
        processor.consume(envelope(Signal::Traces, 3)).await.unwrap();
        next.refuse(Some(ConsumeError::overloaded("full")));
        processor.consume(envelope(Signal::Traces, 5)).await.unwrap_err();
        let got = next.envelopes();
        let resource = got[0].payload.resource_spans().next().unwrap().resource;
        assert!(got.len() == 1 && resource.attributes.get("a").is_some());
        let metrics = telemetry::render(&process.registry, MetricsLevel::Detailed);
        for (family, items) in [("incoming", 8), ("outgoing", 3)] {
            let line = format!(
                "otelcol_processor_{family}_items{{processor=\"attributes/test\",otel_signal=\"traces\"}} {items}\n"
            );
            assert!(metrics.contains(&line), "{metrics}");
        }
        assert_eq!(processor.shutdown(Deadline::after(std::time::Duration::ZERO)).await, 0);
    }

    #[tokio::test]
    async fn what_a_payload_grows_by_is_taken_from_the_budget() {
        let (next, budget) = (Recorder::default(), MemoryBudget::new(10_000, 10_000));
        let processor = started(&next, &Process::default());
        let mut envelope = envelope(Signal::Traces, 1);
        let before = envelope.payload.encoded_len();
        let Admission::Granted(hold) = budget.try_hold(before) else {
            unreachable!("there is that much room");
        };
        envelope.hold = hold;
        processor.consume(envelope).await.unwrap();
        assert_eq!(budget.held_bytes(), next.envelopes()[0].payload.encoded_len());
        assert!(budget.held_bytes() > before + 100);
    }
}
