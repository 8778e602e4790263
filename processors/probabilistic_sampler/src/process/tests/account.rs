//! What is counted, passed on and held.

use std::sync::Arc;

use pipeline::testing::Recorder;
use pipeline::{Admission, ComponentKind, MemoryBudget, Process};
use telemetry::MetricsLevel;

use super::*;

/// A sampler in a pipeline.
struct Rig {
    processor: Arc<dyn Processor>,
    next: Recorder,
    process: Process,
}

impl Rig {
    fn new(yaml: &str, signal: Signal) -> Self {
        let node = Node::from_yaml("config.yaml", yaml).unwrap();
        let diagnostics = Diagnostics::new();
        let section = Section::new(Some(&node), "processors::probabilistic_sampler", &diagnostics);
        let build = (crate::FACTORY.parse)(section);
        assert!(diagnostics.is_empty(), "{diagnostics}");
        let (process, next) = (Process::default(), Recorder::default());
        let id = "probabilistic_sampler/ten".parse().unwrap();
        let pipeline = signal.name().parse().unwrap();
        let kind = ComponentKind::Processor;
        let context = Context::new(process.clone(), kind, id, Some(signal), Some(pipeline));
        let processor = build(context, Outlet::to(Arc::new(next.clone()))).unwrap();
        Self { processor, next, process }
    }

    fn assert_counted(&self, name: &str, labels: &str, items: u64) {
        let metrics = telemetry::render(&self.process.registry, MetricsLevel::Detailed);
        let line = format!("{name}{{{labels}}} {items}\n");
        assert!(metrics.contains(&line), "no {line} in\n{metrics}");
    }

    fn assert_dropped(&self, pipeline: &str, sampled_out: u64, failed: u64) {
        for (reason, items) in [("sampled", sampled_out), ("fail_closed", failed)] {
            let labels = format!("pipeline=\"{pipeline}\",reason=\"{reason}\"");
            self.assert_counted("hikyaku_pipeline_dropped_items", &labels, items);
        }
    }

    fn assert_decided(&self, family: &str, policy: &str, kept: u64, dropped: u64) {
        let name = format!("otelcol_processor_probabilistic_sampler_count_{family}");
        let of = "processor=\"probabilistic_sampler/ten\"";
        for (sampled, items) in [("true", kept), ("false", dropped)] {
            let labels = format!("{of},policy=\"{policy}\",sampled=\"{sampled}\"");
            self.assert_counted(&name, &labels, items);
        }
    }
}

fn trace(last: u8) -> [u8; 16] {
    let mut id = TRACE;
    id[9] = last;
    id
}

#[tokio::test]
async fn every_span_is_passed_on_or_dropped_for_a_stated_reason() {
    let rig = Rig::new("{mode: equalizing, sampling_percentage: 25}", Signal::Traces);
    let spans = [
        span(&trace(0xff), ""),
        span(&trace(0xc0), "ot=th:8"),
        span(&trace(0x10), ""),
        span(&trace(0x10), "ot=rv:f0000000000000"),
        span(&trace(0x10), "ot=th:8"),
        span(&[0; 16], ""),
        span(&trace(0xff), "ot=th:x"),
    ];
    let payload = request(Signal::Traces, spans);
    rig.processor.consume(Envelope::of(payload)).await.unwrap();
    assert_eq!(rig.next.items(), 3);
    let of = "processor=\"probabilistic_sampler/ten\",otel_signal=\"traces\"";
    rig.assert_counted("otelcol_processor_incoming_items", of, 7);
    rig.assert_counted("otelcol_processor_outgoing_items", of, 3);
    rig.assert_dropped("traces", 1, 3);
    for family in ["traces_sampled", "spans_processed"] {
        rig.assert_decided(family, "trace_id_w3c", 2, 2);
        rig.assert_decided(family, "sampling_randomness", 1, 0);
        rig.assert_decided(family, "missing_randomness", 0, 2);
        rig.assert_decided(family, "sampling_priority", 0, 0);
    }
    let deadline = Deadline::after(std::time::Duration::ZERO);
    assert_eq!(rig.processor.shutdown(deadline).await, 0);
}

