//! What every fake backend has: a script of answers, a record of what came, and a way to wait for it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use crate::answer::Answer;
use crate::spans::SpanId;
use crate::wait::PATIENCE;

/// Shared by a fake's test and its server. `R` is one request as the fake understood it.
#[derive(Debug)]
pub struct Desk<R> {
    state: Mutex<State<R>>,
    changed: Condvar,
    released: watch::Sender<bool>,
}

#[derive(Debug)]
struct State<R> {
    script: VecDeque<Answer>,
    afterwards: Answer,
    judge: Judge<R>,
    requests: Vec<Entry<R>>,
    /// What was taken in requests that are not kept.
    taken: BTreeMap<SpanId, usize>,
    /// The number of the first request that is kept.
    first: usize,
    violations: Vec<String>,
}

/// Chooses an answer by a request's content, or leaves it to the script.
struct Judge<R>(Box<JudgeFn<R>>);

type JudgeFn<R> = dyn Fn(&R) -> Option<Answer> + Send;

impl<R> fmt::Debug for Judge<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}

/// A request that a fake has decoded.
pub trait Decoded: Clone {
    /// The ids of its spans, in order; none for another signal.
    fn span_ids(&self) -> Vec<SpanId>;
}

/// One request and what became of it.
#[derive(Clone, Debug)]
pub struct Entry<R> {
    /// The request, fully decoded.
    pub request: R,
    /// How it was, or would have been, answered.
    pub answer: Answer,
    /// Whether the backend took it: an acceptance was scripted and has been given.
    pub accepted: bool,
    /// When it had arrived in full.
    pub at: Instant,
}

