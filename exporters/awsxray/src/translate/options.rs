//! How spans are translated.

use std::collections::HashSet;
use std::sync::Arc;

use lambda::Function;
use pdata::KeyFilter;

/// How spans are translated: settings of the same names.
#[derive(Clone, Debug, Default)]
pub struct Options {
    indexed: HashSet<Vec<u8>>,
    filter: KeyFilter,
    index_all: bool,
    log_groups: Vec<String>,
    /// The function that this process is beside, if it is.
    function: Option<Arc<Function>>,
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
        Self { indexed, filter, index_all, log_groups: log_groups.to_vec(), function: None }
    }

    /// The same beside this function, if there is one.
    #[must_use]
    pub fn beside(self, function: Option<Arc<Function>>) -> Self {
        Self { function, ..self }
    }

    /// Whether this process is beside a function of Lambda.
    pub(super) fn is_beside_function(&self) -> bool {
        self.function.is_some()
    }

    /// Whether X-Ray has a segment in this trace that Lambda made for the function.
    pub(super) fn has_segment_of_lambda(&self, trace_id: &[u8; 16]) -> bool {
        self.function.as_ref().is_some_and(|function| function.is_in_trace(trace_id))
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
