//! One event.

use serde_json::{Map, Value};

use super::time;

/// An event of the Telemetry API.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When it happened, in nanoseconds since 1970; nothing where the platform's text is no time.
    pub time: Option<u64>,
    /// What it is about.
    pub kind: EventKind,
    /// What it says.
    pub record: Record,
}

/// What an event is about: its `type`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// `function`: a line that the function wrote.
    Function,
    /// `extension`: a line that an extension wrote.
    Extension,
    /// `platform.initStart`.
    InitStart,
    /// `platform.initRuntimeDone`.
    InitRuntimeDone,
    /// `platform.initReport`.
    InitReport,
    /// `platform.start`: an invocation begins.
    Start,
    /// `platform.runtimeDone`: the function is done with an invocation. Not on Managed Instances.
    RuntimeDone,
    /// `platform.report`: an invocation is over, extensions included.
    Report,
    /// `platform.restoreStart`: SnapStart's.
    RestoreStart,
    /// `platform.restoreRuntimeDone`: SnapStart's.
    RestoreRuntimeDone,
    /// `platform.restoreReport`: SnapStart's.
    RestoreReport,
    /// `platform.extension`: the state of an extension.
    ExtensionState,
    /// `platform.telemetrySubscription`: the state of a subscription.
    TelemetrySubscription,
    /// `platform.logsDropped`: events that the platform gave up.
    LogsDropped,
    /// A type that is not known here.
    Other(Box<str>),
}

/// What an event says.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A line of text.
    Text(String),
    /// An object: a platform's record, or a line of a function whose log format is JSON.
    Object(Map<String, Value>),
    /// Something else, or an object that cannot be read any further, as the JSON that came.
    Json(String),
}

/// A platform event's record, read by name. What is missing, or of another type than it should be, is nothing.
#[derive(Clone, Copy, Debug)]
pub struct Platform<'a>(&'a Map<String, Value>);

/// A part of an invocation that the platform timed, such as `responseLatency`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span<'a> {
    /// Its name.
    pub name: &'a str,
    /// When it began, in nanoseconds since 1970.
    pub start: Option<u64>,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
}

impl Event {
    /// The record of a platform event.
    pub fn platform(&self) -> Option<Platform<'_>> {
        match &self.record {
            Record::Object(record) if self.kind.is_platform() => Some(Platform(record)),
            _ => None,
        }
    }

    /// The invocation that a platform event is about.
    pub fn request_id(&self) -> Option<&str> {
        self.platform()?.text("requestId")
    }
}

impl EventKind {
    /// The kind of this `type`.
    pub fn of(name: &str) -> Self {
        match name {
            "function" => Self::Function,
            "extension" => Self::Extension,
            "platform.initStart" => Self::InitStart,
            "platform.initRuntimeDone" => Self::InitRuntimeDone,
            "platform.initReport" => Self::InitReport,
            "platform.start" => Self::Start,
            "platform.runtimeDone" => Self::RuntimeDone,
            "platform.report" => Self::Report,
            "platform.restoreStart" => Self::RestoreStart,
            "platform.restoreRuntimeDone" => Self::RestoreRuntimeDone,
            "platform.restoreReport" => Self::RestoreReport,
            "platform.extension" => Self::ExtensionState,
            "platform.telemetrySubscription" => Self::TelemetrySubscription,
            "platform.logsDropped" => Self::LogsDropped,
            other => Self::Other(other.into()),
        }
    }

    /// The `type`, as the platform writes it.
    pub fn name(&self) -> &str {
        match self {
            Self::Function => "function",
            Self::Extension => "extension",
            Self::InitStart => "platform.initStart",
            Self::InitRuntimeDone => "platform.initRuntimeDone",
            Self::InitReport => "platform.initReport",
            Self::Start => "platform.start",
            Self::RuntimeDone => "platform.runtimeDone",
            Self::Report => "platform.report",
            Self::RestoreStart => "platform.restoreStart",
            Self::RestoreRuntimeDone => "platform.restoreRuntimeDone",
            Self::RestoreReport => "platform.restoreReport",
            Self::ExtensionState => "platform.extension",
            Self::TelemetrySubscription => "platform.telemetrySubscription",
            Self::LogsDropped => "platform.logsDropped",
            Self::Other(name) => name,
        }
    }

    /// Whether the platform says it, rather than a line that somebody wrote.
    pub fn is_platform(&self) -> bool {
        match self {
            Self::Function | Self::Extension => false,
            Self::Other(name) => name.starts_with("platform."),
            _ => true,
        }
    }
}

impl<'a> Platform<'a> {
    /// A text, such as `status` or `initializationType`.
    pub fn text(self, key: &str) -> Option<&'a str> {
        self.0.get(key)?.as_str()
    }

    /// A number, such as `instanceMaxMemory`.
    pub fn number(self, key: &str) -> Option<f64> {
        self.0.get(key)?.as_f64()
    }

    /// One of the `metrics`, such as `durationMs`.
    pub fn metric(self, key: &str) -> Option<f64> {
        self.0.get("metrics")?.get(key)?.as_f64()
    }

    /// The texts of a list, such as the `types` of a subscription.
    pub fn texts(self, key: &str) -> impl Iterator<Item = &'a str> {
        let list = self.0.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    }

    /// The parts of an invocation that the platform timed.
    pub fn spans(self) -> impl Iterator<Item = Span<'a>> {
        let list = self.0.get("spans").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|span| {
            Some(Span {
                name: span.get("name")?.as_str()?,
                start: span.get("start").and_then(time::of_value),
                duration_ms: span.get("durationMs")?.as_f64()?,
            })
        })
    }

    /// The value of the `X-Amzn-Trace-Id` header that the invocation belongs to.
    pub fn trace_header(self) -> Option<&'a str> {
        self.0.get("tracing")?.get("value")?.as_str()
    }

    /// The platform's span for this event in X-Ray.
    pub fn trace_span_id(self) -> Option<&'a str> {
        self.0.get("tracing")?.get("spanId")?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_name_it_is_read_from() {
        for name in [
            "function",
            "extension",
            "platform.initStart",
            "platform.initRuntimeDone",
            "platform.initReport",
            "platform.start",
            "platform.runtimeDone",
            "platform.report",
            "platform.restoreStart",
            "platform.restoreRuntimeDone",
            "platform.restoreReport",
            "platform.extension",
            "platform.telemetrySubscription",
            "platform.logsDropped",
        ] {
            let kind = EventKind::of(name);
            assert_eq!(kind.name(), name);
            assert!(!matches!(kind, EventKind::Other(_)), "{name} is not known");
            assert_eq!(kind.is_platform(), name.starts_with("platform."), "{name}");
        }
        let unheard_of = EventKind::of("platform.somethingNew");
        assert_eq!(unheard_of.name(), "platform.somethingNew");
        assert!(unheard_of.is_platform());
    }
}
