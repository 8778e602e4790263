//! The traces endpoint.

use std::collections::HashMap;

pub use libdd_trace_protobuf::pb::{AgentPayload, Span, TraceChunk, TracerPayload};
use prost::Message as _;

use crate::spans::SpanId;

use super::call::{Content, Endpoint};
use super::limit::Limit;
use super::names;
use super::shape::{Field, Shape};

/// `MaxPayloadSize` of the Agent's trace writer: "the maximum allowed by the Datadog API".
pub const LIMIT: Limit = Limit { plain_bytes: 3_200_000, ..Limit::NONE };

const RESOURCE_BYTES_MAX: usize = 5000;
const TYPE_BYTES_MAX: usize = 100;
const KEY_BYTES_MAX: usize = 200;
const VALUE_BYTES_MAX: usize = 25_000;
/// Put behind a key or value that was cut.
const CUT: &str = "...";
/// Earlier starts are taken for mistakes: 2000-01-01.
const EARLIEST_START: i64 = 946_684_800_000_000_000;

impl Content for AgentPayload {
    const PATH: &'static str = "/api/v0.2/traces";
    const ENDPOINT: Endpoint = Endpoint {
        method: "POST",
        content_types: &["application/x-protobuf"],
        encodings: &["gzip", "zstd"],
        limit: LIMIT,
    };

    fn parse(_: &str, plain: &[u8]) -> Result<Self, String> {
        AGENT_PAYLOAD.check(plain)?;
        let payload =
            Self::decode(plain).map_err(|error| format!("protobuf of an AgentPayload: {error}"))?;
        check(&payload)?;
        Ok(payload)
    }

    fn items(&self) -> usize {
        spans(self).count()
    }

    fn span_ids(&self) -> Vec<SpanId> {
        spans(self).map(|span| span.span_id.to_be_bytes()).collect()
    }
}

/// The spans of a payload, in order.
pub fn spans(payload: &AgentPayload) -> impl Iterator<Item = &Span> {
    payload.tracer_payloads.iter().flat_map(|tracer| &tracer.chunks).flat_map(|chunk| &chunk.spans)
}

fn check(payload: &AgentPayload) -> Result<(), String> {
    if payload.agent_version.is_empty() || !is_environment(&payload.env) {
        let AgentPayload { agent_version, env, .. } = payload;
        return Err(format!("the sender's version {agent_version:?} and environment {env:?}"));
    }
    if payload.tracer_payloads.is_empty() {
        return Err("a payload without traces".to_owned());
    }
    for tracer in &payload.tracer_payloads {
        if !tracer.env.is_empty() && !is_environment(&tracer.env) {
            return Err(format!("the environment {:?}", tracer.env));
        }
        if tracer.chunks.is_empty() {
            return Err("a tracer's payload without traces".to_owned());
        }
        tracer.chunks.iter().try_for_each(check_chunk)?;
    }
    Ok(())
}

fn check_chunk(chunk: &TraceChunk) -> Result<(), String> {
    let Some(first) = chunk.spans.first() else { return Err("a chunk without spans".to_owned()) };
    if chunk.dropped_trace {
        return Err("a chunk that a sampler has dropped".to_owned());
    }
    for span in &chunk.spans {
        if span.trace_id != first.trace_id {
            return Err(format!("traces {} and {} in a chunk", first.trace_id, span.trace_id));
        }
        check_span(span).map_err(|rule| format!("{rule} in {span:?}"))?;
    }
    Ok(())
}

