//! `google.rpc.Status` with `RetryInfo`: the few fields of googleapis/googleapis
//! `google/rpc/status.proto` and `error_details.proto` that throttling needs.

use std::time::Duration;

use super::Code;

const RETRY_INFO: &[u8] = b"type.googleapis.com/google.rpc.RetryInfo";

/// Wire types of protobuf.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// Encodes a `google.rpc.Status`, with a `RetryInfo` if there is a delay. This is the body of an
/// OTLP/HTTP error as well.
#[must_use]
pub fn encode_status(code: Code, message: &str, retry_after: Option<Duration>) -> Vec<u8> {
    let mut status = Vec::with_capacity(message.len() + 80);
    put_varint_field(&mut status, 1, u64::from(code.number()));
    put_bytes_field(&mut status, 2, message.as_bytes());
    if let Some(delay) = retry_after {
        let mut duration = Vec::new();
        put_varint_field(&mut duration, 1, delay.as_secs());
        put_varint_field(&mut duration, 2, u64::from(delay.subsec_nanos()));
        let mut retry_info = Vec::new();
        // A delay of zero is an empty message, and still says "now".
        put_message_field(&mut retry_info, 1, &duration);
        let mut any = Vec::new();
        put_bytes_field(&mut any, 1, RETRY_INFO);
        put_bytes_field(&mut any, 2, &retry_info);
        put_message_field(&mut status, 3, &any);
    }
    status
}

/// The delay of the `RetryInfo` in an encoded `google.rpc.Status`. Nothing when there is none, or
/// the bytes are no such message.
#[must_use]
pub fn retry_delay(status: &[u8]) -> Option<Duration> {
    let infos = Fields(status).filter_map(|field| match field {
        (3, Value::Bytes(any)) => Some(any),
        _ => None,
    });
    let mut infos = infos.filter_map(|any| {
        let (mut url, mut value) = (None, None);
        for field in Fields(any) {
            match field {
                (1, Value::Bytes(bytes)) => url = Some(bytes),
                (2, Value::Bytes(bytes)) => value = Some(bytes),
                _ => {}
            }
        }
        // The part before the last slash is free.
        let name = RETRY_INFO.rsplit(|byte| *byte == b'/').next();
        let is_retry_info = url?.rsplit(|byte| *byte == b'/').next() == name;
        is_retry_info.then_some(value.unwrap_or_default())
    });
    let retry_info = infos.next()?;
    let duration = Fields(retry_info).find_map(|field| match field {
        (1, Value::Bytes(duration)) => Some(duration),
        _ => None,
    })?;
    let (mut secs, mut nanos) = (0, 0);
    for field in Fields(duration) {
        match field {
            (1, Value::Varint(value)) => secs = value.cast_signed(),
            (2, Value::Varint(value)) => nanos = value.cast_signed(),
            _ => {}
        }
    }
    let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(u64::try_from(secs).ok()?, nanos))
}

enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Other,
}

/// Reads the fields of a message; ends at the first that is malformed.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            VARINT => Value::Varint(self.varint()?),
            FIXED64 => {
                self.take(8)?;
                Value::Other
            }
            BYTES => {
                let len = self.varint()?;
                Value::Bytes(self.take(usize::try_from(len).ok()?)?)
            }
            FIXED32 => {
                self.take(4)?;
                Value::Other
            }
            _ => return None,
        };
        Some((tag >> 3, value))
    }
}

impl<'a> Fields<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_varint_field(out: &mut Vec<u8>, number: u64, value: u64) {
    if value != 0 {
        put_varint(out, number << 3 | VARINT);
        put_varint(out, value);
    }
}

fn put_bytes_field(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_message_field(out, number, bytes);
    }
}

fn put_message_field(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    put_varint(out, number << 3 | BYTES);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
