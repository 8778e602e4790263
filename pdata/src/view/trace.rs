//! Spans.

use super::{AnyValue, Attributes, Extent, Message, Repeated, Resource, Scope, Str, TopLevel};
use crate::Signal;
use crate::wire::{FieldValue, Reader};

groups! {
    /// Spans of one resource.
    ResourceSpans { scope_spans }
    /// Spans of one scope.
    ScopeSpans { spans: Span }
    of Traces
}

/// A span.
#[derive(Clone, Copy, Debug)]
pub struct Span<'a> {
    /// 16 bytes in a sound span; passed on as received.
    pub trace_id: &'a [u8],
    /// 8 bytes in a sound span; passed on as received.
    pub span_id: &'a [u8],
    /// W3C trace state.
    pub trace_state: Str<'a>,
    /// 8 bytes; empty in a root span.
    pub parent_span_id: &'a [u8],
    /// W3C trace flags in the low byte; see `SpanFlags`.
    pub flags: u32,
    /// Name.
    pub name: Str<'a>,
    /// Kind.
    pub kind: SpanKind,
    /// Start, in nanoseconds since 1970.
    pub start_time_unix_nano: u64,
    /// End, in nanoseconds since 1970.
    pub end_time_unix_nano: u64,
    /// Attributes.
    pub attributes: Attributes<'a>,
    /// Attributes dropped before they reached us.
    pub dropped_attributes_count: u32,
    /// Events.
    pub events: Repeated<'a, Event<'a>>,
    /// Events dropped before they reached us.
    pub dropped_events_count: u32,
    /// Links.
    pub links: Repeated<'a, Link<'a>>,
    /// Links dropped before they reached us.
    pub dropped_links_count: u32,
    /// Status.
    pub status: Status<'a>,
}

impl<'a> Span<'a> {
    /// The value of the first attribute with this key.
    pub fn attribute(&self, key: &str) -> Option<AnyValue<'a>> {
        self.attributes.get(key)
    }
}

impl<'a> Message<'a> for Span<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut this = Self {
            trace_id: &[],
            span_id: &[],
            trace_state: Str::default(),
            parent_span_id: &[],
            flags: 0,
            name: Str::default(),
            kind: SpanKind::Unspecified,
            start_time_unix_nano: 0,
            end_time_unix_nano: 0,
            attributes: Repeated::all_of(&[], 9),
            dropped_attributes_count: 0,
            events: Repeated::all_of(&[], 11),
            dropped_events_count: 0,
            links: Repeated::all_of(&[], 13),
            dropped_links_count: 0,
            status: Status::default(),
        };
        let (mut attributes, mut events, mut links) = (Extent::NONE, Extent::NONE, Extent::NONE);
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (1, FieldValue::Len(id)) => this.trace_id = id,
                (2, FieldValue::Len(id)) => this.span_id = id,
                (3, FieldValue::Len(state)) => this.trace_state = Str::from_field(state),
                (4, FieldValue::Len(id)) => this.parent_span_id = id,
                (5, FieldValue::Len(name)) => this.name = Str::from_field(name),
                (6, FieldValue::Varint(kind)) => this.kind = SpanKind::from_wire(kind),
                (7, FieldValue::Fixed64(time)) => this.start_time_unix_nano = time,
                (8, FieldValue::Fixed64(time)) => this.end_time_unix_nano = time,
                (9, _) => attributes.add(body, &field),
                (10, FieldValue::Varint(n)) => this.dropped_attributes_count = n as u32,
                (11, _) => events.add(body, &field),
                (12, FieldValue::Varint(n)) => this.dropped_events_count = n as u32,
                (13, _) => links.add(body, &field),
                (14, FieldValue::Varint(n)) => this.dropped_links_count = n as u32,
                (15, FieldValue::Len(status)) => this.status = Status::read(status),
                (16, FieldValue::Fixed32(flags)) => this.flags = flags,
                _ => {}
            }
        }
        this.attributes = attributes.repeated(9);
        this.events = events.repeated(11);
        this.links = links.repeated(13);
        this
    }
}

