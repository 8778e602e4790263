//! The floor: the least that a program between an SDK and a backend can do.
//!
//!     hikyaku-floor GRPC-PORT HTTP-PORT [SINK-PORT]
//!
//! It takes OTLP over gRPC and HTTP, and passes the bodies on, joined, to `/v1/traces` of the sink, or drops them when there
//! is none. The bytes are neither copied nor looked at: no decoding, no checks, no retry, one thread. What is held is
//! bounded; while there is no room, nothing is read.

use std::convert::Infallible;
use std::error::Error;
use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc};

/// The most that is held between the two sides.
const HELD_BYTES_MAX: usize = 8 << 20;
/// A request to the sink is made when so much is there, or when this time has passed.
const BATCH_BYTES: usize = 2 << 20;
const BATCH_AFTER: Duration = Duration::from_millis(200);
const QUEUE_REQUESTS: usize = 1024;

/// One request's body as it came, in pieces.
type Pieces = Vec<Bytes>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let ports: Vec<u16> =
        std::env::args().skip(1).map(|word| word.parse()).collect::<Result<_, _>>()?;
    let [grpc, http, sink @ ..] = ports.as_slice() else {
        return Err("usage: hikyaku-floor GRPC-PORT HTTP-PORT [SINK-PORT]".into());
    };
    let (sender, receiver) = mpsc::channel(QUEUE_REQUESTS);
    let door = Door { sender, room: Arc::new(Semaphore::new(HELD_BYTES_MAX)) };
    for port in [*grpc, *http] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        tokio::spawn(door.clone().accept(listener));
    }
    let room = Arc::clone(&door.room);
    drop(door);
    forward(receiver, &room, sink.first().copied()).await
}

/// The side that takes requests.
#[derive(Clone)]
struct Door {
    sender: mpsc::Sender<Pieces>,
    room: Arc<Semaphore>,
}

impl Door {
    async fn accept(self, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            // Only latency depends on it.
            let _ = stream.set_nodelay(true);
            let door = self.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| door.clone().answer(request));
                let mut server = auto::Builder::new(TokioExecutor::new());
                server
                    .http2()
                    .initial_stream_window_size(8 << 20)
                    .initial_connection_window_size(16 << 20)
                    .max_frame_size(1 << 20);
                // A client that leaves is an ordinary end.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    async fn answer(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
        let kind = request.headers().get(CONTENT_TYPE);
        let grpc = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        let mut body = request.into_body();
        let (mut pieces, mut prefix, mut length) = (Pieces::new(), if grpc { 5 } else { 0 }, 0);
        while let Some(Ok(frame)) = body.frame().await {
            if let Ok(mut piece) = frame.into_data() {
                let cut = piece.len().min(prefix);
                piece.advance(cut);
                prefix -= cut;
                length += piece.len();
                pieces.push(piece);
            }
        }
        if let Ok(permit) = self.room.acquire_many(length.min(HELD_BYTES_MAX) as u32).await {
            permit.forget();
        }
        // It fails only when the process is about to end.
        let _ = self.sender.send(pieces).await;
        if !grpc {
            return Ok(Response::new(Full::new(Bytes::new()).boxed()));
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let body = Full::new(Bytes::from_static(&[0; 5]))
            .with_trailers(std::future::ready(Some(Ok(trailers))));
        let mut response = Response::new(body.boxed());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        Ok(response)
    }
}

/// The side that passes on, until SIGTERM and everything held is gone.
async fn forward(
    mut receiver: mpsc::Receiver<Pieces>,
    room: &Semaphore,
    sink: Option<u16>,
) -> Result<(), Box<dyn Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut connection = None;
    loop {
        let mut batch = Joined::default();
        let fill = tokio::time::timeout(BATCH_AFTER, batch.fill(&mut receiver));
        let stopping = tokio::select! {
            biased;
            _ = terminate.recv() => true,
            _ = fill => false,
        };
        while stopping && let Ok(pieces) = receiver.try_recv() {
            batch.push(pieces);
        }
        let length = batch.length;
        if let Some(port) = sink
            && length > 0
        {
            let sender = match connection.take() {
                Some(sender) => sender,
                None => connect(port).await?,
            };
            connection = Some(post(sender, batch).await?);
        }
        room.add_permits(length);
        if stopping {
            return Ok(());
        }
    }
}

async fn connect(port: u16) -> Result<http1::SendRequest<Joined>, Box<dyn Error>> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    Ok(sender)
}

async fn post(
    mut sender: http1::SendRequest<Joined>,
    batch: Joined,
) -> Result<http1::SendRequest<Joined>, Box<dyn Error>> {
    sender.ready().await?;
    let request = Request::post("/v1/traces")
        .header("host", "sink")
        .header(CONTENT_TYPE, "application/x-protobuf")
        .body(batch)?;
    let mut answer = sender.send_request(request).await?.into_body();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut answer).poll_frame(context)).await {
        frame?;
    }
    Ok(sender)
}

/// Several requests' bodies as one: repeated fields of protobuf messages that follow each other are one message.
#[derive(Default)]
struct Joined {
    pieces: std::collections::VecDeque<Bytes>,
    length: usize,
}

impl Joined {
    fn push(&mut self, pieces: Pieces) {
        self.length += pieces.iter().map(Bytes::len).sum::<usize>();
        self.pieces.extend(pieces);
    }

    /// Takes until there is a batch. May be dropped at any point: what was taken stays.
    async fn fill(&mut self, receiver: &mut mpsc::Receiver<Pieces>) {
        while self.length < BATCH_BYTES {
            match receiver.recv().await {
                Some(pieces) => self.push(pieces),
                None => std::future::pending().await,
            }
        }
    }
}

impl Body for Joined {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.pieces.pop_front().map(|piece| {
            self.length -= piece.len();
            Ok(Frame::data(piece))
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length as u64)
    }
}
