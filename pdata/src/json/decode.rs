//! JSON to protobuf, driven by the schema: serde_json walks the text, each value is written as it is read.

mod scalar;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use self::scalar::Scalar;
use super::{JsonError, JsonFault};
use crate::schema::{Field, Kind, Label, Message};
use crate::validate::DEPTH_MAX;
use crate::wire::{begin_message, end_message};

/// Steps of a path that an error names: enough for the attribute of an exemplar.
const STEPS_MAX: usize = 20;

/// The protobuf message that a JSON text stands for.
pub(super) fn message(schema: &'static Message, json: &[u8]) -> Result<Vec<u8>, JsonError> {
    let mut cx = Context {
        out: Vec::with_capacity(json.len() / 2),
        expected: JsonFault::Object,
        fault: None,
        trail: Vec::new(),
    };
    let mut json = serde_json::Deserializer::from_slice(json);
    // Depth is counted in messages, as in protobuf.
    json.disable_recursion_limit();
    let read = MessageSeed { schema, depth: DEPTH_MAX, cx: &mut cx }.deserialize(&mut json);
    match read.and_then(|()| json.end()) {
        Ok(()) => Ok(cx.out),
        Err(error) => Err(cx.error(&error)),
    }
}

/// What is common to a whole text.
struct Context {
    /// The message so far.
    out: Vec<u8>,
    /// What is wrong if the next value is of another JSON type than its field.
    expected: JsonFault,
    /// What is wrong with a value of the right type.
    fault: Option<JsonFault>,
    /// Where, from the inside out; filled on the way out.
    trail: Vec<Step>,
}

/// A step from a message to a part of it.
enum Step {
    Field(&'static Field),
    Index(usize),
}

impl Context {
    fn error(self, error: &serde_json::Error) -> JsonError {
        let fault = self.fault.unwrap_or(match error.classify() {
            Category::Data => self.expected,
            Category::Eof => JsonFault::Truncated,
            Category::Syntax | Category::Io => JsonFault::Syntax,
        });
        let mut path = String::new();
        for step in self.trail.iter().rev().take(STEPS_MAX) {
            match step {
                Step::Field(field) => {
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(field.json);
                }
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        if self.trail.len() > STEPS_MAX {
            path.push_str("...");
        }
        JsonError { line: error.line(), column: error.column(), path, fault }
    }

    /// The error for a value of the right JSON type that is wrong. serde's own messages would quote it.
    fn fail<E: Error>(&mut self, fault: JsonFault) -> E {
        self.fault = Some(fault);
        E::custom("")
    }
}

/// Reads an object, into the end of the output.
struct MessageSeed<'c> {
    schema: &'static Message,
    /// How many messages may nest below this one.
    depth: u32,
    cx: &'c mut Context,
}

impl<'de> DeserializeSeed<'de> for MessageSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MessageSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.schema.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut written = 0;
        while let Some(field) = map.next_key_seed(KeySeed(self.schema))? {
            let Some(field) = field else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let (depth, cx) = (self.depth, &mut *self.cx);
            let value = ValueSeed { field, depth, written: &mut written, in_list: false, cx };
            map.next_value_seed(value).inspect_err(|_| self.cx.trail.push(Step::Field(field)))?;
        }
        Ok(())
    }
}

/// Reads a field's name: which field of the message it is, if any.
struct KeySeed(&'static Message);

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Option<&'static Field>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Option<&'static Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.field_named(name))
    }
}

/// Reads a field's value, or an element of it when it repeats.
struct ValueSeed<'c> {
    field: &'static Field,
    /// How many messages may nest below the one that has the field.
    depth: u32,
    /// Fields, by bit, that the message has already: a default value must be written over them, but not else.
    written: &'c mut u32,
    in_list: bool,
    cx: &'c mut Context,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field.name)
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        // In a list every element counts: null is an element of default value there, as the Collector reads it.
        if !self.in_list {
            return Ok(());
        }
        if self.field.kind.message().is_some() {
            let start = begin_message(&mut self.cx.out, self.field.number);
            end_message(&mut self.cx.out, start);
            return Ok(());
        }
        let Self { field, written, cx, .. } = self;
        Scalar { field, written, packed: true, cx }.put_default()
    }

    fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        let Self { field, depth, written, in_list, cx } = self;
        if field.label == Label::Many && !in_list {
            cx.expected = JsonFault::List;
            return json.deserialize_seq(ListVisitor { field, depth, written, cx });
        }
        let Some(schema) = field.kind.message() else {
            return Scalar { field, written, packed: in_list, cx }.read(json);
        };
        cx.expected = JsonFault::Object;
        let depth = depth.checked_sub(1).ok_or_else(|| cx.fail(JsonFault::Depth))?;
        let start = begin_message(&mut cx.out, field.number);
        MessageSeed { schema, depth, cx: &mut *cx }.deserialize(json)?;
        end_message(&mut cx.out, start);
        Ok(())
    }
}

/// Reads a list.
struct ListVisitor<'c> {
    field: &'static Field,
    depth: u32,
    written: &'c mut u32,
    cx: &'c mut Context,
}

impl<'de> Visitor<'de> for ListVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field.name)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { field, depth, written, cx } = self;
        let before = cx.out.len();
        let packed = matches!(field.kind, Kind::Fixed64 | Kind::Double | Kind::Uint64)
            .then(|| begin_message(&mut cx.out, field.number));
        let mut index = 0;
        loop {
            let element = ValueSeed { field, depth, written, in_list: true, cx: &mut *cx };
            let more = list.next_element_seed(element);
            let more = more.inspect_err(|_| cx.trail.push(Step::Index(index)))?;
            if more.is_none() {
                break;
            }
            index += 1;
        }
        match packed {
            Some(_) if index == 0 => cx.out.truncate(before),
            Some(start) => end_message(&mut cx.out, start),
            None => {}
        }
        Ok(())
    }
}
