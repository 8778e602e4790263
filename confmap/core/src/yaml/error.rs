//! Why a text is not the YAML of a configuration.

use std::sync::Arc;

use saphyr_parser::{Marker, ScanError};

use crate::{
    Diagnostic, Origin, Path, Source,
    limits::{MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_NODES, MAX_TEXT_BYTES},
};

/// A problem and its place.
#[derive(Clone, Debug)]
pub(crate) struct YamlError {
    pub(crate) problem: Problem,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) width: u32,
}

/// What is wrong.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{0}")]
    Syntax(String),
    #[error("found a tab in the indentation")]
    Tab,
    #[error("could not find expected ':'")]
    MissingColon,
    #[error("mapping values are not allowed in this context")]
    MissingBlank,
    #[error("mapping key {key:?} already defined at line {first}")]
    DuplicateKey { key: String, first: u32 },
    #[error("a map or a list can't be a key")]
    ComplexKey,
    #[error("map merge requires map or sequence of maps as the value")]
    Merge,
    #[error("unknown anchor, or one that contains this alias")]
    RecursiveAlias,
    #[error("cannot decode the value as a !!{tag}")]
    TagMismatch { tag: String },
    #[error("the tag !!binary is not supported")]
    BinaryTag,
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error(
        "more than {MAX_NODES} keys and values, or {MAX_TEXT_BYTES} bytes of text, with aliases expanded"
    )]
    TooMuch,
    #[error("larger than {MAX_DOCUMENT_BYTES} bytes")]
    TooLarge,
}

impl Problem {
    pub(super) fn at(self, marker: &Marker, width: usize) -> YamlError {
        YamlError {
            problem: self,
            line: number(marker.line()),
            column: number(marker.col().saturating_add(1)),
            width: number(width),
        }
    }

    pub(super) fn at_origin(self, origin: &Origin) -> YamlError {
        let (line, column, width) = (origin.line(), origin.column(), origin.width());
        YamlError { problem: self, line, column, width }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Tab => "indent with spaces: YAML takes no tab there",
            Self::MissingColon => {
                "a key needs a colon and a blank behind it, and more indented lines below it"
            }
            Self::MissingBlank => "put a blank behind the colon",
            Self::DuplicateKey { .. } => "merge the two, or remove one",
            Self::ComplexKey => "text that begins with { or [ needs quotes",
            Self::Merge => "<<: takes an alias of a map, such as *defaults",
            Self::BinaryTag => "write the text itself",
            Self::Syntax(info) => syntax_help(info)?,
            _ => return None,
        };
        Some(help.to_owned())
    }
}

impl YamlError {
    /// The parser's error, told in terms of what stands in the text.
    pub(super) fn from_scan(error: &ScanError, text: &str) -> Self {
        let (info, marker) = (error.info(), error.marker());
        let lines: Vec<&str> = text.lines().collect();
        let index = marker.line().saturating_sub(1);
        if let Some((line, column)) = find_tab(info, index, &lines) {
            return Problem::Tab.at(&Marker::new(0, line + 1, column), 1);
        }
        let above = || (0..index).rev().find(|line| has_content(&lines, *line));
        if info.contains("simple key expect")
            && let Some((line, content)) = above().and_then(|at| Some((at, lines.get(at)?)))
        {
            // The parser notices it at the next key.
            let (column, width) = content_columns(content);
            return Problem::MissingColon.at(&Marker::new(0, line + 1, column), width);
        }
        if info.contains("mapping values are not allowed") {
            let glued = [Some(index), above()].into_iter().flatten().find_map(|line| {
                let column = glued_colon(lines.get(line)?)?;
                Some((line, column))
            });
            if let Some((line, column)) = glued {
                return Problem::MissingBlank.at(&Marker::new(0, line + 1, column), 1);
            }
        }
        let problem = Problem::Syntax(info.to_owned());
        if has_content(&lines, index) || index < lines.len() {
            return problem.at(marker, 1);
        }
        // Beyond the last line there is nothing to show.
        match (0..lines.len()).rev().find(|line| has_content(&lines, *line)) {
            Some(line) => {
                let width = lines.get(line).map_or(0, |text| text.trim_end().chars().count());
                problem.at(&Marker::new(0, line + 1, width), 1)
            }
            None => problem.at(marker, 1),
        }
    }

