//! What stands above items: the resource and the scope, each with its schema.

use std::ops::{Deref, DerefMut};

use super::body::Body;
use super::common::{Resource, Scope};
use super::message::{Editable, MessageMut};
use super::{LogRecordMut, MetricMut, SpanMut};
use crate::Signal;
use crate::validate::DEPTH_MAX;
use crate::view::Str;
use crate::wire::put_len;

/// Messages that may nest below an item: resource spans, scope spans and the item itself stand in the request.
pub(super) const ITEM_DEPTH: u32 = DEPTH_MAX - 3;

/// A resource or a scope under edit, with the schema URL that stands beside it. Removing it removes all it holds.
#[derive(Debug)]
pub struct HeaderMut<'s, T> {
    pub(super) message: MessageMut<'s, T>,
    pub(super) schema_url: &'s [u8],
    pub(super) new_schema_url: Option<Vec<u8>>,
    /// New items, encoded.
    pub(super) added: Vec<u8>,
    pub(super) signal: Signal,
}

/// A resource under edit.
pub type ResourceMut<'s> = HeaderMut<'s, Resource>;

/// An instrumentation scope under edit.
pub type ScopeMut<'s> = HeaderMut<'s, Scope>;

/// A message that stands above items.
pub trait Header: Editable {
    /// How many messages may nest below it.
    const DEPTH: u32;
}

impl Header for Resource {
    const DEPTH: u32 = DEPTH_MAX - 2;
}

impl Header for Scope {
    const DEPTH: u32 = DEPTH_MAX - 3;
}

impl<'s, T: Header> HeaderMut<'s, T> {
    pub(super) fn new(signal: Signal, body: &'s [u8], schema_url: &'s [u8]) -> Self {
        Self {
            message: MessageMut::new(Body::new(body, T::DEPTH, Vec::new())),
            schema_url,
            new_schema_url: None,
            added: Vec::new(),
            signal,
        }
    }

    /// Schema of a resource's attributes, or of the items below a scope.
    pub fn schema_url(&self) -> Str<'_> {
        Str::from_field(self.new_schema_url.as_deref().unwrap_or(self.schema_url))
    }

    /// Sets the schema.
    pub fn set_schema_url<'v>(&mut self, url: impl Into<Str<'v>>) {
        let url = url.into().as_bytes();
        if self.schema_url().as_bytes() != url {
            self.new_schema_url = Some(url.to_vec());
        }
    }
}

impl<'s, T> Deref for HeaderMut<'s, T> {
    type Target = MessageMut<'s, T>;

    fn deref(&self) -> &Self::Target {
        &self.message
    }
}

impl<T> DerefMut for HeaderMut<'_, T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.message
    }
}

/// New items stand behind those that are there; visits do not come to them.
impl ScopeMut<'_> {
    /// Adds a span that is empty before `edit`. `None`, and nothing done, when the payload is not of traces.
    pub fn push_span<R>(&mut self, edit: impl FnOnce(&mut SpanMut<'_>) -> R) -> Option<R> {
        self.push(Signal::Traces, edit)
    }

    /// Adds a metric that is empty before `edit`. `None`, and nothing done, when the payload is not of metrics.
    pub fn push_metric<R>(&mut self, edit: impl FnOnce(&mut MetricMut<'_>) -> R) -> Option<R> {
        self.push(Signal::Metrics, edit)
    }

    /// Adds a log record that is empty before `edit`. `None`, and nothing done, when the payload is not of logs.
    pub fn push_log_record<R>(
        &mut self,
        edit: impl FnOnce(&mut LogRecordMut<'_>) -> R,
    ) -> Option<R> {
        self.push(Signal::Logs, edit)
    }

    fn push<T: Editable, R>(
        &mut self,
        signal: Signal,
        edit: impl FnOnce(&mut MessageMut<'_, T>) -> R,
    ) -> Option<R> {
        if self.signal != signal {
            return None;
        }
        let body = Body::new(&[], ITEM_DEPTH, Vec::new());
        let (body, result) = MessageMut::with(body, edit);
        if !body.removed {
            put_len(&mut self.added, super::group::CHILDREN, body.bytes());
        }
        Some(result)
    }
}
