//! The whole of metrics: cases on file, the exporter against a backend, and what holds for any payload.

mod golden;
mod property;
mod push;
