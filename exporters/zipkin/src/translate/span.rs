//! One span: its head, its tags merged with what it inherits, its endpoints, annotations and links.

use std::collections::HashMap;

use pdata::text::{Escaping, put_json_object, put_text, put_uint};
use pdata::view::{AnyValue, Event, Link, Span, SpanKind, StatusCode};

use super::Unsendable;
use super::endpoint;
use super::form::{Endpoint, Form, Head, Side};
use super::inherited::Inherited;
use super::slots::{LINK_PREFIX, Slots, link_number};

/// A start below this is taken for none: upstream tests for the first second of 1970.
const FIRST_START: u64 = 1_000_000_000;
/// Up to this many keys a possible repetition is looked up by comparing with each; beyond, the span is merged at once.
const COMPARED_KEYS_MAX: usize = 64;

/// Writes spans; keeps its buffers from one to the next.
#[derive(Debug, Default)]
pub(super) struct SpanWriter<'a> {
    keys: Vec<&'a [u8]>,
    scratch: Vec<u8>,
    text: Vec<u8>,
}

impl<'a> SpanWriter<'a> {
    /// Appends a span, or nothing when it cannot be sent.
    pub(super) fn write<F: Form>(
        &mut self,
        out: &mut Vec<u8>,
        span: &Span<'a>,
        inherited: &Inherited<'a>,
    ) -> Result<(), Unsendable> {
        let head = head(span)?;
        let opened = F::open_span(out);
        F::head(out, &head);
        let tags = F::open_tags(out);
        let links = if span.links.is_empty() { 0 } else { span.links.iter().count() };
        let slots = self.attributes::<F>(out, span, inherited, links);
        self.status::<F>(out, span, &slots);
        self.kind_and_state::<F>(out, span, &slots);
        self.http_status::<F>(out, &slots);
        let local = self.local_endpoint::<F>(out, &slots, inherited);
        let mut peer_name = Vec::new();
        let remote = self.remote_endpoint::<F>(out, &slots, &mut peer_name);
        for (number, link) in span.links.iter().enumerate() {
            self.link::<F>(out, number, &link);
        }
        F::close_tags(out, tags);
        if let Some(local) = local {
            F::endpoint(out, Side::Local, &local);
        }
        if let Some(remote) = remote {
            F::endpoint(out, Side::Remote, &remote);
        }
        if !span.events.is_empty() {
            self.events::<F>(out, span);
        }
        F::close_span(out, opened);
        Ok(())
    }

