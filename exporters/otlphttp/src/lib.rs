//! The `otlphttp` exporter: OTLP over HTTP, protobuf or JSON.
//!
//! A protobuf request is the payload's own bytes, compressed once.

mod config;
mod send;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildExporter, ExporterFactory};

/// The factory.
pub static FACTORY: ExporterFactory = ExporterFactory {
    component_type: "otlphttp",
    aliases: &["otlp_http"],
    signals: &Signal::ALL,
    parse: |section| -> BuildExporter {
        let config = Arc::new(config::Config::read(section));
        Box::new(move |context| send::build(&config, context))
    },
};
