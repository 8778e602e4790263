//! What becomes of a batch of events.
//!
//! Pure: no clock, no network, and nothing waits. What is remembered from batch to batch is the invocation under way, the init or restore
//! that has begun, and the metrics.

use lambda::telemetry::{Event, EventKind, Platform};
use lambda::{TraceContext, hex};
use pdata::{Payload, Signal};

use crate::config::Config;
use crate::invocations::{Invocation, Invocations};
use crate::logs::{self, Surroundings};
use crate::metrics::{Metrics, Origin, Temporality};
use crate::otlp;
use crate::resource::Resource;
use crate::spans::{self, Phase};

/// Turns events into telemetry.
#[derive(Debug)]
pub(crate) struct Mapper {
    settings: Settings,
    resource: Resource,
    metrics: Metrics,
    invocations: Invocations,
    /// The invocation that lines without one belong to; empty between invocations, and on Managed Instances, where several run at once.
    current: String,
    init_start: Option<u64>,
    restore_start: Option<u64>,
}

/// What of the configuration the mapper needs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The receiver's own.
    pub(crate) config: Config,
    /// The temporality of metrics.
    pub(crate) temporality: Temporality,
    /// Whether the function runs on Managed Instances.
    pub(crate) is_managed: bool,
    /// The signals that pipelines take.
    pub(crate) wants: [bool; 3],
}

/// A batch's telemetry: at most one payload of each signal.
#[derive(Debug, Default)]
pub(crate) struct Mapped {
    /// In the order in which they are to be handed on.
    pub(crate) payloads: Vec<Payload>,
}

impl Mapper {
    /// A mapper that has seen nothing, at this time in nanoseconds since 1970.
    pub(crate) fn new(settings: Settings, resource: Resource, now: u64) -> Self {
        Self {
            metrics: Metrics::new(settings.temporality, now),
            settings,
            resource,
            invocations: Invocations::default(),
            current: String::new(),
            init_start: None,
            restore_start: None,
        }
    }

    /// The log records and spans of a batch; its metrics are counted.
    pub(crate) fn map(&mut self, events: &[Event], now: u64) -> Mapped {
        let (mut spans, mut records) = (Vec::new(), Vec::new());
        for event in events {
            self.begin(event, now);
            if let Some(record) = event.platform()
                && self.settings.config.types.platform
            {
                self.put_spans(&mut spans, event, record, now);
                self.count(event, record, now);
            }
            if self.is_logged(&event.kind) {
                let surroundings = Surroundings {
                    request_id: event.request_id().unwrap_or(&self.current),
                    version: self.resource.version(),
                    now,
                };
                logs::put(&mut records, event, surroundings);
            }
            self.end(event);
        }
        let mut mapped = Mapped::default();
        let resource = self.resource.encode();
        for (signal, items) in [(Signal::Traces, spans), (Signal::Logs, records)] {
            if self.wants(signal) && !items.is_empty() {
                mapped.push(signal, otlp::request(&resource, &items, None));
            }
        }
        mapped
    }

    /// The metrics that have changed since they were last exported.
    pub(crate) fn export(&mut self, now: u64) -> Mapped {
        let mut mapped = Mapped::default();
        if self.wants(Signal::Metrics)
            && let Some(request) = self.metrics.export(&self.resource.encode(), now)
        {
            mapped.push(Signal::Metrics, request);
        }
        mapped
    }

    fn wants(&self, signal: Signal) -> bool {
        self.settings.wants.get(signal as usize).copied().unwrap_or_default()
    }

    fn is_logged(&self, kind: &EventKind) -> bool {
        let config = &self.settings.config;
        config.types.contains(kind) && (config.log_report || *kind != EventKind::Report)
    }

    /// Takes up what an event begins.
    fn begin(&mut self, event: &Event, now: u64) {
        let Some(record) = event.platform() else { return };
        match event.kind {
            EventKind::InitStart | EventKind::RestoreStart => {
                self.resource.learn_function_name(record.text("functionName").unwrap_or_default());
                self.resource.learn_version(record.text("functionVersion").unwrap_or_default());
                let start = Some(event.time.unwrap_or(now));
                if event.kind == EventKind::InitStart {
                    self.init_start = start;
                } else {
                    // This process is a copy of the one that was initialised: it is another instance, which has counted nothing yet.
                    self.resource.renew_instance();
                    self.metrics.restart(event.time.unwrap_or(now));
                    (self.init_start, self.restore_start) = (None, start);
                    self.current.clear();
                }
            }
            EventKind::Start => {
                self.resource.learn_version(record.text("version").unwrap_or_default());
                let request_id = record.text("requestId").unwrap_or_default();
                if !self.settings.is_managed {
                    request_id.clone_into(&mut self.current);
                }
                let _begun = self.invocation(event, record);
            }
            _ => {}
        }
    }

