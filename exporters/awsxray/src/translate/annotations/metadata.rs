//! `metadata`: what is neither used up nor an annotation, in the namespace `default`, and the namespaces that a span brings along as
//! JSON texts in attributes of their own.

use std::collections::BTreeMap;

use pdata::text::{put_escaped, put_escaped_twice};
use pdata::view::AnyValue;
use serde_json::value::RawValue;

use super::super::Role;
use super::super::limits::{Limits, Trimmed};
use super::super::text::{close, put_member, put_value};
use super::{Attributes, Indexed, RESOURCE_PREFIX, is_scalar};

/// What a span's attribute is called that is metadata of a namespace of its own.
const PREFIX: &[u8] = b"aws.xray.metadata.";
const DEFAULT: &[u8] = b"default";

/// A namespace that a span brings along: its name, and what is in it, if it is not null.
type Namespace<'a> = (&'a [u8], Option<BTreeMap<String, &'a RawValue>>);

/// Appends `metadata`.
pub(super) fn put(
    out: &mut Vec<u8>,
    attributes: &Attributes<'_, '_>,
    indexed: &Indexed<'_, '_>,
    scratch: &mut Vec<u8>,
    limits: &Limits,
    trimmed: &mut Trimmed,
) {
    const OPENING: &[u8] = br#",\"metadata\":{"#;
    const OPENING_OF_DEFAULT: &[u8] = br#"\"default\":{"#;
    let Some(value_max) = limits.metadata else {
        let of_resource =
            attributes.scene.has_resource() && !attributes.scene.resource.metadata.is_empty();
        let own = || attributes.left().any(|attribute| !indexed.has(attribute.key));
        trimmed.metadata += usize::from(of_resource || own());
        return;
    };
    let mark = out.len();
    out.extend_from_slice(OPENING);
    let outer = out.len();
    out.extend_from_slice(OPENING_OF_DEFAULT);
    let inner = out.len();
    let mut room = Room { value_max, left_out: false };
    if attributes.scene.has_resource() {
        put_resource(out, attributes, indexed, scratch, &mut room);
    }
    let is_service = attributes.scene.role == Role::Service;
    let mut is_cleared = false;
    let mut namespaces: Vec<Namespace<'_>> = Vec::new();
    for attribute in attributes.left() {
        let key = attribute.key;
        if indexed.has(key) || attribute.value == AnyValue::Empty {
            continue;
        }
        if let Some(namespace) = key.strip_prefix(PREFIX)
            && let AnyValue::Str(text) = attribute.value
            && let Ok(entries) = serde_json::from_slice(text.as_bytes())
        {
            namespaces.push((namespace, entries));
        } else if is_service {
            // What is made up for a service has no metadata of its own; upstream leaves the braces.
            is_cleared = true;
        } else {
            room.put(out, key, &attribute.value, scratch);
        }
    }
    if !namespaces.is_empty() {
        is_cleared |= put_defaults(out, attributes, &namespaces, &mut room);
    }
    end_namespace(out, outer, inner, is_cleared);
    for (name, entries) in namespaces.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(DEFAULT))
    {
        put_namespace(out, name, entries.as_ref(), is_service, &mut room);
    }
    trimmed.metadata += usize::from(room.left_out);
    close(out, mark, OPENING.len(), b'}');
}

