//! Values that are no messages.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_PAD_INDIFFERENT, URL_SAFE_PAD_INDIFFERENT};
use serde::de::{Deserializer, Error, Visitor};

use super::Context;
use crate::json::JsonFault;
use crate::schema::{Field, Kind, Label};
use crate::wire::{put_fixed32, put_fixed64, put_len, put_uint, put_varint, to_zigzag};

/// Reads a scalar field.
pub(super) struct Scalar<'c> {
    pub(super) field: &'static Field,
    /// Fields, by bit, that the message has already.
    pub(super) written: &'c mut u32,
    /// Whether it stands in a list, where numbers have no key of their own.
    pub(super) packed: bool,
    pub(super) cx: &'c mut Context,
}

impl<'de> Visitor<'de> for Scalar<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field.name)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        match self.field.kind {
            Kind::Bool => self.put_integer(u64::from(value)),
            _ => Err(self.fail()),
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        match self.field.kind {
            Kind::Double => self.put_double(value as f64),
            _ => self.integer(i128::from(value)),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        match self.field.kind {
            Kind::Double => self.put_double(value as f64),
            _ => self.integer(i128::from(value)),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        match (self.field.kind, whole(value)) {
            (Kind::Double, _) => self.put_double(value),
            (_, Some(value)) => self.integer(value),
            _ => Err(self.fail()),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match self.field.kind {
            Kind::Bool => Err(self.fail()),
            Kind::Enum(values) => {
                let named = values.iter().find(|(name, _)| *name == text);
                let value = named.map(|(_, value)| i128::from(*value));
                match value.or_else(|| text.parse().ok()) {
                    Some(value) => self.integer(value),
                    None => Err(self.fail()),
                }
            }
            Kind::Double => match double(text) {
                Some(value) => self.put_double(value),
                None => Err(self.fail()),
            },
            Kind::Id => match hex(text) {
                Some(id) => self.put_bytes(&id),
                None => Err(self.fail()),
            },
            Kind::Bytes => match base64(text) {
                Some(bytes) => self.put_bytes(&bytes),
                None => Err(self.fail()),
            },
            _ => match text.parse().ok().or_else(|| whole(double(text)?)) {
                Some(value) => self.integer(value),
                None => Err(self.fail()),
            },
        }
    }

    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<(), E> {
        self.put_bytes(text)
    }
}

impl Scalar<'_> {
    /// Reads the value.
    pub(super) fn read<'de, D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        self.cx.expected = fault(self.field.kind);
        match self.field.kind {
            // Text as it stands, be it UTF-8 or not.
            Kind::String => json.deserialize_bytes(self),
            Kind::Bytes | Kind::Id => json.deserialize_str(self),
            _ => json.deserialize_any(self),
        }
    }

    /// Writes the field's default value.
    pub(super) fn put_default<E: Error>(self) -> Result<(), E> {
        match self.field.kind {
            Kind::String | Kind::Bytes | Kind::Id => self.put_bytes(&[]),
            Kind::Double => self.put_double(0.0),
            _ => self.put_integer(0),
        }
    }

    fn fail<E: Error>(self) -> E {
        self.cx.fail(fault(self.field.kind))
    }

    fn integer<E: Error>(self, value: i128) -> Result<(), E> {
        let bits = match self.field.kind {
            Kind::Int32 | Kind::Enum(_) => i32::try_from(value).ok().map(|v| i64::from(v) as u64),
            Kind::Sint32 => i32::try_from(value).ok().map(|v| to_zigzag(i64::from(v))),
            Kind::Uint32 | Kind::Fixed32 => u32::try_from(value).ok().map(u64::from),
            Kind::Int64 | Kind::Sfixed64 => i64::try_from(value).ok().map(|v| v as u64),
            Kind::Uint64 | Kind::Fixed64 => u64::try_from(value).ok(),
            _ => None,
        };
        match bits {
            Some(bits) => self.put_integer(bits),
            None => Err(self.fail()),
        }
    }

    /// A number of any type but double, as it stands on the wire.
    fn put_integer<E>(mut self, bits: u64) -> Result<(), E> {
        let (number, packed) = (self.field.number, self.packed);
        let skips = self.skips(bits == 0);
        let out = &mut self.cx.out;
        match self.field.kind {
            _ if skips => {}
            Kind::Fixed32 => put_fixed32(out, number, bits as u32),
            Kind::Fixed64 | Kind::Sfixed64 if packed => out.extend(bits.to_le_bytes()),
            Kind::Fixed64 | Kind::Sfixed64 => put_fixed64(out, number, bits),
            _ if packed => put_varint(out, bits),
            _ => put_uint(out, number, bits),
        }
        Ok(())
    }

    fn put_double<E>(mut self, value: f64) -> Result<(), E> {
        let bits = value.to_bits();
        if self.packed {
            self.cx.out.extend(bits.to_le_bytes());
        } else if !self.skips(bits == 0) {
            put_fixed64(&mut self.cx.out, self.field.number, bits);
        }
        Ok(())
    }

    fn put_bytes<E>(mut self, bytes: &[u8]) -> Result<(), E> {
        if !self.skips(bytes.is_empty()) {
            put_len(&mut self.cx.out, self.field.number, bytes);
        }
        Ok(())
    }

    /// Whether the value is not written: a default, where presence does not count and there is none to be written over.
    fn skips(&mut self, is_default: bool) -> bool {
        let bit = 1 << self.field.number;
        if is_default && self.field.label == Label::One && *self.written & bit == 0 {
            return true;
        }
        *self.written |= bit;
        false
    }
}

/// What a value of this kind has to be.
fn fault(kind: Kind) -> JsonFault {
    match kind {
        Kind::Bool => JsonFault::Bool,
        Kind::Int32 | Kind::Sint32 => integer(i32::MIN, i32::MAX),
        Kind::Uint32 | Kind::Fixed32 => integer(u32::MIN, u32::MAX),
        Kind::Int64 | Kind::Sfixed64 => integer(i64::MIN, i64::MAX),
        Kind::Uint64 | Kind::Fixed64 => integer(u64::MIN, u64::MAX),
        Kind::Enum(_) => JsonFault::Enum,
        Kind::Double => JsonFault::Double,
        Kind::String => JsonFault::Text,
        Kind::Bytes => JsonFault::Base64,
        Kind::Id => JsonFault::Hex,
        Kind::Message(_) | Kind::Item(_) | Kind::Carrier(_) => JsonFault::Object,
    }
}

fn integer(min: impl Into<i128>, max: impl Into<i128>) -> JsonFault {
    JsonFault::Integer { min: min.into(), max: max.into() }
}

/// The integer that a double is; one beyond what any field has, when it is larger.
fn whole(value: f64) -> Option<i128> {
    (value.fract() == 0.0).then_some(value as i128)
}

/// A double in a string.
fn double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        // Rust's other names for these would come out as infinite or not a number.
        _ => text.parse().ok().filter(|value: &f64| value.is_finite()),
    }
}

/// An id of hex digits in either case.
fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16).map(|digit| digit as u8);
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}

/// Base64 of the standard alphabet or, when it uses its characters, of the one for URLs.
fn base64(text: &str) -> Option<Vec<u8>> {
    let engine = match text.contains(['-', '_']) {
        true => &URL_SAFE_PAD_INDIFFERENT,
        false => &STANDARD_PAD_INDIFFERENT,
    };
    engine.decode(text).ok()
}