    /// Lets go of what an event ends. A line that comes late has no invocation any more.
    fn end(&mut self, event: &Event) {
        if event.kind == EventKind::RuntimeDone && event.request_id() == Some(&self.current) {
            self.current.clear();
        }
    }

    /// The invocation that an event is about.
    fn invocation(&mut self, event: &Event, record: Platform<'_>) -> Option<&mut Invocation> {
        let request_id = record.text("requestId").filter(|id| !id.is_empty())?;
        let begins = event.kind == EventKind::Start;
        let invocation = self.invocations.of(request_id, || {
            let start = event.time.filter(|_| begins);
            let trace = record.trace_header().and_then(TraceContext::parse);
            let span_id = record.trace_span_id().filter(|_| begins);
            Invocation::new(start, trace, span_id.and_then(hex))
        });
        Some(invocation)
    }

    fn put_spans(&mut self, out: &mut Vec<u8>, event: &Event, record: Platform<'_>, now: u64) {
        let end = event.time.unwrap_or(now);
        let phase = match event.kind {
            EventKind::InitRuntimeDone => self.init_start.take().map(|start| ("init", start)),
            EventKind::RestoreRuntimeDone => {
                self.restore_start.take().map(|start| ("restore", start))
            }
            _ => None,
        };
        if let Some((word, start)) = phase {
            let function_name = self.resource.function_name();
            let phase = Phase { word, function_name, start, end: end.max(start) };
            spans::put_phase(out, phase, record);
        }
        if self.ends_invocation(event, record) && self.settings.config.invocation_spans {
            let invocation = self.invocation(event, record).copied();
            if let (Some(invocation), Some(id)) = (invocation, record.text("requestId")) {
                let name = self.resource.function_name();
                spans::put_invocation(out, name, id, &invocation, end, record);
            }
        }
    }

    fn count(&mut self, event: &Event, record: Platform<'_>, now: u64) {
        self.metrics.saw(event.time.unwrap_or_default());
        let seconds = record.metric("durationMs").map(|millis| millis / 1000.0);
        match event.kind {
            // Nobody waits for an init ahead of time; a snapshot's copies are started by their restore.
            EventKind::InitStart => match record.text("initializationType") {
                Some("provisioned-concurrency" | "snap-start") => {}
                _ => self.metrics.coldstarts.add(),
            },
            EventKind::RestoreStart => self.metrics.coldstarts.add(),
            EventKind::InitReport | EventKind::RestoreReport => {
                self.metrics.ended(record.text("status"), false);
                if let Some(seconds) = seconds {
                    self.metrics.init_duration.record(seconds, None);
                }
            }
            EventKind::RuntimeDone | EventKind::Report => {
                if self.ends_invocation(event, record) {
                    let origin = self.origin(event, record, now);
                    self.metrics.ended(record.text("status"), true);
                    if let Some(seconds) = seconds {
                        self.metrics.invoke_duration.record(seconds, origin);
                    }
                    if let Some(invocation) = self.invocation(event, record) {
                        invocation.is_done = true;
                    }
                }
                if event.kind == EventKind::Report {
                    let origin = self.origin(event, record, now);
                    if let Some(mib) = record.metric("maxMemoryUsedMB") {
                        self.metrics.mem_usage.record(mib * 1_048_576.0, origin);
                    }
                    let _forgotten = record.text("requestId").map(|id| self.invocations.take(id));
                }
            }
            _ => {}
        }
    }

    /// Whether an event is the first that tells an invocation's end: what the runtime is done with, or, where that is not told, what is
    /// reported (Managed Instances).
    fn ends_invocation(&mut self, event: &Event, record: Platform<'_>) -> bool {
        matches!(event.kind, EventKind::RuntimeDone | EventKind::Report)
            && self.invocation(event, record).is_some_and(|invocation| !invocation.is_done)
    }

    fn origin(&mut self, event: &Event, record: Platform<'_>, now: u64) -> Option<Origin> {
        let invocation = *self.invocation(event, record)?;
        let time = event.time.unwrap_or(now);
        Some(Origin { trace: invocation.trace?, span_id: invocation.span_id, time })
    }
}

impl Mapped {
    fn push(&mut self, signal: Signal, request: Vec<u8>) {
        match Payload::decode(signal, request.into()) {
            Ok(decoded) => self.payloads.push(decoded.payload),
            Err(error) => {
                debug_assert!(false, "the request is put together here: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests;
