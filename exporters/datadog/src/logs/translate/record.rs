//! One record.

use std::borrow::Cow;

use datadog::source::Source;
use pdata::text::{put_escaped, put_hex, put_int, put_text, put_uint};
use pdata::view::{AnyValue, LogRecord};

use super::RECORD_BYTES_MAX;
use super::entries::Entries;
use super::group::{Group, Host};
use super::ids::{from_hex, id, low_half, put_time, put_trace_id};
use super::roles::{Field, Fields, Role};
use super::value::{put_as_string, put_string, put_value};
use crate::function::{FunctionTags, ORIGIN};

/// `ddsource` of records that name none (contrib `exporter/datadogexporter/logs_exporter.go`).
const SOURCE: &[u8] = b"otlp_log_ingestion";
/// The last tag (contrib `exporter/datadogexporter/logs_exporter.go`).
const SOURCE_TAG: &[u8] = b"otel_source:datadog_exporter";
/// The end of a message that was cut, as Datadog's Agent writes it.
const CUT: &[u8] = b"...TRUNCATED...";

/// Memory that is used from record to record.
#[derive(Default)]
pub(super) struct Scratch<'a> {
    entries: Entries<'a>,
    text: Vec<u8>,
}

/// An attribute.
type Pair<'a> = (&'a [u8], AnyValue<'a>);

/// What a record's attributes say about its fields.
#[derive(Default)]
struct Slots<'a> {
    message: Option<Pair<'a>>,
    status: Option<Pair<'a>>,
    trace_id: Option<([u8; 16], &'a [u8])>,
    span_id: Option<([u8; 8], &'a [u8])>,
    hostname: Option<&'a [u8]>,
    service: Option<&'a [u8]>,
    source: Option<&'a [u8]>,
    log_source: &'a [u8],
    /// The invocation of a function that the record is from.
    request_id: &'a [u8],
    service_name: Option<AnyValue<'a>>,
}

/// Appends a record as an object. False when no body has room for it; what was appended is to be taken back then.
pub(super) fn put<'a>(
    out: &mut Vec<u8>,
    record: &LogRecord<'a>,
    group: &Group<'a>,
    scratch: &mut Scratch<'a>,
) -> bool {
    let start = out.len();
    let Scratch { entries, text } = scratch;
    entries.clear();
    let trace_id = id::<16>(record.trace_id);
    let span_id = id::<8>(record.span_id);
    out.extend_from_slice(b"{\"ddtags\":\"");
    out.extend_from_slice(&group.tags);
    let mut slots = Slots::default();
    for attribute in record.attributes.iter() {
        let (key, value) = (attribute.key.as_bytes(), attribute.value);
        let left = match Role::of(key) {
            Role::Message => take(&mut slots.message, key, value),
            Role::Status => take(&mut slots.status, key, value),
            Role::TraceId => take_id(&mut slots.trace_id, trace_id, key, value),
            Role::SpanId => take_id(&mut slots.span_id, span_id, key, value),
            Role::Tags => {
                text.clear();
                put_text(text, &value);
                if !text.is_empty() {
                    put_escaped(out, text);
                    out.push(b',');
                }
                None
            }
            Role::Reserved => slots.reserve(key, value),
            Role::Attribute => {
                slots.look_at(key, &value);
                Some((key, value))
            }
        };
        if let Some((key, value)) = left {
            entries.add(key, &value, 1);
        }
    }
    out.extend_from_slice(SOURCE_TAG);
    out.extend_from_slice(b"\",");
    if entries.is_too_large() {
        return false;
    }
    slots.put_origin(out, record, group);
    let fields = slots.put_fields(out, record, (trace_id, span_id), text);
    entries.keep_last();
    for (key, value, depth) in entries.iter() {
        if !group.has_key(key) && !fields.has_key(key) {
            put_string(out, key);
            out.push(b':');
            put_value(out, value, depth);
            out.push(b',');
        }
    }
    out.extend_from_slice(&group.rendered);
    for (field, rendered) in &group.contested {
        if !fields.has(*field) {
            out.extend_from_slice(rendered);
        }
    }
    for (key, rendered) in &group.scope {
        if !entries.has_key(key) {
            out.extend_from_slice(rendered);
        }
    }
    if let Some(function) = &group.function
        && !entries.has_key(b"lambda")
        && !group.has_key(b"lambda")
    {
        put_function(out, function, slots.request_id);
    }
    put_message(out, start, slots.message.map_or(record.body, |(_, value)| value), text);
    true
}

/// Appends what Datadog's pages find the log of an invocation by.
fn put_function(out: &mut Vec<u8>, function: &FunctionTags, request_id: &[u8]) {
    out.extend_from_slice(b"\"lambda\":{");
    put_member(out, "arn", function.arn().as_bytes());
    put_member(out, "request_id", request_id);
    // The last of the members has a comma behind it.
    out.truncate(out.len() - 1);
    out.extend_from_slice(b"},");
}

