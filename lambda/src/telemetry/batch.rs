//! A batch, read event by event.

use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::event::{Event, EventKind, Record};
use super::time::parse_time;

/// What a batch held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The events, in the order in which they came.
    pub events: Vec<Event>,
    /// Elements that are no events: not an object, or one without a `type`.
    pub odd: usize,
    /// What ended the reading early.
    pub fault: Option<Fault>,
}

/// What is wrong with a batch as a whole. Names no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Something else than a list.
    #[error("is not a JSON array")]
    NotAnArray,
    /// The JSON breaks off, or breaks a rule; what stood before that is kept.
    #[error("is broken JSON at line {line}, column {column}")]
    Broken {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
}

/// Reads a batch. Text that is not UTF-8 is repaired with U+FFFD. An element that is no event costs no other its place; broken JSON
/// costs what stands behind the break.
pub fn parse(body: &[u8]) -> Parsed {
    let text = String::from_utf8_lossy(body);
    let mut parsed = Parsed::default();
    let mut json = serde_json::Deserializer::from_str(&text);
    let elements = Elements(&mut parsed);
    let result = json.deserialize_any(elements).and_then(|()| json.end());
    if let Err(error) = result {
        let is_no_array = error.is_data() && parsed == Parsed::default();
        parsed.fault = Some(if is_no_array {
            Fault::NotAnArray
        } else {
            Fault::Broken { line: error.line(), column: error.column() }
        });
    }
    parsed
}

/// Takes the elements of the array one by one, so that what was read stays when a later one is broken.
struct Elements<'p>(&'p mut Parsed);

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<&RawValue>()? {
            match event(element.get()) {
                Some(event) => self.0.events.push(event),
                None => self.0.odd += 1,
            }
        }
        Ok(())
    }
}

/// The outside of an event. The record is left for later, so that nothing in it can spoil the rest.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Outside<'a> {
    #[serde(borrow)]
    time: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    record: Option<&'a RawValue>,
}

fn event(json: &str) -> Option<Event> {
    let outside: Outside<'_> = serde_json::from_str(json).ok()?;
    let kind = EventKind::of(&text(outside.kind?.get())?);
    let time = outside.time.map(RawValue::get);
    let time =
        time.and_then(|json| text(json).map_or_else(|| parse_time(json), |t| parse_time(&t)));
    let record = outside.record.map_or(Record::Json("null".to_owned()), |raw| record(raw.get()));
    Some(Event { time, kind, record })
}

fn record(json: &str) -> Record {
    if let Some(line) = text(json) {
        return Record::Text(line);
    }
    match serde_json::from_str::<Map<String, Value>>(json) {
        Ok(object) => Record::Object(object),
        Err(_) => Record::Json(json.to_owned()),
    }
}

/// A JSON string. Half a surrogate pair, which JSON can write and UTF-8 cannot, becomes U+FFFD.
fn text(json: &str) -> Option<String> {
    struct Lossy(String);

    impl<'de> Deserialize<'de> for Lossy {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_bytes(LossyVisitor)
        }
    }

    struct LossyVisitor;

    impl Visitor<'_> for LossyVisitor {
        type Value = Lossy;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Lossy, E> {
            Ok(Lossy(text.to_owned()))
        }

        fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Lossy, E> {
            Ok(Lossy(String::from_utf8_lossy(bytes).into_owned()))
        }
    }

    if !json.starts_with('"') {
        return None;
    }
    serde_json::from_str::<Lossy>(json).ok().map(|lossy| lossy.0)
}

#[cfg(test)]
mod tests;
