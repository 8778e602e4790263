//! What is done to a list of attributes.

use pdata::edit::{AttributesMut, ValueBuf};
use pdata::view::AnyValue;
use pipeline::Client;
use regex::Regex;

use crate::convert::{Target, convert};
use crate::hash::hash;

/// A list of actions, carried out in order, as open-telemetry/opentelemetry-collector-contrib `internal/coreinternal/attraction`.
#[derive(Clone, Debug, Default)]
pub struct Actions {
    pub(crate) list: Vec<Action>,
}

/// One action.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Sets a key, when it is there, when it is not, or in any case.
    Set { key: String, when: When, source: Source },
    /// Removes a key, and those that match.
    Delete { key: Option<String>, pattern: Option<Regex> },
    /// Replaces the value of a key, and of those that match, by its hash.
    Hash { key: Option<String>, pattern: Option<Regex> },
    /// Sets keys to what the groups of their names match in a key's text.
    Extract { key: String, pattern: Regex },
    /// Replaces a value by one of another type.
    Convert { key: String, target: Target },
}

/// When a key is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Absent,
    Present,
    Always,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) from: Option<From>,
    /// What there is when `from` gives nothing.
    pub(crate) default: Option<ValueBuf>,
}

#[derive(Clone, Debug)]
pub(crate) enum From {
    Value(ValueBuf),
    Attribute(String),
    Context(Context),
}

/// A part of what is known of the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    Metadata(String),
    Auth(String),
    Address,
}

impl Actions {
    /// Carries the actions out. A value that would nest too deep where it is to be put is left out. Setting a value that is there already
    /// is no change.
    pub fn apply(&self, attributes: &mut AttributesMut<'_, '_>, client: &Client) {
        for action in &self.list {
            action.apply(attributes, client);
        }
    }
}

impl Action {
    fn apply(&self, attributes: &mut AttributesMut<'_, '_>, client: &Client) {
        match self {
            Action::Set { key, when, source } => {
                let old = attributes.get(key);
                let wanted = match when {
                    When::Absent => old.is_none(),
                    When::Present => old.is_some(),
                    When::Always => true,
                };
                if wanted && let Some(value) = source.value(attributes, client) {
                    set(attributes, key, &value);
                }
            }
            Action::Delete { key, pattern } => {
                if let Some(key) = key {
                    attributes.remove(key);
                }
                if let Some(pattern) = pattern {
                    attributes.retain(|key, _| !pattern.is_match(key.as_str()));
                }
            }
            Action::Hash { key, pattern } => {
                if let Some(key) = key
                    && let Some(hash) = attributes.get(key).map(|value| hash(&value))
                {
                    set(attributes, key, &hash.as_str().into());
                }
                if let Some(pattern) = pattern {
                    attributes.for_each(|attribute| {
                        let view = attribute.view();
                        if pattern.is_match(view.key.as_str()) {
                            let hash = hash(&view.value);
                            let _text_nests_nothing = attribute.set_value(hash.as_str());
                        }
                    });
                }
            }
            Action::Extract { key, pattern } => {
                let Some(AnyValue::Str(text)) = attributes.get(key) else { return };
                let text = text.as_str().to_owned();
                let Some(captures) = pattern.captures(&text) else { return };
                for (name, group) in pattern.capture_names().zip(captures.iter()) {
                    if let Some(name) = name {
                        // A group that took no part gives empty text, as in Go.
                        set(attributes, name, &group.map_or("", |group| group.as_str()).into());
                    }
                }
            }
            Action::Convert { key, target } => {
                let converted = attributes.get(key).and_then(|value| convert(&value, *target));
                if let Some(value) = converted {
                    set(attributes, key, &value);
                }
            }
        }
    }
}

impl Source {
    fn value(&self, attributes: &AttributesMut<'_, '_>, client: &Client) -> Option<ValueBuf> {
        let value = match &self.from {
            None => None,
            Some(From::Value(value)) => Some(value.clone()),
            Some(From::Attribute(key)) => attributes.get(key).map(ValueBuf::from),
            Some(From::Context(context)) => context.value(client).map(|text| text.as_str().into()),
        };
        value.or_else(|| self.default.clone())
    }
}

impl Context {
    /// The key of a `from_context`; a bare one is metadata, too.
    pub(crate) fn new(key: &str) -> Self {
        if key == "client.address" {
            Context::Address
        } else if let Some(name) = key.strip_prefix("auth.") {
            Context::Auth(name.to_owned())
        } else {
            Context::Metadata(key.strip_prefix("metadata.").unwrap_or(key).to_owned())
        }
    }

    /// Its values, joined by semicolons.
    fn value(&self, client: &Client) -> Option<String> {
        let values: Vec<&str> = match self {
            Context::Metadata(name) => client.metadata(name).collect(),
            Context::Auth(name) => {
                let named = client.auth.iter().filter(|(key, _)| key == name);
                named.map(|(_, value)| value.as_str()).collect()
            }
            Context::Address => {
                return client.address.map(|address| address.ip().to_canonical().to_string());
            }
        };
        (!values.is_empty()).then(|| values.join(";"))
    }
}

/// Sets a key, unless it has this very value and stands there once.
fn set(attributes: &mut AttributesMut<'_, '_>, key: &str, value: &ValueBuf) {
    let mut old = attributes.view().iter().filter(|attribute| attribute.key == key);
    let is_same = old.next().is_some_and(|old| old.value == value.view()) && old.next().is_none();
    drop(old);
    if !is_same {
        let _left_out = attributes.set(key, value);
    }
}

#[cfg(test)]
mod tests;
