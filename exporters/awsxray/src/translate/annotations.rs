//! `annotations`, which X-Ray indexes, and `metadata`, which it does not: the attributes that no other block has used up.

use pdata::view::AnyValue;

use super::Role;
use super::attributes::{Attribute, Known};
use super::document::Scene;
use super::keys::Key;
use super::limits::{Limits, Trimmed};
use super::options::Options;
use super::received;
use super::text::{close, cut_chars, put_member, put_value};

mod metadata;

pub(super) use metadata::put_entry;

/// What resource attributes are called.
pub(super) const RESOURCE_PREFIX: &[u8] = b"otel.resource.";
/// X-Ray's limits of an annotation, in characters.
const KEY_CHARS_MAX: usize = 500;
const VALUE_CHARS_MAX: usize = 1000;

/// A span's attributes, and what of them is used up.
pub(super) struct Attributes<'s, 'a> {
    pub(super) known: &'s Known<'a>,
    pub(super) scene: &'s Scene<'s, 'a>,
    pub(super) is_sql: bool,
    pub(super) is_status_text_used: bool,
}

/// What became of an attribute that was to be an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It is one.
    Whole,
    /// It is one whose key or value was too long.
    Cut,
    /// Its value is neither a text nor a number nor a boolean.
    NotScalar,
    /// There is one of its name already.
    Taken,
}

impl Put {
    pub(super) fn is_put(self) -> bool {
        matches!(self, Self::Whole | Self::Cut)
    }
}

/// Keys that a span itself names as those of annotations.
struct Named<'a>(Vec<&'a [u8]>);

impl<'a> Named<'a> {
    fn of(known: &Known<'a>) -> Self {
        match known.get(Key::XrayAnnotations) {
            Some(AnyValue::Array(keys)) => {
                let texts = keys.values().iter().filter_map(|key| key.as_str());
                Self(texts.map(|text| text.as_bytes()).collect())
            }
            _ => Self(Vec::new()),
        }
    }

    fn has(&self, key: &[u8]) -> bool {
        self.0.contains(&key)
    }

    /// Whether the resource's attributes have to be looked at once more.
    fn has_any_of_resource(&self) -> bool {
        self.0.iter().any(|key| key.starts_with(RESOURCE_PREFIX))
    }
}

impl<'a> Attributes<'_, 'a> {
    /// The attributes that are neither used up nor about the document itself.
    fn left(&self) -> impl Iterator<Item = &Attribute<'a>> {
        self.known.list().iter().filter(|attribute| {
            attribute.meaning.is_none_or(|key| !self.is_used(key) && !self.is_about(key))
        })
    }

    /// Whether an attribute is an instruction, which is carried out, or has no place in the document.
    fn is_about(&self, key: Key) -> bool {
        let value = self.known.get(key);
        let is = |fits: &dyn Fn(&AnyValue<'_>) -> bool| value.is_some_and(fits);
        match key {
            Key::XrayAnnotations => is(&|value| matches!(value, AnyValue::Array(_))),
            Key::XrayInProgress => is(&|value| matches!(value, AnyValue::Bool(_))),
            _ if received::is_of_span(key) => is(&|value| received::is_taken(key, value)),
            Key::AwsRemoteService
            | Key::AwsRemoteOperation
            | Key::RemoteTarget
            | Key::K8sRemoteNamespace => self.scene.role == Role::Service,
            _ => false,
        }
    }

    /// The attributes that are annotations if they are named: what is left, and what is used up and named by the settings.
    fn nameable(&self) -> impl Iterator<Item = (&Attribute<'a>, bool)> {
        self.known.list().iter().filter_map(|attribute| match attribute.meaning {
            Some(Key::EnduserId) => None,
            Some(key) if self.is_about(key) => None,
            Some(key) if self.is_used(key) => Some((attribute, true)),
            _ => Some((attribute, false)),
        })
    }
}

/// Appends both blocks.
pub(super) fn put(
    out: &mut Vec<u8>,
    attributes: &Attributes<'_, '_>,
    scratch: &mut Vec<u8>,
    limits: &Limits,
    trimmed: &mut Trimmed,
) {
    let named = Named::of(attributes.known);
    let mut doubled = Vec::new();
    if attributes.scene.options.indexes_any() || !named.0.is_empty() {
        doubled = put_annotations(out, attributes, &named, limits, trimmed);
    }
    let indexed = Indexed { options: attributes.scene.options, named: &named, doubled: &doubled };
    metadata::put(out, attributes, &indexed, scratch, limits, trimmed);
}

