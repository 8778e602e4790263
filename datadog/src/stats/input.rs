//! What the concentrator is given: spans as Datadog sees them, borrowed from wherever they are.

use std::borrow::Cow;

/// A tag: its key and its value.
pub type Tag<'a> = (&'a str, Cow<'a, str>);

/// What the statistics need of a span, under Datadog's names and already normalised.
#[derive(Clone, Copy, Debug, Default)]
pub struct StatSpan<'a> {
    /// Service.
    pub service: &'a str,
    /// Operation name.
    pub name: &'a str,
    /// Resource, obfuscated.
    pub resource: &'a str,
    /// Type: `web`, `sql`, `custom`…
    pub span_type: &'a str,
    /// Kind in lower case: `server`, `client`, `producer`, `consumer`, `internal`, `unspecified`.
    pub kind: &'a str,
    /// HTTP status code; 0 for none.
    pub http_status_code: u32,
    /// gRPC status code; see [`grpc_status_code`](super::grpc_status_code).
    pub grpc_status_code: Option<u32>,
    /// HTTP method. Upstream leaves it empty for OTLP spans.
    pub http_method: &'a str,
    /// HTTP route or simplified path. Upstream leaves it empty for OTLP spans.
    pub http_endpoint: &'a str,
    /// Who chose the service's name (`_dd.svc_src`).
    pub service_source: &'a str,
    /// Keys and values that describe the peer, in an order that depends on the keys alone, addresses hidden; see
    /// [`hide_addresses`](super::hide_addresses).
    pub peer_tags: &'a [Tag<'a>],
    /// Further dimensions, in an order that depends on the keys alone. Upstream has none for OTLP spans.
    pub additional_tags: &'a [Tag<'a>],
    /// Whether it failed.
    pub error: bool,
    /// Whether it has no parent.
    pub trace_root: bool,
    /// Whether it is the first of its service.
    pub top_level: bool,
    /// Whether somebody asked for its statistics (`_dd.measured`).
    pub measured: bool,
    /// Whether it is not over yet (`_dd.partial_version`).
    pub partial: bool,
    /// Whether a synthetic test made it.
    pub synthetics: bool,
    /// Start in nanoseconds since 1970.
    pub start: u64,
    /// Duration in nanoseconds.
    pub duration: u64,
    /// How many spans it stands for: 1, or more where a sampler dropped its like. What is not a number of at least 1 counts as 1.
    pub weight: f64,
}

/// What all spans of a deployment have in common: one `ClientStatsPayload` each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayloadKey<'a> {
    /// Environment; never empty on the wire: the concentrator's own takes its place.
    pub env: &'a str,
    /// Host; empty where there is none, as on Fargate and Lambda.
    pub hostname: &'a str,
    /// The application's version.
    pub version: &'a str,
    /// Container.
    pub container_id: &'a str,
    /// Language. Upstream leaves it empty for OTLP spans.
    pub lang: &'a str,
    /// Commit. Upstream leaves it empty for OTLP spans.
    pub git_commit_sha: &'a str,
    /// Image tag. Upstream leaves it empty for OTLP spans.
    pub image_tag: &'a str,
    /// The service before an override (`_dd.base_service` of the trace's root).
    pub base_service: &'a str,
    /// Tags of the container, as `key:value`, normalised and sorted. They belong to the container, so they do not tell deployments
    /// apart: the last ones win. Without a container id there are none.
    pub container_tags: &'a [&'a str],
}
