//! Stack traces as texts, in the words of each SDK's language.
//!
//! Java's, Python's, Go's and .NET's are read as open-telemetry/opentelemetry-collector-contrib `exporter/awsxrayexporter/internal/translator/cause.go`
//! does it, and beyond: upstream knows no chains but those of Java and one of Python's two, and no other languages.

mod dotnet;
mod elixir;
mod golang;
mod java;
mod javascript;
mod native;
mod python;
mod ruby;
mod xray;

use std::borrow::Cow;

/// What a stack trace is written in: the resource's `telemetry.sdk.language`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Java,
    Python,
    /// The name that no SDK uses for itself, read exactly as upstream reads it.
    JavaScript,
    /// Node, and browsers.
    Node,
    Dotnet,
    Go,
    Ruby,
    /// Erlang and Elixir.
    Erlang,
    /// C++, Rust, Swift.
    Native,
    Other,
}

impl Language {
    pub(super) fn of(text: &[u8]) -> Self {
        match text {
            // PHP's SDK writes stack traces as Java does.
            b"java" | b"php" | b"kotlin" | b"scala" => Self::Java,
            b"python" => Self::Python,
            b"javascript" => Self::JavaScript,
            b"nodejs" | b"webjs" => Self::Node,
            b"dotnet" => Self::Dotnet,
            b"go" => Self::Go,
            b"ruby" => Self::Ruby,
            b"erlang" | b"elixir" => Self::Erlang,
            b"cpp" | b"rust" | b"swift" => Self::Native,
            _ => Self::Other,
        }
    }
}

/// A stack trace: the frames of the exception itself, innermost first, and the exceptions that caused it, each caused by the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stack<'t> {
    pub(super) frames: Vec<Frame<'t>>,
    pub(super) causes: Vec<Cause<'t>>,
}

/// An exception that caused another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cause<'t> {
    pub(super) kind: &'t str,
    pub(super) message: Cow<'t, str>,
    pub(super) frames: Vec<Frame<'t>>,
}

/// A place in a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Frame<'t> {
    pub(super) path: &'t str,
    pub(super) line: i64,
    pub(super) label: &'t str,
}

impl<'t> Stack<'t> {
    /// The frames of the last exception so far.
    fn last(&mut self) -> &mut Vec<Frame<'t>> {
        match self.causes.last_mut() {
            Some(cause) => &mut cause.frames,
            None => &mut self.frames,
        }
    }

    /// Begins an exception that caused the last one.
    fn caused_by(&mut self, kind: &'t str, message: impl Into<Cow<'t, str>>) {
        self.causes.push(Cause { kind, message: message.into(), frames: Vec::new() });
    }
}

/// Reads a stack trace. What is none has no frames.
pub(super) fn parse(language: Language, text: &str) -> Stack<'_> {
    if text.is_empty() {
        return Stack::default();
    }
    match language {
        Language::Java => java::parse(text),
        Language::Python => python::parse(text),
        Language::JavaScript => javascript::parse_as_upstream(text),
        Language::Node => javascript::parse(text),
        Language::Dotnet => dotnet::parse(text),
        Language::Go => golang::parse(text),
        Language::Ruby => ruby::parse(text),
        Language::Erlang => elixir::parse(text),
        Language::Native => native::parse(text),
        Language::Other => Stack::default(),
    }
}

/// Reads a stack trace that was one of X-Ray's, whatever the program was written in.
pub(super) fn parse_received(text: &str) -> Vec<Frame<'_>> {
    xray::parse(text)
}

/// A text cut in two at its last colon, if what is behind that is a number.
fn split_line(text: &str) -> Option<(&str, i64)> {
    let (path, line) = text.rsplit_once(':')?;
    Some((path, line.parse().ok()?))
}

/// A type and a message, at the first colon.
fn split_message(text: &str) -> (&str, &str) {
    match text.split_once(':') {
        Some((kind, message)) => (kind, message.strip_prefix(' ').unwrap_or(message)),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests;
