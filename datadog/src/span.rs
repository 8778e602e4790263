//! What Datadog sees in a span, beside its attributes: DataDog/datadog-agent `pkg/trace/transform/transform.go` and the values that
//! `pkg/trace/agent/normalizer.go` mends.

use std::borrow::Cow;

use pdata::view::{AnyValue, Scope, Span, SpanKind, StatusCode};

use crate::attributes::Lookup;
use crate::keys::Key;
use crate::naming::{self, Naming};

/// The first nanosecond of the year 2000: a start before it is no date.
const YEAR_2000: i64 = 946_684_800_000_000_000;

/// A span's identity, normalised; and how it counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts<'a> {
    /// The service. Never empty.
    pub service: Cow<'a, str>,
    /// The operation. Never empty.
    pub name: Cow<'a, str>,
    /// The resource, before obfuscation. Never empty.
    pub resource: Cow<'a, str>,
    /// The type, which is `sql`, `web`, …
    pub span_type: &'a str,
    /// The status of an HTTP answer.
    pub http_status: Option<i64>,
    /// The status of a gRPC answer, as text; empty when there is none.
    pub grpc_status: Cow<'a, str>,
    /// Whether the span failed.
    pub is_error: bool,
    /// Whether it was marked to be counted.
    pub is_measured: bool,
    /// The probability with which it was sampled before it came here; 1 unless somebody says otherwise.
    pub sample_rate: Option<f64>,
}

impl<'a> Facts<'a> {
    /// Those of a span.
    pub fn of(
        span: &Span<'a>,
        scope: &Scope<'a>,
        lookup: &Lookup<'_, 'a>,
        naming: &Naming,
    ) -> Self {
        let name = naming.operation(span, scope, lookup);
        let resource = match naming.resource(span, lookup) {
            resource if resource.is_empty() => name.clone(),
            resource => resource,
        };
        Self {
            service: naming::service(lookup),
            name,
            resource,
            span_type: naming::span_type(span, scope, lookup),
            http_status: http_status(lookup),
            grpc_status: grpc_status(lookup),
            is_error: span.status.code == StatusCode::Error,
            is_measured: lookup.int(Key::Measured) == Some(1),
            sample_rate: sample_rate(span, lookup),
        }
    }
}

/// The status of an HTTP answer, written as a number or as text.
fn http_status(lookup: &Lookup<'_, '_>) -> Option<i64> {
    let status = lookup.int_or_text(&[Key::HttpStatusCode, Key::HttpResponseStatusCode]);
    status.filter(|status| *status >= 0)
}

/// The status of a gRPC answer: by any of the names it has had.
fn grpc_status<'a>(lookup: &Lookup<'_, 'a>) -> Cow<'a, str> {
    const NAMES: [Key; 4] =
        [Key::GrpcStatusCode, Key::GrpcCode, Key::RpcGrpcStatusDotCode, Key::GrpcStatusDotCode];
    let of = |key| match lookup.text(&[key]) {
        "" => lookup.int(key).map(|code| Cow::Owned(code.to_string())),
        text => Some(Cow::Borrowed(text)),
    };
    if let Some(status) = NAMES.into_iter().find_map(of) {
        return status;
    }
    let system = lookup.text(&[Key::RpcSystemName, Key::RpcSystem]);
    let status = if system == "grpc" { of(Key::RpcResponseStatusCode) } else { None };
    status.unwrap_or_default()
}

/// The probability that an SDK or a Collector before us says it sampled the span with.
fn sample_rate(span: &Span<'_>, lookup: &Lookup<'_, '_>) -> Option<f64> {
    match lookup.span.get(Key::SampleRate) {
        Some(AnyValue::Double(rate)) => Some(*rate),
        Some(AnyValue::Int(rate)) => Some(*rate as f64),
        _ if span.trace_state.is_empty() => None,
        _ => sampling_probability(span.trace_state.as_str()),
    }
}

/// The probability in the `ot` member of a W3C trace state: `th`, the threshold of 56 bits below which a trace is rejected, or the older
/// `p`, an exponent of one half whose value 63 means that the span was not sampled.
///
/// open-telemetry/opentelemetry-specification `specification/trace/tracestate-handling.md` and the experimental one before it.
pub fn sampling_probability(trace_state: &str) -> Option<f64> {
    let members = trace_state.split(',').map(str::trim);
    let own = members.filter_map(|member| member.split_once('=')).find(|(key, _)| *key == "ot")?.1;
    let value = |key| own.split(';').filter_map(|pair| pair.split_once(':')).find(|p| p.0 == key);
    if let Some((_, threshold)) = value("th") {
        let is_hex = threshold.bytes().all(|byte| byte.is_ascii_hexdigit());
        let digits = (1..=14).contains(&threshold.len()) && is_hex;
        let rejected = digits.then(|| u64::from_str_radix(threshold, 16).ok()).flatten()?;
        let rejected = rejected << (4 * (14 - threshold.len()));
        let whole = (1u64 << 56) as f64;
        return Some((whole - rejected as f64) / whole);
    }
    let exponent: i32 = value("p")?.1.parse().ok()?;
    (0..63).contains(&exponent).then(|| 0.5f64.powi(exponent))
}

/// Start and duration in nanoseconds, mended: a span that ends before it starts, or after the end of time, took no time; one without a
/// sound start ended now.
pub fn timing(span: &Span<'_>, now_nanos: i64) -> (i64, i64) {
    let start = span.start_time_unix_nano as i64;
    let duration = (span.end_time_unix_nano as i64).wrapping_sub(start);
    let is_sound = duration >= 0 && start.checked_add(duration).is_some();
    let duration = if is_sound { duration } else { 0 };
    if start >= YEAR_2000 {
        return (start, duration);
    }
    match now_nanos - duration {
        before if before < 0 => (now_nanos, duration),
        before => (before, duration),
    }
}

/// Whether a span counts by its kind, where the settings have it so.
pub fn is_counted_kind(kind: SpanKind) -> bool {
    !matches!(kind, SpanKind::Internal | SpanKind::Unspecified)
}

/// The last eight bytes of an id as a number; 0 when it is too short.
pub fn low_id(id: &[u8]) -> u64 {
    id.last_chunk::<8>().copied().map_or(0, u64::from_be_bytes)
}

#[cfg(test)]
mod tests;
