//! The rules once more, as plainly as they can be written: a map that later writes overwrite, and JSON by serde.

use datadog::source::Source;
use datadog::tags::resource_tags;
use pdata::Payload;
use pdata::text::to_text;
use pdata::view::{AnyValue, Attributes, LogRecord, Scope};
use serde_json::{Map, Value, json};

const RESERVED: [&str; 6] = ["message", "status", "hostname", "service", "ddsource", "ddtags"];

/// All items of a payload.
pub(super) fn items(payload: &Payload, fallback_host: &str) -> Vec<Value> {
    let mut items = Vec::new();
    for group in payload.resource_logs() {
        for scope_logs in group.scope_logs {
            for record in scope_logs.log_records {
                let resource = &group.resource.attributes;
                items.push(item(&record, resource, &scope_logs.scope, fallback_host));
            }
        }
    }
    items
}

fn item(
    record: &LogRecord<'_>,
    resource: &Attributes<'_>,
    scope: &Scope<'_>,
    fallback_host: &str,
) -> Value {
    let mut item = Map::new();
    let mut log_source = String::new();
    let attributes: Vec<(String, AnyValue<'_>)> =
        record.attributes.iter().map(|pair| (pair.key.to_string(), pair.value)).collect();
    let winner = |names: &[&str]| {
        attributes.iter().rposition(|(key, value)| {
            names.contains(&key.to_ascii_lowercase().as_str()) && !to_text(value).is_empty()
        })
    };
    let message = winner(&["msg", "message", "log"]);
    let status = winner(&["status", "severity", "level", "syslog.severity"]);
    let mut trace_id = hex(record.trace_id, 16);
    let mut span_id = hex(record.span_id, 8);
    let (own_trace_id, own_span_id) = (trace_id.clone(), span_id.clone());
    let mut tags = Vec::new();
    resource_tags(resource, |key, value| {
        tags.push(format!("{}:{}", text(key), text(value)));
    });
    let (mut hostname, mut service, mut source) = (None, None, None);
    for (index, (key, value)) in attributes.iter().enumerate() {
        let text = to_text(value);
        let is_text = matches!(value, AnyValue::Str(_));
        match key.to_ascii_lowercase().as_str() {
            "msg" | "message" | "log" if message == Some(index) || text.is_empty() => {}
            "status" | "severity" | "level" | "syslog.severity"
                if status == Some(index) || text.is_empty() => {}
            "traceid" | "trace_id" | "contextmap.traceid" | "oteltraceid"
                if is_text && takes(&mut trace_id, &text, 32) => {}
            "spanid" | "span_id" | "contextmap.spanid" | "otelspanid"
                if is_text && takes(&mut span_id, &text, 16) => {}
            "ddtags" => tags.extend(Some(text).filter(|text| !text.is_empty())),
            _ if key == "hostname" && is_text => hostname = Some(text),
            _ if key == "service" && is_text => service = Some(text),
            _ if key == "ddsource" && is_text => source = Some(text),
            _ => {
                if key == "datadog.log.source" {
                    log_source = if is_text { text } else { String::new() };
                }
                flatten(&mut item, key, value, 1);
            }
        }
    }
    for (key, text) in [("otel.scope.name", scope.name), ("otel.scope.version", scope.version)] {
        if !text.is_empty() {
            item.entry(key).or_insert(text.to_string().into());
        }
    }
    for attribute in resource.iter().chain(scope.attributes) {
        if attribute.key == "datadog.log.source" {
            log_source = to_text(&attribute.value);
        }
        item.insert(spare(attribute.key.as_str()), to_text(&attribute.value).into());
    }
    for (id, own, names) in [
        (&trace_id, &own_trace_id, ["dd.trace_id", "otel.trace_id"]),
        (&span_id, &own_span_id, ["dd.span_id", "otel.span_id"]),
    ] {
        if let Some(id) = id {
            let low = u64::from_str_radix(&id[id.len() - 16..], 16).unwrap();
            if low != 0 {
                item.insert(names[0].to_owned(), low.to_string().into());
            }
            let written = own.as_ref().map_or(id.clone(), |own| own.to_lowercase());
            item.insert(names[1].to_owned(), written.into());
        }
    }
    if !record.severity_text.is_empty() {
        item.insert("otel.severity_text".to_owned(), record.severity_text.to_string().into());
    }
    if record.severity_number != 0 {
        let number = record.severity_number.to_string();
        item.insert("otel.severity_number".to_owned(), number.into());
    }
    let time = [record.time_unix_nano, record.observed_time_unix_nano];
    if let Some(time) = time.into_iter().find(|time| *time != 0) {
        item.insert("otel.timestamp".to_owned(), time.to_string().into());
        let mut text = Vec::new();
        super::super::ids::put_time(&mut text, time);
        item.insert("@timestamp".to_owned(), String::from_utf8(text).unwrap().into());
    }
    if !record.event_name.is_empty() {
        item.insert("otel.event_name".to_owned(), record.event_name.to_string().into());
    }
    let body = to_text(&record.body);
    let message = message.map(|index| to_text(&attributes[index].1));
    if message.as_ref().is_some_and(|message| *message != body) && !body.is_empty() {
        item.insert("otel.body".to_owned(), body.clone().into());
    }
    let number = match record.severity_number {
        0 | 9..=12 => "info",
        i32::MIN..=4 => "trace",
        5..=8 => "debug",
        13..=16 => "warn",
        21..=24 => "fatal",
        _ => "error",
    };
    let severity = Some(record.severity_text.to_string()).filter(|text| !text.is_empty());
    let status = status.map(|index| to_text(&attributes[index].1)).or(severity);
    // Nothing for a host without a name, an empty name for a platform without hosts.
    let host_of = |attributes: &Attributes<'_>| match Source::of(attributes)? {
        Source::Host(host) => Some(host.into_owned()).filter(|host| !host.is_empty()),
        Source::Serverless(_) => Some(String::new()),
    };
    let resource_host = host_of(resource);
    let record_host = || host_of(&record.attributes);
    let host = resource_host.or_else(record_host).unwrap_or_else(|| fallback_host.to_owned());
    let name = |attributes: &Attributes<'_>| {
        let name = attributes.get("service.name").map(|name| to_text(&name));
        name.filter(|name| !name.is_empty())
    };
    let not_empty = |text: &String| !text.is_empty();
    let hostname = hostname.filter(not_empty).or(Some(host)).filter(not_empty);
    let service = service.filter(not_empty).or_else(|| name(resource));
    let service = service.or_else(|| name(&record.attributes));
    let source = source.filter(not_empty).or(Some(log_source)).filter(not_empty);
    tags.push("otel_source:datadog_exporter".to_owned());
    item.insert("message".to_owned(), message.unwrap_or(body).into());
    item.insert("status".to_owned(), status.unwrap_or_else(|| number.to_owned()).into());
    item.extend(hostname.map(|host| ("hostname".to_owned(), host.into())));
    item.extend(service.map(|service| ("service".to_owned(), service.into())));
    let source = source.unwrap_or_else(|| "otlp_log_ingestion".to_owned());
    item.insert("ddsource".to_owned(), source.into());
    item.insert("ddtags".to_owned(), tags.join(",").into());
    Value::Object(item)
}

