//! One span, written straight from its view: DataDog/datadog-agent `pkg/trace/transform/transform.go`, and what the agent does to a span
//! before it sends it.

use std::borrow::Cow;

use datadog::attributes::{Attribute, KnownAttributes, Lookup};
use datadog::chunks::Entry;
use datadog::keys::Key;
use datadog::naming::{Naming, kind_name};
use datadog::normalize::{RESOURCE_LEN_MAX, tag_value, truncate};
use datadog::obfuscate::{Family, Obfuscator, Treatment};
use datadog::span::{Facts, timing};
use pdata::text::{put_hex, put_text as put_plain};
use pdata::view::{AnyValue, Scope, Span, SpanKind, StatusCode};
use pdata::{KeyFilter, wire};

use super::events;
use super::inherited::{Block, boolean, datadog_key, is_http_status, is_normalised, put_value};
use super::status_text::status_text;
use super::tags::{Keys, Numbers, OWN_KEYS, Texts, put_text};
use crate::function::FunctionTags;

/// `TraceChunk.spans`.
const SPANS: u32 = 3;
/// What the lengths of most spans take.
const SPAN_LEN_BYTES: usize = 2;

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
    /// The function that this process is beside, if it is.
    pub(super) function: Option<&'s FunctionTags>,
    pub(super) now_nanos: i64,
}

/// Writes spans, one after the other, with buffers of its own.
pub(super) struct SpanWriter<'a> {
    attributes: KnownAttributes<'a>,
    texts: Keys<'a>,
    numbers: Keys<'a>,
    scratch: Vec<u8>,
    /// The keys that every span has.
    own_keys: KeyFilter,
}

/// What turns an attribute into a text.
struct Values<'w> {
    family: Family,
    obfuscator: &'w mut Obfuscator,
    scratch: &'w mut Vec<u8>,
}

impl<'a> SpanWriter<'a> {
    pub(super) fn new() -> Self {
        let mut own_keys = KeyFilter::default();
        for key in OWN_KEYS {
            let _may_be_seen = own_keys.add(key.as_bytes());
        }
        let (attributes, texts) = (KnownAttributes::default(), Keys::default());
        Self { attributes, texts, numbers: Keys::default(), scratch: Vec::new(), own_keys }
    }

    /// Appends a span as a field of its chunk.
    pub(super) fn write(
        &mut self,
        out: &mut Vec<u8>,
        entry: &Entry<'a>,
        around: &Surroundings<'_, 'a>,
        obfuscator: &mut Obfuscator,
    ) {
        let span = &entry.span;
        self.attributes.fill(span.attributes);
        let lookup = Lookup { span: &self.attributes, resource: around.resource };
        let facts = Facts::of(span, around.scope, &lookup, around.naming);
        let start = wire::begin_message_of(out, SPANS, SPAN_LEN_BYTES);
        let family = Family::of(facts.span_type);
        let resource = obfuscator.resource(family, &facts.resource);
        put_head(out, entry, &facts, resource, around.now_nanos);
        let mut numbers = Numbers::start(&mut self.numbers);
        put_own_numbers(out, &mut numbers, span, &facts, &self.attributes, around);
        let mut texts = Texts::start(&mut self.texts, around.scope_block, self.own_keys);
        put_own_texts(out, &mut texts, span, &facts, around, &mut self.scratch);
        let mut values = Values { family, obfuscator, scratch: &mut self.scratch };
        for attribute in self.attributes.list() {
            let Some(key) = datadog_key(attribute) else { continue };
            match attribute.value {
                AnyValue::Int(int) => numbers.put(out, key, int as f64),
                AnyValue::Double(double) => numbers.put(out, key, double),
                _ if attribute.meaning == Some(Key::AnalyticsEvent) => {
                    put_analytics_event(out, &mut numbers, &attribute.value);
                }
                _ => values.put(out, &mut texts, key, attribute),
            }
        }
        put_derived_texts(out, &mut texts, span, &lookup);
        texts.put_missing(out, around.resource_block);
        for attribute in around.resource_block.treated() {
            if let Some(key) = datadog_key(attribute) {
                values.put(out, &mut texts, key, attribute);
            }
        }
        if let Some(value) = around.resource.get(Key::AnalyticsEvent) {
            put_analytics_event(out, &mut numbers, value);
        }
        put_last_texts(out, &mut texts, &lookup, around.resource_block);
        wire::end_message_of(out, start, SPAN_LEN_BYTES);
    }
}

