//! Views back into prost's types, and what of a request views can tell.

mod metrics;

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
use crate::{Payload, Signal, view};

/// The whole payload as its views read.
pub(crate) fn views(payload: &Payload) -> Request {
    match payload.signal() {
        Signal::Traces => Request::Traces(ExportTraceServiceRequest {
            resource_spans: payload.resource_spans().map(resource_spans).collect(),
        }),
        Signal::Metrics => Request::Metrics(metrics::request(payload)),
        Signal::Logs => Request::Logs(ExportLogsServiceRequest {
            resource_logs: payload.resource_logs().map(resource_logs).collect(),
        }),
    }
}

fn resource_spans(view: view::ResourceSpans<'_>) -> ResourceSpans {
    let scope_spans = view.scope_spans.iter().map(|view| ScopeSpans {
        scope: Some(scope(view.scope)),
        spans: view.spans.iter().map(span).collect(),
        schema_url: view.schema_url().to_string(),
    });
    ResourceSpans {
        resource: Some(resource(view.resource)),
        scope_spans: scope_spans.collect(),
        schema_url: view.schema_url().to_string(),
    }
}

fn span(view: view::Span<'_>) -> Span {
    Span {
        trace_id: view.trace_id.to_vec(),
        span_id: view.span_id.to_vec(),
        trace_state: view.trace_state.to_string(),
        parent_span_id: view.parent_span_id.to_vec(),
        flags: view.flags,
        name: view.name.to_string(),
        kind: match view.kind {
            view::SpanKind::Unspecified => 0,
            view::SpanKind::Internal => 1,
            view::SpanKind::Server => 2,
            view::SpanKind::Client => 3,
            view::SpanKind::Producer => 4,
            view::SpanKind::Consumer => 5,
        },
        start_time_unix_nano: view.start_time_unix_nano,
        end_time_unix_nano: view.end_time_unix_nano,
        attributes: attributes(view.attributes),
        dropped_attributes_count: view.dropped_attributes_count,
        events: view.events.iter().map(event).collect(),
        dropped_events_count: view.dropped_events_count,
        links: view.links.iter().map(link).collect(),
        dropped_links_count: view.dropped_links_count,
        status: Some(Status {
            message: view.status.message.to_string(),
            code: match view.status.code {
                view::StatusCode::Unset => 0,
                view::StatusCode::Ok => 1,
                view::StatusCode::Error => 2,
            },
        }),
    }
}

fn event(view: view::Event<'_>) -> Event {
    Event {
        time_unix_nano: view.time_unix_nano,
        name: view.name.to_string(),
        attributes: attributes(view.attributes),
        dropped_attributes_count: view.dropped_attributes_count,
    }
}

fn link(view: view::Link<'_>) -> Link {
    Link {
        trace_id: view.trace_id.to_vec(),
        span_id: view.span_id.to_vec(),
        trace_state: view.trace_state.to_string(),
        attributes: attributes(view.attributes),
        dropped_attributes_count: view.dropped_attributes_count,
        flags: view.flags,
    }
}

fn resource_logs(view: view::ResourceLogs<'_>) -> ResourceLogs {
    let scope_logs = view.scope_logs.iter().map(|view| ScopeLogs {
        scope: Some(scope(view.scope)),
        log_records: view.log_records.iter().map(log_record).collect(),
        schema_url: view.schema_url().to_string(),
    });
    ResourceLogs {
        resource: Some(resource(view.resource)),
        scope_logs: scope_logs.collect(),
        schema_url: view.schema_url().to_string(),
    }
}

fn log_record(view: view::LogRecord<'_>) -> LogRecord {
    LogRecord {
        time_unix_nano: view.time_unix_nano,
        observed_time_unix_nano: view.observed_time_unix_nano,
        severity_number: view.severity_number,
        severity_text: view.severity_text.to_string(),
        body: Some(any_value(view.body)),
        attributes: attributes(view.attributes),
        dropped_attributes_count: view.dropped_attributes_count,
        flags: view.flags,
        trace_id: view.trace_id.to_vec(),
        span_id: view.span_id.to_vec(),
        event_name: view.event_name.to_string(),
    }
}

