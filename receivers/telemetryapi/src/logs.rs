//! Events as log records.

use lambda::telemetry::{Event, Record, parse_time};
use pdata::wire;
use serde_json::{Map, Value};

use crate::otlp::{put_json, put_json_value, put_text};
use crate::text;

// Field numbers of OTLP's `logs.proto`.
const SCOPE_LOGS_RECORDS: u32 = 2;
const RECORD_TIME: u32 = 1;
const RECORD_SEVERITY_NUMBER: u32 = 2;
const RECORD_SEVERITY_TEXT: u32 = 3;
const RECORD_BODY: u32 = 5;
const RECORD_ATTRIBUTES: u32 = 6;
const RECORD_OBSERVED_TIME: u32 = 11;

/// Keys of a JSON line that are not repeated as attributes, as upstream has it.
const RESERVED: [&str; 5] = ["level", "message", "requestId", "timestamp", "type"];

/// What an event's surroundings say of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    /// The invocation that it falls into; empty where that is not known.
    pub(crate) request_id: &'a str,
    /// The function's version.
    pub(crate) version: Option<&'a str>,
    /// When it was observed, in nanoseconds since 1970.
    pub(crate) now: u64,
}

/// Appends an event as a log record of a `ScopeLogs`.
pub(crate) fn put(out: &mut Vec<u8>, event: &Event, surroundings: Surroundings<'_>) {
    wire::put_message(out, SCOPE_LOGS_RECORDS, |out| put_record(out, event, surroundings));
}

fn put_record(out: &mut Vec<u8>, event: &Event, surroundings: Surroundings<'_>) {
    let object = match &event.record {
        Record::Object(object) => Some(object),
        Record::Text(_) | Record::Json(_) => None,
    };
    let field = |key: &str| object.and_then(|object| object.get(key));
    let own_time = field("timestamp").and_then(time_of);
    if let Some(time) = own_time.or(event.time) {
        wire::put_fixed64(out, RECORD_TIME, time);
    }
    if let Some((number, text)) = field("level").and_then(severity) {
        if number > 0 {
            wire::put_uint(out, RECORD_SEVERITY_NUMBER, number);
        }
        wire::put_len(out, RECORD_SEVERITY_TEXT, text.as_bytes());
    }
    let own_id = field("requestId").and_then(Value::as_str).unwrap_or_default();
    let request_id = if own_id.is_empty() { surroundings.request_id } else { own_id };
    put_body(out, event, request_id, surroundings.version);
    put_text(out, RECORD_ATTRIBUTES, "type", event.kind.name());
    if !request_id.is_empty() {
        put_text(out, RECORD_ATTRIBUTES, "faas.invocation_id", request_id);
    }
    if let (Some(object), false) = (object, event.kind.is_platform()) {
        put_fields(out, object);
    }
    wire::put_fixed64(out, RECORD_OBSERVED_TIME, surroundings.now);
}

fn put_body(out: &mut Vec<u8>, event: &Event, request_id: &str, version: Option<&str>) {
    let mut put = |text: &str| {
        wire::put_message(out, RECORD_BODY, |out| wire::put_len(out, 1, text.as_bytes()));
    };
    if let Some(record) = event.platform() {
        match text::line(&event.kind, record, request_id, version) {
            Some(line) => put(&line),
            None => put(&json(&event.record)),
        }
        return;
    }
    match &event.record {
        Record::Text(line) => put(line),
        Record::Json(text) => put(text),
        Record::Object(object) => match message(object) {
            Some(Value::String(message)) => put(message),
            Some(message) => {
                wire::put_message(out, RECORD_BODY, |out| put_json_value(out, message));
            }
            None => put(&json(&event.record)),
        },
    }
}

/// What a line says: `message`, or what Rust's `tracing` and Node's and Go's loggers have in its place.
fn message(object: &Map<String, Value>) -> Option<&Value> {
    let nested = || object.get("fields")?.get("message");
    object.get("message").or_else(|| object.get("msg")).or_else(nested)
}

/// The fields of a line as attributes. What an attribute of ours is called already is not written twice.
fn put_fields(out: &mut Vec<u8>, object: &Map<String, Value>) {
    for (key, value) in object {
        let is_taken = RESERVED.contains(&key.as_str()) || key == "faas.invocation_id";
        // What could not be read as a time or a level must not be lost.
        let is_unread = match key.as_str() {
            "timestamp" => time_of(value).is_none(),
            "level" => severity(value).is_none(),
            "requestId" => !value.is_string(),
            _ => false,
        };
        if !is_taken || is_unread {
            put_json(out, RECORD_ATTRIBUTES, key, value);
        }
    }
}

fn time_of(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => parse_time(text),
        Value::Number(number) => parse_time(&number.to_string()),
        _ => None,
    }
}

/// The number and short name of a level; a word that is not known is kept without a number. Numbers are those of Node's `pino` and
/// Python's Powertools: ten for the least, sixty for the worst.
fn severity(level: &Value) -> Option<(u64, String)> {
    let text = match level {
        Value::String(text) if !text.trim().is_empty() => text.trim(),
        Value::Number(number) => {
            let (number, text) = match number.as_u64()? {
                10 => (1, "Trace"),
                20 => (5, "Debug"),
                30 => (9, "Info"),
                40 => (13, "Warn"),
                50 => (17, "Error"),
                60 => (21, "Fatal"),
                _ => return None,
            };
            return Some((number, text.to_owned()));
        }
        _ => return None,
    };
    let upper = text.to_ascii_uppercase();
    let (word, step) = match upper.strip_suffix(['2', '3', '4']) {
        Some(word) => {
            (word, u64::from(upper.as_bytes().last().map_or(b'1', |digit| *digit) - b'1'))
        }
        None => (upper.as_str(), 0),
    };
    let (number, name) = match (word, step) {
        ("TRACE", _) | ("ALL", 0) => (1, "Trace"),
        ("DEBUG", _) => (5, "Debug"),
        ("INFO", _) => (9, "Info"),
        ("WARN", _) | ("WARNING", 0) => (13, "Warn"),
        ("ERROR", _) => (17, "Error"),
        ("FATAL", _) | ("CRITICAL", 0) => (21, "Fatal"),
        _ => return Some((0, text.to_owned())),
    };
    let name = if step == 0 { name.to_owned() } else { format!("{name}{}", step + 1) };
    Some((number + step, name))
}

fn json(record: &Record) -> String {
    match record {
        Record::Text(text) | Record::Json(text) => text.clone(),
        // An object of JSON values can always be written.
        Record::Object(object) => serde_json::to_string(object).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_upstreams_numbers_and_names() {
        for (level, number, name) in [
            ("trace", 1, "Trace"),
            ("TRACE4", 4, "Trace4"),
            ("Debug2", 6, "Debug2"),
            ("info", 9, "Info"),
            ("WARNING", 13, "Warn"),
            ("warn3", 15, "Warn3"),
            ("ERROR", 17, "Error"),
            ("critical", 21, "Fatal"),
            ("FATAL4", 24, "Fatal4"),
            ("all", 1, "Trace"),
            ("notice", 0, "notice"),
            ("warning2", 0, "warning2"),
        ] {
            assert_eq!(severity(&level.into()), Some((number, name.to_owned())), "{level}");
        }
        assert_eq!(severity(&30.into()), Some((9, "Info".to_owned())));
        assert_eq!(severity(&31.into()), None);
        assert_eq!(severity(&" ".into()), None);
        assert_eq!(severity(&Value::Null), None);
    }
}
