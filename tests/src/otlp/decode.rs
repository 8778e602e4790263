//! The checks of an OTLP request, from its head to its last byte.

use hyper::http::request::Parts;
use hyper::{Method, Version};
use prost::Message;
use serde::de::DeserializeOwned;

use crate::encoding;
use crate::otlp::{OtlpRequest, Payload, Transport};

/// The signal's part of a path, as HTTP and as gRPC spell it.
const PATHS: [(&str, &str, Signal); 3] = [
    ("/v1/traces", "/opentelemetry.proto.collector.trace.v1.TraceService/Export", Signal::Traces),
    (
        "/v1/metrics",
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Metrics,
    ),
    ("/v1/logs", "/opentelemetry.proto.collector.logs.v1.LogsService/Export", Signal::Logs),
];

#[derive(Clone, Copy, Debug)]
enum Signal {
    Traces,
    Metrics,
    Logs,
}

/// How a request came, by its content type.
pub(super) fn transport(head: &Parts) -> Result<Transport, String> {
    match header(head, "content-type") {
        Some("application/grpc" | "application/grpc+proto") => Ok(Transport::Grpc),
        Some("application/x-protobuf") => Ok(Transport::HttpProtobuf),
        Some("application/json") => Ok(Transport::HttpJson),
        other => Err(format!("content type {other:?}")),
    }
}

/// The whole request, or the first rule that it breaks.
pub(super) fn request(
    transport: Transport,
    head: &Parts,
    body: &[u8],
) -> Result<OtlpRequest, String> {
    if head.method != Method::POST {
        return Err("another method than POST".to_owned());
    }
    let grpc = transport == Transport::Grpc;
    let path = head.uri.path();
    let signal = PATHS.iter().find(|(http, rpc, _)| path == if grpc { *rpc } else { *http });
    let (_, _, signal) = signal.ok_or("no such path for this content type")?;
    if header(head, "user-agent").is_none_or(str::is_empty) {
        return Err("no user agent".to_owned());
    }
    let plain = if grpc {
        grpc_head(head)?;
        grpc_message(head, body)?
    } else {
        encoding::undo(header(head, "content-encoding").unwrap_or_default(), body)?
    };
    let json = transport == Transport::HttpJson;
    let payload = match signal {
        Signal::Traces => Payload::Traces(message(json, &plain)?),
        Signal::Metrics => Payload::Metrics(message(json, &plain)?),
        Signal::Logs => Payload::Logs(message(json, &plain)?),
    };
    check_content(&payload)?;
    Ok(OtlpRequest {
        transport,
        headers: headers(head),
        wire_bytes: body.len(),
        plain_bytes: plain.len(),
        payload,
    })
}

fn grpc_head(head: &Parts) -> Result<(), String> {
    if head.version != Version::HTTP_2 {
        return Err("gRPC over another protocol than HTTP/2".to_owned());
    }
    if header(head, "te") != Some("trailers") {
        return Err("gRPC without `te: trailers`".to_owned());
    }
    let Some(timeout) = header(head, "grpc-timeout") else { return Ok(()) };
    // Up to eight digits and a unit.
    let (digits, unit) =
        timeout.split_at_checked(timeout.len().saturating_sub(1)).unwrap_or_default();
    let number = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if number && ["H", "M", "S", "m", "u", "n"].contains(&unit) {
        return Ok(());
    }
    Err(format!("grpc-timeout {timeout:?}"))
}

/// The one message of a unary call.
fn grpc_message(head: &Parts, body: &[u8]) -> Result<Vec<u8>, String> {
    let (prefix, message) = body.split_first_chunk::<5>().ok_or("a gRPC body without a prefix")?;
    let [compressed, length @ ..] = *prefix;
    if u32::from_be_bytes(length) as usize != message.len() {
        return Err(format!("a gRPC length of {length:?} before {} bytes", message.len()));
    }
    match (compressed, header(head, "grpc-encoding")) {
        (0, _) => Ok(message.to_vec()),
        (1, Some(name)) if name != "identity" => encoding::undo(encoding::of_grpc(name), message),
        (flag, name) => Err(format!("compression flag {flag} with grpc-encoding {name:?}")),
    }
}

fn message<M: Message + Default + DeserializeOwned>(json: bool, plain: &[u8]) -> Result<M, String> {
    if json {
        return serde_json::from_slice(plain).map_err(|error| format!("OTLP/JSON: {error}"));
    }
    M::decode(plain).map_err(|error| format!("OTLP protobuf: {error}"))
}

/// An exporter has no reason to send nothing, and ids that are there have one length.
fn check_content(payload: &Payload) -> Result<(), String> {
    let empty = match payload {
        Payload::Traces(traces) => {
            // What the Collector's own decoder takes: no id, or one of the right length.
            let wrong = |id: &[u8], length| !id.is_empty() && id.len() != length;
            let mut spans = crate::spans::of(traces);
            if let Some(span) = spans.find(|s| wrong(&s.trace_id, 16) || wrong(&s.span_id, 8)) {
                return Err(format!("ids {:?} and {:?}", span.trace_id, span.span_id));
            }
            crate::spans::of(traces).next().is_none()
        }
        Payload::Metrics(metrics) => {
            let scopes = metrics.resource_metrics.iter().flat_map(|r| &r.scope_metrics);
            scopes.flat_map(|scope| &scope.metrics).next().is_none()
        }
        Payload::Logs(logs) => {
            let scopes = logs.resource_logs.iter().flat_map(|r| &r.scope_logs);
            scopes.flat_map(|scope| &scope.log_records).next().is_none()
        }
    };
    if empty { Err("a request without a single item".to_owned()) } else { Ok(()) }
}

pub(crate) fn header<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name).and_then(|value| value.to_str().ok())
}

pub(crate) fn headers(head: &Parts) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    head.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect()
}
