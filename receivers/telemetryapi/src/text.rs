//! Platform events as lines of text, in the words of upstream and of Lambda's own log.

use std::fmt::Write;

use lambda::telemetry::{EventKind, Platform};

/// The line for a platform event; nothing where its record does not hold what the line would say.
pub(crate) fn line(
    kind: &EventKind,
    record: Platform<'_>,
    request_id: &str,
    version: Option<&str>,
) -> Option<String> {
    let text = |key: &str| record.text(key).unwrap_or_default();
    let duration = record.metric("durationMs");
    match kind {
        EventKind::Start => invocation("START", request_id, version),
        EventKind::RuntimeDone => invocation("END", request_id, version),
        EventKind::Report => report(record, request_id),
        EventKind::InitStart => runtime("INIT_START", record),
        EventKind::InitRuntimeDone => status("INIT_RUNTIME_DONE", record),
        EventKind::InitReport => {
            let (kind, phase, status) = (text("initializationType"), text("phase"), text("status"));
            let says_something =
                !kind.is_empty() || !phase.is_empty() || !status.is_empty() || duration.is_some();
            let duration = duration.unwrap_or_default();
            says_something.then(|| {
                format!(
                    "INIT_REPORT Initialization Type: {kind} Phase: {phase} Status: {status} Duration: {duration:.2} ms"
                )
            })
        }
        EventKind::RestoreStart => runtime("RESTORE_START", record),
        EventKind::RestoreRuntimeDone => status("RESTORE_RUNTIME_DONE", record),
        EventKind::RestoreReport => {
            let (status, duration) = (record.text("status")?, duration?);
            Some(format!("RESTORE_REPORT Status: {status} Duration: {duration:.2} ms"))
        }
        EventKind::TelemetrySubscription => {
            let name = record.text("name")?;
            Some(format!("TELEMETRY: {name} Subscribed Types: {}", list(record, "types")))
        }
        EventKind::ExtensionState => {
            let (name, events) = (record.text("name")?, list(record, "events"));
            Some(format!("EXTENSION Name: {name} State: {} Events: {events}", text("state")))
        }
        EventKind::LogsDropped => {
            let (records, bytes) =
                (record.number("droppedRecords")?, record.number("droppedBytes")?);
            let reason = record.text("reason")?;
            Some(format!(
                "LOGS_DROPPED DroppedRecords: {records:.0} DroppedBytes: {bytes:.0} Reason: {reason}"
            ))
        }
        EventKind::Function | EventKind::Extension | EventKind::Other(_) => None,
    }
}

fn invocation(word: &str, request_id: &str, version: Option<&str>) -> Option<String> {
    match version {
        _ if request_id.is_empty() => None,
        Some(version) => Some(format!("{word} RequestId: {request_id} Version: {version}")),
        None => Some(format!("{word} RequestId: {request_id}")),
    }
}

fn runtime(word: &str, record: Platform<'_>) -> Option<String> {
    let (version, arn) = (record.text("runtimeVersion"), record.text("runtimeVersionArn"));
    if version.is_none() && arn.is_none() {
        return None;
    }
    let (version, arn) = (version.unwrap_or_default(), arn.unwrap_or_default());
    Some(format!("{word} Runtime Version: {version} Runtime Version ARN: {arn}"))
}

fn status(word: &str, record: Platform<'_>) -> Option<String> {
    Some(format!("{word} Status: {}", record.text("status")?))
}

fn report(record: Platform<'_>, request_id: &str) -> Option<String> {
    if request_id.is_empty() {
        return None;
    }
    let mut line = format!("REPORT RequestId: {request_id}");
    for (key, label, digits, unit) in [
        ("durationMs", "Duration", 2, "ms"),
        ("billedDurationMs", "Billed Duration", 0, "ms"),
        ("memorySizeMB", "Memory Size", 0, "MB"),
        ("maxMemoryUsedMB", "Max Memory Used", 0, "MB"),
        ("initDurationMs", "Init Duration", 2, "ms"),
        ("restoreDurationMs", "Restore Duration", 2, "ms"),
    ] {
        if let Some(value) = record.metric(key) {
            // Writing to a string cannot fail.
            let _written = write!(line, " {label}: {value:.digits$} {unit}");
        }
    }
    // AWS says nothing of a success.
    if let Some(status) = record.text("status").filter(|status| *status != "success") {
        let _written = write!(line, " Status: {status}");
    }
    Some(line)
}

/// As Go prints a list.
fn list(record: Platform<'_>, key: &str) -> String {
    format!("[{}]", record.texts(key).collect::<Vec<_>>().join(" "))
}