/// The numbers that no attribute replaces.
fn put_own_numbers(
    out: &mut Vec<u8>,
    numbers: &mut Numbers<'_, '_>,
    span: &Span<'_>,
    facts: &Facts<'_>,
    attributes: &KnownAttributes<'_>,
    around: &Surroundings<'_, '_>,
) {
    let is_outgoing = matches!(span.kind, SpanKind::Client | SpanKind::Producer);
    let is_measured = facts.is_measured || (around.measures_by_kind && is_outgoing);
    let client_rate = facts.sample_rate.filter(|rate| around.is_root && *rate < 1.0);
    // What the agent's sampler notes on the root of a trace that nobody has decided about, and it keeps
    // (`pkg/trace/sampler/prioritysampler.go`).
    let is_sampled_here = around.is_root
        && around.is_priority_automatic
        && around.has_no_parent
        && !attributes.list().iter().any(has_tracers_rate);
    for (key, value) in [
        ("_top_level", around.is_top_level.then_some(1.0)),
        ("_dd.measured", is_measured.then_some(1.0)),
        ("http.status_code", facts.http_status.map(|status| status as f64)),
        ("_sample_rate", facts.sample_rate),
        ("_dd1.sr.rcusr", client_rate),
        ("_sampling_priority_rate_v1", is_sampled_here.then_some(1.0)),
    ] {
        if let Some(value) = value {
            numbers.put(out, Cow::Borrowed(key.as_bytes()), value);
        }
    }
}

/// The texts that no attribute of the span or its resource replaces.
fn put_own_texts(
    out: &mut Vec<u8>,
    texts: &mut Texts<'_, '_>,
    span: &Span<'_>,
    facts: &Facts<'_>,
    around: &Surroundings<'_, '_>,
    scratch: &mut Vec<u8>,
) {
    around.scope_block.put_all(out);
    if let Some(maker) = around.decision_maker {
        texts.put(out, "_dd.p.dm", maker.as_bytes());
    }
    scratch.clear();
    if let Some(id) = span.trace_id.first_chunk::<16>() {
        id.as_chunks::<8>().0.iter().for_each(|half| put_hex(scratch, half));
    }
    let status = match span.status.code {
        StatusCode::Unset => "Unset",
        StatusCode::Ok => "Ok",
        StatusCode::Error => "Error",
    };
    let own = [kind_name(span.kind).as_bytes(), scratch, status.as_bytes()];
    for (key, value) in OWN_KEYS.into_iter().zip(own) {
        texts.put_own(out, key, value);
    }
    texts.put_if(out, "otel.status_description", span.status.message.as_bytes());
    texts.put_if(out, "rpc.grpc.status_code", facts.grpc_status.as_bytes());
    texts.put_if(out, "w3c.tracestate", span.trace_state.as_bytes());
    if !span.events.is_empty() {
        events::put_events(scratch, span.events);
        texts.put(out, "events", scratch);
        if span.events.iter().any(|event| event.name == "exception") {
            texts.put(out, "_dd.span_events.has_exception", b"true");
        }
    }
    if !span.links.is_empty() {
        events::put_links(scratch, span.links);
        texts.put(out, "_dd.span_links", scratch);
    }
    if let Some(function) = around.function
        && facts.name == datadog::function::INVOCATION
    {
        function.of_invocation(span, |key, value| texts.put_if(out, key, value.as_bytes()));
    }
}

