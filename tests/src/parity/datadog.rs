//! What reached Datadog's intake, in the form of the references: each message with the names of its `.proto` file, and what depends on the
//! moment as `now`.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use libdd_ddsketch::pb::{DdSketch, Store};
use prost::Message as _;
use serde_json::{Map, Value, json};

use crate::datadog::series::Metadata;
use crate::datadog::stats::{ClientGroupedStats, ClientStatsBucket, ClientStatsPayload};
use crate::datadog::traces::{Span, TraceChunk, TracerPayload};
use crate::datadog::{AgentPayload, Content, Logs, MetricPayload, SketchPayload, StatsPayload};

use super::Keeper;

/// What the names of an exporter's series about itself begin with; the references have none of them.
const OWN: &str = "otel.datadog_exporter.";
/// How far from now a time may be that was taken from the clock during a test.
const NOW: Duration = Duration::from_secs(86_400);

/// Spans and the statistics of them.
///
/// # Panics
///
/// When a body is not what belongs to its path; so do the others.
pub fn traces(intake: &Keeper) -> Value {
    let traces = decoded::<AgentPayload, _, _>(intake, |body| {
        AgentPayload::decode(body).map(|p| agent_payload(&p))
    });
    let stats = decoded::<StatsPayload, _, _>(intake, |body| {
        rmp_serde::from_slice(body).map(|payload| stats_payload(&payload))
    });
    json!({ "traces": merged(traces, "tracerPayloads"), "stats": merged(stats, "stats") })
}

/// Series and sketches.
///
/// # Panics
///
/// See [`traces`].
pub fn metrics(intake: &Keeper) -> Value {
    let series = decoded::<MetricPayload, _, _>(intake, |body| {
        MetricPayload::decode(body).map(|p| series(&p))
    });
    let sketches = decoded::<SketchPayload, _, _>(intake, |body| {
        SketchPayload::decode(body).map(|p| sketches(&p))
    });
    json!({ "series": series.concat(), "sketches": sketches.concat() })
}

/// Log records, each an item with nothing in it.
///
/// # Panics
///
/// See [`traces`].
pub fn logs(intake: &Keeper) -> Value {
    let items = decoded::<Logs, _, _>(intake, |body| serde_json::from_slice::<Vec<Value>>(body));
    json!({ "logs": items.concat() })
}

/// The bodies that came to the path of some content, as they are shown.
fn decoded<C: Content, T, E: fmt::Display>(
    intake: &Keeper,
    shown: impl Fn(&[u8]) -> Result<T, E>,
) -> Vec<T> {
    let bodies = intake.bodies(C::PATH);
    let shown = bodies.iter().map(|body| shown(body));
    shown.map(|shown| shown.unwrap_or_else(|error| panic!("{}: {error}", C::PATH))).collect()
}

/// The entries of a reference as items: what the Agent's entry says beside its message, and the message's own. What both have is the
/// message's, as in Datadog.
pub fn flat_logs(reference: &Value) -> Value {
    const OUTER: [&str; 5] = ["ddsource", "ddtags", "hostname", "service", "status"];
    let Some(entries) = reference["logs"].as_array() else { return reference.clone() };
    let flat = entries.iter().map(|entry| {
        let outer = OUTER.iter().filter_map(|name| Some(((*name).to_owned(), entry.get(*name)?)));
        let inner = entry["message"].as_object().into_iter().flatten();
        let inner = inner.filter(|(name, value)| *name != "status" || *value != "");
        let all = outer.chain(inner.map(|(name, value)| (name.clone(), value)));
        Value::Object(
            all.filter(|(name, value)| !OUTER.contains(&name.as_str()) || **value != "")
                .map(|(name, value)| (name, value.clone()))
                .collect(),
        )
    });
    json!({ "logs": flat.collect::<Value>() })
}

