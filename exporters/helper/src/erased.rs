//! A [`Push`] without its request type, so that the chain is compiled once and not once for each exporter.

use std::sync::Arc;

use pdata::Payload;
use pipeline::{BoxFuture, Client, Deadline, StartError};

use crate::push::{EncodeError, Encoded, EncodedRequest, Progress, Push, SendError, Sent};

/// An exporter of any type.
pub(crate) trait AnyPush: Send + Sync {
    fn encode(
        &self,
        payload: &Payload,
        client: &Client,
    ) -> Result<Encoded<AnyRequest>, EncodeError>;
    fn max_request_bytes(&self) -> Option<usize>;
    fn request_bytes(&self, payload: &Payload) -> Option<usize>;
    fn offload_bytes(&self) -> usize;
    fn keeps_state(&self) -> bool;
    fn parallel(&self) -> usize;
    fn warm(&self, deadline: Deadline) -> BoxFuture<'_, ()>;
    fn start(&self) -> BoxFuture<'_, Result<(), StartError>>;
}

/// A request of any type, which knows how it is sent.
pub(crate) type AnyRequest = Box<dyn Sendable>;

pub(crate) trait Sendable: Send + Sync {
    fn send(&self) -> BoxFuture<'_, Result<Sent, SendError>>;

    /// [`Push::progress`].
    fn progress(&self) -> Progress;

    /// [`Push::halve`], for a request of which the rest is known.
    fn halve(
        self: Box<Self>,
        items: usize,
        bytes: usize,
        memory_bytes: usize,
    ) -> Vec<EncodedRequest<AnyRequest>>;
}

impl EncodedRequest<AnyRequest> {
    /// [`Push::halve`].
    pub(crate) fn halve(self) -> Vec<EncodedRequest<AnyRequest>> {
        let Self { request, items, bytes, memory_bytes, part: _ } = self;
        request.halve(items, bytes, memory_bytes)
    }
}

/// An exporter of a known type.
pub(crate) struct Erased<P>(pub(crate) Arc<P>);

struct Bound<P: Push> {
    push: Arc<P>,
    request: P::Request,
}

impl<P: Push> AnyPush for Erased<P> {
    fn encode(
        &self,
        payload: &Payload,
        client: &Client,
    ) -> Result<Encoded<AnyRequest>, EncodeError> {
        let Encoded { requests, unsendable } = self.0.encode(payload, client)?;
        let erase = |encoded| erase(&self.0, encoded);
        Ok(Encoded { requests: requests.into_iter().map(erase).collect(), unsendable })
    }

    fn max_request_bytes(&self) -> Option<usize> {
        self.0.max_request_bytes()
    }

    fn request_bytes(&self, payload: &Payload) -> Option<usize> {
        self.0.request_bytes(payload)
    }

    fn offload_bytes(&self) -> usize {
        self.0.offload_bytes()
    }

    fn keeps_state(&self) -> bool {
        self.0.keeps_state()
    }

    fn parallel(&self) -> usize {
        self.0.parallel()
    }

    fn warm(&self, deadline: Deadline) -> BoxFuture<'_, ()> {
        Box::pin(self.0.warm(deadline))
    }

    fn start(&self) -> BoxFuture<'_, Result<(), StartError>> {
        Box::pin(self.0.start())
    }
}

impl<P: Push> Sendable for Bound<P> {
    fn send(&self) -> BoxFuture<'_, Result<Sent, SendError>> {
        Box::pin(self.push.send(&self.request))
    }

    fn progress(&self) -> Progress {
        self.push.progress(&self.request)
    }

    fn halve(
        self: Box<Self>,
        items: usize,
        bytes: usize,
        memory_bytes: usize,
    ) -> Vec<EncodedRequest<AnyRequest>> {
        let Self { push, request } = *self;
        let halves = push.halve(EncodedRequest { request, items, bytes, memory_bytes, part: None });
        halves.into_iter().map(|half| erase(&push, half)).collect()
    }
}

fn erase<P: Push>(
    push: &Arc<P>,
    encoded: EncodedRequest<P::Request>,
) -> EncodedRequest<AnyRequest> {
    let EncodedRequest { request, items, bytes, memory_bytes, part } = encoded;
    let request: AnyRequest = Box::new(Bound { push: push.clone(), request });
    EncodedRequest { request, items, bytes, memory_bytes, part }
}
