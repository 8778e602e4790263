//! What AWS Lambda offers an extension, and what the extension and its components share of it: the Extensions API, the Telemetry API, the
//! life between invocations, and the decisions about when to send.

pub mod api;
pub mod flush;
pub mod function;
mod lifecycle;
mod mode;
pub mod telemetry;

pub use function::Function;
pub use lifecycle::Lifecycle;
pub use mode::Mode;
