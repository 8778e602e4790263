//! The Telemetry API: who may subscribe to what, and what waits for a subscriber.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::refusal::Refusal;
use super::setup::Mode;

/// What is kept for those who have not subscribed yet.
const HISTORY_MAX: usize = 10_000;

/// What waits for one subscriber at most; what is more is dropped, and counted.
const HELD_BYTES_MAX: usize = 64 << 20;

/// The state of the Telemetry API in one environment.
#[derive(Debug)]
pub(super) struct Telemetry {
    mode: Mode,
    pub(super) refuses: Refuses,
    pub(super) open: bool,
    pub(super) subscriptions: Vec<Subscription>,
    history: Vec<Entry>,
    /// Nothing is sent while the environment is frozen, nor while a test holds it back.
    pub(super) held: bool,
    /// What comes is sent without waiting for more.
    pub(super) at_once: bool,
    /// The next batch is dropped while one is on its way, as the emulator does it.
    pub(super) drops_while_busy: bool,
    /// How often a batch that was not taken is sent again.
    pub(super) sends_again: u32,
}

/// How the whole API says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refuses {
    Nothing,
    /// 202 and an error type, as the emulator's classic mode.
    NotSupported,
    /// 403, as after Init.
    Closed,
    /// 500.
    Broken,
}

/// What one extension has asked for.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) name: String,
    types: Vec<String>,
    pub(super) port: u16,
    items_max: usize,
    bytes_max: usize,
    pub(super) timeout: Duration,
    waiting: VecDeque<Entry>,
    waiting_bytes: usize,
    pub(super) oldest: Option<Instant>,
    /// Whatever waits is due.
    pub(super) flush: bool,
    pub(super) busy: bool,
    pub(super) delivered_batches: usize,
    pub(super) dropped_records: usize,
}

/// One event as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    category: &'static str,
    text: String,
}

/// Events that are sent together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) body: Vec<u8>,
    pub(super) records: usize,
}

impl Entry {
    pub(super) fn new(category: &'static str, event: &Value) -> Self {
        Self { category, text: event.to_string() }
    }

    /// Of a text that is a JSON object, or should be.
    pub(super) fn raw(category: &'static str, text: &str) -> Self {
        Self { category, text: text.to_owned() }
    }
}

impl Telemetry {
    pub(super) fn new(mode: Mode) -> Self {
        Self {
            mode,
            refuses: Refuses::Nothing,
            open: true,
            subscriptions: Vec::new(),
            history: Vec::new(),
            held: false,
            at_once: false,
            drops_while_busy: false,
            sends_again: 0,
        }
    }

    /// `PUT /telemetry` of a registered extension. Returns the subscription's place and its types.
    pub(super) fn subscribe(
        &mut self,
        name: &str,
        body: &[u8],
    ) -> Result<(usize, Vec<String>), Refusal> {
        if self.refuses == Refuses::Broken {
            return Err(Refusal {
                status: 500,
                error_type: "InternalServerError",
                message: "Internal Server Error".to_owned(),
            });
        }
        if !self.open || self.refuses == Refuses::Closed {
            let message = "Telemetry API subscription is closed already";
            return Err(Refusal::forbidden("Telemetry.SubscriptionClosed", message));
        }
        let mut subscription = self.read(name, body)?;
        // The managed instances' emulator has no word of its own for it.
        if self.subscriptions.iter().any(|known| known.name == name) {
            return Err(Refusal {
                status: 500,
                error_type: "InternalServerError",
                message: "Internal Server Error".to_owned(),
            });
        }
        self.history.iter().for_each(|entry| subscription.offer(entry));
        let types = subscription.types.clone();
        self.subscriptions.push(subscription);
        Ok((self.subscriptions.len() - 1, types))
    }

    /// Hands an event to everyone who has subscribed to its kind, and keeps it for those who still may.
    pub(super) fn emit(&mut self, entry: &Entry) {
        if self.open && self.history.len() < HISTORY_MAX {
            self.history.push(entry.clone());
        }
        for subscription in &mut self.subscriptions {
            subscription.offer(entry);
            subscription.flush |= self.at_once;
        }
    }

    /// Nobody can subscribe any more.
    pub(super) fn close(&mut self) {
        self.open = false;
        self.history = Vec::new();
    }

    /// Whether everything has been sent, or dropped.
    pub(super) fn is_drained(&self) -> bool {
        self.subscriptions.iter().all(|one| one.waiting.is_empty() && !one.busy)
    }

