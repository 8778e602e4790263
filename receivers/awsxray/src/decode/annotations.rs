//! `annotations` and `metadata`: attributes of their own keys, and JSON texts by namespace.

use serde_json::value::RawValue;

use super::attributes::{Attributes, Value};
use super::members::{Members, Rest, compact, text};

/// Keys of the attributes that are annotations.
const ANNOTATIONS: &str = "aws.xray.annotations";
/// What the attribute of a namespace of metadata is called before its name.
const METADATA: &str = "aws.xray.metadata.";
/// The namespace that an exporter's metadata without one goes to.
const DEFAULT: &str = "default";

/// Adds annotations. One whose key an attribute has already, or whose value is no scalar, is kept aside.
pub(super) fn put_annotations(
    members: &mut Members<'_>,
    attributes: &mut Attributes,
    rest: &mut Rest,
) {
    let Some(annotations) = members.object("annotations") else { return };
    let mut keys = Vec::new();
    for (key, value) in annotations.into_members() {
        match scalar(value) {
            // A key of the receiver's own would be taken for an instruction.
            Some(scalar) if !key.starts_with("aws.xray.") && attributes.put(&key, &scalar) => {
                keys.push(key);
            }
            _ => rest.within("annotations").put(&key, value.get()),
        }
    }
    attributes.texts(ANNOTATIONS, keys);
}

/// Adds metadata. What is no namespace of members is kept aside.
pub(super) fn put_metadata(
    members: &mut Members<'_>,
    attributes: &mut Attributes,
    rest: &mut Rest,
) {
    let Some(metadata) = members.object("metadata") else { return };
    for (namespace, value) in metadata.into_members() {
        let is_taken_for_default = namespace != DEFAULT && namespace.eq_ignore_ascii_case(DEFAULT);
        if Members::of(value).is_none() || is_taken_for_default {
            rest.within("metadata").put(&namespace, value.get());
            continue;
        }
        attributes.put(&format!("{METADATA}{namespace}"), &Value::Str(compact(value.get())));
    }
}

/// A value that an annotation can have, and an attribute. Whole numbers stay whole.
pub(super) fn scalar(value: &RawValue) -> Option<Value> {
    let json = value.get();
    match json.as_bytes().first()? {
        b'"' => text(value).map(Value::Str),
        b't' | b'f' => json.parse().ok().map(Value::Bool),
        b'-' | b'0'..=b'9' => {
            let whole = json.parse().ok().map(Value::Int);
            let double = || json.parse().ok().filter(|double: &f64| double.is_finite());
            // One that a double has no room for stays as it is.
            let is_whole = !json.contains(['.', 'e', 'E']);
            whole.or_else(|| double().filter(|_| !is_whole).map(Value::Double))
        }
        _ => None,
    }
}
