//! The closed list of metric families: every name that this process may expose, with its kind, labels, level and help.
//!
//! A handle can only be made from one of the statics below, and a family cannot be built outside this file, so a name
//! that is not in the table does not compile. The README's table is compared with it by a test.
//!
//! Upstream names, labels, levels and histogram bounds are those of open-telemetry/opentelemetry-collector
//! (`receiver/receiverhelper`, `processor/processorhelper`, `processor/batchprocessor`,
//! `processor/memorylimiterprocessor`, `exporter/exporterhelper`, `service`: each one's `metadata.yaml`). Own families
//! extend the `otelcol_exporter_` and `otelcol_receiver_` ones where they say more about the same thing; everything else
//! of ours starts with `hikyaku_`.

use crate::settings::{MetricsLevel, Suffixes};

/// One metric family: what is known about a metric name before anything is counted.
#[derive(Debug)]
pub struct Family {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) kind: Kind,
    /// In the order in which they are exposed.
    pub(crate) labels: &'static [Label],
    /// The lowest level at which the family is exposed.
    pub(crate) level: MetricsLevel,
    /// Inclusive upper bounds of a histogram's buckets, without the infinite one. Empty for the other kinds.
    pub(crate) bounds: &'static [u64],
}

impl Family {
    /// The name as exposed, without suffixes.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The name with suffixes, in the order in which upstream's exposition adds them.
    pub(crate) fn name_with(&self, suffixes: Suffixes) -> String {
        let unit = self.unit().filter(|_| suffixes.unit).unwrap_or_default();
        let is_counted = suffixes.counter && self.kind == Kind::Counter;
        format!("{}{unit}{}", self.name, if is_counted { "_total" } else { "" })
    }

    /// The unit that the name lacks. The others end with theirs, or count things, for which there is no suffix.
    fn unit(&self) -> Option<&'static str> {
        match self.name {
            "otelcol_process_uptime" => Some("_seconds"),
            "otelcol_process_memory_rss" => Some("_bytes"),
            _ => None,
        }
    }
}

/// A family of counters.
#[derive(Debug)]
pub struct CounterFamily(pub(crate) Family);

/// A family of gauges.
#[derive(Debug)]
pub struct GaugeFamily(pub(crate) Family);

/// A family of histograms.
#[derive(Debug)]
pub struct HistogramFamily(pub(crate) Family);

/// Three families that differ in the item they count, as upstream names them: one for each signal.
#[derive(Debug)]
pub struct PerItem<F> {
    /// For traces.
    pub spans: F,
    /// For metrics.
    pub metric_points: F,
    /// For logs.
    pub log_records: F,
}

impl<F> PerItem<F> {
    /// The family that counts `item`.
    pub const fn of(&self, item: Item) -> &F {
        match item {
            Item::Spans => &self.spans,
            Item::MetricPoints => &self.metric_points,
            Item::LogRecords => &self.log_records,
        }
    }
}

/// What is counted: the item of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// Item of the traces signal.
    Spans,
    /// Item of the metrics signal.
    MetricPoints,
    /// Item of the logs signal.
    LogRecords,
}

/// The kind of a family, as in a `# TYPE` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only ever grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations in fixed buckets.
    Histogram,
}

impl Kind {
    /// The word of the text exposition format.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A label name. At levels below its own the label is left out, and the series that then look alike are added up.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    pub(crate) name: &'static str,
    pub(crate) level: MetricsLevel,
    /// Whether a family that lists it has series without it.
    #[cfg_attr(not(test), expect(dead_code, reason = "said in the README, which a test compares"))]
    pub(crate) is_in_part: bool,
}

impl Label {
    const fn new(name: &'static str) -> Self {
        Self { name, level: MetricsLevel::Basic, is_in_part: false }
    }

    const fn detailed(name: &'static str) -> Self {
        Self { name, level: MetricsLevel::Detailed, is_in_part: false }
    }
}

/// Whoever counts names the label, whatever is said about it in the family's list.
impl PartialEq for Label {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Label {}

/// The label names. Values come from the configuration or from a closed set, never from a payload.
pub mod label {
    use super::Label;

