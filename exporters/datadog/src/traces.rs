//! Spans to Datadog's traces intake: an `AgentPayload` of DataDog/datadog-agent `pkg/proto/datadog/trace/agent_payload.proto`, written
//! straight from views of the payload.
//!
//! A resource becomes a tracer payload, the spans of a trace in it a chunk. A body ends between chunks before it gets too long, so that
//! traces stay whole; a trace that is too long for a body is cut between spans.

mod body;
mod events;
mod inherited;
mod push;
mod resource;
mod span;
mod status_text;
mod tags;

use std::sync::Arc;

use datadog::attributes::KnownAttributes;
use datadog::chunks::{Chunk, ResourceTraces};
use datadog::naming::Naming;
use datadog::obfuscate::Obfuscator;
use lambda::Function;
use pdata::Payload;
use regex::Regex;

pub(crate) use push::Traces;

use crate::config;

use body::Bodies;
use resource::ResourceWriter;

/// The longest body before compression: what DataDog/datadog-agent `pkg/trace/writer/trace.go` calls the maximum of the API.
pub const BODY_LEN_MAX: usize = 3_200_000;

/// How spans are translated.
#[derive(Clone, Debug)]
pub struct Options {
    /// How operations and resources are called.
    pub naming: Naming,
    /// Whether spans are top-level, and measured, by their kind.
    pub top_level_by_kind: bool,
    /// Traces whose root has one of these resources are left out.
    pub ignore_resources: Vec<Regex>,
    /// The host of resources that do not say which they are from.
    pub fallback_host: String,
    /// The function that this process is beside, if it is.
    pub function: Option<Arc<Function>>,
    /// The longest body before compression.
    pub body_len_max: usize,
}

impl Options {
    /// Those that the settings ask for.
    pub(crate) fn of(settings: &config::Traces, fallback_host: &str) -> Self {
        let remappings = settings.span_name_remappings.clone();
        Self {
            naming: Naming::of(settings.span_name_as_resource_name, remappings),
            top_level_by_kind: settings.compute_top_level_by_span_kind,
            ignore_resources: settings.ignore_resources.clone(),
            fallback_host: fallback_host.to_owned(),
            function: None,
            body_len_max: BODY_LEN_MAX,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            naming: Naming::default(),
            top_level_by_kind: false,
            ignore_resources: Vec::new(),
            fallback_host: String::new(),
            function: None,
            body_len_max: BODY_LEN_MAX,
        }
    }
}

/// A body of a request.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// An encoded `AgentPayload`.
    pub bytes: Vec<u8>,
    /// The spans in it.
    pub spans: usize,
    /// The languages of the SDKs that they are from, without repeats.
    pub languages: Vec<String>,
}

/// Spans that are not sent, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Of traces that have a span without a trace id or span id.
    pub without_ids: usize,
    /// Of traces that the setting `ignore_resources` leaves out.
    pub ignored: usize,
    /// Of traces that somebody decided not to keep.
    pub not_kept: usize,
    /// Longer than a body may be.
    pub too_large: usize,
}

impl LeftOut {
    /// All of them.
    pub fn total(&self) -> usize {
        self.without_ids + self.ignored + self.not_kept + self.too_large
    }
}

/// What a translator keeps from payload to payload.
#[derive(Default)]
pub struct Workbench {
    /// Remembers statements that it has seen.
    obfuscator: Obfuscator,
    /// The memory of bodies.
    bytes: Vec<u8>,
}

/// Translates a payload of traces. Each body is handed to `seal` when it is full, which may take its bytes and should leave memory for the next.
/// `now_nanos` stands in for the end of spans without a sound start.
pub fn translate(
    payload: &Payload,
    options: &Options,
    workbench: &mut Workbench,
    now_nanos: i64,
    mut seal: impl FnMut(&mut Body),
) -> LeftOut {
    let Workbench { obfuscator, bytes } = workbench;
    let mut bodies = Bodies::new(options, std::mem::take(bytes), &mut seal);
    let mut left_out = LeftOut::default();
    for resource_spans in payload.resource_spans() {
        let attributes = KnownAttributes::of(resource_spans.resource.attributes);
        let traces = ResourceTraces::of(&resource_spans, &attributes);
        let mut writer =
            ResourceWriter::new(&resource_spans, &attributes, &traces, options, now_nanos);
        for chunk in traces.chunks() {
            match writer.judge(&chunk) {
                Judgement::Send(decision) => {
                    left_out.too_large += writer.write(&mut bodies, &chunk, &decision, obfuscator);
                }
                Judgement::WithoutIds => left_out.without_ids += chunk.entries.len(),
                Judgement::Ignored => left_out.ignored += chunk.entries.len(),
                Judgement::NotKept => left_out.not_kept += chunk.entries.len(),
            }
        }
        bodies.end_resource();
    }
    *bytes = bodies.finish();
    left_out
}

/// What is done with a trace.
enum Judgement {
    Send(Decision),
    WithoutIds,
    Ignored,
    NotKept,
}

/// That a trace is kept, and by whom.
struct Decision {
    /// `TraceChunk.priority`, more than 0.
    priority: i32,
    /// The mechanism that decided: `-4` for a person, `-9` for nobody before us.
    maker: &'static str,
}

/// Spans with an id of zero have no place in the backend, and their trace goes with them (`normalizeTrace` of DataDog/datadog-agent
/// `pkg/trace/agent/normalizer.go`).
fn has_ids(chunk: &Chunk<'_, '_>) -> bool {
    chunk.entries.iter().all(|entry| entry.has_ids())
}

#[cfg(test)]
mod tests;
