//! Verbosity `detailed`: everything that is in a payload.
//!
//! The layout is that of open-telemetry/opentelemetry-collector `exporter/debugexporter/internal/otlptext`.

use std::fmt::Display;

use pdata::view::{Attributes, Resource, Scope, SpanKind, StatusCode};
use pdata::{Payload, Signal};

use crate::display::{Id, Timestamp, Typed};
use crate::lines::Lines;
use crate::severity;

mod metrics;

/// The payload's text; every line ends in a newline.
pub(crate) fn format(payload: &Payload) -> Vec<u8> {
    let mut out = Lines::default();
    match payload.signal() {
        Signal::Traces => put_traces(&mut out, payload),
        Signal::Metrics => metrics::put_metrics(&mut out, payload),
        Signal::Logs => put_logs(&mut out, payload),
    }
    out.into_bytes()
}

fn put_traces(out: &mut Lines, payload: &Payload) {
    for (i, resource) in payload.resource_spans().enumerate() {
        out.line(format_args!("ResourceSpans #{i}"));
        put_resource(out, &resource.schema_url(), &resource.resource);
        for (i, scope) in resource.scope_spans.iter().enumerate() {
            out.line(format_args!("ScopeSpans #{i}"));
            out.line(format_args!("ScopeSpans SchemaURL: {}", scope.schema_url()));
            put_scope(out, &scope.scope);
            for (i, span) in scope.spans.iter().enumerate() {
                out.line(format_args!("Span #{i}"));
                put_span(out, &span);
            }
        }
    }
}

fn put_span(out: &mut Lines, span: &pdata::view::Span<'_>) {
    let mut field = |name: &str, value: &dyn Display| {
        out.line(format_args!("    {name:<15}: {value}"));
    };
    field("Trace ID", &Id(span.trace_id));
    field("Parent ID", &Id(span.parent_span_id));
    field("ID", &Id(span.span_id));
    field("Name", &span.name);
    field("Kind", &kind(span.kind));
    if !span.trace_state.is_empty() {
        field("TraceState", &span.trace_state);
    }
    field("Start time", &Timestamp(span.start_time_unix_nano));
    field("End time", &Timestamp(span.end_time_unix_nano));
    field("Status code", &status(span.status.code));
    field("Status message", &span.status.message);
    field("DroppedAttributesCount", &span.dropped_attributes_count);
    field("DroppedEventsCount", &span.dropped_events_count);
    field("DroppedLinksCount", &span.dropped_links_count);
    put_attributes(out, "Attributes", span.attributes);
    if !span.events.is_empty() {
        out.line(format_args!("Events:"));
    }
    for (i, event) in span.events.iter().enumerate() {
        out.line(format_args!("SpanEvent #{i}"));
        out.line(format_args!("     -> Name: {}", event.name));
        out.line(format_args!("     -> Timestamp: {}", Timestamp(event.time_unix_nano)));
        let dropped = event.dropped_attributes_count;
        out.line(format_args!("     -> DroppedAttributesCount: {dropped}"));
        // Upstream's header has two colons here and for links.
        put_nested_attributes(out, "Attributes:", event.attributes);
    }
    if !span.links.is_empty() {
        out.line(format_args!("Links:"));
    }
    for (i, link) in span.links.iter().enumerate() {
        out.line(format_args!("SpanLink #{i}"));
        out.line(format_args!("     -> Trace ID: {}", Id(link.trace_id)));
        out.line(format_args!("     -> ID: {}", Id(link.span_id)));
        out.line(format_args!("     -> TraceState: {}", link.trace_state));
        let dropped = link.dropped_attributes_count;
        out.line(format_args!("     -> DroppedAttributesCount: {dropped}"));
        put_nested_attributes(out, "Attributes:", link.attributes);
    }
}

