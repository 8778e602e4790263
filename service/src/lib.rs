//! What the binaries share: the table of components, the way from locations to a plan, the process's own logs and metrics.
//!
//! Until the receivers listen, nothing here opens a connection, reads certificates or resolves a name, unless a part of the config has to
//! be fetched, or a section names a file of certificates.

mod components;
mod later;
pub mod load;
pub mod memory;
mod metrics_endpoint;
mod own_telemetry;
pub mod runtime;

pub use components::COMPONENTS;
pub use load::Sources;
pub use metrics_endpoint::{EndpointError, MetricsEndpoints};
pub use own_telemetry::{Endpoint, OwnTelemetry};

/// Keeps payloads and secrets out of core dumps.
pub fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // A system that does not allow it leaves the limit as it was.
    let _set = setrlimit(Resource::Core, none);
}
