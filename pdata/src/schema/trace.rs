//! `opentelemetry.proto.trace.v1`.

use super::common::{KEY_VALUE, RESOURCE, SCOPE};
use super::{Kind, Message, many, one};

/// `ExportTraceServiceRequest`, the same on the wire as `TracesData`.
pub static REQUEST: Message = Message::new(
    "ExportTraceServiceRequest",
    &[many(1, "resource_spans", "resourceSpans", Kind::Carrier(&RESOURCE_SPANS))],
);

/// `ResourceSpans`.
pub static RESOURCE_SPANS: Message = Message::new(
    "ResourceSpans",
    &[
        one(1, "resource", "resource", Kind::Message(&RESOURCE)),
        many(2, "scope_spans", "scopeSpans", Kind::Carrier(&SCOPE_SPANS)),
        one(3, "schema_url", "schemaUrl", Kind::String),
    ],
);

/// `ScopeSpans`.
pub static SCOPE_SPANS: Message = Message::new(
    "ScopeSpans",
    &[
        one(1, "scope", "scope", Kind::Message(&SCOPE)),
        many(2, "spans", "spans", Kind::Item(&SPAN)),
        one(3, "schema_url", "schemaUrl", Kind::String),
    ],
);

/// `Span`.
pub static SPAN: Message = Message::new(
    "Span",
    &[
        one(1, "trace_id", "traceId", Kind::Id),
        one(2, "span_id", "spanId", Kind::Id),
        one(3, "trace_state", "traceState", Kind::String),
        one(4, "parent_span_id", "parentSpanId", Kind::Id),
        one(16, "flags", "flags", Kind::Fixed32),
        one(5, "name", "name", Kind::String),
        one(6, "kind", "kind", Kind::Enum(SPAN_KINDS)),
        one(7, "start_time_unix_nano", "startTimeUnixNano", Kind::Fixed64),
        one(8, "end_time_unix_nano", "endTimeUnixNano", Kind::Fixed64),
        many(9, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
        one(10, "dropped_attributes_count", "droppedAttributesCount", Kind::Uint32),
        many(11, "events", "events", Kind::Message(&EVENT)),
        one(12, "dropped_events_count", "droppedEventsCount", Kind::Uint32),
        many(13, "links", "links", Kind::Message(&LINK)),
        one(14, "dropped_links_count", "droppedLinksCount", Kind::Uint32),
        one(15, "status", "status", Kind::Message(&STATUS)),
    ],
);

/// `Span.Event`.
pub static EVENT: Message = Message::new(
    "Event",
    &[
        one(1, "time_unix_nano", "timeUnixNano", Kind::Fixed64),
        one(2, "name", "name", Kind::String),
        many(3, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
        one(4, "dropped_attributes_count", "droppedAttributesCount", Kind::Uint32),
    ],
);

/// `Span.Link`.
pub static LINK: Message = Message::new(
    "Link",
    &[
        one(1, "trace_id", "traceId", Kind::Id),
        one(2, "span_id", "spanId", Kind::Id),
        one(3, "trace_state", "traceState", Kind::String),
        many(4, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
        one(5, "dropped_attributes_count", "droppedAttributesCount", Kind::Uint32),
        one(6, "flags", "flags", Kind::Fixed32),
    ],
);

/// `Status`.
pub static STATUS: Message = Message::new(
    "Status",
    &[one(2, "message", "message", Kind::String), one(3, "code", "code", Kind::Enum(STATUS_CODES))],
);

const SPAN_KINDS: &[(&str, i32)] = &[
    ("SPAN_KIND_UNSPECIFIED", 0),
    ("SPAN_KIND_INTERNAL", 1),
    ("SPAN_KIND_SERVER", 2),
    ("SPAN_KIND_CLIENT", 3),
    ("SPAN_KIND_PRODUCER", 4),
    ("SPAN_KIND_CONSUMER", 5),
];

const STATUS_CODES: &[(&str, i32)] =
    &[("STATUS_CODE_UNSET", 0), ("STATUS_CODE_OK", 1), ("STATUS_CODE_ERROR", 2)];