fn put_logs(out: &mut Lines, payload: &Payload) {
    for (i, resource) in payload.resource_logs().enumerate() {
        out.line(format_args!("ResourceLog #{i}"));
        put_resource(out, &resource.schema_url(), &resource.resource);
        for (i, scope) in resource.scope_logs.iter().enumerate() {
            out.line(format_args!("ScopeLogs #{i}"));
            out.line(format_args!("ScopeLogs SchemaURL: {}", scope.schema_url()));
            put_scope(out, &scope.scope);
            for (i, record) in scope.log_records.iter().enumerate() {
                out.line(format_args!("LogRecord #{i}"));
                put_record(out, &record);
            }
        }
    }
}

fn put_record(out: &mut Lines, record: &pdata::view::LogRecord<'_>) {
    let (observed, time) = (record.observed_time_unix_nano, record.time_unix_nano);
    out.line(format_args!("ObservedTimestamp: {}", Timestamp(observed)));
    out.line(format_args!("Timestamp: {}", Timestamp(time)));
    out.line(format_args!("SeverityText: {}", record.severity_text));
    let number = record.severity_number;
    out.line(format_args!("SeverityNumber: {}({number})", severity::name(number)));
    if !record.event_name.is_empty() {
        out.line(format_args!("EventName: {}", record.event_name));
    }
    out.line(format_args!("Body: {}", Typed(record.body)));
    put_attributes(out, "Attributes", record.attributes);
    out.line(format_args!("Trace ID: {}", Id(record.trace_id)));
    out.line(format_args!("Span ID: {}", Id(record.span_id)));
    out.line(format_args!("Flags: {}", record.flags));
}

fn put_resource(out: &mut Lines, schema_url: &dyn Display, resource: &Resource<'_>) {
    out.line(format_args!("Resource SchemaURL: {schema_url}"));
    put_attributes(out, "Resource attributes", resource.attributes);
    if !resource.entity_refs.is_empty() {
        out.line(format_args!("Resource entity refs:"));
    }
    for (i, entity) in resource.entity_refs.iter().enumerate() {
        out.line(format_args!("     -> Entity ref #{i}:"));
        out.line(format_args!("          -> Type: {}", entity.entity_type));
        if !entity.schema_url.is_empty() {
            out.line(format_args!("          -> Schema URL: {}", entity.schema_url));
        }
        for (header, keys) in
            [("ID keys", entity.id_keys), ("Description keys", entity.description_keys)]
        {
            for (i, key) in keys.iter().enumerate() {
                if i == 0 {
                    out.line(format_args!("          -> {header}:"));
                }
                out.line(format_args!("               -> {key}"));
            }
        }
    }
}

fn put_scope(out: &mut Lines, scope: &Scope<'_>) {
    out.line(format_args!("InstrumentationScope {} {}", scope.name, scope.version));
    put_attributes(out, "InstrumentationScope attributes", scope.attributes);
}

fn put_attributes(out: &mut Lines, header: &str, attributes: Attributes<'_>) {
    put_list(out, header, "     ->", attributes);
}

/// Attributes of something that is itself behind an arrow.
fn put_nested_attributes(out: &mut Lines, header: &str, attributes: Attributes<'_>) {
    put_list(out, &format!("     -> {header}"), "          ->", attributes);
}

fn put_list(out: &mut Lines, header: &str, arrow: &str, attributes: Attributes<'_>) {
    for (i, attribute) in attributes.iter().enumerate() {
        if i == 0 {
            out.line(format_args!("{header}:"));
        }
        out.line(format_args!("{arrow} {}: {}", attribute.key, Typed(attribute.value)));
    }
}

fn kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Unspecified => "Unspecified",
        SpanKind::Internal => "Internal",
        SpanKind::Server => "Server",
        SpanKind::Client => "Client",
        SpanKind::Producer => "Producer",
        SpanKind::Consumer => "Consumer",
    }
}

fn status(code: StatusCode) -> &'static str {
    match code {
        StatusCode::Unset => "Unset",
        StatusCode::Ok => "Ok",
        StatusCode::Error => "Error",
    }
}

#[cfg(test)]
mod tests;
