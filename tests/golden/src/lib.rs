//! What the tests of several crates share: golden cases, and JSON's keys.
//!
//! A golden case is a folder: what goes in, beside what came out when somebody last looked. With `HIKYAKU_REFRESH_GOLDEN=1` what comes out
//! now is written in the place of that, to be reviewed as a diff.
#![expect(clippy::panic, reason = "a panic is how a test fails")]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;

mod keys;

pub use keys::keys_once;

/// The cases of a folder below a crate's own (its `CARGO_MANIFEST_DIR`), in the order of their names.
///
/// # Panics
/// If there are none: tests of no cases prove nothing.
pub fn cases(of_crate: &str, folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(of_crate).join(folder);
    let cases = folder.read_dir().and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    });
    let mut cases = cases.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    assert!(!cases.is_empty(), "{} has no cases", folder.display());
    cases.sort();
    cases
}

/// What goes into a case: the text of its `in.json`.
///
/// # Panics
/// If there is no such file.
pub fn input(case: &Path) -> String {
    let path = case.join("in.json");
    text(&path).unwrap_or_else(|| panic!("{} is not there", path.display()))
}

/// A file's text, nothing if there is no such file.
///
/// # Panics
/// If it is there and can't be read.
pub fn text(path: &Path) -> Option<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

/// A file's JSON, nothing if there is no such file.
///
/// # Panics
/// If it is there and is no JSON.
pub fn json(path: &Path) -> Option<Value> {
    let text = text(path)?;
    let read = serde_json::from_str(&text);
    Some(read.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// How JSON differs from what is on file, if it does.
pub fn check(path: &Path, actual: &Value) -> Option<String> {
    check_by(path, actual, Value::eq)
}

/// The same, with an equality of its own.
pub fn check_by(
    path: &Path,
    actual: &Value,
    is_same: impl FnOnce(&Value, &Value) -> bool,
) -> Option<String> {
    if is_refreshed(path, || pretty(actual)) {
        return None;
    }
    compare(path, actual, is_same)
}

/// How a text differs from what is on file, if it does.
pub fn check_text(path: &Path, actual: &str) -> Option<String> {
    if is_refreshed(path, || actual.to_owned()) {
        return None;
    }
    compare_text(path, actual)
}

/// Fails with every difference at once.
///
/// # Panics
/// If there are any.
#[track_caller]
pub fn assert_none(differences: impl IntoIterator<Item = String>) {
    let differences: Vec<String> = differences.into_iter().collect();
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

/// Writes a file anew if that is what the run is for.
fn is_refreshed(path: &Path, actual: impl FnOnce() -> String) -> bool {
    let refreshes = std::env::var_os("HIKYAKU_REFRESH_GOLDEN").is_some();
    if refreshes {
        write(path, &actual());
    }
    refreshes
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// JSON as files have it, so that a diff shows what has changed.
fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn compare(
    path: &Path,
    actual: &Value,
    is_same: impl FnOnce(&Value, &Value) -> bool,
) -> Option<String> {
    let expected = json(path);
    let is_same = expected.as_ref().is_some_and(|expected| is_same(expected, actual));
    let expected = expected.unwrap_or_default();
    (!is_same).then(|| format!("{}\nexpected {expected:#}\nactual {actual:#}", path.display()))
}

fn compare_text(path: &Path, actual: &str) -> Option<String> {
    let expected = text(path);
    let is_same = expected.as_deref() == Some(actual);
    let expected = expected.unwrap_or_default();
    (!is_same).then(|| format!("{}\nexpected:\n{expected}\nactual:\n{actual}", path.display()))
}

#[cfg(test)]
mod tests;