/// Fills a slot with the last value that says something. Gives back the one that loses its place.
fn take<'a>(slot: &mut Option<Pair<'a>>, key: &'a [u8], value: AnyValue<'a>) -> Option<Pair<'a>> {
    if is_blank(&value) { None } else { slot.replace((key, value)) }
}

/// Whether a value's text is empty.
fn is_blank(value: &AnyValue<'_>) -> bool {
    match value {
        AnyValue::Empty => true,
        AnyValue::Str(text) => text.is_empty(),
        AnyValue::Bytes(bytes) => bytes.is_empty(),
        _ => false,
    }
}

/// Fills a slot with the first id, unless the record has one. Gives back what is none, or another one.
fn take_id<'a, const N: usize>(
    slot: &mut Option<([u8; N], &'a [u8])>,
    own: Option<[u8; N]>,
    key: &'a [u8],
    value: AnyValue<'a>,
) -> Option<Pair<'a>> {
    let text = value.as_str().map(|text| text.as_bytes()).unwrap_or_default();
    let Some(id) = from_hex::<N>(text) else { return Some((key, value)) };
    let known = own.or(slot.map(|(id, _)| id));
    if known.is_none() {
        *slot = Some((id, text));
    }
    known.filter(|known| *known != id).map(|_| (key, value))
}

impl<'a> Slots<'a> {
    /// Takes a reserved field. Gives back what is no text.
    fn reserve(&mut self, key: &'a [u8], value: AnyValue<'a>) -> Option<Pair<'a>> {
        let Some(text) = value.as_str() else { return Some((key, value)) };
        let slot = match key {
            b"hostname" => &mut self.hostname,
            b"service" => &mut self.service,
            _ => &mut self.source,
        };
        *slot = Some(text.as_bytes()).filter(|text| !text.is_empty());
        None
    }

    /// Notes what an attribute says of the record's origin.
    #[inline]
    fn look_at(&mut self, key: &[u8], value: &AnyValue<'a>) {
        match key {
            b"datadog.log.source" => {
                self.log_source = value.as_str().map(|text| text.as_bytes()).unwrap_or_default();
            }
            b"faas.invocation_id" => {
                self.request_id = value.as_str().map(|text| text.as_bytes()).unwrap_or_default();
            }
            b"service.name" if self.service_name.is_none() => self.service_name = Some(*value),
            _ => {}
        }
    }

    /// Appends source, host and service.
    fn put_origin(&self, out: &mut Vec<u8>, record: &LogRecord<'a>, group: &Group<'a>) {
        self.put_host(out, record, group);
        let log_source = group.source.as_deref().unwrap_or(self.log_source);
        let named = self.source.unwrap_or(log_source);
        let default = if group.function.is_some() { ORIGIN.as_bytes() } else { SOURCE };
        put_member(out, "ddsource", if named.is_empty() { default } else { named });
        match (self.service, self.service_name) {
            (Some(service), _) => put_member(out, "service", service),
            (None, _) if !group.service.is_empty() => {
                out.extend_from_slice(b"\"service\":\"");
                out.extend_from_slice(&group.service);
                out.extend_from_slice(b"\",");
            }
            (None, Some(name)) if !is_blank(&name) => {
                out.extend_from_slice(b"\"service\":");
                put_as_string(out, &name);
                out.push(b',');
            }
            _ => {}
        }
    }

    fn put_host(&self, out: &mut Vec<u8>, record: &LogRecord<'a>, group: &Group<'a>) {
        match (self.hostname, &group.host) {
            (Some(hostname), _) => put_member(out, "hostname", hostname),
            (None, Host::Named(host)) => put_member(out, "hostname", host.as_bytes()),
            (None, Host::None) => {}
            (None, Host::Unknown) => {
                let host = match Source::of(&record.attributes) {
                    Some(Source::Host(host)) if !host.is_empty() => host,
                    Some(Source::Serverless(_)) => return,
                    Some(Source::Host(_)) | None => Cow::Borrowed(group.fallback_host),
                };
                if !host.is_empty() {
                    put_member(out, "hostname", host.as_bytes());
                }
            }
        }
    }

    /// Appends status, time, severity, ids and the name of the event, and says which of these there are.
    fn put_fields(
        &self,
        out: &mut Vec<u8>,
        record: &LogRecord<'a>,
        (trace_id, span_id): (Option<[u8; 16]>, Option<[u8; 8]>),
        text: &mut Vec<u8>,
    ) -> Fields {
        let mut fields = Fields::default();
        let severity = record.severity_text;
        out.extend_from_slice(b"\"status\":");
        match self.status {
            Some((_, status)) => put_as_string(out, &status),
            None if !severity.is_empty() => put_string(out, severity.as_bytes()),
            None => put_string(out, status_of(record.severity_number)),
        }
        out.push(b',');
        let time = match record.time_unix_nano {
            0 => record.observed_time_unix_nano,
            time => time,
        };
        if time != 0 {
            fields.add(Field::Timestamp);
            fields.add(Field::OtelTimestamp);
            out.extend_from_slice(b"\"@timestamp\":\"");
            put_time(out, time);
            out.extend_from_slice(b"\",\"otel.timestamp\":\"");
            put_uint(out, time);
            out.extend_from_slice(b"\",");
        }
        if !severity.is_empty() {
            fields.add(Field::SeverityText);
            put_member(out, "otel.severity_text", severity.as_bytes());
        }
        if record.severity_number != 0 {
            fields.add(Field::SeverityNumber);
            out.extend_from_slice(b"\"otel.severity_number\":\"");
            put_int(out, i64::from(record.severity_number));
            out.extend_from_slice(b"\",");
        }
        if !record.event_name.is_empty() {
            fields.add(Field::EventName);
            put_member(out, "otel.event_name", record.event_name.as_bytes());
        }
        if let Some(id) = trace_id.or(self.trace_id.map(|(id, _)| id)) {
            // Datadog's number of a trace is the lower half of its id, and zero is none.
            if low_half(&id) != 0 {
                fields.add(Field::TraceId);
                out.extend_from_slice(b"\"dd.trace_id\":\"");
                put_uint(out, low_half(&id));
                out.extend_from_slice(b"\",");
            }
            fields.add(Field::OtelTraceId);
            out.extend_from_slice(b"\"otel.trace_id\":\"");
            match self.trace_id {
                Some((_, text)) => out.extend_from_slice(text),
                None => put_trace_id(out, &id),
            }
            out.extend_from_slice(b"\",");
        }
        if let Some(id) = span_id.or(self.span_id.map(|(id, _)| id)) {
            fields.add(Field::SpanId);
            fields.add(Field::OtelSpanId);
            out.extend_from_slice(b"\"dd.span_id\":\"");
            put_uint(out, u64::from_be_bytes(id));
            out.extend_from_slice(b"\",\"otel.span_id\":\"");
            match self.span_id {
                Some((_, text)) => out.extend_from_slice(text),
                None => put_hex(out, &id),
            }
            out.extend_from_slice(b"\",");
        }
        if let Some((_, message)) = self.message
            && !is_blank(&record.body)
            && !is_same_text(&message, &record.body, text)
        {
            fields.add(Field::Body);
            out.extend_from_slice(b"\"otel.body\":");
            put_as_string(out, &record.body);
            out.push(b',');
        }
        fields
    }
}

