//! The mapping written plainly, with maps and owned values: what the property tests compare the translation with.

use std::collections::BTreeMap;
use std::net::IpAddr;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span};
use serde_json::{Map, Value, json};

type Tags = BTreeMap<String, Option<Any>>;

/// The JSON body's spans.
pub(super) fn spans(request: &ExportTraceServiceRequest) -> Value {
    let mut spans = Vec::new();
    for resource_spans in &request.resource_spans {
        let mut tags = Tags::new();
        let resource = resource_spans.resource.clone().unwrap_or_default();
        extend(&mut tags, &resource.attributes);
        if !tags.contains_key("faas.id")
            && let Some(id) = tags.remove("cloud.resource_id")
        {
            tags.insert("faas.id".to_owned(), id);
        }
        let mut service = "OTLPResourceNoServiceName".to_owned();
        for key in ["service.name", "faas.name", "k8s.deployment.name", "process.executable.name"] {
            if let Some(name) = tags.remove(key) {
                service = as_string(&name);
                if key != "service.name" {
                    put(&mut tags, "otlp.service.name.source", key);
                }
                break;
            }
        }
        for scope_spans in &resource_spans.scope_spans {
            let tags = with_scope(&tags, scope_spans);
            for span in &scope_spans.spans {
                let zero = |id: &[u8]| id.iter().all(|byte| *byte == 0);
                let trace = span.trace_id.len() == 16 && !zero(&span.trace_id);
                let id = span.span_id.len() == 8 && !zero(&span.span_id);
                if trace && id {
                    spans.push(translated(span, &service, tags.clone()));
                }
            }
        }
    }
    Value::Array(spans)
}

fn with_scope(tags: &Tags, scope_spans: &ScopeSpans) -> Tags {
    let mut tags = tags.clone();
    let scope = scope_spans.scope.clone().unwrap_or_default();
    extend(&mut tags, &scope.attributes);
    for (key, text) in
        [("otel.library.name", &scope.name), ("otel.library.version", &scope.version)]
    {
        if !text.is_empty() {
            put(&mut tags, key, text);
        }
    }
    tags
}

fn translated(span: &Span, service: &str, mut tags: Tags) -> Value {
    extend(&mut tags, &span.attributes);
    if let Some(code) = tags.get("http.response.status_code").cloned() {
        tags.entry("http.status_code".to_owned()).or_insert(code);
    }
    let mut out = Map::new();
    let trace_id = hex(&span.trace_id);
    let short = trace_id.strip_prefix("0000000000000000").map(str::to_owned);
    out.insert("traceId".to_owned(), short.unwrap_or(trace_id).into());
    out.insert("id".to_owned(), hex(&span.span_id).into());
    let parent = &span.parent_span_id;
    if parent.len() == 8 && *parent != [0; 8] && *parent != span.span_id {
        out.insert("parentId".to_owned(), hex(&span.parent_span_id).into());
    }
    if !span.name.is_empty() {
        out.insert("name".to_owned(), span.name.to_lowercase().into());
    }
    times(span, &mut out);
    match span.kind() {
        SpanKind::Unspecified => {}
        SpanKind::Internal => put(&mut tags, "span.kind", "internal"),
        kind => {
            let name = kind.as_str_name().trim_start_matches("SPAN_KIND_");
            out.insert("kind".to_owned(), name.into());
        }
    }
    if !span.trace_state.is_empty() {
        put(&mut tags, "w3c.tracestate", &span.trace_state);
    }
    status(span, &mut tags);
    endpoints(service, &mut tags, &mut out);
    for (number, link) in span.links.iter().enumerate() {
        let (trace, id, state) = (hex(&link.trace_id), hex(&link.span_id), &link.trace_state);
        let (attributes, dropped) = (object(&link.attributes), link.dropped_attributes_count);
        let text = format!("{trace}|{id}|{state}|{attributes}|{dropped}");
        put(&mut tags, &format!("otlp.link.{number}"), &text);
    }
    if !tags.is_empty() {
        let tags: Map<String, Value> =
            tags.iter().map(|(key, value)| (key.clone(), as_string(value).into())).collect();
        out.insert("tags".to_owned(), tags.into());
    }
    let annotations: Vec<Value> = span
        .events
        .iter()
        .map(|event| {
            let dropped = event.dropped_attributes_count;
            let plain = event.attributes.is_empty() && dropped == 0;
            let described = || format!("{}|{}|{dropped}", event.name, object(&event.attributes));
            let value = if plain { event.name.clone() } else { described() };
            let timed = event.time_unix_nano >= 1000;
            let started = span.start_time_unix_nano.max(1000);
            let time = if timed { event.time_unix_nano } else { started };
            json!({"timestamp": micros(time), "value": value})
        })
        .collect();
    if !annotations.is_empty() {
        out.insert("annotations".to_owned(), annotations.into());
    }
    Value::Object(out)
}

fn times(span: &Span, out: &mut Map<String, Value>) {
    let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
    if start >= 1_000_000_000 {
        out.insert("timestamp".to_owned(), micros(start).into());
    }
    if end > start {
        out.insert("duration".to_owned(), micros(end - start).max(1).into());
    }
}

