//! Events and links as the exporter writes them into annotations and tags: `…|{"key": value}|dropped`.

use std::fmt;

use pdata::wire;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::attributes::{self, Value};
use super::span;

/// Attributes nested deeper than this are left as text: OTLP's own limit of 100 messages is near.
const DEPTH_MAX: usize = 30;

/// Appends an `Event` as field `number`. An annotation in the exporter's form becomes an event with attributes; any other is
/// an event whose name it is.
pub(super) fn put_event(out: &mut Vec<u8>, number: u32, time: u64, text: &[u8]) {
    wire::put_message(out, number, |out| {
        wire::put_fixed64(out, 1, time);
        let start = out.len();
        if let Some(parts) = Parts::of(text) {
            wire::put_len(out, 2, parts.before);
            if put_attributes(out, 3, parts.attributes).is_some() {
                return put_dropped(out, 4, parts.dropped);
            }
            out.truncate(start);
        }
        wire::put_len(out, 2, text);
    });
}

/// Appends a `Link` as field `number` when the text is one in the exporter's form: `trace id|span id|trace state|…`.
pub(super) fn put_link(out: &mut Vec<u8>, number: u32, text: &[u8]) -> Option<()> {
    let (trace_id, rest) = split_once(text)?;
    let (span_id, rest) = split_once(rest)?;
    let parts = Parts::of(rest)?;
    let (trace_id, span_id) = (span::hex::<16>(trace_id)?, span::hex::<8>(span_id)?);
    let start = out.len();
    let mut written = None;
    wire::put_message(out, number, |out| {
        // An id of zeros is none.
        if trace_id != [0; 16] {
            wire::put_len(out, 1, &trace_id);
        }
        if span_id != [0; 8] {
            wire::put_len(out, 2, &span_id);
        }
        if !parts.before.is_empty() {
            wire::put_len(out, 3, parts.before);
        }
        written = put_attributes(out, 4, parts.attributes);
        put_dropped(out, 5, parts.dropped);
    });
    if written.is_none() {
        out.truncate(start);
    }
    written
}

/// `before|{attributes}|dropped`. What stands before may hold bars of its own.
struct Parts<'a> {
    before: &'a [u8],
    attributes: &'a [u8],
    dropped: u32,
}

impl<'a> Parts<'a> {
    fn of(text: &'a [u8]) -> Option<Self> {
        let last = text.iter().rposition(|&byte| byte == b'|')?;
        let dropped = text.get(last + 1..)?;
        if dropped.is_empty() || !dropped.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let dropped = std::str::from_utf8(dropped).ok()?.parse().ok()?;
        let described = text.get(..last)?;
        let bar = described.windows(2).position(|pair| pair == b"|{")?;
        let (before, attributes) = (described.get(..bar)?, described.get(bar + 1..)?);
        Some(Self { before, attributes, dropped })
    }
}

fn split_once(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let bar = text.iter().position(|&byte| byte == b'|')?;
    Some((text.get(..bar)?, text.get(bar + 1..)?))
}

fn put_dropped(out: &mut Vec<u8>, number: u32, dropped: u32) {
    if dropped > 0 {
        wire::put_uint(out, number, u64::from(dropped));
    }
}

/// Appends the entries of a JSON object as attributes. When it is none, what was appended is to be taken back.
fn put_attributes(out: &mut Vec<u8>, number: u32, json: &[u8]) -> Option<()> {
    let mut json = serde_json::Deserializer::from_slice(json);
    json.deserialize_map(Entries { out, number, depth: DEPTH_MAX }).ok()?;
    json.end().ok()
}

/// Writes a message whose inside may fail.
fn try_message<E>(
    out: &mut Vec<u8>,
    number: u32,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let mut result = Ok(());
    wire::put_message(out, number, |out| result = write(out));
    result
}

/// Writes a JSON object's entries as `KeyValue`s.
struct Entries<'o> {
    out: &'o mut Vec<u8>,
    number: u32,
    depth: usize,
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            try_message(self.out, self.number, |out| {
                wire::put_len(out, 1, key.as_bytes());
                try_message(out, 2, |out| map.next_value_seed(Inside { out, depth: self.depth }))
            })?;
        }
        Ok(())
    }
}

/// Writes a JSON value as the inside of an `AnyValue`. Whole numbers are integers, as upstream has it.
struct Inside<'o> {
    out: &'o mut Vec<u8>,
    depth: usize,
}

impl Inside<'_> {
    fn put<E>(self, value: Value<'_>) -> Result<(), E> {
        attributes::put_value(self.out, value);
        Ok(())
    }

    fn deeper<E: de::Error>(&self) -> Result<usize, E> {
        self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))
    }
}

impl<'de> DeserializeSeed<'de> for Inside<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inside<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.put(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.put(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        let whole = i64::try_from(value).map(Value::Int);
        self.put(whole.unwrap_or(Value::Double(value as f64)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        // Up to 2^63, which is the first that does not fit.
        let whole = value.fract() == 0.0 && value.abs() < 9_223_372_036_854_775_808.0;
        self.put(if whole { Value::Int(value as i64) } else { Value::Double(value) })
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.put(Value::Str(value.as_bytes()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        try_message(self.out, 5, |out| {
            let mut more = true;
            while more {
                let start = out.len();
                try_message(out, 1, |out| {
                    more = list.next_element_seed(Inside { out, depth })?.is_some();
                    Ok(())
                })?;
                if !more {
                    out.truncate(start);
                }
            }
            Ok(())
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        try_message(self.out, 6, |out| Entries { out, number: 1, depth }.visit_map(map))
    }
}