impl<R: Decoded> Desk<R> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                script: VecDeque::new(),
                afterwards: Answer::Accept,
                judge: Judge(Box::new(|_| None)),
                requests: Vec::new(),
                taken: BTreeMap::new(),
                first: 0,
                violations: Vec::new(),
            }),
            changed: Condvar::new(),
            released: watch::Sender::new(false),
        })
    }

    /// Adds answers for the next requests; when they are used up, the standing answer follows.
    pub fn answer_next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.lock().script.extend(answers);
    }

    /// Sets the standing answer, which is acceptance at first.
    pub fn answer_always(&self, answer: Answer) {
        self.lock().afterwards = answer;
    }

    /// Sets a judge: where it gives an answer, that goes before the script's, which is used up all the same.
    pub fn answer_when(&self, judge: impl Fn(&R) -> Option<Answer> + Send + 'static) {
        self.lock().judge = Judge(Box::new(judge));
    }

    /// Lets stalled requests end as if the connection had broken.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Entry<R>> {
        self.lock().requests.clone()
    }

    /// The requests that the backend took.
    pub fn accepted(&self) -> Vec<R> {
        let state = self.lock();
        let accepted = state.requests.iter().filter(|entry| entry.accepted);
        accepted.map(|entry| entry.request.clone()).collect()
    }

    /// What no real backend would have let pass, and takes it off the record.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().violations)
    }

    /// Waits until the requests satisfy a condition.
    ///
    /// # Panics
    ///
    /// When they do not within the patience of [`crate::wait`].
    pub fn wait_for(&self, what: &str, mut satisfied: impl FnMut(&[Entry<R>]) -> bool) {
        let started = Instant::now();
        let mut state = self.lock();
        while !satisfied(&state.requests) {
            let Some(left) = PATIENCE.checked_sub(started.elapsed()) else {
                let taken = state.requests.iter().filter(|entry| entry.accepted).count();
                panic!(
                    "waited {PATIENCE:?} for {what}; {} requests came, {taken} were taken; violations: {:?}",
                    state.requests.len(),
                    state.violations
                )
            };
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until so many requests have come, whatever became of them.
    ///
    /// # Panics
    ///
    /// When they have not within the patience of [`crate::wait`].
    pub fn wait_for_requests(&self, count: usize) {
        self.wait_for(&format!("{count} requests"), |requests| requests.len() >= count);
    }

    /// Waits until so many requests have been taken, and returns those that are.
    ///
    /// # Panics
    ///
    /// When they have not within the patience of [`crate::wait`].
    pub fn wait_for_accepted(&self, count: usize) -> Vec<R> {
        self.wait_for(&format!("{count} requests to be taken"), |requests| {
            requests.iter().filter(|entry| entry.accepted).count() >= count
        });
        self.accepted()
    }

    /// Each delivered span's id, and how often it was taken.
    pub fn delivered(&self) -> BTreeMap<SpanId, usize> {
        let state = self.lock();
        let mut all = state.taken.clone();
        for (id, times) in taken(&state.requests) {
            *all.entry(id).or_default() += times;
        }
        all
    }

    /// Keeps of the requests so far only which spans were taken, for a test that sends more than memory should hold.
    pub fn keep_spans_only(&self) {
        let mut state = self.lock();
        // One that is still being answered stays.
        let settled = state.requests.iter().take_while(|e| e.accepted || !e.answer.is_acceptance());
        let settled = settled.count();
        let old: Vec<Entry<R>> = state.requests.drain(..settled).collect();
        state.first += settled;
        for (id, times) in taken(&old) {
            *state.taken.entry(id).or_default() += times;
        }
    }

    /// Waits until each of these spans has been taken.
    ///
    /// # Panics
    ///
    /// When one has not within the patience of [`crate::wait`].
    pub fn wait_for_spans(&self, ids: &[SpanId]) {
        self.wait_for(&format!("{} spans to be delivered", ids.len()), |requests| {
            let taken = taken(requests);
            ids.iter().all(|id| taken.contains_key(id))
        });
    }

    /// Checks that exactly these spans have been taken, each once.
    ///
    /// # Panics
    ///
    /// When one is missing, doubled or foreign.
    pub fn assert_delivered_once(&self, ids: &[SpanId]) {
        let delivered = self.delivered();
        let missing = ids.iter().filter(|id| !delivered.contains_key(*id)).count();
        let doubled = delivered.values().filter(|times| **times > 1).count();
        assert_eq!(
            (missing, doubled, delivered.len()),
            (0, 0, ids.len()),
            "of {} spans (missing, doubled, all that came)",
            ids.len()
        );
    }

    /// The answer to the request that is coming in.
    pub(crate) fn next_answer(&self) -> Answer {
        let mut state = self.lock();
        let next = state.script.pop_front();
        next.unwrap_or_else(|| state.afterwards.clone())
    }

    /// Records a request that the script has an answer for. Returns the answer to give, and a number for
    /// [`Desk::accept`].
    pub(crate) fn record(&self, request: R, scripted: Answer) -> (Answer, usize) {
        let mut state = self.lock();
        let answer = (state.judge.0)(&request).unwrap_or(scripted);
        let entry = Entry { request, answer: answer.clone(), accepted: false, at: Instant::now() };
        state.requests.push(entry);
        self.changed.notify_all();
        (answer, state.first + state.requests.len() - 1)
    }

    /// Marks a recorded request as taken.
    pub(crate) fn accept(&self, number: usize) {
        let mut state = self.lock();
        let place = number.checked_sub(state.first);
        if let Some(entry) = place.and_then(|place| state.requests.get_mut(place)) {
            entry.accepted = true;
        }
        drop(state);
        self.changed.notify_all();
    }

    pub(crate) fn violation(&self, text: String) {
        self.lock().violations.push(text);
        self.changed.notify_all();
    }

    /// Completes when stalled requests may end.
    pub(crate) async fn until_released(&self) {
        // The sender lives as long as this desk.
        let _ = self.released.subscribe().wait_for(|released| *released).await;
    }

    /// Fails a test that has not looked at a violation.
    ///
    /// # Panics
    ///
    /// When there is one, unless the test has failed already.
    pub(crate) fn assert_clean(&self) {
        let violations = self.take_violations();
        if !violations.is_empty() && !std::thread::panicking() {
            panic!("no real backend would have taken this: {violations:#?}");
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The spans of the requests that were taken, and how often each was.
fn taken<R: Decoded>(requests: &[Entry<R>]) -> BTreeMap<SpanId, usize> {
    let mut taken = BTreeMap::new();
    for entry in requests.iter().filter(|entry| entry.accepted) {
        for id in entry.request.span_ids() {
            *taken.entry(id).or_default() += 1;
        }
    }
    taken
}
