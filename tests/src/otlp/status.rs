//! `google.rpc.Status` and the detail that OTLP uses, as googleapis `google/rpc/status.proto` and
//! `google/rpc/error_details.proto` define them.

use std::time::Duration;

use prost::Message;

/// An error as gRPC and OTLP/HTTP put it into bytes.
#[derive(Clone, PartialEq, Message)]
pub struct Status {
    /// A gRPC status code.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// For a person.
    #[prost(string, tag = "2")]
    pub message: String,
    /// Further messages with their types.
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<Any>,
}

/// A message with its type.
#[derive(Clone, PartialEq, Message)]
pub struct Any {
    /// The type's full name behind a slash.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The encoded message.
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<ProtoDuration>,
}

#[derive(Clone, PartialEq, Message)]
struct ProtoDuration {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

impl Status {
    /// A status, with `RetryInfo` when there is a delay.
    pub fn new(code: u32, message: &str, retry_delay: Option<Duration>) -> Self {
        let details = retry_delay.map(|delay| {
            let delay = ProtoDuration {
                seconds: i64::try_from(delay.as_secs()).unwrap_or_default(),
                nanos: i32::try_from(delay.subsec_nanos()).unwrap_or_default(),
            };
            let info = RetryInfo { retry_delay: Some(delay) };
            Any { type_url: RETRY_INFO.to_owned(), value: info.encode_to_vec() }
        });
        Self {
            code: i32::try_from(code).unwrap_or_default(),
            message: message.to_owned(),
            details: details.into_iter().collect(),
        }
    }

    /// The delay of an attached `RetryInfo`.
    pub fn retry_delay(&self) -> Option<Duration> {
        let info = self.details.iter().find(|any| any.type_url == RETRY_INFO)?;
        let delay = RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay?;
        Some(Duration::new(delay.seconds.try_into().ok()?, delay.nanos.try_into().ok()?))
    }
}
