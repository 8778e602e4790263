//! Log records.

use super::{AnyValue, Attributes, Extent, Message, Repeated, Resource, Scope, Str, TopLevel};
use crate::Signal;
use crate::wire::{FieldValue, Reader};

groups! {
    /// Log records of one resource.
    ResourceLogs { scope_logs }
    /// Log records of one scope.
    ScopeLogs { log_records: LogRecord }
    of Logs
}

/// A log record.
#[derive(Clone, Copy, Debug)]
pub struct LogRecord<'a> {
    /// When it happened, in nanoseconds since 1970; 0 when unknown.
    pub time_unix_nano: u64,
    /// When it was seen, in nanoseconds since 1970.
    pub observed_time_unix_nano: u64,
    /// Severity, 1 to 24; 0 when not stated.
    pub severity_number: i32,
    /// Severity as the source wrote it.
    pub severity_text: Str<'a>,
    /// Body.
    pub body: AnyValue<'a>,
    /// Attributes.
    pub attributes: Attributes<'a>,
    /// Attributes dropped before they reached us.
    pub dropped_attributes_count: u32,
    /// W3C trace flags in the low byte.
    pub flags: u32,
    /// The trace it belongs to; 16 bytes or empty.
    pub trace_id: &'a [u8],
    /// The span it belongs to; 8 bytes or empty.
    pub span_id: &'a [u8],
    /// Name of the event, when the record is one.
    pub event_name: Str<'a>,
}

impl<'a> Message<'a> for LogRecord<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut this = Self {
            time_unix_nano: 0,
            observed_time_unix_nano: 0,
            severity_number: 0,
            severity_text: Str::default(),
            body: AnyValue::Empty,
            attributes: Repeated::all_of(&[], 6),
            dropped_attributes_count: 0,
            flags: 0,
            trace_id: &[],
            span_id: &[],
            event_name: Str::default(),
        };
        let mut attributes = Extent::NONE;
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (1, FieldValue::Fixed64(time)) => this.time_unix_nano = time,
                (2, FieldValue::Varint(number)) => this.severity_number = number as i32,
                (3, FieldValue::Len(text)) => this.severity_text = Str::from_field(text),
                (5, FieldValue::Len(value)) => this.body = AnyValue::read(value),
                (6, _) => attributes.add(body, &field),
                (7, FieldValue::Varint(n)) => this.dropped_attributes_count = n as u32,
                (8, FieldValue::Fixed32(flags)) => this.flags = flags,
                (9, FieldValue::Len(id)) => this.trace_id = id,
                (10, FieldValue::Len(id)) => this.span_id = id,
                (11, FieldValue::Fixed64(time)) => this.observed_time_unix_nano = time,
                (12, FieldValue::Len(name)) => this.event_name = Str::from_field(name),
                _ => {}
            }
        }
        this.attributes = attributes.repeated(6);
        this
    }
}
