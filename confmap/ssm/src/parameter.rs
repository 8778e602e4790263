//! A parameter as `GetParameters` gives it.

use confmap::{Opaque, Retrieved};
use serde_json::Value;

/// A value and its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) form: Form,
    pub(crate) value: Opaque,
}

/// The types of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    String,
    StringList,
    SecureString,
}

impl Parameter {
    /// Reads one of the objects in `Parameters`.
    pub(crate) fn read(object: &Value) -> Option<Self> {
        let text = |key| object.get(key).and_then(Value::as_str);
        let form = match text("Type")? {
            "String" => Form::String,
            "StringList" => Form::StringList,
            "SecureString" => Form::SecureString,
            _ => return None,
        };
        Some(Self { form, value: Opaque::new(text("Value")?) })
    }

    /// The parameter as a whole. Only what is stored as a secret is never expanded: any other may be a part of a configuration
    /// that has references of its own.
    pub(crate) fn whole(&self) -> Retrieved {
        let text = self.value.expose();
        let retrieved = match self.form {
            Form::String => Retrieved::yaml(text),
            Form::StringList => Retrieved::list(text),
            Form::SecureString => Retrieved::yaml(text).unexpanded(),
        };
        retrieved.secret()
    }
}
