//! `opentelemetry.proto.metrics.v1`.

use super::common::{KEY_VALUE, RESOURCE, SCOPE};
use super::{Kind, Message, many, one, oneof, optional};

/// `ExportMetricsServiceRequest`, the same on the wire as `MetricsData`.
pub static REQUEST: Message = Message::new(
    "ExportMetricsServiceRequest",
    &[many(1, "resource_metrics", "resourceMetrics", Kind::Carrier(&RESOURCE_METRICS))],
);

/// `ResourceMetrics`.
pub static RESOURCE_METRICS: Message = Message::new(
    "ResourceMetrics",
    &[
        one(1, "resource", "resource", Kind::Message(&RESOURCE)),
        many(2, "scope_metrics", "scopeMetrics", Kind::Carrier(&SCOPE_METRICS)),
        one(3, "schema_url", "schemaUrl", Kind::String),
    ],
);

/// `ScopeMetrics`.
pub static SCOPE_METRICS: Message = Message::new(
    "ScopeMetrics",
    &[
        one(1, "scope", "scope", Kind::Message(&SCOPE)),
        many(2, "metrics", "metrics", Kind::Carrier(&METRIC)),
        one(3, "schema_url", "schemaUrl", Kind::String),
    ],
);

/// `Metric`.
pub static METRIC: Message = Message::new(
    "Metric",
    &[
        one(1, "name", "name", Kind::String),
        one(2, "description", "description", Kind::String),
        one(3, "unit", "unit", Kind::String),
        oneof(5, "gauge", "gauge", Kind::Carrier(&GAUGE)),
        oneof(7, "sum", "sum", Kind::Carrier(&SUM)),
        oneof(9, "histogram", "histogram", Kind::Carrier(&HISTOGRAM)),
        oneof(
            10,
            "exponential_histogram",
            "exponentialHistogram",
            Kind::Carrier(&EXPONENTIAL_HISTOGRAM),
        ),
        oneof(11, "summary", "summary", Kind::Carrier(&SUMMARY)),
        many(12, "metadata", "metadata", Kind::Message(&KEY_VALUE)),
    ],
);

/// `Gauge`.
pub static GAUGE: Message =
    Message::new("Gauge", &[many(1, "data_points", "dataPoints", Kind::Item(&NUMBER_DATA_POINT))]);

/// `Sum`.
pub static SUM: Message = Message::new(
    "Sum",
    &[
        many(1, "data_points", "dataPoints", Kind::Item(&NUMBER_DATA_POINT)),
        one(2, "aggregation_temporality", "aggregationTemporality", Kind::Enum(TEMPORALITIES)),
        one(3, "is_monotonic", "isMonotonic", Kind::Bool),
    ],
);

/// `Histogram`.
pub static HISTOGRAM: Message = Message::new(
    "Histogram",
    &[
        many(1, "data_points", "dataPoints", Kind::Item(&HISTOGRAM_DATA_POINT)),
        one(2, "aggregation_temporality", "aggregationTemporality", Kind::Enum(TEMPORALITIES)),
    ],
);

/// `ExponentialHistogram`.
pub static EXPONENTIAL_HISTOGRAM: Message = Message::new(
    "ExponentialHistogram",
    &[
        many(1, "data_points", "dataPoints", Kind::Item(&EXPONENTIAL_HISTOGRAM_DATA_POINT)),
        one(2, "aggregation_temporality", "aggregationTemporality", Kind::Enum(TEMPORALITIES)),
    ],
);

/// `Summary`.
pub static SUMMARY: Message = Message::new(
    "Summary",
    &[many(1, "data_points", "dataPoints", Kind::Item(&SUMMARY_DATA_POINT))],
);

