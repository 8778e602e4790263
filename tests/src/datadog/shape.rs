//! Which fields a protobuf message has, and how often: what a decoder passes over in silence.
//!
//! A field that does not exist, a single field or a map's key that comes twice: every decoder takes these and drops something, so a mistake of the
//! agent's would show as missing data at best.

use std::collections::BTreeSet;

/// A message's fields.
pub(super) struct Shape(pub(super) &'static [(u64, Field)]);

/// What a field may be.
#[derive(Clone, Copy)]
pub(super) enum Field {
    /// A value, at most once.
    One,
    /// A value, any number of times, or packed.
    Many,
    /// An entry of a map; no key comes twice.
    Entry,
    /// A message, at most once.
    Message(&'static Shape),
    /// Messages, any number of them.
    Messages(&'static Shape),
}

impl Shape {
    /// Walks the encoded message.
    pub(super) fn check(&self, mut rest: &[u8]) -> Result<(), String> {
        let (mut seen, mut keys) = (BTreeSet::new(), BTreeSet::new());
        while !rest.is_empty() {
            let (number, value) = take_field(&mut rest).ok_or("a protobuf message cut short")?;
            let field = self.0.iter().find(|(known, _)| *known == number);
            let (_, field) = field.ok_or_else(|| format!("a field {number} that nothing has"))?;
            let first = seen.insert(number);
            match field {
                Field::One if !first => return Err(format!("the single field {number} twice")),
                Field::Message(_) if !first => {
                    return Err(format!("the single message {number} twice"));
                }
                Field::Entry if !keys.insert((number, key_of(value))) => {
                    let key = String::from_utf8_lossy(key_of(value).unwrap_or_default());
                    return Err(format!("the key {key:?} of the map {number} twice"));
                }
                Field::One | Field::Many | Field::Entry => {}
                Field::Message(shape) | Field::Messages(shape) => {
                    shape.check(value).map_err(|rule| format!("{rule}, in field {number}"))?;
                }
            }
        }
        Ok(())
    }
}

/// The key of a map's entry, which is its field 1.
fn key_of(mut entry: &[u8]) -> Option<&[u8]> {
    while !entry.is_empty() {
        if let (1, key) = take_field(&mut entry)? {
            return Some(key);
        }
    }
    None
}

/// A field's number, and its content when it has a length or its bytes when it has none.
fn take_field<'a>(rest: &mut &'a [u8]) -> Option<(u64, &'a [u8])> {
    let tag = take_varint(rest)?;
    let before = *rest;
    let length = match tag & 7 {
        0 => {
            take_varint(rest)?;
            let length = before.len() - rest.len();
            return Some((tag >> 3, before.get(..length)?));
        }
        1 => 8,
        2 => usize::try_from(take_varint(rest)?).ok()?,
        5 => 4,
        _ => return None,
    };
    let (value, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some((tag >> 3, value))
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(value);
        }
    }
    None
}
