//! What Datadog makes of OpenTelemetry: shared by the exporter and the connector.
//!
//! Everything here is pure translation and counting: no network, no clock but the one that is handed in.

mod letters;
pub mod obfuscate;
