//! Fakes for tests: payloads, a consumer that remembers what it was given, and components of every kind under a test's control.

mod fakes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use pdata::{Payload, Signal};
use tokio::sync::watch;

pub use self::fakes::{COMPONENTS, Probe};
use crate::consumer::{BoxFuture, ConsumeError, Consumer};
use crate::deadline::Deadline;
use crate::envelope::Envelope;

/// Longest that a test waits for anything: long, since it only costs time when something is wrong, and machines are busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A payload of this many items: spans, data points of one gauge, or log records, in one resource and scope.
///
/// # Panics
/// Never: the bytes are a sound export request.
pub fn payload(signal: Signal, items: usize) -> Payload {
    // One byte field 1 = "x" in each span (trace_state is 3, name 5), point or record keeps them from being empty messages.
    let item: &[u8] = match signal {
        Signal::Traces => &[0x2a, 1, b'x'],
        Signal::Metrics => &[0x19, 1, 0, 0, 0, 0, 0, 0, 0],
        Signal::Logs => &[0x1a, 1, b'x'],
    };
    let field = |number: u8, body: &[u8]| {
        let mut bytes = vec![(number << 3) | 2];
        let mut length = body.len();
        while length >= 0x80 {
            bytes.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend_from_slice(body);
        bytes
    };
    let number = if signal == Signal::Metrics { 1 } else { 2 };
    let mut members = field(number, item).repeat(items);
    if signal == Signal::Metrics {
        // The points stand in a gauge, which stands in a metric.
        members = field(2, &field(5, &members));
    }
    let request = field(1, &field(2, &members));
    let decoded = Payload::decode(signal, Bytes::from(request));
    decoded.expect("the request above is sound").payload
}

/// An envelope with [`payload`] of nobody.
pub fn envelope(signal: Signal, items: usize) -> Envelope {
    Envelope::of(payload(signal, items))
}

/// Waits for a future, at most [`PATIENCE`].
///
/// # Panics
/// With `what` was awaited in vain.
pub async fn within_patience<T>(what: &str, future: impl Future<Output = T>) -> T {
    let output = Deadline::after(PATIENCE).bound(future).await;
    output.unwrap_or_else(|| unreachable!("waited {PATIENCE:?} in vain for {what}"))
}

/// A consumer that remembers what it took, and refuses when it is told to. Clones share it.
#[derive(Clone, Default)]
pub struct Recorder {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    taken: Mutex<Vec<Envelope>>,
    refusal: Mutex<Option<ConsumeError>>,
    offered: watch::Sender<usize>,
    closed: watch::Sender<bool>,
}

impl Recorder {
    /// Refuses everything from now on; `None` takes everything again.
    pub fn refuse(&self, refusal: Option<ConsumeError>) {
        *lock(&self.shared.refusal) = refusal;
    }

    /// Keeps everybody waiting from now on, until it is opened again.
    pub fn close(&self, closed: bool) {
        self.shared.closed.send_replace(closed);
    }

    /// Envelopes taken so far.
    pub fn envelopes(&self) -> Vec<Envelope> {
        lock(&self.shared.taken).clone()
    }

    /// Items taken so far.
    pub fn items(&self) -> usize {
        lock(&self.shared.taken).iter().map(Envelope::items).sum()
    }

    /// Envelopes offered so far, refused ones included.
    pub fn offers(&self) -> usize {
        *self.shared.offered.borrow()
    }

    /// Waits until at least this many items were taken, at most [`PATIENCE`].
    ///
    /// # Panics
    /// When they do not come.
    pub async fn wait_for_items(&self, items: usize) {
        let mut offered = self.shared.offered.subscribe();
        let enough = offered.wait_for(|_| self.items() >= items);
        let _offers = within_patience(&format!("{items} items"), enough).await;
    }

    /// Waits until at least this many envelopes were offered, at most [`PATIENCE`].
    ///
    /// # Panics
    /// When they do not come.
    pub async fn wait_for_offers(&self, offers: usize) {
        let mut offered = self.shared.offered.subscribe();
        let enough = offered.wait_for(|seen| *seen >= offers);
        let _offers = within_patience(&format!("{offers} envelopes"), enough).await;
    }
}

impl Consumer for Recorder {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        Box::pin(async move {
            let refusal = lock(&self.shared.refusal).clone();
            let mut closed = self.shared.closed.subscribe();
            if *closed.borrow() {
                self.shared.offered.send_modify(|offers| *offers += 1);
                let _open = closed.wait_for(|closed| !*closed).await;
                lock(&self.shared.taken).push(envelope);
                self.shared.offered.send_modify(|_| {});
                return Ok(());
            }
            if refusal.is_none() {
                lock(&self.shared.taken).push(envelope);
            }
            self.shared.offered.send_modify(|offers| *offers += 1);
            refusal.map_or(Ok(()), Err)
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_have_the_items_asked_for() {
        for signal in Signal::ALL {
            for items in [0, 1, 3, 200] {
                assert_eq!(payload(signal, items).items(), items, "{signal}");
            }
        }
    }
}
