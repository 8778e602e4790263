//! What travels through a pipeline: a payload and what is known of its sender.

use std::sync::Arc;

use pdata::{Payload, Signal};

use crate::budget::Hold;
use crate::client::Client;

/// A payload with its client's metadata and its share of the memory budget. Clones share all three.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The telemetry.
    pub payload: Payload,
    /// Who sent it, as far as receivers were told to remember.
    pub client: Arc<Client>,
    /// The bytes it takes from the memory budget, given back when the last clone is dropped.
    pub hold: Hold,
}

impl Envelope {
    /// An envelope that takes nothing from the memory budget and has no client: for tests and for telemetry made inside
    /// the process.
    pub fn of(payload: Payload) -> Self {
        Self { payload, client: Client::unknown(), hold: Hold::none() }
    }

    /// The same sender and hold with another payload.
    #[must_use]
    pub fn with_payload(&self, payload: Payload) -> Self {
        Self { payload, client: self.client.clone(), hold: self.hold.clone() }
    }

    /// The payload's signal.
    pub fn signal(&self) -> Signal {
        self.payload.signal()
    }

    /// The payload's items.
    pub fn items(&self) -> usize {
        self.payload.items()
    }
}
