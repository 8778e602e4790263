//! What an exporter's author writes: translation and one send.

use std::future::Future;
use std::time::Duration;

use pdata::Payload;
use pipeline::{Client, Deadline, GrpcCode, StartError};
use telemetry::names::DropReason;

use crate::reason::Reason;

/// Encodes above this size leave the runtime's thread, unless an exporter says otherwise. At the fastest deflate of our table
/// (0.45 µs for 361 bytes) that much takes 160 µs, some ten times what the way to another thread and back costs.
pub const OFFLOAD_BYTES: usize = 128 << 10;

/// One exporter: how its requests are made, and how one is sent.
///
/// The helper owns everything else: queue, batching, retry, timeout, splitting, counting, stopping.
pub trait Push: Send + Sync + 'static {
    /// An encoded request, ready for the wire. It is sent as often as it takes, so sending must not use it up: keep the body as
    /// `Bytes`.
    type Request: Send + Sync + 'static;

    /// Turns a payload into requests. Pure work for the processor: no clock, no randomness, no waiting. May run on a thread of its own,
    /// and again on a part of the payload when that has to be split.
    ///
    /// The items of the requests and of [`Encoded::unsendable`] must add up to the payload's.
    ///
    /// # Errors
    /// [`EncodeError::TooLarge`] has the payload split and tried again.
    fn encode(
        &self,
        payload: &Payload,
        client: &Client,
    ) -> Result<Encoded<Self::Request>, EncodeError>;

    /// Sends a request once and reads the answer. The helper bounds it with the exporter's `timeout` and may drop it part-way.
    fn send(&self, request: &Self::Request)
    -> impl Future<Output = Result<Sent, SendError>> + Send;

    /// The largest request that the backend takes, if that is known, in the unit of [`EncodedRequest::bytes`]. Payloads are split
    /// until their requests fit; a single item that does not fit is dropped as too large without being sent.
    fn max_request_bytes(&self) -> Option<usize> {
        None
    }

    /// How large the request for a payload will be, where that is known without encoding it. Saves encoding what has to be split.
    fn request_bytes(&self, payload: &Payload) -> Option<usize> {
        let _not_known = payload;
        None
    }

    /// From which payload size on, in bytes, encoding is too much work for the runtime's thread. `usize::MAX` where encoding only
    /// passes bytes on.
    fn offload_bytes(&self) -> usize {
        OFFLOAD_BYTES
    }

    /// Whether what a payload becomes depends on those before it, as the differences of cumulative points do. Then each payload is encoded
    /// once, one at a time and in the queue's order, and a request that has to be split is cut with [`Push::halve`].
    /// `request_bytes`, [`EncodeError::TooLarge`] and [`EncodedRequest::part`] are of no use to such a push.
    fn keeps_state(&self) -> bool {
        false
    }

    /// Cuts a request of at least two items in two, each with some of its items. Gives it back as the only one if it can't be cut; it is
    /// given up then. Asked of a push that keeps state only. May run on a thread of its own.
    fn halve(&self, request: EncodedRequest<Self::Request>) -> Vec<EncodedRequest<Self::Request>> {
        vec![request]
    }

    /// How many requests of one payload are sent at a time. They are begun in their order; with more than one, they may arrive in another.
    fn parallel(&self) -> usize {
        1
    }

    /// What attempts to send a request have achieved that did not succeed as a whole: asked when it is given up. Only a push that sends what
    /// is left of a request with the next attempt has something to say.
    fn progress(&self, request: &Self::Request) -> Progress {
        let _all_or_nothing = request;
        Progress::default()
    }

    /// Opens the connection that the next request will need, if there is none: asked when one is expected soon. What goes wrong is left for
    /// that request to find out. The helper may drop it part-way.
    fn warm(&self, deadline: Deadline) -> impl Future<Output = ()> + Send {
        let _no_connection = deadline;
        std::future::ready(())
    }

    /// Called once before the first request: looks up authenticators, reads certificates. Must not wait for the backend.
    fn start(&self) -> impl Future<Output = Result<(), StartError>> + Send {
        std::future::ready(Ok(()))
    }
}

/// What became of the items of a request that was given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Items that the backend took.
    pub delivered: usize,
    /// Items that it rejected.
    pub rejected: usize,
}

/// What became of a payload.
#[derive(Debug)]
pub struct Encoded<R> {
    /// Requests, to be sent in this order; none when there is nothing to send.
    pub requests: Vec<EncodedRequest<R>>,
    /// Items that have no form in the backend's format, or never fit a request, by reason.
    pub unsendable: Vec<(DropReason, usize)>,
}

