//! What the statistics need of a payload's spans.
//!
//! The rules are those of DataDog/datadog-agent `pkg/trace/otel/stats/otel_util.go` and of `OtelSpanToDDSpanMinimal` in
//! `pkg/trace/transform/transform.go` 0.84. Different on purpose:
//! - A span's parent is looked for in its own trace first, and its service is its own. Upstream takes the span's attributes with the
//!   parent's resource, so that a span that names a service itself is never top-level.
//! - A trace's weight is that of its root in each resource; upstream takes one root of all resources that look alike.

mod deployment;
mod peer;

use std::collections::HashMap;

use memchr::memmem::Finder;
use pdata::Payload;
use pdata::text::to_text;
use pdata::view::{Attributes, ResourceSpans, SpanKind};

use super::concentrator::{Concentrator, PayloadStats};
use super::driver::DriverSettings;
use super::grpc::grpc_status_code;
use super::input::{StatSpan, Tag};
use crate::attributes::{KnownAttributes, Lookup};
use crate::chunks::{Chunk, Entry, ResourceTraces};
use crate::keys::Key;
use crate::naming::kind_name;
use crate::normalize::tag_value;
use crate::obfuscate::{Family, Obfuscator};
use crate::source::Source;
use crate::span::{Facts, timing};
use deployment::{Deployment, container_tags};
use peer::PeerTags;

/// The attribute of a resource, or of one of its spans, whose statistics the application has computed itself.
const STATS_COMPUTED: &str = "_dd.stats_computed";

/// Reads spans for a concentrator.
pub(super) struct Extractor {
    settings: DriverSettings,
    peer_tags: PeerTags,
    stats_computed: Finder<'static>,
    obfuscator: Obfuscator,
}

/// What is known of a resource.
struct Known<'a> {
    attributes: KnownAttributes<'a>,
    traces: ResourceTraces<'a>,
    source: Option<Source<'a>>,
    container_tags: Vec<String>,
    peer_tags: Vec<Tag<'a>>,
}

/// A span on its way to the concentrator.
struct Counted<'s, 'a> {
    entry: &'s Entry<'a>,
    facts: Facts<'a>,
    is_top_level: bool,
    weight: f64,
    now: u64,
}

/// The service of a span of another trace or resource, by id.
trait OtherServices<'s>: FnMut(u64) -> Option<&'s str> {}
impl<'s, T: FnMut(u64) -> Option<&'s str>> OtherServices<'s> for T {}

impl Extractor {
    pub(super) fn new(settings: DriverSettings) -> Self {
        let peer_tags = PeerTags::new(settings.peer_tags, settings.further_peer_tags.clone());
        let stats_computed = Finder::new(STATS_COMPUTED);
        Self { settings, peer_tags, stats_computed, obfuscator: Obfuscator::new() }
    }

    /// Counts the spans of a payload. Returns how many were counted.
    pub(super) fn add(
        &mut self,
        payload: &Payload,
        concentrator: &mut Concentrator,
        now: u64,
    ) -> usize {
        // One look at the bytes spares most payloads a look at every attribute.
        let marked = payload.chunks().iter().any(|c| self.stats_computed.find(c).is_some());
        let counted = |resource: &ResourceSpans<'_>| !(marked && is_computed(resource));
        let resources = payload.resource_spans().filter(counted);
        let resources: Vec<Known<'_>> = resources.map(|resource| self.known(&resource)).collect();
        let mut services = None;
        let mut others = |id: u64| {
            if resources.len() < 2 {
                return None;
            }
            services.get_or_insert_with(|| all_services(&resources)).get(&id).copied()
        };
        let mut own = KnownAttributes::default();
        let mut count = 0;
        for resource in &resources {
            count += self.add_resource(resource, &mut own, &mut others, concentrator, now);
        }
        count
    }

