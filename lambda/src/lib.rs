//! What AWS Lambda offers an extension, and what the extension and its components share of it.

pub mod function;
pub mod telemetry;

pub use function::Function;
