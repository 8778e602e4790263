//! The process's own logs and metrics.
//!
//! Invariants:
//!
//! - Metric names and label names are a closed list, [`names`]; nothing else can be registered.
//! - Counting is one relaxed atomic operation on a handle made beforehand.
//! - Writing a log record never panics, never blocks for ever on an output that takes nothing, and never fails its
//!   caller; what was not written is counted.
//! - A log field never carries payload content or a secret: ids, counts, sizes, settings and error texts only. Events of
//!   foreign crates below `info` are never shown, since their authors did not promise that.
//!
//! What it does not do: spans (ignored), export of its own telemetry, reading configuration ([`LogSettings`] and
//! [`MetricsSettings`] are filled by the agent), serving HTTP ([`render`] gives the text).

mod exposition;
mod metrics;
pub mod names;
pub mod process;
mod settings;

pub use exposition::{CONTENT_TYPE, render};
pub use metrics::{Counter, Gauge, Histogram, Registration, Registry};
pub use settings::{
    Encoding, LogLevel, LogSettings, MetricsLevel, MetricsSettings, Sampling, UnknownWord,
};
