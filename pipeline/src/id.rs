//! Names of components and pipelines: `type`, `type/name`.

use std::fmt;
use std::str::FromStr;

use confmap::{Decode, Mismatch, Node};
use pdata::Signal;

/// What a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ComponentKind {
    /// Takes data from outside.
    Receiver,
    /// Works on data in a pipeline.
    Processor,
    /// Sends data outside.
    Exporter,
    /// Joins pipelines.
    Connector,
    /// A service outside pipelines.
    Extension,
}

impl ComponentKind {
    /// All of them, in the order of a config.
    pub(crate) const ALL: [ComponentKind; 5] = [
        ComponentKind::Receiver,
        ComponentKind::Processor,
        ComponentKind::Exporter,
        ComponentKind::Connector,
        ComponentKind::Extension,
    ];

    /// The word for one: `receiver`.
    pub fn name(self) -> &'static str {
        match self {
            ComponentKind::Receiver => "receiver",
            ComponentKind::Processor => "processor",
            ComponentKind::Exporter => "exporter",
            ComponentKind::Connector => "connector",
            ComponentKind::Extension => "extension",
        }
    }

    /// The word for one, with its article: `an exporter`.
    pub(crate) fn with_article(self) -> String {
        let article = match self {
            ComponentKind::Exporter | ComponentKind::Extension => "an",
            ComponentKind::Receiver | ComponentKind::Processor | ComponentKind::Connector => "a",
        };
        format!("{article} {}", self.name())
    }

    /// The config section of its kind: `receivers`.
    pub fn section(self) -> &'static str {
        match self {
            ComponentKind::Receiver => "receivers",
            ComponentKind::Processor => "processors",
            ComponentKind::Exporter => "exporters",
            ComponentKind::Connector => "connectors",
            ComponentKind::Extension => "extensions",
        }
    }
}

/// A configured component: its type, and a name where there are several of the type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComponentId {
    component_type: String,
    name: String,
}

impl ComponentId {
    /// The type.
    pub fn component_type(&self) -> &str {
        &self.component_type
    }

    /// What stands behind the slash; empty when there is none.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Why text is not an id. The messages are the Collector's (`component/identifiable.go`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing there.
    #[error("id must not be empty")]
    Empty,
    /// `x/`
    #[error("in {0:?} id: the part after / should not be empty")]
    NoName(String),
    /// `/x`
    #[error("in {0:?} id: the part before / should not be empty")]
    NoType(String),
    /// A type of other characters than letters, digits and `_`, or too long.
    #[error("invalid character(s) in type {0:?}")]
    Type(String),
    /// A name with white space, control or symbol characters, or longer than 1024 characters.
    #[error("invalid character(s) in name {0:?}")]
    Name(String),
    /// A pipeline's type that is no signal.
    #[error("unknown pipeline signal: {0:?} (valid values: traces, metrics, logs)")]
    Signal(String),
}

impl FromStr for ComponentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (component_type, name) = parts(text)?;
        let mut chars = component_type.chars();
        let sound = chars.next().is_some_and(|c| c.is_ascii_alphabetic())
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
            && component_type.len() <= 63;
        if !sound {
            return Err(IdError::Type(component_type.to_owned()));
        }
        Ok(Self { component_type: component_type.to_owned(), name: name.to_owned() })
    }
}

impl Decode for ComponentId {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        let text = String::decode(node)?;
        text.parse().map_err(|error: IdError| Mismatch::new(error.to_string()))
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_id(f, &self.component_type, &self.name)
    }
}

/// A pipeline: its signal, and a name where there are several of the signal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PipelineId {
    signal: Signal,
    name: String,
}

impl PipelineId {
    /// The signal.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// What stands behind the slash; empty when there is none.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for PipelineId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (signal, name) = parts(text)?;
        let signal = Signal::ALL.into_iter().find(|s| s.name() == signal);
        let signal = signal.ok_or_else(|| IdError::Signal(text.to_owned()))?;
        Ok(Self { signal, name: name.to_owned() })
    }
}

impl fmt::Display for PipelineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_id(f, self.signal.name(), &self.name)
    }
}

/// Type and name, trimmed; the name is empty when there is no slash.
fn parts(text: &str) -> Result<(&str, &str), IdError> {
    let (before, after) = match text.split_once('/') {
        Some((before, after)) => (before.trim(), Some(after.trim())),
        None => (text.trim(), None),
    };
    match (before, after) {
        ("", None) => Err(IdError::Empty),
        ("", Some(_)) => Err(IdError::NoType(text.to_owned())),
        (_, Some("")) => Err(IdError::NoName(text.to_owned())),
        (_, Some(name)) if !sound_name(name) => Err(IdError::Name(name.to_owned())),
        (before, after) => Ok((before, after.unwrap_or_default())),
    }
}

fn sound_name(name: &str) -> bool {
    let symbol = |c: char| "$+<=>^`|~".contains(c);
    name.chars().count() <= 1024
        && !name.chars().any(|c| c.is_whitespace() || c.is_control() || symbol(c))
}

fn write_id(f: &mut fmt::Formatter<'_>, first: &str, name: &str) -> fmt::Result {
    f.write_str(first)?;
    if name.is_empty() { Ok(()) } else { write!(f, "/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_as_the_collector_reads_them() {
        for (text, component_type, name) in
            [("otlp", "otlp", ""), (" otlp / a/b ", "otlp", "a/b"), ("a_1/ü-x.y", "a_1", "ü-x.y")]
        {
            let id: ComponentId = text.parse().unwrap();
            assert_eq!((id.component_type(), id.name()), (component_type, name), "{text}");
        }
        assert_eq!("a/b".parse::<ComponentId>().unwrap().to_string(), "a/b");
    }

    #[test]
    fn bad_ids_are_refused_with_the_collectors_words() {
        for (text, message) in [
            ("", "id must not be empty"),
            ("x/", "in \"x/\" id: the part after / should not be empty"),
            ("/x", "in \"/x\" id: the part before / should not be empty"),
            ("1x", "invalid character(s) in type \"1x\""),
            ("a-b", "invalid character(s) in type \"a-b\""),
            ("a/b c", "invalid character(s) in name \"b c\""),
        ] {
            assert_eq!(text.parse::<ComponentId>().unwrap_err().to_string(), message);
        }
        assert!("trace".parse::<PipelineId>().unwrap_err().to_string().contains("traces"));
    }
}
