//! From payload to backend: encode, split what does not fit, send, try again, search for what is refused.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use config::Retry;
use pdata::Payload;
use pipeline::{Admission, Branch, Class, Client, ConsumeError, Gate, Hold, MemoryBudget, Process};
use telemetry::names::{DropReason, RefuseReason};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::custody::{Custody, keep_worse};
use crate::erased::{AnyPush, AnyRequest};
use crate::journal::Journal;
use crate::ledger::Outcome;
use crate::metrics::Metrics;
use crate::pace::{Hurry, Pace};
use crate::push::{About, EncodeError, Encoded, EncodedRequest, Progress, SendError, Sent};
use crate::reason::Reason;
use crate::sends::Sends;

/// Requests that the search for refused items may cost beyond the one that was refused: enough to find two single items in 8192.
const SEARCH_REQUESTS_MAX: usize = 64;
/// When halves and quarters are all refused it is not the items, and the search is given up.
const BLIND_LEVELS_MAX: usize = 2;

/// After which time an attempt that no setting limits is taken for stuck.
const UNLIMITED_ATTEMPT: Duration = Duration::from_secs(3600);

/// Everything behind the queue.
pub(crate) struct Chain {
    pub(crate) push: Arc<dyn AnyPush>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<Retry>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) journal: Journal,
    pub(crate) pace: Pace,
    gate: Gate,
    budget: MemoryBudget,
    branch: Branch,
    /// The largest request the backend takes, as far as it is known.
    limit_bytes: AtomicUsize,
    /// The last search found a backend that refuses everything; nothing was taken since.
    hopeless: AtomicBool,
    /// Held while a payload is encoded by a push that keeps state. It is fair, so payloads get it in the order in which they ask.
    turn: Mutex<()>,
}

/// What is still to be sent.
enum Work {
    /// To be encoded first.
    Payload(Payload),
    /// Encoded by a push that keeps state, which is never asked to encode the same again.
    Request(EncodedRequest<AnyRequest>),
}

/// A search for the items that make the backend refuse a payload: level by level, all parts of one size before their halves.
#[derive(Default)]
struct Search {
    suspects: Vec<Suspect>,
    level: usize,
    requests: usize,
    any_taken: bool,
}

/// A part that was refused and has not been split yet.
struct Suspect {
    part: Work,
    items: usize,
    unsendable: Vec<(DropReason, usize)>,
    error: SendError,
}

impl Chain {
    pub(crate) fn new(
        push: Arc<dyn AnyPush>,
        timeout: Option<Duration>,
        retry: Option<Retry>,
        metrics: Arc<Metrics>,
        journal: Journal,
        branch: Branch,
        process: &Process,
    ) -> Self {
        let (budget, gate) = (process.budget.clone(), process.gate.clone());
        let limit_bytes = AtomicUsize::new(push.max_request_bytes().unwrap_or(usize::MAX));
        let (pace, hopeless, turn) = (Pace::new(), AtomicBool::new(false), Mutex::new(()));
        Self {
            push,
            timeout,
            retry,
            metrics,
            journal,
            pace,
            gate,
            budget,
            branch,
            limit_bytes,
            hopeless,
            turn,
        }
    }

    /// Sends a payload, in as many requests as it takes. On return every item of `custody` has its outcome. Dropped part-way, the items
    /// without one are counted as cut off.
    pub(crate) async fn deliver(
        &self,
        payload: Payload,
        client: &Arc<Client>,
        custody: &mut Custody,
    ) {
        let mut search = Search::default();
        let mut first = Some(Work::Payload(payload));
        let mut later = VecDeque::new();
        loop {
            let Some(work) = first.take().or_else(|| later.pop_front()) else {
                if search.suspects.is_empty() {
                    break;
                }
                self.search_on(&mut search, custody, &mut later).await;
                continue;
            };
            let part = match work {
                Work::Payload(part) => part,
                Work::Request(request) => {
                    let encoded = Encoded::one(request);
                    self.send_all(encoded, None, custody, &mut search, &mut later).await;
                    continue;
                }
            };
            let may_split = part.items() > 1 && !self.push.keeps_state();
            if may_split && self.push.request_bytes(&part).is_some_and(|bytes| bytes > self.limit())
            {
                later.extend(halves(part).map(Work::Payload));
                continue;
            }
            match self.encode(&part, client).await {
                Ok(encoded) => {
                    self.send_all(encoded, Some(part), custody, &mut search, &mut later).await;
                }
                Err(EncodeError::TooLarge) if may_split => {
                    later.extend(halves(part).map(Work::Payload));
                }
                Err(EncodeError::TooLarge) => {
                    let reason = Reason::new("a single item is larger than the backend takes");
                    let error = SendError::TooLarge { limit_bytes: None, reason };
                    self.give_up(custody, part.items(), &error);
                }
                Err(error @ EncodeError::Untranslatable(_)) => {
                    let items = part.items();
                    self.metrics.send_failed(items, "_OTHER", true);
                    custody.held.settle(Outcome::Dropped(DropReason::Untranslatable), items);
                    let error = ConsumeError::permanent(error.to_string());
                    self.note(custody, items, error);
                }
            }
        }
        let uncounted = custody.held.open();
        if uncounted > 0 {
            self.journal.lost_count(uncounted);
            custody.held.settle(Outcome::Dropped(DropReason::ComponentFailed), uncounted);
        }
    }

