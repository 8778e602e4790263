//! `google.rpc.Status`, what an OTLP/HTTP error holds and gRPC's `grpc-status-details-bin`.
//!
//! Sources: googleapis/googleapis `google/rpc/status.proto`, `google/rpc/error_details.proto`; protobuf's JSON mapping for `Any` and
//! `Duration`.

use std::time::Duration;

use super::NotAResponse;
use crate::json;
use crate::schema::{Kind, Message, many, one};
use crate::validate::validate;
use crate::wire::{FieldValue, Reader, put_len, put_message, put_uint};

static STATUS: Message = Message::new(
    "Status",
    &[
        one(1, "code", "code", Kind::Int32),
        one(2, "message", "message", Kind::String),
        many(3, "details", "details", Kind::Message(&ANY)),
    ],
);

static ANY: Message = Message::new(
    "Any",
    &[one(1, "type_url", "typeUrl", Kind::String), one(2, "value", "value", Kind::Bytes)],
);

/// The status as JSON has it: an `Any` holds its type and then the fields of what it is.
static JSON_STATUS: Message = Message::new(
    "Status",
    &[
        one(1, "code", "code", Kind::Int32),
        one(2, "message", "message", Kind::String),
        many(3, "details", "details", Kind::Message(&JSON_ANY)),
    ],
);

static JSON_ANY: Message = Message::new(
    "Any",
    &[one(1, "@type", "@type", Kind::String), one(2, "retry_delay", "retryDelay", Kind::String)],
);

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// Why a request was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RpcStatus {
    /// A gRPC code.
    pub code: i32,
    /// For a person.
    pub message: String,
    /// When to come back: the delay of a `RetryInfo` among the details. Other details are not kept.
    pub retry_delay: Option<Duration>,
}

impl RpcStatus {
    /// Reads a status in protobuf.
    ///
    /// # Errors
    /// When the bytes are not protobuf of a status.
    pub fn from_protobuf(status: &[u8]) -> Result<Self, NotAResponse> {
        validate(&STATUS, status).map_err(|_| NotAResponse)?;
        Ok(Self::read(status, |retry_info| {
            // The value is bytes to the check above, so it may be anything.
            let delay = Reader::new(retry_info).find_map(|field| match field.value {
                FieldValue::Len(delay) if field.number == 1 => Some(delay),
                _ => None,
            });
            duration(delay.unwrap_or_default())
        }))
    }

    /// Reads a status in JSON.
    ///
    /// # Errors
    /// When the text is not JSON of a status.
    pub fn from_json(status: &[u8]) -> Result<Self, NotAResponse> {
        let status = json::decode(&JSON_STATUS, status).map_err(|_| NotAResponse)?;
        Ok(Self::read(&status, |delay| parse_duration(std::str::from_utf8(delay).ok()?)))
    }

    /// Reads a status whose details' second field is what `delay` reads.
    fn read(status: &[u8], delay: impl Fn(&[u8]) -> Option<Duration>) -> Self {
        let mut this = Self::default();
        for field in Reader::new(status) {
            match (field.number, field.value) {
                (1, FieldValue::Varint(code)) => this.code = code as i32,
                (2, FieldValue::Len(text)) => {
                    this.message = String::from_utf8_lossy(text).into_owned();
                }
                (3, FieldValue::Len(any)) => {
                    let (mut is_retry_info, mut value) = (false, &[][..]);
                    for field in Reader::new(any) {
                        match (field.number, field.value) {
                            (1, FieldValue::Len(url)) => {
                                is_retry_info = url.ends_with(b"/google.rpc.RetryInfo");
                            }
                            (2, FieldValue::Len(bytes)) => value = bytes,
                            _ => {}
                        }
                    }
                    if is_retry_info {
                        this.retry_delay = this.retry_delay.or_else(|| delay(value));
                    }
                }
                _ => {}
            }
        }
        this
    }

    /// The status in protobuf.
    pub fn to_protobuf(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.code != 0 {
            put_uint(&mut out, 1, i64::from(self.code) as u64);
        }
        if !self.message.is_empty() {
            put_len(&mut out, 2, self.message.as_bytes());
        }
        if let Some(delay) = self.retry_delay {
            put_message(&mut out, 3, |any| {
                put_len(any, 1, RETRY_INFO.as_bytes());
                put_message(any, 2, |info| {
                    put_message(info, 1, |duration| {
                        if delay.as_secs() > 0 {
                            put_uint(duration, 1, delay.as_secs());
                        }
                        if delay.subsec_nanos() > 0 {
                            put_uint(duration, 2, u64::from(delay.subsec_nanos()));
                        }
                    });
                });
            });
        }
        out
    }

    /// The status in JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = format!("{{\"code\":{},\"message\":", self.code).into_bytes();
        json::put_text(self.message.as_bytes(), &mut out);
        if let Some(delay) = self.retry_delay {
            let delay = print_duration(delay);
            let details =
                format!(",\"details\":[{{\"@type\":\"{RETRY_INFO}\",\"retryDelay\":\"{delay}\"}}]");
            out.extend_from_slice(details.as_bytes());
        }
        out.push(b'}');
        out
    }
}