/// Payloads that differ in one list only are one.
fn merged(payloads: Vec<Value>, list: &str) -> Value {
    let mut merged: Vec<Value> = Vec::new();
    for mut payload in payloads {
        let Some(members) = payload.get_mut(list).map(Value::take) else {
            merged.push(payload);
            continue;
        };
        let same = merged.iter_mut().find(|known| {
            let mut known = (**known).clone();
            known.get_mut(list).map(Value::take);
            known == payload
        });
        let known = same.and_then(|same| same.get_mut(list)).and_then(Value::as_array_mut);
        match (known, members) {
            (Some(known), Value::Array(members)) => known.extend(members),
            (_, members) => {
                payload.as_object_mut().map(|payload| payload.insert(list.to_owned(), members));
                merged.push(payload);
            }
        }
    }
    Value::Array(merged)
}

fn agent_payload(payload: &AgentPayload) -> Value {
    json!({
        "hostName": payload.host_name,
        "env": payload.env,
        "tracerPayloads": payload.tracer_payloads.iter().map(tracer_payload).collect::<Value>(),
        "tags": payload.tags,
        "agentVersion": payload.agent_version,
        "targetTPS": payload.target_tps,
        "errorTPS": payload.error_tps,
        "rareSamplerEnabled": payload.rare_sampler_enabled,
    })
}

fn tracer_payload(payload: &TracerPayload) -> Value {
    json!({
        "containerID": payload.container_id,
        "languageName": payload.language_name,
        "languageVersion": payload.language_version,
        "tracerVersion": payload.tracer_version,
        "runtimeID": payload.runtime_id,
        "chunks": payload.chunks.iter().map(chunk).collect::<Value>(),
        "tags": payload.tags,
        "env": payload.env,
        "hostname": payload.hostname,
        "appVersion": payload.app_version,
    })
}

fn chunk(chunk: &TraceChunk) -> Value {
    json!({
        "priority": chunk.priority,
        "origin": chunk.origin,
        "spans": chunk.spans.iter().map(span).collect::<Value>(),
        "tags": chunk.tags,
        "droppedTrace": chunk.dropped_trace,
    })
}

fn span(span: &Span) -> Value {
    json!({
        "service": span.service,
        "name": span.name,
        "resource": span.resource,
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "parentID": span.parent_id,
        "start": moment(u64::try_from(span.start).unwrap_or_default()),
        "duration": span.duration,
        "error": span.error,
        "meta": span.meta,
        "metrics": span.metrics,
        "type": span.r#type,
    })
}

fn stats_payload(payload: &StatsPayload) -> Value {
    json!({
        "agentHostname": payload.agent_hostname,
        "agentEnv": payload.agent_env,
        "stats": payload.stats.iter().map(client_stats).collect::<Value>(),
        "agentVersion": payload.agent_version,
        "clientComputed": payload.client_computed,
        "splitPayload": payload.split_payload,
    })
}

fn client_stats(stats: &ClientStatsPayload) -> Value {
    json!({
        "hostname": stats.hostname,
        "env": stats.env,
        "version": stats.version,
        "stats": stats.stats.iter().map(bucket).collect::<Value>(),
        "lang": stats.lang,
        "tracerVersion": stats.tracer_version,
        "runtimeID": stats.runtime_id,
        "sequence": stats.sequence,
        "agentAggregation": stats.agent_aggregation,
        "service": stats.service,
        "containerID": stats.container_id,
        "tags": stats.tags,
        "git_commit_sha": stats.git_commit_sha,
        "image_tag": stats.image_tag,
        "process_tags_hash": stats.process_tags_hash,
        "process_tags": stats.process_tags,
    })
}

fn bucket(bucket: &ClientStatsBucket) -> Value {
    json!({
        "start": moment(bucket.start),
        "duration": bucket.duration,
        "stats": bucket.stats.iter().map(group).collect::<Value>(),
        "agentTimeShift": bucket.agent_time_shift,
    })
}

