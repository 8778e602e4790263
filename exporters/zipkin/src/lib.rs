//! The `zipkin` exporter: spans to a Zipkin server, as v2 JSON or protobuf over HTTP.

pub mod translate;

mod config;
mod send;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildExporter, ExporterFactory};

/// The factory.
pub static FACTORY: ExporterFactory = ExporterFactory {
    component_type: "zipkin",
    aliases: &[],
    signals: &[Signal::Traces],
    parse: |section| -> BuildExporter {
        let config = Arc::new(config::Config::read(section));
        Box::new(move |context| send::build(&config, context))
    },
};
