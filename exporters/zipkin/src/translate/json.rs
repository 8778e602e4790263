//! Zipkin v2 JSON (openzipkin/zipkin-api `zipkin2-api.yaml`).

use std::io::Write as _;
use std::net::IpAddr;

use pdata::text::{put_escaped, put_hex, put_lower_case, put_text, put_uint};
use pdata::view::{AnyValue, SpanKind};

use super::form::{Endpoint, Form, Head, Side, rounded_micros};

pub(super) struct Json;

impl Form for Json {
    const GROWTH: usize = 4;
    const CLOSING_LEN: usize = 1;

    fn open_body(out: &mut Vec<u8>) {
        out.push(b'[');
    }

    fn close_body(out: &mut Vec<u8>) {
        out.push(b']');
    }

    fn open_span(out: &mut Vec<u8>) -> usize {
        if out.last() != Some(&b'[') {
            out.push(b',');
        }
        out.len()
    }

    fn close_span(out: &mut Vec<u8>, _opened: usize) {
        out.push(b'}');
    }

    #[inline]
    fn head(out: &mut Vec<u8>, head: &Head<'_>) {
        out.extend_from_slice(b"{\"traceId\":\"");
        let (high, low) = halves(head.trace_id);
        if high != [0; 8] {
            put_hex(out, &high);
        }
        put_hex(out, &low);
        out.extend_from_slice(b"\",\"id\":\"");
        put_hex(out, head.span_id);
        if let Some(parent_id) = head.parent_id {
            out.extend_from_slice(b"\",\"parentId\":\"");
            put_hex(out, parent_id);
        }
        if !head.name.is_empty() {
            out.extend_from_slice(b"\",\"name\":\"");
            put_lower_case(out, head.name);
        }
        let kind: &[u8] = match head.kind {
            SpanKind::Client => b"\",\"kind\":\"CLIENT\"",
            SpanKind::Server => b"\",\"kind\":\"SERVER\"",
            SpanKind::Producer => b"\",\"kind\":\"PRODUCER\"",
            SpanKind::Consumer => b"\",\"kind\":\"CONSUMER\"",
            SpanKind::Internal | SpanKind::Unspecified => b"\"",
        };
        out.extend_from_slice(kind);
        if let Some(start) = head.start {
            out.extend_from_slice(b",\"timestamp\":");
            put_uint(out, rounded_micros(start));
        }
        if let Some(duration) = head.duration {
            out.extend_from_slice(b",\"duration\":");
            put_uint(out, rounded_micros(duration).max(1));
        }
    }

    fn open_tags(out: &mut Vec<u8>) -> usize {
        let opened = out.len();
        out.extend_from_slice(b",\"tags\":{");
        opened
    }

    /// Every tag ends in a comma.
    fn close_tags(out: &mut Vec<u8>, opened: usize) {
        match out.last_mut() {
            Some(comma @ b',') => *comma = b'}',
            _ => out.truncate(opened),
        }
    }

    #[inline]
    fn tag(out: &mut Vec<u8>, key: &[u8], value: &AnyValue<'_>, scratch: &mut Vec<u8>) {
        out.push(b'"');
        put_escaped(out, key);
        out.extend_from_slice(b"\":\"");
        match value {
            AnyValue::Str(text) => put_escaped(out, text.as_bytes()),
            AnyValue::Array(_) | AnyValue::KeyValueList(_) => {
                scratch.clear();
                put_text(scratch, value);
                put_escaped(out, scratch);
            }
            // The text of any other has nothing to escape.
            plain => put_text(out, plain),
        }
        out.extend_from_slice(b"\",");
    }

    fn endpoint(out: &mut Vec<u8>, side: Side, endpoint: &Endpoint<'_>) {
        out.extend_from_slice(match side {
            Side::Local => b",\"localEndpoint\":{",
            Side::Remote => b",\"remoteEndpoint\":{",
        });
        if !endpoint.service_name.is_empty() {
            out.extend_from_slice(b"\"serviceName\":\"");
            put_lower_case(out, endpoint.service_name);
            out.extend_from_slice(b"\",");
        }
        // Writing to a Vec does not fail.
        let _written = match endpoint.ip {
            Some(IpAddr::V4(ip)) => write!(out, "\"ipv4\":\"{ip}\","),
            Some(IpAddr::V6(ip)) => write!(out, "\"ipv6\":\"{ip}\","),
            None => Ok(()),
        };
        if let Some(port) = endpoint.port {
            out.extend_from_slice(b"\"port\":");
            put_uint(out, u64::from(port));
            out.push(b',');
        }
        if let Some(comma @ b',') = out.last_mut() {
            *comma = b'}';
        }
    }

    fn open_annotations(out: &mut Vec<u8>) -> usize {
        let opened = out.len();
        out.extend_from_slice(b",\"annotations\":[");
        opened
    }

    fn annotation(out: &mut Vec<u8>, time_unix_nano: u64, value: &[u8]) {
        out.extend_from_slice(b"{\"timestamp\":");
        put_uint(out, rounded_micros(time_unix_nano));
        out.extend_from_slice(b",\"value\":\"");
        put_escaped(out, value);
        out.extend_from_slice(b"\"},");
    }

    fn close_annotations(out: &mut Vec<u8>, opened: usize) {
        match out.last_mut() {
            Some(comma @ b',') => *comma = b']',
            _ => out.truncate(opened),
        }
    }
}

fn halves(id: &[u8; 16]) -> ([u8; 8], [u8; 8]) {
    let id = u128::from_be_bytes(*id);
    (((id >> 64) as u64).to_be_bytes(), (id as u64).to_be_bytes())
}
