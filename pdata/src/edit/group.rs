//! Resources and scopes with what they hold, rewritten in one walk over a chunk.
//!
//! Resource spans and scope spans (and those of metrics and logs) have the same shape: a header, children, a schema URL. A group is edited where
//! it stands: changed children are written as they are left, the header at the end (it may change with any child), in its place before
//! them, and then the group's length is put right. Should its fields not stand in that order, it is rewritten so first.

use std::ops::Range;

use super::body::Body;
use super::common::Scope;
use super::header::{Header, HeaderMut, ITEM_DEPTH, ResourceMut, ScopeMut};
use super::message::{Editable, MessageMut};
use super::rewriter::{Mark, Rewriter, fields};
use super::{LogRecordMut, MetricMut, SpanMut};
use crate::Signal;
use crate::wire::{FieldValue, Reader, put_len};

const HEADER: u32 = 1;
pub(super) const CHILDREN: u32 = 2;
const SCHEMA_URL: u32 = 3;

/// A resource with its scopes: resource spans, resource metrics or resource logs.
#[derive(Debug)]
pub struct ResourceGroup<'g, 's> {
    group: Group<'g, 's>,
    resource: &'g mut ResourceMut<'s>,
}

/// A scope with its items: scope spans, scope metrics or scope logs.
#[derive(Debug)]
pub struct ScopeGroup<'g, 's> {
    group: Group<'g, 's>,
    scope: &'g mut ScopeMut<'s>,
}

impl<'s> ResourceGroup<'_, 's> {
    /// The resource.
    pub fn resource(&mut self) -> &mut ResourceMut<'s> {
        self.resource
    }

    /// Whether it has no scope, so that there will be no visit.
    pub fn is_empty(&self) -> bool {
        self.group.is_childless()
    }

    /// Visits the scopes in order. A resource that loses its last scope goes too.
    pub fn scopes(self, mut edit: impl FnMut(&mut ResourceMut<'s>, ScopeGroup<'_, '_>)) {
        let signal = self.resource.signal;
        self.group.children(self.resource, |rewriter, resource, field, body| {
            edit_group::<Scope>(signal, rewriter, CHILDREN, field, body, &mut |group, scope| {
                edit(resource, ScopeGroup { group, scope });
            })
        });
    }
}

impl<'s> ScopeGroup<'_, 's> {
    /// The scope.
    pub fn scope(&mut self) -> &mut ScopeMut<'s> {
        self.scope
    }

    /// Whether it has no item, so that there will be no visit.
    pub fn is_empty(&self) -> bool {
        self.group.is_childless()
    }

    /// Visits the spans in order; none when the payload is not of traces. A scope that loses its last span goes too.
    pub fn spans(self, edit: impl FnMut(&mut ScopeMut<'s>, &mut SpanMut<'_>)) {
        self.items(Signal::Traces, edit);
    }

    /// Visits the metrics in order; none when the payload is not of metrics. A scope that loses its last metric goes too; a metric that
    /// loses its last data point stays until it is removed.
    pub fn metrics(self, edit: impl FnMut(&mut ScopeMut<'s>, &mut MetricMut<'_>)) {
        self.items(Signal::Metrics, edit);
    }

    /// Visits the log records in order; none when the payload is not of logs. A scope that loses its last record goes too.
    pub fn log_records(self, edit: impl FnMut(&mut ScopeMut<'s>, &mut LogRecordMut<'_>)) {
        self.items(Signal::Logs, edit);
    }

    fn items<T: Editable>(
        self,
        signal: Signal,
        mut edit: impl FnMut(&mut ScopeMut<'s>, &mut MessageMut<'_, T>),
    ) {
        if self.scope.signal != signal {
            return;
        }
        let mut spare = Vec::new();
        self.group.children(self.scope, |rewriter, scope, field, body| {
            let body = Body::new(body, ITEM_DEPTH, std::mem::take(&mut spare));
            let body = MessageMut::with(body, |item| edit(scope, item)).0;
            body.write(CHILDREN, field, rewriter);
            let removed = body.removed;
            spare = body.into_spare();
            removed
        });
    }
}

/// Edits all resources of a chunk. `None` when nothing changed.
pub(super) fn edit_chunk(
    signal: Signal,
    chunk: &[u8],
    edit: &mut dyn FnMut(ResourceGroup<'_, '_>),
) -> Option<Vec<u8>> {
    let mut rewriter = Rewriter::new(chunk);
    for (range, field) in fields(chunk) {
        if let (HEADER, FieldValue::Len(body)) = (field.number, field.value) {
            edit_group(signal, &mut rewriter, HEADER, range, body, &mut |group, resource| {
                edit(ResourceGroup { group, resource });
            });
        }
    }
    rewriter.finish()
}

/// A group whose children have not been visited yet.
#[derive(Debug)]
struct Group<'g, 's> {
    rewriter: &'g mut Rewriter<'s>,
    frame: &'g mut Frame,
}

type Visit<'v, T> = &'v mut dyn for<'g, 's> FnMut(Group<'g, 's>, &'g mut HeaderMut<'s, T>);