    /// Id of a receiver, such as `otlp/internal`.
    pub const RECEIVER: Label = Label::new("receiver");
    /// How data came in: `grpc`, `http`, `http_v2_json` and the like.
    pub const TRANSPORT: Label = Label::new("transport");
    /// How something ended; see [`super::RequestOutcome`] and [`super::ReloadOutcome`].
    pub const OUTCOME: Label = Label::new("outcome");
    /// Id of a processor.
    pub const PROCESSOR: Label = Label::new("processor");
    /// `traces`, `metrics` or `logs`, under the name the processors' families use.
    pub const OTEL_SIGNAL: Label = Label::new("otel_signal");
    /// Id of an exporter, or of the connector in an exporter's place.
    pub const EXPORTER: Label = Label::new("exporter");
    /// `traces`, `metrics` or `logs`, under the name the exporters' families use; of a connector in an exporter's place that makes other
    /// data of them, both: `traces_to_metrics`.
    pub const DATA_TYPE: Label = Label::new("data_type");
    /// Host an HTTP exporter sends to.
    pub const SERVER_ADDRESS: Label = Label::new("server_address");
    /// Port an HTTP exporter sends to.
    pub const SERVER_PORT: Label = Label::new("server_port");
    /// Path an HTTP exporter posts to.
    pub const URL_PATH: Label = Label::new("url_path");
    /// `Shutdown`, `Canceled`, `Deadline_Exceeded`, a gRPC code name, or `_OTHER`. Level detailed.
    pub const ERROR_TYPE: Label = Label::detailed("error_type");
    /// `true` when sending again would not have helped. Level detailed.
    pub const ERROR_PERMANENT: Label = Label::detailed("error_permanent");
    /// Id of a pipeline, such as `traces/eu`.
    pub const PIPELINE: Label = Label::new("pipeline");
    /// The same in families of which the graph counts a part, which knows the pipeline, and the exporter the rest: it has one queue for all
    /// its pipelines.
    pub(crate) const PIPELINE_IN_PART: Label = Label { is_in_part: true, ..PIPELINE };
    /// Why; see [`super::DropReason`], [`super::RefuseReason`], [`super::LogDropReason`] and [`super::EventDropReason`].
    pub const REASON: Label = Label::new("reason");
    /// What a sampler took its decision by: a name of its own, or the attribute it was told to use.
    pub const POLICY: Label = Label::new("policy");
    /// `true` when a sampler let the item pass.
    pub const SAMPLED: Label = Label::new("sampled");
    /// Kind of a component: `receiver`, `processor`, `exporter`, `connector` or `extension`.
    pub const KIND: Label = Label::new("kind");
    /// Id of a component of any kind.
    pub const COMPONENT: Label = Label::new("component");
}

/// Declares an enumeration of label values with its spelling, so that values are a closed set too.
macro_rules! label_values {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $value_doc:literal])+ $variant:ident = $text:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[doc = $value_doc])+ $variant,)+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The label value as exposed.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

label_values! {
    /// Why accepted items were given up by this process.
    DropReason {
        /// The branch's queue had no room while another branch took the payload.
        QueueFull = "queue_full",
        /// One element was larger than the queue, or than anything the backend takes.
        TooLarge = "too_large",
        /// `retry_on_failure` is off, or its budget was spent on failures that a retry might have mended.
        RetriesExhausted = "retries_exhausted",
        /// The drain deadline passed.
        Shutdown = "shutdown",
        /// The item has no form in the backend's format.
        Untranslatable = "untranslatable",
        /// It was left out, as the configuration says.
        Filtered = "filtered",
        /// There is nothing in it to be sent: a data point without a value, a histogram without observations.
        Empty = "empty",
        /// The first point of a cumulative series, which later ones are measured from.
        Baseline = "baseline",
        /// A cumulative point that is no newer than one that was taken before.
        Stale = "stale",
        /// A sampler decided against it.
        Sampled = "sampled",
        /// A sampler could not decide, and `fail_closed` has it drop such items.
        FailClosed = "fail_closed",
        /// The component that held it failed.
        ComponentFailed = "component_failed",
    }
}

