//! What a connection is doing, written by its task and read once a second by its owner.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::{Phase, ServerSettings};

/// One connection's state. Times are milliseconds since it was accepted, plus one; 0 is "not".
pub(super) struct Activity {
    accepted: Instant,
    /// The age at which the connection is asked to end, jittered.
    age_limit: Option<Duration>,
    /// Requests being answered.
    requests: AtomicU32,
    /// When the last request ended.
    idle_since: AtomicU64,
    /// When the first byte came that belongs to no request yet.
    head_since: AtomicU64,
    /// Since when the peer takes no bytes.
    blocked_since: AtomicU64,
    /// When it was asked to end.
    ending_since: AtomicU64,
    last_answer_failed: AtomicBool,
    phase: AtomicU8,
    waker: OnceLock<Waker>,
}

/// How long a connection that was asked to end may stay open without a request.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a connection is closed by its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    /// Finish the requests, then close.
    End,
    /// Close now; the text completes "closed a connection: ".
    Cut(&'static str),
}

impl Activity {
    pub(super) fn new(settings: &ServerSettings) -> Self {
        // A tenth more or less, so that connections opened together do not all end together.
        let jitter = 0.9 + 0.2 * fastrand::f64();
        Self {
            accepted: Instant::now(),
            age_limit: settings.max_connection_age.map(|age| age.mul_f64(jitter)),
            requests: AtomicU32::new(0),
            idle_since: AtomicU64::new(1),
            head_since: AtomicU64::new(0),
            blocked_since: AtomicU64::new(0),
            ending_since: AtomicU64::new(0),
            last_answer_failed: AtomicBool::new(false),
            phase: AtomicU8::new(0),
            waker: OnceLock::new(),
        }
    }

    pub(super) fn begin_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
    }

    pub(super) fn end_request(&self, failed: bool) {
        self.last_answer_failed.store(failed, Ordering::Relaxed);
        self.idle_since.store(self.now(), Ordering::Relaxed);
        self.requests.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn note_read(&self) {
        if self.requests.load(Ordering::Relaxed) == 0
            && self.head_since.load(Ordering::Relaxed) == 0
        {
            self.head_since.store(self.now(), Ordering::Relaxed);
        }
    }

    pub(super) fn note_write(&self, took_some: bool) {
        let blocked = self.blocked_since.load(Ordering::Relaxed) != 0;
        if took_some == blocked {
            let since = if took_some { 0 } else { self.now() };
            self.blocked_since.store(since, Ordering::Relaxed);
        }
    }

    pub(super) fn last_answer_failed(&self) -> bool {
        self.last_answer_failed.load(Ordering::Relaxed)
    }

    /// Tells the connection what to do, and wakes it.
    pub(super) fn command(&self, phase: Phase) {
        let number = match phase {
            Phase::Serving => 0,
            Phase::Draining => 1,
            Phase::Aborting => 2,
        };
        if self.phase.fetch_max(number, Ordering::SeqCst) < number {
            if phase == Phase::Draining {
                self.ending_since.store(self.now(), Ordering::Relaxed);
            }
            if let Some(waker) = self.waker.get() {
                waker.wake_by_ref();
            }
        }
    }

    /// What the connection is to do. The task of `cx` is the one to wake from now on.
    pub(super) fn commanded(&self, cx: &Context<'_>) -> Phase {
        self.waker.get_or_init(|| cx.waker().clone());
        match self.phase.load(Ordering::SeqCst) {
            0 => Phase::Serving,
            1 => Phase::Draining,
            _ => Phase::Aborting,
        }
    }

    /// Whether a request is being answered.
    pub(super) fn is_busy(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    /// What is to become of the connection now. In HTTP/2 bytes outside requests are no head of a
    /// request.
    pub(super) fn verdict(&self, settings: &ServerSettings, is_http2: bool) -> Verdict {
        let age = self.accepted.elapsed();
        let past = |since: &AtomicU64, limit: Duration| {
            let since = since.load(Ordering::Relaxed);
            since != 0 && age >= Duration::from_millis(since - 1) + limit
        };
        if past(&self.blocked_since, settings.write_timeout) {
            return Verdict::Cut("the peer left its answer unread");
        }
        if let Some(grace) = settings.max_connection_age_grace
            && self.age_limit.is_some_and(|limit| age >= limit)
            && past(&self.ending_since, grace)
        {
            return Verdict::Cut("it outlived max_connection_age and its grace");
        }
        if self.age_limit.is_some_and(|limit| age >= limit) {
            return Verdict::End;
        }
        if self.is_busy() {
            return Verdict::Keep;
        }
        if past(&self.ending_since, GOODBYE_TIMEOUT) {
            return Verdict::Cut("the peer did not take its leave");
        }
        if !is_http2 && past(&self.head_since, settings.header_timeout) {
            return Verdict::Cut("the head of a request did not arrive in time");
        }
        if settings.idle_timeout.is_some_and(|limit| past(&self.idle_since, limit)) {
            return Verdict::End;
        }
        Verdict::Keep
    }

    fn now(&self) -> u64 {
        u64::try_from(self.accepted.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }
}