#[tokio::test]
async fn log_records_are_counted_by_the_attribute_that_decided() {
    let yaml = "{sampling_percentage: 100, from_attribute: request.id, fail_closed: false}";
    let rig = Rig::new(yaml, Signal::Logs);
    let mut with_id = record(&[]);
    put_message(&mut with_id, 6, |attribute| {
        put_len(attribute, 1, b"request.id");
        put_message(attribute, 2, |value| put_len(value, 1, b"abc"));
    });
    let payload = request(Signal::Logs, [with_id, record(&TRACE), record(&[])]);
    rig.processor.consume(Envelope::of(payload)).await.unwrap();
    rig.assert_dropped("logs", 0, 0);
    for policy in ["request.id", "trace_id_hash", "missing_randomness"] {
        rig.assert_decided("logs_sampled", policy, 1, 0);
    }
}

#[tokio::test]
async fn what_is_refused_is_not_counted_as_dropped() {
    let rig = Rig::new("{mode: equalizing, sampling_percentage: 25}", Signal::Traces);
    let payload = request(Signal::Traces, [span(&trace(0xff), ""), span(&trace(0), "")]);
    rig.next.refuse(Some(ConsumeError::overloaded("full")));
    rig.processor.consume(Envelope::of(payload.clone())).await.unwrap_err();
    rig.assert_dropped("traces", 0, 0);
    rig.next.refuse(None);
    rig.processor.consume(Envelope::of(payload)).await.unwrap();
    rig.assert_dropped("traces", 1, 0);
    assert_eq!(rig.next.items(), 1);
}

#[tokio::test]
async fn nothing_is_passed_on_when_nothing_is_left() {
    let rig = Rig::new("{sampling_percentage: 0}", Signal::Logs);
    let payload = request(Signal::Logs, [record(&TRACE), record(&TRACE)]);
    rig.processor.consume(Envelope::of(payload)).await.unwrap();
    assert_eq!(rig.next.offers(), 0);
    rig.assert_dropped("logs", 2, 0);
    rig.assert_decided("logs_sampled", "sampling_priority", 0, 2);
}

fn with_priority(priority: &str) -> Vec<u8> {
    let mut span = span(&[0; 16], "");
    put_message(&mut span, 9, |attribute| {
        put_len(attribute, 1, b"sampling.priority");
        put_message(attribute, 2, |value| put_len(value, 1, priority.as_bytes()));
    });
    span
}

#[tokio::test]
async fn what_priority_decided_does_not_count_as_failed() {
    for (fail_closed, failed) in [(true, 1), (false, 0)] {
        let yaml =
            format!("{{mode: equalizing, sampling_percentage: 100, fail_closed: {fail_closed}}}");
        let rig = Rig::new(&yaml, Signal::Traces);
        let spans = [with_priority("0"), with_priority("1"), span(&[0; 16], "")];
        let payload = request(Signal::Traces, spans);
        rig.processor.consume(Envelope::of(payload)).await.unwrap();
        rig.assert_dropped("traces", 1, failed);
        rig.assert_decided("spans_processed", "missing_randomness", 1 - failed, failed);
        rig.assert_decided("spans_processed", "sampling_priority", 1, 1);
    }
}

#[tokio::test]
async fn memory_of_what_was_dropped_is_given_back() {
    let rig = Rig::new("{mode: equalizing, sampling_percentage: 25}", Signal::Traces);
    let budget = MemoryBudget::new(100_000, 100_000);
    let spans = (0..=255).map(|first| span(&trace(first), ""));
    let mut envelope = Envelope::of(request(Signal::Traces, spans));
    let before = envelope.payload.encoded_len();
    let Admission::Granted(hold) = budget.try_hold(before) else { panic!("no room") };
    envelope.hold = hold;
    rig.processor.consume(envelope).await.unwrap();
    let left = rig.next.envelopes()[0].payload.encoded_len();
    assert_eq!(rig.next.items(), 64);
    assert!(left < before / 2);
    assert_eq!(budget.held_bytes(), left);
}
