//! What the spans of a scope have in common: rendered once, copied into each.

use std::collections::HashMap;
use std::ops::Range;

use pdata::KeyFilter;
use pdata::text::put_text;
use pdata::view::{AnyValue, Scope};

use super::form::Form;
use super::slots::{LINK_PREFIX, Slots};

/// Says which attribute the service name was taken from.
const SERVICE_NAME_SOURCE: &[u8] = b"otlp.service.name.source";
/// Where a service name is looked for, in this order.
const SERVICE_NAME_KEYS: [&str; 4] =
    ["service.name", "faas.name", "k8s.deployment.name", "process.executable.name"];

/// A tag before it is rendered.
type Pair<'a> = (&'a [u8], AnyValue<'a>);

/// A resource as Zipkin sees it.
#[derive(Debug)]
pub(super) struct Resource<'a> {
    service_name: Vec<u8>,
    tags: Vec<Pair<'a>>,
}

impl<'a> Resource<'a> {
    pub(super) fn of(resource: &pdata::view::Resource<'a>, default_service_name: &str) -> Self {
        let mut tags: Vec<Pair<'a>> = resource
            .attributes
            .iter()
            .map(|attribute| (attribute.key.as_bytes(), attribute.value))
            .collect();
        keep_last(&mut tags);
        rename_cloud_resource_id(&mut tags);
        let service_name = take_service_name(&mut tags);
        let service_name = service_name.unwrap_or_else(|| default_service_name.into());
        Self { service_name, tags }
    }
}

/// The tags and the name that all spans of a scope share.
#[derive(Debug, Default)]
pub(super) struct Inherited<'a> {
    /// Tags that no span's head or endpoints depend on, rendered.
    pub(super) rendered: Vec<u8>,
    /// What stands where in `rendered`.
    pub(super) entries: Vec<(&'a [u8], Range<usize>)>,
    /// The keys in `rendered`.
    pub(super) keys: KeyFilter,
    /// The attributes that heads and endpoints depend on.
    pub(super) slots: Slots<'a>,
    /// Whether a key in `rendered` looks like that of a link.
    pub(super) has_link_keys: bool,
    /// The local service, which may be nameless.
    pub(super) service_name: Vec<u8>,
    merged: Vec<Pair<'a>>,
    scratch: Vec<u8>,
}

impl<'a> Inherited<'a> {
    /// Becomes what the spans of this scope share.
    pub(super) fn render<F: Form>(&mut self, resource: &Resource<'a>, scope: &Scope<'a>) {
        self.service_name.clone_from(&resource.service_name);
        self.merged.clone_from(&resource.tags);
        let attributes = scope.attributes.iter();
        self.merged.extend(attributes.map(|attribute| (attribute.key.as_bytes(), attribute.value)));
        for (key, text) in
            [("otel.library.name", scope.name), ("otel.library.version", scope.version)]
        {
            if !text.is_empty() {
                self.merged.push((key.as_bytes(), AnyValue::Str(text)));
            }
        }
        keep_last(&mut self.merged);

        self.rendered.clear();
        self.entries.clear();
        self.keys = KeyFilter::default();
        self.slots = Slots::default();
        self.has_link_keys = false;
        for (key, value) in &self.merged {
            if self.slots.take(key, value) {
                continue;
            }
            self.has_link_keys |= key.starts_with(LINK_PREFIX);
            self.keys.add(key);
            let start = self.rendered.len();
            F::tag(&mut self.rendered, key, value, &mut self.scratch);
            self.entries.push((key, start..self.rendered.len()));
        }
    }
}

/// Removes all but the last of the pairs with equal keys.
fn keep_last(pairs: &mut Vec<Pair<'_>>) {
    let mut keys = KeyFilter::default();
    let mut unique = true;
    for (key, _) in pairs.iter() {
        unique &= !keys.add(key);
    }
    if unique {
        return;
    }
    let last: HashMap<&[u8], usize> =
        pairs.iter().enumerate().map(|(index, (key, _))| (*key, index)).collect();
    let mut index = 0;
    pairs.retain(|(key, _)| {
        let is_last = last.get(key) == Some(&index);
        index += 1;
        is_last
    });
}

/// `cloud.resource_id` goes by its older name, unless something else has that.
fn rename_cloud_resource_id(tags: &mut [Pair<'_>]) {
    if tags.iter().all(|(key, _)| *key != b"faas.id")
        && let Some((key, _)) = tags.iter_mut().find(|(key, _)| *key == b"cloud.resource_id")
    {
        *key = b"faas.id";
    }
}

/// Takes the service name out of the tags and notes its source.
fn take_service_name(tags: &mut Vec<Pair<'_>>) -> Option<Vec<u8>> {
    for key in SERVICE_NAME_KEYS {
        let Some(at) = tags.iter().position(|(tag, _)| *tag == key.as_bytes()) else { continue };
        let (_, value) = tags.remove(at);
        let mut name = Vec::new();
        put_text(&mut name, &value);
        if key != "service.name" {
            tags.retain(|(tag, _)| *tag != SERVICE_NAME_SOURCE);
            tags.push((SERVICE_NAME_SOURCE, AnyValue::Str(key.into())));
        }
        return Some(name);
    }
    None
}
