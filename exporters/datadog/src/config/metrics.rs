//! `metrics`.

use std::time::Duration;

use confmap::{Decode, Mismatch, Node, Section};
use http::Uri;

use super::renamed;

/// How metrics become series and distributions.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// The base of the URLs for series, sketches, the key check and host metadata. A config without errors has it.
    pub(crate) endpoint: Option<Uri>,
    /// How long the previous points of cumulative sums are remembered.
    pub(crate) delta_ttl: Duration,
    /// Whether all resource attributes become tags.
    pub(crate) resource_attributes_as_tags: bool,
    /// Whether name, version and attributes of the scope become tags.
    pub(crate) instrumentation_scope_metadata_as_tags: bool,
    /// How histograms are sent.
    pub(crate) histograms: Histograms,
    /// How cumulative sums are sent.
    pub(crate) sums: Sums,
    /// How summaries are sent.
    pub(crate) summaries: SummaryMode,
}

/// How histograms are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Histograms {
    /// What their buckets become.
    pub(crate) mode: HistogramMode,
    /// Whether count, sum, minimum and maximum are sent, too.
    pub(crate) send_aggregation_metrics: bool,
}

/// What the buckets of histograms become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HistogramMode {
    /// Datadog distributions.
    Distributions,
    /// A count for each bucket.
    Counters,
    /// Nothing.
    NoBuckets,
}

/// How cumulative monotonic sums are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sums {
    /// As what.
    pub(crate) cumulative_monotonic_mode: CumulativeMonotonicMode,
    /// What becomes of the first point of a series.
    pub(crate) initial_cumulative_monotonic_value: InitialValue,
}

/// What cumulative monotonic sums become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CumulativeMonotonicMode {
    /// Counts of the differences.
    ToDelta,
    /// Gauges of the values.
    RawValue,
}

/// What becomes of the first point of a cumulative monotonic series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InitialValue {
    /// It is sent if the series began after this process.
    Auto,
    /// It is not sent.
    Drop,
    /// It is sent.
    Keep,
}

/// How summaries are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SummaryMode {
    /// With a gauge for each quantile.
    Gauges,
    /// Without quantiles.
    NoQuantiles,
}

/// An enumeration of configuration words.
macro_rules! words {
    ($type:ident { $($word:literal => $variant:ident),+ $(,)? }) => {
        impl Decode for $type {
            fn decode(node: &Node) -> Result<Self, Mismatch> {
                confmap::keyword(node, &[$(($word, Self::$variant)),+])
            }
        }
    };
}

words!(HistogramMode { "distributions" => Distributions, "counters" => Counters, "nobuckets" => NoBuckets });
words!(CumulativeMonotonicMode { "to_delta" => ToDelta, "raw_value" => RawValue });
words!(InitialValue { "auto" => Auto, "drop" => Drop, "keep" => Keep });
words!(SummaryMode { "gauges" => Gauges, "noquantiles" => NoQuantiles });

/// `metrics::delta_ttl`, in seconds.
const DELTA_TTL: i64 = 3600;

impl Metrics {
    pub(super) fn read(mut section: Section<'_>, endpoint: Option<Uri>) -> Self {
        let delta_ttl: i64 = section.get("delta_ttl").unwrap_or(DELTA_TTL);
        if delta_ttl <= 0 {
            section.error("delta_ttl", "must be a positive number of seconds");
        }
        let read = Self {
            endpoint,
            delta_ttl: Duration::from_secs(delta_ttl.try_into().unwrap_or_default()),
            resource_attributes_as_tags: section
                .get("resource_attributes_as_tags")
                .unwrap_or_default(),
            instrumentation_scope_metadata_as_tags: section
                .get("instrumentation_scope_metadata_as_tags")
                .unwrap_or(true),
            histograms: Histograms::read(section.section("histograms")),
            sums: Sums::read(section.section("sums")),
            summaries: read_summaries(section.section("summaries")),
        };
        section.finish();
        read
    }
}

impl Histograms {
    fn read(mut section: Section<'_>) -> Self {
        let old = section.get("send_count_sum_metrics");
        let new = section.get("send_aggregation_metrics");
        let names = ("send_count_sum_metrics", "send_aggregation_metrics");
        let read = Self {
            mode: section.get("mode").unwrap_or(HistogramMode::Distributions),
            send_aggregation_metrics: renamed(&mut section, names, old, new).unwrap_or_default(),
        };
        if read.mode == HistogramMode::NoBuckets && !read.send_aggregation_metrics {
            let message = "'nobuckets' mode and `send_aggregation_metrics` set to false will send no histogram metrics";
            section.error_with_help("mode", message, "set send_aggregation_metrics: true");
        }
        section.finish();
        read
    }
}

impl Sums {
    fn read(mut section: Section<'_>) -> Self {
        let read = Self {
            cumulative_monotonic_mode: section
                .get("cumulative_monotonic_mode")
                .unwrap_or(CumulativeMonotonicMode::ToDelta),
            initial_cumulative_monotonic_value: section
                .get("initial_cumulative_monotonic_value")
                .unwrap_or(InitialValue::Auto),
        };
        if section.is_set("initial_cumulative_monotonic_value")
            && read.cumulative_monotonic_mode != CumulativeMonotonicMode::ToDelta
        {
            let message =
                "can only be configured when 'cumulative_monotonic_mode' is set to 'to_delta'";
            section.error("initial_cumulative_monotonic_value", message);
        }
        section.finish();
        read
    }
}

fn read_summaries(mut section: Section<'_>) -> SummaryMode {
    let mode = section.get("mode").unwrap_or(SummaryMode::Gauges);
    section.finish();
    mode
}
