//! The `nop` exporter: takes everything and sends it nowhere.

use std::sync::Arc;

use pdata::Signal;
use pipeline::{
    BoxFuture, BuildExporter, Component, ConsumeError, Consumer, Context, Deadline, Envelope,
    Exporter, ExporterFactory, item,
};
use telemetry::Counter;
use telemetry::names::{self, label};

/// The factory.
pub static FACTORY: ExporterFactory = ExporterFactory {
    component_type: "nop",
    aliases: &[],
    signals: &Signal::ALL,
    parse: |section| -> BuildExporter {
        section.finish();
        Box::new(|context| Ok(Arc::new(Nop::new(&context)) as Arc<dyn Exporter>))
    },
};

struct Nop {
    sent: Counter,
    delivered: Counter,
}

impl Nop {
    fn new(context: &Context) -> Self {
        let signal = context.signal.unwrap_or(Signal::Traces);
        let (registry, id) = (&context.process.registry, context.id.to_string());
        let branch = &[(label::EXPORTER, id.as_str()), (label::DATA_TYPE, signal.name())];
        let sent = names::EXPORTER_SENT.of(item(signal));
        Self {
            sent: registry.counter(sent, &[(label::EXPORTER, id.as_str())]),
            delivered: registry.counter(&names::EXPORTER_DELIVERED_ITEMS, branch),
        }
    }
}

impl Consumer for Nop {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        let items = envelope.items() as u64;
        self.sent.add(items);
        self.delivered.add(items);
        Box::pin(async { Ok(()) })
    }
}

impl Component for Nop {
    fn shutdown(&self, _deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async { 0 })
    }
}

impl Exporter for Nop {}