    fn read(&self, name: &str, body: &[u8]) -> Result<Subscription, Refusal> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|error| Refusal::validation(format!("failed to parse JSON: {error}")))?;
        let versions: &[&str] = match self.mode {
            Mode::ManagedInstances => &["2025-01-29"],
            _ => &["2022-07-01", "2022-12-13", "2025-01-29"],
        };
        let version = body.get("schemaVersion").and_then(Value::as_str).unwrap_or_default();
        if !versions.contains(&version) {
            // With quotation marks in it, as the emulator's.
            return Err(Refusal::validation(format!(
                "schemaVersion: value must be \"{versions:?}\""
            )));
        }
        let types: Vec<String> = body
            .get("types")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|name| name.as_str().unwrap_or_default().to_owned())
            .collect();
        let known = |name: &String| ["platform", "function", "extension"].contains(&name.as_str());
        if types.is_empty() || !types.iter().all(known) {
            return Err(Refusal::validation(format!("types: {types:?}")));
        }
        let buffering = body.get("buffering");
        let limit = |key: &str, range: std::ops::RangeInclusive<u64>, default: u64| {
            let value = buffering.and_then(|buffering| buffering.get(key));
            let value = value.map_or(Some(default), Value::as_u64);
            let fits = value.filter(|value| range.contains(value));
            fits.ok_or_else(|| Refusal::validation(format!("buffering.{key}: not in {range:?}")))
        };
        let items = limit("maxItems", 1000..=10_000, 10_000)?;
        let bytes = limit("maxBytes", 262_144..=1_048_576, 262_144)?;
        let timeout = limit("timeoutMs", 25..=30_000, 1000)?;
        Ok(Subscription {
            name: name.to_owned(),
            types,
            port: port(body.get("destination"))?,
            items_max: usize::try_from(items).unwrap_or(usize::MAX),
            bytes_max: usize::try_from(bytes).unwrap_or(usize::MAX),
            timeout: Duration::from_millis(timeout),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            oldest: None,
            flush: false,
            busy: false,
            delivered_batches: 0,
            dropped_records: 0,
        })
    }
}

/// The port of the listener, when the platform can reach it.
fn port(destination: Option<&Value>) -> Result<u16, Refusal> {
    let text = |key: &str| {
        destination.and_then(|d| d.get(key)).and_then(Value::as_str).unwrap_or_default()
    };
    if text("protocol") != "HTTP" {
        return Err(Refusal::validation("destination.protocol: this platform knows HTTP only"));
    }
    let host = text("URI").strip_prefix("http://").unwrap_or_default();
    let host = host.split('/').next().unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, "80"));
    if !["sandbox.localdomain", "sandbox"].contains(&name) {
        return Err(Refusal::validation("destination.URI host must be sandbox.localdomain"));
    }
    port.parse().map_err(|_| Refusal::validation(format!("destination.URI: port {port}")))
}

impl Subscription {
    fn offer(&mut self, entry: &Entry) {
        if !self.types.iter().any(|known| known == entry.category) {
            return;
        }
        if self.waiting_bytes + entry.text.len() > HELD_BYTES_MAX {
            self.dropped_records += 1;
            return;
        }
        self.waiting_bytes += entry.text.len();
        self.waiting.push_back(entry.clone());
        self.oldest.get_or_insert_with(Instant::now);
    }

    /// Whether a batch is full, old enough, or asked for.
    pub(super) fn is_due(&self) -> bool {
        let full = self.waiting.len() >= self.items_max || self.waiting_bytes >= self.bytes_max;
        let old = self.oldest.is_some_and(|oldest| oldest.elapsed() >= self.timeout);
        !self.waiting.is_empty() && (full || old || self.flush)
    }

    /// Nothing is left to flush.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn take_batch(&mut self) -> Batch {
        let mut body = vec![b'['];
        let mut records = 0;
        while let Some(entry) = self.waiting.front() {
            let full = records >= self.items_max || body.len() + entry.text.len() > self.bytes_max;
            if records > 0 && full {
                break;
            }
            if records > 0 {
                body.push(b',');
            }
            body.extend_from_slice(entry.text.as_bytes());
            self.waiting_bytes -= entry.text.len();
            records += 1;
            self.waiting.pop_front();
        }
        body.push(b']');
        self.oldest = (!self.waiting.is_empty()).then(Instant::now);
        self.flush &= !self.waiting.is_empty();
        Batch { body, records }
    }
}
