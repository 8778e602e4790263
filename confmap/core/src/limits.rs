//! The caps that keep any configuration, however hostile, bounded in time and memory.

/// The largest text read from one place, in bytes: a file, a variable, an argument, a body. It is
/// the limit of a Kubernetes ConfigMap. In the worst case, a list or map of this size on a single
/// line, reading takes about 190 times as much memory.
pub const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;

/// How many maps and lists may be nested in one another, after every reference is expanded.
pub const MAX_DEPTH: usize = 100;

/// How many keys and values a configuration may have, counted after aliases and references are
/// expanded.
pub const MAX_NODES: usize = 100_000;

/// How much text all values may have together after aliases and references are expanded, in bytes.
pub const MAX_TEXT_BYTES: usize = 16 * 1024 * 1024;

/// How often references may be expanded in a value and again in what they yield, as upstream
/// (open-telemetry/opentelemetry-collector `confmap/expand.go`).
pub const MAX_EXPANSIONS: usize = 1000;

/// How many errors and warnings are kept; the others are only counted.
pub const MAX_DIAGNOSTICS: usize = 200;
