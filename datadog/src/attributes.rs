//! Attributes with those that mean something to Datadog at hand.

use std::borrow::Cow;

use pdata::text::to_text;
use pdata::view::{AnyValue, Attributes, Str};

use crate::keys::Key;

/// An attribute, and what its key means.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    /// Its key.
    pub key: Str<'a>,
    /// Its value.
    pub value: AnyValue<'a>,
    /// The meaning of the key.
    pub meaning: Option<Key>,
}

/// The attributes of a span or a resource. Of several with one key the first counts.
///
/// Made once and filled again for each span.
#[derive(Clone, Debug)]
pub struct KnownAttributes<'a> {
    list: Vec<Attribute<'a>>,
    /// Position + 1 in the list, by key; 0 is absent.
    places: [u16; Key::COUNT],
}

impl Default for KnownAttributes<'_> {
    fn default() -> Self {
        Self { list: Vec::new(), places: [0; Key::COUNT] }
    }
}

impl<'a> KnownAttributes<'a> {
    /// These attributes.
    pub fn of(attributes: Attributes<'a>) -> Self {
        let mut this = Self::default();
        this.fill(attributes);
        this
    }

    /// Becomes these attributes.
    pub fn fill(&mut self, attributes: Attributes<'a>) {
        for attribute in self.list.drain(..) {
            if let Some(key) = attribute.meaning {
                place(&mut self.places, key, 0);
            }
        }
        for attribute in attributes {
            let meaning = Key::of(attribute.key.as_bytes());
            self.list.push(Attribute { key: attribute.key, value: attribute.value, meaning });
            if let Some(key) = meaning
                && self.get(key).is_none()
            {
                // Beyond 65,535 attributes a key is not found; it still becomes a tag.
                place(&mut self.places, key, u16::try_from(self.list.len()).unwrap_or(0));
            }
        }
    }

    /// All of them, in their order.
    #[inline]
    pub fn list(&self) -> &[Attribute<'a>] {
        &self.list
    }

    /// The value of a key.
    #[inline]
    pub fn get(&self, key: Key) -> Option<&AnyValue<'a>> {
        let place = usize::from(*self.places.get(key as usize)?).checked_sub(1)?;
        self.list.get(place).map(|attribute| &attribute.value)
    }

    /// The text of a key whose value is a string; empty when it is absent or something else.
    #[inline]
    pub fn text(&self, key: Key) -> &'a str {
        match self.get(key) {
            Some(AnyValue::Str(text)) => text.as_str(),
            _ => "",
        }
    }

    /// The text of a key, whatever type its value is of; empty when it is absent.
    pub fn any_text(&self, key: Key) -> Cow<'a, str> {
        match self.get(key) {
            Some(AnyValue::Str(text)) => Cow::Borrowed(text.as_str()),
            Some(value) => Cow::Owned(to_text(value)),
            None => Cow::Borrowed(""),
        }
    }
}

#[inline]
fn place(places: &mut [u16; Key::COUNT], key: Key, place: u16) {
    if let Some(entry) = places.get_mut(key as usize) {
        *entry = place;
    }
}

/// What is known of a span: its own attributes before its resource's, as `NewOTelSpanAccessor` of DataDog/datadog-agent
/// `pkg/trace/semantics`.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'s, 'a> {
    /// The span's attributes.
    pub span: &'s KnownAttributes<'a>,
    /// Its resource's.
    pub resource: &'s KnownAttributes<'a>,
}

impl<'a> Lookup<'_, 'a> {
    /// The first of these keys that has a text which is not empty; empty when none has.
    #[inline]
    pub fn text(&self, keys: &[Key]) -> &'a str {
        for &key in keys {
            for attributes in [self.span, self.resource] {
                let text = attributes.text(key);
                if !text.is_empty() {
                    return text;
                }
            }
        }
        ""
    }

    /// The text of the first of the sources that has one, whatever its type.
    pub fn any_text(&self, key: Key) -> Cow<'a, str> {
        match self.span.any_text(key) {
            text if text.is_empty() => self.resource.any_text(key),
            text => text,
        }
    }

    /// The integer of a key.
    pub fn int(&self, key: Key) -> Option<i64> {
        let int = |attributes: &KnownAttributes<'_>| match attributes.get(key) {
            Some(AnyValue::Int(int)) => Some(*int),
            _ => None,
        };
        int(self.span).or_else(|| int(self.resource))
    }

    /// The integer of the first of these keys that has one, be it written as text.
    pub fn int_or_text(&self, keys: &[Key]) -> Option<i64> {
        keys.iter().find_map(|&key| {
            self.int(key).or_else(|| {
                let text = self.text(&[key]);
                text.parse().ok().or_else(|| whole(text.parse().ok()?))
            })
        })
    }
}

/// The integer that a double is.
fn whole(value: f64) -> Option<i64> {
    let int = value as i64;
    (int as f64 == value).then_some(int)
}
