//! Spans of the function's init and restore, and of its invocations.
//!
//! Kinds, ids and times of an invocation's span are those that AWS names in "Converting Lambda Telemetry API Event objects to
//! OpenTelemetry Spans" (Lambda developer guide).

use lambda::TraceContext;
use lambda::telemetry::Platform;
use pdata::wire;

use crate::ids;
use crate::invocations::Invocation;
use crate::otlp::{put_bool, put_double, put_int, put_text};

// Field numbers of OTLP's `trace.proto`.
const SCOPE_SPANS_SPANS: u32 = 2;
const SPAN_TRACE_ID: u32 = 1;
const SPAN_SPAN_ID: u32 = 2;
const SPAN_PARENT_SPAN_ID: u32 = 4;
const SPAN_NAME: u32 = 5;
const SPAN_KIND: u32 = 6;
const SPAN_START: u32 = 7;
const SPAN_END: u32 = 8;
const SPAN_ATTRIBUTES: u32 = 9;
const SPAN_EVENTS: u32 = 11;
const SPAN_STATUS: u32 = 15;
const SPAN_FLAGS: u32 = 16;

const KIND_INTERNAL: u64 = 1;
const KIND_SERVER: u64 = 2;
const STATUS_ERROR: u64 = 2;
const FLAG_SAMPLED: u32 = 1;

/// A phase without an invocation of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Phase<'a> {
    /// What happens in it: `init` or `restore`.
    pub(crate) word: &'static str,
    /// The function.
    pub(crate) function_name: &'a str,
    /// When it began, in nanoseconds since 1970.
    pub(crate) start: u64,
    /// When it ended, in nanoseconds since 1970.
    pub(crate) end: u64,
}

/// Appends the span of an init or a restore to a `ScopeSpans`, from the record that told its end.
pub(crate) fn put_phase(out: &mut Vec<u8>, phase: Phase<'_>, record: Platform<'_>) {
    let trace = record.trace_header().and_then(TraceContext::parse);
    wire::put_message(out, SCOPE_SPANS_SPANS, |out| {
        put_head(out, trace, ids::random());
        wire::put_len(out, SPAN_NAME, format!("{} {}", phase.word, phase.function_name).as_bytes());
        put_time(out, KIND_INTERNAL, phase.start, phase.end);
        put_bool(out, SPAN_ATTRIBUTES, "faas.coldstart", true);
        put_outcome(out, record);
    });
}

/// Appends the span of an invocation to a `ScopeSpans`, from the record that told its end.
pub(crate) fn put_invocation(
    out: &mut Vec<u8>,
    function_name: &str,
    request_id: &str,
    invocation: &Invocation,
    end: u64,
    record: Platform<'_>,
) {
    let duration = record.metric("durationMs").map(nanos).unwrap_or_default();
    let start = invocation.start.unwrap_or(end.saturating_sub(duration));
    let name = if function_name.is_empty() { "invoke" } else { function_name };
    wire::put_message(out, SCOPE_SPANS_SPANS, |out| {
        put_head(out, invocation.trace, invocation.span_id);
        wire::put_len(out, SPAN_NAME, name.as_bytes());
        put_time(out, KIND_SERVER, start, end.max(start));
        put_text(out, SPAN_ATTRIBUTES, "faas.invocation_id", request_id);
        if invocation.is_platforms_span {
            // For exporters to X-Ray, which has this span from Lambda itself.
            put_bool(out, SPAN_ATTRIBUTES, "aws.lambda.platform_span", true);
        }
        if let Some(bytes) = record.metric("producedBytes").filter(|bytes| *bytes >= 0.0) {
            put_int(out, SPAN_ATTRIBUTES, "aws.lambda.produced_bytes", whole(bytes));
        }
        for part in record.spans() {
            wire::put_message(out, SPAN_EVENTS, |out| {
                wire::put_fixed64(out, 1, part.start.unwrap_or(start));
                wire::put_len(out, 2, part.name.as_bytes());
                put_double(out, 3, "duration_ms", part.duration_ms);
            });
        }
        put_outcome(out, record);
    });
}

/// The ids and flags. Without a trace that it belongs to, a span begins one.
fn put_head(out: &mut Vec<u8>, trace: Option<TraceContext>, span_id: [u8; 8]) {
    let trace_id = trace.map_or_else(ids::random, |trace| trace.trace_id);
    wire::put_len(out, SPAN_TRACE_ID, &trace_id);
    wire::put_len(out, SPAN_SPAN_ID, &span_id);
    if let Some(parent) = trace.and_then(|trace| trace.parent).filter(|parent| *parent != span_id) {
        wire::put_len(out, SPAN_PARENT_SPAN_ID, &parent);
    }
    if trace.and_then(|trace| trace.is_sampled).unwrap_or(true) {
        wire::put_fixed32(out, SPAN_FLAGS, FLAG_SAMPLED);
    }
}

fn put_time(out: &mut Vec<u8>, kind: u64, start: u64, end: u64) {
    wire::put_uint(out, SPAN_KIND, kind);
    wire::put_fixed64(out, SPAN_START, start);
    wire::put_fixed64(out, SPAN_END, end);
}

fn put_outcome(out: &mut Vec<u8>, record: Platform<'_>) {
    let Some(status) = record.text("status").filter(|status| *status != "success") else { return };
    let error_type = record.text("errorType").filter(|text| !text.is_empty());
    put_text(out, SPAN_ATTRIBUTES, "error.type", error_type.unwrap_or(status));
    wire::put_message(out, SPAN_STATUS, |out| wire::put_uint(out, 3, STATUS_ERROR));
}

/// Milliseconds as nanoseconds.
fn nanos(millis: f64) -> u64 {
    whole((millis * 1e6).max(0.0)).cast_unsigned()
}

/// A number without its fraction.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, and fractions mean nothing here"
)]
fn whole(number: f64) -> i64 {
    number as i64
}