    fn known<'a>(&self, resource_spans: &ResourceSpans<'a>) -> Known<'a> {
        let resource = &resource_spans.resource.attributes;
        let attributes = KnownAttributes::of(*resource);
        Known {
            traces: ResourceTraces::of(resource_spans, &attributes),
            source: Source::of(resource),
            container_tags: container_tags(resource, &self.settings.container_tag_keys),
            peer_tags: self.peer_tags.of_resource(&attributes),
            attributes,
        }
    }

    fn add_resource<'s, 'a>(
        &mut self,
        resource: &'s Known<'a>,
        own: &mut KnownAttributes<'a>,
        others: &mut impl OtherServices<'s>,
        concentrator: &mut Concentrator,
        now: u64,
    ) -> usize {
        let tags: Vec<&str> = resource.container_tags.iter().map(String::as_str).collect();
        let nothing = KnownAttributes::default();
        let lookup = Lookup { span: &nothing, resource: &resource.attributes };
        let (source, host) = (resource.source.as_ref(), self.settings.fallback_host.clone());
        let deployment = Deployment::of(&lookup, source, &host);
        let mut stats = concentrator.payload(&deployment.key("", &tags), now);
        let mut count = 0;
        for chunk in resource.traces.chunks() {
            let Some(root) = chunk.root() else { continue };
            let (mut weight, mut base_service) = (1.0, None);
            let is_root = |entry: &Entry<'_>| std::ptr::eq(entry, root);
            // The root first, since its weight is that of all.
            let others_of_trace = chunk.entries.iter().filter(|entry| !is_root(entry));
            for entry in std::iter::once(root).chain(others_of_trace) {
                let Some(scope) = resource.traces.scopes.get(entry.scope) else { continue };
                own.fill(entry.span.attributes);
                let lookup = Lookup { span: own, resource: &resource.attributes };
                let facts = Facts::of(&entry.span, scope, &lookup, &self.settings.naming);
                if is_root(entry) {
                    weight = weight_of(facts.sample_rate);
                    base_service = self.peer_tags.base_service(&lookup).map(|(_, service)| service);
                }
                if !has_ids(entry) || self.is_ignored(&facts.resource) {
                    continue;
                }
                let is_top_level = self.is_top_level(&chunk, entry, others);
                let span = Counted { entry, facts, is_top_level, weight, now };
                let added = if base_service.is_some() || Deployment::may_differ(own) {
                    let own = Deployment::of(&lookup, source, &host);
                    let key = own.key(base_service.as_deref().unwrap_or_default(), &tags);
                    self.add_span(&span, &lookup, resource, &mut stats.with(&key))
                } else {
                    self.add_span(&span, &lookup, resource, &mut stats)
                };
                count += usize::from(added);
            }
        }
        count
    }

    fn add_span<'a>(
        &mut self,
        span: &Counted<'_, 'a>,
        lookup: &Lookup<'_, 'a>,
        resource: &Known<'a>,
        stats: &mut PayloadStats<'_>,
    ) -> bool {
        let (entry, facts) = (span.entry, &span.facts);
        let kind = kind_name(entry.span.kind);
        let by_kind = self.settings.top_level_by_kind
            && matches!(entry.span.kind, SpanKind::Client | SpanKind::Producer);
        let (start, duration) = timing(&entry.span, span.now as i64);
        let http_status = facts.http_status.and_then(|status| u32::try_from(status).ok());
        let family = Family::of(facts.span_type);
        stats.add(&StatSpan {
            service: &facts.service,
            name: &facts.name,
            resource: self.obfuscator.resource(family, &facts.resource),
            span_type: facts.span_type,
            kind,
            http_status_code: http_status.unwrap_or(0),
            grpc_status_code: grpc_status_code(&facts.grpc_status),
            peer_tags: &self.peer_tags.of_span(kind, lookup, &resource.peer_tags),
            error: facts.is_error,
            trace_root: entry.parent_id == 0,
            top_level: span.is_top_level,
            measured: facts.is_measured || by_kind,
            partial: lookup.span.get(Key::PartialVersion).is_some(),
            start: start.cast_unsigned(),
            duration: duration.cast_unsigned(),
            weight: span.weight,
            ..StatSpan::default()
        })
    }

    fn is_ignored(&self, resource: &str) -> bool {
        self.settings.ignore_resources.iter().any(|pattern| pattern.is_match(resource))
    }

    fn is_top_level<'s, 'a>(
        &self,
        chunk: &Chunk<'_, 'a>,
        entry: &Entry<'a>,
        others: &mut impl OtherServices<'s>,
    ) -> bool {
        if self.settings.top_level_by_kind {
            return entry.is_top_level_by_kind();
        }
        if entry.parent_id == 0 {
            return true;
        }
        match chunk.find(entry.parent_id) {
            Some(parent) => chunk.service_of(parent) != chunk.service_of(entry),
            None => others(entry.parent_id) != Some(chunk.service_of(entry)),
        }
    }
}

/// How many spans one stands for that was sampled with this probability. What is no probability weighs 1.
fn weight_of(sample_rate: Option<f64>) -> f64 {
    match sample_rate {
        Some(rate) if rate > 0.0 && rate <= 1.0 => 1.0 / rate,
        _ => 1.0,
    }
}

fn has_ids(entry: &Entry<'_>) -> bool {
    entry.span_id != 0 && entry.span.trace_id.iter().any(|byte| *byte != 0)
}

/// Whether the application has computed the statistics of a resource's spans itself.
fn is_computed(resource_spans: &ResourceSpans<'_>) -> bool {
    let is_marked = |attributes: &Attributes<'_>| {
        let value = attributes.get(STATS_COMPUTED).map(|value| to_text(&value));
        value.is_some_and(|value| !matches!(&*tag_value(&value), "" | "false"))
    };
    let mut spans = resource_spans.scope_spans.iter().flat_map(|scope| scope.spans);
    is_marked(&resource_spans.resource.attributes) || spans.any(|span| is_marked(&span.attributes))
}

/// The services of all spans of a payload, by span id.
fn all_services<'s>(resources: &'s [Known<'_>]) -> HashMap<u64, &'s str> {
    let services = resources.iter().flat_map(|resource| {
        let entries = resource.traces.entries().iter();
        entries.map(|entry| (entry.span_id, resource.traces.service_of(entry)))
    });
    services.collect()
}

#[cfg(test)]
mod tests;
