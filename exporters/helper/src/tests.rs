//! The whole exporter against a backend that does as it is told.

mod accounts;
mod batching;
mod function;
mod journal;
mod parallel;
mod queueing;
mod retrying;
mod splitting;
mod stateful;
mod stopping;
mod vitals;

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use bytes::Bytes;
use config::{Queue, Retry, Timeout};
use pdata::wire::{put_len, put_message};
use pdata::{Payload, Signal};
use pipeline::{
    Client, Component, ComponentKind, ConsumeError, Consumer, Context, Deadline, Envelope,
    MemoryBudget, Process,
};
use telemetry::names::{self, DropReason, RefuseReason, label};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::exporter::{Helper, build, emptied};
use crate::{
    About, EncodeError, Encoded, EncodedRequest, Progress, Push, Reason, SendError, Sent, Settings,
};

/// Longest that a test waits for anything; the clock is paused, so a wait in vain costs no time.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

async fn patiently<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// A payload of spans with these ids, each of some 30 bytes.
fn spans(ids: impl IntoIterator<Item = u64>) -> Payload {
    let mut request = Vec::new();
    put_message(&mut request, 1, |resource| {
        put_message(resource, 2, |scope| {
            for id in ids {
                put_message(scope, 2, |span| {
                    put_len(span, 2, &id.to_be_bytes());
                    put_len(span, 5, b"the name of a span");
                });
            }
        });
    });
    Payload::decode(Signal::Traces, Bytes::from(request)).unwrap().payload
}

fn ids(payload: &Payload) -> Vec<u64> {
    let scopes = payload.resource_spans().flat_map(|resource| resource.scope_spans.into_iter());
    let spans = scopes.flat_map(|scope| scope.spans.into_iter());
    spans.map(|span| u64::from_be_bytes(span.span_id.try_into().unwrap())).collect()
}

/// What the backend does with a request.
enum Answer {
    Take,
    TakeAfter(Duration),
    Reject(usize),
    Fail(SendError),
    Hang,
    Panic,
}
use Answer::{Fail, Hang, Panic, Reject, Take, TakeAfter};

/// An attempt that reached the backend.
#[derive(Clone, Debug)]
struct Try {
    at: Instant,
    ids: Vec<u64>,
}

/// How the fake translates.
#[derive(Default)]
struct Translation {
    /// Ids that have no form in the backend's format.
    unsendable: HashSet<u64>,
    /// Ids that it leaves out without a word.
    forgets: HashSet<u64>,
    /// Ids on which it panics.
    panics: HashSet<u64>,
    /// Items in a request, if there are to be several.
    items_a_request: Option<usize>,
    /// Whether several requests come with their parts.
    parts: bool,
    /// Bytes of an item, instead of one.
    item_bytes: Option<usize>,
    limit: Option<usize>,
    knows_bytes: bool,
    offload: Option<usize>,
    too_large_above: Option<usize>,
    /// How many requests are sent at a time.
    parallel: Option<usize>,
    /// What attempts achieve that fail.
    progress: Progress,
    /// How requests are cut, if what a payload becomes depends on those before it.
    stateful: Option<Cut>,
    /// Payloads that begin with this id are encoded only once the gate is open.
    waits: Option<(u64, Gate)>,
}

/// How a fake that keeps state cuts a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    InTwo,
    NotAtAll,
}

/// Holds a thread up.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let closed = self.0.1.wait_while(self.0.0.lock().unwrap(), |open| !*open);
        drop(closed.unwrap());
    }
}

type Script = Box<dyn Fn(usize, &[u64]) -> Answer + Send + Sync>;

/// The backend, and the push to it. Clones share it.
#[derive(Clone)]
struct Backend(Arc<Shared>);