    async fn encode(
        &self,
        payload: &Payload,
        client: &Arc<Client>,
    ) -> Result<Encoded<AnyRequest>, EncodeError> {
        let _turn = match self.push.keeps_state() {
            true => Some(self.turn.lock().await),
            false => None,
        };
        if payload.encoded_len() <= self.push.offload_bytes() {
            return self.push.encode(payload, client);
        }
        let (push, payload, client) = (self.push.clone(), payload.clone(), client.clone());
        offloaded(move || push.encode(&payload, &client)).await
    }

    /// Cuts work of at least two items in two, or gives it back.
    async fn halves(&self, work: Work) -> Result<Vec<Work>, Work> {
        let request = match work {
            Work::Payload(part) => return Ok(halves(part).map(Work::Payload).into()),
            Work::Request(request) => request,
        };
        let mut halves = match request.bytes <= self.push.offload_bytes() {
            true => request.halve(),
            false => offloaded(move || request.halve()).await,
        };
        match (halves.pop(), halves.pop()) {
            (Some(whole), None) => Err(Work::Request(whole)),
            (last, first) => Ok(first.into_iter().chain(last).map(Work::Request).collect()),
        }
    }

    /// Sends the requests of one part, which is there unless they were cut of others. What has to be split goes to `later`.
    async fn send_all(
        &self,
        encoded: Encoded<AnyRequest>,
        part: Option<Payload>,
        custody: &mut Custody,
        search: &mut Search,
        later: &mut VecDeque<Work>,
    ) {
        let Encoded { requests, mut unsendable } = encoded;
        let keeps_state = self.push.keeps_state();
        let mut whole = part.filter(|_| requests.len() == 1 && !keeps_state);
        let _memory = self.claim(requests.iter().map(|request| request.memory_bytes).sum());
        let mut sends = Sends::new(requests, self.push.parallel());
        while let Some((mut request, outcome)) = sends.next(self).await {
            match outcome {
                Ok(sent) => {
                    search.any_taken = true;
                    self.hopeless.store(false, Ordering::Relaxed);
                    self.sent(custody, request.items, &sent);
                }
                Err(error) => {
                    let items = self.settle_progress(custody, &request);
                    if items == 0 {
                        continue;
                    }
                    let searched = error.is_about_the_request();
                    let splittable = searched || matches!(error, SendError::TooLarge { .. });
                    let all = whole.is_some();
                    let part = match keeps_state {
                        true => Some(Work::Request(request)),
                        false => request.part.take().or_else(|| whole.take()).map(Work::Payload),
                    };
                    let Some(part) = part.filter(|_| splittable && items > 1) else {
                        self.give_up(custody, items, &error);
                        continue;
                    };
                    // When the halves are encoded, what has no form turns up again.
                    let unsendable = if all { std::mem::take(&mut unsendable) } else { Vec::new() };
                    if searched {
                        search.suspects.push(Suspect { part, items, unsendable, error });
                        continue;
                    }
                    match self.halves(part).await {
                        Ok(halves) => later.extend(halves),
                        Err(_uncut) => self.give_up(custody, items, &error),
                    }
                }
            }
        }
        self.drop_unsendable(custody, unsendable);
    }

