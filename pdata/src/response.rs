//! The answers to an export request: what of it was taken ([`PartialSuccess`]), or why nothing was ([`RpcStatus`]).
//!
//! `ExportTraceServiceResponse`, `ExportMetricsServiceResponse` and `ExportLogsServiceResponse` are alike on the wire (opentelemetry-proto
//! `opentelemetry/proto/collector/*/v1/*_service.proto`): field 1 is the partial success, whose field 1 is the number of rejected
//! items and field 2 a message.

mod code;
mod status;

pub use code::GrpcCode;
pub use status::RpcStatus;

use crate::Signal;
use crate::json;
use crate::schema::{Kind, Message, one};
use crate::validate::validate;
use crate::wire::{FieldValue, Reader, put_len, put_message, put_uint};

/// The three responses in one: by number they are the same, by name each count has its own.
static RESPONSE: Message = Message::new(
    "ExportServiceResponse",
    &[one(1, "partial_success", "partialSuccess", Kind::Message(&PARTIAL_SUCCESS))],
);

static PARTIAL_SUCCESS: Message = Message::new(
    "ExportPartialSuccess",
    &[
        one(1, "rejected_spans", "rejectedSpans", Kind::Int64),
        one(1, "rejected_data_points", "rejectedDataPoints", Kind::Int64),
        one(1, "rejected_log_records", "rejectedLogRecords", Kind::Int64),
        one(2, "error_message", "errorMessage", Kind::String),
    ],
);

/// What the receiver of a request did not take of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartialSuccess {
    /// Items rejected; zero when the message is all there is.
    pub rejected: u64,
    /// For a person.
    pub message: String,
}

/// Bytes that are no export response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is no OTLP export response")]
pub struct NotAResponse;

impl PartialSuccess {
    /// Reads a response in protobuf. Everything was taken when nothing is rejected and there is no message.
    ///
    /// # Errors
    /// When the bytes are not protobuf of a response.
    pub fn from_protobuf(response: &[u8]) -> Result<Self, NotAResponse> {
        validate(&RESPONSE, response).map_err(|_| NotAResponse)?;
        let mut this = Self::default();
        let partial = Reader::new(response).filter_map(|field| match field.value {
            FieldValue::Len(body) if field.number == 1 => Some(body),
            _ => None,
        });
        for field in partial.flat_map(Reader::new) {
            match (field.number, field.value) {
                // Negative counts make no sense.
                (1, FieldValue::Varint(count)) => {
                    this.rejected = u64::try_from(count as i64).unwrap_or_default();
                }
                (2, FieldValue::Len(text)) => {
                    this.message = String::from_utf8_lossy(text).into_owned();
                }
                _ => {}
            }
        }
        Ok(this)
    }

    /// Reads a response in JSON, by any of the names of the three signals' counts.
    ///
    /// # Errors
    /// When the text is not JSON of a response.
    pub fn from_json(response: &[u8]) -> Result<Self, NotAResponse> {
        let response = json::decode(&RESPONSE, response).map_err(|_| NotAResponse)?;
        Self::from_protobuf(&response)
    }

    /// The response in protobuf, the same for every signal: nothing when everything was taken.
    pub fn to_protobuf(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.is_full() {
            put_message(&mut out, 1, |partial| {
                put_uint(partial, 1, self.count() as u64);
                put_len(partial, 2, self.message.as_bytes());
            });
        }
        out
    }

    /// The response in JSON, with the signal's own name for the count. As the Collector's, it has a partial success even when everything was
    /// taken.
    pub fn to_json(&self, signal: Signal) -> Vec<u8> {
        let mut out = b"{\"partialSuccess\":{".to_vec();
        if !self.is_full() {
            let name = match signal {
                Signal::Traces => "rejectedSpans",
                Signal::Metrics => "rejectedDataPoints",
                Signal::Logs => "rejectedLogRecords",
            };
            let count = format!("\"{name}\":\"{}\",\"errorMessage\":", self.count());
            out.extend_from_slice(count.as_bytes());
            json::put_text(self.message.as_bytes(), &mut out);
        }
        out.extend_from_slice(b"}}");
        out
    }

