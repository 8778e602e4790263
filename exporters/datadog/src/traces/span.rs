//! One span, written straight from its view: DataDog/datadog-agent `pkg/trace/transform/transform.go`, and what the agent does to a span
//! before it sends it.

use std::borrow::Cow;

use datadog::attributes::{Attribute, KnownAttributes, Lookup};
use datadog::chunks::Entry;
use datadog::keys::Key;
use datadog::naming::{Naming, kind_name};
use datadog::normalize::tag_value;
use datadog::span::{Facts, timing};
use pdata::text::{put_hex, put_text as put_plain};
use pdata::view::{AnyValue, Scope, Span, SpanKind, StatusCode};
use pdata::wire;

use super::events;
use super::inherited::{Block, boolean, datadog_key, put_value};
use super::status_text::status_text;
use super::tags::{Keys, put_number, put_text};

/// `TraceChunk.spans`.
const SPANS: u32 = 3;

/// What a span inherits, and what was found out about it among its neighbours.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'s, 'a> {
    pub(super) resource: &'s KnownAttributes<'a>,
    pub(super) resource_block: &'s Block<'a>,
    pub(super) scope: &'s Scope<'a>,
    pub(super) scope_block: &'s Block<'a>,
    pub(super) naming: &'s Naming,
    pub(super) is_top_level: bool,
    /// Whether client and producer spans are marked to be counted.
    pub(super) measures_by_kind: bool,
    /// Who decided to keep the trace; on its first span.
    pub(super) decision_maker: Option<&'static str>,
    /// Whether the span speaks for the trace.
    pub(super) is_root: bool,
    /// Whether it has no parent.
    pub(super) has_no_parent: bool,
    /// Whether the trace is kept with the priority of those that nobody decided about.
    pub(super) is_priority_automatic: bool,
    pub(super) now_nanos: i64,
}

/// Writes spans, one after the other, with buffers of its own.
#[derive(Default)]
pub(super) struct SpanWriter<'a> {
    attributes: KnownAttributes<'a>,
    keys: Keys<'a>,
    numbers: Keys<'a>,
    scratch: Vec<u8>,
}

impl<'a> SpanWriter<'a> {
    /// Appends a span as a field of its chunk.
    pub(super) fn write(
        &mut self,
        out: &mut Vec<u8>,
        entry: &Entry<'a>,
        around: &Surroundings<'_, 'a>,
    ) {
        let span = &entry.span;
        self.attributes.fill(span.attributes);
        self.keys.clear();
        self.numbers.clear();
        let lookup = Lookup { span: &self.attributes, resource: around.resource };
        let facts = Facts::of(span, around.scope, &lookup, around.naming);
        let start = wire::begin_message(out, SPANS);
        put_head(out, entry, &facts, around.now_nanos);
        self.put_own_numbers(out, span, &facts, around);
        self.put_own_tags(out, span, &facts, around);
        self.put_attributes(out);
        self.put_derived_tags(out, span, around);
        around.resource_block.put_missing(out, &mut self.keys);
        self.put_last_tags(out, around);
        wire::end_message(out, start);
    }

    /// The numbers that no attribute replaces.
    fn put_own_numbers(
        &mut self,
        out: &mut Vec<u8>,
        span: &Span<'a>,
        facts: &Facts<'_>,
        around: &Surroundings<'_, 'a>,
    ) {
        let is_measured = facts.is_measured
            || (around.measures_by_kind
                && matches!(span.kind, SpanKind::Client | SpanKind::Producer));
        let client_rate = facts.sample_rate.filter(|rate| around.is_root && *rate < 1.0);
        // What the agent's sampler notes on the root of a trace that nobody has decided about, and it keeps
        // (`pkg/trace/sampler/prioritysampler.go`).
        let is_sampled_here = around.is_root
            && around.is_priority_automatic
            && around.has_no_parent
            && !self.attributes.list().iter().any(|attribute| has_tracers_rate(attribute));
        for (key, value) in [
            ("_top_level", around.is_top_level.then_some(1.0)),
            ("_dd.measured", is_measured.then_some(1.0)),
            ("http.status_code", facts.http_status.map(|status| status as f64)),
            ("_sample_rate", facts.sample_rate),
            ("_dd1.sr.rcusr", client_rate),
            ("_sampling_priority_rate_v1", is_sampled_here.then_some(1.0)),
        ] {
            if let Some(value) = value {
                self.numbers.add(Cow::Borrowed(key.as_bytes()));
                put_number(out, key.as_bytes(), value);
            }
        }
    }