/// One request and what the helper has to know of it.
#[derive(Debug)]
pub struct EncodedRequest<R> {
    /// The request.
    pub request: R,
    /// Items of the payload in it.
    pub items: usize,
    /// Its size in bytes as the backend's limit counts it.
    pub bytes: usize,
    /// Memory it takes beside the payload's own, in bytes; [`EncodedRequest::new`] takes it to be `bytes`.
    pub memory_bytes: usize,
    /// The part of the payload it was made of, so that it can be split or searched for a poisonous item. Not needed for an only request
    /// (it is the whole payload then); several requests without their parts are never split.
    pub part: Option<Payload>,
}

impl<R> Encoded<R> {
    /// A payload that became one request.
    pub fn one(request: EncodedRequest<R>) -> Self {
        Self { requests: vec![request], unsendable: Vec::new() }
    }

    /// A payload of which nothing can be sent.
    pub fn nothing(reason: DropReason, items: usize) -> Self {
        Self { requests: Vec::new(), unsendable: vec![(reason, items)] }
    }
}

impl<R> EncodedRequest<R> {
    /// A request of so many items and bytes.
    pub fn new(request: R, items: usize, bytes: usize) -> Self {
        Self { request, items, bytes, memory_bytes: bytes, part: None }
    }

    /// The same request, with the memory it takes beside the payload's: zero when it shares the payload's bytes.
    #[must_use]
    pub fn memory_bytes(mut self, bytes: usize) -> Self {
        self.memory_bytes = bytes;
        self
    }

    /// The same request, made of a part of the payload.
    #[must_use]
    pub fn part(mut self, part: Payload) -> Self {
        self.part = Some(part);
        self
    }
}

/// Why a payload could not be encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// It is larger than the format or the backend takes. Halves are tried; a single item is dropped as too large.
    #[error("the request is larger than the backend takes")]
    TooLarge,
    /// It has no form in the backend's format. Its items are dropped as untranslatable.
    #[error("the payload cannot be translated: {0}")]
    Untranslatable(Reason),
}

/// The backend took the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Items that the backend rejected all the same: a partial success. Never sent again.
    pub rejected: usize,
    /// What the backend had to say about it.
    pub message: Option<Reason>,
}

impl Sent {
    /// All items were taken.
    pub fn all() -> Self {
        Self::default()
    }

    /// Some items were rejected, or there is something the backend wants to be known.
    pub fn partly(rejected: usize, message: impl Into<Option<Reason>>) -> Self {
        Self { rejected, message: message.into() }
    }
}

/// The backend did not take the request, or was not reached. [`crate::classify`] makes it of a status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Worth another try.
    #[error("{reason}")]
    Retryable {
        /// The status, for the sender.
        code: Option<GrpcCode>,
        /// How long the backend wants to be left alone.
        delay: Option<Duration>,
        /// What went wrong.
        reason: Reason,
    },
    /// Will fail every time.
    #[error("{reason}")]
    Permanent {
        /// Whether this request was at fault or any would be refused.
        about: About,
        /// The status, for the sender.
        code: Option<GrpcCode>,
        /// What the backend said.
        reason: Reason,
    },
    /// The backend takes smaller requests only.
    #[error("{reason}")]
    TooLarge {
        /// Its limit, in the unit of [`EncodedRequest::bytes`], if it is known. Later requests are kept below it.
        limit_bytes: Option<usize>,
        /// What the backend said.
        reason: Reason,
    },
}

/// What a permanent refusal speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// This request: something in it. A request of several items is searched for the ones at fault.
    Request,
    /// The peer as a whole: no access, wrong path, wrong protocol. Splitting would not help.
    Peer,
}

impl SendError {
    /// Worth another try, without a status: the network failed.
    pub fn network(reason: Reason) -> Self {
        Self::Retryable { code: Some(GrpcCode::Unavailable), delay: None, reason }
    }

    /// No answer in time.
    pub fn timed_out(timeout: Duration) -> Self {
        let reason = Reason::new(format!("no answer within {timeout:?} (setting: timeout)"));
        Self::Retryable { code: Some(GrpcCode::DeadlineExceeded), delay: None, reason }
    }

    /// Will fail every time, whatever the request.
    pub fn peer(reason: Reason) -> Self {
        Self::Permanent { about: About::Peer, code: None, reason }
    }

    /// Whether another try with the same request can help.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Retryable { .. })
    }

    /// The status that the sender is told.
    pub fn code(&self) -> Option<GrpcCode> {
        match self {
            Self::Retryable { code, .. } | Self::Permanent { code, .. } => *code,
            Self::TooLarge { .. } => Some(GrpcCode::ResourceExhausted),
        }
    }

    /// What went wrong.
    pub fn reason(&self) -> &Reason {
        match self {
            Self::Retryable { reason, .. }
            | Self::Permanent { reason, .. }
            | Self::TooLarge { reason, .. } => reason,
        }
    }
}