/// Whether an attribute's text is the id, or becomes it.
fn takes(id: &mut Option<String>, text: &str, digits: usize) -> bool {
    let is_id = text.len() == digits
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte != b'0');
    is_id && id.get_or_insert_with(|| text.to_owned()).eq_ignore_ascii_case(text)
}

fn hex(bytes: &[u8], len: usize) -> Option<String> {
    let is_id = bytes.len() == len && bytes.iter().any(|byte| *byte != 0);
    is_id.then(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn spare(key: &str) -> String {
    if RESERVED.contains(&key) { format!("otel.{key}") } else { key.to_owned() }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// `flattenAttribute`, into a map that is no list's element.
fn flatten(item: &mut Map<String, Value>, key: &str, value: &AnyValue<'_>, depth: usize) {
    members(key, value, depth, &mut |key, value| {
        item.insert(spare(key), value);
    });
}

fn element(value: &AnyValue<'_>, depth: usize) -> Value {
    match value {
        AnyValue::Bool(bool) => (*bool).into(),
        AnyValue::Int(int) => (*int).into(),
        AnyValue::Double(double) if double.is_finite() => {
            // As serde reads what Go would write: a whole number has no point.
            serde_json::from_str(&to_text(value)).unwrap_or(json!(double))
        }
        AnyValue::Array(list) => {
            list.values().iter().map(|value| nested(&value, depth + 1)).collect()
        }
        other => to_text(other).into(),
    }
}

fn nested(value: &AnyValue<'_>, depth: usize) -> Value {
    let AnyValue::KeyValueList(map) = value else { return element(value, depth) };
    if depth == 10 {
        return to_text(value).into();
    }
    let mut object = Map::new();
    for entry in map.entries() {
        members(entry.key.as_str(), &entry.value, depth + 1, &mut |key, value| {
            object.insert(key.to_owned(), value);
        });
    }
    Value::Object(object)
}

/// The values of an attribute, each under its keys joined by points.
fn members(key: &str, value: &AnyValue<'_>, depth: usize, take: &mut dyn FnMut(&str, Value)) {
    match value {
        AnyValue::KeyValueList(map) if depth != 10 => {
            for entry in map.entries() {
                let entry_key = entry.key.as_str();
                let key = if key.is_empty() {
                    entry_key.to_owned()
                } else {
                    format!("{key}.{entry_key}")
                };
                members(&key, &entry.value, depth + 1, take);
            }
        }
        value => take(key, element(value, depth)),
    }
}
