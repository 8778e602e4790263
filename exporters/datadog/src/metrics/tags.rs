//! Tags of a series, and what identifies it.

use std::hash::{BuildHasher, Hasher, RandomState};

use pdata::text::put_text;
use pdata::view::AnyValue;

use super::state::Key;

/// Tags, as text.
#[derive(Clone, Debug, Default)]
pub(crate) struct TagList {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl TagList {
    /// Makes it empty; its memory is kept.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds `key:value`.
    pub(crate) fn push(&mut self, key: &[u8], value: &[u8]) {
        datadog::tags::put_tag(&mut self.text, key, value);
        self.ends.push(self.text.len());
    }

    /// Adds an attribute: `key:value`, or `key:n/a` where the value is empty.
    pub(crate) fn push_attribute(&mut self, key: &[u8], value: &AnyValue<'_>) {
        self.text.extend_from_slice(key);
        self.text.push(b':');
        let before = self.text.len();
        put_text(&mut self.text, value);
        if self.text.len() == before {
            self.text.extend_from_slice(b"n/a");
        }
        self.ends.push(self.text.len());
    }

    /// The tags.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, end)| self.text.get(start..*end))
    }
}

/// Hashes what identifies series. Each process has keys of its own, so nobody can make two series collide on purpose.
#[derive(Debug, Default)]
pub(crate) struct Identity([RandomState; 2]);

impl Identity {
    /// A part of what identifies a series. Parts are added up, in any order.
    pub(crate) fn part(&self, role: Role, text: &[u8]) -> Key {
        let hash = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            hasher.write_u8(role as u8);
            hasher.write(text);
            hasher.finish()
        };
        let [high, low] = &self.0;
        Key::from(hash(high)) << 64 | Key::from(hash(low))
    }

    /// The part that tags make up, in whatever order.
    pub(crate) fn tags(&self, tags: &TagList) -> Key {
        tags.iter().fold(0, |sum: Key, tag| sum.wrapping_add(self.part(Role::Tag, tag)))
    }
}

/// What a part of a series' identity is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// A tag.
    Tag,
    /// The host.
    Host,
    /// The container, or the pod.
    Origin,
    /// The name of a sum.
    Number,
    /// The name of a summary.
    Summary,
    /// The name of a histogram with explicit bounds.
    Histogram,
    /// The name of an exponential histogram.
    Exponential,
}
