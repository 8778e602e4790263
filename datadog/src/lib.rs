//! What Datadog makes of OpenTelemetry: shared by the exporter and the connector.
//!
//! - [`source`]: the host that telemetry comes from, or the platform without hosts.
//! - [`tags`]: what a resource becomes as Datadog's tags.
//! - [`span`]: what a span is called and how it counts; [`naming`] has the rules, [`chunks`] the spans of a trace.
//! - [`obfuscate`]: what is taken out of resources and tags before anybody counts or sends them.
//! - [`stats`]: hits, errors and latencies of spans.
//! - [`keys`] and [`attributes`]: the attributes that mean something to Datadog; [`normalize`]: names and tags as the backend keeps them.
//!
//! - [`meter`]: statistics of spans, handed on in step with time; [`settings`]: what both read of their config.
//!
//! Everything else than the meter is pure translation and counting: no network, no clock but the one that is handed in.

pub mod attributes;
pub mod chunks;
pub mod function;
pub mod keys;
pub mod meter;
pub mod naming;
pub mod normalize;
pub mod obfuscate;
pub mod settings;
pub mod source;
pub mod span;
pub mod stats;
pub mod tags;

mod letters;
mod types;

#[cfg(test)]
mod fixtures;
