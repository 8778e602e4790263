//! How spans are translated.

use std::collections::HashSet;

use pdata::KeyFilter;

/// How spans are translated: settings of the same names.
#[derive(Clone, Debug, Default)]
pub struct Options {
    indexed: HashSet<Vec<u8>>,
    filter: KeyFilter,
    index_all: bool,
    log_groups: Vec<String>,
}

impl Options {
    /// With `indexed_attributes`, `index_all_attributes` and `aws_log_groups`.
    #[must_use]
    pub fn new(indexed: &[String], index_all: bool, log_groups: &[String]) -> Self {
        let mut filter = KeyFilter::default();
        for key in indexed {
            filter.add(key.as_bytes());
        }
        let indexed = indexed.iter().map(|key| key.as_bytes().to_vec()).collect();
        Self { indexed, filter, index_all, log_groups: log_groups.to_vec() }
    }

    /// Whether every attribute becomes an annotation.
    pub(super) fn indexes_all(&self) -> bool {
        self.index_all
    }

    /// Whether an attribute is named as one to become an annotation.
    #[inline]
    pub(super) fn names(&self, key: &[u8]) -> bool {
        !self.indexed.is_empty() && self.filter.may_contain(key) && self.indexed.contains(key)
    }

    /// Whether any attribute can become an annotation for the settings.
    #[inline]
    pub(super) fn indexes_any(&self) -> bool {
        self.index_all || !self.indexed.is_empty()
    }

    /// The log groups of a resource that names none.
    pub(super) fn log_groups(&self) -> &[String] {
        &self.log_groups
    }
}
