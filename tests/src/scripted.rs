//! An HTTP server whose answers a test writes: metadata services, and backends of which the bare request matters.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Request, Response};

use crate::server::{Outcome, Server, Service, full};

/// A request as it came, nothing decoded.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case, with values, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Bytes,
}

/// What is said to a request.
#[derive(Clone, Debug)]
pub enum Said {
    /// A status and a text.
    Text(u16, String),
    /// Nothing, and the connection stays.
    Silence,
    /// Nothing, and the connection is closed.
    Close,
}

/// The server, closed when it is dropped.
#[derive(Debug)]
pub struct Scripted {
    server: Server,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Seen {
    /// A header's value, empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

impl Said {
    /// Status 200 and a text.
    pub fn ok(text: impl Into<String>) -> Self {
        Self::Text(200, text.into())
    }

    /// A status without a text.
    pub fn status(code: u16) -> Self {
        Self::Text(code, String::new())
    }
}

impl Scripted {
    /// Listens on any free port of the loopback interface.
    pub fn start(answer: impl Fn(&Seen) -> Said + Send + Sync + 'static) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), answer)
    }

    /// Listens at an address that one of the interfaces has.
    ///
    /// # Panics
    ///
    /// When none has it, or the port is taken.
    pub fn start_at(
        address: SocketAddr,
        answer: impl Fn(&Seen) -> Said + Send + Sync + 'static,
    ) -> Self {
        let seen = Arc::default();
        let answers = Answers { answer: Box::new(answer), seen: Arc::clone(&seen) };
        Self { server: Server::start_at(address, Arc::new(answers)), seen }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Answers {
    answer: Box<dyn Fn(&Seen) -> Said + Send + Sync>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Service for Answers {
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            // A body that ends early is a request that never came.
            let body = body.collect().await.ok()?.to_bytes();
            let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
            let headers = head.headers.iter();
            let seen = Seen {
                method: head.method.to_string(),
                target: head.uri.path_and_query().map_or("/".to_owned(), ToString::to_string),
                headers: headers.map(|(n, v)| (n.to_string(), text(v.as_bytes()))).collect(),
                body,
            };
            let said = (self.answer)(&seen);
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
            match said {
                Said::Text(status, text) => {
                    let response = Response::builder().status(status).body(full(text));
                    Some(response.unwrap_or_else(|error| panic!("status {status}: {error}")))
                }
                Said::Silence => std::future::pending().await,
                Said::Close => None,
            }
        })
    }
}
