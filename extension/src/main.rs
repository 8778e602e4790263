//! hikyaku as an extension of AWS Lambda: the pipelines of a Collector config beside a function.
//!
//! Two rules stand above all others. The function is never harmed: whatever goes wrong here, the extension says so in one line, goes on
//! asking for events, and the function runs without telemetry. And the function is never kept waiting: nothing is on the network before
//! the extension has registered, what is received is answered at once, and sending happens beside the handler wherever that can be.

mod account;
mod caught;
mod ending;
mod environment;
mod late;
mod pipelines;
mod run;
mod sockets;

use std::process::ExitCode;

fn main() -> ExitCode {
    service::no_core_dumps();
    let environment = match environment::Environment::process() {
        Ok(environment) => environment,
        Err(error) => {
            run::tell(&error.to_string());
            return ExitCode::from(2);
        }
    };
    let runtime = match service::runtime::build() {
        Ok(runtime) => runtime,
        Err(error) => {
            run::tell(&format!("cannot start the runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let status = runtime.block_on(run::run(environment));
    // What still runs on other threads is compression for requests that nobody will send.
    runtime.shutdown_background();
    status
}