fn status(span: &Span, tags: &mut Tags) {
    let status = span.status.clone().unwrap_or_default();
    let error = tags.remove("error");
    if status.code() == StatusCode::Error {
        let text = match error {
            Some(Some(Any::StringValue(text)))
                if !["", "true", "false"].contains(&text.as_str()) =>
            {
                text
            }
            _ => "true".to_owned(),
        };
        put(tags, "error", &text);
    }
    if status.code() != StatusCode::Unset {
        put(tags, "otel.status_code", status.code().as_str_name());
        if !status.message.is_empty() {
            put(tags, "otel.status_description", &status.message);
        }
    }
}

fn endpoints(service: &str, tags: &mut Tags, out: &mut Map<String, Value>) {
    let mut name = service.to_owned();
    for (side, ip_key, port_key) in [
        ("localEndpoint", "network.local.address", "net.host.port"),
        ("remoteEndpoint", "network.peer.address", "net.peer.port"),
    ] {
        let mut endpoint = Map::new();
        if !name.is_empty() {
            endpoint.insert("serviceName".to_owned(), name.to_lowercase().into());
        }
        let ip = tags.get(ip_key).and_then(|value| as_string(value).parse::<IpAddr>().ok());
        if let Some(ip) = ip.map(|ip| ip.to_canonical()) {
            let key = if ip.is_ipv4() { "ipv4" } else { "ipv6" };
            endpoint.insert(key.to_owned(), ip.to_string().into());
            tags.remove(ip_key);
        }
        if !endpoint.is_empty() {
            let text = tags.get(port_key).map(as_string).unwrap_or_default();
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            if let Some(port) = text.parse::<u16>().ok().filter(|port| digits && *port > 0) {
                endpoint.insert("port".to_owned(), port.into());
                tags.remove(port_key);
            }
            out.insert(side.to_owned(), endpoint.into());
        }
        name = String::new();
        if side == "localEndpoint" {
            for key in ["service.peer.name", "peer.service"] {
                let text = tags.get(key).map(as_string).unwrap_or_default();
                if name.is_empty() && !text.is_empty() {
                    tags.remove(key);
                    name = text;
                }
            }
        }
    }
}

fn extend(tags: &mut Tags, attributes: &[KeyValue]) {
    for attribute in attributes {
        let value = attribute.value.clone().and_then(|value| value.value);
        tags.insert(attribute.key.clone(), value);
    }
}

fn put(tags: &mut Tags, key: &str, text: &str) {
    tags.insert(key.to_owned(), Some(Any::StringValue(text.to_owned())));
}

fn micros(nanos: u64) -> u64 {
    u64::try_from((u128::from(nanos) + 500) / 1000).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn as_string(value: &Option<Any>) -> String {
    match value {
        None => String::new(),
        Some(Any::StringValue(text)) => text.clone(),
        Some(Any::DoubleValue(double)) if double.is_infinite() => {
            format!("{}Infinity", if *double < 0.0 { "-" } else { "" })
        }
        Some(Any::DoubleValue(double)) if double.is_nan() => "NaN".to_owned(),
        Some(Any::BytesValue(bytes)) => {
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
        }
        Some(other) => inner_json(&Some(other.clone()), false),
    }
}

fn inner_json(value: &Option<Any>, html: bool) -> String {
    let some = |value: &AnyValue| inner_json(&value.value, html);
    match value {
        None => "null".to_owned(),
        Some(Any::BoolValue(bool)) => bool.to_string(),
        Some(Any::IntValue(int)) => int.to_string(),
        Some(Any::DoubleValue(double)) if double.is_finite() => go_double(*double),
        Some(Any::StringValue(text)) => string(text, html),
        Some(Any::ArrayValue(array)) => {
            let values: Vec<String> = array.values.iter().map(some).collect();
            format!("[{}]", values.join(","))
        }
        Some(Any::KvlistValue(list)) => sorted_object(&list.values, html),
        other => string(&as_string(other), html),
    }
}

fn object(attributes: &[KeyValue]) -> String {
    sorted_object(attributes, true)
}

fn sorted_object(attributes: &[KeyValue], html: bool) -> String {
    let mut sorted = Tags::new();
    extend(&mut sorted, attributes);
    let entries: Vec<String> = sorted
        .iter()
        .map(|(key, value)| format!("{}:{}", string(key, html), inner_json(value, html)))
        .collect();
    format!("{{{}}}", entries.join(","))
}

fn string(text: &str, html: bool) -> String {
    let mut text = serde_json::to_string(text).unwrap();
    for separator in ["\u{2028}", "\u{2029}", "<", ">", "&"] {
        let code = separator.chars().next().unwrap() as u32;
        if html || code > 0x7f {
            text = text.replace(separator, &format!("\\u{code:04x}"));
        }
    }
    text
}

fn go_double(double: f64) -> String {
    if double == 0.0 || (1e-6..1e21).contains(&double.abs()) {
        return double.to_string();
    }
    let text = format!("{double:e}");
    if text.contains("e-") { text } else { text.replace('e', "e+") }
}
