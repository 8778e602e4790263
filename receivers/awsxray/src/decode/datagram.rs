//! What is in a datagram: a header line, and behind it a document.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::DecodeError;
use super::members::Members;

/// What stands behind the header.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content<'d> {
    /// A segment document.
    Document(&'d [u8]),
    /// An OTLP export request.
    Otlp(Vec<u8>),
}

/// What OTLP spans begin with, sampled ones and others, as the AWS distributions of OpenTelemetry for Lambda send them
/// (aws-observability/aws-otel-python-instrumentation `otlp_udp_exporter.py`).
const OTLP_PREFIXES: [&[u8]; 2] = [b"T1S", b"T1U"];

/// Takes a datagram apart (aws/aws-xray-daemon `cmd/tracing/daemon.go`).
pub(super) fn content(datagram: &[u8]) -> Result<Content<'_>, DecodeError> {
    let line = datagram.iter().position(|byte| *byte == b'\n').ok_or(DecodeError::NoHeader)?;
    let (header, body) = datagram.split_at(line);
    check_header(header)?;
    let body = body.trim_ascii();
    if body.is_empty() {
        return Err(DecodeError::Empty);
    }
    match OTLP_PREFIXES.iter().find_map(|prefix| body.strip_prefix(*prefix)) {
        Some(spans) => STANDARD.decode(spans).map(Content::Otlp).map_err(|_| DecodeError::Base64),
        None => Ok(Content::Document(body)),
    }
}

/// `{"format": "json", "version": 1}`, the word in any case.
fn check_header(header: &[u8]) -> Result<(), DecodeError> {
    let text = std::str::from_utf8(header).map_err(|_| DecodeError::Header)?;
    let mut members: Members<'_> = serde_json::from_str(text).map_err(|_| DecodeError::Header)?;
    let is_json = members.text("format").is_some_and(|text| text.eq_ignore_ascii_case("json"));
    let is_known = members.int("version") == Some(1);
    if is_json && is_known { Ok(()) } else { Err(DecodeError::Header) }
}