fn group(group: &ClientGroupedStats) -> Value {
    let is_trace_root = match group.is_trace_root {
        1 => json!("TRUE"),
        2 => json!("FALSE"),
        other => json!(other),
    };
    json!({
        "service": group.service,
        "name": group.name,
        "resource": group.resource,
        "HTTP_status_code": group.http_status_code,
        "type": group.r#type,
        "DB_type": group.db_type,
        "hits": group.hits,
        "errors": group.errors,
        "duration": group.duration,
        "okSummary": sketch(&group.ok_summary),
        "errorSummary": sketch(&group.error_summary),
        "synthetics": group.synthetics,
        "topLevelHits": group.top_level_hits,
        "span_kind": group.span_kind,
        "peer_tags": group.peer_tags,
        "is_trace_root": is_trace_root,
        "GRPC_status_code": group.grpc_status_code,
        "HTTP_method": group.http_method,
        "HTTP_endpoint": group.http_endpoint,
    })
}

/// A sketch by its mapping and the count of each bin. The fake of the intake checks what sketches have to be.
fn sketch(encoded: &[u8]) -> Value {
    let sketch = DdSketch::decode(encoded).unwrap_or_default();
    let mapping = sketch.mapping.unwrap_or_default();
    json!({
        "gamma": mapping.gamma,
        "indexOffset": mapping.index_offset,
        "bins": sketch.positive_values.as_ref().map(bins),
        "zeroCount": sketch.zero_count,
    })
}

fn bins(store: &Store) -> Value {
    let contiguous = (store.contiguous_bin_index_offset..).zip(&store.contiguous_bin_counts);
    let sparse = store.bin_counts.iter().map(|(index, count)| (*index, count));
    let mut bins = Map::new();
    for (index, count) in contiguous.chain(sparse).filter(|(_, count)| **count != 0.0) {
        bins.insert(index.to_string(), json!(count));
    }
    Value::Object(bins)
}

fn series(payload: &MetricPayload) -> Vec<Value> {
    let one = |series: &crate::datadog::series::Series| {
        let resources = series.resources.iter();
        let points = series.points.iter();
        json!({
            "resources": resources.map(|r| json!({ "type": r.r#type, "name": r.name })).collect::<Value>(),
            "metric": series.metric,
            "tags": series.tags,
            "points": points.map(|p| json!({ "timestamp": p.timestamp, "value": p.value })).collect::<Value>(),
            "type": kind(series.r#type),
            "unit": series.unit,
            "source_type_name": series.source_type_name,
            "interval": series.interval,
            "metadata": origin(series.metadata.as_ref()),
        })
    };
    payload.series.iter().filter(|series| !series.metric.starts_with(OWN)).map(one).collect()
}

fn kind(kind: i32) -> Value {
    match kind {
        1 => json!("COUNT"),
        2 => json!("RATE"),
        3 => json!("GAUGE"),
        other => json!(other),
    }
}

fn sketches(payload: &SketchPayload) -> Vec<Value> {
    let one = |sketch: &crate::datadog::sketches::Sketch| {
        let dogsketches = sketch.dogsketches.iter().map(|d| {
            json!({
                "ts": d.ts,
                "cnt": d.cnt,
                "min": d.min,
                "max": d.max,
                "avg": d.avg,
                "sum": d.sum,
                "k": d.k,
                "n": d.n,
            })
        });
        json!({
            "metric": sketch.metric,
            "host": sketch.host,
            "tags": sketch.tags,
            "dogsketches": dogsketches.collect::<Value>(),
            "metadata": origin(sketch.metadata.as_ref()),
        })
    };
    payload.sketches.iter().map(one).collect()
}

fn origin(metadata: Option<&Metadata>) -> Value {
    let origin = metadata.and_then(|metadata| metadata.origin.as_ref());
    origin.map_or(Value::Null, |origin| {
        json!({ "origin": {
            "origin_product": origin.origin_product,
            "origin_category": origin.origin_category,
            "origin_service": origin.origin_service,
        } })
    })
}

/// A moment in nanoseconds, unless it is that of the test.
fn moment(nanos: u64) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let apart = now.abs_diff(Duration::from_nanos(nanos));
    if apart < NOW { json!("now") } else { json!(nanos) }
}
