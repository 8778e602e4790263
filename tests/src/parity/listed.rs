//! The list of differences: a line each, with the cases and the places where it occurs, and its reason.

use std::cell::Cell;
use std::fmt;

use super::Difference;

/// The differences that there are meant to be.
#[derive(Debug)]
pub struct Listed {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    line: usize,
    case: String,
    path: String,
    occurred: Cell<bool>,
}

/// A line that is none of a list of differences.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its number, counted from 1.
    pub line: usize,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}: a pattern of cases, a pattern of paths and a reason are needed",
            self.line
        )
    }
}

impl std::error::Error for Unreadable {}

impl Listed {
    /// Reads a list: `<cases> <paths> <reason>` in each line, the first two patterns in which `*` stands for any text. Lines that begin
    /// with `#` are comments.
    ///
    /// # Errors
    ///
    /// A line with less in it.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        let mut entries = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let mut words = line.split_whitespace();
            let (case, path) = (words.next(), words.next());
            let (Some(case), Some(path), Some(_)) = (case, path, words.next()) else {
                return Err(Unreadable { line: number + 1 });
            };
            entries.push(Entry {
                line: number + 1,
                case: case.to_owned(),
                path: path.to_owned(),
                occurred: Cell::new(false),
            });
        }
        Ok(Self { entries })
    }

    /// The differences of a case that no line is about. All lines about one of them have occurred.
    pub fn unlisted(&self, case: &str, found: Vec<Difference>) -> Vec<Difference> {
        let is_unlisted = |difference: &Difference| {
            let mut listed = false;
            for entry in &self.entries {
                if fits(&entry.case, case) && fits(&entry.path, &difference.path) {
                    entry.occurred.set(true);
                    listed = true;
                }
            }
            !listed
        };
        found.into_iter().filter(is_unlisted).collect()
    }

    /// The lines about differences that have not occurred in any case.
    pub fn stale(&self) -> Vec<String> {
        let stale = self.entries.iter().filter(|entry| !entry.occurred.get());
        stale.map(|entry| format!("line {}: {} {}", entry.line, entry.case, entry.path)).collect()
    }
}

/// Whether a text fits a pattern in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    if rest.is_empty() {
        return true;
    }
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts.filter_map(|at| text.get(at..)).any(|text| fits(rest, text))
}
