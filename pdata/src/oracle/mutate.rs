//! Changes to a request's bytes that protobuf allows: they may mean something else (a field given twice), and prost says what.

use super::entropy::Entropy;
use crate::schema::{Kind, Label, Message};
use crate::wire::{FIXED32, FIXED64, Field, FieldValue, LEN, Reader, VARINT, put_varint};

/// The body with its fields rewritten, doubled, cut in two, mixed with unknown ones and reordered.
pub(crate) fn mutate(e: &mut Entropy<'_>, schema: &'static Message, body: &[u8]) -> Vec<u8> {
    let mut fields = Vec::new();
    for field in Reader::new(body) {
        if e.one_in(12) {
            fields.push(unknown(e, 3));
        }
        rewrite(e, schema, &field, &mut fields);
        if e.one_in(12) {
            rewrite(e, schema, &field, &mut fields);
        }
    }
    if e.one_in(3) {
        fields.extend(oneof_member(e, schema));
    }
    if e.one_in(3) {
        for at in (1..fields.len()).rev() {
            fields.swap(at, e.below(at.min(255) + 1));
        }
    }
    fields.concat()
}

fn rewrite(
    e: &mut Entropy<'_>,
    schema: &'static Message,
    field: &Field<'_>,
    out: &mut Vec<Vec<u8>>,
) {
    let known = schema.field(field.number).expect("prost wrote it");
    match (field.value, known.kind) {
        (FieldValue::Len(body), kind) if kind.message().is_some() => {
            let child = kind.message().expect("just seen");
            let parts =
                if known.label != Label::Many && e.one_in(4) { cut(e, body) } else { vec![body] };
            for part in parts {
                let part = mutate(e, child, part);
                out.push(len(e, field.number, &part));
            }
        }
        (FieldValue::Len(body), Kind::String | Kind::Bytes | Kind::Id) => {
            out.push(len(e, field.number, body));
        }
        (FieldValue::Len(packed), kind) => unpack(e, field.number, kind, packed, out),
        (FieldValue::Varint(value), kind) => {
            let value = widen(e, kind, value);
            out.push(field_of(e, field.number, VARINT, |e, out| varint(e, out, value)));
        }
        (FieldValue::Fixed64(bits), _) => {
            out.push(field_of(e, field.number, FIXED64, |_, out| out.extend(bits.to_le_bytes())));
        }
        (FieldValue::Fixed32(bits), _) => {
            out.push(field_of(e, field.number, FIXED32, |_, out| out.extend(bits.to_le_bytes())));
        }
        (FieldValue::Group, _) => unreachable!("OTLP has no groups"),
    }
}

/// Some member of the message's oneof, which ends or joins the one that is there.
fn oneof_member(e: &mut Entropy<'_>, schema: &'static Message) -> Option<Vec<u8>> {
    let members: Vec<_> = schema.fields.iter().filter(|f| f.label == Label::Oneof).collect();
    let member = members.get(e.below(members.len().max(1)))?;
    let (wire_type, value) = match member.kind {
        Kind::String => (LEN, vec![1, b's']),
        Kind::Bytes | Kind::Message(_) | Kind::Carrier(_) => (LEN, vec![0]),
        Kind::Double | Kind::Sfixed64 => (FIXED64, vec![e.byte(); 8]),
        _ => (VARINT, vec![e.byte() & 1]),
    };
    Some(field_of(e, member.number, wire_type, |_, out| out.extend(value)))
}

/// A varint with more bits than its type has, which readers drop, or any number for true.
fn widen(e: &mut Entropy<'_>, kind: Kind, value: u64) -> u64 {
    match kind {
        _ if !e.one_in(6) => value,
        Kind::Int64 | Kind::Uint64 => value,
        Kind::Bool => value << e.below(64),
        _ => value & 0xffff_ffff | e.u64() << 32,
    }
}

/// A body cut in two between fields, for a message that is merged again.
fn cut<'a>(e: &mut Entropy<'_>, body: &'a [u8]) -> Vec<&'a [u8]> {
    let ends: Vec<usize> = Reader::new(body)
        .map(|f| f.raw.as_ptr() as usize + f.raw.len() - body.as_ptr() as usize)
        .collect();
    let at = if ends.is_empty() { 0 } else { ends[e.below(ends.len().min(256))] };
    vec![&body[..at], &body[at..]]
}

