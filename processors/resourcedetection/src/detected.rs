//! What was detected, and its way into a resource.

use std::collections::BTreeSet;

use pdata::edit::{ResourceMut, ValueBuf};

/// The schema of what the detectors find, as upstream has it.
pub(crate) const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.40.0";

/// Attributes in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Detected {
    found: Vec<(String, ValueBuf)>,
    /// Whether they are of [`SCHEMA_URL`]; those of a variable are of any.
    has_schema: bool,
}

/// Which attributes of a detector are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted(BTreeSet<&'static str>);

/// Attributes of one detector, of which only those are kept that are wanted and not empty.
pub(crate) struct Collector<'a> {
    wanted: &'a Wanted,
    detected: Detected,
}

impl Detected {
    /// Attributes of no schema.
    pub(crate) fn without_schema(found: Vec<(String, ValueBuf)>) -> Self {
        Self { found, has_schema: false }
    }

    /// Whether there are none, and no schema either.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty() && !self.has_schema
    }

    /// The names.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.found.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Adds another detector's attributes; those that are there stay.
    pub(crate) fn add(&mut self, other: &Self) {
        for (name, value) in &other.found {
            if self.found.iter().all(|(known, _)| known != name) {
                self.found.push((name.clone(), value.clone()));
            }
        }
        self.has_schema |= other.has_schema;
    }

    /// Puts them into a resource, in place of its own if `overrides` says so.
    pub(crate) fn put_into(&self, resource: &mut ResourceMut<'_>, overrides: bool) {
        if self.has_schema && resource.schema_url().as_bytes().is_empty() {
            resource.set_schema_url(SCHEMA_URL);
        }
        let mut attributes = resource.attributes();
        for (name, value) in &self.found {
            // No value here nests, so each fits.
            let _fits = if overrides {
                attributes.set(name, value)
            } else {
                attributes.insert(name, value).map(drop)
            };
        }
    }

    #[cfg(test)]
    pub(crate) fn text(&self) -> Vec<String> {
        let show = |(name, value): &(String, ValueBuf)| {
            format!("{name}={}", pdata::text::to_text(&value.view()))
        };
        self.found.iter().map(show).collect()
    }
}

impl Wanted {
    /// These.
    pub(crate) fn of(names: impl IntoIterator<Item = &'static str>) -> Self {
        Self(names.into_iter().collect())
    }

    /// Whether any of these is.
    pub(crate) fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.0.contains(name))
    }
}

impl<'a> Collector<'a> {
    pub(crate) fn new(wanted: &'a Wanted) -> Self {
        let detected = Detected { found: Vec::new(), has_schema: true };
        Self { wanted, detected }
    }

    pub(crate) fn text(&mut self, name: &'static str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value.filter(|value| !value.as_ref().is_empty()) {
            self.put(name, ValueBuf::from(value.as_ref()));
        }
    }

    pub(crate) fn number(&mut self, name: &'static str, value: Option<i64>) {
        if let Some(value) = value {
            self.put(name, ValueBuf::from(value));
        }
    }

    pub(crate) fn list<V: AsRef<str>>(&mut self, name: &'static str, values: &[V]) {
        if !values.is_empty() {
            self.put(
                name,
                ValueBuf::array(|list| {
                    for value in values {
                        let _fits = list.push(|element| element.set(value.as_ref()));
                    }
                }),
            );
        }
    }

    /// One whose name the user chose.
    pub(crate) fn own(&mut self, name: String, value: &str) {
        self.detected.found.push((name, ValueBuf::from(value)));
    }

    pub(crate) fn finish(self) -> Detected {
        self.detected
    }

    fn put(&mut self, name: &'static str, value: ValueBuf) {
        if self.wanted.any(&[name]) {
            self.detected.found.push((name.to_owned(), value));
        }
    }
}
