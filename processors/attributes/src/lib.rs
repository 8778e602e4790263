//! The `attributes` processor: changes the attributes of spans, data points and log records.

mod config;
mod filter;
mod matching;
mod process;
mod properties;

use std::sync::Arc;

use pdata::{Payload, Signal};
use pipeline::{BuildError, BuildProcessor, Client, ProcessorFactory};

use crate::config::Config;

/// The factory.
pub static FACTORY: ProcessorFactory = ProcessorFactory {
    component_type: "attributes",
    aliases: &[],
    signals: &Signal::ALL,
    parse: |section| -> BuildProcessor {
        let config = Arc::new(Config::read(section));
        Box::new(move |context, next| {
            if let Some(signal) = context.signal {
                config.matching.check(signal).map_err(BuildError)?;
            }
            let config = config.clone();
            let edit = move |payload: &mut Payload, client: &Client| {
                process::process(&config, payload, client);
            };
            Ok(attributes::processor(&context, next, edit))
        })
    },
};
