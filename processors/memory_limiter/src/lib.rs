//! The `memory_limiter` processor: refuses data while memory is short, so that senders keep it.
//!
//! It measures what the kernel charges the process for (its control group, or its resident memory where no group has a limit), not what a
//! language runtime believes to use, since it is the kernel that ends a process. The data path is one atomic load; measuring is a task's.

mod config;
mod process;
mod usage;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildError, BuildProcessor, Context, Outlet, Processor, ProcessorFactory};

use crate::config::Config;
use crate::process::MemoryLimiter;
use crate::usage::System;

/// The factory.
pub static FACTORY: ProcessorFactory = ProcessorFactory {
    component_type: "memory_limiter",
    aliases: &[],
    signals: &Signal::ALL,
    parse: |section| -> BuildProcessor {
        let config = Config::read(section);
        Box::new(move |context, next| build(&config, context, next))
    },
};

fn build(
    config: &Config,
    context: Context,
    next: Outlet,
) -> Result<Arc<dyn Processor>, BuildError> {
    let (limits, source) = usage::limits(config, &System::this())?;
    Ok(Arc::new(MemoryLimiter::new(config.check_interval, limits, source, context, next)))
}
