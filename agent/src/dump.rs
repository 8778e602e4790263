//! `validate` and `print-config`.

use std::io::Write;

use confmap::{Diagnostics, Redaction};
use pipeline::Service;
use service::{Sources, load, runtime};

use crate::cli::PrintConfig;
use crate::{FAILED, MISUSED, OK};

/// Checks a config: everything but starting it. Silent when all is well.
pub(crate) fn validate(sources: &Sources) -> u8 {
    with_runtime(async {
        match load::load(sources).await {
            Ok(loaded) => buildable(&loaded.plan, &loaded.diagnostics),
            Err(diagnostics) => wrong(&diagnostics),
        }
    })
}

/// Prints a config as it is understood.
pub(crate) fn print_config(sources: &Sources, how: PrintConfig) -> u8 {
    with_runtime(async {
        let read = match load::read(sources).await {
            Ok(read) => read,
            Err(diagnostics) => return wrong(&diagnostics),
        };
        if how.validate {
            match &read.plan {
                None => return wrong(&read.diagnostics),
                Some(plan) if buildable(plan, &read.diagnostics) != OK => return MISUSED,
                Some(_) => {}
            }
        }
        let redaction =
            if how.unredacted { Redaction::none() } else { Redaction::secrets(&read.diagnostics) };
        let text =
            if how.json { read.root.to_json(&redaction) } else { read.root.to_yaml(&redaction) };
        print(&text)
    })
}

/// Writes to standard output.
pub(crate) fn print(text: &str) -> u8 {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => OK,
        Err(_nobody_reads) => FAILED,
    }
}

/// Writes to standard error.
pub(crate) fn tell(text: &str) {
    // A closed standard error leaves nobody to tell.
    let _written = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Says what is wrong with a config.
pub(crate) fn wrong(diagnostics: &Diagnostics) -> u8 {
    tell(&load::show(diagnostics));
    MISUSED
}

/// Runs a future to its end on a runtime of its own, in a process whose core is never dumped.
pub(crate) fn with_runtime(work: impl Future<Output = u8>) -> u8 {
    service::no_core_dumps();
    match runtime::build() {
        Ok(runtime) => {
            let status = runtime.block_on(work);
            // A name that is still being looked up must not hold up the end.
            runtime.shutdown_background();
            status
        }
        Err(error) => {
            tell(&format!("Error: cannot start the runtime: {error}\n"));
            FAILED
        }
    }
}

/// Tells of warnings, and of what cannot be built.
fn buildable(plan: &pipeline::Plan, diagnostics: &Diagnostics) -> u8 {
    let checked = Service::check(plan, diagnostics);
    tell(&load::show(diagnostics));
    match checked {
        Ok(()) => OK,
        Err(error) => {
            tell(&format!("Error: {}\n", diagnostics.mask().apply(&error.to_string())));
            MISUSED
        }
    }
}
