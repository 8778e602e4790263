//! The `coldstart` processor: puts the span of a function's cold start into the trace of the invocation that waited for it.
//!
//! The span comes from the `telemetryapi` receiver, in a trace of its own, and the invocation's from the function; whichever comes first is
//! remembered until the other is there. This happens once in a process.

mod config;
mod pairing;
mod process;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildProcessor, Processor, ProcessorFactory};

/// The factory.
pub static FACTORY: ProcessorFactory = ProcessorFactory {
    component_type: "coldstart",
    aliases: &[],
    signals: &[Signal::Traces],
    parse: |section| -> BuildProcessor {
        config::read(section);
        Box::new(move |context, next| {
            Ok(Arc::new(process::ColdStart::new(&context, next)) as Arc<dyn Processor>)
        })
    },
};
