//! The project's folder, its commit, and running other programs in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{About, Failure};

/// The project's folder: the grandparent of this package's.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().and_then(Path::parent).unwrap_or(here)
}

/// The version that all packages share, which a release is named after.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is built, as far as git and the environment know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The commit, with `-dirty` after it when files differ from it; none outside a git work tree.
    pub(crate) revision: Option<String>,
    /// Seconds since 1970: `SOURCE_DATE_EPOCH`, else when the commit was made, else 0. The only date in any artefact.
    pub(crate) seconds: u64,
}

impl Source {
    /// Asks git and the environment.
    ///
    /// # Errors
    /// A `SOURCE_DATE_EPOCH` that is not a number.
    pub(crate) fn find() -> Result<Self, Failure> {
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.args(arguments).current_dir(root());
            output(command).ok()
        };
        let commit = git(&["rev-parse", "HEAD"]);
        let is_dirty = git(&["status", "--porcelain"]).is_some_and(|files| !files.is_empty());
        let revision = commit.map(|commit| match is_dirty {
            true => format!("{commit}-dirty"),
            false => commit,
        });
        let seconds = match std::env::var("SOURCE_DATE_EPOCH") {
            Ok(text) => text.parse().about("SOURCE_DATE_EPOCH")?,
            Err(_) => git(&["show", "--no-patch", "--format=%ct", "HEAD"])
                .and_then(|text| text.parse().ok())
                .unwrap_or(0),
        };
        Ok(Self { revision, seconds })
    }

    /// The date in the form of RFC 3339.
    pub(crate) fn date(&self) -> String {
        rfc3339(self.seconds)
    }
}

/// The cargo that runs this program, or the one on the path.
pub(crate) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or("cargo".into(), PathBuf::from)
}

/// Runs a program with its output on the terminal.
///
/// # Errors
/// When it cannot be started or ends with another code than 0.
pub(crate) fn run(mut command: Command) -> Result<(), Failure> {
    command.stdin(Stdio::null());
    let shown = shown(&command);
    let status = command.status().about(format_args!("`{shown}` could not be started"))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("`{shown}` ended with {status}")))
}

/// Runs a program and returns what it wrote to standard output, without blanks around it.
///
/// # Errors
/// When it cannot be started or ends with another code than 0; the message holds its standard error.
pub(crate) fn output(mut command: Command) -> Result<String, Failure> {
    command.stdin(Stdio::null());
    let shown = shown(&command);
    let output = command.output().about(format_args!("`{shown}` could not be started"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("`{shown}` ended with {}:\n{}", output.status, errors.trim())))
}

/// A command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// Reads a text file.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).at(path)
}

/// Writes a file, and the folders above it where they are missing.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).at(folder)?;
    }
    std::fs::write(path, content).at(path)
}

/// Empties a folder, or makes it.
pub(crate) fn fresh_folder(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        std::fs::remove_dir_all(path).at(path)?;
    }
    std::fs::create_dir_all(path).at(path)
}

/// Seconds since 1970 as a date and time of the Gregorian calendar in UTC.
fn rfc3339(seconds: u64) -> String {
    let (mut days, of_day) = (seconds / 86_400, seconds % 86_400);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(seconds), date);
        }
    }

    #[test]
    fn a_program_that_fails_is_named_with_what_it_said() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo why >&2; exit 3"]);
        let text = output(command).unwrap_err().to_string();
        assert!(text.contains("sh -c") && text.contains("why") && text.contains('3'), "{text}");
    }
}
