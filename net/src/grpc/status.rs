//! The outcome of a call, and how it stands in headers or trailers.

use std::borrow::Cow;
use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use pdata::RpcStatus;

use super::{Code, GRPC_DETAILS, GRPC_MESSAGE, GRPC_STATUS};
use crate::body::BodyError;

/// The longest message written or kept, in bytes: peers cap their header lists, often at 8 KiB.
const MESSAGE_BYTES_MAX: usize = 1024;

/// The outcome of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The code.
    pub code: Code,
    /// A text for a person.
    pub message: Cow<'static, str>,
    /// An encoded `google.rpc.Status`, or nothing.
    pub details: Bytes,
}

impl Status {
    /// A status without details.
    #[must_use]
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), details: Bytes::new() }
    }

    /// The same with a `google.rpc.RetryInfo`, which asks the caller to try again after `delay`.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        let status = RpcStatus {
            code: self.code as i32,
            message: self.message.clone().into_owned(),
            retry_delay: Some(delay),
        };
        self.details = status.to_protobuf().into();
        self
    }

    /// The delay that the details ask for.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        RpcStatus::from_protobuf(&self.details).ok()?.retry_delay
    }

    /// Writes the outcome into headers or trailers.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(GRPC_STATUS, HeaderValue::from(self.code.number()));
        if !self.message.is_empty()
            && let Ok(message) = HeaderValue::from_str(&percent_encode(&self.message))
        {
            headers.insert(GRPC_MESSAGE, message);
        }
        if !self.details.is_empty()
            && let Ok(details) = HeaderValue::from_str(&STANDARD_NO_PAD.encode(&self.details))
        {
            headers.insert(GRPC_DETAILS, details);
        }
    }

    /// Reads the outcome from headers or trailers; nothing when there is none.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let number = headers.get(GRPC_STATUS)?;
        let number = number.to_str().ok().and_then(|text| text.parse().ok());
        let code = number.map_or(Code::Unknown, Code::from_number);
        let message = headers.get(GRPC_MESSAGE).map(|value| percent_decode(value.as_bytes()));
        let details = headers.get(GRPC_DETAILS).and_then(|value| {
            let text = value.as_bytes();
            STANDARD_NO_PAD.decode(text).or_else(|_padded| STANDARD.decode(text)).ok()
        });
        Some(Self {
            code,
            message: message.unwrap_or_default().into(),
            details: details.unwrap_or_default().into(),
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// What a server answers to a body it could not take, with grpc-go's codes.
impl From<&BodyError> for Status {
    fn from(error: &BodyError) -> Self {
        let code = match error {
            BodyError::TooLarge { .. } => Code::ResourceExhausted,
            BodyError::Malformed { .. } | BodyError::Framing { .. } => Code::Internal,
            BodyError::UnsupportedEncoding { .. } => Code::Unimplemented,
            BodyError::Disconnected => Code::Canceled,
            BodyError::TimedOut => Code::DeadlineExceeded,
            BodyError::NoRoom => Code::Unavailable,
        };
        Self::new(code, error.to_string())
    }
}

/// Percent-encodes what is not printable ASCII, and the percent sign.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for character in text.chars() {
        if encoded.len() >= MESSAGE_BYTES_MAX {
            break;
        }
        if matches!(character, ' '..='~') && character != '%' {
            encoded.push(character);
        } else {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                let _infallible = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// Undoes it; what is no valid escape stays as it is.
fn percent_decode(text: &[u8]) -> String {
    let decoded: Vec<u8> = percent_encoding::percent_decode(text).take(MESSAGE_BYTES_MAX).collect();
    String::from_utf8_lossy(&decoded).into_owned()
}
