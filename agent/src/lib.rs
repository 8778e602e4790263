//! The agent: a command line around pipelines.
//!
//! Arguments, signals and the exit status stand here; what it shares with the Lambda extension is in `service`. [`main`] is the whole binary; a test can start it as well.
//!
//! Until the receivers listen, nothing here opens a connection, reads certificates or resolves a name, unless a part of the config stands
//! elsewhere.

mod cli;
mod dump;
mod gates;
mod health;
mod list;
mod run;
mod signals;
mod watch;

use std::ffi::OsString;
use std::time::Instant;

pub use service::COMPONENTS;

/// Exit status: all went well, or was reported.
const OK: u8 = 0;
/// Exit status: something failed while running.
const FAILED: u8 = 1;
/// Exit status: the config or the command line is wrong.
const MISUSED: u8 = 2;

/// Runs the agent with these arguments, the program's name first, and returns its exit status.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let started = Instant::now();
    let invocation = match cli::parse(arguments) {
        Ok(invocation) => invocation,
        Err(error) => {
            // A closed terminal leaves nobody to tell.
            let _printed = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(MISUSED);
        }
    };
    match invocation.command {
        cli::Command::Run => run::run(&invocation.sources, &invocation.gates, started),
        cli::Command::Validate => dump::validate(&invocation.sources),
        cli::Command::Components => list::print(),
        cli::Command::PrintConfig(how) => dump::print_config(&invocation.sources, how),
        cli::Command::HealthCheck(how) => health::check(&invocation.sources, &how),
    }
}
