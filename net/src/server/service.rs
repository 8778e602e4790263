//! From hyper to the handler.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use tokio::sync::mpsc;

use super::accept::Watched;
use super::{Peer, Shared};
use crate::{BoxFuture, ReplyBody};

/// The requests of one connection.
pub(super) struct Service {
    peer: Arc<Peer>,
    state: Arc<Watched>,
    shared: Arc<Shared>,
}

impl Service {
    pub(super) fn new(peer: Arc<Peer>, state: Arc<Watched>, shared: Arc<Shared>) -> Self {
        Self { peer, state, shared }
    }
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<ReplyBody>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        self.state.activity.begin_request();
        let cors = self.shared.settings.cors.as_ref();
        let origin = cors.and_then(|cors| cors.origin(&request));
        let answer = match cors.and_then(|cors| cors.preflight(&request)) {
            Some(response) => Box::pin(std::future::ready(response)),
            None => self.shared.handler.clone().handle(request, self.peer.clone()),
        };
        let (state, shared) = (self.state.clone(), self.shared.clone());
        Answering { answer, origin, state, shared, failed: true }
    }
}

/// A request being answered. Counts as such until it is dropped.
pub(super) struct Answering {
    answer: BoxFuture<'static, Response<ReplyBody>>,
    /// The page that asks, if it may.
    origin: Option<HeaderValue>,
    state: Arc<Watched>,
    shared: Arc<Shared>,
    failed: bool,
}

impl Future for Answering {
    type Output = Result<Response<ReplyBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = ready!(self.answer.as_mut().poll(cx));
        let status = response.status();
        self.failed = status.is_client_error() || status.is_server_error();
        if let Some(cors) = &self.shared.settings.cors {
            cors.mark(self.origin.clone(), response.headers_mut());
        }
        for (name, value) in &self.shared.settings.response_headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        Poll::Ready(Ok(response))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.state.activity.end_request(self.failed);
    }
}

/// Spawns the task of each HTTP/2 request. They end with their connection, whose streams are then
/// reset; the server waits for the last of them through the channel.
#[derive(Clone)]
pub(super) struct RequestTasks {
    running: mpsc::Sender<Infallible>,
}

impl RequestTasks {
    pub(super) fn new(running: mpsc::Sender<Infallible>) -> Self {
        Self { running }
    }
}

impl<F> hyper::rt::Executor<F> for RequestTasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, request: F) {
        let running = self.running.clone();
        tokio::spawn(async move {
            request.await;
            drop(running);
        });
    }
}
