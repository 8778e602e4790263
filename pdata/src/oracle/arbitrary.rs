//! Requests with every field that OTLP has. Struct literals name all fields, so a field that opentelemetry-proto gains fails the build.

pub(crate) mod metrics;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::Request;
use super::entropy::Entropy;
use crate::Signal;

/// A request of the given signal.
pub(crate) fn request(e: &mut Entropy<'_>, signal: Signal) -> Request {
    match signal {
        Signal::Traces => {
            Request::Traces(ExportTraceServiceRequest { resource_spans: e.list(3, resource_spans) })
        }
        Signal::Metrics => Request::Metrics(metrics::request(e)),
        Signal::Logs => {
            Request::Logs(ExportLogsServiceRequest { resource_logs: e.list(3, resource_logs) })
        }
    }
}

fn resource_spans(e: &mut Entropy<'_>) -> ResourceSpans {
    ResourceSpans {
        resource: e.maybe(resource),
        scope_spans: e.list(3, |e| ScopeSpans {
            scope: e.maybe(scope),
            spans: e.list(4, span),
            schema_url: e.text(),
        }),
        schema_url: e.text(),
    }
}

pub(crate) fn span(e: &mut Entropy<'_>) -> Span {
    Span {
        trace_id: e.id(16),
        span_id: e.id(8),
        trace_state: e.text(),
        parent_span_id: e.id(8),
        flags: e.u32(),
        name: e.text(),
        kind: e.enumeration(5),
        start_time_unix_nano: e.u64(),
        end_time_unix_nano: e.u64(),
        attributes: e.list(4, key_value),
        dropped_attributes_count: e.u32(),
        events: e.list(2, event),
        dropped_events_count: e.u32(),
        links: e.list(2, link),
        dropped_links_count: e.u32(),
        status: e.maybe(|e| Status { message: e.text(), code: e.enumeration(2) }),
    }
}

pub(crate) fn event(e: &mut Entropy<'_>) -> Event {
    Event {
        time_unix_nano: e.u64(),
        name: e.text(),
        attributes: e.list(3, key_value),
        dropped_attributes_count: e.u32(),
    }
}

pub(crate) fn link(e: &mut Entropy<'_>) -> Link {
    Link {
        trace_id: e.id(16),
        span_id: e.id(8),
        trace_state: e.text(),
        attributes: e.list(3, key_value),
        dropped_attributes_count: e.u32(),
        flags: e.u32(),
    }
}

fn resource_logs(e: &mut Entropy<'_>) -> ResourceLogs {
    ResourceLogs {
        resource: e.maybe(resource),
        scope_logs: e.list(3, |e| ScopeLogs {
            scope: e.maybe(scope),
            log_records: e.list(4, log_record),
            schema_url: e.text(),
        }),
        schema_url: e.text(),
    }
}

pub(crate) fn log_record(e: &mut Entropy<'_>) -> LogRecord {
    LogRecord {
        time_unix_nano: e.u64(),
        observed_time_unix_nano: e.u64(),
        severity_number: e.enumeration(24),
        severity_text: e.text(),
        body: e.maybe(|e| any_value(e, 4)),
        attributes: e.list(4, key_value),
        dropped_attributes_count: e.u32(),
        flags: e.u32(),
        trace_id: e.id(16),
        span_id: e.id(8),
        event_name: e.text(),
    }
}

pub(crate) fn resource(e: &mut Entropy<'_>) -> Resource {
    Resource {
        attributes: e.list(4, key_value),
        dropped_attributes_count: e.u32(),
        entity_refs: e.list(2, |e| EntityRef {
            schema_url: e.text(),
            r#type: e.text(),
            id_keys: e.list(3, Entropy::text),
            description_keys: e.list(3, Entropy::text),
        }),
    }
}

pub(crate) fn scope(e: &mut Entropy<'_>) -> InstrumentationScope {
    InstrumentationScope {
        name: e.text(),
        version: e.text(),
        attributes: e.list(3, key_value),
        dropped_attributes_count: e.u32(),
    }
}

pub(crate) fn key_value(e: &mut Entropy<'_>) -> KeyValue {
    KeyValue {
        key: e.text(),
        value: e.maybe(|e| any_value(e, 4)),
        key_strindex: if e.one_in(20) { e.i32() } else { 0 },
    }
}

/// A value that nests at most `depth` lists or maps.
pub(crate) fn any_value(e: &mut Entropy<'_>, depth: usize) -> AnyValue {
    let value = match e.below(if depth > 0 { 9 } else { 7 }) {
        0 => None,
        1 => Some(Value::BoolValue(e.flag())),
        2 => Some(Value::IntValue(e.i64())),
        3 => Some(Value::DoubleValue(e.f64())),
        4 => Some(Value::BytesValue(e.bytes())),
        5 if e.one_in(8) => Some(Value::StringValueStrindex(e.i32())),
        5 | 6 => Some(Value::StringValue(e.text())),
        7 => Some(Value::ArrayValue(ArrayValue { values: e.list(3, |e| any_value(e, depth - 1)) })),
        _ => Some(Value::KvlistValue(KeyValueList {
            values: e.list(3, |e| KeyValue {
                key: e.text(),
                value: e.maybe(|e| any_value(e, depth - 1)),
                key_strindex: 0,
            }),
        })),
    };
    AnyValue { value }
}
