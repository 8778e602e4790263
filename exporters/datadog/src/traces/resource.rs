//! A resource's tracer payload, and what becomes of each of its traces.

use std::borrow::Cow;

use datadog::attributes::{KnownAttributes, Lookup};
use datadog::chunks::{Chunk, Entry, ResourceTraces};
use datadog::keys::Key;
use datadog::normalize::tag_value;
use datadog::obfuscate::Obfuscator;
use datadog::source::host_or;
use datadog::tags::ContainerTags;
use pdata::view::{AnyValue, ResourceSpans};
use pdata::wire;

use super::body::Bodies;
use super::inherited::Block;
use super::span::{SpanWriter, Surroundings};
use super::{Decision, Judgement, Options, has_ids};
use crate::function::{FunctionTags, ORIGIN};

/// How much of the traces was sampled before: all, as far as an exporter knows.
const SAMPLED: &str = "1.00";

/// Writes the traces of a resource.
pub(super) struct ResourceWriter<'s, 'a> {
    resource: &'s KnownAttributes<'a>,
    traces: &'s ResourceTraces<'a>,
    options: &'s Options,
    now_nanos: i64,
    block: Block<'a>,
    scope_blocks: Vec<Block<'a>>,
    /// The head of the tracer payload, until the first chunk is written.
    head: Option<Vec<u8>>,
    language: Cow<'a, str>,
    spans: SpanWriter<'a>,
    /// What the function of this process adds to each span.
    function: Option<FunctionTags>,
}

impl<'s, 'a> ResourceWriter<'s, 'a> {
    pub(super) fn new(
        resource_spans: &ResourceSpans<'a>,
        resource: &'s KnownAttributes<'a>,
        traces: &'s ResourceTraces<'a>,
        options: &'s Options,
        now_nanos: i64,
    ) -> Self {
        let language = tag_value_of(resource.any_text(Key::TelemetrySdkLanguage));
        let function = options.function.as_deref();
        let function = function.map(|f| FunctionTags::of(f, &resource_spans.resource.attributes));
        let mut head = head(resource_spans, resource, traces, &language, options);
        let mut block = Block::of_resource(resource);
        if let Some(function) = &function {
            put_entry(&mut head, 7, "_dd.tags.function", function.joined().as_bytes());
            for (key, value) in function.of_span() {
                block.add(key.as_bytes(), value.as_bytes());
            }
        }
        Self {
            resource,
            traces,
            options,
            now_nanos,
            block,
            scope_blocks: traces.scopes.iter().map(Block::of_scope).collect(),
            head: Some(head),
            language,
            spans: SpanWriter::new(),
            function,
        }
    }

    /// What is done with a trace.
    pub(super) fn judge(&mut self, chunk: &Chunk<'_, 'a>) -> Judgement {
        if !has_ids(chunk) {
            return Judgement::WithoutIds;
        }
        let decision = match chunk.entries.iter().rev().find_map(priority) {
            Some(priority) => Decision { priority, maker: "-4" },
            None => Decision { priority: 1, maker: "-9" },
        };
        if !self.options.ignore_resources.is_empty()
            && let Some(root) = chunk.root()
            && let resource = self.resource_of(root)
            && self.options.ignore_resources.iter().any(|pattern| pattern.is_match(&resource))
        {
            return Judgement::Ignored;
        }
        if decision.priority > 0 { Judgement::Send(decision) } else { Judgement::NotKept }
    }

