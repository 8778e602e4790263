//! Attributes, values, resource and scope.

use std::fmt;

use super::{Extent, Message, Repeated};
use crate::wire::{FieldValue, Reader};

/// Text that validation found, or made, UTF-8.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Str<'a>(&'a [u8]);

impl<'a> Str<'a> {
    /// The bytes: what an exporter copies into its output.
    #[inline]
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The text. Checks it once more, which copying `as_bytes` does not need.
    pub fn as_str(self) -> &'a str {
        std::str::from_utf8(self.0).unwrap_or_default()
    }

    /// Whether it is empty.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(crate) fn from_field(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> From<&'a str> for Str<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

impl PartialEq<str> for Str<'_> {
    #[inline]
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Str<'_> {
    #[inline]
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Display for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A list of attributes.
pub type Attributes<'a> = Repeated<'a, KeyValue<'a>>;

impl<'a> Attributes<'a> {
    /// The value of the first attribute with this key.
    pub fn get(&self, key: &str) -> Option<AnyValue<'a>> {
        let body = self.bodies().find(|body| KeyValue::has_key(body, key.as_bytes()))?;
        Some(KeyValue::read(body).value)
    }
}

/// An attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeyValue<'a> {
    /// Its key.
    pub key: Str<'a>,
    /// Its value.
    pub value: AnyValue<'a>,
}

impl<'a> KeyValue<'a> {
    /// Key and encoded value of nearly every attribute: both shorter than 128 bytes, in this order, and nothing else.
    #[inline(always)]
    fn plain(body: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let (&[0x0a, key_len @ ..0x80], rest) = body.split_first_chunk()? else { return None };
        let (key, rest) = rest.split_at_checked(usize::from(key_len))?;
        let (&[0x12, value_len @ ..0x80], value) = rest.split_first_chunk()? else { return None };
        (usize::from(value_len) == value.len()).then_some((key, value))
    }

    /// Whether an encoded attribute has this key.
    #[inline]
    pub(crate) fn has_key(body: &'a [u8], key: &[u8]) -> bool {
        match Self::plain(body) {
            Some((own, _)) => own == key,
            None => Self::read(body).key.0 == key,
        }
    }

    /// Whether an encoded attribute has no other fields than key and value.
    pub(crate) fn is_plain(body: &'a [u8]) -> bool {
        Self::plain(body).is_some() || Reader::new(body).all(|field| field.number <= 2)
    }
}

impl<'a> Message<'a> for KeyValue<'a> {
    #[inline]
    fn read(body: &'a [u8]) -> Self {
        if let Some((key, value)) = Self::plain(body) {
            return Self { key: Str(key), value: AnyValue::read(value) };
        }
        let mut this = Self { key: Str::default(), value: AnyValue::Empty };
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (1, FieldValue::Len(key)) => this.key = Str(key),
                (2, FieldValue::Len(value)) => this.value = AnyValue::read(value),
                _ => {}
            }
        }
        this
    }
}

/// A value of an attribute or a log body.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum AnyValue<'a> {
    /// No value.
    #[default]
    Empty,
    /// Text.
    Str(Str<'a>),
    /// A boolean.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// A list.
    Array(ArrayValue<'a>),
    /// A map in the order of its keys on the wire; keys may repeat.
    KeyValueList(KeyValueList<'a>),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl<'a> AnyValue<'a> {
    /// The text of a string value.
    pub fn as_str(&self) -> Option<Str<'a>> {
        match self {
            AnyValue::Str(text) => Some(*text),
            _ => None,
        }
    }
}

impl<'a> Message<'a> for AnyValue<'a> {
    #[inline]
    fn read(body: &'a [u8]) -> Self {
        if let [0x0a, len @ ..0x80, text @ ..] = body
            && usize::from(*len) == text.len()
        {
            return AnyValue::Str(Str(text));
        }
        let mut value = AnyValue::Empty;
        for field in Reader::new(body) {
            value = match (field.number, field.value) {
                (1, FieldValue::Len(text)) => AnyValue::Str(Str(text)),
                (2, FieldValue::Varint(bit)) => AnyValue::Bool(bit != 0),
                (3, FieldValue::Varint(int)) => AnyValue::Int(int as i64),
                (4, FieldValue::Fixed64(bits)) => AnyValue::Double(f64::from_bits(bits)),
                (5, FieldValue::Len(list)) => AnyValue::Array(ArrayValue(list)),
                (6, FieldValue::Len(map)) => AnyValue::KeyValueList(KeyValueList(map)),
                (7, FieldValue::Len(bytes)) => AnyValue::Bytes(bytes),
                _ => value,
            };
        }
        value
    }
}

