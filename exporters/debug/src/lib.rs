//! The `debug` exporter: shows telemetry to a person.
//!
//! `basic`, `normal` and `detailed` print payloads as they come, in the Collector's layouts. `tree`, which is ours, gathers the spans
//! of a trace and draws them.

mod config;
mod detailed;
mod display;
#[cfg(test)]
mod fixtures;
mod lines;
mod normal;
mod output;
mod print;
mod records;
mod sampler;
mod severity;
mod style;
mod tree;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildExporter, Exporter, ExporterFactory};

use crate::config::{Config, Destination, Verbosity};
use crate::output::Outputs;

/// The factory.
pub static FACTORY: ExporterFactory = ExporterFactory {
    component_type: "debug",
    aliases: &["logging"],
    signals: &Signal::ALL,
    parse: |section| -> BuildExporter {
        let config = Arc::new(Config::read(section));
        let paths = match &config.destination {
            Destination::Log => vec!["stderr".to_owned()],
            Destination::Paths(paths) => paths.clone(),
        };
        // One for all signals, so that their texts do not run into each other.
        let outputs = Arc::new(Outputs::new(paths));
        Box::new(move |context| match (config.verbosity, context.signal) {
            (Verbosity::Tree, Some(Signal::Traces)) => {
                let tree = tree::Tree::new(config.clone(), context, outputs.clone());
                Ok(Arc::new(tree) as Arc<dyn Exporter>)
            }
            _ => print::exporter(&config, context, outputs.clone()),
        })
    },
};
