//! `traces`.

use std::collections::BTreeMap;

use confmap::{Decode, Mismatch, Node, Section};
use datadog::settings::{read_ignored_resources, read_remappings};
use http::Uri;
use regex::Regex;

use super::renamed;

/// How spans become Datadog spans, and whether APM stats are computed of them.
#[derive(Clone, Debug)]
pub(crate) struct Traces {
    /// The base of the URLs for traces and APM stats. A config without errors has it.
    pub(crate) endpoint: Option<Uri>,
    /// Traces whose root span has a resource that one of these finds a match in are not sent.
    pub(crate) ignore_resources: Vec<Regex>,
    /// New operation names by old. Not empty turns the older rules for names on.
    pub(crate) span_name_remappings: BTreeMap<String, String>,
    /// Whether the operation name is the OpenTelemetry span name, which turns the older rules for names on.
    pub(crate) span_name_as_resource_name: bool,
    /// Whether spans count in APM stats for their kind.
    pub(crate) compute_stats_by_span_kind: bool,
    /// Whether spans are top-level for their kind.
    pub(crate) compute_top_level_by_span_kind: bool,
    /// Whether APM stats have the usual peer tags.
    pub(crate) peer_tags_aggregation: bool,
    /// Further peer tags.
    pub(crate) peer_tags: Vec<String>,
    /// Who computes APM stats.
    pub(crate) compute_stats: ComputeStats,
}

/// Whether this exporter computes APM stats of the spans it sends. A key of ours: upstream has a feature gate, off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ComputeStats {
    /// Where nothing else can have done it.
    #[default]
    Auto,
    /// Yes.
    Always,
    /// No: a connector does, or nobody.
    Never,
}

impl Decode for ComputeStats {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        let words = [("auto", Self::Auto), ("always", Self::Always), ("never", Self::Never)];
        confmap::keyword(node, &words)
    }
}

impl Traces {
    pub(super) fn read(mut section: Section<'_>, endpoint: Option<Uri>) -> Self {
        let peer_service = section.get("peer_service_aggregation");
        let peer_tags = section.get("peer_tags_aggregation");
        let names = ("peer_service_aggregation", "peer_tags_aggregation");
        let peer_tags_aggregation = renamed(&mut section, names, peer_service, peer_tags);
        if section.get::<i64>("trace_buffer").is_some_and(|buffer| buffer < 0) {
            section.error("trace_buffer", "trace buffer must be non-negative");
        } else {
            let why = "payloads are buffered by sending_queue, and none is dropped behind it";
            section.ignored("trace_buffer", why);
        }
        let read = Self {
            endpoint,
            ignore_resources: read_ignored_resources(&mut section),
            span_name_remappings: read_remappings(&mut section),
            span_name_as_resource_name: section
                .get("span_name_as_resource_name")
                .unwrap_or_default(),
            compute_stats_by_span_kind: section.get("compute_stats_by_span_kind").unwrap_or(true),
            compute_top_level_by_span_kind: section
                .get("compute_top_level_by_span_kind")
                .unwrap_or_default(),
            peer_tags_aggregation: peer_tags_aggregation.unwrap_or(true),
            peer_tags: section.get("peer_tags").unwrap_or_default(),
            compute_stats: section.get("compute_stats").unwrap_or_default(),
        };
        section.finish();
        read
    }
}