/// A list of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArrayValue<'a>(&'a [u8]);

impl<'a> ArrayValue<'a> {
    /// The encoded `ArrayValue`.
    pub(crate) fn body(&self) -> &'a [u8] {
        self.0
    }

    /// The values.
    pub fn values(&self) -> Repeated<'a, AnyValue<'a>> {
        Repeated::all_of(self.0, 1)
    }
}

/// A map of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeyValueList<'a>(&'a [u8]);

impl<'a> KeyValueList<'a> {
    /// The encoded `KeyValueList`.
    pub(crate) fn body(&self) -> &'a [u8] {
        self.0
    }

    /// The entries.
    pub fn entries(&self) -> Attributes<'a> {
        Repeated::all_of(self.0, 1)
    }
}

/// What the telemetry is about: a service, a host, a function.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// Its attributes.
    pub attributes: Attributes<'a>,
    /// Attributes that were dropped before they reached us.
    pub dropped_attributes_count: u32,
    /// The entities it describes.
    pub entity_refs: Repeated<'a, EntityRef<'a>>,
}

impl<'a> Message<'a> for Resource<'a> {
    fn read(body: &'a [u8]) -> Self {
        let (mut attributes, mut entities, mut dropped) = (Extent::NONE, Extent::NONE, 0);
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (1, _) => attributes.add(body, &field),
                (2, FieldValue::Varint(count)) => dropped = count as u32,
                (3, _) => entities.add(body, &field),
                _ => {}
            }
        }
        Self {
            attributes: attributes.repeated(1),
            dropped_attributes_count: dropped,
            entity_refs: entities.repeated(3),
        }
    }
}

impl Default for Resource<'_> {
    fn default() -> Self {
        Self::read(&[])
    }
}

/// An entity that a resource describes, by the resource's attributes that identify it.
#[derive(Clone, Copy, Debug)]
pub struct EntityRef<'a> {
    /// Schema of the entity type.
    pub schema_url: Str<'a>,
    /// The entity's type: `service`, `host`.
    pub entity_type: Str<'a>,
    /// Keys of the attributes that identify it.
    pub id_keys: Strings<'a>,
    /// Keys of the attributes that describe it.
    pub description_keys: Strings<'a>,
}

impl<'a> Message<'a> for EntityRef<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut this = Self {
            schema_url: Str::default(),
            entity_type: Str::default(),
            id_keys: Strings { body, number: 3 },
            description_keys: Strings { body, number: 4 },
        };
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (1, FieldValue::Len(url)) => this.schema_url = Str(url),
                (2, FieldValue::Len(name)) => this.entity_type = Str(name),
                _ => {}
            }
        }
        this
    }
}

/// Text that repeats.
#[derive(Clone, Copy, Debug)]
pub struct Strings<'a> {
    body: &'a [u8],
    number: u32,
}

impl<'a> Strings<'a> {
    /// The texts in order.
    pub fn iter(&self) -> impl Iterator<Item = Str<'a>> + use<'a> {
        let number = self.number;
        Reader::new(self.body).filter_map(move |field| match field.value {
            FieldValue::Len(text) if field.number == number => Some(Str(text)),
            _ => None,
        })
    }
}

/// The instrumentation scope that produced the telemetry.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Its name.
    pub name: Str<'a>,
    /// Its version.
    pub version: Str<'a>,
    /// Its attributes.
    pub attributes: Attributes<'a>,
    /// Attributes that were dropped before they reached us.
    pub dropped_attributes_count: u32,
}

impl<'a> Message<'a> for Scope<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut this = Self {
            name: Str::default(),
            version: Str::default(),
            attributes: Repeated::all_of(&[], 3),
            dropped_attributes_count: 0,
        };
        let mut attributes = Extent::NONE;
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (1, FieldValue::Len(name)) => this.name = Str(name),
                (2, FieldValue::Len(version)) => this.version = Str(version),
                (3, _) => attributes.add(body, &field),
                (4, FieldValue::Varint(count)) => this.dropped_attributes_count = count as u32,
                _ => {}
            }
        }
        this.attributes = attributes.repeated(3);
        this
    }
}

impl Default for Scope<'_> {
    fn default() -> Self {
        Self::read(&[])
    }
}
