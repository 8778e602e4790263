//! From a node to a typed value, by the rules of the Collector's decoder.
//!
//! The rules are those of open-telemetry/opentelemetry-collector `confmap/internal/decoder.go`:
//! no weak typing, so text is no number and a number no text; a value from `${…}` goes to a string
//! field as its original text, and to any other field as the YAML value of that text.

use std::sync::Arc;

use crate::{Node, Opaque, Origin, Value, suggest};

pub(crate) mod duration;

/// A type that a configuration value is decoded into.
///
/// ```
/// use confmap::{Decode, Mismatch, Node};
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Verbosity { Basic, Detailed }
///
/// impl Decode for Verbosity {
///     fn decode(node: &Node) -> Result<Self, Mismatch> {
///         confmap::keyword(node, &[("basic", Self::Basic), ("detailed", Self::Detailed)])
///     }
/// }
/// ```
pub trait Decode: Sized {
    /// Whether values of the type are secrets: no error repeats one, and the printer masks them.
    const SECRET: bool = false;

    /// Decodes a value that is not null.
    ///
    /// # Errors
    /// Says what was expected, and never repeats the value.
    fn decode(node: &Node) -> Result<Self, Mismatch>;

    /// What a null gives, written or from `${…}`; nothing means that the key counts as absent, as
    /// it does for sections, lists and maps. Scalars give their zero value, which overrides the
    /// default of the component, as upstream.
    #[must_use]
    fn decode_null(node: &Node) -> Option<Self> {
        let _ = node;
        None
    }

    /// A warning about a value that decodes, but hardly as the user meant it.
    #[must_use]
    fn lint(node: &Node) -> Option<String> {
        let _ = node;
        None
    }
}

/// Why a value can't be decoded: one fault, or several in a list.
#[derive(Clone, Debug)]
pub struct Mismatch {
    pub(crate) faults: Vec<Fault>,
}

/// One value that does not fit.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// Position in the list that was decoded, and the element's place.
    pub(crate) element: Option<(usize, Origin)>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Mismatch {
    /// A message of its own: `must be a port number`. Lower case, no final stop, not the value.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { faults: vec![Fault { element: None, message: message.into(), help: None }] }
    }

    /// The Collector's message for a value of the wrong type; `expected` is a Go type name such
    /// as `int`.
    #[must_use]
    pub fn expected(expected: &str, node: &Node) -> Self {
        let found = node.type_name();
        Self::new(format!("expected type '{expected}', got unconvertible type '{found}'"))
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        if let Some(fault) = self.faults.last_mut() {
            fault.help = Some(help.into());
        }
        self
    }
}

/// Decodes one of a fixed set of words, written exactly as listed.
///
/// # Errors
/// Anything else, with the closest word and the list of all.
pub fn keyword<T: Clone>(node: &Node, words: &[(&str, T)]) -> Result<T, Mismatch> {
    find_keyword(node, words, |word, text| word == text)
}

/// Decodes one of a fixed set of words in any case, such as a log level.
///
/// # Errors
/// Anything else, with the closest word and the list of all.
pub fn keyword_in_any_case<T: Clone>(node: &Node, words: &[(&str, T)]) -> Result<T, Mismatch> {
    find_keyword(node, words, str::eq_ignore_ascii_case)
}

fn find_keyword<T: Clone>(
    node: &Node,
    words: &[(&str, T)],
    same: impl Fn(&str, &str) -> bool,
) -> Result<T, Mismatch> {
    let text = String::decode(node)?;
    let found = words.iter().find(|(word, _)| same(word, &text));
    found.map(|(_, value)| value.clone()).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Mismatch::new("is none of the valid values").help(suggest::help(
            &text,
            "valid values",
            &known,
        ))
    })
}

impl Decode for bool {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        match node.value() {
            Value::Bool(value) => Ok(*value),
            Value::String(_) => {
                Err(Mismatch::expected("bool", node).help("write true or false, without quotes"))
            }
            _ => Err(Mismatch::expected("bool", node)),
        }
    }

    fn decode_null(_: &Node) -> Option<Self> {
        Some(false)
    }

    fn lint(node: &Node) -> Option<String> {
        lint_null(node, "false")
    }
}

macro_rules! decode_integer {
    ($($type:ty => $go:literal),*) => {$(
        impl Decode for $type {
            fn decode(node: &Node) -> Result<Self, Mismatch> {
                let value = integer(node, $go)?;
                Self::try_from(value).map_err(|_| {
                    let (min, max) = (Self::MIN, Self::MAX);
                    Mismatch::new(format!("must be an integer from {min} to {max}"))
                })
            }

            fn decode_null(_: &Node) -> Option<Self> {
                Some(0)
            }

            fn lint(node: &Node) -> Option<String> {
                lint_null(node, "0").or_else(|| lint_fraction(node))
            }
        }
    )*};
}

decode_integer! {
    i32 => "int32", i64 => "int64", u8 => "uint8", u16 => "uint16", u32 => "uint32",
    u64 => "uint64", usize => "int"
}

