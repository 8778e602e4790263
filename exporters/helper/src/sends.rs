//! The requests of one payload on their way: in their order, a few at a time where the exporter wants that.

use std::future::poll_fn;
use std::task::Poll;

use pipeline::BoxFuture;

use crate::chain::Chain;
use crate::erased::AnyRequest;
use crate::push::{EncodedRequest, SendError, Sent};

/// A request and how it ended.
type Ended = (EncodedRequest<AnyRequest>, Result<Sent, SendError>);

/// Requests that are being sent, and those that wait for it. Dropped part-way, those under way are given up.
pub(crate) struct Sends<'c> {
    waiting: std::vec::IntoIter<EncodedRequest<AnyRequest>>,
    parallel: usize,
    under_way: Vec<BoxFuture<'c, Ended>>,
}

impl<'c> Sends<'c> {
    pub(crate) fn new(requests: Vec<EncodedRequest<AnyRequest>>, parallel: usize) -> Self {
        Self { waiting: requests.into_iter(), parallel, under_way: Vec::new() }
    }

    /// The next request that has ended, if there is one.
    pub(crate) async fn next(&mut self, chain: &'c Chain) -> Option<Ended> {
        if self.parallel <= 1 || self.under_way.is_empty() && self.waiting.len() == 1 {
            let request = self.waiting.next()?;
            let outcome = chain.send(&request).await;
            return Some((request, outcome));
        }
        while self.under_way.len() < self.parallel
            && let Some(request) = self.waiting.next()
        {
            self.under_way.push(Box::pin(async move {
                let outcome = chain.send(&request).await;
                (request, outcome)
            }));
        }
        if self.under_way.is_empty() {
            return None;
        }
        let (place, ended) = poll_fn(|context| {
            for (place, send) in self.under_way.iter_mut().enumerate() {
                if let Poll::Ready(ended) = send.as_mut().poll(context) {
                    return Poll::Ready((place, ended));
                }
            }
            Poll::Pending
        })
        .await;
        drop(self.under_way.remove(place));
        Some(ended)
    }
}
