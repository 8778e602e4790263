//! Trace requests whose spans can be told apart.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

/// What tells a span of a test from every other.
pub type SpanId = [u8; 8];

/// A request of `count` spans of one trace, unlike those of every other call in this process.
pub fn request(count: usize) -> ExportTraceServiceRequest {
    with_spans((0..count).map(|_| span()).collect())
}

/// A request of one resource and one scope with these spans.
pub fn with_spans(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope = InstrumentationScope { name: "tests".to_owned(), ..Default::default() };
    let scope_spans = ScopeSpans { scope: Some(scope), spans, ..Default::default() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource()),
            scope_spans: vec![scope_spans],
            ..Default::default()
        }],
    }
}

/// The resource of every request.
pub fn resource() -> Resource {
    Resource { attributes: vec![attribute("service.name", "shop")], ..Default::default() }
}

/// Nanoseconds since 1970.
pub fn now_nanos() -> u64 {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(clock.as_nanos()).unwrap_or_default()
}

/// A server span of a few milliseconds, just ended, with an id of its own.
pub fn span() -> Span {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = now_nanos();
    let trace_id = [u64::from(std::process::id()) + 1, number].map(u64::to_be_bytes).concat();
    Span {
        trace_id,
        span_id: number.to_be_bytes().to_vec(),
        name: "GET /orders".to_owned(),
        kind: SpanKind::Server.into(),
        start_time_unix_nano: now - 5_000_000,
        end_time_unix_nano: now,
        attributes: vec![attribute("http.request.method", "GET")],
        ..Default::default()
    }
}

/// A text attribute.
pub fn attribute(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(Value::StringValue(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..Default::default() }
}

/// The spans of a request, in order.
pub fn of(request: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| &scope.spans)
}

/// The ids of a request's spans, in order.
///
/// # Panics
///
/// When an id is not eight bytes long.
pub fn ids(request: &ExportTraceServiceRequest) -> Vec<SpanId> {
    of(request).map(|span| id(&span.span_id)).collect()
}

/// A span id as the tests compare it.
///
/// # Panics
///
/// When it is not eight bytes long.
pub fn id(bytes: &[u8]) -> SpanId {
    bytes.try_into().unwrap_or_else(|_| panic!("a span id of {} bytes", bytes.len()))
}
