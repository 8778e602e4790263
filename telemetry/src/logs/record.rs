//! One log record: what an event says, with every text cut to a limit.

use std::{
    error::Error,
    fmt::{self, Write},
    time::SystemTime,
};

use serde_json::Value;
use tracing::{
    Event, Level, Metadata,
    field::{Field, Visit},
};

use crate::settings::LogLevel;

/// Bytes kept of a message or of one field's text; the rest becomes an ellipsis. `tracing` caps the fields of an event
/// at 32, so a record is bounded too.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// An event as it will be written.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) time: SystemTime,
    pub(super) level: LogLevel,
    /// Source file and line.
    pub(super) source: Option<(&'static str, u32)>,
    pub(super) message: String,
    pub(super) fields: Vec<(&'static str, Value)>,
}

impl Record {
    /// `None` when the event is of a level that is never shown.
    pub(super) fn of(event: &Event<'_>) -> Option<Self> {
        let metadata = event.metadata();
        let mut record = Self {
            time: SystemTime::now(),
            level: level(metadata)?,
            source: metadata.file().zip(metadata.line()),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut record);
        Some(record)
    }

    /// About how much text the record holds.
    pub(super) fn bytes(&self) -> usize {
        let of_field =
            |(name, value): &(&str, Value)| name.len() + value.as_str().map_or(8, str::len);
        self.message.len() + self.fields.iter().map(of_field).sum::<usize>()
    }

    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(message)) => self.message = message,
            (name, value) => self.fields.push((name, value)),
        }
    }
}

impl Visit for Record {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no word for what is not finite.
        let value =
            if value.is_finite() { Value::from(value) } else { Value::from(value.to_string()) };
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::from(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, capped(format_args!("{value}")));
    }

    /// The error with its sources, which its own text leaves out.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, capped(format_args!("{}", Chain(value))));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, capped(format_args!("{value:?}")));
    }
}

/// The level at which an event counts; `None` for those that are never shown: below `debug`, and those below `info` of
/// crates that are not ours, which may tell header or body content.
pub(super) fn level(metadata: &Metadata<'_>) -> Option<LogLevel> {
    match *metadata.level() {
        Level::ERROR => Some(LogLevel::Error),
        Level::WARN => Some(LogLevel::Warn),
        Level::INFO => Some(LogLevel::Info),
        Level::DEBUG if is_ours(metadata.file()) => Some(LogLevel::Debug),
        _ => None,
    }
}

/// Cargo names the sources of a workspace's own members relative to the workspace, all others by absolute path
/// (rust-lang/cargo, `src/cargo/core/compiler/mod.rs`, `path_args`).
fn is_ours(file: Option<&str>) -> bool {
    file.is_some_and(|file| !file.starts_with('/') && !file.contains("registry/src/"))
}

/// An error and its sources, joined by colons.
struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

/// Formats no more than the limit; formatting stops there.
fn capped(text: fmt::Arguments<'_>) -> Value {
    let mut capped = Capped(String::new());
    if capped.write_fmt(text).is_err() {
        capped.0.push('…');
    }
    Value::String(capped.0)
}

struct Capped(String);

impl Write for Capped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = TEXT_BYTES_MAX.saturating_sub(self.0.len());
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        let end = text.floor_char_boundary(room);
        self.0.push_str(text.get(..end).unwrap_or_default());
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests;
