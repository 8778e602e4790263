//! The path of a value in the configuration, from the root down.

use std::{fmt, sync::Arc};

/// The keys and list positions that lead to a value.
///
/// Displayed dotted, as the Collector's decoding errors have it: `service.extensions[0]`.
/// [`Path::delimited`] is the form of its validation errors: `service::extensions::0`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    Key(Arc<str>),
    Index(usize),
}

impl Path {
    /// The path of the whole configuration.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The path of `key` in the map at this path. The key is taken whole, dots and all.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.step(Step::Key(key.into()))
    }

    /// The path of an element of the list at this path, from 0.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    /// Whether this is the path of the whole configuration.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether this is `other`, or a path below it.
    #[must_use]
    pub fn starts_with(&self, other: &Self) -> bool {
        self.steps.starts_with(&other.steps)
    }

    /// The path with `::` between its parts, `service::extensions::0`.
    #[must_use]
    pub fn delimited(&self) -> String {
        let parts = self.steps.iter().map(|step| match step {
            Step::Key(key) => key.to_string(),
            Step::Index(index) => index.to_string(),
        });
        parts.collect::<Vec<_>>().join("::")
    }

    fn step(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.steps.len() + 1);
        steps.extend_from_slice(&self.steps);
        steps.push(step);
        Self { steps }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps.iter().enumerate() {
            match step {
                Step::Key(key) if position == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Splits at `::`, so that a component id with a dot stays one key: `exporters::otlp/a.b`.
impl From<&str> for Path {
    fn from(text: &str) -> Self {
        let keys = text.split("::").filter(|key| !key.is_empty());
        Self { steps: keys.map(|key| Step::Key(key.into())).collect() }
    }
}

impl From<&Path> for Path {
    fn from(path: &Path) -> Self {
        path.clone()
    }
}

/// The way down to a value in a walk over a whole tree, which needs a [`Path`] only for what it
/// reports.
#[derive(Clone, Copy)]
pub(crate) enum Trail<'t> {
    Root,
    Key(&'t Trail<'t>, &'t Arc<str>),
    Index(&'t Trail<'t>, usize),
}

impl Trail<'_> {
    pub(crate) fn to_path(self) -> Path {
        let mut steps = Vec::new();
        let mut trail = self;
        loop {
            let (parent, step) = match trail {
                Trail::Root => break,
                Trail::Key(parent, key) => (parent, Step::Key(key.clone())),
                Trail::Index(parent, index) => (parent, Step::Index(index)),
            };
            steps.push(step);
            trail = *parent;
        }
        steps.reverse();
        Path { steps }
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn a_path_is_shown_dotted_and_delimited() {
        let path = Path::from("exporters::otlp/a.b").key("headers").index(2).key("name");
        assert_eq!(path.to_string(), "exporters.otlp/a.b.headers[2].name");
        assert_eq!(path.delimited(), "exporters::otlp/a.b::headers::2::name");
        assert!(Path::from("").is_root());
        assert!(path.starts_with(&Path::from("exporters::otlp/a.b")));
        assert!(!path.starts_with(&Path::from("exporters::otlp")));
    }
}
