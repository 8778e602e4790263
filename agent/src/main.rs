//! The agent's binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(hikyaku::main(std::env::args_os()))
}
