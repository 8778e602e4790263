//! Prints a tree as YAML or JSON, with secrets masked.

use std::{
    borrow::Cow,
    collections::HashSet,
    fmt::{self, Write},
};

use crate::{Diagnostics, Node, Path, Value, opaque::REDACTED, path::Trail, user_info, yaml};

/// Which values a printed configuration masks.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    paths: Option<HashSet<Path>>,
}

impl Redaction {
    /// Masks nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Masks the values that a provider declared secret, and those that components decoded into
    /// an [`Opaque`](crate::Opaque) while they reported to `decoded`. Of a whole configuration that
    /// is a secret, the keys are shown; of a secret that a value came from, nothing. Of any other
    /// text, users and passwords in URLs are masked.
    #[must_use]
    pub fn secrets(decoded: &Diagnostics) -> Self {
        Self { paths: Some(decoded.secret_paths()) }
    }

    fn masks(&self, node: &Node, trail: Trail<'_>) -> bool {
        let Some(paths) = &self.paths else { return false };
        if node.is_null() || node.text() == Some("") {
            return false;
        }
        (node.is_secret() && !is_structure(node))
            || (!paths.is_empty() && paths.contains(&trail.to_path()))
    }

    /// What is shown of a text that is not masked as a whole.
    fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.paths.is_some() { user_info::hide(text) } else { Cow::Borrowed(text) }
    }
}

/// Whether a value is a map or list of a configuration, and not of what a reference yielded.
fn is_structure(node: &Node) -> bool {
    let holds_values = match node.value() {
        Value::Map(map) => !map.is_empty(),
        Value::Seq(items) => !items.is_empty(),
        _ => false,
    };
    holds_values && !node.is_expanded()
}

impl Node {
    /// The tree as block-style YAML, ending in a line break. Read again, it gives equal values.
    #[must_use]
    pub fn to_yaml(&self, redaction: &Redaction) -> String {
        let mut out = String::new();
        write_yaml(&mut out, self, redaction, Trail::Root, 0, Position::Start);
        out
    }

    /// The tree as JSON, indented by two blanks, ending in a line break. An infinite float and
    /// not-a-number, which JSON does not have, are written as strings.
    #[must_use]
    pub fn to_json(&self, redaction: &Redaction) -> String {
        let mut out = String::new();
        write_json(&mut out, self, redaction, Trail::Root, 0);
        out.push('\n');
        out
    }
}

/// What stands before a value on its line.
#[derive(Clone, Copy, PartialEq)]
enum Position {
    Start,
    Key,
    Dash,
}

fn write_yaml(
    out: &mut String,
    node: &Node,
    redaction: &Redaction,
    trail: Trail<'_>,
    indent: usize,
    position: Position,
) {
    if redaction.masks(node, trail) {
        return write_yaml_scalar(out, &yaml_string(REDACTED), position);
    }
    match node.value() {
        Value::Map(map) if !map.is_empty() => {
            for (index, entry) in map.iter().enumerate() {
                start_line(out, indent, position, index);
                out.push_str(&yaml_string(&entry.key));
                out.push(':');
                let trail = Trail::Key(&trail, &entry.key);
                write_yaml(out, &entry.node, redaction, trail, indent + 1, Position::Key);
            }
        }
        Value::Seq(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                start_line(out, indent, position, index);
                out.push('-');
                let trail = Trail::Index(&trail, index);
                write_yaml(out, item, redaction, trail, indent + 1, Position::Dash);
            }
        }
        Value::Map(_) => write_yaml_scalar(out, "{}", position),
        Value::Seq(_) => write_yaml_scalar(out, "[]", position),
        Value::Null => write_yaml_scalar(out, "null", position),
        Value::Bool(value) => write_yaml_scalar(out, &value.to_string(), position),
        Value::Int(value) => write_yaml_scalar(out, &value.to_string(), position),
        Value::Float(value) => write_yaml_scalar(out, &float(*value), position),
        Value::String(text) => {
            write_yaml_scalar(out, &yaml_string(&redaction.shown(text)), position);
        }
    }
}

