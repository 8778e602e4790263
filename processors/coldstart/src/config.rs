//! Settings: there are none.

use confmap::Section;

/// Reads the section, which holds nothing.
pub(crate) fn read(section: Section<'_>) {
    section.finish();
}
