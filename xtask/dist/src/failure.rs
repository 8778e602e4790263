//! Why a task ended.

use std::fmt;
use std::path::Path;

/// What failed, and where it is known, the remedy.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// Says which thing an error is about.
pub(crate) trait About<T> {
    /// The error with the thing's name before it.
    fn about(self, what: impl fmt::Display) -> Result<T, Failure>;

    /// The error with a path before it.
    fn at(self, path: &Path) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> About<T> for Result<T, E> {
    fn about(self, what: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure(format!("{what}: {error}")))
    }

    fn at(self, path: &Path) -> Result<T, Failure> {
        self.about(path.display())
    }
}
