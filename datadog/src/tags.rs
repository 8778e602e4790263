//! What a resource becomes as Datadog's tags.
//!
//! The mappings are those of DataDog/datadog-agent `pkg/opentelemetry-mapping-go/otlp/attributes/attributes.go` 0.85. Upstream writes container
//! tags in random order; here they come in the order of the resource's attributes.

mod names;

use pdata::view::{AnyValue, Attributes, KeyValue};

use crate::source::known::Known;
pub(crate) use names::container_tag;
use names::{core_tag, is_container_tag, is_datadog_tag, kubernetes_tag};

/// What a resource attribute has to start with to become a container tag by its own name.
const CUSTOM_PREFIX: &[u8] = b"datadog.container.tag.";

/// The container tags of a resource for the traces intake: `_dd.tags.container` is `k:v,k:v`.
///
/// A tag comes from an attribute of OpenTelemetry's conventions, or else from one under `datadog.container.tag.`, or else from one that bears
/// the tag's own name already. Of equals, the first counts.
#[derive(Clone, Debug, Default)]
pub struct ContainerTags<'a> {
    tags: Vec<Ranked<'a>>,
}

/// A tag, and how much its origin counts.
#[derive(Clone, Copy, Debug)]
struct Ranked<'a> {
    key: &'a [u8],
    value: &'a [u8],
    origin: Origin,
}

/// Where a container tag comes from; the later win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Named,
    Custom,
    Convention,
}

impl<'a> ContainerTags<'a> {
    /// Those of a resource.
    pub fn of(resource: &Attributes<'a>) -> Self {
        Self::with(resource, true)
    }

    fn with(resource: &Attributes<'a>, named: bool) -> Self {
        let mut this = Self::default();
        for attribute in resource.iter() {
            let value = container_value(&attribute);
            if value.is_empty() {
                continue;
            }
            let key = attribute.key.as_bytes();
            let (origin, key) = if named && is_container_tag(key) {
                (Origin::Named, key)
            } else if let Some(custom @ [_, ..]) = key.strip_prefix(CUSTOM_PREFIX) {
                (Origin::Custom, custom)
            } else if let Some(tag) = container_tag(key) {
                (Origin::Convention, tag.as_bytes())
            } else {
                continue;
            };
            // Where metrics and logs are tagged, upstream has the last of the conventions count, and the first of the others.
            let last_counts = !named && origin == Origin::Convention;
            this.add(Ranked { key, value, origin }, last_counts);
        }
        this
    }

    fn add(&mut self, tag: Ranked<'a>, last_counts: bool) {
        match self.tags.iter_mut().find(|other| other.key == tag.key) {
            Some(other) if tag.origin > other.origin || last_counts => *other = tag,
            Some(_) => {}
            None => self.tags.push(tag),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.tags.iter().map(|tag| (tag.key, tag.value))
    }

    /// Appends `k:v,k:v`.
    pub fn put(&self, out: &mut Vec<u8>) {
        for (i, (key, value)) in self.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            put_tag(out, key, value);
        }
    }

    /// Whether an attribute has done its duty as a container tag, so that it is not to be written to the resource's spans as well.
    /// Those of OpenTelemetry's conventions are written to both.
    pub fn takes(attribute: &KeyValue<'_>) -> bool {
        let key = attribute.key.as_bytes();
        (is_container_tag(key) || key.len() > CUSTOM_PREFIX.len() && key.starts_with(CUSTOM_PREFIX))
            && !container_value(attribute).is_empty()
    }
}

/// Calls `tag` with key and value of each tag that a resource gives its metrics and logs: `env`, `service`, `version` and their like;
/// Kubernetes labels; attributes that bear the name of a tag of Datadog's; container tags; what identifies a serverless app; one of the
/// process's names; the type of the operating system.
pub fn resource_tags<'a>(resource: &Attributes<'a>, mut tag: impl FnMut(&'a [u8], &'a [u8])) {
    let mut process = Process::default();
    let mut os = &[][..];
    for attribute in resource.iter() {
        let (key, value) = (attribute.key.as_bytes(), text(&attribute.value));
        match key {
            b"process.executable.name" => process.name = value,
            b"process.executable.path" => process.path = value,
            b"process.command" => process.command = value,
            b"process.command_line" => process.command_line = value,
            b"os.type" => os = value,
            _ => {}
        }
        if let Some(name) = core_tag(key).or_else(|| kubernetes_tag(key))
            && !value.is_empty()
        {
            tag(name.as_bytes(), value);
        }
        if is_datadog_tag(key) {
            tag(key, value);
        }
    }
    for (key, value) in ContainerTags::with(resource, false).iter() {
        tag(key, value);
    }
    Known::of(resource).platform_tags(|key, value| tag(key.as_bytes(), value.as_bytes()));
    if let Some((key, value)) = process.best() {
        tag(key.as_bytes(), value);
    }
    if !os.is_empty() {
        tag(b"os.type", os);
    }
}

/// Appends `key:value`.
pub fn put_tag(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    out.extend_from_slice(key);
    out.push(b':');
    out.extend_from_slice(value);
}

/// What a resource says of its process.
#[derive(Default)]
struct Process<'a> {
    name: &'a [u8],
    path: &'a [u8],
    command: &'a [u8],
    command_line: &'a [u8],
}

impl<'a> Process<'a> {
    /// The shortest form there is. One is enough: the others say the same.
    fn best(&self) -> Option<(&'static str, &'a [u8])> {
        [
            ("process.executable.name", self.name),
            ("process.executable.path", self.path),
            ("process.command", self.command),
            ("process.command_line", self.command_line),
        ]
        .into_iter()
        .find(|(_, value)| !value.is_empty())
    }
}

/// The text of a string value; empty for others.
fn text<'a>(value: &AnyValue<'a>) -> &'a [u8] {
    value.as_str().map(|text| text.as_bytes()).unwrap_or_default()
}

/// The same, where the list of an image's tags stands for its first.
fn container_value<'a>(attribute: &KeyValue<'a>) -> &'a [u8] {
    match &attribute.value {
        AnyValue::Array(list) if attribute.key == "container.image.tags" => {
            list.values().iter().next().map(|first| text(&first)).unwrap_or_default()
        }
        value => text(value),
    }
}

#[cfg(test)]
mod tests;
