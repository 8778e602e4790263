//! Attributes under edit: of an item, a resource, a scope, or the map that a value is.

use std::ops::Range;

use super::body::Body;
use super::message::{Editable, MessageMut};
use super::rewriter::fields;
use super::value::{TooDeep, Value, ValueMut, check_depth, put_attribute, put_value};
use crate::view::{AnyValue, Attributes, KeyValue, Message, Repeated, Str};
use crate::wire::{FieldValue, put_message};

const KEY: u32 = 1;
const VALUE: u32 = 2;

/// A list of attributes under edit. OTLP wants keys to be unique; where a sender repeats one, reading finds the first, and an edit of
/// that key leaves at most one behind, so nothing that was to be replaced or removed stays.
#[derive(Debug)]
pub struct AttributesMut<'b, 's> {
    body: &'b mut Body<'s>,
    number: u32,
}

/// An attribute under edit.
pub type AttributeMut<'s> = MessageMut<'s, Attribute>;

/// Marks [`AttributeMut`].
#[derive(Debug)]
pub enum Attribute {}

impl Editable for Attribute {
    type View<'v> = KeyValue<'v>;
}

impl<'b, 's> AttributesMut<'b, 's> {
    pub(super) fn new(body: &'b mut Body<'s>, number: u32) -> Self {
        Self { body, number }
    }

    /// The attributes as they stand now.
    pub fn view(&self) -> Attributes<'_> {
        Repeated::all_of(self.body.bytes(), self.number)
    }

    /// The value of the first attribute with this key.
    pub fn get(&self, key: &str) -> Option<AnyValue<'_>> {
        self.view().get(key)
    }

    /// Whether there is an attribute with this key.
    pub fn contains(&self, key: &str) -> bool {
        self.find(key).next().is_some()
    }

    /// Sets the value of a key, be it there or not.
    ///
    /// # Errors
    /// When the value nests too deep; nothing has changed then.
    pub fn set<'v>(&mut self, key: &str, value: impl Into<AnyValue<'v>>) -> Result<(), TooDeep> {
        let value = self.checked(value.into())?;
        match self.find_only(key) {
            Some(place) => self.put_at(place, key, value),
            None => self.append(key, value),
        }
        Ok(())
    }

    /// Sets the value of a key that is not there. Says whether it was not.
    ///
    /// # Errors
    /// When the value nests too deep; nothing has changed then.
    pub fn insert<'v>(
        &mut self,
        key: &str,
        value: impl Into<AnyValue<'v>>,
    ) -> Result<bool, TooDeep> {
        let value = self.checked(value.into())?;
        let absent = !self.contains(key);
        if absent {
            self.append(key, value);
        }
        Ok(absent)
    }

    /// Sets the value of a key that is there. Says whether it was.
    ///
    /// # Errors
    /// When the value nests too deep; nothing has changed then.
    pub fn update<'v>(
        &mut self,
        key: &str,
        value: impl Into<AnyValue<'v>>,
    ) -> Result<bool, TooDeep> {
        let value = self.checked(value.into())?;
        let place = self.find_only(key);
        let present = place.is_some();
        if let Some(place) = place {
            self.put_at(place, key, value);
        }
        Ok(present)
    }

    /// Edits the value of a key. `None` when it is not there.
    pub fn edit<R>(&mut self, key: &str, edit: impl FnOnce(&mut ValueMut<'_>) -> R) -> Option<R> {
        let Place { range, len, .. } = self.find_only(key)?;
        Some(self.body.edit_at(self.number, range, len, |attribute| {
            MessageMut::with(attribute, |attribute: &mut AttributeMut<'_>| attribute.value(edit))
        }))
    }

    /// Removes a key. Says whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        let place = self.find_only(key);
        let present = place.is_some();
        if let Some(place) = place {
            self.body.replace(place.range, |_| {});
        }
        present
    }

    /// Keeps the attributes that `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(Str<'_>, AnyValue<'_>) -> bool) {
        let number = self.number;
        self.body.rewrite(|field, _| match field.value {
            FieldValue::Len(body) if field.number == number => {
                let attribute = KeyValue::read(body);
                !keep(attribute.key, attribute.value)
            }
            _ => false,
        });
    }

    /// Edits, or removes, each attribute in order.
    pub fn for_each(&mut self, mut edit: impl FnMut(&mut AttributeMut<'_>)) {
        self.body.edit_children(self.number, |body| MessageMut::with(body, &mut edit).0);
    }

    /// Removes all attributes.
    pub fn clear(&mut self) {
        let number = self.number;
        self.body.rewrite(|field, _| field.number == number);
    }

    /// Checks that the value may stand here: two messages above it are the attribute and its value.
    fn checked<'v>(&self, value: AnyValue<'v>) -> Result<AnyValue<'v>, TooDeep> {
        let depth = self.body.depth.checked_sub(2).ok_or(TooDeep)?;
        check_depth(value, depth)?;
        Ok(value)
    }

    fn append(&mut self, key: &str, value: AnyValue<'_>) {
        let number = self.number;
        self.body.append(|out| put_attribute(out, number, key.as_bytes(), value));
    }

    fn put_at(&mut self, place: Place, key: &str, value: AnyValue<'_>) {
        let number = self.number;
        if place.plain {
            let write = |out: &mut Vec<u8>| put_attribute(out, number, key.as_bytes(), value);
            return self.body.replace(place.range, write);
        }
        self.body.edit_at(number, place.range, place.len, |mut attribute| {
            attribute.put(1 << VALUE, |out| put_message(out, VALUE, |out| put_value(out, value)));
            (attribute, ())
        });
    }

    /// Where the key stands, after all but its first occurrence have been removed.
    fn find_only(&mut self, key: &str) -> Option<Place> {
        let mut found = self.find(key);
        let first = found.next()?;
        let more = found.next().is_some();
        drop(found);
        if more {
            let (number, mut seen) = (self.number, false);
            self.body.rewrite(|field, _| match field.value {
                FieldValue::Len(body) if field.number == number => {
                    KeyValue::has_key(body, key.as_bytes()) && std::mem::replace(&mut seen, true)
                }
                _ => false,
            });
        }
        // The first one stands where it stood: only what is behind it went.
        Some(first)
    }

    fn find<'k>(&'k self, key: &'k str) -> impl Iterator<Item = Place> + 'k {
        fields(self.body.bytes()).filter_map(move |(range, field)| match field.value {
            FieldValue::Len(body) if field.number == self.number => {
                KeyValue::has_key(body, key.as_bytes()).then(|| Place {
                    range,
                    len: body.len(),
                    plain: KeyValue::is_plain(body),
                })
            }
            _ => None,
        })
    }
}

/// Where an attribute stands.
struct Place {
    range: Range<usize>,
    /// Length of its body.
    len: usize,
    /// Whether it has no field but key and value, and can be written anew.
    plain: bool,
}

impl AttributeMut<'_> {
    /// Sets the key.
    pub fn set_key<'v>(&mut self, key: impl Into<Str<'v>>) {
        self.body.put_text(KEY, key.into());
    }

    /// Edits the value.
    pub fn value<R>(&mut self, edit: impl FnOnce(&mut MessageMut<'_, Value>) -> R) -> R {
        self.body.edit_child(VALUE, |body| MessageMut::with(body, edit))
    }

    /// Sets the value.
    ///
    /// # Errors
    /// When it nests too deep; nothing has changed then.
    pub fn set_value<'v>(&mut self, value: impl Into<AnyValue<'v>>) -> Result<(), TooDeep> {
        self.value(|old| old.set(value))
    }
}
