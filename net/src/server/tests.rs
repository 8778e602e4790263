use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use config::Compression;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, timeout};

use super::connection::HTTP1_BUFFER_BYTES;
use super::first_bytes::{HTTP2_PREFACE, Protocol, recognise};
use super::{Drained, Handler, Listener, Peer, Server, ServerSettings, handler_fn};
use crate::ReplyBody;
use crate::body::{BodyLimits, read_body};
use crate::testing::{echo, serve, settings, soon, within};

type Answer = Response<ReplyBody>;

/// Sends text, and reads until the server closes.
async fn talk(address: std::net::SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within("the server to close", stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

type Sender = hyper::client::conn::http2::SendRequest<ReplyBody>;

async fn http2(address: std::net::SocketAddr) -> (Sender, tokio::task::JoinHandle<()>) {
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (sender, connection) = builder.handshake(io).await.unwrap();
    (sender, tokio::spawn(async { drop(connection.await) }))
}

fn post(body: impl Into<ReplyBody>) -> Request<ReplyBody> {
    Request::post("http://test/").body(body.into()).unwrap()
}

async fn body_of(response: Response<hyper::body::Incoming>) -> Bytes {
    let limits = BodyLimits::of(100_000_000);
    read_body(response.into_body(), Compression::None, &limits, |_| Ok(())).await.unwrap()
}

#[test]
fn protocols_are_told_apart_from_their_first_bytes() {
    assert_eq!(recognise(&[0x16, 3, 1]), Some(Protocol::Tls));
    assert_eq!(recognise(HTTP2_PREFACE), Some(Protocol::Http2));
    assert_eq!(recognise(b"PRI * HTTP/2.0\r\n"), None, "it could still be either");
    assert_eq!(recognise(b"P"), None);
    assert_eq!(recognise(b"POST"), Some(Protocol::Http1));
    assert_eq!(recognise(b"PRI * HTTP/1.1"), Some(Protocol::Http1));
}

#[tokio::test]
async fn both_versions_of_http_are_served_on_one_port() {
    let (address, server) = serve(settings(), echo());
    let answer =
        talk(address, "POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("hi"), "{answer}");
    let (mut sender, _connection) = http2(address).await;
    let large = Bytes::from(vec![7; 4_000_000]);
    let response = within("an answer", sender.send_request(post(large.clone()))).await.unwrap();
    assert_eq!(within("the body", body_of(response)).await, large);
    drop(sender);
    assert_eq!(server.shutdown(soon()).await, Drained::default());
}

#[tokio::test]
async fn socket_file_is_served_and_its_peer_has_no_address() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("otlp.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let handler = handler_fn(|_, peer: Arc<Peer>| async move {
        Response::new(ReplyBody::from(format!("{:?}", peer.address)))
    });
    let _server = Server::serve(vec![Listener::Unix(listener)], settings(), handler).unwrap();
    let mut stream = UnixStream::connect(path).await.unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    within("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.ends_with("None"), "{answer}");
}

#[tokio::test]
async fn response_headers_are_on_every_answer() {
    let mut settings = settings();
    settings.response_headers.insert("x-origin", HeaderValue::from_static("a"));
    let (address, _server) = serve(settings, echo());
    let answer = talk(address, "GET / HTTP/1.0\r\n\r\n").await;
    assert!(answer.contains("x-origin: a\r\n"), "{answer}");
}

#[tokio::test]
async fn connection_ends_after_one_request_without_keep_alive() {
    let (address, _server) = serve(ServerSettings { keep_alive: false, ..settings() }, echo());
    let answer = talk(address, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn announced_giant_is_refused_and_its_sender_is_not_cut_off_in_the_middle() {
    let (address, _server) = serve(settings(), echo());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\ncontent-length: 1073741824\r\n\r\n").await.unwrap();
    stream.write_all(&[0; 200_000]).await.unwrap();
    let mut answer = String::new();
    within("the answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // A reset would make the second write fail, and many a client lose the answer.
    for _ in 0..2 {
        stream.write_all(&[0; 1000]).await.unwrap();
    }
}

#[tokio::test]
async fn client_with_tls_on_a_plain_port_is_let_go() {
    let (address, _server) = serve(settings(), echo());
    assert_eq!(talk(address, "\u{16}\u{3}\u{1}").await, "");
}

#[tokio::test]
async fn garbage_is_answered_or_dropped_and_the_server_goes_on() {
    let (address, _server) = serve(settings(), echo());
    for garbage in ["\0\0\0\0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "GET\r\n\r\n"] {
        let answer = talk(address, garbage).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    assert!(talk(address, "GET / HTTP/1.0\r\n\r\n").await.starts_with("HTTP/1.0 200"));
}

#[tokio::test]
async fn head_that_outgrows_the_buffer_of_its_connection_is_refused() {
    let (address, _server) = serve(settings(), echo());
    let begin = "GET / HTTP/1.1\r\nx: ";
    let endless = format!("{begin}{}", "a".repeat(HTTP1_BUFFER_BYTES - begin.len()));
    let answer = talk(address, &endless).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

/// Answers when it is let go on.
struct Gate {
    entered: Notify,
    open: Semaphore,
}

fn gated() -> (Arc<Gate>, Arc<dyn Handler>) {
    let gate = Arc::new(Gate { entered: Notify::new(), open: Semaphore::new(0) });
    let inside = gate.clone();
    let handler = handler_fn(move |_, _| {
        let gate = inside.clone();
        async move {
            gate.entered.notify_one();
            gate.open.acquire().await.unwrap().forget();
            Answer::new("done".into())
        }
    });
    (gate, handler)
}

#[tokio::test]
async fn requests_in_flight_are_finished_when_the_server_stops() {
    let (gate, handler) = gated();
    let (address, server) = serve(settings(), handler);
    let http1 = tokio::spawn(talk(address, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
    within("the first request", gate.entered.notified()).await;
    let (mut sender, _connection) = http2(address).await;
    let http2 = tokio::spawn(sender.send_request(post("")));
    within("the second request", gate.entered.notified()).await;
    let idle = TcpStream::connect(address).await.unwrap();

    let stop = tokio::spawn(server.shutdown(soon()));
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    within("new connections to be refused", refused).await;
    gate.open.add_permits(2);
    assert!(within("the first answer", http1).await.unwrap().ends_with("done"));
    let response = within("the second answer", http2).await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(within("the server", stop).await.unwrap(), Drained { aborted: 0 });
    drop(idle);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_finish_by_the_deadline_is_aborted_and_counted() {
    let (gate, handler) = gated();
    let (address, server) = serve(settings(), handler);
    let http1 = tokio::spawn(talk(address, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
    within("the first request", gate.entered.notified()).await;
    let (mut sender, _connection) = http2(address).await;
    let http2 = tokio::spawn(sender.send_request(post("")));
    within("the second request", gate.entered.notified()).await;
    let start = Instant::now();
    let drained = server.shutdown(start + Duration::from_secs(5)).await;
    assert_eq!(drained, Drained { aborted: 2 });
    assert!(start.elapsed() < Duration::from_secs(6), "their tasks were joined");
    assert_eq!(within("the first connection", http1).await.unwrap(), "");
    assert!(within("the second connection", http2).await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn idle_peer_that_does_not_take_its_leave_holds_nothing_up() {
    let (address, server) = serve(settings(), echo());
    let mut stream = TcpStream::connect(address).await.unwrap();
    let settings_frame = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    stream.write_all(&[&HTTP2_PREFACE[..], &settings_frame].concat()).await.unwrap();
    // The server's own settings show that it serves; from here on nothing is answered.
    within("the server's settings", stream.read_u8()).await.unwrap();
    let start = Instant::now();
    let drained = server.shutdown(start + Duration::from_secs(60)).await;
    assert_eq!(drained, Drained { aborted: 0 });
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

#[tokio::test]
async fn handler_is_dropped_when_its_client_leaves() {
    struct Dropped(Arc<Notify>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let (entered, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let inside = (entered.clone(), dropped.clone());
    let handler = handler_fn(move |_, _| {
        let (entered, dropped) = inside.clone();
        async move {
            let _guard = Dropped(dropped);
            entered.notify_one();
            std::future::pending::<Answer>().await
        }
    });
    let (address, _server) = serve(settings(), handler);
    let (mut sender, _connection) = http2(address).await;
    let request = tokio::spawn(sender.send_request(post("")));
    within("the request", entered.notified()).await;
    request.abort();
    within("the handler to be dropped", dropped.notified()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    within("the second request", entered.notified()).await;
    drop(stream);
    within("the second handler to be dropped", dropped.notified()).await;
}

#[tokio::test]
async fn panic_of_a_handler_costs_its_own_request_only() {
    let handler = handler_fn(|request: Request<hyper::body::Incoming>, _| async move {
        assert!(request.uri().path() != "/panic", "on purpose");
        Answer::new("fine".into())
    });
    let (address, server) = serve(settings(), handler);
    assert_eq!(talk(address, "GET /panic HTTP/1.0\r\n\r\n").await, "");
    let (mut sender, _connection) = http2(address).await;
    let panicked = Request::get("http://test/panic").body(ReplyBody::empty()).unwrap();
    assert!(within("a reset", sender.send_request(panicked)).await.is_err());
    assert!(within("an answer", sender.send_request(post(""))).await.is_ok());
    drop(sender);
    assert_eq!(server.shutdown(soon()).await, Drained::default());
}

/// How long after its last byte the server closes a connection, in seconds of the paused clock.
async fn closed_after(settings: ServerSettings, text: &str) -> u64 {
    let (address, _server) = serve(settings, echo());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let start = Instant::now();
    let mut answer = Vec::new();
    let closed = timeout(Duration::from_secs(1000), stream.read_to_end(&mut answer)).await;
    closed.expect("waited 1000 s for the server to close").unwrap();
    start.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn each_timeout_closes_the_connection_it_is_for() {
    let limits = || ServerSettings {
        header_timeout: Duration::from_secs(20),
        idle_timeout: Some(Duration::from_secs(40)),
        ..settings()
    };
    // The paused clock may run ahead while the kernel passes bytes on, and never lags.
    let near = |secs: u64| secs..secs + 9;
    let half = closed_after(limits(), "GET / HTT").await;
    assert!(near(20).contains(&half), "half a head: {half} s");
    let idle = closed_after(limits(), "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(near(40).contains(&idle), "idle after a request: {idle} s");
    let silent = closed_after(limits(), "").await;
    assert!(near(120).contains(&silent), "no byte at all: {silent} s");
    let half_body = closed_after(limits(), "POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc").await;
    assert!(near(30).contains(&half_body), "half a body is the handler's to judge: {half_body} s");
}

#[tokio::test(start_paused = true)]
async fn http2_connection_that_is_idle_or_old_is_told_to_go() {
    let aged = ServerSettings {
        max_connection_age: Some(Duration::from_secs(50)),
        max_connection_age_grace: Some(Duration::from_secs(10)),
        ..settings()
    };
    let idle = ServerSettings { idle_timeout: Some(Duration::from_secs(50)), ..settings() };
    for settings in [idle, aged] {
        let (address, _server) = serve(settings, echo());
        let start = Instant::now();
        let (mut sender, connection) = http2(address).await;
        assert!(sender.send_request(post("x")).await.is_ok());
        timeout(Duration::from_secs(500), connection).await.expect("it ends").unwrap();
        let secs = start.elapsed().as_secs();
        assert!((44..150).contains(&secs), "{secs} s");
    }
}

#[tokio::test(start_paused = true)]
async fn request_that_outlives_the_grace_is_cut_off() {
    let (_gate, handler) = gated();
    let aged = ServerSettings {
        max_connection_age: Some(Duration::from_secs(50)),
        max_connection_age_grace: Some(Duration::from_secs(10)),
        ..settings()
    };
    let (address, _server) = serve(aged, handler);
    let start = Instant::now();
    let (mut sender, _connection) = http2(address).await;
    assert!(sender.send_request(post("x")).await.is_err());
    let secs = start.elapsed().as_secs();
    assert!((54..70).contains(&secs), "{secs} s");
}

#[tokio::test(start_paused = true)]
async fn peer_that_reads_nothing_is_cut_off() {
    let handler = handler_fn(|_, _| async { Answer::new(vec![0; 50_000_000].into()) });
    let (address, _server) = serve(settings(), handler);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(65)).await;
    let mut answer = Vec::new();
    // Closed with bytes unsent: a reset or an early end, never the whole answer.
    drop(within("the connection to end", stream.read_to_end(&mut answer)).await);
    assert!(answer.len() < 50_000_000, "{} bytes", answer.len());
}

#[tokio::test]
async fn connection_beyond_the_limit_waits_until_another_ends() {
    let (address, _server) = serve(ServerSettings { max_connections: 1, ..settings() }, echo());
    let first = TcpStream::connect(address).await.unwrap();
    let second = tokio::spawn(talk(address, "GET / HTTP/1.0\r\n\r\n"));
    tokio::task::yield_now().await;
    assert!(!second.is_finished());
    drop(first);
    assert!(within("the second", second).await.unwrap().starts_with("HTTP/1.0 200"));
}

#[tokio::test]
async fn dropping_the_server_closes_its_port_and_its_connections() {
    let (gate, handler) = gated();
    let (address, server) = serve(settings(), handler);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    within("the request", gate.entered.notified()).await;
    drop(server);
    let mut answer = Vec::new();
    let closed = within("the connection to end", stream.read_to_end(&mut answer)).await;
    assert!(closed.is_err() || answer.is_empty());
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    within("new connections to be refused", refused).await;
}
