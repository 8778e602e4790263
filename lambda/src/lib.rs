//! What AWS Lambda offers an extension, and what the extension and its components share of it: the Extensions API, the Telemetry API, the
//! life between invocations, and the decisions about when to send.

pub mod api;
pub mod flush;
mod function;
mod lifecycle;
mod mode;
pub mod telemetry;
mod trace_context;

pub use function::{FirstInvocation, Function};
pub use lifecycle::Lifecycle;
pub use mode::Mode;
pub use trace_context::{TraceContext, hex};
