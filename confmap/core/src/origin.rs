//! Where a value was written: the text it was read from, the line and the column.

use std::{cmp::Ordering, fmt, sync::Arc};

/// How much of a text may be repeated to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exposure {
    /// The text is configuration that the user wrote: an error may repeat a line of it.
    Shown,
    /// The text comes from the environment: an error names its place, and repeats nothing.
    Hidden,
    /// The text is a secret: an error repeats nothing, and every value made from it is masked
    /// wherever a configuration is printed.
    Secret,
}

/// One text that configuration was read from: a file, a variable, a command line argument.
pub struct Source {
    name: String,
    text: Arc<str>,
    exposure: Exposure,
    order: u32,
    referenced_at: Option<Origin>,
}

impl Source {
    /// A text under the name it is reported by, such as `file:config.yaml` or `env:NAME`. `order`
    /// sorts diagnostics of several sources.
    pub(crate) fn new(
        name: impl Into<String>,
        text: impl Into<Arc<str>>,
        exposure: Exposure,
        order: u32,
    ) -> Self {
        Self { name: name.into(), text: text.into(), exposure, order, referenced_at: None }
    }

    /// The same source, known to have been pulled in by the reference that stands at `origin`.
    pub(crate) fn referenced_at(mut self, origin: Option<Origin>) -> Self {
        self.referenced_at = origin;
        self
    }

    /// The name with its scheme, such as `file:config.yaml`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much of the text may be repeated.
    #[must_use]
    pub fn exposure(&self) -> Exposure {
        self.exposure
    }

    /// The name as a terminal makes a link of it: a file's path without its scheme.
    pub(crate) fn display_name(&self) -> &str {
        self.name.strip_prefix("file:").unwrap_or(&self.name)
    }
}

/// The text stays out of it: a debug print of a tree must not become a copy of its secrets.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The place of a key or a value in its [`Source`]. Cheap to clone.
#[derive(Clone)]
pub struct Origin {
    source: Arc<Source>,
    line: u32,
    column: u32,
    width: u32,
}

impl Origin {
    /// A place; line and column count characters from 1, `width` is how many to underline.
    pub(crate) fn new(source: Arc<Source>, line: u32, column: u32, width: u32) -> Self {
        Self { source, line, column, width }
    }

    /// The start of a source.
    pub(crate) fn start(source: Arc<Source>) -> Self {
        Self::new(source, 1, 1, 1)
    }

    /// The text that holds the place.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The column in characters, from 1.
    #[must_use]
    pub fn column(&self) -> u32 {
        self.column
    }

    /// How many characters the key or value takes on its line, at least 1.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width.max(1)
    }

    /// The text of the line, or nothing when the source's text may not be repeated.
    #[must_use]
    pub fn line_text(&self) -> Option<&str> {
        if self.source.exposure != Exposure::Shown {
            return None;
        }
        let index = usize::try_from(self.line).ok()?.checked_sub(1)?;
        self.source.text.lines().nth(index)
    }

    /// The place of the `${…}` that pulled this source in, if it was one.
    #[must_use]
    pub fn referenced_at(&self) -> Option<&Origin> {
        self.source.referenced_at.as_ref()
    }

    /// Sorts by source in the order they were read, then by place.
    pub(crate) fn position(&self, other: &Self) -> Ordering {
        let key = |origin: &Self| (origin.source.order, origin.line, origin.column);
        key(self).cmp(&key(other))
    }
}

/// `config.yaml:7:15`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source.display_name(), self.line, self.column)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
