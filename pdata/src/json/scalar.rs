//! Values of fields that are not messages.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{DeserializeSeed, Deserializer, Error, Unexpected, Visitor};

use crate::schema::Kind;
use crate::wire::to_zigzag;

/// Base64 whose padding may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A value in its wire form.
pub(super) enum Written {
    /// Null.
    Nothing,
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(Vec<u8>),
}

/// Reads a value of this kind.
pub(super) struct ScalarSeed {
    pub(super) kind: Kind,
}

impl<'de> DeserializeSeed<'de> for ScalarSeed {
    type Value = Written;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Written, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for ScalarSeed {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Bool => "true or false",
            Kind::String => "a string",
            Kind::Bytes => "a string in base64",
            Kind::Id => "a string in hex",
            Kind::Double => "a number",
            Kind::Enum(_) => "a number or name of the enum",
            _ => "an integer in the field's range",
        })
    }

    fn visit_unit<E: Error>(self) -> Result<Written, E> {
        Ok(Written::Nothing)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Written, E> {
        match self.kind {
            Kind::Bool => Ok(Written::Varint(u64::from(value))),
            _ => Err(E::invalid_type(Unexpected::Bool(value), &self)),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Written, E> {
        self.integer(i128::from(value))
            .ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Written, E> {
        self.integer(i128::from(value))
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Written, E> {
        if let Kind::Double = self.kind {
            return Ok(Written::Fixed64(value.to_bits()));
        }
        // 1e3 and 5.0 are integers, written by those who have no others.
        let whole = (value.fract() == 0.0).then_some(value as i128);
        whole
            .and_then(|value| self.integer(value))
            .ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
        let written = match self.kind {
            Kind::String => Some(Written::Bytes(text.as_bytes().to_vec())),
            Kind::Id => from_hex(text).map(Written::Bytes),
            Kind::Bytes => from_base64(text).map(Written::Bytes),
            Kind::Double => parse_double(text).map(|value| Written::Fixed64(value.to_bits())),
            Kind::Enum(names) => names
                .iter()
                .find(|(name, _)| *name == text)
                .map(|(_, number)| i128::from(*number))
                .or_else(|| text.parse().ok())
                .and_then(|number| self.integer(number)),
            Kind::Bool => None,
            _ => text.parse().ok().and_then(|value| self.integer(value)),
        };
        written.ok_or_else(|| E::invalid_value(Unexpected::Other("this string"), &self))
    }
}

impl ScalarSeed {
    /// An integer, if the field can have it.
    fn integer(&self, value: i128) -> Option<Written> {
        Some(match self.kind {
            // Negative numbers take ten bytes, as protobuf's.
            Kind::Int32 | Kind::Enum(_) => {
                Written::Varint(i64::from(i32::try_from(value).ok()?) as u64)
            }
            Kind::Int64 => Written::Varint(i64::try_from(value).ok()? as u64),
            Kind::Uint32 => Written::Varint(u64::from(u32::try_from(value).ok()?)),
            Kind::Uint64 => Written::Varint(u64::try_from(value).ok()?),
            Kind::Sint32 => {
                // The zig-zag form of 32 bits is that of 64, cut.
                let value = i64::from(i32::try_from(value).ok()?);
                Written::Varint(to_zigzag(value) & 0xffff_ffff)
            }
            Kind::Fixed32 => Written::Fixed32(u32::try_from(value).ok()?),
            Kind::Fixed64 => Written::Fixed64(u64::try_from(value).ok()?),
            Kind::Sfixed64 => Written::Fixed64(i64::try_from(value).ok()? as u64),
            Kind::Double => Written::Fixed64((value as f64).to_bits()),
            _ => return None,
        })
    }
}

fn parse_double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => text.parse().ok().filter(|value: &f64| value.is_finite()),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let standard: Vec<u8> = text
        .bytes()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect();
    BASE64.decode(standard).ok()
}
