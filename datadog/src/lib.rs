//! What Datadog makes of OpenTelemetry: shared by the exporter and the connector.
//!
//! Everything here is pure translation and counting: no network, no clock but the one that is handed in.

pub mod attributes;
pub mod keys;
pub mod naming;
pub mod normalize;

mod types;
