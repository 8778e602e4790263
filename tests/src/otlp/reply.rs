//! The answers of an OTLP backend.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;

use crate::otlp::Transport;
use crate::otlp::status::Status;
use crate::server::{Reply, full};

/// Success, with so many items turned away. The three signals' responses have the same fields.
pub(super) fn success(transport: Transport, rejected: i64) -> Reply {
    let partial_success = (rejected > 0).then(|| ExportTracePartialSuccess {
        rejected_spans: rejected,
        error_message: "scripted: some were turned away".to_owned(),
    });
    let response = ExportTraceServiceResponse { partial_success };
    match transport {
        Transport::Grpc => grpc(Some(&response.encode_to_vec()), 0, "", None),
        Transport::HttpProtobuf => {
            typed(StatusCode::OK, "application/x-protobuf", response.encode_to_vec())
        }
        Transport::HttpJson => {
            let text = serde_json::to_vec(&response).unwrap_or_default();
            typed(StatusCode::OK, "application/json", text)
        }
    }
}

/// An HTTP status with a body of the request's kind.
pub(super) fn http_status(transport: Transport, code: u16, retry_after: Option<&str>) -> Reply {
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let message = "scripted: no";
    let mut reply = match transport {
        Transport::HttpJson => {
            let text = serde_json::json!({ "message": message }).to_string();
            typed(code, "application/json", text.into_bytes())
        }
        Transport::HttpProtobuf => {
            let status = Status::new(2, message, None);
            typed(code, "application/x-protobuf", status.encode_to_vec())
        }
        Transport::Grpc => typed(code, "text/html", b"<html>scripted: no</html>".to_vec()),
    };
    if let Some(value) = retry_after.and_then(|text| HeaderValue::from_str(text).ok()) {
        reply.headers_mut().insert("retry-after", value);
    }
    reply
}

/// A gRPC status without a message, with `RetryInfo` when there is a delay.
pub(super) fn grpc_status(code: u32, retry_delay: Option<Duration>) -> Reply {
    grpc(None, code, "scripted: no", retry_delay)
}

fn grpc(message: Option<&[u8]>, code: u32, text: &str, retry_delay: Option<Duration>) -> Reply {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(code));
    if let Ok(text) = HeaderValue::from_str(text) {
        trailers.insert("grpc-message", text);
    }
    if retry_delay.is_some() {
        let details = Status::new(code, text, retry_delay).encode_to_vec();
        let details = HeaderValue::from_str(&STANDARD_NO_PAD.encode(details));
        trailers.extend(details.ok().map(|value| {
            (hyper::header::HeaderName::from_static("grpc-status-details-bin"), value)
        }));
    }
    let Some(message) = message else {
        // A response of trailers only has them in its head.
        let mut reply = Response::new(full(Bytes::new()));
        *reply.headers_mut() = trailers;
        reply.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        return reply;
    };
    let length = u32::try_from(message.len()).unwrap_or_default().to_be_bytes();
    let body = [[0].as_slice(), &length, message].concat();
    let trailers = std::future::ready(Some(Ok(trailers)));
    let mut reply = Response::new(Full::new(Bytes::from(body)).with_trailers(trailers).boxed());
    reply.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    reply
}

fn typed(code: StatusCode, content_type: &'static str, body: Vec<u8>) -> Reply {
    let mut reply = Response::new(full(body));
    *reply.status_mut() = code;
    reply.headers_mut().insert("content-type", HeaderValue::from_static(content_type));
    reply
}