struct Shared {
    translation: Translation,
    answer: Script,
    tries: Mutex<Vec<Try>>,
    tried: watch::Sender<usize>,
    taken: Mutex<Vec<u64>>,
    open: watch::Sender<bool>,
    encodes: Mutex<Vec<ThreadId>>,
    /// Ids that were encoded, in the order in which that ended.
    encoded: Mutex<Vec<u64>>,
    clients: Mutex<Vec<Client>>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

impl Backend {
    fn taking_all() -> Self {
        Self::answering(|_, _| Take)
    }

    /// Answers by the number of the try, from 0, and the ids in the request.
    fn answering(answer: impl Fn(usize, &[u64]) -> Answer + Send + Sync + 'static) -> Self {
        Self::translating(Translation::default(), answer)
    }

    fn translating(
        translation: Translation,
        answer: impl Fn(usize, &[u64]) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            translation,
            answer: Box::new(answer),
            tries: Mutex::default(),
            tried: watch::Sender::new(0),
            taken: Mutex::default(),
            open: watch::Sender::new(true),
            encodes: Mutex::default(),
            encoded: Mutex::default(),
            clients: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
        }))
    }

    /// Keeps every request waiting, until it is opened again.
    fn close(&self) {
        self.0.open.send_replace(false);
    }

    fn open(&self) {
        self.0.open.send_replace(true);
    }

    fn tries(&self) -> Vec<Try> {
        self.0.tries.lock().unwrap().clone()
    }

    /// The ids of each try.
    fn tried_ids(&self) -> Vec<Vec<u64>> {
        self.tries().into_iter().map(|one| one.ids).collect()
    }

    /// Waits for so many tries.
    async fn tried(&self, tries: usize) {
        let mut tried = self.0.tried.subscribe();
        let enough = tried.wait_for(|seen| *seen >= tries);
        patiently(&format!("try {tries}"), enough).await.unwrap();
    }

    /// Ids taken, in order.
    fn taken(&self) -> Vec<u64> {
        let mut taken = self.0.taken.lock().unwrap().clone();
        taken.sort_unstable();
        taken
    }

    fn encodes(&self) -> Vec<ThreadId> {
        self.0.encodes.lock().unwrap().clone()
    }

    fn most_in_flight(&self) -> usize {
        self.0.most_in_flight.load(Ordering::Relaxed)
    }
}

impl Push for Backend {
    type Request = Vec<u64>;

    fn encode(&self, payload: &Payload, client: &Client) -> Result<Encoded<Vec<u64>>, EncodeError> {
        let Shared { translation, encodes, clients, .. } = &*self.0;
        encodes.lock().unwrap().push(std::thread::current().id());
        clients.lock().unwrap().push(client.clone());
        let all = ids(payload);
        if let Some((_, gate)) =
            translation.waits.as_ref().filter(|(id, _)| all.first() == Some(id))
        {
            gate.pass();
        }
        self.0.encoded.lock().unwrap().extend(&all);
        assert_eq!(all.len(), payload.items());
        assert!(!all.iter().any(|id| translation.panics.contains(id)), "panics on purpose");
        if translation.too_large_above.is_some_and(|items| all.len() > items) {
            return Err(EncodeError::TooLarge);
        }
        let before = all.len();
        let sendable = all.into_iter().filter(|id| !translation.unsendable.contains(id));
        let mut sendable: Vec<u64> = sendable.collect();
        let unsendable = before - sendable.len();
        sendable.retain(|id| !translation.forgets.contains(id));
        let unsendable = match unsendable {
            0 => Vec::new(),
            items => vec![(DropReason::Untranslatable, items)],
        };
        let items_a_request = translation.items_a_request.unwrap_or(sendable.len()).max(1);
        let requests = sendable.chunks(items_a_request).map(|ids| {
            let bytes = ids.len() * translation.item_bytes.unwrap_or(1);
            let request = EncodedRequest::new(ids.to_vec(), ids.len(), bytes);
            match translation.parts {
                true => request.part(spans(ids.iter().copied())),
                false => request,
            }
        });
        Ok(Encoded { requests: requests.collect(), unsendable })
    }

