//! Reads a list of actions. The rules and their messages are those of
//! open-telemetry/opentelemetry-collector-contrib `internal/coreinternal/attraction/attraction.go`.

use confmap::{Item, Section};
use pdata::edit::ValueBuf;
use regex::Regex;

use crate::actions::{Action, Actions, Context, From, Source, When};
use crate::convert::Target;
use crate::{pattern, value};

impl Actions {
    /// Reads the list under a key, which must not be empty. Errors go to the section's diagnostics.
    pub fn read(section: &mut Section<'_>, key: &'static str) -> Self {
        let items = section.list(key);
        if items.is_empty() && !section.diagnostics().has_errors() {
            section.error(key, format!("missing required field {key:?}"));
        }
        let read = |(number, item): (usize, &Item<'_>)| Fields::read(number, item.section());
        let list = items.iter().enumerate().filter_map(read).collect();
        Self { list }
    }
}

/// The keys of one action, as they stand.
struct Fields<'a> {
    number: usize,
    section: Section<'a>,
    action: String,
    key: String,
    value: Option<ValueBuf>,
    default_value: Option<ValueBuf>,
    from_attribute: String,
    from_context: String,
    pattern: String,
    converted_type: String,
}

impl<'a> Fields<'a> {
    fn read(number: usize, mut section: Section<'a>) -> Option<Action> {
        let mut text = |key| section.get::<String>(key).unwrap_or_default();
        let (action, key) = (text("action").to_lowercase(), text("key"));
        let (from_attribute, from_context) = (text("from_attribute"), text("from_context"));
        let (pattern, converted_type) = (text("pattern"), text("converted_type"));
        let mut value = |key| {
            // Null counts as not set, as upstream.
            let item = section.item(key).filter(|item| !item.node().is_null())?;
            value::from_node(item.node()).map_err(|mismatch| item.report(mismatch)).ok()
        };
        let (value, default_value) = (value("value"), value("default_value"));
        let mut this = Self {
            number,
            section,
            action,
            key,
            value,
            default_value,
            from_attribute,
            from_context,
            pattern,
            converted_type,
        };
        let action = this.action();
        this.section.finish();
        action
    }

    fn action(&mut self) -> Option<Action> {
        let number = self.number;
        let takes_pattern = matches!(&*self.action, "delete" | "hash");
        if self.key.is_empty() && (!takes_pattern || self.pattern.is_empty()) {
            let missing = if takes_pattern {
                "(at least one of \"key\" and \"pattern\" have to be used)"
            } else {
                "\"key\""
            };
            self.section.error_here(format!(
                "error creating AttrProc due to missing required field {missing} at the {number}-th action"
            ));
            return None;
        }
        match &*self.action {
            "insert" => self.set(When::Absent),
            "update" => self.set(When::Present),
            "upsert" => self.set(When::Always),
            "delete" => self.keys().map(|(key, pattern)| Action::Delete { key, pattern }),
            "hash" => self.keys().map(|(key, pattern)| Action::Hash { key, pattern }),
            "extract" => self.extract(),
            "convert" => self.convert(),
            action => {
                let message = format!(" due to unsupported action {action:?}");
                let help = "actions: insert, update, upsert, delete, hash, extract, convert";
                self.section.error_with_help("action", self.message(&message), help);
                None
            }
        }
    }

    fn set(&mut self, when: When) -> Option<Action> {
        if self.sources() == 0 && self.default_value.is_none() {
            return self.refuse("key", ". Either field \"value\", \"from_attribute\", \"from_context\", or \"default_value\" must be specified");
        }
        if self.sources() > 1 {
            return self.refuse("key", " due to multiple value sources being set");
        }
        self.has_no_use("pattern", !self.pattern.is_empty())?;
        self.has_no_use("converted_type", !self.converted_type.is_empty())?;
        let from = match self.value.take() {
            Some(value) => Some(From::Value(value)),
            None if !self.from_context.is_empty() => {
                Some(From::Context(Context::new(&self.from_context)))
            }
            None if !self.from_attribute.is_empty() => {
                Some(From::Attribute(self.from_attribute.clone()))
            }
            None => None,
        };
        if matches!(from, Some(From::Value(_))) {
            self.section.ignored("default_value", "`value` is always there");
        }
        let source = Source { from, default: self.default_value.take() };
        Some(Action::Set { key: self.key.clone(), when, source })
    }