label_values! {
    /// Why items were not taken by whoever they were offered to.
    RefuseReason {
        /// The backend answered with a permanent error.
        Permanent = "permanent",
        /// The backend took the request and rejected some of its items.
        PartialSuccess = "partial_success",
        /// The failure went back to the sender, who still has the items.
        Returned = "returned",
    }
}

label_values! {
    /// What was left out of an item that was sent.
    TrimReason {
        /// Attributes that are not indexed.
        Metadata = "metadata",
        /// Frames of stack traces.
        StackFrames = "stack_frames",
        /// The end of a query.
        Query = "query",
        /// Ends of long attributes that are indexed.
        Annotations = "annotations",
        /// Anything else.
        Other = "other",
    }
}

label_values! {
    /// How a receiver's request ended.
    RequestOutcome {
        /// Everything in it was accepted.
        Success = "success",
        /// Turned away for a reason outside the receiver: the next consumer said no.
        Refused = "refused",
        /// The receiver could not make sense of it.
        Failure = "failure",
    }
}

label_values! {
    /// How a configuration reload ended.
    ReloadOutcome {
        /// The new configuration runs.
        Success = "success",
        /// The old configuration still runs.
        Failure = "failure",
    }
}

label_values! {
    /// Why a log record was not written.
    LogDropReason {
        /// `sampling` left it out.
        Sampled = "sampled",
        /// The output took no bytes: its reader stalls.
        OutputStalled = "output_stalled",
        /// The output failed, for instance with a broken pipe.
        OutputFailed = "output_failed",
        /// Too much was logged before the logger was configured.
        EarlyBufferFull = "early_buffer_full",
    }
}

label_values! {
    /// Why events of Lambda's Telemetry API were given up.
    EventDropReason {
        /// The memory budget is spent: log lines go, the platform's own events stay.
        BudgetSpent = "budget_spent",
        /// The batch is larger than anything the platform says it sends.
        TooLarge = "too_large",
        /// Not the array of events that it should be.
        Malformed = "malformed",
        /// Batches came faster than they could be passed on.
        Backlog = "backlog",
        /// The receiver's pipeline did not take it.
        Refused = "refused",
        /// The pipelines had not taken it when the time for stopping was over.
        Shutdown = "shutdown",
    }
}

/// Bounds for batch sizes in items: `otelcol_processor_batch_batch_send_size` upstream.
const ITEMS: &[u64] = &[
    10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000,
    9_000, 10_000, 20_000, 30_000, 50_000, 100_000,
];

/// Bounds for batch sizes in bytes: `otelcol_processor_batch_batch_send_size_bytes` upstream.
const BYTES: &[u64] = &[
    128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072, 262_144, 524_288,
    1_048_576, 2_097_152, 4_194_304, 8_388_608, 16_777_216,
];

/// One shape of the table's rows: its type, its value, its families.
macro_rules! shape {
    (@type counter) => { CounterFamily };
    (@type gauge) => { GaugeFamily };
    (@type histogram $bounds:ident) => { HistogramFamily };
    (@type counter per item) => { PerItem<CounterFamily> };
    (@wrap counter) => { CounterFamily };
    (@wrap gauge) => { GaugeFamily };
    (@wrap histogram $bounds:ident) => { HistogramFamily };
    (@kind counter) => { Kind::Counter };
    (@kind gauge) => { Kind::Gauge };
    (@kind histogram $bounds:ident) => { Kind::Histogram };
    (@bounds histogram $bounds:ident) => { $bounds };
    (@bounds $kind:ident) => { &[] };
    (@value counter per item, $name:expr, $level:ident, $labels:expr, $help:literal) => {
        PerItem {
            spans: shape!(@value counter, concat!($name, "_spans"), $level, $labels, $help),
            metric_points: shape!(@value counter, concat!($name, "_metric_points"), $level, $labels, $help),
            log_records: shape!(@value counter, concat!($name, "_log_records"), $level, $labels, $help),
        }
    };
    (@value $kind:ident $($bounds:ident)?, $name:expr, $level:ident, $labels:expr, $help:literal) => {
        shape!(@wrap $kind $($bounds)?)(Family {
            name: $name,
            help: $help,
            kind: shape!(@kind $kind $($bounds)?),
            labels: $labels,
            level: MetricsLevel::$level,
            bounds: shape!(@bounds $kind $($bounds)?),
        })
    };
    (@families $id:ident counter per item) => {
        &[&$id.spans.0, &$id.metric_points.0, &$id.log_records.0]
    };
    (@families $id:ident $kind:ident $($bounds:ident)?) => { &[&$id.0] };
}

