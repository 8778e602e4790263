//! The listening half of a fake: one port, HTTP/1.1 and h2c, on a thread and runtime of its own.

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use http_body_util::Full;
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::answer::Answer;
use crate::desk::{Decoded, Desk};

/// A fake's response.
pub(crate) type Reply = Response<BoxBody<Bytes, Infallible>>;

/// The answer to a request; none closes its connection.
pub(crate) type Outcome = Option<Reply>;

/// What a fake does with requests.
pub(crate) trait Service: Send + Sync + 'static {
    /// Answers one request.
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;
}

/// A listening server, closed with all its connections when it is dropped.
#[derive(Debug)]
pub struct Server {
    port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a port of the loopback interface, 0 for any.
    ///
    /// # Panics
    ///
    /// When the port is taken.
    pub(crate) fn start(port: u16, service: Arc<impl Service>) -> Self {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), service)
    }

    /// Listens at an address that one of the interfaces has.
    ///
    /// # Panics
    ///
    /// When none has it, or the port is taken.
    pub(crate) fn start_at(address: SocketAddr, service: Arc<impl Service>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("no runtime for a fake: {error}"));
        let listener = runtime.block_on(TcpListener::bind(address));
        let listener =
            listener.unwrap_or_else(|error| panic!("a fake cannot listen at {address}: {error}"));
        let port = listener.local_addr().map_or(address.port(), |address| address.port());
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, service) => {}
                    // Dropping the runtime closes what is open.
                    _ = stopped => {}
                }
            });
        });
        Self { port, stop: Some(stop), thread: Some(thread) }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A fake that panicked has said so on the terminal.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, service: Arc<impl Service>) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&service)));
        }
    }
}

async fn serve(stream: TcpStream, service: Arc<impl Service>) {
    let (close, mut closing) = mpsc::channel::<()>(1);
    let service = service_fn(move |request| {
        let (service, close) = (Arc::clone(&service), close.clone());
        async move {
            match service.answer(request).await {
                Some(response) => Ok::<_, Infallible>(response),
                None => {
                    // A full channel says the same already.
                    let _ = close.try_send(());
                    std::future::pending().await
                }
            }
        }
    });
    let server = auto::Builder::new(TokioExecutor::new());
    tokio::select! {
        // However the peer ends the connection is for the test to judge.
        _ = server.serve_connection(TokioIo::new(stream), service) => {}
        _ = closing.recv() => {}
    }
}

/// Records a request of a plain HTTP backend, and gives it the answer that it is to have.
pub(crate) async fn play<R: Decoded>(
    desk: &Desk<R>,
    request: R,
    scripted: Answer,
    success: impl Fn() -> Reply,
    refusal: impl Fn(u16, Option<&str>) -> Reply,
) -> Outcome {
    let (answer, number) = desk.record(request, scripted);
    let outcome = match &answer {
        Answer::Accept | Answer::ReadSlowly(_) => Some(success()),
        Answer::AcceptAfter(time) => {
            tokio::time::sleep(*time).await;
            Some(success())
        }
        Answer::Status { code, retry_after } => Some(refusal(*code, retry_after.as_deref())),
        Answer::Stall => {
            desk.until_released().await;
            None
        }
        Answer::Close => None,
        Answer::PartialSuccess { .. } | Answer::Grpc { .. } => {
            desk.violation(format!("this backend has no such answer as {answer:?}"));
            None
        }
    };
    if answer.is_acceptance() {
        desk.accept(number);
    }
    outcome
}

/// An empty answer.
pub(crate) fn reply(code: u16) -> Reply {
    let mut reply = Response::new(full(Bytes::new()));
    *reply.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply
}

/// An answer of JSON.
pub(crate) fn json_reply(code: u16, text: &str) -> Reply {
    let mut reply = reply(code);
    *reply.body_mut() = full(text.to_owned());
    reply.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    reply
}

/// Adds `Retry-After`, when there is a value for it.
pub(crate) fn with_retry_after(mut reply: Reply, value: Option<&str>) -> Reply {
    if let Some(value) = value.and_then(|text| HeaderValue::from_str(text).ok()) {
        reply.headers_mut().insert("retry-after", value);
    }
    reply
}

/// A body of known bytes.
pub(crate) fn full(bytes: impl Into<Bytes>) -> BoxBody<Bytes, Infallible> {
    BoxBody::new(Full::new(bytes.into()))
}
