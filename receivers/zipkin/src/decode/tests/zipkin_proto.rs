//! Zipkin JSON spans as protobuf, written by prost after openzipkin/zipkin-api `zipkin.proto`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use prost::Message as _;
use serde_json::Value;

#[derive(Clone, PartialEq, prost::Message)]
struct ListOfSpans {
    #[prost(message, repeated, tag = "1")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    parent_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    id: Vec<u8>,
    #[prost(int32, tag = "4")]
    kind: i32,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(fixed64, tag = "6")]
    timestamp: u64,
    #[prost(uint64, tag = "7")]
    duration: u64,
    #[prost(message, optional, tag = "8")]
    local_endpoint: Option<Endpoint>,
    #[prost(message, optional, tag = "9")]
    remote_endpoint: Option<Endpoint>,
    #[prost(message, repeated, tag = "10")]
    annotations: Vec<Annotation>,
    #[prost(btree_map = "string, string", tag = "11")]
    tags: BTreeMap<String, String>,
    #[prost(bool, tag = "12")]
    debug: bool,
    #[prost(bool, tag = "13")]
    shared: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Endpoint {
    #[prost(string, tag = "1")]
    service_name: String,
    #[prost(bytes = "vec", tag = "2")]
    ipv4: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    ipv6: Vec<u8>,
    #[prost(int32, tag = "4")]
    port: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Annotation {
    #[prost(fixed64, tag = "1")]
    timestamp: u64,
    #[prost(string, tag = "2")]
    value: String,
}

/// The spans of a JSON body, unless protobuf cannot say the same: fractions of microseconds, addresses that are none.
pub(super) fn encode(spans: &Value) -> Option<Vec<u8>> {
    let present = spans.as_array()?.iter().filter(|span| !span.is_null());
    let spans = present.map(span).collect::<Option<_>>()?;
    Some(ListOfSpans { spans }.encode_to_vec())
}

fn span(span: &Value) -> Option<Span> {
    let text = |key: &str| span[key].as_str().unwrap_or_default().to_owned();
    let trace_id = text("traceId");
    let trace_len = if trace_id.len() > 16 { 16 } else { 8 };
    let parent = text("parentId");
    let kinds = ["", "CLIENT", "SERVER", "PRODUCER", "CONSUMER"];
    let annotation = |note: &Value| {
        let value = note["value"].as_str().unwrap_or_default().to_owned();
        Some(Annotation { timestamp: micros(&note["timestamp"])?, value })
    };
    let annotations = span["annotations"].as_array().into_iter().flatten();
    let tags = span["tags"].as_object().into_iter().flatten();
    Some(Span {
        trace_id: hex(&trace_id, trace_len),
        parent_id: if parent.is_empty() { Vec::new() } else { hex(&parent, 8) },
        id: hex(&text("id"), 8),
        kind: kinds.iter().position(|kind| *kind == text("kind")).unwrap_or(9) as i32,
        name: text("name"),
        timestamp: micros(&span["timestamp"])?,
        duration: micros(&span["duration"])?,
        local_endpoint: endpoint(&span["localEndpoint"])?,
        remote_endpoint: endpoint(&span["remoteEndpoint"])?,
        annotations: annotations.map(annotation).collect::<Option<_>>()?,
        tags: tags
            .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect(),
        debug: span["debug"] == true,
        shared: span["shared"] == true,
    })
}

fn micros(value: &Value) -> Option<u64> {
    if value.is_null() { Some(0) } else { value.as_u64() }
}

fn endpoint(endpoint: &Value) -> Option<Option<Endpoint>> {
    if endpoint.is_null() {
        return Some(None);
    }
    let text = |key: &str| endpoint[key].as_str().unwrap_or_default();
    let (ipv4, ipv6) = (text("ipv4"), text("ipv6"));
    Some(Some(Endpoint {
        service_name: text("serviceName").to_owned(),
        ipv4: if ipv4.is_empty() {
            Vec::new()
        } else {
            ipv4.parse::<Ipv4Addr>().ok()?.octets().to_vec()
        },
        ipv6: if ipv6.is_empty() {
            Vec::new()
        } else {
            ipv6.parse::<Ipv6Addr>().ok()?.octets().to_vec()
        },
        port: i32::try_from(endpoint["port"].as_i64().unwrap_or_default()).ok()?,
    }))
}

fn hex(digits: &str, len: usize) -> Vec<u8> {
    let padded = format!("{digits:0>width$}", width = 2 * len);
    let pair = |at: usize| u8::from_str_radix(&padded[at..at + 2], 16).unwrap();
    (0..2 * len).step_by(2).map(pair).collect()
}
