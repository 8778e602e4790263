//! The endpoints of Datadog's intake.

use config::Compression;
use http::{HeaderValue, Method};

/// What requests are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// Spans: an `AgentPayload` in protobuf.
    Traces,
    /// APM stats: a `StatsPayload` in MessagePack.
    Stats,
    /// Series: a `MetricPayload` in protobuf.
    Series,
    /// Distributions: a `SketchPayload` in protobuf.
    Sketches,
    /// Log records: a list of objects in JSON.
    Logs,
    /// The check of the API key.
    Validate,
    /// Host metadata in JSON.
    HostMetadata,
}

/// The settings that hold the base of an endpoint's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// `traces::endpoint`.
    Traces,
    /// `metrics::endpoint`.
    Metrics,
    /// `logs::endpoint`.
    Logs,
}

impl Endpoint {
    /// Which of the settings it stands below.
    pub(crate) fn base(self) -> Base {
        match self {
            Self::Traces | Self::Stats => Base::Traces,
            Self::Series | Self::Sketches | Self::Validate | Self::HostMetadata => Base::Metrics,
            Self::Logs => Base::Logs,
        }
    }

    /// The path behind the base.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Traces => "/api/v0.2/traces",
            Self::Stats => "/api/v0.2/stats",
            Self::Series => "/api/v2/series",
            Self::Sketches => "/api/beta/sketches",
            Self::Logs => "/api/v2/logs",
            Self::Validate => "/api/v1/validate",
            Self::HostMetadata => "/intake",
        }
    }

    /// The method.
    pub(crate) fn method(self) -> Method {
        if self == Self::Validate { Method::GET } else { Method::POST }
    }

    /// The media type of its bodies; none where there is no body.
    pub(crate) fn content_type(self) -> Option<HeaderValue> {
        let media_type = match self {
            Self::Traces | Self::Series | Self::Sketches => "application/x-protobuf",
            Self::Stats => "application/msgpack",
            Self::Logs | Self::HostMetadata => "application/json",
            Self::Validate => return None,
        };
        Some(HeaderValue::from_static(media_type))
    }

    /// How its bodies are compressed, unless a setting says otherwise: with zstd, which takes half the time of gzip for two thirds of the
    /// bytes, where clients of Datadog's own send it. Those are the Agent, and the Lambda extension for logs.
    pub(crate) fn compression(self) -> Compression {
        match self {
            Self::Traces | Self::Series | Self::Sketches | Self::Logs => Compression::Zstd,
            Self::Stats | Self::HostMetadata => Compression::Gzip,
            Self::Validate => Compression::None,
        }
    }
}