/// The texts that an attribute of the span replaces, but none of the resource.
fn put_derived_texts<'a>(
    out: &mut Vec<u8>,
    texts: &mut Texts<'_, 'a>,
    span: &Span<'a>,
    lookup: &Lookup<'_, 'a>,
) {
    let version = tag_value(lookup.text(&[Key::ServiceVersion]));
    texts.put_if(out, "version", version.as_bytes());
    let env = lookup.text(&[Key::DeploymentEnvironmentName, Key::DeploymentEnvironment]);
    texts.put_if(out, "env", tag_value(env).as_bytes());
    if span.status.code == StatusCode::Error {
        texts.put_if(out, "error.msg", &error_message(span, lookup.span));
    }
}

/// What nobody has given a better value: attributes without a text, and the name of a database.
fn put_last_texts<'a>(
    out: &mut Vec<u8>,
    texts: &mut Texts<'_, 'a>,
    lookup: &Lookup<'_, 'a>,
    inherited: &Block<'a>,
) {
    for attribute in lookup.span.list() {
        if attribute.meaning != Some(Key::AnalyticsEvent)
            && is_empty_text(&attribute.value)
            && let Some(key) = datadog_key(attribute)
            // An empty status of HTTP is none.
            && *key != *b"http.status_code"
            && !inherited.has(&key)
            && texts.add(key.clone())
        {
            put_text(out, &key, b"");
        }
    }
    let namespace = lookup.text(&[Key::DbNamespace]);
    if !namespace.is_empty() && !inherited.has(b"db.name") {
        texts.put(out, "db.name", namespace.as_bytes());
    }
}

/// The fields of a span beside its maps: `Span` of DataDog/datadog-agent `pkg/proto/datadog/trace/span.proto`.
fn put_head(
    out: &mut Vec<u8>,
    entry: &Entry<'_>,
    facts: &Facts<'_>,
    resource: &str,
    now_nanos: i64,
) {
    wire::put_len(out, 1, facts.service.as_bytes());
    wire::put_len(out, 2, facts.name.as_bytes());
    // Without values a statement can get longer.
    wire::put_len(out, 3, truncate(resource, RESOURCE_LEN_MAX).as_bytes());
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

fn put_analytics_event(out: &mut Vec<u8>, numbers: &mut Numbers<'_, '_>, value: &AnyValue<'_>) {
    // What the agent makes of the rate `_dd1.sr.eausr`, 1 or 0, when it extracts events (`pkg/trace/event/processor.go`).
    let (key, number): (&[u8], f64) = match boolean(value) {
        Some(true) => (b"_dd.analyzed", 1.0),
        Some(false) => (b"_dd1.sr.eausr", 0.0),
        None => return,
    };
    numbers.put(out, Cow::Borrowed(key), number);
}

impl Values<'_> {
    /// Appends an attribute whose text is not empty.
    fn put<'a>(
        &mut self,
        out: &mut Vec<u8>,
        texts: &mut Texts<'_, 'a>,
        key: Cow<'a, [u8]>,
        attribute: &Attribute<'a>,
    ) {
        let value = match attribute.value {
            AnyValue::Str(text) if !is_normalised(attribute) => text.as_bytes(),
            _ => {
                self.scratch.clear();
                put_value(self.scratch, attribute);
                &*self.scratch
            }
        };
        let treatment = attribute.meaning.map_or(Treatment::Keep, |key| self.family.treatment(key));
        let value = if treatment == Treatment::Keep {
            value
        } else {
            let text = std::str::from_utf8(value).unwrap_or_default();
            self.obfuscator.value(treatment, text).unwrap_or_default().as_bytes()
        };
        if value.is_empty() || (*key == *b"http.status_code" && !is_http_status(value)) {
            return;
        }
        if texts.add(key.clone()) {
            put_text(out, &key, value);
        }
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
