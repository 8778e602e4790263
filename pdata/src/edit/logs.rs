//! Log records.

use super::message::{Editable, MessageMut, setters};
use super::value::{TooDeep, ValueMut};
use crate::view::{self, AnyValue};

const BODY: u32 = 5;

/// Marks [`LogRecordMut`].
#[derive(Debug)]
pub enum LogRecord {}

/// A log record under edit.
pub type LogRecordMut<'s> = MessageMut<'s, LogRecord>;

impl Editable for LogRecord {
    type View<'v> = view::LogRecord<'v>;
}

setters! { LogRecord {
    /// Sets when it happened, in nanoseconds since 1970.
    set_time_unix_nano: fixed64 = 1;
    /// Sets when it was seen, in nanoseconds since 1970.
    set_observed_time_unix_nano: fixed64 = 11;
    /// Sets the severity as its source wrote it.
    set_severity_text: text = 3;
    /// The attributes.
    attributes: attributes = 6;
    /// Sets how many attributes were dropped.
    set_dropped_attributes_count: varint32 = 7;
    /// Sets the flags.
    set_flags: fixed32 = 8;
    /// Sets the trace id, which should have 16 bytes or none.
    set_trace_id: bytes = 9;
    /// Sets the span id, which should have 8 bytes or none.
    set_span_id: bytes = 10;
    /// Sets the name of the event that the record is.
    set_event_name: text = 12;
}}

impl LogRecordMut<'_> {
    /// Sets the severity: 1 to 24, or 0 for none.
    pub fn set_severity_number(&mut self, number: i32) {
        self.body.put_uint(2, i64::from(number) as u64);
    }

    /// Edits the body.
    pub fn body<R>(&mut self, edit: impl FnOnce(&mut ValueMut<'_>) -> R) -> R {
        self.body.edit_child(BODY, |body| MessageMut::with(body, edit))
    }

    /// Sets the body.
    ///
    /// # Errors
    /// When it nests too deep; nothing has changed then.
    pub fn set_body<'v>(&mut self, value: impl Into<AnyValue<'v>>) -> Result<(), TooDeep> {
        self.body(|body| body.set(value))
    }
}