    /// The texts that no attribute replaces, but those of the scope.
    fn put_own_tags(
        &mut self,
        out: &mut Vec<u8>,
        span: &Span<'a>,
        facts: &Facts<'_>,
        around: &Surroundings<'_, 'a>,
    ) {
        if let Some(maker) = around.decision_maker {
            self.put(out, "_dd.p.dm", maker.as_bytes());
        }
        if !around.scope_block.is_empty() {
            around.scope_block.put_missing(out, &mut self.keys);
        }
        self.put(out, "span.kind", kind_name(span.kind).as_bytes());
        self.scratch.clear();
        if let Some(id) = span.trace_id.first_chunk::<16>() {
            id.as_chunks::<8>().0.iter().for_each(|half| put_hex(&mut self.scratch, half));
        }
        self.put_scratch(out, "otel.trace_id");
        let code = match span.status.code {
            StatusCode::Unset => "Unset",
            StatusCode::Ok => "Ok",
            StatusCode::Error => "Error",
        };
        self.put(out, "otel.status_code", code.as_bytes());
        self.put_if(out, "otel.status_description", span.status.message.as_bytes());
        self.put_if(out, "rpc.grpc.status_code", facts.grpc_status.as_bytes());
        self.put_if(out, "w3c.tracestate", span.trace_state.as_bytes());
        for key in ["otel.scope.name", "otel.library.name"] {
            self.put_if(out, key, around.scope.name.as_bytes());
        }
        for key in ["otel.scope.version", "otel.library.version"] {
            self.put_if(out, key, around.scope.version.as_bytes());
        }
        if !span.events.is_empty() {
            events::put_events(&mut self.scratch, span.events);
            self.put_scratch(out, "events");
            if span.events.iter().any(|event| event.name == "exception") {
                self.put(out, "_dd.span_events.has_exception", b"true");
            }
        }
        if !span.links.is_empty() {
            events::put_links(&mut self.scratch, span.links);
            self.put_scratch(out, "_dd.span_links");
        }
    }

    /// The span's attributes: numbers and texts under Datadog's keys.
    fn put_attributes(&mut self, out: &mut Vec<u8>) {
        for attribute in self.attributes.list() {
            let Some(key) = datadog_key(attribute) else { continue };
            match attribute.value {
                AnyValue::Int(int) => put_number_once(out, &mut self.numbers, key, int as f64),
                AnyValue::Double(double) => put_number_once(out, &mut self.numbers, key, double),
                _ if attribute.meaning == Some(Key::AnalyticsEvent) => {
                    put_analytics_event(out, &mut self.numbers, &attribute.value);
                }
                _ => put_text_once(out, &mut self.keys, &mut self.scratch, key, attribute),
            }
        }
    }

    /// The texts that an attribute of the span replaces, but none of the resource.
    fn put_derived_tags(
        &mut self,
        out: &mut Vec<u8>,
        span: &Span<'a>,
        around: &Surroundings<'_, 'a>,
    ) {
        let lookup = Lookup { span: &self.attributes, resource: around.resource };
        let version = tag_value(lookup.text(&[Key::ServiceVersion]));
        let env = lookup.text(&[Key::DeploymentEnvironmentName, Key::DeploymentEnvironment]);
        let env = tag_value(env);
        let message = match span.status.code {
            StatusCode::Error => error_message(span, &self.attributes),
            _ => Cow::Borrowed(&b""[..]),
        };
        self.put_if(out, "version", version.as_bytes());
        self.put_if(out, "env", env.as_bytes());
        self.put_if(out, "error.msg", &message);
    }

    /// What nobody has given a better value.
    fn put_last_tags(&mut self, out: &mut Vec<u8>, around: &Surroundings<'_, 'a>) {
        if let Some(value) = around.resource.get(Key::AnalyticsEvent) {
            put_analytics_event(out, &mut self.numbers, value);
        }
        for attribute in self.attributes.list() {
            let is_text = !matches!(attribute.value, AnyValue::Int(_) | AnyValue::Double(_));
            if is_text
                && attribute.meaning != Some(Key::AnalyticsEvent)
                && is_empty_text(&attribute.value)
                && let Some(key) = datadog_key(attribute)
                && self.keys.add(key.clone())
            {
                put_text(out, &key, b"");
            }
        }
        let lookup = Lookup { span: &self.attributes, resource: around.resource };
        let namespace = lookup.text(&[Key::DbNamespace]);
        self.put_if(out, "db.name", namespace.as_bytes());
    }

    /// Appends a text, unless its key is taken.
    fn put(&mut self, out: &mut Vec<u8>, key: &'static str, value: &[u8]) {
        if self.keys.add(Cow::Borrowed(key.as_bytes())) {
            put_text(out, key.as_bytes(), value);
        }
    }

    /// Appends a text that is not empty, unless its key is taken.
    fn put_if(&mut self, out: &mut Vec<u8>, key: &'static str, value: &[u8]) {
        if !value.is_empty() {
            self.put(out, key, value);
        }
    }

