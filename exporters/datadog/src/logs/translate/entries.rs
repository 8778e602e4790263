//! Attributes, flattened: a key with dots for each value that is no map.

use std::ops::Range;

use pdata::KeyFilter;
use pdata::view::AnyValue;

use super::BODY_BYTES_MAX;
use super::roles::spare_name;
use super::value::DEPTH_MAX;

/// Flattened attributes in their order. Kept from record to record for its memory.
#[derive(Debug, Default)]
pub(super) struct Entries<'a> {
    list: Vec<Entry<'a>>,
    /// Keys that were put together.
    joined: Vec<u8>,
    /// The key of the map that is being flattened.
    path: Vec<u8>,
    seen: KeyFilter,
    may_repeat: bool,
    is_too_large: bool,
    /// Whether these are the members of an object within a list, where no key is one of Datadog's fields.
    is_nested: bool,
}

#[derive(Debug)]
struct Entry<'a> {
    key: Key<'a>,
    value: AnyValue<'a>,
    depth: usize,
    /// Whether another one with its key comes later.
    is_replaced: bool,
}

#[derive(Clone, Debug)]
enum Key<'a> {
    Whole(&'a [u8]),
    Joined(Range<usize>),
}

impl<'a> Entries<'a> {
    /// For the members of an object within a list.
    pub(super) fn nested() -> Self {
        Self { is_nested: true, ..Self::default() }
    }

    /// Adds an attribute at a depth, the first of which is 1.
    #[inline]
    pub(super) fn add(&mut self, key: &'a [u8], value: &AnyValue<'a>, depth: usize) {
        match value {
            AnyValue::KeyValueList(_) if depth != DEPTH_MAX => {
                self.path.clear();
                self.path.extend_from_slice(key);
                self.flatten(value, depth);
            }
            value => {
                let key = if self.is_nested { key } else { spare_name(key) };
                self.may_repeat |= self.seen.add(key);
                let (key, value) = (Key::Whole(key), *value);
                self.list.push(Entry { key, value, depth, is_replaced: false });
            }
        }
    }

    /// Adds a value under the path.
    fn flatten(&mut self, value: &AnyValue<'a>, depth: usize) {
        // A long key before many others would take more memory than any body does.
        self.is_too_large |= self.joined.len() + self.path.len() > BODY_BYTES_MAX;
        if self.is_too_large {
            return;
        }
        match value {
            AnyValue::KeyValueList(map) if depth != DEPTH_MAX => {
                let len = self.path.len();
                for entry in map.entries() {
                    if len > 0 {
                        self.path.push(b'.');
                    }
                    self.path.extend_from_slice(entry.key.as_bytes());
                    self.flatten(&entry.value, depth + 1);
                    self.path.truncate(len);
                }
            }
            value => {
                let key = if self.is_nested { &self.path } else { spare_name(&self.path) };
                self.may_repeat |= self.seen.add(key);
                let start = self.joined.len();
                self.joined.extend_from_slice(key);
                let (key, value) = (Key::Joined(start..self.joined.len()), *value);
                self.list.push(Entry { key, value, depth, is_replaced: false });
            }
        }
    }

    /// Of entries with equal keys, leaves the last.
    pub(super) fn keep_last(&mut self) {
        if !self.may_repeat {
            return;
        }
        let mut order: Vec<usize> = (0..self.list.len()).collect();
        order.sort_by_key(|index| self.list.get(*index).map(|entry| self.key(entry)));
        for pair in order.windows(2) {
            let &[earlier, later] = pair else { continue };
            let key = |index: usize| self.list.get(index).map(|entry| self.key(entry));
            let is_same = key(earlier) == key(later);
            if let Some(entry) = self.list.get_mut(earlier).filter(|_| is_same) {
                entry.is_replaced = true;
            }
        }
    }

    /// Key, value and depth of each entry that stays.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &AnyValue<'a>, usize)> {
        let stays = self.list.iter().filter(|entry| !entry.is_replaced);
        stays.map(|entry| (self.key(entry), &entry.value, entry.depth))
    }

    /// Whether there is one with this key.
    pub(super) fn has_key(&self, key: &[u8]) -> bool {
        self.seen.may_contain(key) && self.list.iter().any(|entry| self.key(entry) == key)
    }

    /// Whether there are more than any body takes, and some were left out.
    pub(super) fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    fn key<'s>(&'s self, entry: &'s Entry<'a>) -> &'s [u8] {
        match &entry.key {
            Key::Whole(key) => key,
            Key::Joined(range) => self.joined.get(range.clone()).unwrap_or_default(),
        }
    }

    /// Empties it.
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.joined.clear();
        (self.seen, self.may_repeat, self.is_too_large) = (KeyFilter::default(), false, false);
    }
}