    /// Goes on to the next level of a search, or gives it up.
    async fn search_on(
        &self,
        search: &mut Search,
        custody: &mut Custody,
        later: &mut VecDeque<Work>,
    ) {
        let blind = search.level >= BLIND_LEVELS_MAX;
        if blind && !search.any_taken {
            self.hopeless.store(true, Ordering::Relaxed);
        }
        let hopeful = search.any_taken || !self.hopeless.load(Ordering::Relaxed);
        search.level += 1;
        for Suspect { part, items, unsendable, error } in std::mem::take(&mut search.suspects) {
            if hopeful && search.requests + 2 <= SEARCH_REQUESTS_MAX {
                search.requests += 2;
                match self.halves(part).await {
                    Ok(halves) => later.extend(halves),
                    Err(_uncut) => self.give_up(custody, items, &error),
                }
            } else {
                self.give_up(custody, items, &error);
                self.drop_unsendable(custody, unsendable);
            }
        }
    }

    fn drop_unsendable(&self, custody: &mut Custody, unsendable: Vec<(DropReason, usize)>) {
        for (reason, items) in unsendable {
            custody.held.settle(Outcome::Dropped(reason), items);
        }
    }

    /// Sends one request, as often as it takes. A retryable error means that there are no more tries.
    pub(crate) async fn send(
        &self,
        request: &EncodedRequest<AnyRequest>,
    ) -> Result<Sent, SendError> {
        if request.bytes > self.limit() {
            let (bytes, limit) = (request.bytes, self.limit());
            let text = format!("a request of {bytes} bytes is over the backend's limit of {limit}");
            return Err(SendError::TooLarge { limit_bytes: None, reason: Reason::new(text) });
        }
        let _in_flight = InFlight::new(&self.metrics);
        // What counts towards `max_elapsed_time`.
        let mut spent = Duration::ZERO;
        let mut backoff = self.retry.as_ref().map(Backoff::new);
        let mut hurry = Hurry::default();
        loop {
            let begun = self.begin();
            let error = match self.gate.pass(|| self.attempt(request)).await {
                Ok(sent) => {
                    self.journal.succeeded();
                    self.branch.set_stalled(false);
                    return Ok(sent);
                }
                Err(error) => error,
            };
            self.branch.set_stalled(error.is_retryable());
            if let SendError::TooLarge { limit_bytes: Some(limit @ 1..), .. } = error {
                self.limit_bytes.fetch_min(limit, Ordering::Relaxed);
            }
            let (SendError::Retryable { delay: throttle, .. }, Some(backoff)) =
                (&error, &mut backoff)
            else {
                return Err(error);
            };
            let delay = backoff.next(fastrand::f64()).max(throttle.unwrap_or_default());
            let longest = self.timeout.unwrap_or(Duration::MAX);
            spent = spent.saturating_add(begun.spent(&self.gate, longest));
            let within = |limit: Duration| spent.saturating_add(delay) <= limit;
            let limit = self.retry.as_ref().and_then(|retry| retry.max_elapsed_time);
            if !limit.is_none_or(within) && !self.pace.is_stopping() {
                return Err(error);
            }
            self.journal.will_retry(&error, delay);
            let begun = self.begin();
            self.pause(delay, *throttle, &mut hurry).await;
            spent = spent.saturating_add(begun.spent(&self.gate, delay));
            self.metrics.retries.increment();
        }
    }

    fn begin(&self) -> Begun {
        Begun { at: Instant::now(), closed_before: self.gate.closed_for() }
    }

