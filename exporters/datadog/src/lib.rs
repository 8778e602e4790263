//! The `datadog` exporter: traces, metrics and logs to Datadog's intake.

pub mod logs;
pub mod traces;

mod config;
mod exporter;
mod function;
mod host;
mod intake;
mod key;
mod metrics;
mod stats;
#[cfg(test)]
mod testing;

use pdata::Signal;
use pipeline::{BuildExporter, ExporterFactory};

/// The factory.
pub static FACTORY: ExporterFactory = ExporterFactory {
    component_type: "datadog",
    aliases: &[],
    signals: &Signal::ALL,
    parse: |section| -> BuildExporter {
        let shared = exporter::Shared::new(config::Config::read(section));
        Box::new(move |context| exporter::build(&shared, context))
    },
};
