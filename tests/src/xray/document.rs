//! Segment documents, and the rules that they keep.

use serde_json::{Map, Value};

use crate::spans::SpanId;

/// The longest document, in bytes.
pub const BYTES_MAX: usize = 64_000;

const NAME_CHARS_MAX: usize = 200;
const KEY_CHARS_MAX: usize = 500;
const VALUE_CHARS_MAX: usize = 1000;

/// The members that a document may have.
const MEMBERS: [&str; 21] = [
    "name",
    "id",
    "trace_id",
    "start_time",
    "end_time",
    "in_progress",
    "service",
    "user",
    "origin",
    "parent_id",
    "http",
    "aws",
    "error",
    "throttle",
    "fault",
    "cause",
    "annotations",
    "metadata",
    "namespace",
    "type",
    "links",
];

/// A document that keeps all rules.
#[derive(Clone, Debug)]
pub struct Document {
    /// 16 digits.
    pub id: String,
    /// `1-`, 8 digits, `-`, 24 digits.
    pub trace_id: String,
    /// Its name.
    pub name: String,
    /// All of it.
    pub json: Value,
}

impl Document {
    /// Reads a document.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("a document of {} bytes", text.len()));
        }
        let json: Value = serde_json::from_str(text)
            .map_err(|error| format!("a document that is no JSON: {error}"))?;
        let members = json.as_object().ok_or("a document that is no object")?;
        test_golden::keys_once(text).map_err(|twice| format!("{twice} in {text:.2000}"))?;
        check(members).map_err(|rule| format!("{rule} in {text:.2000}"))?;
        let text = |key: &str| members.get(key).and_then(Value::as_str).unwrap_or_default();
        let (id, trace_id, name) = (text("id"), text("trace_id"), text("name"));
        Ok(Self {
            id: id.to_owned(),
            trace_id: trace_id.to_owned(),
            name: name.to_owned(),
            json: json.clone(),
        })
    }

    /// The id in bytes.
    pub fn span_id(&self) -> SpanId {
        u64::from_str_radix(&self.id, 16).unwrap_or_default().to_be_bytes()
    }
}

fn check(members: &Map<String, Value>) -> Result<(), String> {
    let known = |key: &String| MEMBERS.contains(&key.as_str()) || key == "sql";
    if let Some(unknown) = members.keys().find(|key| !known(key)) {
        return Err(format!("the member {unknown:?}"));
    }
    let text = |key: &str| match members.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(other) => Err(format!("{key}: {other}")),
    };
    let required = |key: &str| text(key)?.ok_or_else(|| format!("no {key}"));
    name(required("name")?)?;
    id("id", required("id")?)?;
    trace_id(required("trace_id")?)?;
    let is_time = |key: &str| members.get(key).is_some_and(Value::is_number);
    if !is_time("start_time") {
        return Err("no start_time".to_owned());
    }
    let in_progress = members.get("in_progress") == Some(&Value::Bool(true));
    if is_time("end_time") == in_progress {
        return Err("neither end_time nor in_progress, or both".to_owned());
    }
    if let Some(parent) = text("parent_id")? {
        id("parent_id", parent)?;
        if parent == required("id")? {
            return Err("a document that is its own parent".to_owned());
        }
    }
    match text("type")? {
        None => {}
        Some("subsegment") if text("parent_id")?.is_some() => {}
        Some(other) => return Err(format!("type {other:?}")),
    }
    if let Some(namespace) = text("namespace")?
        && !["aws", "remote"].contains(&namespace)
    {
        return Err(format!("namespace {namespace:?}"));
    }
    for key in ["user", "origin"] {
        text(key)?;
    }
    for key in ["fault", "error", "throttle"] {
        if !members.get(key).is_none_or(Value::is_boolean) {
            return Err(format!("{key} that is no boolean"));
        }
    }
    for key in ["http", "aws", "sql", "service", "cause", "annotations", "metadata"] {
        if !members.get(key).is_none_or(Value::is_object) {
            return Err(format!("{key} that is no object"));
        }
    }
    annotations(members)?;
    metadata(members)?;
    exceptions(members)?;
    links(members)
}

/// Letters, digits and white space of any script, and some signs.
fn name(name: &str) -> Result<(), String> {
    let taken = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/%&#=+\\-@".contains(c);
    let chars = name.chars().count();
    if !(1..=NAME_CHARS_MAX).contains(&chars) || !name.chars().all(taken) {
        return Err(format!("the name {name:?}"));
    }
    Ok(())
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn id(key: &str, id: &str) -> Result<(), String> {
    if !is_hex(id, 16) || id == "0000000000000000" {
        return Err(format!("{key} {id:?}"));
    }
    Ok(())
}

fn trace_id(id: &str) -> Result<(), String> {
    match id.split('-').collect::<Vec<_>>()[..] {
        ["1", time, rest] if is_hex(time, 8) && is_hex(rest, 24) => Ok(()),
        _ => Err(format!("trace_id {id:?}")),
    }
}

fn annotations(members: &Map<String, Value>) -> Result<(), String> {
    let annotations = members.get("annotations").and_then(Value::as_object);
    for (key, value) in annotations.into_iter().flatten() {
        let taken = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
        if !(1..=KEY_CHARS_MAX).contains(&key.len()) || !key.bytes().all(taken) {
            return Err(format!("the annotation {key:?}"));
        }
        let fits = match value {
            Value::String(text) => text.chars().count() <= VALUE_CHARS_MAX,
            Value::Number(_) | Value::Bool(_) => true,
            _ => false,
        };
        if !fits {
            return Err(format!("the value of the annotation {key:?}"));
        }
    }
    Ok(())
}

fn metadata(members: &Map<String, Value>) -> Result<(), String> {
    let metadata = members.get("metadata").and_then(Value::as_object);
    for (namespace, value) in metadata.into_iter().flatten() {
        if !value.is_object() && !value.is_null() {
            return Err(format!("the metadata namespace {namespace:?}"));
        }
    }
    Ok(())
}

fn exceptions(members: &Map<String, Value>) -> Result<(), String> {
    let exceptions = members.get("cause").and_then(|cause| cause.get("exceptions"));
    let exceptions: Vec<&Value> =
        exceptions.and_then(Value::as_array).into_iter().flatten().collect();
    let id_of = |exception: &Value| exception["id"].as_str().unwrap_or_default().to_owned();
    let ids: Vec<String> = exceptions.iter().map(|exception| id_of(exception)).collect();
    for (place, exception) in exceptions.iter().enumerate() {
        id("id of an exception", &id_of(exception))?;
        if ids.iter().skip(place + 1).any(|other| *other == id_of(exception)) {
            return Err("two exceptions of one id".to_owned());
        }
        if let Some(cause) = exception.get("cause").and_then(Value::as_str)
            && !ids.iter().any(|id| id == cause)
        {
            return Err(format!("the cause {cause:?}, which is not there"));
        }
        for frame in exception.get("stack").and_then(Value::as_array).into_iter().flatten() {
            if !frame["path"].is_string() || !frame["line"].is_i64() || !frame["label"].is_string()
            {
                return Err(format!("the frame {frame}"));
            }
        }
    }
    Ok(())
}

fn links(members: &Map<String, Value>) -> Result<(), String> {
    for link in members.get("links").and_then(Value::as_array).into_iter().flatten() {
        id("id of a link", link["id"].as_str().unwrap_or_default())?;
        trace_id(link["trace_id"].as_str().unwrap_or_default())?;
    }
    Ok(())
}
