//! The maps `meta` and `metrics` of a span, written straight into its encoding.
//!
//! The first value of a key counts, as in DataDog/datadog-agent `pkg/trace/transform`; an empty text gives way to a later one.
//! Lengths are those of `pkg/trace/agent/truncator.go`.

use std::borrow::Cow;

use pdata::{KeyFilter, wire};

use super::inherited::Block;

/// `Span.meta` of DataDog/datadog-agent `pkg/proto/datadog/trace/span.proto`.
pub(super) const META: u32 = 10;
/// `Span.metrics`.
pub(super) const METRICS: u32 = 11;

/// Keys of fields: of an entry of `meta` and of `metrics`, of an entry's key, of a text and of a number.
const TEXT_ENTRY: u8 = 10 << 3 | wire::LEN;
const NUMBER_ENTRY: u8 = 11 << 3 | wire::LEN;
const KEY: u8 = 1 << 3 | wire::LEN;
const VALUE: u8 = 2 << 3 | wire::LEN;
const NUMBER: u8 = 2 << 3 | wire::FIXED64;

/// The longest key in bytes.
const KEY_LEN_MAX: usize = 200;
/// The longest text in bytes.
pub(super) const VALUE_LEN_MAX: usize = 25_000;
/// Follows what was cut.
pub(super) const CUT: &[u8] = b"...";

/// The keys that a map has so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys<'a> {
    filter: KeyFilter,
    list: Vec<Cow<'a, [u8]>>,
}

impl<'a> Keys<'a> {
    /// Adds a key; whether it is new.
    #[inline]
    pub(super) fn add(&mut self, key: Cow<'a, [u8]>) -> bool {
        let is_new = !self.filter.add(&key) || !self.contains(&key);
        if is_new {
            self.list.push(key);
        }
        is_new
    }

    fn contains(&self, key: &[u8]) -> bool {
        self.list.iter().any(|own| **own == *key)
    }

    /// Forgets all keys. Those in the filter are known to the caller.
    fn start(&mut self, filter: KeyFilter) {
        self.filter = filter;
        self.list.clear();
    }
}

/// `metrics` of the span that is being written.
pub(super) struct Numbers<'k, 'a> {
    keys: &'k mut Keys<'a>,
}

impl<'k, 'a> Numbers<'k, 'a> {
    /// None yet.
    pub(super) fn start(keys: &'k mut Keys<'a>) -> Self {
        keys.start(KeyFilter::default());
        Self { keys }
    }

    /// Appends a number, unless its key is taken.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, key: Cow<'a, [u8]>, value: f64) {
        let key = match &*key {
            b"sampling.priority" => Cow::Borrowed(&b"_sampling_priority_v1"[..]),
            _ => key,
        };
        if self.keys.add(key.clone()) {
            put_number(out, &key, value);
        }
    }
}

/// `meta` of the span that is being written.
pub(super) struct Texts<'k, 'a> {
    keys: &'k mut Keys<'a>,
    /// What the scope gives, which stands already.
    scope: &'k Block<'a>,
}

impl<'k, 'a> Texts<'k, 'a> {
    /// None yet but the scope's, and the span's own, whose filter is given.
    pub(super) fn start(
        keys: &'k mut Keys<'a>,
        scope: &'k Block<'a>,
        mut own_keys: KeyFilter,
    ) -> Self {
        own_keys.unite(&scope.filter());
        keys.start(own_keys);
        Self { keys, scope }
    }

    /// Takes a key, unless it is taken.
    #[inline]
    pub(super) fn add(&mut self, key: Cow<'a, [u8]>) -> bool {
        if self.keys.filter.add(&key) && self.is_taken(&key) {
            return false;
        }
        self.keys.list.push(key);
        true
    }

    fn is_taken(&self, key: &[u8]) -> bool {
        self.scope.has(key)
            || OWN_KEYS.iter().any(|own| own.as_bytes() == key)
            || self.keys.contains(key)
    }

