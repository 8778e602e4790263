//! The `resource` processor: changes the attributes of resources.

mod config;

use std::sync::Arc;

use pdata::{Payload, Signal};
use pipeline::{BuildProcessor, Client, ProcessorFactory};

use crate::config::Config;

/// The factory.
pub static FACTORY: ProcessorFactory = ProcessorFactory {
    component_type: "resource",
    aliases: &[],
    signals: &Signal::ALL,
    parse: |section| -> BuildProcessor {
        let config = Arc::new(Config::read(section));
        Box::new(move |context, next| {
            let config = config.clone();
            let edit = move |payload: &mut Payload, client: &Client| {
                payload.edit_resources(|resource| {
                    config.attributes.apply(&mut resource.attributes(), client);
                });
            };
            Ok(attributes::processor(&context, next, edit))
        })
    },
};

#[cfg(test)]
mod tests;
