//! Bodies read by an independent implementation, `libdd-trace-protobuf`, as JSON of the fields that are set.

use libdd_trace_protobuf::pb::{AgentPayload, Span, TraceChunk, TracerPayload};
use prost::Message as _;
use serde_json::{Map, Number, Value, json};

/// A body as JSON.
pub(super) fn json(body: &[u8]) -> Value {
    let payload = AgentPayload::decode(body).unwrap();
    let mut object = Map::new();
    text(&mut object, "hostName", &payload.host_name);
    text(&mut object, "env", &payload.env);
    text(&mut object, "agentVersion", &payload.agent_version);
    number(&mut object, "targetTPS", payload.target_tps);
    number(&mut object, "errorTPS", payload.error_tps);
    let tracers = payload.tracer_payloads.iter().map(tracer).collect();
    object.insert("tracerPayloads".to_owned(), Value::Array(tracers));
    object.into()
}

fn tracer(payload: &TracerPayload) -> Value {
    let mut object = Map::new();
    text(&mut object, "containerID", &payload.container_id);
    text(&mut object, "languageName", &payload.language_name);
    text(&mut object, "tracerVersion", &payload.tracer_version);
    text(&mut object, "env", &payload.env);
    text(&mut object, "hostname", &payload.hostname);
    text(&mut object, "appVersion", &payload.app_version);
    texts(&mut object, "tags", payload.tags.iter());
    object.insert("chunks".to_owned(), payload.chunks.iter().map(chunk).collect());
    object.into()
}

fn chunk(chunk: &TraceChunk) -> Value {
    let mut object = Map::new();
    if chunk.priority != 0 {
        object.insert("priority".to_owned(), chunk.priority.into());
    }
    text(&mut object, "origin", &chunk.origin);
    texts(&mut object, "tags", chunk.tags.iter());
    object.insert("spans".to_owned(), chunk.spans.iter().map(span).collect());
    object.into()
}

fn span(span: &Span) -> Value {
    let mut object = Map::new();
    text(&mut object, "service", &span.service);
    text(&mut object, "name", &span.name);
    text(&mut object, "resource", &span.resource);
    text(&mut object, "type", &span.r#type);
    for (key, id) in
        [("traceID", span.trace_id), ("spanID", span.span_id), ("parentID", span.parent_id)]
    {
        if id != 0 {
            object.insert(key.to_owned(), id.into());
        }
    }
    for (key, value) in
        [("start", span.start), ("duration", span.duration), ("error", span.error.into())]
    {
        if value != 0 {
            object.insert(key.to_owned(), value.into());
        }
    }
    texts(&mut object, "meta", span.meta.iter());
    if !span.metrics.is_empty() {
        let metrics = span.metrics.iter().map(|(key, value)| (key.clone(), double(*value)));
        object.insert("metrics".to_owned(), metrics.collect::<Map<_, _>>().into());
    }
    object.into()
}

fn text(object: &mut Map<String, Value>, key: &str, text: &str) {
    if !text.is_empty() {
        object.insert(key.to_owned(), text.into());
    }
}

fn texts<'t>(
    object: &mut Map<String, Value>,
    key: &str,
    texts: impl ExactSizeIterator<Item = (&'t String, &'t String)>,
) {
    if texts.len() > 0 {
        let map: Map<String, Value> = texts.map(|(k, v)| (k.clone(), v.clone().into())).collect();
        object.insert(key.to_owned(), map.into());
    }
}

fn number(object: &mut Map<String, Value>, key: &str, number: f64) {
    if number != 0.0 {
        object.insert(key.to_owned(), double(number));
    }
}

/// Whole numbers without a point.
fn double(value: f64) -> Value {
    match value {
        whole if whole.fract() == 0.0 && whole.abs() < 1e18 => json!(whole as i64),
        value => Number::from_f64(value).map_or_else(|| value.to_string().into(), Value::Number),
    }
}