    fn resource_of(&self, entry: &Entry<'a>) -> Cow<'a, str> {
        let own = KnownAttributes::of(entry.span.attributes);
        let lookup = Lookup { span: &own, resource: self.resource };
        match self.options.naming.resource(&entry.span, &lookup) {
            resource if resource.is_empty() => match self.traces.scopes.get(entry.scope) {
                Some(scope) => self.options.naming.operation(&entry.span, scope, &lookup),
                None => resource,
            },
            resource => resource,
        }
    }

    /// Writes a trace. Tells how many of its spans were too large.
    pub(super) fn write(
        &mut self,
        bodies: &mut Bodies<'_>,
        chunk: &Chunk<'_, 'a>,
        decision: &Decision,
        obfuscator: &mut Obfuscator,
    ) -> usize {
        let root = chunk.root().map(|entry| entry.span_id);
        if let Some(head) = self.head.take() {
            bodies.begin_resource(head, &self.language);
        }
        bodies.begin_chunk(self.chunk_head(chunk, decision));
        let mut too_large = 0;
        for (i, entry) in chunk.entries.iter().enumerate() {
            let (Some(scope), Some(scope_block)) =
                (self.traces.scopes.get(entry.scope), self.scope_blocks.get(entry.scope))
            else {
                continue;
            };
            let is_top_level = match self.options.top_level_by_kind {
                true => entry.is_top_level_by_kind(),
                false => chunk.is_top_level(entry),
            };
            let around = Surroundings {
                resource: self.resource,
                resource_block: &self.block,
                scope,
                scope_block,
                naming: &self.options.naming,
                is_top_level,
                measures_by_kind: self.options.top_level_by_kind,
                decision_maker: (i == 0).then_some(decision.maker),
                is_root: root == Some(entry.span_id),
                has_no_parent: entry.parent_id == 0,
                is_priority_automatic: decision.priority == 1,
                function: self.function.as_ref(),
                now_nanos: self.now_nanos,
            };
            let spans = &mut self.spans;
            if !bodies.push_span(|out| spans.write(out, entry, &around, obfuscator)) {
                too_large += 1;
            }
        }
        bodies.end_chunk();
        too_large
    }

    /// `TraceChunk` but its spans.
    fn chunk_head(&self, chunk: &Chunk<'_, 'a>, decision: &Decision) -> Vec<u8> {
        let mut head = Vec::with_capacity(64);
        wire::put_uint(&mut head, 1, i64::from(decision.priority) as u64);
        if let Some(root) = chunk.root() {
            let origin = root.span.attributes.get(Key::Origin.text());
            let origin = origin.and_then(|value| value.as_str());
            let of_resource = || self.resource.text(Key::Origin).as_bytes();
            let origin = origin.map_or_else(of_resource, |text| text.as_bytes());
            let own = if self.function.is_some() { ORIGIN } else { "" };
            put_if(&mut head, 2, if origin.is_empty() { own.as_bytes() } else { origin });
        }
        for (key, value) in [("_dd.otlp_sr", SAMPLED), ("_dd.p.dm", decision.maker)] {
            put_entry(&mut head, 4, key, value.as_bytes());
        }
        head
    }
}

/// The priority that a span gives its trace.
fn priority(entry: &Entry<'_>) -> Option<i32> {
    let number = |key: &str| match entry.span.attributes.get(key)? {
        AnyValue::Int(int) => Some(int as f64),
        AnyValue::Double(double) => Some(double),
        _ => None,
    };
    number("sampling.priority")
        .or_else(|| number("_sampling_priority_v1"))
        .map(|value| value as i32)
}

/// `TracerPayload` but its chunks.
fn head(
    resource_spans: &ResourceSpans<'_>,
    resource: &KnownAttributes<'_>,
    traces: &ResourceTraces<'_>,
    language: &str,
    options: &Options,
) -> Vec<u8> {
    let attributes = &resource_spans.resource.attributes;
    let mut head = Vec::with_capacity(256);
    put_if(&mut head, 1, tag_value(resource.text(Key::ContainerId)).as_bytes());
    put_if(&mut head, 2, language.as_bytes());
    let version = tag_value_of(resource.any_text(Key::TelemetrySdkVersion));
    wire::put_len(&mut head, 4, format!("otlp-{version}").as_bytes());
    let tags = ContainerTags::of(attributes);
    if !tags.is_empty() {
        let mut text = Vec::new();
        tags.put(&mut text);
        put_entry(&mut head, 7, "_dd.tags.container", &text);
    }
    let env = tag_value(first_text(resource, ENV_KEYS));
    let env = if env.is_empty() { first_tag(traces, resource, Key::Env, ENV_KEYS) } else { env };
    put_if(&mut head, 8, env.as_bytes());
    let host = match host_or(attributes, &options.fallback_host) {
        host if host.is_empty() => Cow::Borrowed(resource.text(Key::Hostname)),
        host => host,
    };
    put_if(&mut head, 9, host.as_bytes());
    let version = first_tag(traces, resource, Key::Version, &[Key::ServiceVersion]);
    put_if(&mut head, 10, version.as_bytes());
    head
}

const ENV_KEYS: &[Key] = &[Key::DeploymentEnvironmentName, Key::DeploymentEnvironment];

/// A tag as the first span that has it has it, the roots of the traces before others: by an attribute of the tag's own name, or one of
/// these keys, or a resource attribute of its own name.
fn first_tag<'a>(
    traces: &ResourceTraces<'a>,
    resource: &KnownAttributes<'a>,
    own: Key,
    keys: &[Key],
) -> Cow<'a, str> {
    let of_resource = match tag_value(first_text(resource, keys)) {
        text if text.is_empty() => resource.any_text(own),
        text => text,
    };
    let normal = |text| if own == Key::Env { tag_value_of(text) } else { text };
    for chunk in traces.chunks() {
        for entry in chunk.root().into_iter().chain(chunk.entries) {
            let attributes = &entry.span.attributes;
            if let Some(AnyValue::Str(text)) = attributes.get(own.text()) {
                return normal(Cow::Borrowed(text.as_str()));
            }
            let text = keys.iter().find_map(|key| match attributes.get(key.text()) {
                Some(AnyValue::Str(text)) if !text.is_empty() => Some(tag_value(text.as_str())),
                _ => None,
            });
            if let Some(text) = text {
                return text;
            }
            if !of_resource.is_empty() {
                return normal(of_resource);
            }
        }
    }
    Cow::Borrowed("")
}

/// The first text of these keys.
fn first_text<'a>(resource: &KnownAttributes<'a>, keys: &[Key]) -> &'a str {
    keys.iter().map(|key| resource.text(*key)).find(|text| !text.is_empty()).unwrap_or_default()
}

fn tag_value_of(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => tag_value(text),
        Cow::Owned(text) => Cow::Owned(tag_value(&text).into_owned()),
    }
}

/// Appends an entry of a map as field `number`.
fn put_entry(out: &mut Vec<u8>, number: u32, key: &str, value: &[u8]) {
    wire::put_message(out, number, |entry| {
        wire::put_len(entry, 1, key.as_bytes());
        wire::put_len(entry, 2, value);
    });
}

fn put_if(out: &mut Vec<u8>, number: u32, text: &[u8]) {
    if !text.is_empty() {
        wire::put_len(out, number, text);
    }
}
