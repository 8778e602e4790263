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
    /// Asks git and the environment, and tells on standard error what follows when there is no git to ask.
    ///
    /// # Errors
    /// A `SOURCE_DATE_EPOCH` that is not a number, or a work tree of git's that git does not tell about.
    pub(crate) fn find() -> Result<Self, Failure> {
        let epoch = std::env::var("SOURCE_DATE_EPOCH").ok();
        let (source, note) = Self::ask("git", root(), epoch.as_deref())?;
        if let Some(note) = note {
            eprintln!("note: {note}");
        }
        Ok(source)
    }

    /// The source in a folder, and what to say about it.
    fn ask(
        git: &str,
        folder: &Path,
        epoch: Option<&str>,
    ) -> Result<(Self, Option<String>), Failure> {
        let ask = |arguments: &[&str]| {
            let mut command = Command::new(git);
            command.args(arguments).current_dir(folder);
            output(command)
        };
        let epoch: Option<u64> = epoch.map(str::parse).transpose().about("SOURCE_DATE_EPOCH")?;
        let commit = match ask(&["--version"]).and_then(|_| ask(&["rev-parse", "HEAD"])) {
            Ok(commit) => commit,
            Err(reason) => {
                // A folder, or in a second work tree a file.
                let is_work_tree = folder.join(".git").exists();
                if is_work_tree && ask(&["--version"]).is_ok() {
                    return Err(reason).about(format_args!(
                        "{} is a work tree of git's, but git does not tell its commit, which artefacts are named and dated by",
                        folder.display()
                    ));
                }
                let date = match epoch {
                    Some(_) => "",
                    None => ", and are dated 1970-01-01 (SOURCE_DATE_EPOCH sets another date)",
                };
                let note = format!(
                    "artefacts name no revision{date}, as git tells no commit of {}: {reason}",
                    folder.display()
                );
                return Ok((Self { revision: None, seconds: epoch.unwrap_or(0) }, Some(note)));
            }
        };
        let is_dirty = !ask(&["status", "--porcelain"])?.is_empty();
        let revision = Some(if is_dirty { format!("{commit}-dirty") } else { commit });
        let seconds = match epoch {
            Some(seconds) => seconds,
            None => ask(&["show", "--no-patch", "--format=%ct", "HEAD"])?
                .parse()
                .about("the commit's date")?,
        };
        Ok((Self { revision, seconds }, None))
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
    fn a_commit_names_and_dates_what_is_made_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]);
            command.args(arguments).current_dir(folder.path());
            command.env("GIT_COMMITTER_DATE", "1700000000 +0000");
            output(command).unwrap()
        };
        git(&["init", "--quiet"]);
        git(&["commit", "--quiet", "--allow-empty", "--no-gpg-sign", "--message", "x"]);
        let (source, note) = Source::ask("git", folder.path(), None).unwrap();
        let commit = source.revision.unwrap();
        assert_eq!((commit.len(), source.seconds, note), (40, 1_700_000_000, None));
        std::fs::write(folder.path().join("new"), "").unwrap();
        let (source, _) = Source::ask("git", folder.path(), Some("5")).unwrap();
        assert_eq!(source, Source { revision: Some(format!("{commit}-dirty")), seconds: 5 });
    }

    #[test]
    fn a_source_without_git_is_told_with_what_follows() {
        let folder = tempfile::tempdir().unwrap();
        // `false` is a git that has nothing to say.
        for git in ["false", "hikyaku-has-no-such-program"] {
            let (source, note) = Source::ask(git, folder.path(), None).unwrap();
            assert_eq!(source, Source { revision: None, seconds: 0 });
            let note = note.unwrap();
            for word in ["no revision", "1970-01-01", "SOURCE_DATE_EPOCH", git] {
                assert!(note.contains(word), "{word}: {note}");
            }
            let (source, note) = Source::ask(git, folder.path(), Some("7")).unwrap();
            assert_eq!(source.seconds, 7);
            assert!(!note.unwrap().contains("1970"));
        }
        let error = Source::ask("git", folder.path(), Some("today")).unwrap_err().to_string();
        assert!(error.contains("SOURCE_DATE_EPOCH"), "{error}");
    }

    #[test]
    fn a_git_that_refuses_its_own_work_tree_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".git"), "gitdir: nowhere\n").unwrap();
        let error = Source::ask("git", folder.path(), None).unwrap_err().to_string();
        assert!(error.contains("work tree") && error.contains("nowhere"), "{error}");
        // Where there is no git, as in a container that compiles, there is nobody to refuse.
        let (source, note) =
            Source::ask("hikyaku-has-no-such-program", folder.path(), None).unwrap();
        assert!(source.revision.is_none() && note.is_some());
    }

    #[test]
    fn a_program_that_fails_is_named_with_what_it_said() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo why >&2; exit 3"]);
        let text = output(command).unwrap_err().to_string();
        assert!(text.contains("sh -c") && text.contains("why") && text.contains('3'), "{text}");
    }
}
