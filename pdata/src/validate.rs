//! The validating pass: one walk over a request's bytes that checks structure and depth and counts items.
//!
//! What prost refuses for its structure is refused here (`prost::encoding`: keys, wire types, varints, lengths, groups,
//! and the recursion limit of 100). Text that is not UTF-8 is not refused: it is noted, and repaired by normalisation. So
//! are the legal encodings that views do not expect: a message field given twice, and two members of a oneof.

use crate::schema::common::KEY_VALUE;
use crate::schema::{Message, Op};
use crate::wire::{END_GROUP, FIXED32, FIXED64, LEN, Reader, START_GROUP, VARINT};

/// Messages nested deeper than this are refused (prost's recursion limit).
pub(crate) const DEPTH_MAX: u32 = 100;

/// Why bytes are not an OTLP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed protobuf at byte {offset}: {malformation}")]
pub struct DecodeError {
    /// Where, counted from the start of the request.
    pub offset: usize,
    /// What is wrong there.
    pub malformation: Malformation,
}

/// What is wrong with protobuf bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformation {
    /// The bytes end inside a field.
    #[error("the field is cut off or its number is longer than ten bytes")]
    Truncated,
    /// A key of field number zero, over 32 bits, or of wire type 6 or 7.
    #[error("the field's key is not legal")]
    Key,
    /// A known field of another wire type than its own.
    #[error("the field has the wrong wire type")]
    WireType,
    /// A group's end without its start, or of another number.
    #[error("a group ends that did not start")]
    Group,
    /// Packed numbers that do not fill their length.
    #[error("packed numbers do not fill their length")]
    Packed,
    /// Nested deeper than 100 messages.
    #[error("messages are nested deeper than {DEPTH_MAX}")]
    Depth,
}

/// What the pass found in a request that is sound.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    /// Spans, data points or log records.
    pub(crate) items: usize,
    /// Strings that are not UTF-8.
    pub(crate) bad_text: usize,
    /// Whether views need the request rewritten first.
    pub(crate) irregular: bool,
}

/// Checks a whole message.
pub(crate) fn validate(schema: &'static Message, bytes: &[u8]) -> Result<Found, DecodeError> {
    let mut found = Found::default();
    message(schema, bytes, DEPTH_MAX, &mut found).map_err(|fault| DecodeError {
        offset: fault.at.saturating_sub(bytes.as_ptr() as usize),
        malformation: fault.malformation,
    })?;
    found.irregular |= found.bad_text > 0;
    Ok(found)
}

/// Whether a sound body nests at most `depth` messages.
pub(crate) fn fits(schema: &'static Message, body: &[u8], depth: u32) -> bool {
    message(schema, body, depth, &mut Found::default()).is_ok()
}

/// A malformation and the address of the byte where it starts.
struct Fault {
    at: usize,
    malformation: Malformation,
}

impl Fault {
    #[cold]
    fn new(at: Reader<'_>, malformation: Malformation) -> Self {
        Self { at: at.rest().as_ptr() as usize, malformation }
    }
}

fn message(
    schema: &'static Message,
    bytes: &[u8],
    depth: u32,
    found: &mut Found,
) -> Result<(), Fault> {
    let mut reader = Reader::new(bytes);
    let (mut seen, mut seen_oneof) = (0u32, false);
    while !reader.is_empty() {
        let start = reader;
        let fault = |malformation| Fault::new(start, malformation);
        let cut = || fault(Malformation::Truncated);
        let key = reader.varint().ok_or_else(cut)?;
        let op = schema.ops.get(key as usize).copied().unwrap_or(Op::Unknown);
        let bit = 1u32 << (key as u32 >> 3 & 31);
        match op {
            Op::Message | Op::Item => {
                if schema.once & bit != 0 {
                    found.irregular |= seen & bit != 0;
                    seen |= bit;
                }
                let single = (schema.once | schema.oneof) & bit != 0;
                if let Some(Some(child)) = schema.children.get((key >> 3) as usize) {
                    let items = op == Op::Item;
                    children(child, &mut reader, start, (key, single), depth, items, found)?;
                }
            }
            Op::Text => {
                let text = reader.len_bytes().ok_or_else(cut)?;
                if !is_utf8(text) {
                    found.bad_text += 1;
                }
            }
            Op::Bytes => {
                reader.len_bytes().ok_or_else(cut)?;
            }
            Op::Varint => {
                reader.varint().ok_or_else(cut)?;
            }
            Op::Fixed64 => {
                reader.fixed64().ok_or_else(cut)?;
            }
            Op::Fixed32 => {
                reader.fixed32().ok_or_else(cut)?;
            }
            Op::PackedVarint => {
                let mut packed = Reader::new(reader.len_bytes().ok_or_else(cut)?);
                while !packed.is_empty() {
                    packed.varint().ok_or_else(|| fault(Malformation::Packed))?;
                }
            }
            Op::PackedFixed64 => {
                let packed = reader.len_bytes().ok_or_else(cut)?;
                if packed.len() % 8 != 0 {
                    return Err(fault(Malformation::Packed));
                }
            }
            Op::WrongWireType => {
                let legal = key & 7 <= 5;
                return Err(fault(if legal { Malformation::WireType } else { Malformation::Key }));
            }
            Op::Unknown => unknown(&mut reader, key, depth, start)?,
        }
        if schema.oneof & bit != 0 && op != Op::Unknown {
            found.irregular |= seen_oneof;
            seen_oneof = true;
        }
    }
    Ok(())
}