    fn put_scratch(&mut self, out: &mut Vec<u8>, key: &'static str) {
        let scratch = std::mem::take(&mut self.scratch);
        self.put(out, key, &scratch);
        self.scratch = scratch;
    }
}

/// The fields of a span beside its maps: `Span` of DataDog/datadog-agent `pkg/proto/datadog/trace/span.proto`.
fn put_head(out: &mut Vec<u8>, entry: &Entry<'_>, facts: &Facts<'_>, now_nanos: i64) {
    wire::put_len(out, 1, facts.service.as_bytes());
    wire::put_len(out, 2, facts.name.as_bytes());
    wire::put_len(out, 3, facts.resource.as_bytes());
    wire::put_uint(out, 4, entry.trace_id);
    wire::put_uint(out, 5, entry.span_id);
    if entry.parent_id != 0 {
        wire::put_uint(out, 6, entry.parent_id);
    }
    let (start, duration) = timing(&entry.span, now_nanos);
    wire::put_uint(out, 7, start as u64);
    if duration != 0 {
        wire::put_uint(out, 8, duration as u64);
    }
    if facts.is_error {
        wire::put_uint(out, 9, 1);
    }
    if !facts.span_type.is_empty() {
        wire::put_len(out, 12, facts.span_type.as_bytes());
    }
}

/// Whether an attribute is the rate at which a tracer says it sampled.
fn has_tracers_rate(attribute: &Attribute<'_>) -> bool {
    const RATES: [&str; 3] = ["_dd.agent_psr", "_dd.rule_psr", "_sampling_priority_rate_v1"];
    RATES.iter().any(|rate| attribute.key == *rate)
        && matches!(attribute.value, AnyValue::Int(_) | AnyValue::Double(_))
}

fn put_number_once<'a>(out: &mut Vec<u8>, keys: &mut Keys<'a>, key: Cow<'a, [u8]>, value: f64) {
    let key = match &*key {
        b"sampling.priority" => Cow::Borrowed(&b"_sampling_priority_v1"[..]),
        _ => key,
    };
    if keys.add(key.clone()) {
        put_number(out, &key, value);
    }
}

fn put_analytics_event(out: &mut Vec<u8>, keys: &mut Keys<'_>, value: &AnyValue<'_>) {
    // What the agent makes of the rate `_dd1.sr.eausr`, 1 or 0, when it extracts events (`pkg/trace/event/processor.go`).
    let (key, number): (&[u8], f64) = match boolean(value) {
        Some(true) => (b"_dd.analyzed", 1.0),
        Some(false) => (b"_dd1.sr.eausr", 0.0),
        None => return,
    };
    put_number_once(out, keys, Cow::Borrowed(key), number);
}

/// Appends a text that is not empty, unless its key is taken.
fn put_text_once<'a>(
    out: &mut Vec<u8>,
    keys: &mut Keys<'a>,
    scratch: &mut Vec<u8>,
    key: Cow<'a, [u8]>,
    attribute: &Attribute<'a>,
) {
    let value = match (attribute.value, attribute.meaning) {
        (AnyValue::Str(text), None) => text.as_bytes(),
        _ => {
            scratch.clear();
            put_value(scratch, attribute);
            scratch
        }
    };
    if value.is_empty() || (*key == *b"http.status_code" && !is_http_status(value)) {
        return;
    }
    if keys.add(key.clone()) {
        put_text(out, &key, value);
    }
}

fn is_empty_text(value: &AnyValue<'_>) -> bool {
    match value {
        AnyValue::Empty => true,
        AnyValue::Str(text) => text.is_empty(),
        AnyValue::Bytes(bytes) => bytes.is_empty(),
        _ => false,
    }
}

/// A text that Datadog takes for the status of an HTTP answer.
fn is_http_status(text: &[u8]) -> bool {
    matches!(text, [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9'])
}

/// What a failed span says of its failure: the status's message, or else the status of the HTTP answer, where that is an attribute
/// of text.
fn error_message<'a>(span: &Span<'a>, attributes: &KnownAttributes<'a>) -> Cow<'a, [u8]> {
    if !span.status.message.is_empty() {
        return Cow::Borrowed(span.status.message.as_bytes());
    }
    let status = [Key::HttpStatusCode, Key::HttpResponseStatusCode].into_iter().find_map(|key| {
        attributes.get(key).filter(|value| !matches!(value, AnyValue::Int(_) | AnyValue::Double(_)))
    });
    let mut text = Vec::new();
    if let Some(status) = status {
        put_plain(&mut text, status);
    }
    if let Some(reason) = status_text(&text) {
        text.push(b' ');
        text.extend_from_slice(reason.as_bytes());
    }
    Cow::Owned(text)
}
