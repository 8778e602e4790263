//! The platform's side, as thin as it can be: it notes when next is called, and hands out what it was given.

use std::convert::Infallible;
use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc, watch};

/// Nothing that is measured takes as long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Events and calls that nobody has fetched yet; there is never more than one.
const WAITING_MAX: usize = 16;

/// One environment's platform. Its server lives as long as the runtime.
pub(super) struct Platform {
    pub(super) port: u16,
    calls: mpsc::Receiver<Instant>,
    events: mpsc::Sender<String>,
    listener: watch::Receiver<Option<u16>>,
    sender: Option<client::SendRequest<Full<Bytes>>>,
}

struct Apis {
    calls: mpsc::Sender<Instant>,
    events: Mutex<mpsc::Receiver<String>>,
    listener: watch::Sender<Option<u16>>,
}

impl Platform {
    pub(super) async fn listen() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (calls_sender, calls) = mpsc::channel(WAITING_MAX);
        let (events, events_receiver) = mpsc::channel(WAITING_MAX);
        let (subscribed, subscriber) = watch::channel(None);
        let apis = Arc::new(Apis {
            calls: calls_sender,
            events: Mutex::new(events_receiver),
            listener: subscribed,
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A socket option that cannot be set costs latency, not correctness.
                let _ = stream.set_nodelay(true);
                let apis = Arc::clone(&apis);
                let service = service_fn(move |request| Arc::clone(&apis).answer(request));
                let served = server::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(served);
            }
        });
        Ok(Self { port, calls, events, listener: subscriber, sender: None })
    }

    /// When next was called, which is waited for.
    pub(super) async fn next_called(&mut self) -> Result<Instant, Box<dyn Error>> {
        let called = tokio::time::timeout(PATIENCE, self.calls.recv()).await;
        let called = called.map_err(|_| format!("waited {PATIENCE:?} for a call of next"))?;
        called.ok_or_else(|| "the platform is gone".into())
    }

    /// What the waiting call of next is answered with.
    pub(super) async fn give(&self, event: String) -> Result<(), Box<dyn Error>> {
        Ok(self.events.send(event).await?)
    }

    pub(super) fn has_subscriber(&self) -> bool {
        self.listener.borrow().is_some()
    }

    /// Delivers events to the subscriber; nothing is done when there is none.
    pub(super) async fn tell(&mut self, events: String) -> Result<(), Box<dyn Error>> {
        let Some(port) = *self.listener.borrow() else { return Ok(()) };
        let mut sender = match self.sender.take() {
            Some(sender) => sender,
            None => {
                let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
                stream.set_nodelay(true)?;
                let (sender, driver) = client::handshake(TokioIo::new(stream)).await?;
                tokio::spawn(driver);
                sender
            }
        };
        let request = Request::post("/")
            .header("host", "sandbox.localdomain")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(events)))?;
        sender.ready().await?;
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| format!("no answer to the platform: {error}"))?;
        response.into_body().collect().await?;
        self.sender = Some(sender);
        Ok(())
    }
}

impl Apis {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let at = Instant::now();
        let path = request.uri().path().to_owned();
        let body = request.into_body().collect().await.map(|body| body.to_bytes());
        let body = body.unwrap_or_default();
        let reply = match path.as_str() {
            "/2020-01-01/extension/register" => {
                let text =
                    "{\"functionName\":\"orders\",\"functionVersion\":\"1\",\"handler\":\"h\"}";
                let mut reply = Response::new(Full::from(text));
                let id =
                    hyper::header::HeaderValue::from_static("11111111-2222-4333-8444-555555555555");
                reply.headers_mut().insert("lambda-extension-identifier", id);
                reply
            }
            "/2022-07-01/telemetry" => {
                self.listener.send_replace(listener_port(&body));
                Response::new(Full::from("\"OK\""))
            }
            "/2020-01-01/extension/event/next" => {
                // A full channel means that nobody measures.
                let _ = self.calls.try_send(at);
                let event = self.events.lock().await.recv().await.unwrap_or_default();
                Response::new(Full::from(event))
            }
            _ => {
                let mut reply = Response::new(Full::default());
                *reply.status_mut() = hyper::StatusCode::NOT_FOUND;
                reply
            }
        };
        Ok(reply)
    }
}

/// The port in the subscription's destination.
fn listener_port(body: &[u8]) -> Option<u16> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let uri = body.get("destination")?.get("URI")?.as_str()?;
    uri.trim_end_matches('/').rsplit(':').next()?.parse().ok()
}