/// Checks a message behind its key, and those that follow under the same key when it repeats: attributes stand in runs, and staying here
/// spares each of them the branch by key.
#[inline(always)]
fn children<'a>(
    child: &'static Message,
    reader: &mut Reader<'a>,
    mut start: Reader<'a>,
    (key, single): (u64, bool),
    depth: u32,
    items: bool,
    found: &mut Found,
) -> Result<(), Fault> {
    let attributes = std::ptr::eq(child, &KEY_VALUE) && depth > 1;
    loop {
        let body = reader.len_bytes().ok_or_else(|| Fault::new(start, Malformation::Truncated))?;
        if depth == 0 {
            return Err(Fault::new(start, Malformation::Depth));
        }
        found.items += usize::from(items);
        if !(attributes && plain_attribute(body)) {
            message(child, body, depth - 1, found)?;
        }
        start = *reader;
        if single || !reader.pass_key(key) {
            return Ok(());
        }
    }
}

/// Whether this is the body of an attribute as nearly all are: a short ASCII key, then short ASCII text or an integer. False says nothing.
#[inline]
fn plain_attribute(body: &[u8]) -> bool {
    let Some((&[0x0a, key_len @ ..0x80], rest)) = body.split_first_chunk() else { return false };
    let Some((key, value)) = rest.split_at_checked(usize::from(key_len)) else { return false };
    let Some((&[0x12, value_len @ ..0x80, tag], value)) = value.split_first_chunk() else {
        return false;
    };
    if usize::from(value_len) != value.len() + 1 {
        return false;
    }
    match (tag, value) {
        (0x0a, [len @ ..0x80, text @ ..]) => usize::from(*len) == text.len() && is_ascii(body),
        (0x18, [bytes @ .., _]) if bytes.len() < 9 => {
            is_ascii(key) && bytes.iter().all(|b| *b >= 0x80) && value.last() < Some(&0x80)
        }
        _ => false,
    }
}

/// Passes over a field that the schema does not have.
fn unknown(reader: &mut Reader<'_>, key: u64, depth: u32, start: Reader<'_>) -> Result<(), Fault> {
    let fault = |malformation| Fault::new(start, malformation);
    let cut = || fault(Malformation::Truncated);
    if key > u64::from(u32::MAX) || key >> 3 == 0 {
        return Err(fault(Malformation::Key));
    }
    if depth == 0 {
        return Err(fault(Malformation::Depth));
    }
    match (key & 7) as u8 {
        VARINT => reader.varint().map(drop).ok_or_else(cut),
        FIXED64 => reader.fixed64().map(drop).ok_or_else(cut),
        LEN => reader.len_bytes().map(drop).ok_or_else(cut),
        FIXED32 => reader.fixed32().map(drop).ok_or_else(cut),
        START_GROUP => loop {
            let start = *reader;
            let inner =
                reader.varint().ok_or_else(|| Fault::new(start, Malformation::Truncated))?;
            if (inner & 7) as u8 == END_GROUP {
                let same = inner == key + 1;
                return if same { Ok(()) } else { Err(Fault::new(start, Malformation::Group)) };
            }
            unknown(reader, inner, depth - 1, start)?;
        },
        END_GROUP => Err(fault(Malformation::Group)),
        _ => Err(fault(Malformation::Key)),
    }
}

/// Whether `text` is UTF-8. Telemetry is nearly all short ASCII.
#[inline]
fn is_utf8(text: &[u8]) -> bool {
    is_ascii(text) || std::str::from_utf8(text).is_ok()
}

/// Whether `text` is ASCII, seen sixteen bytes at a time with the last ones seen twice: 0.8 of the time that the standard library takes for
/// the lengths that telemetry has.
#[inline]
fn is_ascii(text: &[u8]) -> bool {
    let bits = if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        text.as_chunks().0.iter().fold(word(first) | word(last), |bits, chunk| bits | word(chunk))
    } else {
        text.iter().fold(0, |bits, byte| bits | u128::from(*byte))
    };
    bits & u128::from_ne_bytes([0x80; 16]) == 0
}

#[inline(always)]
fn word(bytes: &[u8; 16]) -> u128 {
    u128::from_ne_bytes(*bytes)
}

#[cfg(test)]
mod tests;