    async fn send(&self, request: &Vec<u64>) -> Result<Sent, SendError> {
        let shared = &*self.0;
        let _in_flight = InFlight::new(shared);
        let nth = {
            let mut tries = shared.tries.lock().unwrap();
            tries.push(Try { at: Instant::now(), ids: request.clone() });
            tries.len() - 1
        };
        shared.tried.send_replace(nth + 1);
        let mut open = shared.open.subscribe();
        open.wait_for(|open| *open).await.unwrap();
        match (shared.answer)(nth, request) {
            Take => {}
            TakeAfter(delay) => tokio::time::sleep(delay).await,
            Reject(rejected) => {
                shared.taken.lock().unwrap().extend(&request[rejected..]);
                return Ok(Sent::partly(rejected, Reason::new("some were bad")));
            }
            Fail(error) => return Err(error),
            Hang => std::future::pending().await,
            Panic => panic!("panics on purpose"),
        }
        shared.taken.lock().unwrap().extend(request);
        Ok(Sent::all())
    }

    fn max_request_bytes(&self) -> Option<usize> {
        self.0.translation.limit
    }

    fn request_bytes(&self, payload: &Payload) -> Option<usize> {
        let Translation { knows_bytes, item_bytes, .. } = &self.0.translation;
        knows_bytes.then(|| payload.items() * item_bytes.unwrap_or(1))
    }

    fn offload_bytes(&self) -> usize {
        self.0.translation.offload.unwrap_or(usize::MAX)
    }

    fn parallel(&self) -> usize {
        self.0.translation.parallel.unwrap_or(1)
    }

    fn progress(&self, _: &Vec<u64>) -> Progress {
        self.0.translation.progress
    }

    fn keeps_state(&self) -> bool {
        self.0.translation.stateful.is_some()
    }

    fn halve(&self, whole: EncodedRequest<Vec<u64>>) -> Vec<EncodedRequest<Vec<u64>>> {
        assert!(whole.items > 1, "there is nothing to cut");
        if self.0.translation.stateful == Some(Cut::NotAtAll) {
            return vec![whole];
        }
        let bytes = self.0.translation.item_bytes.unwrap_or(1);
        let halves = whole.request.chunks(whole.items.div_ceil(2));
        halves.map(|ids| EncodedRequest::new(ids.to_vec(), ids.len(), ids.len() * bytes)).collect()
    }
}

struct InFlight<'a>(&'a Shared);

