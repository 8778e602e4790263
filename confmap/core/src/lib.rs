//! The configuration: read from its sources, merged, expanded, and decoded with the place of
//! every value at hand.
//!
//! This crate does what the Collector's `confmap` does (open-telemetry/opentelemetry-collector
//! `confmap/`): locations and schemes, merging, `${…}`, and strict decoding. It adds a place to
//! every key and value, so that each error says file, line and column, and all errors come at
//! once. It needs no async runtime and never panics on input; [`limits`] bounds what it takes.
//!
//! A component reads its settings from a [`Section`]:
//!
//! ```
//! use std::time::Duration;
//!
//! use confmap::{Diagnostics, Node, Opaque, Presence, Section};
//!
//! #[derive(Debug)]
//! struct Config {
//!     endpoint: String,
//!     timeout: Duration,
//!     headers: Vec<(String, Opaque)>,
//!     queue_size: Option<usize>,
//! }
//!
//! fn parse(mut section: Section<'_>) -> Option<Config> {
//!     let endpoint = section.required::<String>("endpoint");
//!     let timeout = section.get("timeout").unwrap_or(Duration::from_secs(5));
//!     let headers = section.header_map("headers").unwrap_or_default().into_iter();
//!     let headers = headers.map(|(name, value, _place)| (name, value)).collect();
//!     let queue = section.optional_section("sending_queue", Presence::Default);
//!     let queue_size = queue.map(|mut queue| {
//!         let size = queue.get("queue_size").unwrap_or(1000);
//!         if size == 0 {
//!             queue.error("queue_size", "must be positive");
//!         }
//!         queue.finish();
//!         size
//!     });
//!     section.ignored("write_buffer_size", "the buffer grows as needed");
//!     section.finish();
//!     Some(Config { endpoint: endpoint?, timeout, headers, queue_size })
//! }
//!
//! let yaml = "endpoint: collector:4317\ntimeout: 1.5s\nheaders: {x-team: blue}\nqeue: 3\n";
//! let node = Node::from_yaml("file:config.yaml", yaml).expect("valid YAML");
//! let diagnostics = Diagnostics::new();
//! let section = Section::new(Some(&node), "exporters::otlp", &diagnostics);
//! let config = parse(section).expect("a config");
//!
//! assert_eq!(config.timeout, Duration::from_millis(1500));
//! assert_eq!(config.queue_size, None);
//! assert_eq!(format!("{:?}", config.headers), r#"[("x-team", [REDACTED])]"#);
//! let report = diagnostics.to_string();
//! assert!(report.starts_with("error: 'exporters.otlp' has invalid keys: qeue\n"));
//! assert!(report.contains(" --> config.yaml:4:1\n"));
//! ```

pub mod limits;

mod capability;
mod decode;
mod diagnostics;
mod join;
mod map;
mod mask;
mod node;
mod opaque;
mod origin;
mod path;
mod print;
mod provider;
mod resolver;
mod section;
mod suggest;
#[cfg(test)]
mod testing;
mod user_info;
mod weight;
mod yaml;

pub use capability::{Capability, ExtensionReference};
pub use decode::{
    Decode, Mismatch,
    duration::{DurationError, parse as parse_duration},
    keyword, keyword_in_any_case,
};
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use join::join_all;
pub use map::{Entry, Map};
pub use mask::Mask;
pub use node::{Node, Value};
pub use opaque::Opaque;
pub use origin::{Exposure, Origin, Source};
pub use path::Path;
pub use print::Redaction;
pub use provider::{
    BoxFuture, EnvError, EnvProvider, FileError, FileProvider, Provider, ProviderError, Providers,
    Reference, Retrieved, YamlProvider,
};
pub use resolver::{Refresh, Refreshed, ResolveOptions, Resolved, resolve};
pub use section::{Item, Presence, Section};
pub use suggest::closest;
