//! The `health_check` service extension: a page that says whether the agent is ready.
//!
//! Ready means that the config is loaded and every receiver listens. While the agent starts, and from the moment it is asked to stop,
//! the page says that it is not, so that a load balancer or an orchestrator looks elsewhere.

mod config;
mod page;
mod server;
mod time;

use std::sync::Arc;

use pipeline::{BuildExtension, Extension, ExtensionFactory};

/// The factory.
pub static FACTORY: ExtensionFactory = ExtensionFactory {
    component_type: "health_check",
    aliases: &["healthcheckv2"],
    provides: &[],
    probe: Some(|section| config::Config::read(section).probe()),
    parse: |section| -> BuildExtension {
        let config = Arc::new(config::Config::read(section));
        Box::new(move |context| {
            Ok(Arc::new(server::HealthCheck::new(config.clone(), context)) as Arc<dyn Extension>)
        })
    },
};
