//! Peer tags: what a client, producer or consumer says of whom it talks to.

use std::borrow::Cow;

use pdata::text::to_text;
use pdata::view::AnyValue;

use crate::attributes::{KnownAttributes, Lookup};
use crate::keys::Key;
use crate::normalize;
use crate::stats::{Tag, hide_addresses};

/// The keys that are looked for.
pub(super) struct PeerTags {
    is_on: bool,
    /// Keys beside the usual ones.
    further: Vec<String>,
}

impl PeerTags {
    pub(super) fn new(is_on: bool, mut further: Vec<String>) -> Self {
        further.retain(|key| !Key::of(key.as_bytes()).is_some_and(Key::is_peer));
        Self { is_on, further }
    }

    /// Those of a resource, in the order of its attributes.
    pub(super) fn of_resource<'a>(&self, resource: &KnownAttributes<'a>) -> Vec<Tag<'a>> {
        let mut tags = Vec::new();
        self.append(resource, &mut tags);
        tags
    }

    /// Those of a span of this kind, sorted by key. Its own take the place of its resource's.
    pub(super) fn of_span<'a>(
        &self,
        kind: &str,
        lookup: &Lookup<'_, 'a>,
        of_resource: &[Tag<'a>],
    ) -> Vec<Tag<'a>> {
        let mut tags = Vec::new();
        match kind {
            "client" | "producer" | "consumer" => {
                self.append(lookup.span, &mut tags);
                let own = tags.len();
                for tag in of_resource {
                    if !has_key(tags.iter().take(own), tag.0) {
                        tags.push(tag.clone());
                    }
                }
                tags.sort_by_key(|(key, _)| *key);
            }
            // Custom instrumentation that names another service does not talk to one.
            "internal" => tags.extend(self.base_service(lookup)),
            _ => {}
        }
        tags
    }

    /// The service before an override.
    pub(super) fn base_service<'a>(&self, lookup: &Lookup<'_, 'a>) -> Option<Tag<'a>> {
        let key = Key::BaseService;
        if !self.is_on {
            return None;
        }
        tag(key.text(), Some(key), lookup.any_text(key))
    }

    /// Appends those among these attributes, of several with one key the first.
    fn append<'a>(&self, attributes: &KnownAttributes<'a>, tags: &mut Vec<Tag<'a>>) {
        if !self.is_on {
            return;
        }
        for attribute in attributes.list() {
            let is_usual = attribute.meaning.is_some_and(Key::is_peer);
            if !is_usual && !self.is_further(attribute.key.as_bytes()) {
                continue;
            }
            let key = attribute.key.as_str();
            let value = match &attribute.value {
                AnyValue::Str(text) => Cow::Borrowed(text.as_str()),
                value => Cow::Owned(to_text(value)),
            };
            if !has_key(tags.iter(), key) {
                tags.extend(tag(key, attribute.meaning, value));
            }
        }
    }

    fn is_further(&self, key: &[u8]) -> bool {
        self.further.iter().any(|further| further.as_bytes() == key)
    }
}

fn has_key<'t, 'a: 't>(mut tags: impl Iterator<Item = &'t Tag<'a>>, key: &str) -> bool {
    tags.any(|(other, _)| *other == key)
}

/// A peer tag as it is shown; nothing when nothing is left of it.
fn tag<'a>(key: &'a str, meaning: Option<Key>, value: Cow<'a, str>) -> Option<Tag<'a>> {
    let value = match meaning {
        Some(Key::PeerService | Key::BaseService) => map(value, normalize::other_service),
        _ => value,
    };
    let value = map(value, hide_addresses);
    (!value.is_empty()).then_some((key, value))
}

/// The text changed, borrowed where it can be.
fn map<'a>(text: Cow<'a, str>, change: impl for<'t> Fn(&'t str) -> Cow<'t, str>) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => change(text),
        Cow::Owned(text) => Cow::Owned(change(&text).into_owned()),
    }
}