fn resource(view: view::Resource<'_>) -> Resource {
    let entity_refs = view.entity_refs.iter().map(|view| EntityRef {
        schema_url: view.schema_url.to_string(),
        r#type: view.entity_type.to_string(),
        id_keys: view.id_keys.iter().map(|key| key.to_string()).collect(),
        description_keys: view.description_keys.iter().map(|key| key.to_string()).collect(),
    });
    Resource {
        attributes: attributes(view.attributes),
        dropped_attributes_count: view.dropped_attributes_count,
        entity_refs: entity_refs.collect(),
    }
}

fn scope(view: view::Scope<'_>) -> InstrumentationScope {
    InstrumentationScope {
        name: view.name.to_string(),
        version: view.version.to_string(),
        attributes: attributes(view.attributes),
        dropped_attributes_count: view.dropped_attributes_count,
    }
}

fn attributes(view: view::Attributes<'_>) -> Vec<KeyValue> {
    let list = view.iter().map(|view| KeyValue {
        key: view.key.to_string(),
        value: Some(any_value(view.value)),
        key_strindex: 0,
    });
    list.collect()
}

pub(crate) fn any_value(view: view::AnyValue<'_>) -> AnyValue {
    let value = match view {
        view::AnyValue::Empty => None,
        view::AnyValue::Str(text) => Some(Value::StringValue(text.to_string())),
        view::AnyValue::Bool(value) => Some(Value::BoolValue(value)),
        view::AnyValue::Int(value) => Some(Value::IntValue(value)),
        view::AnyValue::Double(value) => Some(Value::DoubleValue(value)),
        view::AnyValue::Bytes(bytes) => Some(Value::BytesValue(bytes.to_vec())),
        view::AnyValue::Array(array) => Some(Value::ArrayValue(ArrayValue {
            values: array.values().iter().map(any_value).collect(),
        })),
        view::AnyValue::KeyValueList(map) => {
            Some(Value::KvlistValue(KeyValueList { values: attributes(map.entries()) }))
        }
    };
    AnyValue { value }
}

/// The request as far as views can tell: a message that is missing is one of defaults, an enum's number that OTLP does not know is the
/// unspecified one (severities keep theirs), and what only profiles use is not there.
pub(crate) fn seen(mut request: Request) -> Request {
    match &mut request {
        Request::Traces(request) => {
            for resource_spans in &mut request.resource_spans {
                see_resource(&mut resource_spans.resource);
                for scope_spans in &mut resource_spans.scope_spans {
                    see_scope(&mut scope_spans.scope);
                    scope_spans.spans.iter_mut().for_each(see_span);
                }
            }
        }
        Request::Metrics(request) => metrics::see(request),
        Request::Logs(request) => {
            for resource_logs in &mut request.resource_logs {
                see_resource(&mut resource_logs.resource);
                for scope_logs in &mut resource_logs.scope_logs {
                    see_scope(&mut scope_logs.scope);
                    for record in &mut scope_logs.log_records {
                        see_attributes(&mut record.attributes);
                        see_value(&mut record.body);
                    }
                }
            }
        }
    }
    request
}

fn see_span(span: &mut Span) {
    see_enum(&mut span.kind, 5);
    see_enum(&mut span.status.get_or_insert_default().code, 2);
    see_attributes(&mut span.attributes);
    span.events.iter_mut().for_each(|event| see_attributes(&mut event.attributes));
    span.links.iter_mut().for_each(|link| see_attributes(&mut link.attributes));
}

fn see_resource(resource: &mut Option<Resource>) {
    see_attributes(&mut resource.get_or_insert_default().attributes);
}

fn see_scope(scope: &mut Option<InstrumentationScope>) {
    see_attributes(&mut scope.get_or_insert_default().attributes);
}

fn see_enum(number: &mut i32, last: i32) {
    if !(0..=last).contains(number) {
        *number = 0;
    }
}

fn see_attributes(attributes: &mut [KeyValue]) {
    for attribute in attributes {
        attribute.key_strindex = 0;
        see_value(&mut attribute.value);
    }
}

pub(crate) fn see_value(value: &mut Option<AnyValue>) {
    match &mut value.get_or_insert_default().value {
        index @ Some(Value::StringValueStrindex(_)) => *index = None,
        Some(Value::KvlistValue(map)) => see_attributes(&mut map.values),
        Some(Value::ArrayValue(array)) => {
            for element in &mut array.values {
                let mut value = Some(std::mem::take(element));
                see_value(&mut value);
                *element = value.unwrap();
            }
        }
        _ => {}
    }
}
