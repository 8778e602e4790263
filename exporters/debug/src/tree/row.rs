//! A span as it will be shown: everything that is not shown is let go of at once, and everything that is shown has a limit.

use std::sync::Arc;

use pdata::view::{AnyValue, Attributes, Event, Span, SpanKind, StatusCode};

use super::facts;
use crate::display::Text;
use crate::style::safe;

/// Characters shown of a name, of a status message or an exception.
const NAME_CHARS: usize = 120;
const MESSAGE_CHARS: usize = 200;
/// Exceptions shown of one span.
const EXCEPTIONS_MAX: usize = 3;

/// An id of a trace or a span. One that is longer than ids are is told by its first 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    bytes: [u8; 16],
    len: u8,
}

impl Key {
    /// The id of these bytes; none for no bytes or zeros only.
    pub(crate) fn new(id: &[u8]) -> Option<Self> {
        if id.iter().all(|byte| *byte == 0) {
            return None;
        }
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(id) {
            *to = *from;
        }
        Some(Self { bytes, len: id.len().min(16) as u8 })
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// A span. Its texts are safe to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: Option<Key>,
    pub(crate) parent: Option<Key>,
    /// Nanoseconds since 1970; 0 when unknown.
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) name: Box<str>,
    /// Empty when unknown.
    pub(crate) service: Arc<str>,
    pub(crate) kind: SpanKind,
    /// Whether its status is an error.
    pub(crate) failed: bool,
    /// What the attributes say, in short.
    pub(crate) facts: Box<str>,
    /// What went wrong: status message and exceptions.
    pub(crate) errors: Vec<Box<str>>,
}

impl Row {
    pub(crate) fn new(span: &Span<'_>, service: Arc<str>) -> Self {
        let name = safe(span.name.as_str(), NAME_CHARS);
        let facts = facts::facts(span);
        Self {
            id: Key::new(span.span_id),
            parent: Key::new(span.parent_span_id),
            start: span.start_time_unix_nano,
            end: span.end_time_unix_nano,
            name: if name.is_empty() { "(no name)".into() } else { name.into() },
            service,
            kind: span.kind,
            failed: span.status.code == StatusCode::Error,
            facts: facts.into(),
            errors: errors(span),
        }
    }

    /// Memory that it takes, in bytes, with its id and its parent's in the store's indexes.
    pub(crate) fn bytes(&self) -> usize {
        let errors: usize =
            self.errors.iter().map(|error| error.len() + size_of::<Box<str>>()).sum();
        size_of::<Self>() + 4 * size_of::<Key>() + self.name.len() + self.facts.len() + errors
    }

    /// How long it took, if its times make sense.
    pub(crate) fn duration(&self) -> Option<u64> {
        if self.start == 0 { None } else { self.end.checked_sub(self.start) }
    }
}

/// The status message, unless an exception says the same, and the exceptions.
fn errors(span: &Span<'_>) -> Vec<Box<str>> {
    let all: Vec<Event<'_>> =
        span.events.iter().filter(|event| event.name == "exception").collect();
    let mut errors: Vec<Box<str>> =
        all.iter().take(EXCEPTIONS_MAX).map(|event| exception(event.attributes).into()).collect();
    if let Some(more) = all.len().checked_sub(EXCEPTIONS_MAX).filter(|more| *more > 0) {
        errors.push(format!("and {more} more exceptions").into());
    }
    let message = safe(&one_line(span.status.message.as_str()), MESSAGE_CHARS);
    let is_new = !errors.iter().any(|error| error.contains(&message));
    if span.status.code == StatusCode::Error && !message.is_empty() && is_new {
        errors.insert(0, message.into());
    }
    errors
}

fn exception(attributes: Attributes<'_>) -> String {
    let text = |key| attributes.get(key).map(|value| Text(value).to_string()).unwrap_or_default();
    let (kind, message) = (text("exception.type"), one_line(&text("exception.message")));
    let both = match (kind.is_empty(), message.is_empty()) {
        (true, true) => "exception".to_owned(),
        (true, false) => message,
        (false, true) => kind,
        (false, false) => format!("{kind}: {message}"),
    };
    safe(&both, MESSAGE_CHARS)
}

/// Runs of white space become one space.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of a value that is no list and no map.
pub(super) fn scalar(value: AnyValue<'_>) -> Option<String> {
    match value {
        AnyValue::Empty | AnyValue::Array(_) | AnyValue::KeyValueList(_) | AnyValue::Bytes(_) => {
            None
        }
        value => Some(Text(value).to_string()),
    }
}
