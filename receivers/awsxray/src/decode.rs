//! X-Ray datagrams to OTLP payloads. Pure: no clock, no network.
//!
//! The mapping is that of open-telemetry/opentelemetry-collector-contrib `receiver/awsxrayreceiver/internal/translator` (0.161, default
//! gates) with the losses that this component's README lists mended. What a segment says and OTLP has no attribute for travels as JSON in
//! the attribute `aws.xray.document`, which our `awsxray` exporter puts back into the document it writes.
//!
//! A document is taken whole or not at all.

mod annotations;
mod attributes;
mod aws;
mod cause;
mod datagram;
mod http;
mod members;
mod place;
mod resource;
mod segment;
mod span;
mod sql;

use bytes::Bytes;
use pdata::{Decoded, Payload, Signal};

use datagram::Content;
use segment::Segment;

/// The deepest nesting of subsegments that is followed. X-Ray's SDKs send subsegments on their own long before.
const DEPTH_MAX: usize = 64;

/// Why a datagram is not taken. Says what is expected, never what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No line break, so no header.
    #[error("the datagram has no header line; X-Ray's is {{\"format\": \"json\", \"version\": 1}}")]
    NoHeader,
    /// The header is another one.
    #[error("the header is not X-Ray's {{\"format\": \"json\", \"version\": 1}}")]
    Header,
    /// There is nothing behind the header.
    #[error("there is no segment document behind the header")]
    Empty,
    /// The document is not JSON.
    #[error("the segment document is not JSON: byte {offset}")]
    Syntax {
        /// Counted from the start of the document, from one.
        offset: usize,
    },
    /// The document is JSON and no object.
    #[error("the segment document is not a JSON object")]
    NotAnObject,
    /// A member that every segment has is missing or no such thing.
    #[error("{member} of a segment must be {expected}")]
    Member {
        /// Its name.
        member: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// Subsegments in subsegments in subsegments.
    #[error("subsegments are nested more than {DEPTH_MAX} deep")]
    TooDeep,
    /// OTLP in the datagram that is not base64.
    #[error("the OTLP spans in the datagram are not base64")]
    Base64,
    /// The spans make no OTLP request.
    #[error(transparent)]
    Otlp(#[from] pdata::DecodeError),
}

/// Reads a datagram: a header line and a segment document, or OTLP spans as the AWS distributions of OpenTelemetry send them.
///
/// # Errors
/// When it cannot be read; nothing of it is taken then.
pub fn decode(datagram: &[u8]) -> Result<Decoded, DecodeError> {
    match datagram::content(datagram)? {
        Content::Otlp(request) => Ok(Payload::decode(Signal::Traces, Bytes::from(request))?),
        Content::Document(document) => {
            // What is not UTF-8 is repaired, as elsewhere.
            let text = String::from_utf8_lossy(document);
            let is_repaired = matches!(text, std::borrow::Cow::Owned(_));
            let mut decoded = decode_document(&text)?;
            decoded.repaired_strings += usize::from(is_repaired);
            Ok(decoded)
        }
    }
}

fn decode_document(text: &str) -> Result<Decoded, DecodeError> {
    let segment = Segment::parse(text)?;
    let request = resource::request(segment);
    Ok(Payload::decode(Signal::Traces, Bytes::from(request))?)
}

#[cfg(test)]
mod tests;