    /// Waits before the next try, by the clock that timers go by and, over times in which the process was frozen, by the wall clock.
    async fn pause(&self, delay: Duration, throttle: Option<Duration>, hurry: &mut Hurry) {
        self.metrics.pulse.beat(delay.max(throttle.unwrap_or_default()));
        // A time beyond the clock's range does not come.
        let due = SystemTime::now().checked_add(delay);
        let thawed = async {
            match due {
                Some(due) => self.gate.opened_after(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.pace.wait(delay, throttle, hurry) => {}
            () = thawed => {}
        }
    }

    async fn attempt(&self, request: &EncodedRequest<AnyRequest>) -> Result<Sent, SendError> {
        self.metrics.pulse.beat(self.timeout.unwrap_or(UNLIMITED_ATTEMPT));
        let send = request.request.send();
        match self.timeout {
            None => send.await,
            Some(timeout) => tokio::time::timeout(timeout, send)
                .await
                .unwrap_or_else(|_elapsed| Err(SendError::timed_out(timeout))),
        }
    }

    fn sent(&self, custody: &mut Custody, items: usize, sent: &Sent) {
        let rejected = sent.rejected.min(items);
        self.metrics.sent.add(items as u64);
        custody.held.settle(Outcome::Delivered, items - rejected);
        if rejected > 0 || sent.message.is_some() {
            custody.held.settle(Outcome::Refused(RefuseReason::PartialSuccess), rejected);
            self.journal.partial_success(rejected, sent.message.as_ref());
        }
    }

    /// Settles what attempts have achieved that did not succeed as a whole. The items that are left.
    fn settle_progress(
        &self,
        custody: &mut Custody,
        request: &EncodedRequest<AnyRequest>,
    ) -> usize {
        let Progress { delivered, rejected } = request.request.progress();
        let delivered = delivered.min(request.items);
        let rejected = rejected.min(request.items - delivered);
        if delivered + rejected > 0 {
            self.sent(custody, delivered + rejected, &Sent::partly(rejected, None));
        }
        request.items - delivered - rejected
    }

    fn give_up(&self, custody: &mut Custody, items: usize, error: &SendError) {
        let outcome = match error {
            SendError::Retryable { .. } => Outcome::Failed,
            SendError::Permanent { .. } => Outcome::Refused(RefuseReason::Permanent),
            SendError::TooLarge { .. } => Outcome::Dropped(DropReason::TooLarge),
        };
        self.metrics.send_failed(items, error.error_type().as_ref(), !error.is_retryable());
        custody.held.settle(outcome, items);
        self.note(custody, items, self.for_the_caller(error));
    }

    /// Tells whoever has to know: the caller if it waits, the operator if nobody does.
    fn note(&self, custody: &mut Custody, items: usize, error: ConsumeError) {
        if !custody.held.is_awaited() {
            self.journal.dropped(items, &error.message);
        }
        keep_worse(&mut custody.error, Some(error));
    }

    fn for_the_caller(&self, error: &SendError) -> ConsumeError {
        let (class, retry_after) = match error {
            SendError::Retryable { delay, .. } => (Class::Retryable, *delay),
            SendError::Permanent { .. } | SendError::TooLarge { .. } => (Class::Permanent, None),
        };
        let message = match (class, &self.retry) {
            (Class::Permanent, Some(_)) => format!("not retryable error: {error}").into(),
            (_, Some(_)) => format!("no more retries left: {error}").into(),
            (_, None) => error.reason().clone().into_text(),
        };
        ConsumeError { class, code: error.code(), retry_after, message }
    }

    /// Has the memory budget know of encoded requests, which are there already and can't be refused.
    fn claim(&self, bytes: usize) -> Hold {
        if bytes == 0 {
            return Hold::none();
        }
        match self.budget.try_hold(0) {
            Admission::Granted(hold) => {
                hold.resize(bytes);
                hold
            }
            Admission::Spent(_) => Hold::none(),
        }
    }

    fn limit(&self) -> usize {
        self.limit_bytes.load(Ordering::Relaxed)
    }
}

impl SendError {
    fn is_about_the_request(&self) -> bool {
        matches!(self, Self::Permanent { about: About::Request, .. })
    }

    /// The value of the label `error_type`, as upstream's `obs_report_sender.go` has it.
    fn error_type(&self) -> std::borrow::Cow<'static, str> {
        use pipeline::GrpcCode::{DeadlineExceeded, Ok};
        match self.code() {
            None | Some(Ok) => "_OTHER".into(),
            Some(DeadlineExceeded) => "Deadline_Exceeded".into(),
            Some(code) => format!("{code:?}").into(),
        }
    }
}

/// A request on its way, in the gauge until it is dropped.
struct InFlight<'a>(&'a Metrics);

impl<'a> InFlight<'a> {
    fn new(metrics: &'a Metrics) -> Self {
        metrics.in_flight.add(1);
        Self(metrics)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.sub(1);
    }
}

/// When a try or a wait began.
struct Begun {
    at: Instant,
    closed_before: Duration,
}

impl Begun {
    /// What it has used up of the retries. Time in which nothing could be sent does not count, and nothing counts for longer than it can have
    /// taken: the rest is time in which the process did not run.
    fn spent(&self, gate: &Gate, longest: Duration) -> Duration {
        let closed = gate.closed_for().saturating_sub(self.closed_before);
        self.at.elapsed().saturating_sub(closed).min(longest)
    }
}

/// Does work for the processor on a thread for such.
async fn offloaded<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is being shut down, and drops this future next.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}

/// Cuts a payload of at least two items in the middle.
fn halves(mut payload: Payload) -> [Payload; 2] {
    let rest = payload.split_off(payload.items() / 2);
    [payload, rest]
}
