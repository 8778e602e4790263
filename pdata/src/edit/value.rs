//! Values under edit, and values made from nothing.

use super::attributes::AttributesMut;
use super::body::Body;
use super::message::{Editable, ListMut, MessageMut};
use crate::schema::common::{ANY_VALUE, ARRAY_VALUE, KEY_VALUE_LIST};
use crate::validate::{DEPTH_MAX, fits};
use crate::view::{AnyValue, Str};
use crate::wire::{put_fixed64, put_len, put_message, put_uint};

const ARRAY: u32 = 5;
const MAP: u32 = 6;

/// A value under edit: of an attribute, of a list, or a log record's body.
pub type ValueMut<'s> = MessageMut<'s, Value>;

/// A list of values under edit.
pub type ArrayMut<'b, 's> = ListMut<'b, 's, Value>;

/// Marks [`ValueMut`].
#[derive(Debug)]
pub enum Value {}

impl Editable for Value {
    type View<'v> = AnyValue<'v>;
}

/// A value that would nest deeper than 100 messages: every receiver would refuse the request that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value would nest messages deeper than {DEPTH_MAX}")]
pub struct TooDeep;

impl ValueMut<'_> {
    /// Sets the value.
    ///
    /// # Errors
    /// When it nests too deep for where it would stand; nothing has changed then.
    pub fn set<'v>(&mut self, value: impl Into<AnyValue<'v>>) -> Result<(), TooDeep> {
        let value = value.into();
        check_depth(value, self.body.depth)?;
        self.body.put(ANY_VALUE.oneof, |out| put_value(out, value));
        Ok(())
    }

    /// Edits the map that the value is. `None` when it is none.
    pub fn map<R>(&mut self, edit: impl FnOnce(&mut AttributesMut<'_, '_>) -> R) -> Option<R> {
        let AnyValue::KeyValueList(_) = self.view() else { return None };
        Some(self.body.edit_child(MAP, |mut body| {
            let result = edit(&mut AttributesMut::new(&mut body, 1));
            (body, result)
        }))
    }

    /// Edits the list that the value is. `None` when it is none.
    pub fn array<R>(&mut self, edit: impl FnOnce(&mut ArrayMut<'_, '_>) -> R) -> Option<R> {
        let AnyValue::Array(_) = self.view() else { return None };
        Some(self.body.edit_child(ARRAY, |mut body| {
            let result = edit(&mut ArrayMut::new(&mut body, 1));
            (body, result)
        }))
    }
}

/// A value of its own, for what is made during an edit or kept beyond it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueBuf(Vec<u8>);

impl ValueBuf {
    /// A map of what `fill` puts into it.
    pub fn map(fill: impl FnOnce(&mut AttributesMut<'_, '_>)) -> Self {
        let mut body = Body::new(&[], DEPTH_MAX, Vec::new());
        fill(&mut AttributesMut::new(&mut body, 1));
        Self::of_child(MAP, body)
    }

    /// A list of what `fill` puts into it.
    pub fn array(fill: impl FnOnce(&mut ArrayMut<'_, '_>)) -> Self {
        let mut body = Body::new(&[], DEPTH_MAX, Vec::new());
        fill(&mut ArrayMut::new(&mut body, 1));
        Self::of_child(ARRAY, body)
    }

    fn of_child(number: u32, body: Body<'_>) -> Self {
        let mut out = Vec::new();
        put_len(&mut out, number, body.bytes());
        Self(out)
    }

    /// The value.
    pub fn view(&self) -> AnyValue<'_> {
        crate::view::Message::read(&self.0)
    }
}

impl<'v, V: Into<AnyValue<'v>>> From<V> for ValueBuf {
    fn from(value: V) -> Self {
        let mut out = Vec::new();
        put_value(&mut out, value.into());
        Self(out)
    }
}

impl<'v> From<&'v ValueBuf> for AnyValue<'v> {
    fn from(value: &'v ValueBuf) -> Self {
        value.view()
    }
}

impl<'v> From<&'v str> for AnyValue<'v> {
    fn from(text: &'v str) -> Self {
        AnyValue::Str(text.into())
    }
}

impl<'v> From<Str<'v>> for AnyValue<'v> {
    fn from(text: Str<'v>) -> Self {
        AnyValue::Str(text)
    }
}

impl From<bool> for AnyValue<'_> {
    fn from(value: bool) -> Self {
        AnyValue::Bool(value)
    }
}

impl From<i64> for AnyValue<'_> {
    fn from(value: i64) -> Self {
        AnyValue::Int(value)
    }
}

impl From<f64> for AnyValue<'_> {
    fn from(value: f64) -> Self {
        AnyValue::Double(value)
    }
}

impl<'v> From<&'v [u8]> for AnyValue<'v> {
    fn from(bytes: &'v [u8]) -> Self {
        AnyValue::Bytes(bytes)
    }
}

/// Whether a value may stand in an `AnyValue` below which `depth` messages may nest.
pub(super) fn check_depth(value: AnyValue<'_>, depth: u32) -> Result<(), TooDeep> {
    let fits = match value {
        AnyValue::Array(array) => depth > 0 && fits(&ARRAY_VALUE, array.body(), depth - 1),
        AnyValue::KeyValueList(map) => depth > 0 && fits(&KEY_VALUE_LIST, map.body(), depth - 1),
        _ => true,
    };
    if fits { Ok(()) } else { Err(TooDeep) }
}

/// Appends the body of an `AnyValue`.
pub(super) fn put_value(out: &mut Vec<u8>, value: AnyValue<'_>) {
    match value {
        AnyValue::Empty => {}
        AnyValue::Str(text) => put_len(out, 1, text.as_bytes()),
        AnyValue::Bool(value) => put_uint(out, 2, u64::from(value)),
        AnyValue::Int(value) => put_uint(out, 3, value as u64),
        AnyValue::Double(value) => put_fixed64(out, 4, value.to_bits()),
        AnyValue::Array(array) => put_len(out, ARRAY, array.body()),
        AnyValue::KeyValueList(map) => put_len(out, MAP, map.body()),
        AnyValue::Bytes(bytes) => put_len(out, 7, bytes),
    }
}

/// Appends a `KeyValue` field.
pub(super) fn put_attribute(out: &mut Vec<u8>, number: u32, key: &[u8], value: AnyValue<'_>) {
    put_message(out, number, |out| {
        put_len(out, 1, key);
        put_message(out, 2, |out| put_value(out, value));
    });
}
