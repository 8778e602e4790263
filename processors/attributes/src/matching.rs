//! `include` and `exclude`: which items the actions apply to.
//!
//! An item is taken when it has every property of `include` and not every property of `exclude`. As
//! open-telemetry/opentelemetry-collector-contrib `internal/filter`.

use confmap::Section;
use pdata::Signal;
use pdata::view::{Resource, Scope};

use crate::properties::{Matched, Properties};

/// Both conditions.
#[derive(Debug, Default)]
pub(crate) struct Matching {
    include: Option<Properties>,
    exclude: Option<Properties>,
}

/// What is left to be asked of items once something above them has been looked at. `include` holds so far; without `exclude`, none of them
/// can be excluded any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open<'a> {
    include: Option<&'a Properties>,
    exclude: Option<&'a Properties>,
}

impl Matching {
    /// Reads both sections; errors go to their diagnostics.
    pub(crate) fn read(section: &mut Section<'_>) -> Self {
        let mut read = |key| {
            // A section without a value is none, as upstream.
            let item = section.item(key).filter(|item| !item.node().is_null())?;
            Some(Properties::read(item.section()))
        };
        Self { include: read("include"), exclude: read("exclude") }
    }

    /// Checks that the properties are ones of the signal.
    ///
    /// # Errors
    /// In the Collector's words.
    pub(crate) fn check(&self, signal: Signal) -> Result<(), String> {
        for (key, properties) in [("include", &self.include), ("exclude", &self.exclude)] {
            if let Some(properties) = properties {
                properties.check(signal).map_err(|message| format!("{key}: {message}"))?;
            }
        }
        Ok(())
    }

    /// What is left to be asked of a resource's items; nothing when none of them is taken.
    pub(crate) fn resource(&self, resource: &Resource<'_>) -> Option<Open<'_>> {
        let all = Open { include: self.include.as_ref(), exclude: self.exclude.as_ref() };
        all.narrowed(|properties| properties.has_resource(resource))
    }
}

impl<'a> Open<'a> {
    /// What is left to be asked of a scope's items; nothing when none of them is taken.
    pub(crate) fn scope(self, scope: &Scope<'_>) -> Option<Self> {
        self.narrowed(|properties| properties.has_scope(scope))
    }

    /// Whether an item is taken.
    pub(crate) fn takes<I: Matched>(self, item: &I) -> bool {
        self.include.is_none_or(|properties| item.has(properties))
            && !self.exclude.is_some_and(|properties| item.has(properties))
    }

    fn narrowed(self, holds: impl Fn(&Properties) -> bool) -> Option<Self> {
        if self.include.is_some_and(|properties| !holds(properties)) {
            return None;
        }
        Some(Self { exclude: self.exclude.filter(|properties| holds(properties)), ..self })
    }
}