impl<'a> InFlight<'a> {
    fn new(shared: &'a Shared) -> Self {
        let now = shared.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        shared.most_in_flight.fetch_max(now, Ordering::Relaxed);
        Self(shared)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

fn unavailable() -> SendError {
    SendError::network(Reason::new("connection refused"))
}

fn throttled(delay: Duration) -> SendError {
    SendError::Retryable { code: None, delay: Some(delay), reason: Reason::new("slow down") }
}

fn bad_request() -> SendError {
    SendError::Permanent {
        about: About::Request,
        code: Some(pipeline::GrpcCode::InvalidArgument),
        reason: Reason::new("bad request"),
    }
}

fn unauthorised() -> SendError {
    SendError::Permanent {
        about: About::Peer,
        code: Some(pipeline::GrpcCode::Unauthenticated),
        reason: Reason::new("who are you"),
    }
}

fn too_large(limit_bytes: Option<usize>) -> SendError {
    SendError::TooLarge { limit_bytes, reason: Reason::new("too large") }
}

/// Retries after exactly one second each, for a minute.
fn steady() -> Retry {
    Retry {
        initial_interval: Duration::from_secs(1),
        randomization_factor: 0.0,
        multiplier: 1.0,
        max_interval: Duration::from_secs(1),
        max_elapsed_time: Some(Duration::from_secs(60)),
    }
}

fn queued() -> Settings {
    let timeout = Timeout(Some(Duration::from_secs(5)));
    let (retry, queue) = (Some(steady()), Some(Queue::default()));
    Settings { timeout, retry, queue, labels: Vec::new() }
}

fn with_queue(queue: Queue) -> Settings {
    Settings { queue: Some(queue), ..queued() }
}

fn unqueued() -> Settings {
    Settings { queue: None, ..queued() }
}

/// An exporter with its backend and its accounts.
struct Rig {
    helper: Helper,
    backend: Backend,
    context: Context,
}

/// What became of items, by the exporter's own metrics.
#[derive(Debug, Default, PartialEq, Eq)]
struct Accounts {
    delivered: u64,
    refused: BTreeMap<&'static str, u64>,
    dropped: BTreeMap<&'static str, u64>,
    held: i64,
}

impl Accounts {
    fn of_delivered(delivered: u64) -> Self {
        Self { delivered, ..Self::default() }
    }

    fn and_refused(mut self, reason: RefuseReason, items: u64) -> Self {
        self.refused.insert(reason.as_str(), items);
        self
    }

    fn and_dropped(mut self, reason: DropReason, items: u64) -> Self {
        self.dropped.insert(reason.as_str(), items);
        self
    }

    fn total(&self) -> i64 {
        let lost: u64 = self.refused.values().chain(self.dropped.values()).sum();
        (self.delivered + lost) as i64 + self.held
    }
}

impl Rig {
    fn new(settings: Settings, backend: Backend) -> Self {
        Self::with_budget(settings, backend, MemoryBudget::default())
    }

    fn with_budget(settings: Settings, backend: Backend, budget: MemoryBudget) -> Self {
        let mut process = Process::default();
        process.budget = budget;
        Self::within(process, settings, backend)
    }

    fn within(process: Process, settings: Settings, backend: Backend) -> Self {
        let id = "otlp/test".parse().unwrap();
        let kind = ComponentKind::Exporter;
        let context = Context::new(process, kind, id, Some(Signal::Traces), None);
        let helper = build(context.clone(), settings, backend.clone()).unwrap();
        Self { helper, backend, context }
    }

    async fn offer(&self, ids: Range<u64>) -> Result<(), ConsumeError> {
        let envelope = Envelope::of(spans(ids));
        patiently("an answer", self.helper.consume(envelope)).await
    }

    /// Waits until nothing is held.
    async fn settled(&self) {
        patiently("every outcome", emptied(&self.helper.core.ledger.turn())).await;
    }

    /// Shuts down within so many seconds.
    async fn shutdown(&self, seconds: u64) -> usize {
        self.helper.shutdown(Deadline::after(Duration::from_secs(seconds))).await
    }

    fn accounts(&self) -> Accounts {
        let registry = &self.context.process.registry;
        let labels = [(label::EXPORTER, "otlp/test"), (label::DATA_TYPE, "traces")];
        let by = |family, reason| {
            let [exporter, data_type] = labels;
            registry.counter(family, &[exporter, data_type, (label::REASON, reason)]).get()
        };
        let refused = RefuseReason::ALL
            .iter()
            .map(|reason| (reason.as_str(), by(&names::EXPORTER_REFUSED_ITEMS, reason.as_str())));
        let dropped = DropReason::ALL
            .iter()
            .map(|reason| (reason.as_str(), by(&names::EXPORTER_DROPPED_ITEMS, reason.as_str())));
        Accounts {
            delivered: registry.counter(&names::EXPORTER_DELIVERED_ITEMS, &labels).get(),
            refused: refused.filter(|(_, items)| *items > 0).collect(),
            dropped: dropped.filter(|(_, items)| *items > 0).collect(),
            held: registry.gauge(&names::EXPORTER_HELD_ITEMS, &labels).get(),
        }
    }

    fn exposed(&self) -> String {
        let level = telemetry::MetricsLevel::Detailed;
        telemetry::render(&self.context.process.registry, level)
    }
}
