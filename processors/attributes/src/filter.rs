//! How one property is compared.

use std::collections::HashSet;

use attributes::{pattern, value};
use confmap::{Item, Section};
use pdata::edit::ValueBuf;
use pdata::text::to_text;
use pdata::view::{AnyValue, Attributes};
use regex::Regex;

/// What `match_type` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MatchType {
    Strict,
    Regexp,
}

/// Texts, of which one has to match.
#[derive(Debug)]
pub(crate) enum Filter {
    /// The whole text.
    Strict(HashSet<String>),
    /// Any part of it.
    Regexp(Vec<Regex>),
}

/// An attribute that has to be there.
#[derive(Debug)]
pub(crate) struct AttributeFilter {
    key: String,
    /// What its value has to be, if that matters.
    value: Option<ValueFilter>,
}

#[derive(Debug)]
enum ValueFilter {
    Strict(ValueBuf),
    Regexp(Regex),
}

impl MatchType {
    /// Reads `match_type`, which is required wherever something is compared.
    pub(crate) fn read(section: &mut Section<'_>) -> Option<Self> {
        let text: String = section.get("match_type")?;
        match text.as_str() {
            "strict" => Some(Self::Strict),
            "regexp" => Some(Self::Regexp),
            _ => {
                section.error("match_type", Self::unrecognized(&text));
                None
            }
        }
    }

    pub(crate) fn unrecognized(text: &str) -> String {
        format!("unrecognized match_type: '{text}', valid types are: [regexp strict]")
    }
}

impl Filter {
    /// A filter of texts. A pattern that is none is reported at `item`.
    pub(crate) fn new(match_type: MatchType, texts: Vec<String>, item: &Item<'_>) -> Self {
        match match_type {
            MatchType::Strict => Self::Strict(texts.into_iter().collect()),
            MatchType::Regexp => {
                Self::Regexp(texts.iter().filter_map(|text| compile(text, item)).collect())
            }
        }
    }

    /// Whether one of its texts matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Strict(texts) => texts.contains(text),
            Self::Regexp(patterns) => patterns.iter().any(|pattern| pattern.is_match(text)),
        }
    }
}

impl AttributeFilter {
    /// Reads `{key, value}`.
    pub(crate) fn read(match_type: Option<MatchType>, item: &Item<'_>) -> Option<Self> {
        let mut section = item.section();
        let key: String = section.get("key").unwrap_or_default();
        let value = section.item("value").filter(|value| !value.node().is_null());
        if key.is_empty() {
            section.error_here("can't have empty key in the list of attributes");
        }
        section.finish();
        let value = match value {
            None => None,
            Some(value) => Some(Self::read_value(match_type?, &key, &value)?),
        };
        Some(Self { key, value })
    }

    fn read_value(match_type: MatchType, key: &str, item: &Item<'_>) -> Option<ValueFilter> {
        let value = value::from_node(item.node()).map_err(|mismatch| item.report(mismatch)).ok()?;
        if match_type == MatchType::Strict {
            return Some(ValueFilter::Strict(value));
        }
        match value.view() {
            AnyValue::Str(text) => compile(text.as_str(), item).map(ValueFilter::Regexp),
            other => {
                let found = type_name(&other);
                item.error(format!(
                    "match_type=regexp for {key:?} only supports Str, but found {found}"
                ));
                None
            }
        }
    }

    /// Whether the attribute is there, with that value.
    pub(crate) fn matches(&self, attributes: &Attributes<'_>) -> bool {
        let Some(actual) = attributes.get(&self.key) else { return false };
        match &self.value {
            None => true,
            Some(ValueFilter::Strict(expected)) => is_same(&expected.view(), &actual),
            Some(ValueFilter::Regexp(pattern)) => match actual {
                AnyValue::Str(text) => pattern.is_match(text.as_str()),
                AnyValue::Bool(_) | AnyValue::Int(_) => pattern.is_match(&to_text(&actual)),
                // Never with an exponent, unlike the text of an attribute.
                AnyValue::Double(value) => pattern.is_match(&value.to_string()),
                _ => false,
            },
        }
    }
}

/// Whether values are of one type and equal. Maps are equal in any order of their keys.
fn is_same(expected: &AnyValue<'_>, actual: &AnyValue<'_>) -> bool {
    match (expected, actual) {
        (AnyValue::Array(_), AnyValue::Array(_))
        | (AnyValue::KeyValueList(_), AnyValue::KeyValueList(_)) => {
            to_text(expected) == to_text(actual)
        }
        _ => expected == actual,
    }
}

/// A type's name, as upstream.
fn type_name(value: &AnyValue<'_>) -> &'static str {
    match value {
        AnyValue::Empty => "Empty",
        AnyValue::Str(_) => "Str",
        AnyValue::Bool(_) => "Bool",
        AnyValue::Int(_) => "Int",
        AnyValue::Double(_) => "Double",
        AnyValue::Array(_) => "Slice",
        AnyValue::KeyValueList(_) => "Map",
        AnyValue::Bytes(_) => "Bytes",
    }
}

fn compile(text: &str, item: &Item<'_>) -> Option<Regex> {
    let compiled = pattern::compile(text);
    compiled
        .map_err(|error| item.error(format!("error parsing regexp {text:?}: {}", error.reason)))
        .ok()
}
