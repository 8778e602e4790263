//! The `awsxray` exporter: spans to AWS X-Ray, as segment documents.

pub mod translate;

mod answer;
mod config;
mod delivery;
mod exporter;

#[cfg(test)]
mod testing;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildExporter, ExporterFactory};

/// The factory.
pub static FACTORY: ExporterFactory = ExporterFactory {
    component_type: "awsxray",
    aliases: &[],
    signals: &[Signal::Traces],
    parse: |section| -> BuildExporter {
        let config = Arc::new(config::Config::read(section));
        Box::new(move |context| exporter::build(&config, context))
    },
};
