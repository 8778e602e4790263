//! One invocation, from its start to what the platform says of it.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::events;
use super::shared::Shared;
use super::subscription::Entry;

/// An invocation whose handler runs: it is the test that does the handler's work.
#[derive(Debug)]
pub struct Invocation {
    /// The id that the function and the extension are told.
    pub request_id: String,
    /// The value of `X-Amzn-Trace-Id`.
    pub trace: Option<String>,
    pub(super) started: Instant,
    pub(super) shared: Arc<Shared>,
}

/// How a handler ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With a response.
    Success,
    /// With an error of this type, reported by the runtime.
    Error(&'static str),
}

/// What becomes of `platform.runtimeDone`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuntimeDone {
    /// It comes.
    Sent,
    /// It gets lost.
    Missing,
    /// One with another invocation's id comes.
    OfAnother,
}

impl Invocation {
    /// Writes a line of the function's log.
    pub fn log(&self, line: &str) {
        self.emit(events::line(super::clock::real_unix_ms(), "function", json!(line)));
    }

    /// Writes a record of the function's log, where its format is JSON.
    pub fn log_json(&self, record: Value) {
        self.emit(events::line(super::clock::real_unix_ms(), "function", record));
    }

    /// Puts a text into the stream of function events as it is, in place of an event.
    pub fn log_raw(&self, event: &str) {
        self.emit(Entry::raw("function", event));
    }

    fn emit(&self, entry: Entry) {
        self.shared.with(|machine| machine.telemetry.emit(&entry));
    }

    /// The record that `platform.runtimeDone` and `platform.report` have in common.
    pub(super) fn record(&self, status: &str, error_type: Option<&str>) -> Value {
        let mut record = json!({
            "requestId": self.request_id,
            "status": status,
            "metrics": { "durationMs": events::milliseconds(self.started.elapsed()) },
        });
        if let Some(object) = record.as_object_mut() {
            if let Some(error_type) = error_type {
                object.insert("errorType".to_owned(), error_type.into());
            }
            if let Some(trace) = &self.trace {
                object.insert("tracing".to_owned(), events::tracing(trace));
            }
        }
        record
    }
}

impl Ending {
    pub(super) fn status(&self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Success => ("success", None),
            Self::Error(kind) => ("error", Some(kind)),
        }
    }
}
