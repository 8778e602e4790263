//! Rewrites legal but unusual bytes into the form that views read.
//!
//! A message field given more than once is merged into one (protobuf's merging: the concatenation of its bodies), of several oneof members
//! the last stays, and text that is not UTF-8 gets U+FFFD where it is broken. Everything else is copied, unknown fields
//! too. Only requests that validation found irregular come here.

use crate::schema::{Kind, Label, Message};
use crate::wire::{Field, FieldValue, Reader, put_len, put_message};

/// The regular form of a validated message body.
pub(crate) fn normalise(schema: &'static Message, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 16);
    write(schema, &[body], &mut out);
    out
}

/// Writes the message that the bodies in `parts` come to. They are never copied together, so memory does not grow with the depth at which a
/// sender doubles its messages.
fn write(schema: &'static Message, parts: &[&[u8]], out: &mut Vec<u8>) {
    let mut singles = singles(schema, parts);
    for field in parts.iter().flat_map(|part| Reader::new(part)) {
        let Some(known) = schema.field(field.number) else {
            out.extend_from_slice(field.raw);
            continue;
        };
        let single = known.label == Label::Oneof
            || known.label == Label::One && known.kind.message().is_some();
        match (known.kind, field.value) {
            // Where it stands first, it is written with all that comes later.
            _ if single => {
                let place = singles.iter().position(|single| single.number() == field.number);
                place.into_iter().for_each(|place| singles.swap_remove(place).write(out));
            }
            (kind, FieldValue::Len(body)) if let Some(child) = kind.message() => {
                put_message(out, field.number, |out| write(child, &[body], out));
            }
            (Kind::String, FieldValue::Len(text)) => {
                put_len(out, field.number, String::from_utf8_lossy(text).as_bytes());
            }
            _ => out.extend_from_slice(field.raw),
        }
    }
}

/// A field that stands once in the regular form.
enum Single<'a> {
    /// A message, with the bodies of its occurrences.
    Message(u32, &'static Message, Vec<&'a [u8]>),
    /// A oneof's scalar member.
    Scalar(Kind, Field<'a>),
}

impl Single<'_> {
    fn number(&self) -> u32 {
        match self {
            Single::Message(number, ..) => *number,
            Single::Scalar(_, field) => field.number,
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        match self {
            Single::Message(number, child, parts) => {
                put_message(out, number, |out| write(child, &parts, out));
            }
            Single::Scalar(Kind::String, Field { number, value: FieldValue::Len(text), .. }) => {
                put_len(out, number, String::from_utf8_lossy(text).as_bytes());
            }
            Single::Scalar(_, field) => out.extend_from_slice(field.raw),
        }
    }
}

/// The single messages of a body, and the oneof member that wins.
fn singles<'a>(schema: &'static Message, parts: &[&'a [u8]]) -> Vec<Single<'a>> {
    let mut singles: Vec<Single<'a>> = Vec::new();
    for field in parts.iter().flat_map(|part| Reader::new(part)) {
        let Some(known) = schema.field(field.number) else { continue };
        let oneof = known.label == Label::Oneof;
        let single = match (known.kind.message(), field.value) {
            (Some(child), FieldValue::Len(body)) if known.label == Label::One || oneof => {
                let earlier = singles.iter_mut().find_map(|single| match single {
                    Single::Message(number, _, parts) if *number == field.number => Some(parts),
                    _ => None,
                });
                if let Some(parts) = earlier {
                    parts.push(body);
                    continue;
                }
                Single::Message(field.number, child, vec![body])
            }
            _ if oneof => Single::Scalar(known.kind, field),
            _ => continue,
        };
        if oneof {
            singles.retain(|s| schema.oneof >> s.number() & 1 == 0);
        }
        singles.push(single);
    }
    singles
}
