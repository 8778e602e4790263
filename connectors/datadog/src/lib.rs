//! The `datadog` connector: APM statistics of all spans, before anything samples them, and the spans themselves.
//!
//! From traces to metrics it counts spans and hands on their statistics, which the `datadog` exporter sends; from traces to traces it passes
//! spans on unchanged, so that a sampler can stand behind it.

mod config;
mod pass;

#[cfg(test)]
mod golden;

use std::sync::Arc;

use datadog::meter::Meter;
use pdata::Signal;
use pipeline::{BuildConnector, Connector, ConnectorFactory};

/// The factory.
pub static FACTORY: ConnectorFactory = ConnectorFactory {
    component_type: "datadog",
    aliases: &[],
    signals: &[(Signal::Traces, Signal::Metrics), (Signal::Traces, Signal::Traces)],
    parse: |section| -> BuildConnector {
        let config = config::Config::read(section);
        Box::new(move |context, to, outlet| -> Result<Arc<dyn Connector>, _> {
            Ok(match to {
                Signal::Metrics => {
                    Arc::new(Meter::new(config.stats.clone(), config.interval, context, outlet))
                }
                Signal::Traces | Signal::Logs => Arc::new(pass::Pass::new(outlet)),
            })
        })
    },
};