/// Packed numbers as a mix of single ones and smaller packs.
fn unpack(e: &mut Entropy<'_>, number: u32, kind: Kind, packed: &[u8], out: &mut Vec<Vec<u8>>) {
    let mut reader = Reader::new(packed);
    let mut pack = Vec::new();
    let varints = matches!(kind, Kind::Uint64);
    while !reader.is_empty() {
        let value = if varints { reader.varint() } else { reader.fixed64() }.expect("sound");
        let put = |e: &mut Entropy<'_>, out: &mut Vec<u8>| match varints {
            true => varint(e, out, value),
            false => out.extend(value.to_le_bytes()),
        };
        match e.below(3) {
            0 => put(e, &mut pack),
            1 => {
                out.push(len(e, number, &std::mem::take(&mut pack)));
                put(e, &mut pack);
            }
            _ => {
                out.push(len(e, number, &std::mem::take(&mut pack)));
                let wire_type = if varints { VARINT } else { FIXED64 };
                out.push(field_of(e, number, wire_type, |e, out| put(e, out)));
            }
        }
    }
    out.push(len(e, number, &pack));
}

/// A field that OTLP does not have, of any wire type.
fn unknown(e: &mut Entropy<'_>, depth: usize) -> Vec<u8> {
    let number = [100, 1000, 31, 32, 65, 536_870_911][e.below(6)];
    match e.below(if depth > 0 { 5 } else { 4 }) {
        0 => field_of(e, number, VARINT, |e, out| {
            let value = e.u64();
            varint(e, out, value);
        }),
        1 => field_of(e, number, FIXED64, |e, out| out.extend(e.u64().to_le_bytes())),
        2 => field_of(e, number, FIXED32, |e, out| out.extend(e.u32().to_le_bytes())),
        3 => {
            let bytes = e.bytes();
            len(e, number, &bytes)
        }
        _ => {
            let mut out = Vec::new();
            varint(e, &mut out, u64::from(number) << 3 | 3);
            for _ in 0..e.below(3) {
                out.extend(unknown(e, depth - 1));
            }
            varint(e, &mut out, u64::from(number) << 3 | 4);
            out
        }
    }
}

fn len(e: &mut Entropy<'_>, number: u32, body: &[u8]) -> Vec<u8> {
    field_of(e, number, LEN, |e, out| {
        varint(e, out, body.len() as u64);
        out.extend_from_slice(body);
    })
}

fn field_of(
    e: &mut Entropy<'_>,
    number: u32,
    wire_type: u8,
    value: impl FnOnce(&mut Entropy<'_>, &mut Vec<u8>),
) -> Vec<u8> {
    let mut out = Vec::new();
    varint(e, &mut out, u64::from(number) << 3 | u64::from(wire_type));
    value(e, &mut out);
    out
}

/// A varint, now and then longer than it need be.
fn varint(e: &mut Entropy<'_>, out: &mut Vec<u8>, value: u64) {
    let start = out.len();
    put_varint(out, value);
    let len = out.len() - start;
    if e.one_in(10) && len < 10 {
        let more = 1 + e.below(10 - len);
        *out.last_mut().expect("a varint has a byte") |= 0x80;
        out.extend(std::iter::repeat_n(0x80, more - 1));
        out.push(0);
    }
}

/// The body with some of its strings broken, the same with them mended, and how many there are.
pub(crate) fn break_text(
    e: &mut Entropy<'_>,
    schema: &'static Message,
    body: &[u8],
) -> (Vec<u8>, Vec<u8>, usize) {
    const BROKEN: [&[u8]; 6] = [
        b"\xff",
        b"a\xc3",
        b"\xed\xa0\x80b",
        b"\xf0\x9f\x92",
        b"12345678\x80",
        b"01234567890\xff234567890123456789",
    ];
    let (mut broken, mut mended, mut count) = (Vec::new(), Vec::new(), 0);
    for field in Reader::new(body) {
        let kind = schema.field(field.number).expect("prost wrote it").kind;
        let (bad, good) = match (field.value, kind) {
            (FieldValue::Len(_), Kind::String) if e.one_in(4) => {
                count += 1;
                let bad = BROKEN[e.below(BROKEN.len())];
                (bad.to_vec(), String::from_utf8_lossy(bad).into_owned().into_bytes())
            }
            (FieldValue::Len(body), kind) if kind.message().is_some() => {
                let child = kind.message().expect("just seen");
                let (bad, good, within) = break_text(e, child, body);
                count += within;
                (bad, good)
            }
            _ => {
                broken.extend_from_slice(field.raw);
                mended.extend_from_slice(field.raw);
                continue;
            }
        };
        crate::wire::put_len(&mut broken, field.number, &bad);
        crate::wire::put_len(&mut mended, field.number, &good);
    }
    (broken, mended, count)
}
