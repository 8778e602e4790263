//! OTLP/JSON, both ways, straight between its text and the payload's bytes.
//!
//! Source: the OTLP specification, "JSON Protobuf Encoding", which is protobuf's JSON mapping with hex ids, numbers for enums and unknown fields
//! ignored. Reading takes all that the mapping and the Collector take: field names in lowerCamelCase and snake_case, enums as numbers or
//! names, numbers as numbers or strings, `NaN`, `Infinity` and `-Infinity`, ids in either case, base64 of either alphabet with or without
//! padding. `null` is a field that is not there, in a list an element of default value. A field given twice is what protobuf makes of it: the last scalar, merged messages, lists one
//! behind the other. Text that is not UTF-8, lone surrogates too, is repaired and counted as in protobuf.
//!
//! Writing gives 64-bit integers as strings, enums as numbers, ids in lower-case hex, and leaves out what has its default value.

mod decode;
mod encode;

pub(crate) use encode::put_text;

use std::fmt;

use bytes::Bytes;

use crate::payload::{Decoded, Payload, Signal};
use crate::schema::Message;

impl Payload {
    /// Takes a received export request in JSON: checks it, counts its items, repairs its text.
    ///
    /// # Errors
    /// When it is not JSON, or not of the signal's schema; the error says where. Fields of other names are no error.
    pub fn from_json(signal: Signal, json: &[u8]) -> Result<Decoded, JsonError> {
        let request = decode(signal.request_schema(), json)?;
        // The decoder keeps to the schema and to the depth; were it wrong about the depth, this would say so.
        Payload::decode(signal, Bytes::from(request)).map_err(|_| JsonError {
            line: 0,
            column: 0,
            path: String::new(),
            fault: JsonFault::Depth,
        })
    }

    /// Appends the payload as a JSON export request.
    pub fn to_json(&self, out: &mut Vec<u8>) {
        out.reserve(2 * self.encoded_len());
        encode::request(self.signal().request_schema(), self.chunks(), out);
    }
}

/// The protobuf message that a JSON text stands for. Its text may not be UTF-8.
pub(crate) fn decode(schema: &'static Message, json: &[u8]) -> Result<Vec<u8>, JsonError> {
    decode::message(schema, json)
}

/// Why a text is not OTLP/JSON. It holds nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed OTLP/JSON at line {line}, column {column}{}: {fault}", InPath(path))]
pub struct JsonError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in bytes, counted from 1; of the last byte that was read.
    pub column: usize,
    /// The field, from the top: `resourceSpans[0].scopeSpans[2].schemaUrl`. Its first 20 steps.
    pub path: String,
    /// What is wrong there.
    pub fault: JsonFault,
}

/// What is wrong with a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// The text breaks the rules of JSON.
    #[error("this is not JSON")]
    Syntax,
    /// The text ends too early.
    #[error("the text is cut off")]
    Truncated,
    /// A message is not an object.
    #[error("an object is expected")]
    Object,
    /// A repeated field is not a list.
    #[error("a list is expected")]
    List,
    /// A string field is not a string.
    #[error("a string is expected")]
    Text,
    /// A boolean field is neither `true` nor `false`.
    #[error("true or false is expected, without quotes")]
    Bool,
    /// An integer field is not an integer, or not one of its type.
    #[error("an integer from {min} to {max} is expected, as a number or a string")]
    Integer {
        /// The smallest that the field can have.
        min: i128,
        /// The largest that the field can have.
        max: i128,
    },
    /// A double field is not a number.
    #[error("a number is expected, or one of \"NaN\", \"Infinity\" and \"-Infinity\"")]
    Double,
    /// An enum field is neither a number nor a name that the enum has.
    #[error("the number or the name of an enum value is expected")]
    Enum,
    /// An id is not a string of hex digits.
    #[error("an id in hex digits is expected (not base64)")]
    Hex,
    /// A bytes field is not base64.
    #[error("a base64 string is expected")]
    Base64,
    /// Messages nest too deep.
    #[error("messages are nested deeper than {}", crate::validate::DEPTH_MAX)]
    Depth,
}

/// Where in an error's message the field stands, if it is known.
struct InPath<'a>(&'a str);

impl fmt::Display for InPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ", in {}", self.0) }
    }
}

#[cfg(test)]
mod tests;
