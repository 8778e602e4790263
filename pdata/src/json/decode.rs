//! From JSON text straight to protobuf bytes, without a tree in between.

use std::cell::RefCell;
use std::fmt;
use std::fmt::Write as _;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::JsonError;
use super::scalar::{ScalarSeed, Written};
use crate::schema::{Field, Label, Message};
use crate::wire::{self, put_message};

/// The request's bytes.
pub(super) fn decode(schema: &'static Message, text: &[u8]) -> Result<Vec<u8>, JsonError> {
    let mut out = Vec::with_capacity(text.len() / 2);
    let path = RefCell::new(Vec::new());
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let seed = MessageSeed { schema, out: &mut out, path: &path };
    let result = seed.deserialize(&mut deserializer).and_then(|_| deserializer.end());
    result.map_err(|source| JsonError::Malformed { path: render(&path.borrow()), source })?;
    Ok(out)
}

/// A step on the way to a value. Steps are taken back only when the value was sound, so after an error they name it.
enum Step {
    Field(&'static str),
    Index(usize),
}

fn render(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        // Writing to a string does not fail.
        let _written = match step {
            Step::Field(name) if path.is_empty() => write!(path, "{name}"),
            Step::Field(name) => write!(path, ".{name}"),
            Step::Index(index) => write!(path, "[{index}]"),
        };
    }
    path
}

/// Writes the fields of one message.
struct MessageSeed<'a> {
    schema: &'static Message,
    out: &'a mut Vec<u8>,
    path: &'a RefCell<Vec<Step>>,
}

impl<'de> DeserializeSeed<'de> for MessageSeed<'_> {
    /// Whether there was a message; false for null.
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MessageSeed<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object ({})", self.schema.name)
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while let Some(field) = map.next_key_seed(KeySeed(self.schema))? {
            let Some(field) = field else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            self.path.borrow_mut().push(Step::Field(field.json));
            map.next_value_seed(FieldSeed { field, out: self.out, path: self.path })?;
            self.path.borrow_mut().pop();
        }
        Ok(true)
    }
}

/// Finds the field of a key; nothing for an unknown one.
struct KeySeed(&'static Message);

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Option<&'static Field>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Option<&'static Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.field_named(name))
    }
}

/// Writes one field, however often it repeats.
struct FieldSeed<'a> {
    field: &'static Field,
    out: &'a mut Vec<u8>,
    path: &'a RefCell<Vec<Step>>,
}

impl FieldSeed<'_> {
    /// Writes one occurrence.
    fn occurrence<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { field, out, path } = self;
        if let Some(schema) = field.kind.message() {
            let start = out.len();
            let there = put_message(out, field.number, |out| {
                MessageSeed { schema, out, path }.deserialize(deserializer)
            })?;
            // In a list every element counts, so null stands for an empty message there.
            if !there && field.label != Label::Many {
                out.truncate(start);
            }
            return Ok(());
        }
        let always = field.label != Label::One;
        match (ScalarSeed { kind: field.kind }).deserialize(deserializer)? {
            Written::Nothing => {}
            Written::Varint(value) if always || value != 0 => {
                wire::put_uint(out, field.number, value);
            }
            Written::Fixed64(bits) if always || bits != 0 => {
                wire::put_fixed64(out, field.number, bits);
            }
            Written::Fixed32(bits) if always || bits != 0 => {
                wire::put_fixed32(out, field.number, bits);
            }
            Written::Bytes(bytes) if always || !bytes.is_empty() => {
                wire::put_len(out, field.number, &bytes);
            }
            _default => {}
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.field.label {
            Label::Many => deserializer.deserialize_any(self),
            Label::One | Label::Optional | Label::Oneof => self.occurrence(deserializer),
        }
    }
}

impl<'de> Visitor<'de> for FieldSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { field, out, path } = self;
        let mut index = 0;
        loop {
            path.borrow_mut().push(Step::Index(index));
            let element = ElementSeed(FieldSeed { field, out, path });
            let more = list.next_element_seed(element)?.is_some();
            path.borrow_mut().pop();
            if !more {
                return Ok(());
            }
            index += 1;
        }
    }
}

/// One element of a list.
struct ElementSeed<'a>(FieldSeed<'a>);

impl<'de> DeserializeSeed<'de> for ElementSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.occurrence(deserializer)
    }
}
