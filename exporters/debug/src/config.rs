//! Settings.

use std::time::Duration;

use config::Queue;
use confmap::{Decode, Mismatch, Node, Presence, Section, keyword_in_any_case};

/// The exporter's settings; keys and defaults are those of the Collector's `exporter/debugexporter`, and `tree`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// How much is shown.
    pub(crate) verbosity: Verbosity,
    /// What is left out when there is much.
    pub(crate) sampling: Sampling,
    /// Where it is shown.
    pub(crate) destination: Destination,
    /// `sending_queue`; `None` when it is off.
    pub(crate) queue: Option<Queue>,
    /// How trees are drawn.
    pub(crate) tree: TreeConfig,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// A line for each payload.
    #[default]
    Basic,
    /// About a line for each item.
    Normal,
    /// Everything.
    Detailed,
    /// Each trace as a tree, a line for each log record and data point. Ours.
    Tree,
}

/// Of the payloads of a second (traces, with `tree`), the first `initial` are shown, then every `thereafter`-th; zero shows
/// none of those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sampling {
    pub(crate) initial: u64,
    pub(crate) thereafter: u64,
}

/// Where text goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The summary line to the process's own log, the text to standard error.
    Log,
    /// `stdout`, `stderr` and files.
    Paths(Vec<String>),
}

/// How trees are drawn, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeConfig {
    /// Whether colours are used.
    pub(crate) color: Color,
    /// Columns of a line; zero takes the terminal's, and does not cut lines where there is no terminal.
    pub(crate) width: usize,
    /// How long a trace that looks complete is left alone before it is shown.
    pub(crate) settle: Duration,
    /// The same for one whose root, or some parent, has not arrived: longer than SDKs hold spans back by default.
    pub(crate) quiet: Duration,
    /// The longest that a trace is held.
    pub(crate) max_wait: Duration,
}

/// Whether colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    Always,
    Never,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            verbosity: Verbosity::Basic,
            sampling: Sampling { initial: 2, thereafter: 1 },
            destination: Destination::Log,
            queue: None,
            tree: TreeConfig {
                color: Color::Auto,
                width: 0,
                settle: Duration::from_secs(1),
                quiet: Duration::from_secs(6),
                max_wait: Duration::from_secs(30),
            },
        }
    }
}

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let base = Self::default();
        let verbosity = section.get("verbosity").unwrap_or(base.verbosity);
        for old in ["loglevel", "logLevel"] {
            let help =
                "write verbosity: detailed for debug, normal for info, basic for warn or error";
            section.stray(old, "was removed in favor of \"verbosity\"", help);
        }
        let sampling = Sampling {
            initial: section.get("sampling_initial").unwrap_or(base.sampling.initial),
            thereafter: section.get("sampling_thereafter").unwrap_or(base.sampling.thereafter),
        };
        let destination = read_destination(&mut section, verbosity);
        let queue = exporter_helper::read_queue(&mut section, Presence::Default);
        if verbosity == Verbosity::Tree && queue.is_some() {
            section.warn(
                "sending_queue",
                "`sending_queue` has no effect on traces with `verbosity: tree`, which holds spans itself",
            );
        }
        let tree = TreeConfig::read(section.section("tree"), verbosity);
        section.finish();
        Self { verbosity, sampling, destination, queue, tree }
    }
}

/// A tree is not a log record: it goes to the paths unless it is told otherwise, and cannot be told otherwise.
fn read_destination(section: &mut Section<'_>, verbosity: Verbosity) -> Destination {
    let is_tree = verbosity == Verbosity::Tree;
    let use_internal_logger = section.get("use_internal_logger");
    let paths: Option<Vec<String>> = section.get("output_paths");
    if is_tree && use_internal_logger == Some(true) {
        section.error_with_help(
            "use_internal_logger",
            "`use_internal_logger` is not supported with `verbosity: tree`",
            "remove it, or set `output_paths`; a tree is drawn on standard output",
        );
    }
    match paths {
        Some(_) if use_internal_logger.unwrap_or(!is_tree) => {
            section.error_with_help(
                "output_paths",
                "output_paths is not supported when use_internal_logger is true",
                "set `use_internal_logger: false`",
            );
            Destination::Log
        }
        Some(paths) => {
            if paths.is_empty() {
                section.error(
                    "output_paths",
                    "output_paths must not be empty when use_internal_logger is false",
                );
            }
            for path in &paths {
                if path.contains("://") && !path.starts_with("file:///") {
                    section.error_with_help(
                        "output_paths",
                        format!("no sink found for {path:?}"),
                        "use stdout, stderr, a path or file:///path",
                    );
                }
            }
            Destination::Paths(paths)
        }
        None if use_internal_logger.unwrap_or(!is_tree) => Destination::Log,
        None => Destination::Paths(vec!["stdout".to_owned()]),
    }
}

impl TreeConfig {
    fn read(mut section: Section<'_>, verbosity: Verbosity) -> Self {
        let base = Config::default().tree;
        if section.is_present() && verbosity != Verbosity::Tree {
            section.warn_here("`tree` has no effect without `verbosity: tree`");
        }
        let this = Self {
            color: section.get("color").unwrap_or(base.color),
            width: section.get("width").unwrap_or(base.width),
            settle: section.get("settle").unwrap_or(base.settle),
            quiet: section.get("quiet").unwrap_or(base.quiet),
            max_wait: section.get("max_wait").unwrap_or(base.max_wait),
        };
        section.finish();
        this
    }
}

impl Decode for Verbosity {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        let words = [
            ("basic", Self::Basic),
            ("normal", Self::Normal),
            ("detailed", Self::Detailed),
            ("tree", Self::Tree),
        ];
        keyword_in_any_case(node, &words)
    }
}

impl Decode for Color {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        let words = [("auto", Self::Auto), ("always", Self::Always), ("never", Self::Never)];
        keyword_in_any_case(node, &words)
    }
}

#[cfg(test)]
mod tests;
