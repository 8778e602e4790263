//! OTLP/JSON, both ways, driven by the schema tables.
//!
//! Rules: protobuf's JSON mapping with OTLP's changes (open-telemetry/opentelemetry-proto `docs/specification.md`, "JSON Protobuf Encoding"):
//! trace and span ids are hex, enums are numbers. Accepted besides: names in snake_case, enum names, 64-bit integers as numbers, other
//! numbers as strings, base64 of either alphabet with or without padding, null for "not set". Unknown fields are ignored.

mod decode;
mod encode;
mod scalar;

use bytes::Bytes;

use crate::payload::{Decoded, Payload, Signal};
use crate::validate::DecodeError;

/// Why text is not an OTLP/JSON request.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, or a value that its field cannot have.
    #[error("malformed JSON{}: {source}", at(path))]
    Malformed {
        /// The field, such as `resourceSpans[0].scopeSpans[0].spans[3].kind`; empty at the top.
        path: String,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// Sound JSON whose content is no OTLP request, such as messages nested too deeply.
    #[error(transparent)]
    Content(#[from] DecodeError),
}

fn at(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" at {path}") }
}

impl Payload {
    /// Takes an export request in OTLP/JSON.
    ///
    /// # Errors
    /// When the text is not JSON, or a field has a value that its type does not allow. Nesting is bounded.
    pub fn from_json(signal: Signal, text: &[u8]) -> Result<Decoded, JsonError> {
        let request = decode::decode(signal.request_schema(), text)?;
        Ok(Self::decode(signal, Bytes::from(request))?)
    }

    /// Appends the export request in OTLP/JSON.
    pub fn to_json(&self, out: &mut Vec<u8>) {
        encode::encode(self.signal().request_schema(), self.chunks(), out);
    }
}

#[cfg(test)]
mod tests;
