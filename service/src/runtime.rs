//! The one place that makes a runtime.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Threads for work that blocks: large encodes, compression, files. Each is started when it is first needed.
const BLOCKING_THREADS_MAX: usize = 4;
/// How long such a thread is kept without work.
const KEEP_BLOCKING_THREADS: Duration = Duration::from_secs(10);

/// One thread for everything that waits: with two, a span costs 1.35 times the CPU, and one takes in more than any sidecar sees.
///
/// # Errors
/// When the system gives no descriptors for it.
pub fn build() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_keep_alive(KEEP_BLOCKING_THREADS)
        .thread_name("hikyaku-blocking")
        .build()
}