/// An integer, or a number cut off at its point, as upstream cuts it.
fn integer(node: &Node, go_type: &str) -> Result<i128, Mismatch> {
    match node.value() {
        Value::Int(value) => Ok(*value),
        Value::Float(value) if value.is_finite() => Ok(value.trunc() as i128),
        Value::Float(_) => Err(Mismatch::new("must be a finite number")),
        Value::String(_) if node.is_expanded() => Err(Mismatch::expected(go_type, node)),
        Value::String(_) => {
            Err(Mismatch::expected(go_type, node).help("write a number, without quotes"))
        }
        _ => Err(Mismatch::expected(go_type, node)),
    }
}

fn lint_fraction(node: &Node) -> Option<String> {
    match node.value() {
        Value::Float(value) if value.is_finite() && value.fract() != 0.0 => {
            Some("the fraction is cut off: the setting is an integer".to_owned())
        }
        _ => None,
    }
}

fn lint_null(node: &Node, zero: &str) -> Option<String> {
    (node.is_null() && !node.is_expanded())
        .then(|| format!("null sets this to {zero}; leave the key out to keep the default"))
}

impl Decode for f64 {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        match node.value() {
            Value::Float(value) => Ok(*value),
            Value::Int(value) => Ok(*value as f64),
            _ => Err(Mismatch::expected("float64", node)),
        }
    }

    fn decode_null(_: &Node) -> Option<Self> {
        Some(0.0)
    }

    fn lint(node: &Node) -> Option<String> {
        lint_null(node, "0")
    }
}

/// Takes the original text of an expanded value byte for byte; of a written value, only text.
impl Decode for String {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        if let Some(text) = node.text() {
            return Ok(text.to_owned());
        }
        let mismatch = Mismatch::expected("string", node);
        Err(match node.value() {
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                mismatch.help("put the value in quotes")
            }
            _ => mismatch,
        })
    }

    fn decode_null(node: &Node) -> Option<Self> {
        Some(node.original().unwrap_or_default().to_owned())
    }

    fn lint(node: &Node) -> Option<String> {
        lint_null(node, "empty text")
    }
}

impl Decode for Arc<str> {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        String::decode(node).map(Into::into)
    }

    fn decode_null(node: &Node) -> Option<Self> {
        String::decode_null(node).map(Into::into)
    }

    fn lint(node: &Node) -> Option<String> {
        String::lint(node)
    }
}

impl Decode for Opaque {
    const SECRET: bool = true;

    fn decode(node: &Node) -> Result<Self, Mismatch> {
        String::decode(node).map(Self::new)
    }

    fn decode_null(node: &Node) -> Option<Self> {
        String::decode_null(node).map(Self::new)
    }

    fn lint(node: &Node) -> Option<String> {
        String::lint(node)
    }
}

/// A field that is a pointer upstream, so that null means none and not zero.
impl<T: Decode> Decode for Option<T> {
    const SECRET: bool = T::SECRET;

    fn decode(node: &Node) -> Result<Self, Mismatch> {
        T::decode(node).map(Some)
    }

    fn decode_null(_: &Node) -> Option<Self> {
        Some(None)
    }

    fn lint(node: &Node) -> Option<String> {
        if node.is_null() { None } else { T::lint(node) }
    }
}

/// A list. Plain text is split at commas, with nothing trimmed; empty text is an empty list.
impl<T: Decode> Decode for Vec<T> {
    const SECRET: bool = T::SECRET;

    fn decode(node: &Node) -> Result<Self, Mismatch> {
        let decode = |items: &[Node]| {
            let mut values = Self::with_capacity(items.len());
            let mut faults = Vec::new();
            for (index, item) in items.iter().enumerate() {
                match decode_element(item) {
                    Ok(value) => values.push(value),
                    Err(mismatch) => faults.extend(mismatch.faults.into_iter().map(|fault| {
                        Fault { element: Some((index, item.origin().clone())), ..fault }
                    })),
                }
            }
            if faults.is_empty() { Ok(values) } else { Err(Mismatch { faults }) }
        };
        match node.value() {
            Value::Seq(items) => decode(items),
            Value::String(text) => decode(&split(text, node)),
            _ => Err(Mismatch::new(format!(
                "source data must be an array or slice, got {}",
                node.kind_name()
            ))),
        }
    }

    fn lint(node: &Node) -> Option<String> {
        node.as_seq()?.iter().find_map(T::lint)
    }
}

fn decode_element<T: Decode>(item: &Node) -> Result<T, Mismatch> {
    if item.is_null() {
        return T::decode_null(item).ok_or_else(|| Mismatch::new("must not be null"));
    }
    T::decode(item)
}

fn split(text: &str, node: &Node) -> Vec<Node> {
    let part = |part: &str| Node::new(Value::String(part.into()), node.origin().clone());
    if text.is_empty() { Vec::new() } else { text.split(',').map(part).collect() }
}

#[cfg(test)]
mod tests;
