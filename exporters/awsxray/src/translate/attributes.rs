//! Attributes with those that mean something to X-Ray at hand.

use std::collections::HashMap;

use pdata::KeyFilter;
use pdata::view::{AnyValue, Attributes};

use super::keys::Key;

/// Up to this many attributes a key that may be there twice is compared with each.
const COMPARED_MAX: usize = 64;

/// An attribute, and what its key means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    pub(super) key: &'a [u8],
    pub(super) value: AnyValue<'a>,
    pub(super) meaning: Option<Key>,
}

/// The attributes of a span, a resource or an event. Of several with one key the last counts.
///
/// Made once and filled again for each span.
#[derive(Clone, Debug)]
pub(super) struct Known<'a> {
    list: Vec<Attribute<'a>>,
    /// Position + 1 in the list, by key; 0 is absent.
    places: [u16; Key::COUNT],
}

impl Default for Known<'_> {
    fn default() -> Self {
        Self { list: Vec::new(), places: [0; Key::COUNT] }
    }
}

impl<'a> Known<'a> {
    /// These attributes.
    pub(super) fn of(attributes: Attributes<'a>) -> Self {
        let mut this = Self::default();
        this.fill(attributes);
        this
    }

    /// Becomes these attributes.
    pub(super) fn fill(&mut self, attributes: Attributes<'a>) {
        for attribute in self.list.drain(..) {
            if let Some(place) = attribute.meaning.and_then(|key| self.places.get_mut(key as usize))
            {
                *place = 0;
            }
        }
        let mut seen = KeyFilter::default();
        let mut repeats = false;
        for attribute in attributes {
            let key = attribute.key.as_bytes();
            let meaning = Key::of(key);
            match meaning.and_then(|key| self.places.get_mut(key as usize)) {
                // Beyond 65,535 attributes a key is not found; it still becomes metadata.
                Some(place) => {
                    repeats |= *place != 0;
                    *place = u16::try_from(self.list.len() + 1).unwrap_or_default();
                }
                None => repeats = repeats || seen.add(key) && self.may_have(key),
            }
            self.list.push(Attribute { key, value: attribute.value, meaning });
        }
        if repeats {
            self.keep_last();
        }
    }

    /// All of them, in their order.
    #[inline]
    pub(super) fn list(&self) -> &[Attribute<'a>] {
        &self.list
    }

    /// The value of a key.
    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<&AnyValue<'a>> {
        let place = usize::from(*self.places.get(key as usize)?).checked_sub(1)?;
        self.list.get(place).map(|attribute| &attribute.value)
    }

    /// Whether the key is there.
    #[inline]
    pub(super) fn has(&self, key: Key) -> bool {
        self.places.get(key as usize).is_some_and(|place| *place != 0)
    }

    /// Whether one of the keys is there.
    #[inline]
    pub(super) fn has_any(&self, keys: &[Key]) -> bool {
        keys.iter().any(|key| self.has(*key))
    }

    /// The text of a key that is there; empty if its value is something else.
    #[inline]
    pub(super) fn str(&self, key: Key) -> Option<&'a [u8]> {
        self.get(key).map(|value| value.as_str().map_or(&b""[..], |text| text.as_bytes()))
    }

    /// The text of the first of these keys that is there.
    #[inline]
    pub(super) fn first(&self, keys: &[Key]) -> Option<&'a [u8]> {
        keys.iter().find_map(|key| self.str(*key))
    }

    /// The text of a key; empty if it is absent or something else.
    #[inline]
    pub(super) fn text(&self, key: Key) -> &'a [u8] {
        self.str(key).unwrap_or_default()
    }

    /// The first text of these keys that is not empty; empty if none has one.
    #[inline]
    pub(super) fn first_text(&self, keys: &[Key]) -> &'a [u8] {
        let mut texts = keys.iter().map(|key| self.text(*key));
        texts.find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// The integer of a key that is there; zero if its value is something else.
    #[inline]
    pub(super) fn int(&self, key: Key) -> Option<i64> {
        self.get(key).map(|value| if let AnyValue::Int(int) = value { *int } else { 0 })
    }

    fn may_have(&self, key: &[u8]) -> bool {
        self.list.len() > COMPARED_MAX || self.list.iter().any(|attribute| attribute.key == key)
    }

    #[cold]
    fn keep_last(&mut self) {
        let keys = self.list.iter().enumerate().map(|(place, attribute)| (attribute.key, place));
        let last: HashMap<&[u8], usize> = keys.collect();
        let mut place = 0;
        self.list.retain(|attribute| {
            let is_last = last.get(attribute.key) == Some(&place);
            place += 1;
            is_last
        });
        for (place, attribute) in self.list.iter().enumerate() {
            if let Some(known) = attribute.meaning
                && let Some(entry) = self.places.get_mut(known as usize)
            {
                *entry = u16::try_from(place + 1).unwrap_or_default();
            }
        }
    }
}
