//! Events and links of a span as the JSON texts that Datadog reads them from: `MarshalEvents` and `MarshalLinks` of
//! DataDog/datadog-agent `pkg/trace/transform/transform.go`.
//!
//! A text of more than 25,000 bytes would be cut in the middle; here long strings are shortened first, and then events or links are
//! left out from the end, so that the JSON stays whole.

use pdata::text::{Escaping, put_hex, put_json, put_json_string, put_text, put_uint};
use pdata::view::{AnyValue, Attributes, Event, Link, Repeated};

use super::tags::VALUE_LEN_MAX;

/// Lengths in bytes to which strings are shortened, one after the other, until the text fits.
const STRING_LEN_MAX: [usize; 4] = [usize::MAX, 8000, 2000, 200];

/// Replaces `out` with the events. Tells how many of them are in it.
pub(super) fn put_events<'a>(out: &mut Vec<u8>, events: Repeated<'a, Event<'a>>) -> usize {
    put_fitting(out, || events.iter(), put_event)
}

/// Replaces `out` with the links. Tells how many of them are in it.
pub(super) fn put_links<'a>(out: &mut Vec<u8>, links: Repeated<'a, Link<'a>>) -> usize {
    put_fitting(out, || links.iter(), put_link)
}

fn put_fitting<T, I: Iterator<Item = T>>(
    out: &mut Vec<u8>,
    items: impl Fn() -> I,
    put: fn(&mut Vec<u8>, &T, usize),
) -> usize {
    let mut written = 0;
    for limit in STRING_LEN_MAX {
        written = 0;
        out.clear();
        out.push(b'[');
        let mut fits = true;
        for item in items() {
            let mark = out.len();
            if written > 0 {
                out.push(b',');
            }
            put(out, &item, limit);
            if out.len() + 1 > VALUE_LEN_MAX {
                out.truncate(mark);
                fits = false;
                break;
            }
            written += 1;
        }
        out.push(b']');
        if fits {
            break;
        }
    }
    written
}

fn put_event(out: &mut Vec<u8>, event: &Event<'_>, string_len_max: usize) {
    let mut object = Object::open(out);
    if event.time_unix_nano != 0 {
        put_uint(object.key("time_unix_nano"), event.time_unix_nano);
    }
    if !event.name.is_empty() {
        let name = shortened(event.name.as_bytes(), string_len_max);
        put_json_string(object.key("name"), name, Escaping::Html);
    }
    if !event.attributes.is_empty() {
        put_attributes(object.key("attributes"), &event.attributes, |out, value| {
            put_short_json(out, value, string_len_max);
        });
    }
    if event.dropped_attributes_count != 0 {
        let dropped = u64::from(event.dropped_attributes_count);
        put_uint(object.key("dropped_attributes_count"), dropped);
    }
    object.close();
}

fn put_link(out: &mut Vec<u8>, link: &Link<'_>, string_len_max: usize) {
    let mut object = Object::open(out);
    put_id(object.key("trace_id"), link.trace_id, 16);
    put_id(object.key("span_id"), link.span_id, 8);
    if !link.trace_state.is_empty() {
        let state = shortened(link.trace_state.as_bytes(), string_len_max);
        put_json_string(object.key("tracestate"), state, Escaping::Plain);
    }
    if !link.attributes.is_empty() {
        let mut text = Vec::new();
        put_attributes(object.key("attributes"), &link.attributes, |out, value| {
            text.clear();
            put_text(&mut text, value);
            put_json_string(out, shortened(&text, string_len_max), Escaping::Plain);
        });
    }
    if link.dropped_attributes_count != 0 {
        let dropped = u64::from(link.dropped_attributes_count);
        put_uint(object.key("dropped_attributes_count"), dropped);
    }
    object.close();
}

/// A JSON object of which each member may be left out.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> Object<'o> {
    fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_empty: true }
    }

    /// Appends a key. Its value goes behind it.
    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    fn close(self) {
        self.out.push(b'}');
    }
}

/// Appends attributes in their order.
fn put_attributes(
    out: &mut Vec<u8>,
    attributes: &Attributes<'_>,
    mut put: impl FnMut(&mut Vec<u8>, &AnyValue<'_>),
) {
    out.push(b'{');
    for (i, attribute) in attributes.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        put_json_string(out, attribute.key.as_bytes(), Escaping::Html);
        out.push(b':');
        put(out, &attribute.value);
    }
    out.push(b'}');
}

fn put_short_json(out: &mut Vec<u8>, value: &AnyValue<'_>, string_len_max: usize) {
    match value {
        AnyValue::Str(text) => {
            put_json_string(out, shortened(text.as_bytes(), string_len_max), Escaping::Html);
        }
        value => {
            let mark = out.len();
            put_json(out, value, Escaping::Html);
            if out.len() - mark > string_len_max {
                out.truncate(mark);
                out.extend_from_slice(b"null");
            }
        }
    }
}

/// The beginning of a text that is too long, between characters.
fn shortened(text: &[u8], max: usize) -> &[u8] {
    if text.len() <= max {
        return text;
    }
    let is_boundary = |&at: &usize| text.get(at).is_none_or(|byte| byte & 0xc0 != 0x80);
    let end = (0..=max).rev().find(is_boundary).unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

/// Appends an id of so many bytes in quotes; one of another length is zero.
fn put_id(out: &mut Vec<u8>, id: &[u8], len: usize) {
    const ZERO: [u8; 16] = [0; 16];
    let id = if id.len() == len { id } else { ZERO.get(..len).unwrap_or_default() };
    out.push(b'"');
    id.as_chunks::<8>().0.iter().for_each(|half| put_hex(out, half));
    out.push(b'"');
}
