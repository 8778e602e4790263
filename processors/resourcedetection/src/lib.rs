//! The `resourcedetection` processor: adds to each resource what can be found out about where this agent runs.
//!
//! A [detector](detectors) asks one source: variables, the operating system, the ECS task, the EC2 instance. All of them begin when the
//! processor starts, side by side and in the background, so that none holds up the start. The first payloads wait for them, at most until
//! `timeout` after the start; what is found later goes into later payloads.

mod config;
mod detected;
mod detection;
mod detectors;
mod process;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildProcessor, Processor, ProcessorFactory};

use crate::config::Config;
use crate::detection::Detection;
use crate::process::ResourceDetection;

/// The factory.
pub static FACTORY: ProcessorFactory = ProcessorFactory {
    component_type: "resourcedetection",
    aliases: &["resource_detection"],
    signals: &Signal::ALL,
    parse: |section| -> BuildProcessor {
        let config = Config::read(section);
        // One detection for all pipelines that the processor stands in.
        let detection = Arc::new(Detection::new(config, aws::Environment::process()));
        Box::new(move |context, next| {
            let processor = ResourceDetection::new(detection.clone(), context, next);
            Ok(Arc::new(processor) as Arc<dyn Processor>)
        })
    },
};
