//! The agent's binary.

use std::process::ExitCode;

/// musl's own allocator gives large blocks back to the system and takes them again for each batch, which doubles the work per span.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(hikyaku::main(std::env::args_os()))
}