    /// The error as it stands on its own.
    pub(crate) fn into_diagnostic(self, source: &Arc<Source>) -> Diagnostic {
        let message = self.message();
        self.describe(Diagnostic::error(Path::root(), message), source)
    }

    /// The Collector's form of it: `yaml: line 3: …`.
    pub(crate) fn message(&self) -> String {
        format!("yaml: line {}: {}", self.line, self.problem)
    }

    /// Adds place and help to a diagnostic that says what follows from the error.
    pub(crate) fn describe(self, diagnostic: Diagnostic, source: &Arc<Source>) -> Diagnostic {
        let origin = Origin::new(source.clone(), self.line, self.column, self.width);
        let diagnostic = match self.problem {
            Problem::DuplicateKey { .. } => diagnostic.at_key(&origin),
            _ => diagnostic.at(&origin),
        };
        match self.problem.help() {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

fn syntax_help(info: &str) -> Option<&'static str> {
    let helps = [
        (
            "mapping values are not allowed",
            "the line is indented deeper than the one above, or a value with `: ` needs quotes",
        ),
        ("did not find expected key", "the line is indented differently from the keys above it"),
        ("illegal placement of ':'", "a [ or { above is not closed"),
        ("unexpected character", "text that begins with @, % or ` needs quotes"),
        ("flow sequence", "close the list with ], and put a value with ${…}, { or [ in quotes"),
        ("flow mapping", "close the map with }, and put a value with ${…}, { or [ in quotes"),
        ("quoted scalar", "the quotes are not closed, or a \\ in double quotes should be \\\\"),
        ("scanning an anchor or alias", "text that begins with * or & needs quotes"),
        (
            "unknown anchor",
            "an alias such as *name needs its anchor &name above it; text with * needs quotes",
        ),
        ("block collection", "the list's dashes do not stand in one column"),
    ];
    helps.into_iter().find(|(part, _)| info.contains(part)).map(|(_, help)| help)
}

/// The first tab in the indentation of a line, if that is what the parser stopped at. It may
/// stop at the line before.
fn find_tab(info: &str, index: usize, lines: &[&str]) -> Option<(usize, usize)> {
    const LOOK_AHEAD_LINES: usize = 8;
    let look_ahead = if info.contains("tab") { LOOK_AHEAD_LINES } else { 1 };
    lines.iter().enumerate().skip(index).take(look_ahead).find_map(|(line, text)| {
        let indentation = text.len() - text.trim_start().len();
        let column = text.get(..indentation)?.find('\t')?;
        (indentation < text.len()).then_some((line, column))
    })
}

/// The column of a colon that has text directly behind it, where a key could end: `a:1`, but not
/// `http://…` and not a time.
fn glued_colon(line: &str) -> Option<usize> {
    let key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '.');
    let indentation = line.len() - line.trim_start_matches([' ', '-']).len();
    let rest = line.get(indentation..)?;
    let end = rest.find(|c| !key(c))?;
    let behind = rest.get(end..)?.strip_prefix(':')?;
    let glued = behind.starts_with(|c: char| !c.is_whitespace() && c != '/' && c != ':');
    (glued && end > 0).then_some(indentation + end)
}

fn has_content(lines: &[&str], index: usize) -> bool {
    let line = lines.get(index).map_or("", |line| line.trim());
    !line.is_empty() && !line.starts_with('#')
}

/// Where the content of a line starts, and how many characters it takes.
fn content_columns(line: &str) -> (usize, usize) {
    let content = line.trim();
    let indentation = line.len() - line.trim_start().len();
    (indentation, content.chars().count())
}

pub(super) fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
