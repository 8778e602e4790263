//! What AWS Lambda offers an extension, and what the extension and its components share of it.

pub mod telemetry;
