//! From protobuf bytes straight to JSON text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::schema::{Field, Kind, Label, Message};
use crate::wire::{FieldValue, Reader, zigzag};

/// Appends a request that stands in chunks.
pub(super) fn encode(schema: &'static Message, chunks: &[Bytes], out: &mut Vec<u8>) {
    let mut first = true;
    out.push(b'{');
    for field in schema.fields {
        let bodies = chunks.iter().flat_map(|chunk| Reader::new(chunk));
        write_field(field, bodies, &mut first, out);
    }
    out.push(b'}');
}

fn message(schema: &'static Message, body: &[u8], out: &mut Vec<u8>) {
    let mut first = true;
    out.push(b'{');
    for field in schema.fields {
        write_field(field, Reader::new(body), &mut first, out);
    }
    out.push(b'}');
}

/// Writes a field's name and value, unless it is not there or has its default.
fn write_field<'a>(
    field: &'static Field,
    fields: impl Iterator<Item = crate::wire::Field<'a>>,
    first: &mut bool,
    out: &mut Vec<u8>,
) {
    let mut values = fields.filter(|f| f.number == field.number).map(|f| f.value);
    if field.label == Label::Many {
        let Some(head) = values.next() else { return };
        name(field, first, out);
        out.push(b'[');
        let mut first = true;
        for value in std::iter::once(head).chain(values) {
            write_occurrence(field, value, &mut first, out);
        }
        out.push(b']');
        return;
    }
    // The last one counts; messages that repeat were merged by normalisation.
    let Some(value) = values.last() else { return };
    if field.label == Label::One && is_default(value) && field.kind.message().is_none() {
        return;
    }
    name(field, first, out);
    write_value(field.kind, value, out);
}

/// Writes one occurrence of a repeated field, which may be several packed numbers.
fn write_occurrence(field: &Field, value: FieldValue<'_>, first: &mut bool, out: &mut Vec<u8>) {
    match (field.kind, value) {
        (Kind::Fixed64 | Kind::Sfixed64 | Kind::Double, FieldValue::Len(packed)) => {
            for number in packed.as_chunks::<8>().0 {
                comma(first, out);
                let bits = u64::from_le_bytes(*number);
                write_value(field.kind, FieldValue::Fixed64(bits), out);
            }
        }
        (Kind::Uint64, FieldValue::Len(packed)) => {
            let mut packed = Reader::new(packed);
            while let Some(number) = packed.varint() {
                comma(first, out);
                write_value(field.kind, FieldValue::Varint(number), out);
            }
        }
        _ => {
            comma(first, out);
            write_value(field.kind, value, out);
        }
    }
}

fn write_value(kind: Kind, value: FieldValue<'_>, out: &mut Vec<u8>) {
    match (kind, value) {
        (Kind::Bool, FieldValue::Varint(bit)) => {
            out.extend_from_slice(if bit != 0 { b"true" } else { b"false" });
        }
        (Kind::Int32 | Kind::Enum(_), FieldValue::Varint(n)) => integer(i128::from(n as i32), out),
        (Kind::Uint32, FieldValue::Varint(n)) => integer(i128::from(n as u32), out),
        (Kind::Sint32, FieldValue::Varint(n)) => {
            integer(i128::from(zigzag(n & 0xffff_ffff) as i32), out);
        }
        (Kind::Fixed32, FieldValue::Fixed32(n)) => integer(i128::from(n), out),
        (Kind::Int64, FieldValue::Varint(n)) | (Kind::Sfixed64, FieldValue::Fixed64(n)) => {
            quoted(|out| integer(i128::from(n as i64), out), out);
        }
        (Kind::Uint64, FieldValue::Varint(n)) | (Kind::Fixed64, FieldValue::Fixed64(n)) => {
            quoted(|out| integer(i128::from(n), out), out);
        }
        (Kind::Double, FieldValue::Fixed64(bits)) => double(f64::from_bits(bits), out),
        (Kind::String, FieldValue::Len(text)) => string(&String::from_utf8_lossy(text), out),
        (Kind::Bytes, FieldValue::Len(bytes)) => {
            quoted(|out| out.extend_from_slice(STANDARD.encode(bytes).as_bytes()), out);
        }
        (Kind::Id, FieldValue::Len(id)) => quoted(|out| hex(id, out), out),
        (kind, FieldValue::Len(body)) => {
            if let Some(schema) = kind.message() {
                message(schema, body, out);
            }
        }
        // Validation leaves no other pairs.
        _ => out.extend_from_slice(b"null"),
    }
}

fn is_default(value: FieldValue<'_>) -> bool {
    match value {
        FieldValue::Varint(n) | FieldValue::Fixed64(n) => n == 0,
        FieldValue::Fixed32(n) => n == 0,
        FieldValue::Len(bytes) => bytes.is_empty(),
        FieldValue::Group => true,
    }
}

fn name(field: &Field, first: &mut bool, out: &mut Vec<u8>) {
    comma(first, out);
    quoted(|out| out.extend_from_slice(field.json.as_bytes()), out);
    out.push(b':');
}

fn comma(first: &mut bool, out: &mut Vec<u8>) {
    if !std::mem::take(first) {
        out.push(b',');
    }
}

fn quoted(write: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

fn integer(value: i128, out: &mut Vec<u8>) {
    out.extend_from_slice(value.to_string().as_bytes());
}

fn double(value: f64, out: &mut Vec<u8>) {
    match value {
        _ if value.is_nan() => out.extend_from_slice(b"\"NaN\""),
        f64::INFINITY => out.extend_from_slice(b"\"Infinity\""),
        f64::NEG_INFINITY => out.extend_from_slice(b"\"-Infinity\""),
        // A finite number always has a form, and a vector takes all of it.
        _ => drop(serde_json::to_writer(out, &value)),
    }
}

fn string(text: &str, out: &mut Vec<u8>) {
    drop(serde_json::to_writer(out, text));
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
        out.extend([digit(byte >> 4), digit(byte & 15)]);
    }
}