    /// Key and pattern of an action that takes either or both.
    fn keys(&mut self) -> Option<(Option<String>, Option<Regex>)> {
        if self.value.is_some() || !self.from_attribute.is_empty() {
            let action = &self.action;
            return self.refuse("key", &format!(". Action \"{action}\" does not use \"value\" or \"from_attribute\" field. These must not be specified"));
        }
        let pattern = match &*self.pattern {
            "" => None,
            _ => Some(self.compile()?),
        };
        self.has_no_use("converted_type", !self.converted_type.is_empty())?;
        let why = format!("the action {} takes no value", self.action);
        self.section.ignored("from_context", &why);
        self.section.ignored("default_value", &why);
        Some((Some(self.key.clone()).filter(|key| !key.is_empty()), pattern))
    }

    fn extract(&mut self) -> Option<Action> {
        if self.sources() > 0 {
            let action = &self.action;
            return self.refuse("key", &format!(". Action \"{action}\" does not use a value source field. These must not be specified"));
        }
        if self.pattern.is_empty() {
            return self.is_missing("pattern");
        }
        self.has_no_use("converted_type", !self.converted_type.is_empty())?;
        let pattern = self.compile()?;
        let mut names = pattern.capture_names().skip(1).peekable();
        if names.peek().is_none() {
            return self.refuse("pattern", ". Field \"pattern\" contains no named matcher groups");
        }
        if names.any(|name| name.is_none()) {
            let message = ". Field \"pattern\" contains at least one unnamed matcher group";
            self.section.error_with_help(
                "pattern",
                self.message(message),
                "write (?:a|b) for a group that is not extracted, (?P<name>a|b) for one that is",
            );
            return None;
        }
        drop(names);
        self.section.ignored("default_value", "the action extract takes no value");
        Some(Action::Extract { key: self.key.clone(), pattern })
    }

    fn convert(&mut self) -> Option<Action> {
        if self.sources() > 0 || !self.pattern.is_empty() {
            let action = &self.action;
            return self.refuse("key", &format!(". Action \"{action}\" does not use value sources or \"pattern\" field. These must not be specified"));
        }
        let target = match &*self.converted_type {
            "int" => Target::Int,
            "double" => Target::Double,
            "string" => Target::String,
            "" => return self.is_missing("converted_type"),
            unknown => {
                let action = &self.action;
                let message = format!(
                    " due to invalid value \"{unknown}\" in field \"converted_type\" for action \"{action}\""
                );
                self.section.error_with_help(
                    "converted_type",
                    self.message(&message),
                    "use int, double or string",
                );
                return None;
            }
        };
        self.section.ignored("default_value", "the action convert takes no value");
        Some(Action::Convert { key: self.key.clone(), target })
    }

    /// How many of the keys are set of which only one may be.
    fn sources(&self) -> usize {
        let set =
            [self.value.is_some(), !self.from_attribute.is_empty(), !self.from_context.is_empty()];
        set.into_iter().filter(|set| *set).count()
    }

    fn compile(&self) -> Option<Regex> {
        pattern::compile(&self.pattern)
            .map_err(|error| {
                let message =
                    format!(". Field \"pattern\" has invalid pattern: \"{}\"", self.pattern);
                self.section.error_with_help("pattern", self.message(&message), error.reason);
            })
            .ok()
    }

    /// Reports a key that the action does not use, if it is set.
    fn has_no_use(&self, key: &str, is_set: bool) -> Option<()> {
        if !is_set {
            return Some(());
        }
        let action = &self.action;
        let message = format!(
            ". Action \"{action}\" does not use the \"{key}\" field. This must not be specified"
        );
        self.refuse(key, &message)
    }

    fn is_missing<T>(&self, key: &str) -> Option<T> {
        let action = &self.action;
        let message = format!(" due to missing required field \"{key}\" for action \"{action}\"");
        self.refuse(key, &message)
    }

    /// Reports what is wrong, at a key if it is there.
    fn refuse<T>(&self, at: &str, message: &str) -> Option<T> {
        self.section.error(at, self.message(message));
        None
    }

    fn message(&self, message: &str) -> String {
        let (key, number) = (&self.key, self.number);
        format!("error with key {key:?} ({number}-th action): error creating AttrProc{message}")
    }
}

#[cfg(test)]
mod tests;
