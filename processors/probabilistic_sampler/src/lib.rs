//! The `probabilistic_sampler` processor: keeps a share of spans and log records, the same ones wherever it is asked.
//!
//! A decision compares an item's randomness, of 56 bits, with a threshold ([`value`]). The mode says where the randomness is from and how
//! the threshold is come by ([`sampler`]); spans and log records say in their own ways how they were sampled before ([`span`], [`log`]).

mod config;
mod hash;
mod log;
mod process;
mod sampler;
mod span;
mod trace_state;
mod value;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildProcessor, Processor, ProcessorFactory};

use crate::config::Config;
use crate::process::ProbabilisticSampler;

/// The factory.
pub static FACTORY: ProcessorFactory = ProcessorFactory {
    component_type: "probabilistic_sampler",
    aliases: &[],
    signals: &[Signal::Traces, Signal::Logs],
    parse: |section| -> BuildProcessor {
        let config = Arc::new(Config::read(section));
        Box::new(move |context, next| {
            let processor = ProbabilisticSampler::new(config.clone(), &context, next);
            Ok(Arc::new(processor) as Arc<dyn Processor>)
        })
    },
};