fn is_same_text(one: &AnyValue<'_>, other: &AnyValue<'_>, text: &mut Vec<u8>) -> bool {
    if let (AnyValue::Str(one), AnyValue::Str(other)) = (one, other) {
        return one == other;
    }
    text.clear();
    put_text(text, one);
    let len = text.len();
    put_text(text, other);
    let (one, other) = text.split_at(len);
    one == other
}

/// Appends the message, which comes last: it is what is cut of an item that is too long. The item ends here.
fn put_message(out: &mut Vec<u8>, start: usize, message: AnyValue<'_>, text: &mut Vec<u8>) {
    text.clear();
    let message = match message {
        AnyValue::Str(message) => message.as_bytes(),
        message => {
            put_text(text, &message);
            text
        }
    };
    out.extend_from_slice(b"\"message\":\"");
    let at = out.len();
    put_escaped(out, message);
    let (len, rest_len) = (out.len() - at, at - start + b"\"}".len());
    if len + rest_len > RECORD_BYTES_MAX
        && let Some(room) = RECORD_BYTES_MAX.checked_sub(rest_len + CUT.len())
    {
        let message = std::str::from_utf8(message).unwrap_or_default();
        // What is escaped takes more room, so this is a guess, and then a step or two.
        let mut kept = message.len() * room / len;
        loop {
            out.truncate(at);
            let cut = message.get(..message.floor_char_boundary(kept)).unwrap_or_default();
            put_escaped(out, cut.as_bytes());
            match (out.len() - at).checked_sub(room + 1) {
                Some(surplus) => kept = kept.saturating_sub(surplus + 1),
                None => break,
            }
        }
        out.extend_from_slice(CUT);
    }
    out.extend_from_slice(b"\"}");
}

/// The status that a severity number stands for, by the ranges of OpenTelemetry's log data model.
fn status_of(severity_number: i32) -> &'static [u8] {
    match severity_number {
        0 => b"info",
        ..=4 => b"trace",
        5..=8 => b"debug",
        9..=12 => b"info",
        13..=16 => b"warn",
        17..=20 => b"error",
        21..=24 => b"fatal",
        25.. => b"error",
    }
}

fn put_member(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    put_string(out, name.as_bytes());
    out.push(b':');
    put_string(out, value);
    out.push(b',');
}
