//! Logs requests whose records can be told apart.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};

use crate::spans::{self, SpanId};

/// A request of `count` records of different spans, unlike those of every other call in this process.
pub fn request(count: usize) -> ExportLogsServiceRequest {
    with_records((0..count).map(|_| record("paid")).collect())
}

/// A request of one resource and one scope with these records.
pub fn with_records(log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let scope = ScopeLogs { log_records, ..Default::default() };
    let resource = ResourceLogs {
        resource: Some(spans::resource()),
        scope_logs: vec![scope],
        ..Default::default()
    };
    ExportLogsServiceRequest { resource_logs: vec![resource] }
}

/// A record of this moment, written within a span of its own.
pub fn record(body: &str) -> LogRecord {
    let span = spans::span();
    LogRecord {
        time_unix_nano: span.end_time_unix_nano,
        severity_number: 9,
        body: Some(AnyValue { value: Some(Value::StringValue(body.to_owned())) }),
        trace_id: span.trace_id,
        span_id: span.span_id,
        ..Default::default()
    }
}

/// The span ids of a request's records, in order.
pub fn ids(request: &ExportLogsServiceRequest) -> Vec<SpanId> {
    let scopes = request.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
    scopes.flat_map(|scope| &scope.log_records).map(|record| spans::id(&record.span_id)).collect()
}
