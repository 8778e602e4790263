//! A map that keeps its keys in the order they were written, each with its place.

use std::{borrow::Borrow, collections::HashMap, sync::Arc};

use crate::{Node, Origin};

/// From how many keys on a one-off index is built for work on a whole map, so that a map of a
/// hundred thousand keys costs no quadratic time. Below it, comparing strings is quicker.
const INDEXED_FROM: usize = 32;

/// The keys and values of one map, in the order they were written. Two maps are equal if their
/// entries are, in the same order.
#[derive(Clone, Default, PartialEq)]
pub struct Map {
    entries: Vec<Entry>,
}

/// One key of a [`Map`] and its value.
#[derive(Clone)]
pub struct Entry {
    /// The key as the user wrote it.
    pub key: Arc<str>,
    /// Where the key stands.
    pub key_origin: Origin,
    /// The value.
    pub node: Node,
}

impl Map {
    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The key and its value.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| &*entry.key == key)
    }

    /// All keys with their values, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.entries.iter()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut()
    }

    pub(crate) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = &'a Entry;
    type IntoIter = std::slice::Iter<'a, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Equal by key and value; where a key stands does not count.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.node == other.node
    }
}

/// Collects the keys of a map and finds a key again in constant time.
#[derive(Default)]
pub(crate) struct MapBuilder {
    map: Map,
    index: HashMap<Name, usize>,
}

impl MapBuilder {
    /// Goes on from a finished map.
    pub(crate) fn from_map(map: Map) -> Self {
        let mut builder = Self { map, index: HashMap::new() };
        if builder.map.len() >= INDEXED_FROM {
            builder.build_index();
        }
        builder
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.map.entries.get(self.position(key)?)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        let position = self.position(key)?;
        self.map.entries.get_mut(position)
    }

    /// Adds a key that [`MapBuilder::get`] did not find.
    pub(crate) fn push(&mut self, entry: Entry) {
        if !self.index.is_empty() {
            self.index.insert(Name(entry.key.clone()), self.map.entries.len());
        }
        self.map.entries.push(entry);
        if self.index.is_empty() && self.map.len() >= INDEXED_FROM {
            self.build_index();
        }
    }

    pub(crate) fn finish(self) -> Map {
        self.map
    }

    fn position(&self, key: &str) -> Option<usize> {
        if self.index.is_empty() {
            return self.map.entries.iter().position(|entry| &*entry.key == key);
        }
        self.index.get(key).copied()
    }

    fn build_index(&mut self) {
        let names = self.map.entries.iter().enumerate();
        self.index = names.map(|(position, entry)| (Name(entry.key.clone()), position)).collect();
    }
}

#[derive(PartialEq, Eq, Hash)]
struct Name(Arc<str>);

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}
