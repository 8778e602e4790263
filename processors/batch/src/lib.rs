//! The `batch` processor: joins small payloads into large ones, without decoding them.
//!
//! It answers when a payload is in memory, as the Collector's does, and holds what it cannot pass on: where the Collector would log
//! and lose a refused batch, this one keeps it, tries again, and pushes back to its senders.

mod accumulator;
mod config;
mod process;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildProcessor, Processor, ProcessorFactory};

/// The factory.
pub static FACTORY: ProcessorFactory = ProcessorFactory {
    component_type: "batch",
    aliases: &[],
    signals: &Signal::ALL,
    parse: |section| -> BuildProcessor {
        let config = Arc::new(config::Config::read(section));
        Box::new(move |context, next| {
            Ok(Arc::new(process::Batch::new(config.clone(), context, next)) as Arc<dyn Processor>)
        })
    },
};
