//! Spans as OTLP, put together by resource and scope.
//!
//! Upstream gives a service's resource the attributes of its first span and forgets those of the others; here spans share a
//! resource only when theirs are equal.

use std::collections::HashMap;
use std::ops::Range;

use pdata::wire;

use super::Fault;
use super::attributes::{self, Value};
use super::described;
use super::span::{Endpoint, Kind, ZipkinSpan};
use super::tags::{self, NO_SERVICE_NAME, NO_START, Roles};

// Field numbers of OTLP's `trace.proto`.
const REQUEST_RESOURCE_SPANS: u32 = 1;
const RESOURCE_SPANS_RESOURCE: u32 = 1;
const RESOURCE_SPANS_SCOPE_SPANS: u32 = 2;
const SCOPE_SPANS_SCOPE: u32 = 1;
const SCOPE_SPANS_SPANS: u32 = 2;
const SPAN_TRACE_ID: u32 = 1;
const SPAN_SPAN_ID: u32 = 2;
const SPAN_TRACE_STATE: u32 = 3;
const SPAN_PARENT_SPAN_ID: u32 = 4;
const SPAN_NAME: u32 = 5;
const SPAN_KIND: u32 = 6;
const SPAN_START: u32 = 7;
const SPAN_END: u32 = 8;
const SPAN_ATTRIBUTES: u32 = 9;
const SPAN_EVENTS: u32 = 11;
const SPAN_LINKS: u32 = 13;
const SPAN_STATUS: u32 = 15;

/// The spans read so far.
#[derive(Debug, Default)]
pub(super) struct Groups {
    parse_string_tags: bool,
    /// Encoded spans, in the order in which they came.
    spans: Vec<u8>,
    resources: Vec<ResourceGroup>,
    by_resource: HashMap<Vec<u8>, usize>,
    latest: usize,
    roles: Roles,
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct ResourceGroup {
    service_name: Vec<u8>,
    resource: Vec<u8>,
    scopes: Vec<ScopeGroup>,
    by_scope: HashMap<Vec<u8>, usize>,
}

#[derive(Debug)]
struct ScopeGroup {
    name: Vec<u8>,
    scope: Vec<u8>,
    spans: Vec<Range<usize>>,
    spans_len: usize,
}

impl Groups {
    pub(super) fn new(parse_string_tags: bool) -> Self {
        Self { parse_string_tags, ..Self::default() }
    }

    /// Adds a span.
    pub(super) fn add(&mut self, span: &ZipkinSpan<'_>) -> Result<(), Fault> {
        let end = span.end()?;
        self.roles.sort(span);
        let start = self.spans.len();
        let (roles, parse) = (&self.roles, self.parse_string_tags);
        wire::put_message(&mut self.spans, SCOPE_SPANS_SPANS, |out| {
            put_span(out, span, end, roles, parse);
        });
        let range = start..self.spans.len();
        let resource = self.resource_of(span);
        if let Some(group) = self.resources.get_mut(resource) {
            let scope = group.scope_of(span, &self.roles, &mut self.scratch);
            if let Some(scope) = group.scopes.get_mut(scope) {
                scope.spans_len += range.len();
                scope.spans.push(range);
            }
        }
        Ok(())
    }

    /// The place of the resource that this span belongs to.
    fn resource_of(&mut self, span: &ZipkinSpan<'_>) -> usize {
        let resource = &mut self.scratch;
        resource.clear();
        let name = tags::service_name(span);
        if let Some(name) = name {
            let source = self.roles.service_name_source.map(|place| tags::value_of(span, place));
            let cased = self.roles.service_name.map(|place| tags::value_of(span, place));
            let key = source.unwrap_or(b"service.name");
            attributes::put(resource, 1, key, Value::Str(cased.unwrap_or(name)));
        }
        for &place in &self.roles.resource {
            let value = Value::Str(tags::value_of(span, place));
            attributes::put(resource, 1, tags::key_of(span, place), value);
        }
        if self.resources.get(self.latest).is_some_and(|group| group.resource == *resource) {
            return self.latest;
        }
        let next = self.resources.len();
        self.latest = *self.by_resource.entry(resource.clone()).or_insert(next);
        if self.latest == next {
            self.resources.push(ResourceGroup {
                service_name: name.unwrap_or(NO_SERVICE_NAME).to_vec(),
                resource: resource.clone(),
                scopes: Vec::new(),
                by_scope: HashMap::new(),
            });
        }
        self.latest
    }

