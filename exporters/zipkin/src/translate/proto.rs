//! Zipkin v2 protobuf (openzipkin/zipkin-api `zipkin.proto`).

use std::net::IpAddr;

use pdata::text::put_text;
use pdata::view::{AnyValue, SpanKind};
use pdata::wire;

use super::form::{Endpoint, Form, Head, Side, rounded_micros};

pub(super) struct Proto;

/// `ListOfSpans.spans`.
const SPANS: u32 = 1;

// Fields of `Span`.
const TRACE_ID: u32 = 1;
const PARENT_ID: u32 = 2;
const ID: u32 = 3;
const KIND: u32 = 4;
const NAME: u32 = 5;
const TIMESTAMP: u32 = 6;
const DURATION: u32 = 7;
const LOCAL_ENDPOINT: u32 = 8;
const REMOTE_ENDPOINT: u32 = 9;
const ANNOTATIONS: u32 = 10;
const TAGS: u32 = 11;

impl Form for Proto {
    const GROWTH: usize = 3;
    const CLOSING_LEN: usize = 0;

    fn open_body(_out: &mut Vec<u8>) {}

    fn close_body(_out: &mut Vec<u8>) {}

    fn open_span(out: &mut Vec<u8>) -> usize {
        out.len()
    }

    /// Puts the list's field in front of the span. A span is nearly always longer than a byte of length can say, so there is no use
    /// in leaving room beforehand.
    fn close_span(out: &mut Vec<u8>, opened: usize) {
        let len = out.len() - opened;
        wire::put_key(out, SPANS, wire::LEN);
        wire::put_varint(out, len as u64);
        let front = out.len() - opened - len;
        if let Some(span) = out.get_mut(opened..) {
            span.rotate_right(front);
        }
    }

    fn head(out: &mut Vec<u8>, head: &Head<'_>) {
        wire::put_len(out, TRACE_ID, head.trace_id);
        wire::put_len(out, PARENT_ID, head.parent_id.unwrap_or(&[0; 8]));
        wire::put_len(out, ID, head.span_id);
        let kind = match head.kind {
            SpanKind::Client => 1,
            SpanKind::Server => 2,
            SpanKind::Producer => 3,
            SpanKind::Consumer => 4,
            SpanKind::Internal | SpanKind::Unspecified => 0,
        };
        if kind != 0 {
            wire::put_uint(out, KIND, kind);
        }
        if !head.name.is_empty() {
            wire::put_len(out, NAME, head.name);
        }
        if let Some(start) = head.start {
            wire::put_fixed64(out, TIMESTAMP, rounded_micros(start));
        }
        if let Some(duration) = head.duration {
            wire::put_uint(out, DURATION, (duration / 1000).max(1));
        }
    }

    fn open_tags(out: &mut Vec<u8>) -> usize {
        out.len()
    }

    fn close_tags(_out: &mut Vec<u8>, _opened: usize) {}

    fn tag(out: &mut Vec<u8>, key: &[u8], value: &AnyValue<'_>, scratch: &mut Vec<u8>) {
        let text = match value {
            AnyValue::Str(text) => text.as_bytes(),
            other => {
                scratch.clear();
                put_text(scratch, other);
                scratch.as_slice()
            }
        };
        wire::put_key(out, TAGS, wire::LEN);
        wire::put_varint(out, (len_field_len(key) + len_field_len(text)) as u64);
        wire::put_len(out, 1, key);
        wire::put_len(out, 2, text);
    }

    fn endpoint(out: &mut Vec<u8>, side: Side, endpoint: &Endpoint<'_>) {
        let field = match side {
            Side::Local => LOCAL_ENDPOINT,
            Side::Remote => REMOTE_ENDPOINT,
        };
        wire::put_message(out, field, |out| {
            if !endpoint.service_name.is_empty() {
                wire::put_len(out, 1, endpoint.service_name);
            }
            match endpoint.ip {
                Some(IpAddr::V4(ip)) => wire::put_len(out, 2, &ip.octets()),
                Some(IpAddr::V6(ip)) => wire::put_len(out, 3, &ip.octets()),
                None => {}
            }
            if let Some(port) = endpoint.port {
                wire::put_uint(out, 4, u64::from(port));
            }
        });
    }

    fn open_annotations(out: &mut Vec<u8>) -> usize {
        out.len()
    }

    /// Upstream truncates here, and rounds in JSON.
    fn annotation(out: &mut Vec<u8>, time_unix_nano: u64, value: &[u8]) {
        wire::put_message(out, ANNOTATIONS, |out| {
            wire::put_fixed64(out, 1, time_unix_nano / 1000);
            wire::put_len(out, 2, value);
        });
    }

    fn close_annotations(_out: &mut Vec<u8>, _opened: usize) {}
}

/// Bytes that a length-delimited field with a number below 16 takes.
fn len_field_len(bytes: &[u8]) -> usize {
    1 + wire::varint_len(bytes.len() as u64) + bytes.len()
}