/// The first entry of a list's element stands behind its dash; any other on a line of its own.
fn start_line(out: &mut String, indent: usize, position: Position, index: usize) {
    match (index, position) {
        (0, Position::Dash) => out.push(' '),
        (0, Position::Key) => {
            out.push('\n');
            pad(out, indent);
        }
        _ => pad(out, indent),
    }
}

fn write_yaml_scalar(out: &mut String, text: &str, position: Position) {
    if position != Position::Start {
        out.push(' ');
    }
    out.push_str(text);
    out.push('\n');
}

/// Text as a plain scalar where that reads back as the same text, and in double quotes elsewhere.
fn yaml_string(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'/' | b'-' | b'+');
    // Within text, what ends a plain scalar is a `: ` or a ` #`; a lone colon is common and safe.
    let safe = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'/')
        && text.bytes().all(|b| plain(b) || b == b':')
        && !text.ends_with(':')
        && matches!(yaml::plain(text), Value::String(_))
        && !is_yaml_1_1_word(text);
    if safe {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 2);
    write_quoted(&mut out, text);
    out
}

/// Words that other readers of YAML take for booleans.
fn is_yaml_1_1_word(text: &str) -> bool {
    const WORDS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn write_json(
    out: &mut String,
    node: &Node,
    redaction: &Redaction,
    trail: Trail<'_>,
    indent: usize,
) {
    if redaction.masks(node, trail) {
        return write_quoted(out, REDACTED);
    }
    match node.value() {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => display(out, value),
        Value::Int(value) => display(out, value),
        Value::Float(value) if value.is_finite() => out.push_str(&float(*value)),
        Value::Float(value) => write_quoted(out, &float(*value)),
        Value::String(text) => write_quoted(out, &redaction.shown(text)),
        Value::Seq(items) => {
            write_json_block(out, ('[', ']'), indent, items.len(), |out, index| {
                if let Some(item) = items.get(index) {
                    write_json(out, item, redaction, Trail::Index(&trail, index), indent + 1);
                }
            });
        }
        Value::Map(map) => {
            let entries: Vec<_> = map.iter().collect();
            write_json_block(out, ('{', '}'), indent, entries.len(), |out, index| {
                if let Some(entry) = entries.get(index) {
                    write_quoted(out, &entry.key);
                    out.push_str(": ");
                    let trail = Trail::Key(&trail, &entry.key);
                    write_json(out, &entry.node, redaction, trail, indent + 1);
                }
            });
        }
    }
}

fn write_json_block(
    out: &mut String,
    (open, close): (char, char),
    indent: usize,
    len: usize,
    write: impl Fn(&mut String, usize),
) {
    out.push(open);
    for index in 0..len {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        pad(out, indent + 1);
        write(out, index);
    }
    if len > 0 {
        out.push('\n');
        pad(out, indent);
    }
    out.push(close);
}

/// A string in double quotes, with escapes that YAML and JSON share.
fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Line separators and the byte order mark mean something to a YAML reader.
            '\u{2028}' | '\u{2029}' | '\u{feff}' => escape(out, character),
            _ if character.is_control() => escape(out, character),
            _ => out.push(character),
        }
    }
    out.push('"');
}

fn escape(out: &mut String, character: char) {
    // Writing to a string can't fail.
    let _ = write!(out, "\\u{:04x}", u32::from(character));
}

fn float(value: f64) -> String {
    if value.is_nan() {
        ".nan".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { ".inf".to_owned() } else { "-.inf".to_owned() }
    } else {
        // Debug keeps the point that makes it a float, and the shortest digits that read back.
        format!("{value:?}")
    }
}

fn display(out: &mut String, value: &impl fmt::Display) {
    let _ = write!(out, "{value}");
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n("  ", indent));
}

#[cfg(test)]
mod tests;
