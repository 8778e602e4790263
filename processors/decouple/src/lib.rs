//! The `decouple` processor: there for configs of opentelemetry-lambda, and passes everything on.
//!
//! Upstream it takes exports off the path of the function's calls, with a queue that is emptied between the end of an invocation and the
//! next. Here a sender is answered when its payload is in memory, exporters have their own queues, and the extension flushes them at the
//! end of an invocation: what the processor is for is done without it.

mod config;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pdata::Signal;
use pipeline::{BuildProcessor, ProcessorFactory};

/// The factory.
pub static FACTORY: ProcessorFactory = ProcessorFactory {
    component_type: "decouple",
    aliases: &[],
    signals: &Signal::ALL,
    parse: |section| -> BuildProcessor {
        config::read(section);
        let is_told = Arc::new(AtomicBool::new(false));
        Box::new(move |context, next| {
            // Once for all pipelines that it stands in.
            if !is_told.swap(true, Ordering::Relaxed) {
                tracing::info!(
                    "otelcol.component.id" = %context.id,
                    "otelcol.component.kind" = "processor",
                    "The decouple processor passes everything on: senders never wait for exports here, with or without it."
                );
            }
            Ok(attributes::processor(&context, next, |_payload, _client| {}))
        })
    },
};

#[cfg(test)]
mod tests {
    use confmap::{Diagnostics, Node, Section};
    use pipeline::testing::{Recorder, envelope};
    use pipeline::{ComponentKind, Context, Outlet, Process};

    use super::*;

    #[tokio::test]
    async fn everything_passes_as_it_came() {
        let node = Node::from_yaml("test.yaml", "{max_queue_size: 7}").unwrap();
        let diagnostics = Diagnostics::new();
        let section = Section::new(Some(&node), "processors::decouple", &diagnostics);
        let build = (FACTORY.parse)(section);
        for signal in Signal::ALL {
            let (recorder, process) = (Recorder::default(), Process::default());
            let id = "decouple".parse().unwrap();
            let kind = ComponentKind::Processor;
            let context = Context::new(process, kind, id, Some(signal), None);
            let processor = build(context, Outlet::to(Arc::new(recorder.clone()))).unwrap();
            let sent = envelope(signal, 3);
            processor.consume(sent.clone()).await.unwrap();
            let passed = &recorder.envelopes()[0].payload;
            assert_eq!(passed.to_bytes(), sent.payload.to_bytes());
        }
    }
}
