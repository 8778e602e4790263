//! Settings as a tree, put together from paths and values and written as YAML in one line.

use std::fmt;

/// The way to a value: keys, and digits for elements of lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct KeyPath(Vec<String>);

/// A value, or what is put together from some.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    /// YAML as it was written.
    Text(String),
    /// Keys and values.
    Map(Vec<(String, Tree)>),
}

impl KeyPath {
    /// Of keys with `::` between them.
    pub(super) fn new(text: &str) -> Self {
        Self(text.split("::").filter(|key| !key.is_empty()).map(str::to_owned).collect())
    }

    /// As in a decoding error: `a.b[0].c`.
    pub(super) fn dotted(text: &str) -> Self {
        let parts = text.split(['.', '[', ']']).filter(|part| !part.is_empty());
        Self(parts.map(str::to_owned).collect())
    }

    /// A path below this one.
    pub(super) fn join(&self, below: &Self) -> Self {
        Self(self.0.iter().chain(&below.0).cloned().collect())
    }

    /// The path from there on; nothing when it does not lead through there.
    pub(super) fn strip(&self, from: &Self) -> Option<Self> {
        self.0.strip_prefix(from.0.as_slice()).map(|below| Self(below.to_vec()))
    }

    /// The path without its last key, and that key.
    pub(super) fn split_last(&self) -> Option<(Self, &str)> {
        let (last, parent) = self.0.split_last()?;
        Some((Self(parent.to_vec()), last))
    }

    /// Whether the other one is this one, or leads further down.
    pub(super) fn leads_to(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The key that a table of settings has to name: the first one, but for what stands below a protocol.
    pub(super) fn top(&self) -> &str {
        let own = match self.0.as_slice() {
            [protocols, _, rest @ ..] if protocols == "protocols" => rest,
            all => all,
        };
        own.first().map_or("", String::as_str)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("::"))
    }
}

impl Tree {
    /// Nothing yet.
    pub(super) fn empty() -> Self {
        Self::Map(Vec::new())
    }

    /// Puts a value at a path, in place of what was there.
    pub(super) fn put(&mut self, path: &KeyPath, value: &str) {
        self.put_at(&path.0, value);
    }

    fn put_at(&mut self, keys: &[String], value: &str) {
        let Some((key, below)) = keys.split_first() else {
            *self = Self::Text(value.to_owned());
            return;
        };
        if matches!(self, Self::Text(_)) {
            *self = Self::empty();
        }
        let Self::Map(entries) = self else { return };
        let known = entries.iter().position(|(other, _)| other == key);
        let at = known.unwrap_or_else(|| {
            entries.push((key.clone(), Self::empty()));
            entries.len() - 1
        });
        entries[at].1.put_at(below, value);
    }
}

/// YAML in one line.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = match self {
            Self::Text(text) => return f.write_str(text),
            Self::Map(entries) => entries,
        };
        let is_list = entries.first().is_some_and(|(key, _)| key == "0");
        f.write_str(if is_list { "[" } else { "{" })?;
        for (at, (key, value)) in entries.iter().enumerate() {
            f.write_str(if at > 0 { ", " } else { "" })?;
            if is_list { write!(f, "{value}")? } else { write!(f, "{key}: {value}")? }
        }
        f.write_str(if is_list { "]" } else { "}" })
    }
}
