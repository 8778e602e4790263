//! The answer to an export request: whether everything in it was taken.
//!
//! `ExportTraceServiceResponse`, `ExportMetricsServiceResponse` and `ExportLogsServiceResponse` are alike on the wire (opentelemetry-proto
//! `opentelemetry/proto/collector/*/v1/*_service.proto`): field 1 is the partial success, whose field 1 is the number of rejected
//! items and field 2 a message.

use crate::wire::{FieldValue, Reader};

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
    /// When the bytes are not protobuf.
    pub fn from_protobuf(response: &[u8]) -> Result<Self, NotAResponse> {
        let mut this = Self::default();
        for_each_field(response, |number, value| {
            let (1, FieldValue::Len(partial)) = (number, value) else { return Ok(()) };
            for_each_field(partial, |number, value| {
                match (number, value) {
                    (1, FieldValue::Varint(rejected)) => {
                        this.rejected = not_negative(rejected as i64)
                    }
                    (2, FieldValue::Len(text)) => {
                        this.message = String::from_utf8_lossy(text).into_owned();
                    }
                    _ => {}
                }
                Ok(())
            })
        })?;
        Ok(this)
    }

    /// Reads a response in JSON, by any of the names of the three signals' counts.
    ///
    /// # Errors
    /// When the text is not a JSON object.
    pub fn from_json(response: &[u8]) -> Result<Self, NotAResponse> {
        let response: serde_json::Value =
            serde_json::from_slice(response).map_err(|_no_json| NotAResponse)?;
        let response = response.as_object().ok_or(NotAResponse)?;
        let get = |object: &serde_json::Map<String, serde_json::Value>, names: &[&str]| {
            names.iter().find_map(|name| object.get(*name)).cloned()
        };
        let partial = get(response, &["partialSuccess", "partial_success"]);
        let Some(serde_json::Value::Object(partial)) = partial else { return Ok(Self::default()) };
        let counts = [
            "rejectedSpans",
            "rejectedDataPoints",
            "rejectedLogRecords",
            "rejected_spans",
            "rejected_data_points",
            "rejected_log_records",
        ];
        let rejected = match get(&partial, &counts) {
            Some(serde_json::Value::Number(count)) => count.as_i64().unwrap_or_default(),
            Some(serde_json::Value::String(count)) => count.parse().unwrap_or_default(),
            _ => 0,
        };
        let message = get(&partial, &["errorMessage", "error_message"]);
        let message = message.and_then(|m| m.as_str().map(str::to_owned)).unwrap_or_default();
        Ok(Self { rejected: not_negative(rejected), message })
    }

    /// Whether everything was taken, without a word.
    pub fn is_full(&self) -> bool {
        self.rejected == 0 && self.message.is_empty()
    }
}

fn not_negative(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// Reads fields to the end; an error when the bytes end inside one.
fn for_each_field<'a>(
    bytes: &'a [u8],
    mut read: impl FnMut(u32, FieldValue<'a>) -> Result<(), NotAResponse>,
) -> Result<(), NotAResponse> {
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        let field = reader.field().ok_or(NotAResponse)?;
        read(field.number, field.value)?;
    }
    Ok(())
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
    }

    #[test]
    fn nonsense_count_is_zero() {
        let mut response = Vec::new();
        put_message(&mut response, 1, |partial| put_uint(partial, 1, u64::MAX));
        assert_eq!(PartialSuccess::from_protobuf(&response).unwrap().rejected, 0);
    }
}
