//! The exporter helper: queue, batching, retry, timeout, splitting and counting around one send.
//!
//! An exporter implements [`Push`]: how a payload becomes requests, and how one request is sent.

pub mod classify;
mod push;
mod reason;

pub use push::{About, EncodeError, Encoded, EncodedRequest, OFFLOAD_BYTES, Push, SendError, Sent};
pub use reason::Reason;