/// `NumberDataPoint`.
pub static NUMBER_DATA_POINT: Message = Message::new(
    "NumberDataPoint",
    &[
        many(7, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
        one(2, "start_time_unix_nano", "startTimeUnixNano", Kind::Fixed64),
        one(3, "time_unix_nano", "timeUnixNano", Kind::Fixed64),
        oneof(4, "as_double", "asDouble", Kind::Double),
        oneof(6, "as_int", "asInt", Kind::Sfixed64),
        many(5, "exemplars", "exemplars", Kind::Message(&EXEMPLAR)),
        one(8, "flags", "flags", Kind::Uint32),
    ],
);

/// `HistogramDataPoint`.
pub static HISTOGRAM_DATA_POINT: Message = Message::new(
    "HistogramDataPoint",
    &[
        many(9, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
        one(2, "start_time_unix_nano", "startTimeUnixNano", Kind::Fixed64),
        one(3, "time_unix_nano", "timeUnixNano", Kind::Fixed64),
        one(4, "count", "count", Kind::Fixed64),
        optional(5, "sum", "sum", Kind::Double),
        many(6, "bucket_counts", "bucketCounts", Kind::Fixed64),
        many(7, "explicit_bounds", "explicitBounds", Kind::Double),
        many(8, "exemplars", "exemplars", Kind::Message(&EXEMPLAR)),
        one(10, "flags", "flags", Kind::Uint32),
        optional(11, "min", "min", Kind::Double),
        optional(12, "max", "max", Kind::Double),
    ],
);

/// `ExponentialHistogramDataPoint`.
pub static EXPONENTIAL_HISTOGRAM_DATA_POINT: Message = Message::new(
    "ExponentialHistogramDataPoint",
    &[
        many(1, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
        one(2, "start_time_unix_nano", "startTimeUnixNano", Kind::Fixed64),
        one(3, "time_unix_nano", "timeUnixNano", Kind::Fixed64),
        one(4, "count", "count", Kind::Fixed64),
        optional(5, "sum", "sum", Kind::Double),
        one(6, "scale", "scale", Kind::Sint32),
        one(7, "zero_count", "zeroCount", Kind::Fixed64),
        one(8, "positive", "positive", Kind::Message(&BUCKETS)),
        one(9, "negative", "negative", Kind::Message(&BUCKETS)),
        one(10, "flags", "flags", Kind::Uint32),
        many(11, "exemplars", "exemplars", Kind::Message(&EXEMPLAR)),
        optional(12, "min", "min", Kind::Double),
        optional(13, "max", "max", Kind::Double),
        one(14, "zero_threshold", "zeroThreshold", Kind::Double),
    ],
);

/// `ExponentialHistogramDataPoint.Buckets`.
pub static BUCKETS: Message = Message::new(
    "Buckets",
    &[
        one(1, "offset", "offset", Kind::Sint32),
        many(2, "bucket_counts", "bucketCounts", Kind::Uint64),
    ],
);

/// `SummaryDataPoint`.
pub static SUMMARY_DATA_POINT: Message = Message::new(
    "SummaryDataPoint",
    &[
        many(7, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
        one(2, "start_time_unix_nano", "startTimeUnixNano", Kind::Fixed64),
        one(3, "time_unix_nano", "timeUnixNano", Kind::Fixed64),
        one(4, "count", "count", Kind::Fixed64),
        one(5, "sum", "sum", Kind::Double),
        many(6, "quantile_values", "quantileValues", Kind::Message(&VALUE_AT_QUANTILE)),
        one(8, "flags", "flags", Kind::Uint32),
    ],
);

/// `SummaryDataPoint.ValueAtQuantile`.
pub static VALUE_AT_QUANTILE: Message = Message::new(
    "ValueAtQuantile",
    &[one(1, "quantile", "quantile", Kind::Double), one(2, "value", "value", Kind::Double)],
);

/// `Exemplar`.
pub static EXEMPLAR: Message = Message::new(
    "Exemplar",
    &[
        many(7, "filtered_attributes", "filteredAttributes", Kind::Message(&KEY_VALUE)),
        one(2, "time_unix_nano", "timeUnixNano", Kind::Fixed64),
        oneof(3, "as_double", "asDouble", Kind::Double),
        oneof(6, "as_int", "asInt", Kind::Sfixed64),
        one(4, "span_id", "spanId", Kind::Id),
        one(5, "trace_id", "traceId", Kind::Id),
    ],
);

const TEMPORALITIES: &[(&str, i32)] = &[
    ("AGGREGATION_TEMPORALITY_UNSPECIFIED", 0),
    ("AGGREGATION_TEMPORALITY_DELTA", 1),
    ("AGGREGATION_TEMPORALITY_CUMULATIVE", 2),
];
