//! Zipkin's protobuf form, as openzipkin/zipkin-api `zipkin.proto` defines it.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use prost::Message;

use crate::zipkin::model::{Annotation, Endpoint, Span};

#[derive(Clone, PartialEq, Message)]
struct ListOfSpans {
    #[prost(message, repeated, tag = "1")]
    spans: Vec<ProtoSpan>,
}

#[derive(Clone, PartialEq, Message)]
struct ProtoSpan {
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
    local_endpoint: Option<ProtoEndpoint>,
    #[prost(message, optional, tag = "9")]
    remote_endpoint: Option<ProtoEndpoint>,
    #[prost(message, repeated, tag = "10")]
    annotations: Vec<ProtoAnnotation>,
    #[prost(map = "string, string", tag = "11")]
    tags: HashMap<String, String>,
    #[prost(bool, tag = "12")]
    debug: bool,
    #[prost(bool, tag = "13")]
    shared: bool,
}

#[derive(Clone, PartialEq, Message)]
struct ProtoEndpoint {
    #[prost(string, tag = "1")]
    service_name: String,
    #[prost(bytes = "vec", tag = "2")]
    ipv4: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    ipv6: Vec<u8>,
    #[prost(int32, tag = "4")]
    port: i32,
}

#[derive(Clone, PartialEq, Message)]
struct ProtoAnnotation {
    #[prost(fixed64, tag = "1")]
    timestamp: u64,
    #[prost(string, tag = "2")]
    value: String,
}

/// Reads a `ListOfSpans`. Default values are absent fields, as the document says.
pub(super) fn spans(body: &[u8]) -> Result<Vec<Span>, String> {
    let list = ListOfSpans::decode(body).map_err(|error| format!("Zipkin protobuf: {error}"))?;
    list.spans.into_iter().map(ProtoSpan::plain).collect()
}

impl ProtoSpan {
    fn plain(self) -> Result<Span, String> {
        let kind = match self.kind {
            0 => None,
            1 => Some("CLIENT"),
            2 => Some("SERVER"),
            3 => Some("PRODUCER"),
            4 => Some("CONSUMER"),
            other => return Err(format!("kind {other}")),
        };
        Ok(Span {
            trace_id: hex(&self.trace_id),
            id: hex(&self.id),
            // Eight zeros stand for none in the bytes that openzipkin/zipkin-go writes.
            parent_id: self.parent_id.iter().any(|byte| *byte != 0).then(|| hex(&self.parent_id)),
            name: Some(self.name).filter(|name| !name.is_empty()),
            kind: kind.map(str::to_owned),
            timestamp: Some(self.timestamp).filter(|time| *time != 0),
            duration: Some(self.duration).filter(|time| *time != 0),
            local_endpoint: self.local_endpoint.map(ProtoEndpoint::plain).transpose()?,
            remote_endpoint: self.remote_endpoint.map(ProtoEndpoint::plain).transpose()?,
            annotations: self.annotations.into_iter().map(ProtoAnnotation::plain).collect(),
            tags: self.tags.into_iter().collect(),
            debug: self.debug.then_some(true),
            shared: self.shared.then_some(true),
        })
    }
}

impl ProtoEndpoint {
    fn plain(self) -> Result<Endpoint, String> {
        let ipv4 = match self.ipv4.as_slice() {
            [] => None,
            // A mapped address: openzipkin/zipkin-go writes what its language keeps.
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d] | [a, b, c, d] => {
                Some(Ipv4Addr::new(*a, *b, *c, *d).to_string())
            }
            other => return Err(format!("an ipv4 of {} bytes", other.len())),
        };
        let ipv6 = match <[u8; 16]>::try_from(self.ipv6.as_slice()) {
            Ok(bytes) => Some(Ipv6Addr::from(bytes).to_string()),
            Err(_) if self.ipv6.is_empty() => None,
            Err(_) => return Err(format!("an ipv6 of {} bytes", self.ipv6.len())),
        };
        let port = u16::try_from(self.port).map_err(|_| format!("port {}", self.port))?;
        Ok(Endpoint {
            service_name: Some(self.service_name).filter(|name| !name.is_empty()),
            ipv4,
            ipv6,
            port: Some(port).filter(|port| *port != 0),
        })
    }
}

impl ProtoAnnotation {
    fn plain(self) -> Annotation {
        Annotation { timestamp: self.timestamp, value: self.value }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
