//! What a span has of a segment document that it was before: attributes of the `awsxray` receiver, put back where they came from.
//!
//! Upstream's receiver writes some of them, and its exporter leaves them in the metadata. `aws.xray.document` is ours: a merge patch
//! (RFC 7396) to the document, with all that no attribute stands for.

use std::collections::BTreeMap;

use pdata::text::{Escaping, put_escaped, put_json};
use pdata::view::AnyValue;
use serde_json::value::RawValue;

use super::attributes::{Attribute, Known};
use super::document::Scene;
use super::keys::Key;
use super::limits::{Limits, Trimmed};

/// Attributes of a span, with the patch that each is: what stands before its value and behind it.
const OF_SPAN: [(Key, &str, &str); 4] = [
    (Key::XrayForwardedFor, r#"{"http":{"request":{"x_forwarded_for":"#, "}}}"),
    (Key::XrayTraced, r#"{"http":{"request":{"traced":"#, "}}}"),
    (Key::XrayRetries, r#"{"aws":{"retries":"#, "}}"),
    (Key::XrayCause, r#"{"cause":"#, "}"),
];
/// Attributes of a resource.
const OF_RESOURCE: [(Key, &str, &str); 2] =
    [(Key::XrayOrigin, r#"{"origin":"#, "}"), (Key::XrayResourceArn, r#"{"resource_arn":"#, "}")];
/// Members that a patch does not change: the span has them.
const FIXED: [&str; 9] = [
    "id",
    "trace_id",
    "parent_id",
    "type",
    "name",
    "start_time",
    "end_time",
    "in_progress",
    "subsegments",
];
/// Objects in objects that are merged; what is deeper is taken as it is.
const DEPTH_MAX: usize = 8;

/// Whether the key is one of a span that was a segment.
#[inline]
pub(super) fn is_of_span(key: Key) -> bool {
    key == Key::XrayDocument || OF_SPAN.iter().any(|(of_span, ..)| *of_span == key)
}

/// Whether its value is one that the receiver gives it; others are ordinary metadata.
pub(super) fn is_taken(key: Key, value: &AnyValue<'_>) -> bool {
    match (key, value) {
        (Key::XrayDocument, AnyValue::Str(text)) => object(text.as_str()).is_some(),
        (Key::XrayForwardedFor | Key::XrayTraced, AnyValue::Bool(_))
        | (Key::XrayRetries, AnyValue::Int(_))
        | (Key::XrayCause | Key::XrayOrigin | Key::XrayResourceArn, AnyValue::Str(_)) => true,
        _ => false,
    }
}

/// Whether the attribute is one of a resource that was a segment's.
#[inline]
pub(super) fn is_of_resource(attribute: &Attribute<'_>) -> bool {
    match attribute.meaning {
        Some(key @ (Key::XrayOrigin | Key::XrayResourceArn)) => is_taken(key, &attribute.value),
        _ => false,
    }
}

/// What documents have of their resource, as a patch.
pub(super) fn of_resource(known: &Known<'_>) -> Option<String> {
    patches(known, &OF_RESOURCE).reduce(|all, one| merged(&all, &one, 0))
}

/// Puts back what a document that begins at `start` has of the one that its span was before.
#[inline]
pub(super) fn patch(
    out: &mut Vec<u8>,
    start: usize,
    scene: &Scene<'_, '_>,
    known: &Known<'_>,
    limits: &Limits,
    trimmed: &mut Trimmed,
) {
    let is_one = OF_SPAN.iter().any(|(key, ..)| known.has(*key)) || known.has(Key::XrayDocument);
    if is_one || scene.resource.patch.is_some() {
        patch_received(out, start, scene, known, limits, trimmed);
    }
}

#[cold]
fn patch_received(
    out: &mut Vec<u8>,
    start: usize,
    scene: &Scene<'_, '_>,
    known: &Known<'_>,
    limits: &Limits,
    trimmed: &mut Trimmed,
) {
    let rest = match known.get(Key::XrayDocument) {
        Some(value @ AnyValue::Str(text)) if is_taken(Key::XrayDocument, value) => {
            Some(text.as_str())
        }
        _ => None,
    };
    let fits = |text: &str| limits.metadata.is_some_and(|value_max| text.len() <= value_max);
    trimmed.metadata += usize::from(rest.is_some_and(|text| !fits(text)));
    let rest = rest.filter(|text| fits(text)).map(str::to_owned);
    let of_resource = scene.resource.patch.clone().filter(|_| scene.has_resource());
    let Some(mut document) = out.get(start..).and_then(plain) else { return };
    for patch in of_resource.into_iter().chain(patches(known, &OF_SPAN)).chain(rest) {
        if let Some(patched) = patched(&document, &patch) {
            document = patched;
        }
    }
    out.truncate(start);
    put_escaped(out, document.as_bytes());
}

/// The patches that attributes are.
fn patches<'s>(
    known: &'s Known<'_>,
    keys: &'s [(Key, &str, &str)],
) -> impl Iterator<Item = String> + 's {
    keys.iter().filter_map(|(key, before, behind)| {
        let value = known.get(*key).filter(|value| is_taken(*key, value))?;
        let mut json = before.as_bytes().to_vec();
        put_json(&mut json, value, Escaping::Plain);
        json.extend_from_slice(behind.as_bytes());
        String::from_utf8(json).ok()
    })
}

/// A document as it is without the escapes of the JSON string that it stands in.
fn plain(document: &[u8]) -> Option<String> {
    let string = [b"\"", document, b"\""].concat();
    serde_json::from_slice(&string).ok()
}

/// A patched document. It begins with its ids, as all documents do.
fn patched(document: &str, patch: &str) -> Option<String> {
    let mut members = object(patch)?;
    for name in FIXED {
        members.remove(name);
    }
    let patch = serde_json::to_string(&members).ok()?;
    let all = merged(document, &patch, 0);
    let mut members = object(&all)?;
    let (_id, _trace_id) = (members.remove("id"), members.remove("trace_id"));
    let rest = serde_json::to_string(&members).ok()?;
    let ids = document.get(..document.find(r#","trace_id":""#)? + IDS_LEN)?;
    Some(format!("{ids},{}", rest.strip_prefix('{')?))
}

/// The length of a trace id with its name and all that belongs to them.
const IDS_LEN: usize = r#","trace_id":"1-00000000-000000000000000000000000""#.len();

/// The members of an object.
fn object(json: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(json).ok()
}

/// A merge patch carried out.
fn merged(base: &str, patch: &str, depth: usize) -> String {
    let Some(members) = object(patch).filter(|_| depth < DEPTH_MAX) else {
        return patch.to_owned();
    };
    let base = object(base).unwrap_or_default();
    let mut all: BTreeMap<String, String> =
        base.iter().map(|(name, value)| (name.clone(), value.get().to_owned())).collect();
    for (name, value) in members {
        if value.get() == "null" {
            all.remove(&name);
            continue;
        }
        let before = all.get(&name).map_or("{}", String::as_str);
        let value = merged(before, value.get(), depth + 1);
        all.insert(name, value);
    }
    let mut out = Vec::with_capacity(patch.len() + 2);
    for (name, value) in &all {
        out.push(if out.is_empty() { b'{' } else { b',' });
        pdata::text::put_json_string(&mut out, name.as_bytes(), Escaping::Plain);
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
    }
    if out.is_empty() {
        out.push(b'{');
    }
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default()
}
