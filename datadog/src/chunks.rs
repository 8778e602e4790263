//! The spans of a resource by trace, and which of them are top-level.

use std::borrow::Cow;
use std::collections::HashMap;

use pdata::view::{ResourceSpans, Scope, Span, SpanKind};

use crate::attributes::{KnownAttributes, Lookup};
use crate::naming;
use crate::normalize;
use crate::span::low_id;

/// Up to how many spans of a trace are looked through one by one.
const FEW: usize = 16;

/// A span with what has to be known of it before any is translated.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The span.
    pub span: Span<'a>,
    /// The position of its scope in [`ResourceTraces::scopes`].
    pub scope: usize,
    /// The low half of its trace's id.
    pub trace_id: u64,
    /// Its id.
    pub span_id: u64,
    /// Its parent's id; 0 is none, and so is its own.
    pub parent_id: u64,
    /// The service it names itself, which its resource's gives way to.
    own_service: Option<Cow<'a, str>>,
    chunk: usize,
}

/// The spans of one resource, those of one trace together.
#[derive(Clone, Debug, Default)]
pub struct ResourceTraces<'a> {
    /// The scopes.
    pub scopes: Vec<Scope<'a>>,
    entries: Vec<Entry<'a>>,
    service: Cow<'a, str>,
}

impl<'a> ResourceTraces<'a> {
    /// Those of these resource spans, whose attributes are given. Traces are in the order of their first spans.
    pub fn of(resource_spans: &ResourceSpans<'a>, resource: &KnownAttributes<'a>) -> Self {
        let nothing = KnownAttributes::default();
        let service = naming::service(&Lookup { span: &nothing, resource });
        let mut this = Self { service, ..Self::default() };
        let mut chunks: HashMap<u64, usize> = HashMap::new();
        let (mut last, mut is_sorted) = (None, true);
        for scope_spans in resource_spans.scope_spans {
            let scope = this.scopes.len();
            this.scopes.push(scope_spans.scope);
            for span in scope_spans.spans {
                let trace_id = low_id(span.trace_id);
                let chunk = match last {
                    Some((id, chunk)) if id == trace_id => chunk,
                    _ => {
                        let next = chunks.len();
                        *chunks.entry(trace_id).or_insert(next)
                    }
                };
                is_sorted &= last.is_none_or(|(_, before)| before <= chunk);
                last = Some((trace_id, chunk));
                this.entries.push(Entry::new(span, scope, chunk));
            }
        }
        if !is_sorted {
            this.entries.sort_by_key(|entry| entry.chunk);
        }
        this
    }

    /// The spans of each trace.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk<'_, 'a>> {
        let chunks = self.entries.chunk_by(|a, b| a.chunk == b.chunk);
        chunks.map(|entries| Chunk::new(entries, &self.service))
    }

    /// All spans.
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// The service of a span.
    pub fn service_of<'s>(&'s self, entry: &'s Entry<'a>) -> &'s str {
        entry.service(&self.service)
    }
}

impl<'a> Entry<'a> {
    fn new(span: Span<'a>, scope: usize, chunk: usize) -> Self {
        let own_service = span.attributes.get("service.name").and_then(|name| {
            let name = name.as_str()?.as_str();
            (!name.is_empty()).then(|| normalize::service(name))
        });
        let (span_id, parent_id) = (low_id(span.span_id), low_id(span.parent_span_id));
        Self {
            scope,
            trace_id: low_id(span.trace_id),
            span_id,
            parent_id: if parent_id == span_id { 0 } else { parent_id },
            own_service,
            chunk,
            span,
        }
    }

    fn service<'s>(&'s self, of_resource: &'s str) -> &'s str {
        self.own_service.as_deref().unwrap_or(of_resource)
    }

    /// Whether neither of its ids is zero: Datadog takes no others.
    pub fn has_ids(&self) -> bool {
        self.trace_id != 0 && self.span_id != 0
    }

    /// Whether the span begins the work of a service, by its kind: it has no parent, or is a server's or a consumer's.
    pub fn is_top_level_by_kind(&self) -> bool {
        self.parent_id == 0 || matches!(self.span.kind, SpanKind::Server | SpanKind::Consumer)
    }
}

/// The spans of one trace in one resource.
#[derive(Clone, Debug)]
pub struct Chunk<'s, 'a> {
    /// The spans, in the order in which they came. Never empty.
    pub entries: &'s [Entry<'a>],
    service: &'s str,
    /// Where the spans stand, when they are many.
    places: Option<HashMap<u64, usize>>,
}

impl<'s, 'a> Chunk<'s, 'a> {
    fn new(entries: &'s [Entry<'a>], service: &'s str) -> Self {
        let places = || entries.iter().enumerate().map(|(at, entry)| (entry.span_id, at)).collect();
        Self { entries, service, places: (entries.len() > FEW).then(places) }
    }

    /// The span of this id. Of several the last counts.
    pub fn find(&self, span_id: u64) -> Option<&'s Entry<'a>> {
        match &self.places {
            Some(places) => self.entries.get(*places.get(&span_id)?),
            None => self.entries.iter().rev().find(|entry| entry.span_id == span_id),
        }
    }

    /// The service of a span.
    pub fn service_of<'e>(&'e self, entry: &'e Entry<'a>) -> &'e str {
        entry.service(self.service)
    }

    /// Whether a span begins the work of a service in this trace: it has no parent, its parent is not here, or is another service's
    /// (`ComputeTopLevel` of DataDog/datadog-agent `pkg/trace/traceutil`).
    pub fn is_top_level(&self, entry: &Entry<'a>) -> bool {
        if entry.parent_id == 0 {
            return true;
        }
        match self.find(entry.parent_id) {
            None => true,
            Some(parent) => self.service_of(parent) != self.service_of(entry),
        }
    }

    /// The span that speaks for the trace: the last without a parent, or else the first whose parent is not here, or else the last
    /// (`GetRoot` of the same place, which takes any of those whose parents are not here).
    pub fn root(&self) -> Option<&'s Entry<'a>> {
        let without_parent = self.entries.iter().rev().find(|entry| entry.parent_id == 0);
        without_parent
            .or_else(|| self.entries.iter().find(|entry| self.find(entry.parent_id).is_none()))
            .or_else(|| self.entries.last())
    }
}

#[cfg(test)]
mod tests;
