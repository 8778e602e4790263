//! APM statistics: hits, errors and latencies of spans by ten seconds and group, which Datadog shows as `trace.*` metrics.
//!
//! A [`Concentrator`] counts [`StatSpan`]s; what it gives out goes to the intake as MessagePack, or inside an OTLP metric from a connector to an
//! exporter ([`wrap`], [`unwrap`]). A [`Driver`] is all of it: payloads of traces in, such metrics out. A caller hands in the time; nothing
//! here reads a clock.

mod bucket;
mod concentrator;
mod driver;
mod extract;
#[cfg(test)]
mod fixtures;
mod flushed;
mod grpc;
mod input;
mod key;
mod metric;
mod msgpack;
mod payload;
mod payloads;
mod peers;
mod proto;
mod sketch;
mod split;

pub use bucket::{Collapsed, Limits};
pub use concentrator::{Concentrator, ConcentratorSettings, PayloadStats};
pub use driver::{Driver, DriverSettings};
pub use flushed::Flushed;
pub use grpc::grpc_status_code;
pub use input::{PayloadKey, StatSpan, Tag};
pub use metric::{METRIC_NAME, is_stats, unwrap, wrap};
pub use payload::{ClientGroupedStats, ClientStatsBucket, ClientStatsPayload, StatsPayload};
pub use peers::hide_addresses;
pub use proto::NotStats;
pub use split::ENTRIES_MAX;
