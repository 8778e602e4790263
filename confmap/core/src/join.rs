//! Waits for several futures at once, without a runtime.

use std::{future::poll_fn, task::Poll};

use crate::provider::BoxFuture;

/// The results of all futures, in their order. Meant for a few futures, such as the requests of a
/// provider: every wake-up polls each one that is not ready yet. May be dropped at any point.
pub async fn join_all<T>(mut futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let mut results: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut pending = false;
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *result = Some(value),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    results.into_iter().flatten().collect()
}
