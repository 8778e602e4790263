//! Statistics on their way to Datadog: the messages of DataDog/datadog-agent `pkg/proto/datadog/trace/stats.proto`, their text borrowed from
//! wherever it is.

use std::borrow::Cow;

/// What a request to the intake carries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatsPayload<'a> {
    /// Host of whoever sends it.
    pub agent_hostname: &'a str,
    /// Environment of whoever sends it.
    pub agent_env: &'a str,
    /// Version of whoever sends it.
    pub agent_version: &'a str,
    /// Whether applications computed it themselves.
    pub client_computed: bool,
    /// Whether it is a part of a larger one.
    pub split_payload: bool,
    /// Statistics by deployment.
    pub stats: Vec<ClientStatsPayload<'a>>,
}

/// Statistics of one deployment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientStatsPayload<'a> {
    /// Host.
    pub hostname: &'a str,
    /// Environment.
    pub env: &'a str,
    /// The application's version.
    pub version: &'a str,
    /// Statistics by time.
    pub stats: Vec<ClientStatsBucket<'a>>,
    /// Language.
    pub lang: &'a str,
    /// Version of the library that made the spans.
    pub tracer_version: &'a str,
    /// Id of the process that computed it.
    pub runtime_id: &'a str,
    /// Number among the payloads of this process.
    pub sequence: u64,
    /// How an agent changed it.
    pub agent_aggregation: &'a str,
    /// The deployment's main service.
    pub service: &'a str,
    /// Container.
    pub container_id: &'a str,
    /// Tags of the container.
    pub tags: Vec<&'a str>,
    /// Commit.
    pub git_commit_sha: &'a str,
    /// Image tag.
    pub image_tag: &'a str,
    /// Hash of the next field.
    pub process_tags_hash: u64,
    /// Tags of the process.
    pub process_tags: &'a str,
}

/// Statistics of one stretch of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientStatsBucket<'a> {
    /// Start in nanoseconds since 1970.
    pub start: u64,
    /// Length in nanoseconds.
    pub duration: u64,
    /// Statistics by group.
    pub stats: Vec<ClientGroupedStats<'a>>,
    /// By how much an agent moved it, in nanoseconds.
    pub agent_time_shift: i64,
}

/// Statistics of one group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientGroupedStats<'a> {
    /// Service.
    pub service: &'a str,
    /// Operation name.
    pub name: &'a str,
    /// Resource.
    pub resource: &'a str,
    /// HTTP status code; 0 for none.
    pub http_status_code: u32,
    /// Type.
    pub span_type: &'a str,
    /// Type of database; not in use.
    pub db_type: &'a str,
    /// Spans.
    pub hits: u64,
    /// Spans that failed.
    pub errors: u64,
    /// Duration of all spans in nanoseconds.
    pub duration: u64,
    /// Durations of those that did not fail: a protobuf `DDSketch`.
    pub ok_summary: Cow<'a, [u8]>,
    /// Durations of those that failed: a protobuf `DDSketch`.
    pub error_summary: Cow<'a, [u8]>,
    /// Whether synthetic tests made them.
    pub synthetics: bool,
    /// Spans that were the first of their service.
    pub top_level_hits: u64,
    /// Kind.
    pub span_kind: &'a str,
    /// What describes the peer, as `key:value`.
    pub peer_tags: Vec<Cow<'a, str>>,
    /// Whether they are roots of their traces: 0 unset, 1 yes, 2 no.
    pub is_trace_root: u32,
    /// gRPC status code in decimal; empty for none.
    pub grpc_status_code: Cow<'a, str>,
    /// HTTP method.
    pub http_method: &'a str,
    /// HTTP route or simplified path.
    pub http_endpoint: &'a str,
    /// Who chose the service's name.
    pub service_source: &'a str,
    /// The older form of the next field.
    pub span_derived_primary_tags: Vec<Cow<'a, str>>,
    /// Further dimensions, as `key:value`.
    pub additional_metric_tags: Vec<Cow<'a, str>>,
}

impl StatsPayload<'_> {
    /// Groups in it.
    pub fn entries(&self) -> usize {
        self.stats.iter().map(ClientStatsPayload::entries).sum()
    }
}

impl ClientStatsPayload<'_> {
    /// Groups in it.
    pub fn entries(&self) -> usize {
        self.stats.iter().map(|bucket| bucket.stats.len()).sum()
    }
}
