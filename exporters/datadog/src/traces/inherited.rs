//! What the spans of a resource and a scope have in common: encoded once, copied into each.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use datadog::attributes::{Attribute, KnownAttributes};
use datadog::keys::Key;
use datadog::normalize;
use datadog::obfuscate::Family;
use datadog::tags::ContainerTags;
use pdata::view::{AnyValue, KeyValue, Scope};
use pdata::{KeyFilter, text};

use super::tags::{Keys, put_text};

/// Attributes that become entries of `meta`, encoded, with the key of each.
#[derive(Clone, Debug, Default)]
pub(super) struct Block<'a> {
    bytes: Vec<u8>,
    entries: Vec<Entry<'a>>,
    filter: KeyFilter,
    /// Attributes whose values depend on the type of the span.
    treated: Vec<Attribute<'a>>,
}

#[derive(Clone, Debug)]
struct Entry<'a> {
    key: Cow<'a, [u8]>,
    range: Range<usize>,
}

impl<'a> Block<'a> {
    /// The attributes of a resource under Datadog's keys. The first value of a key counts.
    pub(super) fn of_resource(attributes: &KnownAttributes<'a>) -> Self {
        let mut this = Self::default();
        let mut seen = Keys::default();
        let mut scratch = Vec::new();
        let mut empty = Vec::new();
        for attribute in attributes.list() {
            let pair = KeyValue { key: attribute.key, value: attribute.value };
            if ContainerTags::takes(&pair) {
                continue;
            }
            let Some(key) = datadog_key(attribute) else { continue };
            if attribute.meaning == Some(Key::AnalyticsEvent) {
                continue;
            }
            if attribute.meaning.is_some_and(Family::any_treats) {
                this.treated.push(*attribute);
                continue;
            }
            scratch.clear();
            put_value(&mut scratch, attribute);
            if scratch.is_empty() {
                empty.push(key);
            } else if seen.add(key.clone()) {
                this.push(key, &scratch);
            }
        }
        for key in empty {
            if seen.add(key.clone()) {
                this.push(key, b"");
            }
        }
        this
    }

    /// A scope's name and version, and its attributes under their own keys, which win over everything else. The last value of a key
    /// counts.
    pub(super) fn of_scope(scope: &Scope<'a>) -> Self {
        let mut last: HashMap<&[u8], usize> = HashMap::new();
        let attributes: Vec<KeyValue<'a>> = scope.attributes.iter().collect();
        for (at, attribute) in attributes.iter().enumerate() {
            last.insert(attribute.key.as_bytes(), at);
        }
        let mut this = Self::default();
        for (key, value) in [
            ("otel.scope.name", scope.name),
            ("otel.library.name", scope.name),
            ("otel.scope.version", scope.version),
            ("otel.library.version", scope.version),
        ] {
            if !value.is_empty() && !last.contains_key(key.as_bytes()) {
                this.push(Cow::Borrowed(key.as_bytes()), value.as_bytes());
            }
        }
        for (at, attribute) in attributes.iter().enumerate() {
            let key = attribute.key.as_bytes();
            if last.get(key) == Some(&at) {
                this.push(Cow::Borrowed(key), text::to_text(&attribute.value).as_bytes());
            }
        }
        this
    }

    /// Adds an entry of ours, unless an attribute has its key.
    pub(super) fn add(&mut self, key: &'static [u8], value: &[u8]) {
        if !self.has(key) {
            self.push(Cow::Borrowed(key), value);
        }
    }

    /// Adds an entry. One that the agent takes out in the end (`normalize` of `pkg/trace/agent/normalizer.go`) counts as there and has no bytes.
    fn push(&mut self, key: Cow<'a, [u8]>, value: &[u8]) {
        let start = self.bytes.len();
        if *key != *b"http.status_code" || is_http_status(value) {
            put_text(&mut self.bytes, &key, value);
        }
        let _may_be_seen = self.filter.add(&key);
        self.entries.push(Entry { key, range: start..self.bytes.len() });
    }

    /// Appends all entries.
    pub(super) fn put_all(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes);
    }

    /// Appends the entries whose keys are not taken.
    pub(super) fn put_others(&self, out: &mut Vec<u8>, is_taken: impl Fn(&[u8]) -> bool) {
        for entry in &self.entries {
            if !is_taken(&entry.key) {
                out.extend_from_slice(self.bytes.get(entry.range.clone()).unwrap_or_default());
            }
        }
    }

    /// The attributes that are not encoded here, since their values depend on the type of the span.
    pub(super) fn treated(&self) -> &[Attribute<'a>] {
        &self.treated
    }

    /// The filter of its keys.
    pub(super) fn filter(&self) -> KeyFilter {
        self.filter
    }

    /// Whether it has an entry with this key.
    pub(super) fn has(&self, key: &[u8]) -> bool {
        self.filter.may_contain(key) && self.entries.iter().any(|entry| *entry.key == *key)
    }
}

/// What an attribute is called in Datadog. Those that name the span itself are no tags.
pub(super) fn datadog_key<'a>(attribute: &Attribute<'a>) -> Option<Cow<'a, [u8]>> {
    const REQUEST_HEADER: &[u8] = b"http.request.header.";
    let own = attribute.key.as_bytes();
    match attribute.meaning {
        Some(Key::ServiceName | Key::OperationName | Key::ResourceName | Key::SpanType) => None,
        None if own.is_empty() => None,
        Some(key) => Some(Cow::Borrowed(key.renamed().map_or(own, str::as_bytes))),
        None => Some(match own.strip_prefix(REQUEST_HEADER) {
            Some(header) => Cow::Owned([b"http.request.headers." as &[u8], header].concat()),
            None => Cow::Borrowed(own),
        }),
    }
}

/// A text that Datadog takes for the status of an HTTP answer.
pub(super) fn is_http_status(text: &[u8]) -> bool {
    matches!(text, [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9'])
}

/// Whether the text of an attribute is normalised when it becomes a tag.
pub(super) fn is_normalised(attribute: &Attribute<'_>) -> bool {
    matches!(attribute.meaning, Some(Key::Env | Key::PeerService | Key::BaseService))
}

/// Appends the text of an attribute as a tag has it.
pub(super) fn put_value(out: &mut Vec<u8>, attribute: &Attribute<'_>) {
    let start = out.len();
    text::put_text(out, &attribute.value);
    if is_normalised(attribute) {
        let written = out.split_off(start);
        let written = std::str::from_utf8(&written).unwrap_or_default();
        let normal = match attribute.meaning {
            Some(Key::Env) => normalize::tag_value(written),
            _ => normalize::other_service(written),
        };
        out.extend_from_slice(normal.as_bytes());
    }
}

/// The truth in a text, as Go's `strconv.ParseBool` finds it.
pub(super) fn boolean(value: &AnyValue<'_>) -> Option<bool> {
    match value {
        AnyValue::Bool(value) => Some(*value),
        AnyValue::Str(text) => match text.as_bytes() {
            b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True" => Some(true),
            b"0" | b"f" | b"F" | b"FALSE" | b"false" | b"False" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
