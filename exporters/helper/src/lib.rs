//! The exporter helper: queue, batching, retry, timeout, splitting and counting around one send.
//!
//! An exporter's author implements [`Push`] (how a payload becomes requests, and how one request is sent) and hands it to [`exporter`]. What the
//! helper keeps on its behalf:
//!
//! - Every item taken in ends as exactly one of delivered, refused by the backend or dropped for a reason; until then it is held.
//! - Nothing is sent again after the backend took it.
//! - The queue bounds what is held, in flight included; shutdown and flush end by their deadline.
//!
//! Who counts: the graph counts what it offers as accepted, and what [`Consumer::consume`](pipeline::Consumer::consume) answers with an error as
//! returned or, where another branch took it, as dropped. The helper counts what it answered with `Ok`. An error therefore always means that
//! nothing of the payload was delivered. A `consume` that is dropped before it answers counts nothing here.

pub mod classify;

mod backoff;
mod batch;
mod chain;
mod custody;
mod erased;
mod exporter;
mod function;
mod journal;
mod ledger;
mod metrics;
mod pace;
mod peer;
mod push;
mod queue;
mod reason;
mod sends;
mod settings;

pub use exporter::exporter;
pub use peer::user_agent;
pub use push::{
    About, EncodeError, Encoded, EncodedRequest, OFFLOAD_BYTES, Progress, Push, SendError, Sent,
};
pub use reason::Reason;
pub use settings::{Settings, read_queue};

#[cfg(test)]
mod tests;
