//! Rewrites legal but unusual bytes into the form that views read.
//!
//! A message field given more than once is merged into one (protobuf's merging: the concatenation of its bodies), of several oneof members
//! the last stays, and text that is not UTF-8 gets U+FFFD where it is broken. Everything else is copied, unknown fields
//! too. Only requests that validation found irregular come here.

use crate::schema::{Kind, Label, Message};
use crate::wire::{FieldValue, Reader, put_len};

/// The regular form of a validated message body.
pub(crate) fn normalise(schema: &'static Message, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 16);
    let singles = merged_singles(schema, body);
    for field in Reader::new(body) {
        let known = schema.field(field.number);
        let (Some(known), FieldValue::Len(value)) = (known, field.value) else {
            if !known.is_some_and(|k| k.label == Label::Oneof) {
                out.extend_from_slice(field.raw);
            }
            continue;
        };
        match (known.label, known.kind) {
            (Label::Oneof, _) => {}
            (Label::One, kind) if kind.message().is_some() => {}
            (_, Kind::Message(child) | Kind::Item(child) | Kind::Carrier(child)) => {
                put_len(&mut out, field.number, &normalise(child, value));
            }
            (_, Kind::String) => {
                put_len(&mut out, field.number, String::from_utf8_lossy(value).as_bytes());
            }
            _ => out.extend_from_slice(field.raw),
        }
    }
    for single in singles {
        single.put(&mut out);
    }
    out
}

/// A field that stands once, with what its occurrences come to.
enum Single {
    Message(u32, &'static Message, Vec<u8>),
    Text(u32, Vec<u8>),
    Raw(u32, Vec<u8>),
}

impl Single {
    fn number(&self) -> u32 {
        match self {
            Single::Message(number, ..) | Single::Text(number, _) | Single::Raw(number, _) => {
                *number
            }
        }
    }

    fn put(self, out: &mut Vec<u8>) {
        match self {
            Single::Message(number, schema, body) => {
                put_len(out, number, &normalise(schema, &body));
            }
            Single::Text(number, text) => {
                put_len(out, number, String::from_utf8_lossy(&text).as_bytes());
            }
            Single::Raw(_, raw) => out.extend_from_slice(&raw),
        }
    }
}

/// The single messages of a body, and the oneof member that wins.
fn merged_singles(schema: &'static Message, body: &[u8]) -> Vec<Single> {
    let mut singles: Vec<Single> = Vec::new();
    for field in Reader::new(body) {
        let Some(known) = schema.field(field.number) else { continue };
        let oneof = known.label == Label::Oneof;
        let single = match (known.kind.message(), field.value) {
            (Some(child), FieldValue::Len(value)) if known.label == Label::One || oneof => {
                let merged = singles.iter_mut().find_map(|s| match s {
                    Single::Message(number, _, body) if *number == field.number => Some(body),
                    _ => None,
                });
                if let Some(merged) = merged {
                    merged.extend_from_slice(value);
                    continue;
                }
                Single::Message(field.number, child, value.to_vec())
            }
            (None, FieldValue::Len(value)) if oneof && matches!(known.kind, Kind::String) => {
                Single::Text(field.number, value.to_vec())
            }
            _ if oneof => Single::Raw(field.number, field.raw.to_vec()),
            _ => continue,
        };
        if oneof {
            singles.retain(|s| schema.oneof >> s.number() & 1 == 0);
        }
        singles.push(single);
    }
    singles
}