/// A span's kind. A number that the specification does not know reads as unspecified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpanKind {
    /// Not stated.
    #[default]
    Unspecified,
    /// Inside an application.
    Internal,
    /// Answers a request.
    Server,
    /// Makes a request.
    Client,
    /// Sends a message.
    Producer,
    /// Receives a message.
    Consumer,
}

impl SpanKind {
    /// An enum is 32 bits: protobuf drops the upper half of a longer varint.
    fn from_wire(value: u64) -> Self {
        match value as u32 {
            1 => SpanKind::Internal,
            2 => SpanKind::Server,
            3 => SpanKind::Client,
            4 => SpanKind::Producer,
            5 => SpanKind::Consumer,
            _ => SpanKind::Unspecified,
        }
    }
}

/// A span's status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status<'a> {
    /// What the developer said of it.
    pub message: Str<'a>,
    /// The code.
    pub code: StatusCode,
}

impl<'a> Message<'a> for Status<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut this = Self::default();
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (2, FieldValue::Len(message)) => this.message = Str::from_field(message),
                (3, FieldValue::Varint(code)) => this.code = StatusCode::from_wire(code),
                _ => {}
            }
        }
        this
    }
}

/// A status code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusCode {
    /// Nobody judged.
    #[default]
    Unset,
    /// A person said it was right.
    Ok,
    /// An error.
    Error,
}

impl StatusCode {
    fn from_wire(value: u64) -> Self {
        match value as u32 {
            1 => StatusCode::Ok,
            2 => StatusCode::Error,
            _ => StatusCode::Unset,
        }
    }
}

/// Something that happened during a span.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// When, in nanoseconds since 1970.
    pub time_unix_nano: u64,
    /// Name.
    pub name: Str<'a>,
    /// Attributes.
    pub attributes: Attributes<'a>,
    /// Attributes dropped before they reached us.
    pub dropped_attributes_count: u32,
}

impl<'a> Message<'a> for Event<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut this = Self {
            time_unix_nano: 0,
            name: Str::default(),
            attributes: Repeated::all_of(&[], 3),
            dropped_attributes_count: 0,
        };
        let mut attributes = Extent::NONE;
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (1, FieldValue::Fixed64(time)) => this.time_unix_nano = time,
                (2, FieldValue::Len(name)) => this.name = Str::from_field(name),
                (3, _) => attributes.add(body, &field),
                (4, FieldValue::Varint(n)) => this.dropped_attributes_count = n as u32,
                _ => {}
            }
        }
        this.attributes = attributes.repeated(3);
        this
    }
}

/// A reference to another span.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// The other span's trace.
    pub trace_id: &'a [u8],
    /// The other span.
    pub span_id: &'a [u8],
    /// W3C trace state.
    pub trace_state: Str<'a>,
    /// Attributes.
    pub attributes: Attributes<'a>,
    /// Attributes dropped before they reached us.
    pub dropped_attributes_count: u32,
    /// W3C trace flags in the low byte.
    pub flags: u32,
}

impl<'a> Message<'a> for Link<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut this = Self {
            trace_id: &[],
            span_id: &[],
            trace_state: Str::default(),
            attributes: Repeated::all_of(&[], 4),
            dropped_attributes_count: 0,
            flags: 0,
        };
        let mut attributes = Extent::NONE;
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (1, FieldValue::Len(id)) => this.trace_id = id,
                (2, FieldValue::Len(id)) => this.span_id = id,
                (3, FieldValue::Len(state)) => this.trace_state = Str::from_field(state),
                (4, _) => attributes.add(body, &field),
                (5, FieldValue::Varint(n)) => this.dropped_attributes_count = n as u32,
                (6, FieldValue::Fixed32(flags)) => this.flags = flags,
                _ => {}
            }
        }
        this.attributes = attributes.repeated(4);
        this
    }
}
