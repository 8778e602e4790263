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
pub(crate) struct FanOut {
    branches: Box<[Branch]>,
    forwarded: Option<Counter>,
}

/// One of the ways.
pub(crate) struct Branch {
    pub(crate) next: Arc<dyn Consumer>,
    pub(crate) account: Account,
}

impl FanOut {
    /// The ways from a receiver's or connector's outlet to its pipelines.
    pub(crate) fn new(branches: Vec<Branch>) -> Self {
        Self { branches: branches.into(), forwarded: None }
    }

    /// The ways from the end of a pipeline, which counts what leaves it.
    pub(crate) fn counting(branches: Vec<Branch>, forwarded: Counter) -> Self {
        Self { branches: branches.into(), forwarded: Some(forwarded) }
    }

    async fn offer(&self, envelope: Envelope) -> Result<(), ConsumeError> {
        let items = envelope.items() as u64;
        let result = match &*self.branches {
            [only] => {
                only.account.offered(items);
                let answer = only.next.consume(envelope).await;
                match &answer {
                    Ok(()) => only.account.taken(items),
                    Err(_) => only.account.returned(items),
                }
                answer
            }
            several => {
                for branch in several {
                    branch.account.offered(items);
                }
                let offers = several.iter().map(|branch| branch.next.consume(envelope.clone()));
                let offers = offers.collect();
                // The branches alone hold the bytes from here on, so that one may edit them in place.
                drop(envelope);
                settle(several, items, side_by_side(offers).await)
            }
        };
        if let (Ok(()), Some(forwarded)) = (&result, &self.forwarded) {
            forwarded.add(items);
        }
        result
    }
}

impl Consumer for FanOut {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        Box::pin(self.offer(envelope))
    }
}

/// Counts the answers, and makes one of them.
fn settle(
    branches: &[Branch],
    items: u64,
    answers: Vec<Result<(), ConsumeError>>,
) -> Result<(), ConsumeError> {
    let taken = answers.iter().any(Result::is_ok);
    let mut refusal: Option<ConsumeError> = None;
    for (branch, answer) in branches.iter().zip(answers) {
        match answer {
            Ok(()) => branch.account.taken(items),
            Err(error) if taken => {
                branch.account.dropped(items, &error);
                tracing::debug!(dropped_items = items, error = %error, "one branch refused what another took");
            }
            Err(error) => {
                branch.account.returned(items);
                refusal = Some(match refusal {
                    Some(other) => worse(other, error),
                    None => error,
                });
            }
        }
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
