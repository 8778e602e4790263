//! What the keys of attributes mean to Datadog.

/// What an attribute of a record is taken for. Apart from the last two, keys are compared without regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The message, in place of the body.
    Message,
    /// The status, in place of the severity.
    Status,
    /// A trace id in hex.
    TraceId,
    /// A span id in hex.
    SpanId,
    /// Further tags.
    Tags,
    /// `hostname`, `service` or `ddsource`.
    Reserved,
    /// An attribute.
    Attribute,
}

/// The longest key with a role.
const KEY_LEN_MAX: usize = 18;

impl Role {
    /// That of a record's attribute.
    #[inline]
    pub(super) fn of(key: &[u8]) -> Self {
        if !matches!(key.len(), 3 | 5..=8 | 10 | 11 | 15 | 17 | 18) {
            return Self::Attribute;
        }
        let mut buffer = [0; KEY_LEN_MAX];
        let Some(lower) = buffer.get_mut(..key.len()) else { return Self::Attribute };
        lower.copy_from_slice(key);
        lower.make_ascii_lowercase();
        match &*lower {
            b"msg" | b"message" | b"log" => Self::Message,
            b"status" | b"severity" | b"level" | b"syslog.severity" => Self::Status,
            b"traceid" | b"trace_id" | b"contextmap.traceid" | b"oteltraceid" => Self::TraceId,
            b"spanid" | b"span_id" | b"contextmap.spanid" | b"otelspanid" => Self::SpanId,
            b"ddtags" => Self::Tags,
            _ if matches!(key, b"hostname" | b"service" | b"ddsource") => Self::Reserved,
            _ => Self::Attribute,
        }
    }
}

/// The name under which an attribute is kept whose own name is that of a field of Datadog's: `otel.` and its own. The others' own name.
#[inline]
pub(super) fn spare_name(key: &[u8]) -> &[u8] {
    match key {
        b"message" => b"otel.message",
        b"status" => b"otel.status",
        b"hostname" => b"otel.hostname",
        b"service" => b"otel.service",
        b"ddsource" => b"otel.ddsource",
        b"ddtags" => b"otel.ddtags",
        key => key,
    }
}

/// The fields that a record itself fills. Where it does, an attribute of the name gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Field {
    /// `@timestamp`
    Timestamp,
    /// `otel.timestamp`
    OtelTimestamp,
    /// `otel.severity_text`
    SeverityText,
    /// `otel.severity_number`
    SeverityNumber,
    /// `otel.event_name`
    EventName,
    /// `otel.body`
    Body,
    /// `dd.trace_id`
    TraceId,
    /// `otel.trace_id`
    OtelTraceId,
    /// `dd.span_id`
    SpanId,
    /// `otel.span_id`
    OtelSpanId,
}

impl Field {
    /// The field of a key.
    #[inline]
    pub(super) fn of(key: &[u8]) -> Option<Self> {
        let Some(b'@' | b'o' | b'd') = key.first() else { return None };
        Some(match key {
            b"@timestamp" => Self::Timestamp,
            b"otel.timestamp" => Self::OtelTimestamp,
            b"otel.severity_text" => Self::SeverityText,
            b"otel.severity_number" => Self::SeverityNumber,
            b"otel.event_name" => Self::EventName,
            b"otel.body" => Self::Body,
            b"dd.trace_id" => Self::TraceId,
            b"otel.trace_id" => Self::OtelTraceId,
            b"dd.span_id" => Self::SpanId,
            b"otel.span_id" => Self::OtelSpanId,
            _ => return None,
        })
    }
}

/// A set of fields.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields(u16);

impl Fields {
    /// Adds one.
    pub(super) fn add(&mut self, field: Field) {
        self.0 |= 1 << field as u8;
    }

    /// Whether it is one of them.
    pub(super) fn has(self, field: Field) -> bool {
        self.0 & 1 << field as u8 != 0
    }

    /// Whether the key is that of one of them.
    #[inline]
    pub(super) fn has_key(self, key: &[u8]) -> bool {
        Field::of(key).is_some_and(|field| self.has(field))
    }
}
