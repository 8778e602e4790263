//! Settings.

use attributes::Actions;
use confmap::Section;

use crate::matching::Matching;

/// The processor's settings; keys are those of the Collector's `processor/attributesprocessor`.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// What is done to each item's attributes, in order.
    pub(crate) actions: Actions,
    /// To which items.
    pub(crate) matching: Matching,
}

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let matching = Matching::read(&mut section);
        let actions = Actions::read(&mut section, "actions");
        section.finish();
        Self { actions, matching }
    }
}

#[cfg(test)]
mod tests;