    /// Writes inherited tags and the span's own attributes, and returns those that have a meaning. Assumes that no key comes twice,
    /// until one does.
    fn attributes<F: Form>(
        &mut self,
        out: &mut Vec<u8>,
        span: &Span<'a>,
        inherited: &Inherited<'a>,
        links: usize,
    ) -> Slots<'a> {
        if links > 0 && inherited.has_link_keys {
            return self.merged_attributes::<F>(out, span, inherited, links);
        }
        let start = out.len();
        let (mut slots, mut seen) = (inherited.slots, inherited.keys);
        self.keys.clear();
        out.extend_from_slice(&inherited.rendered);
        for attribute in span.attributes {
            let key = attribute.key.as_bytes();
            if slots.take(key, &attribute.value) || is_written_link(key, links) {
                continue;
            }
            if seen.add(key) && self.may_repeat(key, inherited) {
                out.truncate(start);
                return self.merged_attributes::<F>(out, span, inherited, links);
            }
            self.keys.push(key);
            F::tag(out, key, &attribute.value, &mut self.scratch);
        }
        slots
    }

    fn may_repeat(&self, key: &[u8], inherited: &Inherited<'_>) -> bool {
        self.keys.len() + inherited.entries.len() > COMPARED_KEYS_MAX
            || self.keys.contains(&key)
            || inherited.entries.iter().any(|(theirs, _)| *theirs == key)
    }

    /// The same for any keys: the last value of a span's own counts, and any of its own before an inherited one.
    #[cold]
    fn merged_attributes<F: Form>(
        &mut self,
        out: &mut Vec<u8>,
        span: &Span<'a>,
        inherited: &Inherited<'a>,
        links: usize,
    ) -> Slots<'a> {
        let mut slots = inherited.slots;
        let mut own: HashMap<&[u8], usize> = HashMap::new();
        for (index, attribute) in span.attributes.iter().enumerate() {
            let key = attribute.key.as_bytes();
            if !slots.take(key, &attribute.value) && !is_written_link(key, links) {
                own.insert(key, index);
            }
        }
        for (key, range) in &inherited.entries {
            if !own.contains_key(key) && !is_written_link(key, links) {
                out.extend_from_slice(inherited.rendered.get(range.clone()).unwrap_or_default());
            }
        }
        for (index, attribute) in span.attributes.iter().enumerate() {
            let key = attribute.key.as_bytes();
            if own.get(key) == Some(&index) {
                F::tag(out, key, &attribute.value, &mut self.scratch);
            }
        }
        slots
    }

    /// Zipkin takes a span with any `error` tag for failed. A text that an `error` attribute has beyond true and false is kept as its
    /// value.
    fn status<F: Form>(&mut self, out: &mut Vec<u8>, span: &Span<'a>, slots: &Slots<'a>) {
        let status = span.status;
        if status.code == StatusCode::Error {
            let text = slots.error.filter(|value| {
                value
                    .as_str()
                    .is_some_and(|text| !matches!(text.as_bytes(), b"" | b"true" | b"false"))
            });
            let text = text.unwrap_or(AnyValue::Bool(true));
            F::tag(out, b"error", &text, &mut self.scratch);
        }
        let code = match status.code {
            StatusCode::Unset => slots.status_code,
            StatusCode::Ok => Some(AnyValue::Str("STATUS_CODE_OK".into())),
            StatusCode::Error => Some(AnyValue::Str("STATUS_CODE_ERROR".into())),
        };
        let described = status.code != StatusCode::Unset && !status.message.is_empty();
        let message = Some(AnyValue::Str(status.message));
        let description = if described { message } else { slots.status_description };
        self.optional_tag::<F>(out, b"otel.status_code", code);
        self.optional_tag::<F>(out, b"otel.status_description", description);
    }

    fn kind_and_state<F: Form>(&mut self, out: &mut Vec<u8>, span: &Span<'a>, slots: &Slots<'a>) {
        let internal = Some(AnyValue::Str("internal".into()));
        let kind = if span.kind == SpanKind::Internal { internal } else { slots.kind };
        self.optional_tag::<F>(out, b"span.kind", kind);
        let state = Some(AnyValue::Str(span.trace_state));
        let state = if span.trace_state.is_empty() { slots.trace_state } else { state };
        self.optional_tag::<F>(out, b"w3c.tracestate", state);
    }

    /// Zipkin's own views look for the older key.
    fn http_status<F: Form>(&mut self, out: &mut Vec<u8>, slots: &Slots<'a>) {
        let code = slots.response_status_code;
        self.optional_tag::<F>(out, b"http.response.status_code", code);
        self.optional_tag::<F>(out, b"http.status_code", slots.status_code_copy.or(code));
    }

    /// The endpoint of the service itself. What does not fit in it stays a tag.
    fn local_endpoint<'n, F: Form>(
        &mut self,
        out: &mut Vec<u8>,
        slots: &Slots<'a>,
        inherited: &'n Inherited<'a>,
    ) -> Option<Endpoint<'n>> {
        let service_name = inherited.service_name.as_slice();
        let ip = slots.local_address.as_ref().and_then(endpoint::ip);
        let exists = ip.is_some() || !service_name.is_empty();
        let port = slots.local_port.as_ref().and_then(endpoint::port).filter(|_| exists);
        if ip.is_none() {
            self.optional_tag::<F>(out, b"network.local.address", slots.local_address);
        }
        if port.is_none() {
            self.optional_tag::<F>(out, b"net.host.port", slots.local_port);
        }
        exists.then_some(Endpoint { service_name, ip, port })
    }

    /// The endpoint of the other side, when its name or address is known. What does not fit in it stays a tag.
    fn remote_endpoint<'n, F: Form>(
        &mut self,
        out: &mut Vec<u8>,
        slots: &Slots<'a>,
        service_name: &'n mut Vec<u8>,
    ) -> Option<Endpoint<'n>> {
        if let Some(name) = &slots.peer_name {
            put_text(service_name, name);
            if service_name.is_empty() {
                F::tag(out, b"service.peer.name", name, &mut self.scratch);
            }
        }
        let named = !service_name.is_empty();
        if let Some(name) = &slots.peer_service {
            if !named {
                put_text(service_name, name);
            }
            if named || service_name.is_empty() {
                F::tag(out, b"peer.service", name, &mut self.scratch);
            }
        }
        let ip = slots.peer_address.as_ref().and_then(endpoint::ip);
        let exists = ip.is_some() || !service_name.is_empty();
        let port = slots.peer_port.as_ref().and_then(endpoint::port).filter(|_| exists);
        if ip.is_none() {
            self.optional_tag::<F>(out, b"network.peer.address", slots.peer_address);
        }
        if port.is_none() {
            self.optional_tag::<F>(out, b"net.peer.port", slots.peer_port);
        }
        exists.then_some(Endpoint { service_name, ip, port })
    }

    /// `trace id|span id|trace state|attributes|dropped attributes`.
    fn link<F: Form>(&mut self, out: &mut Vec<u8>, number: usize, link: &Link<'a>) {
        self.text.clear();
        put_hex_of_any_length(&mut self.text, link.trace_id);
        self.text.push(b'|');
        put_hex_of_any_length(&mut self.text, link.span_id);
        self.text.push(b'|');
        self.text.extend_from_slice(link.trace_state.as_bytes());
        self.text.push(b'|');
        put_json_object(&mut self.text, &link.attributes, Escaping::Html);
        self.text.push(b'|');
        put_uint(&mut self.text, u64::from(link.dropped_attributes_count));
        let text = AnyValue::Str(std::str::from_utf8(&self.text).unwrap_or_default().into());
        let mut key = LINK_PREFIX.to_vec();
        put_uint(&mut key, number as u64);
        F::tag(out, &key, &text, &mut self.scratch);
    }

    /// An event without a time gets its span's, or else the first there is: Collectors refuse a whole batch for an annotation without one.
    fn events<F: Form>(&mut self, out: &mut Vec<u8>, span: &Span<'a>) {
        let opened = F::open_annotations(out);
        for event in span.events {
            let time = match event.time_unix_nano {
                0..1000 => span.start_time_unix_nano.max(1000),
                time => time,
            };
            if event.attributes.is_empty() && event.dropped_attributes_count == 0 {
                F::annotation(out, time, event.name.as_bytes());
            } else {
                self.describe(&event);
                F::annotation(out, time, &self.text);
            }
        }
        F::close_annotations(out, opened);
    }

    /// `name|attributes|dropped attributes`.
    fn describe(&mut self, event: &Event<'a>) {
        self.text.clear();
        self.text.extend_from_slice(event.name.as_bytes());
        self.text.push(b'|');
        put_json_object(&mut self.text, &event.attributes, Escaping::Html);
        self.text.push(b'|');
        put_uint(&mut self.text, u64::from(event.dropped_attributes_count));
    }

    fn optional_tag<F: Form>(
        &mut self,
        out: &mut Vec<u8>,
        key: &[u8],
        value: Option<AnyValue<'a>>,
    ) {
        if let Some(value) = value {
            F::tag(out, key, &value, &mut self.scratch);
        }
    }
}