    /// The spans as an export request, ordered by service name, then by scope name, then as they came.
    pub(super) fn into_request(mut self) -> Vec<u8> {
        self.resources.sort_by(|a, b| a.service_name.cmp(&b.service_name));
        let mut out = Vec::with_capacity(self.spans.len() + self.spans.len() / 8);
        for group in &mut self.resources {
            group.scopes.sort_by(|a, b| a.name.cmp(&b.name));
            let scopes: usize = group.scopes.iter().map(|scope| field_len(scope.len())).sum();
            let len = optional_field_len(&group.resource) + scopes;
            put_head(&mut out, REQUEST_RESOURCE_SPANS, len);
            put_optional(&mut out, RESOURCE_SPANS_RESOURCE, &group.resource);
            for scope in &group.scopes {
                put_head(&mut out, RESOURCE_SPANS_SCOPE_SPANS, scope.len());
                put_optional(&mut out, SCOPE_SPANS_SCOPE, &scope.scope);
                for range in &scope.spans {
                    let span = self.spans.get(range.clone()).unwrap_or_default();
                    out.extend_from_slice(span);
                }
            }
        }
        out
    }
}

impl ResourceGroup {
    /// The place of the scope that this span belongs to.
    fn scope_of(&mut self, span: &ZipkinSpan<'_>, roles: &Roles, scratch: &mut Vec<u8>) -> usize {
        let text = |place: Option<usize>| place.map(|place| tags::value_of(span, place));
        let name = text(roles.scope_name).unwrap_or_default();
        let version = text(roles.scope_version).unwrap_or_default();
        scratch.clear();
        for (number, text) in [(1, name), (2, version)] {
            if !text.is_empty() {
                wire::put_len(scratch, number, text);
            }
        }
        let next = self.scopes.len();
        if let Some(&known) = self.by_scope.get(scratch.as_slice()) {
            return known;
        }
        self.by_scope.insert(scratch.clone(), next);
        let (name, scope) = (name.to_vec(), scratch.clone());
        self.scopes.push(ScopeGroup { name, scope, spans: Vec::new(), spans_len: 0 });
        next
    }
}

impl ScopeGroup {
    /// Bytes of the `ScopeSpans`.
    fn len(&self) -> usize {
        optional_field_len(&self.scope) + self.spans_len
    }
}

/// Appends the inside of an OTLP `Span`.
fn put_span(
    out: &mut Vec<u8>,
    span: &ZipkinSpan<'_>,
    end: u64,
    roles: &Roles,
    parse_string_tags: bool,
) {
    wire::put_len(out, SPAN_TRACE_ID, &span.trace_id);
    wire::put_len(out, SPAN_SPAN_ID, &span.id);
    if let Some(state) = roles.trace_state {
        wire::put_len(out, SPAN_TRACE_STATE, tags::value_of(span, state));
    }
    // A span that is its own parent has none.
    if let Some(parent) = span.parent_id.filter(|id| *id != span.id && *id != [0; 8]) {
        wire::put_len(out, SPAN_PARENT_SPAN_ID, &parent);
    }
    if !span.name.is_empty() {
        wire::put_len(out, SPAN_NAME, &span.name);
    }
    put_kind(out, span, roles);
    wire::put_fixed64(out, SPAN_START, span.start.unwrap_or_default());
    wire::put_fixed64(out, SPAN_END, end);
    for &place in &roles.attributes {
        let text = tags::value_of(span, place);
        let value = if parse_string_tags { attributes::typed(text) } else { Value::Str(text) };
        attributes::put(out, SPAN_ATTRIBUTES, tags::key_of(span, place), value);
    }
    put_endpoint(out, &span.local, &Keys::LOCAL);
    put_endpoint(out, &span.remote, &Keys::REMOTE);
    if span.start.is_none() {
        attributes::put(out, SPAN_ATTRIBUTES, NO_START, Value::Bool(true));
    }
    put_links(out, span, roles);
    for annotation in &span.annotations {
        described::put_event(out, SPAN_EVENTS, annotation.time, &annotation.value);
    }
    put_status(out, span, roles);
}

/// `span.kind=internal` is how a kind travels that Zipkin does not have.
fn put_kind(out: &mut Vec<u8>, span: &ZipkinSpan<'_>, roles: &Roles) {
    let mut kind = span.kind;
    if let Some(place) = roles.kind {
        let text = tags::value_of(span, place);
        if kind == Kind::Unspecified && text == b"internal" {
            kind = Kind::Internal;
        } else {
            attributes::put(out, SPAN_ATTRIBUTES, b"span.kind", Value::Str(text));
        }
    }
    if kind != Kind::Unspecified {
        wire::put_uint(out, SPAN_KIND, kind as u64);
    }
}

/// The attributes that an endpoint's fields become.
struct Keys {
    service_name: Option<&'static [u8]>,
    address: &'static [u8],
    /// For the IPv4 address when there are two.
    second_address: &'static [u8],
    port: &'static [u8],
}

impl Keys {
    const LOCAL: Keys = Keys {
        service_name: None,
        address: b"network.local.address",
        second_address: b"net.host.ip",
        port: b"net.host.port",
    };
    const REMOTE: Keys = Keys {
        service_name: Some(b"service.peer.name"),
        address: b"network.peer.address",
        second_address: b"net.peer.ip",
        port: b"net.peer.port",
    };
}

fn put_endpoint(out: &mut Vec<u8>, endpoint: &Endpoint<'_>, keys: &Keys) {
    let mut put = |key: &[u8], value: Value<'_>| attributes::put(out, SPAN_ATTRIBUTES, key, value);
    if let Some(key) = keys.service_name.filter(|_| !endpoint.service_name.is_empty()) {
        put(key, Value::Str(&endpoint.service_name));
    }
    let (ipv4, ipv6) = (Value::Str(&endpoint.ipv4), Value::Str(&endpoint.ipv6));
    if endpoint.has_both_addresses() {
        put(keys.second_address, ipv4);
        put(keys.address, ipv6);
    } else if endpoint.has_address() {
        put(keys.address, if endpoint.ipv6.is_empty() { ipv4 } else { ipv6 });
    }
    if endpoint.port > 0 {
        put(keys.port, Value::Int(endpoint.port));
    }
}

/// Links are numbered from zero without a gap; what is behind one, or is no link, stays an attribute.
fn put_links(out: &mut Vec<u8>, span: &ZipkinSpan<'_>, roles: &Roles) {
    for (expected, &(number, place)) in roles.links.iter().enumerate() {
        let text = tags::value_of(span, place);
        let is_link = number == expected && described::put_link(out, SPAN_LINKS, text).is_some();
        if !is_link {
            attributes::put(out, SPAN_ATTRIBUTES, tags::key_of(span, place), Value::Str(text));
        }
    }
}

/// The status; a span with any `error` tag has failed. Both the Collector's names of the codes and those of the specification
/// (open-telemetry/opentelemetry-specification `specification/trace/sdk_exporters/zipkin.md`) are understood.
fn put_status(out: &mut Vec<u8>, span: &ZipkinSpan<'_>, roles: &Roles) {
    let mut put = |key: &[u8], text| attributes::put(out, SPAN_ATTRIBUTES, key, Value::Str(text));
    let mut code = None;
    if let Some(place) = roles.status_code {
        let text = tags::value_of(span, place);
        code = match text {
            b"STATUS_CODE_UNSET" | b"Unset" | b"UNSET" => Some(0),
            b"STATUS_CODE_OK" | b"Ok" | b"OK" => Some(1),
            b"STATUS_CODE_ERROR" | b"Error" | b"ERROR" => Some(2),
            _ => None,
        };
        if code.is_none() {
            put(b"otel.status_code", text);
        }
    }
    let mut message: &[u8] = &[];
    if let Some(place) = roles.status_description {
        match code {
            Some(_) => message = tags::value_of(span, place),
            None => put(b"otel.status_description", tags::value_of(span, place)),
        }
    }
    if let Some(place) = roles.error {
        code = Some(2);
        let text = tags::value_of(span, place);
        if text != b"true" {
            put(b"error", text);
        }
    }
    let code = code.unwrap_or(0);
    if code != 0 || !message.is_empty() {
        wire::put_message(out, SPAN_STATUS, |out| {
            if !message.is_empty() {
                wire::put_len(out, 2, message);
            }
            if code != 0 {
                wire::put_uint(out, 3, code);
            }
        });
    }
}

/// Appends a message's key and length.
fn put_head(out: &mut Vec<u8>, number: u32, len: usize) {
    wire::put_key(out, number, wire::LEN);
    wire::put_varint(out, len as u64);
}

fn put_optional(out: &mut Vec<u8>, number: u32, message: &[u8]) {
    if !message.is_empty() {
        wire::put_len(out, number, message);
    }
}

/// Bytes of a message of this length as a field with a number below 16.
fn field_len(len: usize) -> usize {
    1 + wire::varint_len(len as u64) + len
}

fn optional_field_len(message: &[u8]) -> usize {
    if message.is_empty() { 0 } else { field_len(message.len()) }
}