    fn count(&self) -> i64 {
        i64::try_from(self.rejected).unwrap_or(i64::MAX)
    }

    /// Whether everything was taken, without a word.
    pub fn is_full(&self) -> bool {
        self.rejected == 0 && self.message.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{put_len, put_message, put_uint};

    #[test]
    fn response_without_a_word_means_that_all_was_taken() {
        assert!(PartialSuccess::from_protobuf(&[]).unwrap().is_full());
        assert!(PartialSuccess::from_json(b"{}").unwrap().is_full());
        assert!(PartialSuccess::from_json(b"{\"partialSuccess\":{}}").unwrap().is_full());
    }

    #[test]
    fn count_and_message_are_read_in_both_encodings() {
        let mut response = Vec::new();
        put_message(&mut response, 1, |partial| {
            put_uint(partial, 1, 3);
            put_len(partial, 2, b"too old");
        });
        let expected = PartialSuccess { rejected: 3, message: "too old".into() };
        assert_eq!(PartialSuccess::from_protobuf(&response), Ok(expected.clone()));
        // What protobuf merges: a message in two parts.
        let mut parts = Vec::new();
        put_message(&mut parts, 1, |partial| put_uint(partial, 1, 3));
        put_message(&mut parts, 1, |partial| put_len(partial, 2, b"too old"));
        assert_eq!(PartialSuccess::from_protobuf(&parts), Ok(expected.clone()));
        assert_eq!(expected.to_protobuf(), response);
        for json in [
            r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}"#,
            r#"{"partial_success":{"rejected_log_records":3,"error_message":"too old"}}"#,
        ] {
            assert_eq!(PartialSuccess::from_json(json.as_bytes()), Ok(expected.clone()));
        }
    }

    #[test]
    fn anything_else_is_no_response() {
        assert_eq!(PartialSuccess::from_protobuf(b"<html>"), Err(NotAResponse));
        assert_eq!(PartialSuccess::from_json(b"<html>"), Err(NotAResponse));
        assert_eq!(PartialSuccess::from_json(b"[]"), Err(NotAResponse));
        let wrong_type = b"{\"partialSuccess\":{\"rejectedSpans\":\"many\"}}";
        assert_eq!(PartialSuccess::from_json(wrong_type), Err(NotAResponse));
    }

    #[test]
    fn response_that_is_written_is_read_again() {
        let json = |partial: &PartialSuccess| {
            Signal::ALL.map(|signal| String::from_utf8(partial.to_json(signal)).unwrap())
        };
        let full = PartialSuccess::default();
        assert_eq!(json(&full), [r#"{"partialSuccess":{}}"#; 3]);
        assert_eq!(full.to_protobuf(), b"");
        let most = PartialSuccess { rejected: u64::MAX, message: String::new() };
        let most = PartialSuccess::from_protobuf(&most.to_protobuf()).unwrap();
        assert_eq!(most.rejected, i64::MAX as u64);
        let partial = PartialSuccess { rejected: 3, message: "\"old\"".into() };
        let expected = ["rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"].map(|name| {
            format!(r#"{{"partialSuccess":{{"{name}":"3","errorMessage":"\"old\""}}}}"#)
        });
        assert_eq!(json(&partial), expected);
        for text in expected {
            assert_eq!(PartialSuccess::from_json(text.as_bytes()), Ok(partial.clone()));
        }
    }

    #[test]
    fn groups_without_end_are_no_response_however_many() {
        assert_eq!(PartialSuccess::from_protobuf(&[0x4b; 1 << 20]), Err(NotAResponse));
    }

    #[test]
    fn nonsense_count_is_zero() {
        let mut response = Vec::new();
        put_message(&mut response, 1, |partial| put_uint(partial, 1, u64::MAX));
        assert_eq!(PartialSuccess::from_protobuf(&response).unwrap().rejected, 0);
    }
}
