//! Spans.

use super::message::{Editable, MessageMut, setters};
use crate::view::{self, SpanKind, StatusCode};

/// Marks [`SpanMut`].
#[derive(Debug)]
pub enum Span {}

/// Marks [`EventMut`].
#[derive(Debug)]
pub enum Event {}

/// Marks [`LinkMut`].
#[derive(Debug)]
pub enum Link {}

/// Marks [`StatusMut`].
#[derive(Debug)]
pub enum Status {}

/// A span under edit.
pub type SpanMut<'s> = MessageMut<'s, Span>;

/// A span's event under edit.
pub type EventMut<'s> = MessageMut<'s, Event>;

/// A span's link under edit.
pub type LinkMut<'s> = MessageMut<'s, Link>;

/// A span's status under edit.
pub type StatusMut<'s> = MessageMut<'s, Status>;

impl Editable for Span {
    type View<'v> = view::Span<'v>;
}

impl Editable for Event {
    type View<'v> = view::Event<'v>;
}

impl Editable for Link {
    type View<'v> = view::Link<'v>;
}

impl Editable for Status {
    type View<'v> = view::Status<'v>;
}

setters! { Span {
    /// Sets the trace id, which should have 16 bytes.
    set_trace_id: bytes = 1;
    /// Sets the span id, which should have 8 bytes.
    set_span_id: bytes = 2;
    /// Sets the W3C trace state.
    set_trace_state: text = 3;
    /// Sets the parent's span id: 8 bytes, or none for a root span.
    set_parent_span_id: bytes = 4;
    /// Sets the flags.
    set_flags: fixed32 = 16;
    /// Sets the name.
    set_name: text = 5;
    /// Sets the start, in nanoseconds since 1970.
    set_start_time_unix_nano: fixed64 = 7;
    /// Sets the end, in nanoseconds since 1970.
    set_end_time_unix_nano: fixed64 = 8;
    /// The attributes.
    attributes: attributes = 9;
    /// Sets how many attributes were dropped.
    set_dropped_attributes_count: varint32 = 10;
    /// The events.
    events: Event = 11;
    /// Sets how many events were dropped.
    set_dropped_events_count: varint32 = 12;
    /// The links.
    links: Link = 13;
    /// Sets how many links were dropped.
    set_dropped_links_count: varint32 = 14;
}}

impl SpanMut<'_> {
    /// Sets the kind.
    pub fn set_kind(&mut self, kind: SpanKind) {
        self.body.put_uint(6, kind as u64);
    }

    /// Edits the status.
    pub fn status<R>(&mut self, edit: impl FnOnce(&mut StatusMut<'_>) -> R) -> R {
        self.body.edit_child(15, |body| MessageMut::with(body, edit))
    }

    /// Edits, or removes, each event in order, with the span at hand. The span shows no events meanwhile; those that are pushed
    /// to it come to stand in front of these.
    pub fn events_with_span(&mut self, mut edit: impl FnMut(&mut SpanMut<'_>, &mut EventMut<'_>)) {
        self.with_children(11, &mut edit);
    }

    /// Edits, or removes, each link in order, with the span at hand, as [`events_with_span`](Self::events_with_span) does.
    pub fn links_with_span(&mut self, mut edit: impl FnMut(&mut SpanMut<'_>, &mut LinkMut<'_>)) {
        self.with_children(13, &mut edit);
    }
}

setters! { Event {
    /// Sets when it happened, in nanoseconds since 1970.
    set_time_unix_nano: fixed64 = 1;
    /// Sets the name.
    set_name: text = 2;
    /// The attributes.
    attributes: attributes = 3;
    /// Sets how many attributes were dropped.
    set_dropped_attributes_count: varint32 = 4;
}}

setters! { Link {
    /// Sets the other span's trace id, which should have 16 bytes.
    set_trace_id: bytes = 1;
    /// Sets the other span's id, which should have 8 bytes.
    set_span_id: bytes = 2;
    /// Sets the W3C trace state.
    set_trace_state: text = 3;
    /// The attributes.
    attributes: attributes = 4;
    /// Sets how many attributes were dropped.
    set_dropped_attributes_count: varint32 = 5;
    /// Sets the flags.
    set_flags: fixed32 = 6;
}}

setters! { Status {
    /// Sets what the developer says of it.
    set_message: text = 2;
}}

impl StatusMut<'_> {
    /// Sets the code.
    pub fn set_code(&mut self, code: StatusCode) {
        self.body.put_uint(3, code as u64);
    }
}
