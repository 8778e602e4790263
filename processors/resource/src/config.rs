//! Settings.

use attributes::Actions;
use confmap::Section;

/// The processor's settings; the key is that of the Collector's `processor/resourceprocessor`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// What is done to each resource's attributes, in order.
    pub(crate) attributes: Actions,
}

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let attributes = Actions::read(&mut section, "attributes");
        section.finish();
        Self { attributes }
    }
}
