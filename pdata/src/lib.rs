//! The OTLP data model: the request's own bytes are the payload.
//!
//! A [`Payload`] keeps the bytes that were received, after one validating pass that checks their structure, counts their
//! items and repairs text that is not UTF-8. It is joined and split without decoding. Readers see views ([`view`]) borrowed
//! from those bytes; editors ([`edit`]) copy through what they leave alone; OTLP/JSON is read into them and written from them.
//! [`PartialSuccess`] and [`RpcStatus`] are what a receiver answers.
//!
//! Invariants: every chunk of a payload is a sequence of whole top-level fields of an export request that passed
//! [`Payload::decode`], so views need no error paths; nothing here is async, reads a clock or does I/O.

pub mod edit;
pub mod payload;
#[cfg(feature = "sample")]
pub mod sample;
pub mod schema;
pub mod text;
pub mod view;
pub mod wire;

mod join;
mod json;
mod key_filter;
mod key_table;
mod normalise;
#[cfg(test)]
mod oracle;
mod response;
mod split;
mod validate;

pub use join::Joiner;
pub use json::{JsonError, JsonFault};
pub use key_filter::KeyFilter;
pub use key_table::KeyTable;
pub use payload::{Decoded, Payload, Signal};
pub use response::{GrpcCode, NotAResponse, PartialSuccess, RpcStatus};
pub use validate::{DecodeError, Malformation};