/// What a span is; the error is why it cannot be sent. A parent id of another length than eight bytes is taken for none, and so is the
/// span's own, which Zipkin's server leaves out, too.
fn head<'a>(span: &Span<'a>) -> Result<Head<'a>, Unsendable> {
    let nonzero = |id: &[u8]| id.iter().any(|&byte| byte != 0);
    let trace_id: &[u8; 16] = span.trace_id.try_into().map_err(|_| Unsendable::TraceId)?;
    let span_id: &[u8; 8] = span.span_id.try_into().map_err(|_| Unsendable::SpanId)?;
    if !nonzero(trace_id) {
        return Err(Unsendable::TraceId);
    }
    if !nonzero(span_id) {
        return Err(Unsendable::SpanId);
    }
    let parent_id: Option<&[u8; 8]> = span.parent_span_id.try_into().ok();
    let parent_id = parent_id.filter(|id| nonzero(*id) && *id != span_id);
    let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
    Ok(Head {
        trace_id,
        span_id,
        parent_id,
        name: span.name.as_bytes(),
        kind: span.kind,
        start: Some(start).filter(|&start| start >= FIRST_START),
        duration: end.checked_sub(start).filter(|&duration| duration > 0),
    })
}

/// Whether one of the span's links is going to be written under this key.
fn is_written_link(key: &[u8], links: usize) -> bool {
    links > 0 && link_number(key).is_some_and(|number| number < links)
}

fn put_hex_of_any_length(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.extend(DIGITS.get(usize::from(nibble)));
        }
    }
}
