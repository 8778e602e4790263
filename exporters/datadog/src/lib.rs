//! The `datadog` exporter: traces, metrics and logs to Datadog's intake.

mod config;
mod exporter;
mod intake;
pub mod traces;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildExporter, ExporterFactory};

/// The factory.
pub static FACTORY: ExporterFactory = ExporterFactory {
    component_type: "datadog",
    aliases: &[],
    signals: &Signal::ALL,
    parse: |section| -> BuildExporter {
        let frame = exporter::Shared::new(Arc::new(config::Config::read(section)));
        Box::new(move |context| exporter::build(&frame, context))
    },
};
