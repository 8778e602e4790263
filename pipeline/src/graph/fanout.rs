//! Offers an envelope to several consumers: one that refuses it never delays the others, or has them get it twice.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use telemetry::Counter;

use super::account::Account;
use crate::consumer::{BoxFuture, Class, ConsumeError, Consumer};
use crate::envelope::Envelope;

/// The ways from one outlet, or from the end of a pipeline.
///
/// All branches are offered the envelope, side by side; clones share its bytes. The answer is `Ok` when any took it: what the others
/// refused is dropped for them, and counted there, since a sender that tried again would give it twice to the branch that took it.
/// Only when no branch took it, the sender gets an error.
///
/// Branches that only make something else of the data, such as statistics of spans, come last, and only when one of the others took it.
/// They take everything, so that nobody would ever be pushed back because of the others; and what comes again would be counted twice.
pub(crate) struct FanOut {
    branches: Box<[Branch]>,
    observers: Box<[Branch]>,
    forwarded: Option<Counter>,
}

/// One of the ways.
pub(crate) struct Branch {
    pub(crate) next: Arc<dyn Consumer>,
    pub(crate) account: Account,
    /// Whether it only makes something else of the data.
    pub(crate) observes: bool,
}

impl FanOut {
    /// The ways from a receiver's or connector's outlet to its pipelines.
    pub(crate) fn new(branches: Vec<Branch>) -> Self {
        let (observers, others): (Vec<_>, Vec<_>) =
            branches.into_iter().partition(|branch| branch.observes);
        // Observers among themselves are branches like others.
        let (branches, observers) =
            if others.is_empty() { (observers, others) } else { (others, observers) };
        Self { branches: branches.into(), observers: observers.into(), forwarded: None }
    }

    /// The ways from the end of a pipeline, which counts what leaves it.
    pub(crate) fn counting(branches: Vec<Branch>, forwarded: Counter) -> Self {
        Self { forwarded: Some(forwarded), ..Self::new(branches) }
    }

    async fn offer(&self, envelope: Envelope) -> Result<(), ConsumeError> {
        let items = envelope.items() as u64;
        let observed = (!self.observers.is_empty()).then(|| envelope.clone());
        let result = match &*self.branches {
            [only] => only.offer(envelope, items).await.map_err(Refused::give_back),
            several => settle(offer_to(several, envelope, items).await, false),
        };
        if let (Ok(()), Some(observed)) = (&result, observed) {
            // Another branch took it, so there is nobody to give it back to.
            let _taken = settle(offer_to(&self.observers, observed, items).await, true);
        }
        if let (Ok(()), Some(forwarded)) = (&result, &self.forwarded) {
            forwarded.add(items);
        }
        result
    }
}

/// Offers an envelope to several branches, side by side.
async fn offer_to(
    branches: &[Branch],
    envelope: Envelope,
    items: u64,
) -> Vec<Result<(), Refused<'_>>> {
    let offers = branches
        .iter()
        .map(|branch| -> BoxFuture<'_, _> { Box::pin(branch.offer(envelope.clone(), items)) });
    let offers = offers.collect();
    // The branches alone hold the bytes from here on, so that one may edit them in place.
    drop(envelope);
    side_by_side(offers).await
}

impl Branch {
    /// Offers an envelope and counts what came of it. When the future is dropped before there is an answer, the sender has not heard that
    /// the items were taken, which counts as giving them back.
    async fn offer(&self, envelope: Envelope, items: u64) -> Result<(), Refused<'_>> {
        self.account.offered(items);
        let open = Open { account: &self.account, items };
        match self.next.consume(envelope).await {
            Ok(()) => {
                self.account.taken(items);
                std::mem::forget(open);
                Ok(())
            }
            Err(error) => Err(Refused { error, open }),
        }
    }
}

/// Items that entered a branch and whose end is not counted yet. Counted as given back when it is dropped.
struct Open<'a> {
    account: &'a Account,
    items: u64,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.account.returned(self.items);
    }
}

/// A branch's refusal, not yet counted.
struct Refused<'a> {
    error: ConsumeError,
    open: Open<'a>,
}

impl Refused<'_> {
    /// The sender keeps the items.
    fn give_back(self) -> ConsumeError {
        self.error
    }

    /// Another branch took the items, so that the sender will not offer them again.
    fn drop_items(self) {
        let Self { error, open } = self;
        open.account.dropped(open.items, &error);
        tracing::debug!(dropped_items = open.items, error = %error, "one branch refused what another took");
        std::mem::forget(open);
    }
}

impl Consumer for FanOut {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        Box::pin(self.offer(envelope))
    }
}

/// Counts the refusals, and makes one answer of all. `taken` is whether a branch that is not among them took the items.
fn settle(answers: Vec<Result<(), Refused<'_>>>, taken: bool) -> Result<(), ConsumeError> {
    let taken = taken || answers.iter().any(Result::is_ok);
    let mut refusal: Option<ConsumeError> = None;
    for refused in answers.into_iter().filter_map(Result::err) {
        if taken {
            refused.drop_items();
            continue;
        }
        let error = refused.give_back();
        refusal = Some(match refusal {
            Some(other) => worse(other, error),
            None => error,
        });
    }
    if taken { Ok(()) } else { refusal.map_or(Ok(()), Err) }
}

/// The refusal to tell the sender of: one that is worth another try, if there is any, and then the longest delay.
fn worse(first: ConsumeError, second: ConsumeError) -> ConsumeError {
    let rank = |error: &ConsumeError| match error.class {
        Class::Overloaded => 3,
        Class::Retryable => 2,
        Class::Closed => 1,
        Class::Permanent => 0,
    };
    let retry_after = first.retry_after.max(second.retry_after);
    let told = if rank(&second) > rank(&first) { second } else { first };
    ConsumeError { retry_after: retry_after.filter(|_| told.is_retryable()), ..told }
}

/// Runs all futures until each is done. Dropping it drops those that are not.
async fn side_by_side<T>(mut futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let mut outputs: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    poll_fn(|cx| {
        let mut all_done = true;
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_some() {
                continue;
            }
            match Pin::new(future).poll(cx) {
                Poll::Ready(value) => *output = Some(value),
                Poll::Pending => all_done = false,
            }
        }
        if all_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