/// Edits a group, given its field and its body at the end of that. Says whether the group was removed.
fn edit_group<'s, T: Header>(
    signal: Signal,
    rewriter: &mut Rewriter<'s>,
    number: u32,
    field: Range<usize>,
    body: &'s [u8],
    visit: Visit<'_, T>,
) -> bool {
    let Some(parts) = Parts::of(body) else {
        let ordered = in_order(number, body);
        let mut nested = Rewriter::new(&ordered);
        let removed = match Reader::new(&ordered).field().map(|field| field.value) {
            Some(FieldValue::Len(body)) => {
                edit_group(signal, &mut nested, number, 0..ordered.len(), body, visit)
            }
            _ => false,
        };
        if let Some(bytes) = nested.finish() {
            rewriter.replace(field, |out| out.extend_from_slice(&bytes));
        }
        return removed;
    };
    let at = |range: Range<usize>| shifted(range, field.end - body.len());
    let mut frame = Frame {
        mark: rewriter.mark(),
        body: at(0..body.len()),
        header: at(parts.header),
        emptied: false,
    };
    let mut header = HeaderMut::new(signal, parts.header_body, parts.schema_url);
    visit(Group { rewriter, frame: &mut frame }, &mut header);

    let mark = frame.mark;
    if header.is_removed() || frame.emptied && header.added.is_empty() {
        rewriter.drop_from(mark, field);
        return true;
    }
    if header.message.body.is_edited() {
        let mut bytes = Vec::new();
        put_len(&mut bytes, HEADER, header.message.body.bytes());
        if rewriter.changed_since(mark) {
            rewriter.replace_passed(mark, frame.header, &bytes);
        } else {
            rewriter.replace(frame.header, |out| out.append(&mut bytes));
        }
    }
    if !header.added.is_empty() {
        rewriter.replace(at(parts.children_end..parts.children_end), |out| {
            out.append(&mut header.added);
        });
    }
    if let Some(url) = header.new_schema_url {
        let mut url = Some(url).filter(|url| !url.is_empty());
        let ends = std::iter::once(body.len()..body.len()).filter(|_| parts.schema_urls.is_empty());
        for range in parts.schema_urls.iter().cloned().chain(ends) {
            rewriter.replace(at(range), |out| {
                url.take().into_iter().for_each(|url| put_len(out, SCHEMA_URL, &url));
            });
        }
    }
    rewriter.close(mark, field.start, frame.body);
    false
}

/// Where a group stands in the source, and what became of it.
#[derive(Debug)]
struct Frame {
    /// Where the rewriter was before the group.
    mark: Mark,
    body: Range<usize>,
    /// The header's field, or where it belongs when there is none.
    header: Range<usize>,
    /// Whether all children have been removed.
    emptied: bool,
}

impl<'s> Group<'_, 's> {
    fn body(&self) -> &'s [u8] {
        self.rewriter.source().get(self.frame.body.clone()).unwrap_or_default()
    }

    fn is_childless(&self) -> bool {
        !fields(self.body()).any(|(_, field)| field.number == CHILDREN)
    }

    /// Has `edit` edit each child, given its field and body. It says whether the child was removed.
    fn children<T: Header>(
        self,
        header: &mut HeaderMut<'s, T>,
        mut edit: impl FnMut(&mut Rewriter<'s>, &mut HeaderMut<'s, T>, Range<usize>, &'s [u8]) -> bool,
    ) {
        let body = self.body();
        let Self { rewriter, frame } = self;
        let (mut children, mut removed) = (0, 0);
        for (range, field) in fields(body) {
            if let (CHILDREN, FieldValue::Len(body)) = (field.number, field.value) {
                children += 1;
                let range = shifted(range, frame.body.start);
                removed += usize::from(edit(rewriter, header, range, body));
            }
        }
        frame.emptied = children > 0 && removed == children;
    }
}

/// A group's parts: places in its body.
struct Parts<'s> {
    header: Range<usize>,
    header_body: &'s [u8],
    children_end: usize,
    /// All of them; the last one counts.
    schema_urls: Vec<Range<usize>>,
    schema_url: &'s [u8],
}

impl<'s> Parts<'s> {
    /// The parts of a body, or `None` when they do not stand in order: header, children, schema URL.
    fn of(body: &'s [u8]) -> Option<Self> {
        let mut parts = Self {
            header: 0..0,
            header_body: &[],
            children_end: 0,
            schema_urls: Vec::new(),
            schema_url: &[],
        };
        for (range, field) in fields(body) {
            match (field.number, field.value) {
                (HEADER, FieldValue::Len(header)) => {
                    if parts.children_end > 0 || !parts.schema_urls.is_empty() {
                        return None;
                    }
                    (parts.header, parts.header_body) = (range, header);
                }
                (CHILDREN, _) => {
                    if !parts.schema_urls.is_empty() {
                        return None;
                    }
                    parts.children_end = range.end;
                }
                (SCHEMA_URL, FieldValue::Len(url)) => {
                    parts.schema_urls.push(range);
                    parts.schema_url = url;
                }
                _ => {}
            }
        }
        parts.children_end = parts.children_end.max(parts.header.end);
        Some(parts)
    }
}

/// The field of a group with its header first, then its children, then all else.
fn in_order(number: u32, body: &[u8]) -> Vec<u8> {
    let mut ordered = Vec::with_capacity(body.len());
    for part in [&[HEADER][..], &[CHILDREN], &[]] {
        let is_in = |number: u32| match part {
            [] => number != HEADER && number != CHILDREN,
            numbers => numbers.contains(&number),
        };
        for field in Reader::new(body).filter(|field| is_in(field.number)) {
            ordered.extend_from_slice(field.raw);
        }
    }
    let mut out = Vec::new();
    put_len(&mut out, number, &ordered);
    out
}

fn shifted(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}