/// What the Agent's normaliser and truncator leave behind, and the intake therefore sees.
fn check_span(span: &Span) -> Result<(), String> {
    let Span { trace_id, span_id, parent_id, .. } = *span;
    if trace_id == 0 || span_id == 0 {
        return Err("an id of zero".to_owned());
    }
    if parent_id == trace_id && parent_id == span_id {
        return Err("a span that is its own parent and trace".to_owned());
    }
    if !names::is_service(&span.service) {
        return Err(format!("service {:?}", span.service));
    }
    if !names::is_operation(&span.name) {
        return Err(format!("name {:?}", span.name));
    }
    if !(1..=RESOURCE_BYTES_MAX).contains(&span.resource.len()) {
        return Err(format!("a resource of {} bytes", span.resource.len()));
    }
    if span.r#type.len() > TYPE_BYTES_MAX {
        return Err(format!("a type of {} bytes", span.r#type.len()));
    }
    if span.start < EARLIEST_START || span.duration < 0 {
        return Err(format!("start {} and duration {}", span.start, span.duration));
    }
    if span.start.checked_add(span.duration).is_none() {
        return Err("an end beyond 64 bits".to_owned());
    }
    if ![0, 1].contains(&span.error) {
        return Err(format!("error {}", span.error));
    }
    check_tags(&span.meta)?;
    if let Some(key) = span.metrics.keys().find(|key| !fits(key, KEY_BYTES_MAX)) {
        return Err(format!("a metric's key of {} bytes", key.len()));
    }
    Ok(())
}

fn check_tags(meta: &HashMap<String, String>) -> Result<(), String> {
    for (key, value) in meta {
        let structured = key.starts_with("_dd.")
            && [".json", ".msgpack", ".protobuf"].iter().any(|end| key.ends_with(end));
        if !structured && !fits(key, KEY_BYTES_MAX) {
            return Err(format!("a tag's key of {} bytes", key.len()));
        }
        if !structured && !fits(value, VALUE_BYTES_MAX) {
            return Err(format!("a value of {} bytes for the tag {key}", value.len()));
        }
    }
    let status = meta.get("http.status_code").map(|text| text.parse::<u16>());
    if status.is_some_and(|status| !matches!(status, Ok(100..=599))) {
        return Err("an HTTP status that is none".to_owned());
    }
    if meta.get("env").is_some_and(|env| !is_environment(env)) {
        return Err("an environment that is not normalised".to_owned());
    }
    Ok(())
}

/// Within the length, or cut to it.
fn fits(text: &str, most: usize) -> bool {
    text.len() <= most || text.len() <= most + CUT.len() && text.ends_with(CUT)
}

fn is_environment(env: &str) -> bool {
    !env.is_empty() && names::is_tag_value(env)
}

// The fields by `agent_payload.proto`, `tracer_payload.proto` and `span.proto` of DataDog/libdatadog. The string-table form (field 11 of the payload)
// is newer than what the Collector sends, so it counts as unknown.

static AGENT_PAYLOAD: Shape = Shape(&[
    (1, Field::One),
    (2, Field::One),
    (5, Field::Messages(&TRACER_PAYLOAD)),
    (6, Field::Entry),
    (7, Field::One),
    (8, Field::One),
    (9, Field::One),
    (10, Field::One),
]);

static TRACER_PAYLOAD: Shape = Shape(&[
    (1, Field::One),
    (2, Field::One),
    (3, Field::One),
    (4, Field::One),
    (5, Field::One),
    (6, Field::Messages(&CHUNK)),
    (7, Field::Entry),
    (8, Field::One),
    (9, Field::One),
    (10, Field::One),
]);

static CHUNK: Shape = Shape(&[
    (1, Field::One),
    (2, Field::One),
    (3, Field::Messages(&SPAN)),
    (4, Field::Entry),
    (5, Field::One),
]);

/// Links and events travel as tags over this endpoint.
static SPAN: Shape = Shape(&[
    (1, Field::One),
    (2, Field::One),
    (3, Field::One),
    (4, Field::One),
    (5, Field::One),
    (6, Field::One),
    (7, Field::One),
    (8, Field::One),
    (9, Field::One),
    (10, Field::Entry),
    (11, Field::Entry),
    (12, Field::One),
    (13, Field::Entry),
]);
