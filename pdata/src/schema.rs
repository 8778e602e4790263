//! What an OTLP message is made of: one table per message that validation, JSON, editing and splitting all read.
//!
//! Source: open-telemetry/opentelemetry-proto, `opentelemetry/proto/{common,resource,trace,metrics,logs}/v1`. Field numbers up to 31 are
//! supported, which covers OTLP.

pub mod common;
pub mod logs;
pub mod metrics;
pub mod trace;

use crate::wire;

/// A message type.
#[derive(Debug)]
pub struct Message {
    /// Name in the `.proto` file.
    pub name: &'static str,
    /// The fields in the order of the `.proto` file.
    pub fields: &'static [Field],
    /// What validation does at each one- or two-byte key below 256.
    pub(crate) ops: [Op; 256],
    /// Fields, by bit, that may stand once: messages that do not repeat. A second one is merged by normalisation.
    pub(crate) once: u32,
    /// Fields, by bit, of the message's oneof.
    pub(crate) oneof: u32,
    /// Sub-messages by field number.
    pub(crate) children: [Option<&'static Message>; 32],
    /// Fields by number.
    by_number: [Option<&'static Field>; 32],
}

/// A field of a message.
#[derive(Debug)]
pub struct Field {
    /// Its number, 1 to 31.
    pub number: u32,
    /// Its name in the `.proto` file.
    pub name: &'static str,
    /// Its name in JSON.
    pub json: &'static str,
    /// Its type.
    pub kind: Kind,
    /// How often it stands.
    pub label: Label,
}

/// How often a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// At most once; the default value is not written.
    One,
    /// At most once, and presence is told apart from the default value (`optional`).
    Optional,
    /// A member of the message's only oneof.
    Oneof,
    /// Any number of times.
    Many,
}

/// A field's type.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `bool`.
    Bool,
    /// `int32`.
    Int32,
    /// `int64`.
    Int64,
    /// `uint32`.
    Uint32,
    /// `uint64`.
    Uint64,
    /// `sint32`, zig-zag.
    Sint32,
    /// An enum: its value names.
    Enum(&'static [(&'static str, i32)]),
    /// `fixed32`.
    Fixed32,
    /// `fixed64`.
    Fixed64,
    /// `sfixed64`.
    Sfixed64,
    /// `double`.
    Double,
    /// `string`.
    String,
    /// `bytes`, base64 in JSON.
    Bytes,
    /// `bytes` that hold a trace or span id, hex in JSON.
    Id,
    /// A message.
    Message(&'static Message),
    /// A message that is one item of its signal: a span, a data point, a log record.
    Item(&'static Message),
    /// A message on the way to items: resource spans, scope spans, a metric, its gauge or sum.
    Carrier(&'static Message),
}

/// What validation does at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Unknown,
    WrongWireType,
    Varint,
    Fixed64,
    Fixed32,
    Text,
    Bytes,
    PackedVarint,
    PackedFixed64,
    Message,
    Item,
}

impl Message {
    /// The table for `fields`.
    #[expect(
        clippy::indexing_slicing,
        reason = "evaluated at compile time, where a bad index fails the build"
    )]
    pub(crate) const fn new(name: &'static str, fields: &'static [Field]) -> Self {
        let (mut ops, mut once, mut oneof) = ([Op::Unknown; 256], 0u32, 0u32);
        let (mut children, mut by_number) = ([None; 32], [None; 32]);
        let mut i = 0;
        while i < fields.len() {
            let field = &fields[i];
            let key = (field.number as usize) << 3;
            let mut wire_type = 0;
            while wire_type < 8 {
                ops[key | wire_type] = Op::WrongWireType;
                wire_type += 1;
            }
            let (wire_type, op) = field.kind.op();
            ops[key | wire_type as usize] = op;
            let many = matches!(field.label, Label::Many);
            if many && wire_type == wire::VARINT {
                ops[key | wire::LEN as usize] = Op::PackedVarint;
            } else if many && wire_type == wire::FIXED64 {
                ops[key | wire::LEN as usize] = Op::PackedFixed64;
            }
            if let Some(child) = field.kind.message() {
                children[field.number as usize] = Some(child);
                if matches!(field.label, Label::One) {
                    once |= 1 << field.number;
                }
            }
            if matches!(field.label, Label::Oneof) {
                oneof |= 1 << field.number;
            }
            by_number[field.number as usize] = Some(field);
            i += 1;
        }
        Self { name, fields, ops, once, oneof, children, by_number }
    }

    /// The field with this number.
    #[inline]
    pub fn field(&self, number: u32) -> Option<&'static Field> {
        self.by_number.get(number as usize).copied().flatten()
    }

    /// The field with this name, as `.proto` or JSON spell it.
    pub fn field_named(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|f| f.json == name || f.name == name)
    }
}

impl Kind {
    /// The schema of a message field.
    pub const fn message(self) -> Option<&'static Message> {
        match self {
            Kind::Message(schema) | Kind::Item(schema) | Kind::Carrier(schema) => Some(schema),
            _ => None,
        }
    }

    const fn op(self) -> (u8, Op) {
        match self {
            Kind::Bool | Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 => {
                (wire::VARINT, Op::Varint)
            }
            Kind::Sint32 | Kind::Enum(_) => (wire::VARINT, Op::Varint),
            Kind::Fixed32 => (wire::FIXED32, Op::Fixed32),
            Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => (wire::FIXED64, Op::Fixed64),
            Kind::String => (wire::LEN, Op::Text),
            Kind::Bytes | Kind::Id => (wire::LEN, Op::Bytes),
            Kind::Message(_) | Kind::Carrier(_) => (wire::LEN, Op::Message),
            Kind::Item(_) => (wire::LEN, Op::Item),
        }
    }
}

/// A field that stands at most once.
pub(crate) const fn one(n: u32, name: &'static str, json: &'static str, kind: Kind) -> Field {
    Field { number: n, name, json, kind, label: Label::One }
}

/// A field with presence.
pub(crate) const fn optional(n: u32, name: &'static str, json: &'static str, kind: Kind) -> Field {
    Field { number: n, name, json, kind, label: Label::Optional }
}

/// A member of the oneof.
pub(crate) const fn oneof(n: u32, name: &'static str, json: &'static str, kind: Kind) -> Field {
    Field { number: n, name, json, kind, label: Label::Oneof }
}

/// A repeated field.
pub(crate) const fn many(n: u32, name: &'static str, json: &'static str, kind: Kind) -> Field {
    Field { number: n, name, json, kind, label: Label::Many }
}
