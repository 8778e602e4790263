//! One batch in the making: the payloads of one combination of client metadata.

use std::collections::VecDeque;
use std::sync::Arc;

use pdata::{Joiner, Signal};
use pipeline::{Client, Envelope, Hold};
use tokio::time::Instant;

/// Payloads joined so far, and batches that are ready to go.
pub(crate) struct Accumulator {
    client: Arc<Client>,
    joiner: Joiner,
    hold: Hold,
    first_at: Option<Instant>,
    ready: VecDeque<Envelope>,
}

impl Accumulator {
    /// Nothing joined yet; the client is what every batch will say of its sender.
    pub(crate) fn new(signal: Signal, client: Arc<Client>) -> Self {
        let (joiner, hold) = (Joiner::new(signal), Hold::none());
        Self { client, joiner, hold, first_at: None, ready: VecDeque::new() }
    }

    /// Joins a payload. True when it is the first of a batch.
    pub(crate) fn push(&mut self, envelope: Envelope) -> bool {
        let first = self.first_at.is_none();
        if first {
            self.first_at = Some(Instant::now());
        }
        self.joiner.push(envelope.payload);
        self.hold.absorb(envelope.hold);
        first
    }

    /// Items joined and not yet in a ready batch.
    pub(crate) fn joined_items(&self) -> usize {
        self.joiner.items()
    }

    /// When the oldest joined item came.
    pub(crate) fn first_at(&self) -> Option<Instant> {
        self.first_at
    }

    /// Batches that are ready to go.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// The oldest ready batch, taken out.
    pub(crate) fn pop(&mut self) -> Option<Envelope> {
        self.ready.pop_front()
    }

    /// Makes everything joined ready to go, in batches of at most `items_max` (zero: in one). Returns the number of batches.
    pub(crate) fn close(&mut self, items_max: usize) -> usize {
        self.close_down_to(1, items_max)
    }

    /// Makes batches of at most `items_max` ready to go while `full_at` items are joined; what is left waits for more, and for its
    /// time, from now on. Returns the number of batches.
    pub(crate) fn close_down_to(&mut self, full_at: usize, items_max: usize) -> usize {
        let before = self.ready.len();
        if self.joiner.items() < full_at.max(1) {
            return 0;
        }
        let mut payload = self.joiner.take();
        let hold = std::mem::take(&mut self.hold);
        self.first_at = None;
        while items_max > 0 && payload.items() > items_max && payload.items() >= full_at {
            let rest = payload.split_off(items_max);
            self.ready.push_back(self.envelope(payload, &hold));
            payload = rest;
        }
        if payload.items() >= full_at {
            self.ready.push_back(self.envelope(payload, &hold));
        } else {
            self.push(self.envelope(payload, &hold));
        }
        self.ready.len() - before
    }

    fn envelope(&self, payload: pdata::Payload, hold: &Hold) -> Envelope {
        Envelope { payload, client: self.client.clone(), hold: hold.clone() }
    }
}
