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
//!
//! # Example
//!
//! ```
//! use telemetry::{
//!     LogSettings, MetricsSettings, Registry, logs::Early, names, names::{Item, label}, process, render,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // First of all, in the agent.
//! let started = std::time::Instant::now();
//! let early = Early::new();
//! early.set_global()?;
//! let registry = Registry::new();
//! let of_the_process = process::observe(&registry, started);
//!
//! // Once `service::telemetry` is decoded.
//! let logger = early.install(&LogSettings::default())?;
//! let of_the_log = logger.observe(&registry);
//! let settings = MetricsSettings::default();
//! registry.set_resource(settings.resource);
//!
//! // In a component: a handle at start, an addition for each request.
//! let labels = [(label::RECEIVER, "otlp"), (label::TRANSPORT, "grpc")];
//! let accepted = registry.counter(names::RECEIVER_ACCEPTED.of(Item::Spans), &labels);
//! accepted.add(100);
//! tracing::info!("otelcol.component.id" = "otlp", endpoint = "127.0.0.1:4317", "Listening");
//!
//! // At a scrape.
//! let text = render(&registry, settings.level);
//! assert!(text.contains("\notelcol_receiver_accepted_spans{receiver=\"otlp\",transport=\"grpc\"} 100\n"));
//! # Ok(())
//! # }
//! ```

mod exposition;
pub mod logs;
mod metrics;
pub mod names;
pub mod process;
mod settings;

pub use exposition::{CONTENT_TYPE, render, render_with};
pub use metrics::{Counter, Gauge, Histogram, Registration, Registry};
pub use settings::{
    Encoding, LogLevel, LogSettings, MetricsLevel, MetricsSettings, Sampling, Suffixes, UnknownWord,
};
