//! The bodies of events, of the Extensions API and of the Telemetry API.

use std::time::Duration;

use serde_json::{Value, json};

use super::civil::rfc3339;
use super::machine::{Event, Extension};
use super::subscription::Entry;

/// An event of the platform's, now by the real clock.
pub(super) fn platform(name: &str, record: Value) -> Entry {
    at(super::clock::real_unix_ms(), name, record)
}

/// An event of the platform's.
pub(super) fn at(unix_ms: u64, name: &str, record: Value) -> Entry {
    let event = json!({ "time": rfc3339(unix_ms), "type": name, "record": record });
    Entry::new("platform", &event)
}

/// A line that the function or an extension wrote, or an object when the function logs JSON.
pub(super) fn line(unix_ms: u64, category: &'static str, record: Value) -> Entry {
    let event = json!({ "time": rfc3339(unix_ms), "type": category, "record": record });
    Entry::new(category, &event)
}

pub(super) fn subscribed(name: &str, types: &[String]) -> Entry {
    let record = json!({ "name": name, "state": "Subscribed", "types": types });
    platform("platform.telemetrySubscription", record)
}

pub(super) fn extension(name: &str, state: &str, all: &[Extension]) -> Entry {
    let own = all.iter().find(|extension| extension.name == name);
    let events: Vec<&str> = own
        .into_iter()
        .flat_map(|extension| &extension.events)
        .map(|event| match event {
            Event::Invoke => "INVOKE",
            Event::Shutdown => "SHUTDOWN",
        })
        .collect();
    platform("platform.extension", json!({ "name": name, "state": state, "events": events }))
}

pub(super) fn invoke_body(
    request_id: &str,
    arn: &str,
    deadline_ms: u64,
    trace: Option<&str>,
) -> Value {
    let mut body = json!({
        "eventType": "INVOKE",
        "deadlineMs": deadline_ms,
        "requestId": request_id,
        "invokedFunctionArn": arn,
    });
    if let (Some(object), Some(trace)) = (body.as_object_mut(), trace) {
        object.insert("tracing".to_owned(), tracing(trace));
    }
    body
}

pub(super) fn shutdown_body(reason: &str, deadline_ms: u64) -> Value {
    json!({ "eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline_ms })
}

/// How an event says which trace it belongs to.
pub(super) fn tracing(value: &str) -> Value {
    json!({ "spanId": "0f1e2d3c4b5a6978", "type": "X-Amzn-Trace-Id", "value": value })
}

pub(super) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
