//! The `otlp` exporter: OTLP over gRPC.
//!
//! A message is the payload's own bytes behind a five-byte prefix, compressed once.

mod config;
mod send;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildExporter, ExporterFactory};

/// The factory.
pub static FACTORY: ExporterFactory = ExporterFactory {
    component_type: "otlp",
    aliases: &["otlp_grpc"],
    signals: &Signal::ALL,
    parse: |section| -> BuildExporter {
        let config = Arc::new(config::Config::read(section));
        Box::new(move |context| send::build(&config, context))
    },
};
