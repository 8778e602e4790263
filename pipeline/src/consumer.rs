//! What accepts envelopes, and how it says no.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use pdata::GrpcCode;

use crate::envelope::Envelope;

/// A future at an object boundary.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The next stage of a pipeline.
pub trait Consumer: Send + Sync {
    /// Takes an envelope. `Ok` means accepted: in memory (or in a persistent queue) and on its way, unless the consumer
    /// was told to wait for the result.
    ///
    /// Dropping the future part-way may lose the envelope only where it has not been accepted yet.
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>>;
}

/// Why a consumer did not take an envelope. Decisions are taken on `class` and `code`, never on `message`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConsumeError {
    /// What the caller can do about it.
    pub class: Class,
    /// The status that a backend or component gave, to be handed to the sender.
    pub code: Option<GrpcCode>,
    /// How long to wait before the next try.
    pub retry_after: Option<Duration>,
    /// What went wrong: lower case, without payload content.
    pub message: Cow<'static, str>,
}

/// What a caller can do about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// No room right now: a queue or the memory budget is full. Worth another try.
    Overloaded,
    /// Failed this time. Worth another try.
    Retryable,
    /// Will fail every time.
    Permanent,
    /// The consumer is shutting down. Worth another try, with its successor.
    Closed,
}

impl ConsumeError {
    /// An error of this class, with no status of its own.
    pub fn new(class: Class, message: impl Into<Cow<'static, str>>) -> Self {
        Self { class, code: None, retry_after: None, message: message.into() }
    }

    /// No room right now.
    pub fn overloaded(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Class::Overloaded, message)
    }

    /// Will fail every time.
    pub fn permanent(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Class::Permanent, message)
    }

    /// The same error with a delay for the sender.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// The same error with a status for the sender.
    #[must_use]
    pub fn code(mut self, code: GrpcCode) -> Self {
        self.code = Some(code);
        self
    }

    /// Whether trying again can help.
    pub fn is_retryable(&self) -> bool {
        self.class != Class::Permanent
    }
}