    /// Appends a text, unless its key is taken.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, key: &'static str, value: &[u8]) {
        if self.add(Cow::Borrowed(key.as_bytes())) {
            put_text(out, key.as_bytes(), value);
        }
    }

    /// Appends a text that is not empty, unless its key is taken.
    pub(super) fn put_if(&mut self, out: &mut Vec<u8>, key: &'static str, value: &[u8]) {
        if !value.is_empty() {
            self.put(out, key, value);
        }
    }

    /// Appends one of the span's own texts, unless the scope has it.
    pub(super) fn put_own(&mut self, out: &mut Vec<u8>, key: &'static str, value: &[u8]) {
        if !self.scope.has(key.as_bytes()) {
            put_text(out, key.as_bytes(), value);
        }
    }

    /// Appends what the resource gives, but for the keys that are taken.
    pub(super) fn put_missing(&self, out: &mut Vec<u8>, resource: &Block<'a>) {
        if self.keys.filter.overlaps(&resource.filter()) {
            resource.put_others(out, |key| self.is_taken(key));
        } else {
            resource.put_all(out);
        }
    }
}

/// The texts that every span has, unless its scope has them.
pub(super) const OWN_KEYS: [&str; 3] = ["span.kind", "otel.trace_id", "otel.status_code"];

/// Appends an entry of `meta`.
pub(super) fn put_text(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let (key_cut, value_cut) = (key.len() > KEY_LEN_MAX, value.len() > VALUE_LEN_MAX);
    if (key_cut || value_cut) && !is_structured(key) {
        let key = cut(key, KEY_LEN_MAX);
        return put_entry(out, &key, &cut(value, VALUE_LEN_MAX));
    }
    put_entry(out, key, value);
}

#[inline]
fn put_entry(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    // Nearly every entry: all its lengths take a byte.
    if let (Ok(key_len), Ok(value_len)) = (u8::try_from(key.len()), u8::try_from(value.len()))
        && key_len < 60
        && value_len < 60
    {
        out.extend_from_slice(&[TEXT_ENTRY, 4 + key_len + value_len, KEY, key_len]);
        out.extend_from_slice(key);
        out.extend_from_slice(&[VALUE, value_len]);
        out.extend_from_slice(value);
        return;
    }
    let len = 2
        + wire::varint_len(key.len() as u64)
        + key.len()
        + wire::varint_len(value.len() as u64)
        + value.len();
    wire::put_key(out, META, wire::LEN);
    wire::put_varint(out, len as u64);
    wire::put_len(out, 1, key);
    wire::put_len(out, 2, value);
}

/// Appends an entry of `metrics`.
pub(super) fn put_number(out: &mut Vec<u8>, key: &[u8], value: f64) {
    let key = if key.len() > KEY_LEN_MAX { cut(key, KEY_LEN_MAX) } else { Cow::Borrowed(key) };
    if let Ok(key_len) = u8::try_from(key.len())
        && key_len < 100
    {
        out.extend_from_slice(&[NUMBER_ENTRY, 11 + key_len, KEY, key_len]);
        out.extend_from_slice(&key);
        out.push(NUMBER);
        out.extend_from_slice(&value.to_le_bytes());
        return;
    }
    let len = 2 + wire::varint_len(key.len() as u64) + key.len() + 8;
    wire::put_key(out, METRICS, wire::LEN);
    wire::put_varint(out, len as u64);
    wire::put_len(out, 1, &key);
    wire::put_fixed64(out, 2, value.to_bits());
}

/// The text, or its beginning and a mark that there was more.
fn cut(text: &[u8], max: usize) -> Cow<'_, [u8]> {
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    let is_boundary = |&at: &usize| text.get(at).is_none_or(|byte| byte & 0xc0 != 0x80);
    let end = (0..=max).rev().find(is_boundary).unwrap_or_default();
    Cow::Owned([text.get(..end).unwrap_or_default(), CUT].concat())
}

/// Keys whose values are documents are not cut.
fn is_structured(key: &[u8]) -> bool {
    key.starts_with(b"_dd.")
        && [b".json" as &[u8], b".msgpack", b".protobuf"].iter().any(|end| key.ends_with(end))
}
