//! Zipkin v2 bodies to OTLP payloads. Pure: no clock, no network.
//!
//! The mapping is that of open-telemetry/opentelemetry-collector-contrib `pkg/translator/zipkin/zipkinv2` (0.160, default
//! gates) with the losses that this component's README lists mended. Spans are read one at a time, written as OTLP at once and
//! put together by resource and scope at the end.
//!
//! A body is taken whole or not at all, as Zipkin's own server does.

mod attributes;
mod described;
mod groups;
mod json;
mod proto;
mod span;
mod tags;

use bytes::Bytes;
use pdata::{Decoded, Payload, Signal};

use groups::Groups;

/// An encoding of Zipkin v2 spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON array of spans.
    Json,
    /// `ListOfSpans` of openzipkin/zipkin-api `zipkin.proto`.
    Proto,
}

/// Why a body is not taken. Says where and what is expected, never what was found there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON.
    #[error("the body is not JSON: line {line}, column {column}")]
    Syntax {
        /// Counted from one.
        line: usize,
        /// Counted from one, in bytes.
        column: usize,
    },
    /// JSON, and not a list of Zipkin v2 spans.
    #[error(
        "the body is not a list of Zipkin v2 spans: line {line}, column {column} has a value of the wrong type"
    )]
    Type {
        /// Counted from one.
        line: usize,
        /// Counted from one, in bytes.
        column: usize,
    },
    /// The body is cut off, or empty.
    #[error("the body ends too early")]
    CutOff,
    /// Not a protobuf `ListOfSpans`.
    #[error("the body is not a protobuf list of Zipkin v2 spans: byte {offset}")]
    Protobuf {
        /// Counted from the start of the body.
        offset: usize,
    },
    /// A span says something impossible.
    #[error("span {index}: {fault}")]
    Span {
        /// The span's place in the list, counted from zero.
        index: usize,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The spans make no OTLP request.
    #[error(transparent)]
    Otlp(#[from] pdata::DecodeError),
}

/// What is wrong with a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The trace id is missing, zero, or not hex.
    #[error("traceId must be 1 to 32 hexadecimal digits (protobuf: 8 or 16 bytes), not all zero")]
    TraceId,
    /// The id is missing, zero, or not hex.
    #[error("id must be 1 to 16 hexadecimal digits (protobuf: 8 bytes), not all zero")]
    Id,
    /// The parent's id is not hex.
    #[error("parentId must be 1 to 16 hexadecimal digits (protobuf: 8 bytes)")]
    ParentId,
    /// A time or a duration does not fit 64 bits of nanoseconds.
    #[error("timestamps and durations are microseconds; these are out of range")]
    Time,
    /// An annotation without a time.
    #[error("an annotation must have a timestamp")]
    Annotation,
}

/// Reads a body. With `parse_string_tags`, tags that look like integers, decimals or booleans become such attributes.
///
/// # Errors
/// When the body cannot be read, or one of its spans cannot be; nothing is taken then.
pub fn decode(
    body: &[u8],
    format: Format,
    parse_string_tags: bool,
) -> Result<Decoded, DecodeError> {
    let mut groups = Groups::new(parse_string_tags);
    match format {
        Format::Json => json::read(body, &mut groups)?,
        Format::Proto => proto::read(body, &mut groups)?,
    }
    Ok(Payload::decode(Signal::Traces, Bytes::from(groups.into_request()))?)
}

#[cfg(test)]
mod tests;