macro_rules! families {
    ($($id:ident: $name:literal, $($shape:ident)+, $level:ident, [$($label:ident),*], $help:literal;)+) => {
        $(
            #[doc = concat!("`", $name, "`: ", $help)]
            pub static $id: shape!(@type $($shape)+) =
                shape!(@value $($shape)+, $name, $level, &[$(label::$label),*], $help);
        )+

        /// Every family, in the order of the table; those of one row stand together.
        static ROWS: &[&[&Family]] = &[$(shape!(@families $id $($shape)+)),+];
    };
}

families! {
    RECEIVER_ACCEPTED: "otelcol_receiver_accepted", counter per item, Basic, [RECEIVER, TRANSPORT],
        "Items that the receiver handed to its pipelines.";
    RECEIVER_REFUSED: "otelcol_receiver_refused", counter per item, Basic, [RECEIVER, TRANSPORT],
        "Items that the pipelines would not take; a sender that waits for an answer was told.";
    RECEIVER_FAILED: "otelcol_receiver_failed", counter per item, Basic, [RECEIVER, TRANSPORT],
        "Items that the receiver itself could not process; a sender that waits for an answer was told.";
    RECEIVER_REQUESTS: "otelcol_receiver_requests", counter, Basic, [RECEIVER, TRANSPORT, OUTCOME],
        "Requests that the receiver answered.";
    RECEIVER_REPAIRED_STRINGS: "otelcol_receiver_repaired_strings", counter, Basic, [RECEIVER, TRANSPORT],
        "Strings that were not UTF-8 and were repaired with U+FFFD; their items were kept.";

    PROCESSOR_INCOMING: "otelcol_processor_incoming_items", counter, Basic, [PROCESSOR, OTEL_SIGNAL],
        "Items that entered the processor.";
    PROCESSOR_OUTGOING: "otelcol_processor_outgoing_items", counter, Basic, [PROCESSOR, OTEL_SIGNAL],
        "Items that left the processor for the next consumer.";
    BATCH_SEND_SIZE: "otelcol_processor_batch_batch_send_size", histogram ITEMS, Normal, [PROCESSOR],
        "Items in a batch that was sent on.";
    BATCH_SEND_SIZE_BYTES: "otelcol_processor_batch_batch_send_size_bytes", histogram BYTES, Detailed, [PROCESSOR],
        "Encoded bytes in a batch that was sent on.";
    BATCH_SIZE_TRIGGER_SEND: "otelcol_processor_batch_batch_size_trigger_send", counter, Normal, [PROCESSOR],
        "Batches sent because they were full.";
    BATCH_TIMEOUT_TRIGGER_SEND: "otelcol_processor_batch_timeout_trigger_send", counter, Normal, [PROCESSOR],
        "Batches sent because their time was up.";
    BATCH_METADATA_CARDINALITY: "otelcol_processor_batch_metadata_cardinality", gauge, Normal, [PROCESSOR],
        "Combinations of client metadata values that have a batch of their own.";
    MEMORY_LIMITER_ACCEPTED: "otelcol_processor_memory_limiter_accepted", counter per item, Basic, [PROCESSOR],
        "Items that the memory limiter let pass.";
    MEMORY_LIMITER_REFUSED: "otelcol_processor_memory_limiter_refused", counter per item, Basic, [PROCESSOR],
        "Items that the memory limiter turned away; the sender was told.";

    SAMPLER_TRACES_SAMPLED: "otelcol_processor_probabilistic_sampler_count_traces_sampled", counter, Basic,
        [PROCESSOR, POLICY, SAMPLED],
        "Spans that were sampled or not; deprecated upstream for the family of spans processed.";
    SAMPLER_SPANS_PROCESSED: "otelcol_processor_probabilistic_sampler_count_spans_processed", counter, Basic,
        [PROCESSOR, POLICY, SAMPLED],
        "Spans that were sampled or not.";
    SAMPLER_LOGS_SAMPLED: "otelcol_processor_probabilistic_sampler_count_logs_sampled", counter, Basic,
        [PROCESSOR, POLICY, SAMPLED],
        "Log records that were sampled or not.";

    EXPORTER_SENT: "otelcol_exporter_sent", counter per item, Basic,
        [EXPORTER, SERVER_ADDRESS, SERVER_PORT, URL_PATH],
        "Items in requests that the backend acknowledged.";
    EXPORTER_SEND_FAILED: "otelcol_exporter_send_failed", counter per item, Basic,
        [EXPORTER, SERVER_ADDRESS, SERVER_PORT, URL_PATH, ERROR_TYPE, ERROR_PERMANENT],
        "Items in requests that failed for good, retries included.";
    EXPORTER_ENQUEUE_FAILED: "otelcol_exporter_enqueue_failed", counter per item, Basic, [EXPORTER],
        "Items for which the sending queue had no room.";
    EXPORTER_QUEUE_SIZE: "otelcol_exporter_queue_size", gauge, Basic, [EXPORTER, DATA_TYPE],
        "What the sending queue holds, in the queue's sizer's unit.";
    EXPORTER_QUEUE_CAPACITY: "otelcol_exporter_queue_capacity", gauge, Basic, [EXPORTER, DATA_TYPE],
        "What the sending queue can hold, in the queue's sizer's unit.";
    EXPORTER_IN_FLIGHT_REQUESTS: "otelcol_exporter_in_flight_requests", gauge, Basic, [EXPORTER, DATA_TYPE],
        "Requests being sent, waiting for an answer or for their next retry.";
    EXPORTER_QUEUE_BATCH_SEND_SIZE: "otelcol_exporter_queue_batch_send_size", histogram ITEMS, Detailed, [EXPORTER],
        "Items in a request after the sending queue's batching.";
    EXPORTER_QUEUE_BATCH_SEND_SIZE_BYTES: "otelcol_exporter_queue_batch_send_size_bytes", histogram BYTES, Detailed,
        [EXPORTER],
        "Bytes in a request after the sending queue's batching.";
    EXPORTER_ENQUEUE_SIZE: "otelcol_exporter_enqueue_size", histogram ITEMS, Detailed, [EXPORTER],
        "Items in a payload offered to the sending queue.";
    EXPORTER_ENQUEUE_SIZE_BYTES: "otelcol_exporter_enqueue_size_bytes", histogram BYTES, Detailed, [EXPORTER],
        "Bytes in a payload offered to the sending queue.";
    EXPORTER_RETRIES: "otelcol_exporter_retries", counter, Basic, [EXPORTER, DATA_TYPE],
        "Requests sent again after a failure.";

    EXPORTER_TRIMMED_ITEMS: "otelcol_exporter_trimmed_items", counter, Basic, [EXPORTER, REASON],
        "Items that were sent without some of what they hold, which the backend has no room for.";

    EXPORTER_ACCEPTED_ITEMS: "otelcol_exporter_accepted_items", counter, Basic, [PIPELINE_IN_PART, EXPORTER, DATA_TYPE],
        "Items that entered the exporter branch.";
    EXPORTER_DELIVERED_ITEMS: "otelcol_exporter_delivered_items", counter, Basic, [PIPELINE_IN_PART, EXPORTER, DATA_TYPE],
        "Items that the backend took, those rejected by a partial success left out.";
    EXPORTER_REFUSED_ITEMS: "otelcol_exporter_refused_items", counter, Basic,
        [PIPELINE_IN_PART, EXPORTER, DATA_TYPE, REASON],
        "Items of the branch that the backend refused, or that went back to the sender.";
    EXPORTER_DROPPED_ITEMS: "otelcol_exporter_dropped_items", counter, Basic,
        [PIPELINE_IN_PART, EXPORTER, DATA_TYPE, REASON],
        "Items of the branch that this process gave up.";
    EXPORTER_HELD_ITEMS: "otelcol_exporter_held_items", gauge, Basic, [EXPORTER, DATA_TYPE],
        "Items of the branch that are batched, queued, in flight or waiting for a retry.";

    PIPELINE_ACCEPTED_ITEMS: "hikyaku_pipeline_accepted_items", counter, Basic, [PIPELINE],
        "Items that entered the pipeline.";
    PIPELINE_FORWARDED_ITEMS: "hikyaku_pipeline_forwarded_items", counter, Basic, [PIPELINE],
        "Items that came out of the last processor, counted once however many exporters follow.";
    PIPELINE_REFUSED_ITEMS: "hikyaku_pipeline_refused_items", counter, Basic, [PIPELINE],
        "Items that entered the pipeline and were given back to the sender.";
    PIPELINE_DROPPED_ITEMS: "hikyaku_pipeline_dropped_items", counter, Basic, [PIPELINE, REASON],
        "Items that a processor removed or lost.";
    PIPELINE_HELD_ITEMS: "hikyaku_pipeline_held_items", gauge, Basic, [PIPELINE],
        "Items inside the pipeline's processors.";
    CONNECTOR_DROPPED_ITEMS: "hikyaku_connector_dropped_items", counter, Basic, [COMPONENT, DATA_TYPE, REASON],
        "Items that the connector made and gave up.";
    CONNECTOR_HELD_ITEMS: "hikyaku_connector_held_items", gauge, Basic, [COMPONENT, DATA_TYPE],
        "Items that the connector made and has not handed on yet.";
    APM_STATS_COLLAPSED_SPANS: "hikyaku_apm_stats_collapsed_spans", counter, Basic, [COMPONENT],
        "Spans whose APM stats are counted under tracer_blocked_value, since there is more to tell apart than the caps allow.";

    MEMORY_BUDGET_BYTES: "hikyaku_memory_budget_bytes", gauge, Basic, [],
        "Limit on the bytes of telemetry held in this process.";
    MEMORY_BUDGET_USED_BYTES: "hikyaku_memory_budget_used_bytes", gauge, Basic, [],
        "Bytes of telemetry held in this process.";
    CONFIG_RELOADS: "hikyaku_config_reloads", counter, Basic, [OUTCOME],
        "Configuration reloads that were asked for.";
    CONFIG_LAST_RELOAD_SUCCESSFUL: "hikyaku_config_last_reload_successful", gauge, Basic, [],
        "1 when the last reload took effect (or none was asked for), 0 when the old configuration was kept.";
    LAMBDA_TELEMETRY_EVENTS: "hikyaku_lambda_telemetry_events", counter, Basic, [],
        "Events of Lambda's Telemetry API that were understood.";
    LAMBDA_TELEMETRY_DROPPED_EVENTS: "hikyaku_lambda_telemetry_dropped_events", counter, Basic, [REASON],
        "Events of Lambda's Telemetry API that were given up; a batch that cannot be read counts as one.";
    COMPONENT_FAILURES: "hikyaku_component_failures", counter, Basic, [KIND, COMPONENT],
        "Tasks of a component that panicked or ended before they were told to.";
    LOG_RECORDS_DROPPED: "hikyaku_log_records_dropped", counter, Basic, [REASON],
        "Records of the process's own log that were not written.";

    PROCESS_UPTIME: "otelcol_process_uptime", counter, Basic, [],
        "Seconds since the process started.";
    PROCESS_CPU_SECONDS: "otelcol_process_cpu_seconds", counter, Basic, [],
        "User and system CPU time of the process in seconds.";
    PROCESS_MEMORY_RSS: "otelcol_process_memory_rss", gauge, Basic, [],
        "Resident memory of the process in bytes.";
}

/// Every family there is, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Family> {
    ROWS.iter().flat_map(|row| row.iter().copied())
}

#[cfg(test)]
mod tests;
