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
        "more than {MAX_NODES} values, or {MAX_TEXT_BYTES} bytes of text, with aliases expanded"
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
    /// The parser's error, told in terms of what stands there.
    pub(super) fn from_scan(error: &ScanError, text: &str) -> Self {
        let marker = error.marker();
        // The parser points behind the tab, and tells the several cases of it apart.
        let tab = marker.line().checked_sub(1).and_then(|index| text.lines().nth(index)).and_then(
            |line| {
                let indentation = line.len() - line.trim_start().len();
                line.get(..indentation)?.chars().position(|c| c == '\t')
            },
        );
        match tab {
            Some(column) if error.info().contains("tab") || marker.col() >= column => {
                let marker = Marker::new(0, marker.line(), column);
                Problem::Tab.at(&marker, 1)
            }
            _ => Problem::Syntax(error.info().to_owned()).at(marker, 1),
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
            "the line is indented deeper than the one above, or its value contains `: ` and needs quotes",
        ),
        ("did not find expected key", "the line is indented differently from the keys above it"),
        ("simple key expect", "a `:` is missing behind the key, or the line above is not complete"),
        ("flow sequence", "close the list with ], and put a value with ${…}, { or [ in quotes"),
        ("flow mapping", "close the map with }, and put a value with ${…}, { or [ in quotes"),
        ("quoted scalar", "the quotes are not closed, or a \\ in double quotes should be \\\\"),
        (
            "unknown anchor",
            "an alias such as *name needs its anchor &name above it; text with * needs quotes",
        ),
        ("block collection", "the list's dashes do not stand in one column"),
    ];
    helps.into_iter().find(|(part, _)| info.contains(part)).map(|(_, help)| help)
}

pub(super) fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
