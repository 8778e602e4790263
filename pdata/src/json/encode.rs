//! Protobuf to JSON, driven by the schema: fields are written as they come. Where they come twice, or lists in several places, the message is
//! written again with each field sought out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::schema::{Field, Kind, Label, Message};
use crate::wire::{FieldValue, Reader, zigzag};

/// Appends a request that stands in chunks, each a request of its own.
pub(super) fn request(schema: &'static Message, chunks: &[Bytes], out: &mut Vec<u8>) {
    let mut object = Object::begin(out);
    for field in chunks.iter().flat_map(|chunk| Reader::new(chunk)) {
        if let Some(known) = schema.field(field.number) {
            object.field(known, field.value, out);
        }
    }
    object.end(out);
}

/// Appends a validated message.
fn message(schema: &'static Message, body: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let mut object = Object::begin(out);
    let mut seen = 0u32;
    for field in Reader::new(body) {
        let Some(known) = schema.field(field.number) else { continue };
        let bit = 1 << known.number;
        if seen & bit != 0 && object.list != Some(known.number) {
            out.truncate(start);
            return sorted(schema, body, out);
        }
        seen |= bit;
        object.field(known, field.value, out);
    }
    object.end(out);
}

/// Appends a message field by field of the schema: all occurrences of a list, and the last of all else.
fn sorted(schema: &'static Message, body: &[u8], out: &mut Vec<u8>) {
    let mut object = Object::begin(out);
    for known in schema.fields {
        let mut all = Reader::new(body).filter(|field| field.number == known.number);
        if known.label == Label::Many {
            all.for_each(|field| object.field(known, field.value, out));
        } else if let Some(last) = all.by_ref().last() {
            object.field(known, last.value, out);
        }
    }
    object.end(out);
}

/// An object that is being written.
struct Object {
    /// Where its inside starts.
    start: usize,
    /// The repeated field whose list is open.
    list: Option<u32>,
}

impl Object {
    fn begin(out: &mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { start: out.len(), list: None }
    }

    fn end(self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.list.is_some() { b"]}" } else { b"}" });
    }

    fn field(&mut self, field: &Field, value: FieldValue<'_>, out: &mut Vec<u8>) {
        if field.label == Label::One && is_default(field, value) {
            return;
        }
        if field.label == Label::Many {
            return self.elements(field, value, out);
        }
        self.name(field, out);
        put(field.kind, value, out);
    }

    /// Writes a field's name, after what was open before it.
    fn name(&mut self, field: &Field, out: &mut Vec<u8>) {
        if self.list.take().is_some() {
            out.push(b']');
        }
        if out.len() > self.start {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(field.json.as_bytes());
        out.extend_from_slice(b"\":");
    }

    /// Writes one occurrence of a repeated field: an element, or packed numbers.
    fn elements(&mut self, field: &Field, value: FieldValue<'_>, out: &mut Vec<u8>) {
        let mut separate = |out: &mut Vec<u8>| {
            if self.list == Some(field.number) {
                out.push(b',');
            } else {
                self.name(field, out);
                self.list = Some(field.number);
                out.push(b'[');
            }
        };
        match (field.kind, value) {
            (Kind::Uint64, FieldValue::Len(packed)) => {
                let mut packed = Reader::new(packed);
                while let Some(number) = packed.varint() {
                    separate(out);
                    put(field.kind, FieldValue::Varint(number), out);
                }
            }
            (Kind::Fixed64 | Kind::Double, FieldValue::Len(packed)) => {
                for bits in packed.as_chunks().0 {
                    separate(out);
                    put(field.kind, FieldValue::Fixed64(u64::from_le_bytes(*bits)), out);
                }
            }
            _ => {
                separate(out);
                put(field.kind, value, out);
            }
        }
    }
}

fn is_default(field: &Field, value: FieldValue<'_>) -> bool {
    match value {
        FieldValue::Varint(bits) | FieldValue::Fixed64(bits) => bits == 0,
        FieldValue::Fixed32(bits) => bits == 0,
        FieldValue::Len(bytes) => bytes.is_empty() && field.kind.message().is_none(),
        FieldValue::Group => true,
    }
}

/// Writes a value.
fn put(kind: Kind, value: FieldValue<'_>, out: &mut Vec<u8>) {
    match (kind, value) {
        (
            Kind::Message(schema) | Kind::Item(schema) | Kind::Carrier(schema),
            FieldValue::Len(body),
        ) => {
            message(schema, body, out);
        }
        (Kind::String, FieldValue::Len(text)) => put_text(text, out),
        (Kind::Id, FieldValue::Len(id)) => put_hex(id, out),
        (Kind::Bytes, FieldValue::Len(bytes)) => put_base64(bytes, out),
        (Kind::Bool, FieldValue::Varint(value)) => {
            out.extend_from_slice(if value == 0 { b"false" } else { b"true" });
        }
        (Kind::Int64, FieldValue::Varint(value)) => put_quoted(value as i64, out),
        (Kind::Uint64, FieldValue::Varint(value)) => put_quoted(value, out),
        (Kind::Sint32, FieldValue::Varint(value)) => {
            put_integer(zigzag(value & 0xffff_ffff) as i32, out)
        }
        (Kind::Uint32, FieldValue::Varint(value)) => put_integer(value as u32, out),
        (_, FieldValue::Varint(value)) => put_integer(value as i32, out),
        (Kind::Double, FieldValue::Fixed64(bits)) => put_double(f64::from_bits(bits), out),
        (Kind::Sfixed64, FieldValue::Fixed64(bits)) => put_quoted(bits as i64, out),
        (_, FieldValue::Fixed64(bits)) => put_quoted(bits, out),
        (_, FieldValue::Fixed32(bits)) => put_integer(bits, out),
        (_, FieldValue::Len(_) | FieldValue::Group) => out.extend_from_slice(b"null"),
    }
}

fn put_integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn put_quoted(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.push(b'"');
    put_integer(value, out);
    out.push(b'"');
}

fn put_double(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else if value.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else {
        out.extend_from_slice(if value > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    }
}

fn put_hex(id: &[u8], out: &mut Vec<u8>) {
    let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
    out.reserve(2 * id.len() + 2);
    out.push(b'"');
    for byte in id {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    out.push(b'"');
}

fn put_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.push(b'"');
}

/// Appends a JSON string: text, which is UTF-8, with what JSON wants escaped.
pub(crate) fn put_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    while has_special(rest)
        && let Some(at) = rest.iter().position(|byte| is_special(*byte))
        && let (plain, [byte, behind @ ..]) = rest.split_at(at)
    {
        out.extend_from_slice(plain);
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
        rest = behind;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Whether any byte is special: sixteen at a time, the last ones twice, where the compiler compares them at once.
fn has_special(text: &[u8]) -> bool {
    let any = |bytes: &[u8]| bytes.iter().fold(false, |any, byte| any | is_special(*byte));
    match text.last_chunk::<16>() {
        Some(last) => {
            let (chunks, _) = text.as_chunks::<16>();
            chunks.iter().fold(any(last), |found, chunk| found | any(chunk))
        }
        None => any(text),
    }
}
