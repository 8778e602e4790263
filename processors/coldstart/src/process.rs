//! The processor: the pairing in a pipeline, and the account of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use pdata::Signal;
use pipeline::{
    BoxFuture, Component, ConsumeError, Consumer, Context, Deadline, Envelope, Outlet, Processor,
};
use telemetry::names::{self, DropReason, label};
use telemetry::{Counter, Gauge};

use crate::pairing::Pairing;

/// The `coldstart` processor of one pipeline.
pub(crate) struct ColdStart {
    next: Outlet,
    pairing: Mutex<Pairing>,
    /// Whether the pairing is over, so that nobody has to look.
    is_done: AtomicBool,
    incoming: Counter,
    outgoing: Counter,
    given_up: Counter,
    held: Gauge,
}

/// What a payload has changed.
struct Change {
    before: Pairing,
    after: Pairing,
}

impl ColdStart {
    pub(crate) fn new(context: &Context, next: Outlet) -> Self {
        let (id, registry) = (context.id.to_string(), &context.process.registry);
        let pipeline = context.pipeline.as_ref().map(ToString::to_string).unwrap_or_default();
        let signal = Signal::Traces.name();
        let labels = [(label::PROCESSOR, id.as_str()), (label::OTEL_SIGNAL, signal)];
        let of_pipeline = (label::PIPELINE, pipeline.as_str());
        let shutdown = (label::REASON, DropReason::Shutdown.as_str());
        Self {
            next,
            pairing: Mutex::default(),
            is_done: AtomicBool::new(false),
            incoming: registry.counter(&names::PROCESSOR_INCOMING, &labels),
            outgoing: registry.counter(&names::PROCESSOR_OUTGOING, &labels),
            given_up: registry.counter(&names::PIPELINE_DROPPED_ITEMS, &[of_pipeline, shutdown]),
            held: registry.gauge(&names::PIPELINE_HELD_ITEMS, &[of_pipeline]),
        }
    }

    /// Pairs the payload's spans. A refusal further on costs the sender nothing that is remembered: what it sends again is read again.
    fn pair(&self, envelope: &mut Envelope) -> Change {
        let mut pairing = self.pairing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = pairing.clone();
        let payload =
            std::mem::replace(&mut envelope.payload, pdata::Payload::empty(Signal::Traces));
        let len = payload.encoded_len();
        envelope.payload = pairing.take(payload);
        let grown = envelope.payload.encoded_len().saturating_sub(len);
        if grown > 0 {
            envelope.hold.resize(envelope.hold.bytes() + grown);
        }
        self.held.set(i64::try_from(pairing.held()).unwrap_or_default());
        self.is_done.store(*pairing == Pairing::Done, Ordering::Relaxed);
        Change { before, after: pairing.clone() }
    }

    /// Takes back what a payload that was refused has changed, unless another has changed more since.
    fn undo(&self, change: Change) {
        let mut pairing = self.pairing.lock().unwrap_or_else(PoisonError::into_inner);
        if *pairing != change.after {
            return;
        }
        *pairing = change.before;
        self.held.set(i64::try_from(pairing.held()).unwrap_or_default());
        self.is_done.store(*pairing == Pairing::Done, Ordering::Relaxed);
    }
}

impl Consumer for ColdStart {
    fn consume(&self, mut envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        Box::pin(async move {
            self.incoming.add(envelope.items() as u64);
            let change = match self.is_done.load(Ordering::Relaxed) {
                true => None,
                false => Some(self.pair(&mut envelope)),
            };
            if envelope.payload.is_empty() {
                return Ok(());
            }
            let spans = envelope.items() as u64;
            let result = self.next.consume(envelope).await;
            match (&result, change) {
                (Ok(()), _) => self.outgoing.add(spans),
                (Err(_), Some(change)) => self.undo(change),
                (Err(_), None) => {}
            }
            result
        })
    }
}

impl Component for ColdStart {
    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            let alone = self.pairing.lock().unwrap_or_else(PoisonError::into_inner).give_up();
            let Some(payload) = alone else { return 0 };
            self.held.set(0);
            let spans = payload.items();
            match deadline.bound(self.next.consume(Envelope::of(payload))).await {
                Some(Ok(())) => {
                    self.outgoing.add(spans as u64);
                    0
                }
                _ => {
                    self.given_up.add(spans as u64);
                    spans
                }
            }
        })
    }
}

impl Processor for ColdStart {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pdata::Payload;
    use pipeline::testing::{PATIENCE, Recorder};
    use pipeline::{ComponentKind, Process};

    use super::*;

    fn traces(attribute: &str) -> Envelope {
        let request = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{:032x}","spanId":"00000000000000aa","attributes":[{attribute}]}}]}}]}}]}}"#,
            1
        );
        Envelope::of(Payload::from_json(Signal::Traces, request.as_bytes()).unwrap().payload)
    }

    fn cold_start() -> Envelope {
        traces(r#"{"key":"faas.coldstart","value":{"boolValue":true}}"#)
    }

    fn invocation() -> Envelope {
        traces(r#"{"key":"faas.invocation_id","value":{"stringValue":"r"}}"#)
    }

    fn processor(recorder: &Recorder) -> (ColdStart, Process) {
        let process = Process::default();
        let (id, pipeline) = ("coldstart".parse().unwrap(), "traces".parse().unwrap());
        let context = Context::new(
            process.clone(),
            ComponentKind::Processor,
            id,
            Some(Signal::Traces),
            Some(pipeline),
        );
        (ColdStart::new(&context, Outlet::to(Arc::new(recorder.clone()))), process)
    }

    fn line(process: &Process, line: &str) -> bool {
        telemetry::render(&process.registry, telemetry::MetricsLevel::Basic)
            .lines()
            .any(|found| found == line)
    }

    #[tokio::test]
    async fn span_that_is_kept_back_is_counted_as_held_and_leaves_at_shutdown() {
        let recorder = Recorder::default();
        let (processor, process) = processor(&recorder);
        processor.consume(cold_start()).await.unwrap();
        assert_eq!(recorder.offers(), 0);
        assert!(line(&process, "hikyaku_pipeline_held_items{pipeline=\"traces\"} 1"));
        assert_eq!(processor.shutdown(Deadline::after(PATIENCE)).await, 0);
        assert_eq!(recorder.items(), 1);
        assert!(line(&process, "hikyaku_pipeline_held_items{pipeline=\"traces\"} 0"));
    }

    #[tokio::test]
    async fn pair_that_is_refused_is_made_again_when_it_is_sent_again() {
        let recorder = Recorder::default();
        let (processor, _process) = processor(&recorder);
        processor.consume(cold_start()).await.unwrap();
        recorder.refuse(Some(ConsumeError::overloaded("full")));
        processor.consume(invocation()).await.unwrap_err();
        recorder.refuse(None);
        processor.consume(invocation()).await.unwrap();
        assert_eq!(recorder.items(), 2, "the invocation's span and the cold start's");
        processor.consume(cold_start()).await.unwrap();
        assert_eq!(recorder.items(), 3, "a later one passes");
    }

    #[tokio::test]
    async fn span_that_nobody_takes_at_the_end_is_counted() {
        let recorder = Recorder::default();
        let (processor, process) = processor(&recorder);
        processor.consume(cold_start()).await.unwrap();
        recorder.refuse(Some(ConsumeError::overloaded("full")));
        assert_eq!(processor.shutdown(Deadline::after(PATIENCE)).await, 1);
        let dropped = "hikyaku_pipeline_dropped_items{pipeline=\"traces\",reason=\"shutdown\"} 1";
        assert!(line(&process, dropped));
    }
}
