//! The maps `meta` and `metrics` of a span, written straight into its encoding.
//!
//! The first value of a key counts, as in DataDog/datadog-agent `pkg/trace/transform`; an empty text gives way to a later one.
//! Lengths are those of `pkg/trace/agent/truncator.go`.

use std::borrow::Cow;

use pdata::{KeyFilter, wire};

/// `Span.meta` of DataDog/datadog-agent `pkg/proto/datadog/trace/span.proto`.
pub(super) const META: u32 = 10;
/// `Span.metrics`.
pub(super) const METRICS: u32 = 11;

/// The longest key in bytes.
const KEY_LEN_MAX: usize = 200;
/// The longest text in bytes.
pub(super) const VALUE_LEN_MAX: usize = 25_000;
/// Follows what was cut.
pub(super) const CUT: &[u8] = b"...";

/// The keys that a span's map has.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys<'a> {
    filter: KeyFilter,
    list: Vec<Cow<'a, [u8]>>,
}

impl<'a> Keys<'a> {
    pub(super) fn clear(&mut self) {
        self.filter = KeyFilter::default();
        self.list.clear();
    }

    pub(super) fn contains(&self, key: &[u8]) -> bool {
        self.filter.may_contain(key) && self.list.iter().any(|own| **own == *key)
    }

    /// Adds a key, unless it is there.
    pub(super) fn add(&mut self, key: Cow<'a, [u8]>) -> bool {
        if self.filter.add(&key) && self.list.iter().any(|own| *own == key) {
            return false;
        }
        self.list.push(key);
        true
    }

    /// Whether certainly none of the keys is in the filter.
    pub(super) fn is_apart_from(&self, filter: &KeyFilter) -> bool {
        !self.filter.overlaps(filter)
    }
}

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
