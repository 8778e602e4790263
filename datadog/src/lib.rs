//! What Datadog makes of OpenTelemetry: shared by the exporter and the connector.
//!
//! - [`source`]: the host that telemetry comes from, or the platform without hosts.
//! - [`tags`]: what a resource becomes as Datadog's tags.
//!
//! Everything here is pure translation and counting: no network, no clock but the one that is handed in.

pub mod normalize;
pub mod source;
pub mod tags;

#[cfg(test)]
mod fixtures;