/// Which attributes are annotations, so that they are no metadata.
struct Indexed<'s, 'a> {
    options: &'s Options,
    named: &'s Named<'a>,
    /// Keys of attributes whose names as annotations were taken.
    doubled: &'s [&'a [u8]],
}

impl Indexed<'_, '_> {
    /// Whether an attribute of this key is an annotation, or nothing if its value can't be one.
    #[inline]
    fn has(&self, key: &[u8]) -> bool {
        let is_indexed =
            self.options.indexes_all() || self.options.names(key) || self.named.has(key);
        is_indexed && !self.doubled.contains(&key)
    }
}

/// Appends `annotations`. The keys of attributes that would be annotations, were their names not taken.
fn put_annotations<'a>(
    out: &mut Vec<u8>,
    attributes: &Attributes<'_, 'a>,
    named: &Named<'_>,
    limits: &Limits,
    trimmed: &mut Trimmed,
) -> Vec<&'a [u8]> {
    const OPENING: &[u8] = br#",\"annotations\":{"#;
    let (options, resource) = (attributes.scene.options, attributes.scene.resource);
    let (mut taken, mut doubled) = (Vec::new(), Vec::new());
    let mark = out.len();
    out.extend_from_slice(OPENING);
    if attributes.scene.has_resource() {
        out.extend_from_slice(&resource.annotations);
        taken.clone_from(&resource.annotation_keys);
        if named.has_any_of_resource() {
            for (name, value) in resource.named().filter(|(name, _)| named.has(name)) {
                let _put = put_annotation(out, &mut taken, &name, value);
            }
        }
    }
    for (attribute, is_used) in attributes.nameable() {
        let key = attribute.key;
        let is_indexed =
            options.names(key) || !is_used && (options.indexes_all() || named.has(key));
        if !is_indexed {
            continue;
        }
        if taken.len() >= limits.annotations {
            trimmed.other += 1;
            break;
        }
        match put_annotation(out, &mut taken, key, &attribute.value) {
            Put::Cut => trimmed.annotations += 1,
            Put::Taken => doubled.push(key),
            Put::Whole | Put::NotScalar => {}
        }
    }
    close(out, mark, OPENING.len(), b'}');
    doubled
}

/// Appends an annotation and a comma. `taken` are the names that are there already.
pub(super) fn put_annotation(
    out: &mut Vec<u8>,
    taken: &mut Vec<Vec<u8>>,
    key: &[u8],
    value: &AnyValue<'_>,
) -> Put {
    if !is_scalar(value) {
        return Put::NotScalar;
    }
    let whole = cut_chars(key, KEY_CHARS_MAX);
    let mut cut = whole.len() < key.len();
    let name = annotation_name(whole);
    if taken.contains(&name) || name.is_empty() {
        return Put::Taken;
    }
    put_member(out, br#"\""#, &name, usize::MAX);
    taken.push(name);
    out.push(b':');
    if let AnyValue::Str(text) = value {
        let whole = cut_chars(text.as_bytes(), VALUE_CHARS_MAX);
        cut |= whole.len() < text.as_bytes().len();
        put_member(out, br#"\""#, whole, usize::MAX);
    } else {
        put_value(out, value, &mut Vec::new());
    }
    out.push(b',');
    if cut { Put::Cut } else { Put::Whole }
}

/// A key as X-Ray takes it: letters and digits of ASCII and dots, each other character an underscore.
fn annotation_name(key: &[u8]) -> Vec<u8> {
    let is_start = |byte: &&u8| **byte & 0xc0 != 0x80;
    key.iter()
        .filter(is_start)
        .map(|byte| if byte.is_ascii_alphanumeric() || *byte == b'.' { *byte } else { b'_' })
        .collect()
}

/// Whether a value can be an annotation.
fn is_scalar(value: &AnyValue<'_>) -> bool {
    matches!(value, AnyValue::Str(_) | AnyValue::Bool(_) | AnyValue::Int(_) | AnyValue::Double(_))
}
