//! OTLP attributes, written straight into their message.

use std::collections::HashSet;

use pdata::wire;

/// A value that a segment can give.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Str(String),
    Int(i64),
    Double(f64),
    Bool(bool),
    Texts(Vec<String>),
}

/// The attributes of a span, an event or a resource, encoded as they are added. Of two with one key the first stays.
#[derive(Debug)]
pub(super) struct Attributes {
    /// The field that they are in their message.
    field: u32,
    keys: HashSet<String>,
    encoded: Vec<u8>,
}

impl Attributes {
    /// None yet.
    pub(super) fn new(field: u32) -> Self {
        Self { field, keys: HashSet::new(), encoded: Vec::new() }
    }

    /// Adds one. False if there is one of this key already.
    pub(super) fn put(&mut self, key: &str, value: &Value) -> bool {
        if !self.keys.insert(key.to_owned()) {
            return false;
        }
        put(&mut self.encoded, self.field, key, value);
        true
    }

    /// Adds a text, if there is one. False if there is another attribute of this key.
    pub(super) fn text(&mut self, key: &str, text: Option<String>) -> bool {
        text.is_none_or(|text| self.put(key, &Value::Str(text)))
    }

    /// Whether there is one of this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// Adds an integer, if there is one.
    pub(super) fn int(&mut self, key: &str, int: Option<i64>) {
        if let Some(int) = int {
            self.put(key, &Value::Int(int));
        }
    }

    /// Adds a boolean, if there is one.
    pub(super) fn bool(&mut self, key: &str, bool: Option<bool>) {
        if let Some(bool) = bool {
            self.put(key, &Value::Bool(bool));
        }
    }

    /// Adds a list of texts, unless it is empty.
    pub(super) fn texts(&mut self, key: &str, texts: Vec<String>) {
        if !texts.is_empty() {
            self.put(key, &Value::Texts(texts));
        }
    }

    /// The fields of their message.
    pub(super) fn encoded(&self) -> &[u8] {
        &self.encoded
    }
}

/// Appends a `KeyValue` as field `number`.
pub(super) fn put(out: &mut Vec<u8>, number: u32, key: &str, value: &Value) {
    wire::put_message(out, number, |out| {
        wire::put_len(out, 1, key.as_bytes());
        wire::put_message(out, 2, |out| match value {
            Value::Str(text) => wire::put_len(out, 1, text.as_bytes()),
            Value::Bool(bool) => wire::put_uint(out, 2, u64::from(*bool)),
            Value::Int(int) => wire::put_uint(out, 3, int.cast_unsigned()),
            Value::Double(double) => wire::put_fixed64(out, 4, double.to_bits()),
            Value::Texts(texts) => wire::put_message(out, 5, |out| {
                for text in texts {
                    wire::put_message(out, 1, |out| wire::put_len(out, 1, text.as_bytes()));
                }
            }),
        });
    });
}