/// Appends an entry and a comma.
#[inline]
pub(crate) fn put_entry(
    out: &mut Vec<u8>,
    key: &[u8],
    value: &AnyValue<'_>,
    scratch: &mut Vec<u8>,
) {
    put_member(out, br#"\""#, key, usize::MAX);
    out.push(b':');
    put_value(out, value, scratch);
    out.push(b',');
}

/// How long an entry may be.
struct Room {
    value_max: usize,
    left_out: bool,
}

impl Room {
    /// Appends an entry and a comma, unless it is too long.
    #[inline]
    fn put(&mut self, out: &mut Vec<u8>, key: &[u8], value: &AnyValue<'_>, scratch: &mut Vec<u8>) {
        let mark = out.len();
        put_entry(out, key, value, scratch);
        if out.len() - mark > self.value_max {
            self.left_out = true;
            out.truncate(mark);
        }
    }

    /// The same for an entry that is JSON already.
    fn put_json(&mut self, out: &mut Vec<u8>, key: &str, value: &RawValue) {
        let mark = out.len();
        put_member(out, br#"\""#, key.as_bytes(), usize::MAX);
        out.push(b':');
        put_escaped(out, value.get().as_bytes());
        out.push(b',');
        if out.len() - mark > self.value_max {
            self.left_out = true;
            out.truncate(mark);
        }
    }
}

/// The resource's attributes, as they were rendered unless the span has a say in them.
fn put_resource(
    out: &mut Vec<u8>,
    attributes: &Attributes<'_, '_>,
    indexed: &Indexed<'_, '_>,
    scratch: &mut Vec<u8>,
    room: &mut Room,
) {
    let resource = attributes.scene.resource;
    let list = attributes.known.list();
    let has_say = indexed.named.has_any_of_resource()
        || list.iter().any(|own| own.key.starts_with(RESOURCE_PREFIX));
    if !has_say && room.value_max == usize::MAX {
        return out.extend_from_slice(&resource.metadata);
    }
    for (name, value) in resource.named() {
        let is_own = list.iter().any(|own| own.key == name);
        let is_annotation = indexed.has(&name) && is_scalar(value);
        if !is_own && !is_annotation && *value != AnyValue::Empty {
            room.put(out, &name, value, scratch);
        }
    }
}

/// Appends what a span brings along for the namespace `default`, in any spelling. An attribute of the same name is there already, and
/// stays. Whether there was anything that a made-up segment does not have.
fn put_defaults(
    out: &mut Vec<u8>,
    attributes: &Attributes<'_, '_>,
    namespaces: &[Namespace<'_>],
    room: &mut Room,
) -> bool {
    let is_default = |(name, _): &&Namespace<'_>| name.eq_ignore_ascii_case(DEFAULT);
    let entries = namespaces.iter().filter(is_default).filter_map(|(_, entries)| entries.as_ref());
    if attributes.scene.role == Role::Service {
        return entries.into_iter().any(|entries| !entries.is_empty());
    }
    let mut put: Vec<&str> = Vec::new();
    for (key, value) in entries.flatten() {
        let is_own = attributes.known.list().iter().any(|own| own.key == key.as_bytes());
        let is_of_resource = attributes.scene.has_resource()
            && attributes.scene.resource.named().any(|(name, _)| name == key.as_bytes());
        if !is_own && !is_of_resource && !put.contains(&key.as_str()) {
            room.put_json(out, key, value);
            put.push(key);
        }
    }
    false
}

fn put_namespace(
    out: &mut Vec<u8>,
    name: &[u8],
    entries: Option<&BTreeMap<String, &RawValue>>,
    is_service: bool,
    room: &mut Room,
) {
    let outer = out.len();
    out.extend_from_slice(br#"\""#);
    put_escaped_twice(out, name);
    out.extend_from_slice(br#"\":"#);
    let Some(entries) = entries else { return out.extend_from_slice(b"null,") };
    out.push(b'{');
    let inner = out.len();
    for (key, value) in entries.iter().filter(|_| !is_service) {
        room.put_json(out, key, value);
    }
    end_namespace(out, outer, inner, true);
}

/// Ends a namespace that began at `outer`, with entries from `inner` on, and a comma. One without entries goes unless it has to stay.
fn end_namespace(out: &mut Vec<u8>, outer: usize, inner: usize, stays: bool) {
    if out.len() == inner {
        if !stays {
            return out.truncate(outer);
        }
        out.push(b'}');
    } else if let Some(comma) = out.last_mut() {
        *comma = b'}';
    }
    out.push(b',');
}
