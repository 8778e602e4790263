//! Sending batches to a subscriber of the Telemetry API.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use super::events;
use super::shared::Shared;
use super::subscription::Batch;

/// A listener that has not answered by then has not taken the batch.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Before a batch that was not taken is sent again.
const AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Starts sending to the subscriber in this place, for as long as its environment lives.
pub(super) fn spawn(shared: Arc<Shared>, place: usize) {
    tokio::spawn(async move {
        let mut listener = Listener { sender: None };
        let mut changes = shared.changes();
        while let Some(wait) = step(&shared, place, &mut listener).await {
            tokio::select! {
                changed = changes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    changes.borrow_and_update();
                }
                () = tokio::time::sleep(wait) => {}
            }
        }
    });
}

/// Sends one batch when one is due. Returns how long nothing needs doing, or none when the environment is gone.
async fn step(shared: &Arc<Shared>, place: usize, listener: &mut Listener) -> Option<Duration> {
    const LONG: Duration = Duration::from_secs(3600);
    let due = shared.with_quietly(|machine| {
        let (held, drops) = (machine.telemetry.held, machine.telemetry.drops_while_busy);
        let again = machine.telemetry.sends_again;
        let Some(subscription) = machine.telemetry.subscriptions.get_mut(place) else {
            return Err(None);
        };
        if subscription.is_empty() {
            subscription.flush = false;
        }
        if held || subscription.busy || !subscription.is_due() {
            let left = subscription.oldest.map(|oldest| {
                subscription.timeout.saturating_sub(oldest.elapsed()) + Duration::from_millis(1)
            });
            return Err(Some(if held { LONG } else { left.unwrap_or(LONG) }));
        }
        subscription.busy = true;
        Ok((subscription.port, subscription.take_batch(), drops, again))
    });
    let (port, batch, drops, again) = match due {
        Ok(due) => due,
        Err(wait) => return wait,
    };
    if drops {
        // The batch is on its way, and what becomes due meanwhile is not waited for.
        let mut sending = std::pin::pin!(listener.send_repeatedly(port, &batch, again));
        loop {
            tokio::select! {
                taken = &mut sending => {
                    account(shared, place, &batch, taken);
                    return Some(Duration::ZERO);
                }
                () = tokio::time::sleep(Duration::from_millis(5)) => drop_due(shared, place),
            }
        }
    }
    let taken = listener.send_repeatedly(port, &batch, again).await;
    account(shared, place, &batch, taken);
    Some(Duration::ZERO)
}

fn account(shared: &Shared, place: usize, batch: &Batch, taken: bool) {
    shared.with(|machine| {
        let Some(subscription) = machine.telemetry.subscriptions.get_mut(place) else { return };
        subscription.busy = false;
        if taken {
            subscription.delivered_batches += 1;
            return;
        }
        lose(machine, place, batch, "the listener did not take them");
    });
}

/// What is due while another batch is on its way is lost.
fn drop_due(shared: &Shared, place: usize) {
    shared.with_quietly(|machine| {
        let Some(subscription) = machine.telemetry.subscriptions.get_mut(place) else { return };
        if subscription.is_due() {
            let batch = subscription.take_batch();
            lose(machine, place, &batch, "another batch was on its way");
        }
    });
}

fn lose(machine: &mut super::machine::Machine, place: usize, batch: &Batch, reason: &str) {
    if let Some(subscription) = machine.telemetry.subscriptions.get_mut(place) {
        subscription.dropped_records += batch.records;
    }
    let record = json!({
        "droppedBytes": batch.body.len(),
        "droppedRecords": batch.records,
        "reason": reason,
    });
    machine.telemetry.emit(&events::platform("platform.logsDropped", record));
}

/// The kept-alive connection to a subscriber.
struct Listener {
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Listener {
    async fn send_repeatedly(&mut self, port: u16, batch: &Batch, again: u32) -> bool {
        for attempt in 0..=again {
            if attempt > 0 {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            let kept = self.sender.is_some();
            let mut taken = self.send(port, batch).await;
            // A kept connection may have been closed by the other side meanwhile.
            if taken.is_none() && kept {
                taken = self.send(port, batch).await;
            }
            if taken == Some(true) {
                return true;
            }
        }
        false
    }

    /// Whether the listener took it; none when there was no answer.
    async fn send(&mut self, port: u16, batch: &Batch) -> Option<bool> {
        let work = async {
            let mut sender = match self.sender.take() {
                Some(sender) => sender,
                None => {
                    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
                    let (sender, driver) = http1::handshake(TokioIo::new(stream)).await.ok()?;
                    tokio::spawn(driver);
                    sender
                }
            };
            sender.ready().await.ok()?;
            let request = Request::post("/")
                .header("host", format!("127.0.0.1:{port}"))
                .header("content-type", "application/json")
                .header("accept-encoding", "gzip")
                .body(Full::new(Bytes::copy_from_slice(&batch.body)))
                .ok()?;
            let response = sender.send_request(request).await.ok()?;
            let taken = response.status().as_u16() < 400;
            response.into_body().collect().await.ok()?;
            self.sender = Some(sender);
            Some(taken)
        };
        tokio::time::timeout(ANSWER_WITHIN, work).await.ok().flatten()
    }
}
