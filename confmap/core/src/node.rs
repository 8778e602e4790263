//! The value tree: what a configuration says, and where each part of it was written.

use std::{fmt, sync::Arc};

use crate::{Diagnostics, Exposure, Map, Origin, Source, yaml};

/// A value with the place it was written at.
///
/// Two nodes are equal when every field decodes the same from both: places do not count, the
/// original text of an expanded value does. A reload compares sections this way.
///
/// A tree is at most [`MAX_DEPTH`](crate::limits::MAX_DEPTH) levels deep.
#[derive(Clone)]
pub struct Node {
    value: Value,
    origin: Origin,
    expansion: Option<Box<Expansion>>,
}

/// What a node holds, by the scalar rules of Go's yaml.v3.
#[derive(Clone)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`; `yes` and `on` are text.
    Bool(bool),
    /// An integer of 64 bits, with a sign or without.
    Int(i128),
    /// A number with a fraction or an exponent, or an integer too large for 64 bits.
    Float(f64),
    /// Text.
    String(Arc<str>),
    /// A list.
    Seq(Vec<Node>),
    /// A map.
    Map(Map),
}

/// What is known of a value that came, whole or in part, from `${…}`.
#[derive(Clone, Default)]
struct Expansion {
    /// The references in the order they were resolved, such as `env:HOST`.
    references: Vec<Arc<str>>,
    /// The text a whole-value reference yielded, where its value is not that text itself.
    original: Option<Arc<str>>,
    secret: bool,
    /// Whether a part of it is a provider's literal, whose `$` are still in disguise.
    literal: bool,
}

impl Node {
    /// A value at a place.
    #[must_use]
    pub fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin, expansion: None }
    }

    /// Parses one YAML document that stands alone: `${…}` stays as it is, and a key with `::` is
    /// split. An empty document is null. `name` is what errors call the text.
    ///
    /// # Errors
    /// Text that is not YAML, or goes beyond [`limits`](crate::limits).
    pub fn from_yaml(name: &str, text: &str) -> Result<Self, Diagnostics> {
        let source = Arc::new(Source::new(name, text, Exposure::Shown, 0));
        yaml::parse(&source, text).map(|document| document.root).map_err(|error| {
            let diagnostics = Diagnostics::new();
            diagnostics.push(error.into_diagnostic(&source));
            diagnostics
        })
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Where the value stands; for one that came from `${…}`, where that stands.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether the value is null, written or expanded.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The text of a string value. A string *field* takes [`Node::text`].
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list.
    #[must_use]
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The keys of a map.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The value of `key`, if this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// What a string field receives: the original text of an expanded value, byte for byte, or
    /// the text of a string; nothing for any other value.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.original().or_else(|| self.as_str())
    }

    /// The text that `${…}` yielded for the whole value: `0123` where the value is 83.
    #[must_use]
    pub fn original(&self) -> Option<&str> {
        let expansion = self.expansion.as_ref()?;
        expansion.original.as_deref()
    }

    /// The references that made the value, such as `env:HOST`, in the order they were resolved.
    #[must_use]
    pub fn references(&self) -> &[Arc<str>] {
        self.expansion.as_ref().map_or(&[], |expansion| &expansion.references)
    }

    /// Whether the value came, whole or in part, from `${…}`.
    #[must_use]
    pub fn is_expanded(&self) -> bool {
        self.expansion.is_some()
    }

    /// Whether a provider declared the value, or a part of it, a secret.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.origin.source().exposure() == Exposure::Secret
            || self.expansion.as_ref().is_some_and(|expansion| expansion.secret)
    }

    pub(crate) fn into_value(self) -> Value {
        self.value
    }

    pub(crate) fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// A null at the same place.
    pub(crate) fn placeholder(&self) -> Self {
        Self::new(Value::Null, self.origin.clone())
    }

    /// Puts in what a reference for the whole value yielded. The place stays that of the reference.
    pub(crate) fn replace(
        &mut self,
        value: Value,
        original: Option<Arc<str>>,
        reference: Arc<str>,
        secret: bool,
        literal: bool,
    ) {
        self.value = value;
        let expansion = self.expansion.get_or_insert_default();
        expansion.original = original;
        expansion.references.push(reference);
        expansion.secret |= secret;
        expansion.literal |= literal;
    }

    /// Puts in text with references spliced into it.
    pub(crate) fn splice(
        &mut self,
        text: Arc<str>,
        references: impl Iterator<Item = Arc<str>>,
        secret: bool,
        literal: bool,
    ) {
        self.value = Value::String(text);
        let expansion = self.expansion.get_or_insert_default();
        expansion.references.extend(references);
        expansion.secret |= secret;
        expansion.literal |= literal;
    }

    /// Changes the original text of an expanded value.
    pub(crate) fn set_original(&mut self, text: Option<Arc<str>>, secret: bool, literal: bool) {
        let expansion = self.expansion.get_or_insert_default();
        expansion.original = text;
        expansion.secret |= secret;
        expansion.literal |= literal;
    }

    /// Notes that `$` in its text are in disguise.
    pub(crate) fn set_literal(&mut self) {
        self.expansion.get_or_insert_default().literal = true;
    }

    /// Replaces its texts, the original one included, by what `change` makes of them; it is told
    /// whether the text holds a literal.
    pub(crate) fn map_text(&mut self, change: impl Fn(&str, bool) -> Option<String>) {
        let literal = self.expansion.as_ref().is_some_and(|expansion| expansion.literal);
        let apply = |text: &mut Arc<str>| {
            if let Some(changed) = change(text, literal) {
                *text = changed.into();
            }
        };
        if let Value::String(text) = &mut self.value {
            apply(text);
        }
        if let Some(Expansion { original: Some(text), .. }) = self.expansion.as_deref_mut() {
            apply(text);
        }
    }

    /// The Go type that the Collector's errors name: `int`, `map[string]interface {}`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match &self.value {
            Value::Seq(_) => "[]interface {}",
            Value::Map(_) => "map[string]interface {}",
            _ => self.kind_name(),
        }
    }

    /// The Go kind that the Collector's errors name: `int`, `slice`, `map`.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match &self.value {
            Value::Null => "nil",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float64",
            Value::String(_) => "string",
            Value::Seq(_) => "slice",
            Value::Map(_) => "map",
        }
    }
}

/// Equal in what any field would decode.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value && self.text() == other.text()
    }
}

/// Floats compare by their bits, so that a section with `.nan` equals itself.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Seq(a), Self::Seq(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            _ => false,
        }
    }
}

/// Prints the shape of the tree, its keys and its references, and no text: any text may be a
/// secret that only the component which reads it can tell.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Seq(items) => f.debug_list().entries(items).finish(),
            Value::Map(map) => {
                f.debug_map().entries(map.iter().map(|entry| (&entry.key, &entry.node))).finish()
            }
            _ => write!(f, "<{} at {}>", self.kind_name(), self.origin),
        }
    }
}