/// A `google.protobuf.Duration`; nothing when it is negative or out of its range.
fn duration(bytes: &[u8]) -> Option<Duration> {
    let (mut seconds, mut nanos) = (0i64, 0i32);
    for field in Reader::new(bytes) {
        match (field.number, field.value) {
            (1, FieldValue::Varint(value)) => seconds = value as i64,
            (2, FieldValue::Varint(value)) => nanos = value as i32,
            _ => {}
        }
    }
    let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(u64::try_from(seconds).ok()?, nanos))
}

/// A duration in JSON: seconds with up to nine digits behind the point, and an `s`.
fn parse_duration(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Some(Duration::new(seconds.parse().ok()?, nanos))
}

/// With none, three, six or nine digits behind the point, as protobuf prints it.
fn print_duration(delay: Duration) -> String {
    let (seconds, nanos) = (delay.as_secs(), delay.subsec_nanos());
    match nanos {
        0 => format!("{seconds}s"),
        _ if nanos.is_multiple_of(1_000_000) => format!("{seconds}.{:03}s", nanos / 1_000_000),
        _ if nanos.is_multiple_of(1_000) => format!("{seconds}.{:06}s", nanos / 1_000),
        _ => format!("{seconds}.{nanos:09}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What grpc-go 1.66 sends for code Unavailable, "full" and RetryInfo{RetryDelay: 1.5s}.
    fn golden() -> Vec<u8> {
        let mut bytes = vec![0x08, 14, 0x12, 4];
        bytes.extend(b"full");
        bytes.extend([0x1a, 54, 0x0a, 40]);
        bytes.extend(b"type.googleapis.com/google.rpc.RetryInfo");
        bytes.extend([0x12, 10, 0x0a, 8, 0x08, 1, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01]);
        bytes
    }

    fn full() -> RpcStatus {
        let retry_delay = Some(Duration::from_millis(1500));
        RpcStatus { code: 14, message: "full".into(), retry_delay }
    }

    #[test]
    fn status_has_googles_bytes_and_comes_back_from_them() {
        assert_eq!(full().to_protobuf(), golden());
        assert_eq!(RpcStatus::from_protobuf(&golden()), Ok(full()));
        assert_eq!(RpcStatus::from_protobuf(&[]), Ok(RpcStatus::default()));
        assert_eq!(RpcStatus::default().to_protobuf(), b"");
    }

    #[test]
    fn status_comes_back_from_its_json() {
        let json = r#"{"code":14,"message":"full","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"}]}"#;
        assert_eq!(String::from_utf8(full().to_json()).unwrap(), json);
        assert_eq!(RpcStatus::from_json(json.as_bytes()), Ok(full()));
        let plain = RpcStatus { code: 3, message: "\"no\"".into(), retry_delay: None };
        assert_eq!(RpcStatus::from_json(&plain.to_json()), Ok(plain));
    }

    #[test]
    fn durations_are_read_and_printed_as_protobuf_does() {
        for (text, nanos) in [
            ("0s", 0),
            ("7s", 7_000_000_000),
            ("1.500s", 1_500_000_000),
            ("0.000250s", 250_000),
            ("3.000000001s", 3_000_000_001),
        ] {
            let delay = Duration::from_nanos(nanos);
            assert_eq!(print_duration(delay), text);
            assert_eq!(parse_duration(text), Some(delay), "{text}");
        }
        assert_eq!(parse_duration("1.5s"), Some(Duration::from_millis(1500)));
        for text in ["", "s", "-1s", "1", "1.2.3s", "1.0000000001s", "+1s", "99999999999999999999s"]
        {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn details_that_are_no_delay_are_passed_over() {
        let detail = |url: &str, value: &[u8]| {
            let mut out = Vec::new();
            put_message(&mut out, 3, |any| {
                put_len(any, 1, url.as_bytes());
                put_len(any, 2, value);
            });
            out
        };
        let seconds = |seconds: u64| {
            let mut out = Vec::new();
            put_message(&mut out, 1, |delay| put_uint(delay, 1, seconds));
            out
        };
        for (status, delay) in [
            (detail("type.googleapis.com/google.rpc.DebugInfo", &seconds(5)), None),
            (detail(RETRY_INFO, &seconds(-5i64 as u64)), None),
            // A billion nanoseconds beside the seconds.
            (detail(RETRY_INFO, &[0x0a, 6, 0x10, 0x80, 0x94, 0xeb, 0xdc, 3]), None),
            (detail(RETRY_INFO, &[0x0b; 1 << 20]), Some(Duration::ZERO)),
            (detail(RETRY_INFO, &[]), Some(Duration::ZERO)),
            (detail(RETRY_INFO, &seconds(5)), Some(Duration::from_secs(5))),
        ] {
            assert_eq!(RpcStatus::from_protobuf(&status).unwrap().retry_delay, delay);
        }
        let json = br#"{"details":[{"@type":"x/google.rpc.Help","links":[]},{"@type":"x/google.rpc.RetryInfo","retryDelay":"2s"}]}"#;
        assert_eq!(RpcStatus::from_json(json).unwrap().retry_delay, Some(Duration::from_secs(2)));
    }

    #[test]
    fn anything_else_is_no_status() {
        for bytes in [&b"<html>"[..], &[0x0b; 100]] {
            assert_eq!(RpcStatus::from_protobuf(bytes), Err(NotAResponse));
            assert_eq!(RpcStatus::from_json(bytes), Err(NotAResponse));
        }
    }
}
