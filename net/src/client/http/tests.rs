use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use config::{Compression, CompressionLevel};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Body, HttpClient, Reply, Request, retry_after};
use crate::auth::{AuthError, ClientAuth, Outgoing};
use crate::body::decode;
use crate::client::{ClientOptions, Environment};
use crate::error::{Cause, Class, Stage, TransportError};
use crate::server::{ServerSettings, handler_fn};
use crate::testing::{
    Authority, echo, headers, nobody, recorder, says, serve, settings, silent, soon, trusting,
    within,
};
use crate::{BoxFuture, ReplyBody};

mod user;

fn client(settings: &config::HttpClient) -> HttpClient {
    HttpClient::new(settings, ClientOptions::default())
}

fn plain() -> HttpClient {
    client(&config::HttpClient::default())
}

fn post(url: impl std::fmt::Display, body: Body) -> Request {
    let uri = url.to_string().parse().unwrap();
    Request { method: Method::POST, uri, headers: HeaderMap::new(), body }
}

async fn send(client: &HttpClient, request: &Request) -> Result<Reply, TransportError> {
    within("an answer", client.send(request, soon())).await
}

async fn failure(client: &HttpClient, url: impl std::fmt::Display) -> TransportError {
    send(client, &post(url, Body::plain(vec!["x".into()]))).await.expect_err("must fail")
}

#[tokio::test]
async fn request_arrives_as_it_was_made_with_the_headers_of_the_settings() {
    let (handler, mut seen) = recorder();
    let (address, _server) = serve(settings(), handler);
    let settings = config::HttpClient {
        headers: headers(&[("X-Key", "of the settings"), ("Host", "elsewhere.example")]),
        ..config::HttpClient::default()
    };
    let options =
        ClientOptions { user_agent: Some("hikyaku/1".into()), ..ClientOptions::default() };
    let client = HttpClient::new(&settings, options);
    let pieces = vec!["one ".into(), Bytes::new(), "two".into()];
    let mut request = post(format!("http://{address}/a?b=c"), Body::plain(pieces));
    request.headers.insert("x-key", HeaderValue::from_static("of the request"));
    request.headers.insert("x-more", HeaderValue::from_static("kept"));
    assert_eq!(send(&client, &request).await.unwrap().status, StatusCode::OK);
    let seen = seen.recv().await.unwrap();
    assert_eq!((seen.method, seen.body), (Method::POST, "one two".into()));
    assert_eq!(seen.uri, "/a?b=c");
    assert_eq!(seen.headers["x-key"], "of the settings");
    assert_eq!(seen.headers["x-more"], "kept");
    assert_eq!(seen.headers["host"], "elsewhere.example");
    assert_eq!(seen.headers["user-agent"], "hikyaku/1");
    assert_eq!(seen.headers["content-length"], "7");
}

#[tokio::test]
async fn host_is_that_of_the_url_unless_set_and_http2_has_it_as_its_authority() {
    let authority = Authority::new();
    let (handler, mut seen) = recorder();
    let tls = Some(authority.issue("localhost").server());
    let (address, _server) = serve(ServerSettings { tls, ..settings() }, handler);
    let url = format!("https://localhost:{}/", address.port());
    for (set, expected) in [
        (None, format!("localhost:{}", address.port())),
        (Some("elsewhere.example"), "elsewhere.example".to_owned()),
    ] {
        let headers = headers(&set.map(|host| ("host", host)).into_iter().collect::<Vec<_>>());
        let tls = trusting(&authority);
        let client = client(&config::HttpClient { headers, tls, ..Default::default() });
        send(&client, &post(&url, Body::empty())).await.unwrap();
        let seen = seen.recv().await.unwrap();
        assert_eq!(seen.version, http::Version::HTTP_2);
        assert_eq!(seen.uri.authority().unwrap().as_str(), expected);
        assert!(!seen.headers.contains_key("host"));
    }
}

#[tokio::test]
async fn http2_is_not_offered_where_it_is_off_or_a_connection_serves_one_request() {
    let authority = Authority::new();
    let (handler, mut seen) = recorder();
    let tls = Some(authority.issue("localhost").server());
    let (address, _server) = serve(ServerSettings { tls, ..settings() }, handler);
    for (force_attempt_http2, disable_keep_alives) in [(false, false), (true, true)] {
        let tls = trusting(&authority);
        let settings = config::HttpClient {
            force_attempt_http2,
            disable_keep_alives,
            tls,
            ..Default::default()
        };
        let url = format!("https://localhost:{}/", address.port());
        send(&client(&settings), &post(url, Body::empty())).await.unwrap();
        assert_eq!(seen.recv().await.unwrap().version, http::Version::HTTP_11);
    }
}

#[tokio::test]
async fn body_is_compressed_once_and_says_how() {
    let (handler, mut seen) = recorder();
    let (address, _server) = serve(settings(), handler);
    let settings = config::HttpClient {
        compression: Compression::Gzip,
        compression_level: CompressionLevel::Set(9),
        ..config::HttpClient::default()
    };
    let client = client(&settings);
    let body = client.compress(vec![vec![7; 300_000].into(), "end".into()]).await.unwrap();
    let request = post(format!("http://{address}/"), body);
    for _ in 0..2 {
        send(&client, &request).await.unwrap();
        let seen = seen.recv().await.unwrap();
        assert_eq!(seen.headers["content-encoding"], "gzip");
        let length = seen.headers["content-length"].to_str().unwrap();
        assert_eq!(length, seen.body.len().to_string());
        let plain = decode(&seen.body, Compression::Gzip, 1 << 20, &mut |_| Ok(())).await.unwrap();
        assert!(plain.len() == 300_003 && plain.ends_with(b"end"));
    }
}

/// A server that counts connections, and answers each request with `answer`.
async fn counting(answer: &'static [u8]) -> (std::net::SocketAddr, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, opened) = mpsc::channel(100);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            sender.try_send(()).unwrap();
            tokio::spawn(async move {
                let mut request = [0; 4096];
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    stream.write_all(answer).await.unwrap();
                    if !answer.starts_with(b"HTTP/1.1") {
                        break;
                    }
                }
            });
        }
    });
    (address, opened)
}

#[tokio::test]
async fn connection_is_kept_for_the_next_request_unless_that_is_turned_off() {
    for (disable_keep_alives, expected) in [(false, 1), (true, 3)] {
        let (address, mut opened) = counting(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let client = client(&config::HttpClient { disable_keep_alives, ..Default::default() });
        for _ in 0..3 {
            send(&client, &post(format!("http://{address}/"), Body::empty())).await.unwrap();
        }
        let mut count = 0;
        while opened.try_recv().is_ok() {
            count += 1;
        }
        assert_eq!(count, expected);
    }
}

#[tokio::test]
async fn kept_connection_that_the_server_closed_costs_no_request() {
    let (address, mut opened) = counting(b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let client = plain();
    for _ in 0..20 {
        let reply = send(&client, &post(format!("http://{address}/"), Body::empty())).await;
        assert_eq!(reply.unwrap().status, StatusCode::OK);
    }
    let mut count = 0;
    while opened.try_recv().is_ok() {
        count += 1;
    }
    assert_eq!(count, 20);
}

/// As after a freeze: the server's goodbye is in the socket, and no task has seen it.
#[tokio::test]
async fn connection_that_ended_unseen_costs_no_request() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (close, closing) = std::sync::mpsc::channel();
    let (closed, is_closed) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            closing.recv().unwrap();
            drop(stream);
            closed.send(()).unwrap();
        }
    });
    let client = plain();
    for _ in 0..3 {
        let reply = send(&client, &post(&url, Body::plain(vec!["x".into()]))).await;
        assert_eq!(reply.unwrap().status, StatusCode::OK);
        // Lets the connection come back to the pool before the clock stops, so to speak.
        tokio::task::yield_now().await;
        close.send(()).unwrap();
        is_closed.recv().unwrap();
    }
    server.join().unwrap();
}

#[tokio::test]
async fn no_more_requests_run_at_once_than_connections_are_allowed() {
    let running = Arc::new(Mutex::new((0, 0)));
    let counts = running.clone();
    let handler = handler_fn(move |_, _| {
        let counts = counts.clone();
        async move {
            {
                let mut counts = counts.lock().unwrap();
                counts.0 += 1;
                counts.1 = counts.0.max(counts.1);
            }
            tokio::task::yield_now().await;
            counts.lock().unwrap().0 -= 1;
            Response::new(ReplyBody::empty())
        }
    });
    let (address, _server) = serve(settings(), handler);
    let settings =
        config::HttpClient { max_conns_per_host: Some(2), ..config::HttpClient::default() };
    let client = Arc::new(client(&settings));
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let client = client.clone();
            let request = post(format!("http://{address}/"), Body::empty());
            tokio::spawn(async move { send(&client, &request).await.unwrap().status })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), StatusCode::OK);
    }
    assert!(running.lock().unwrap().1 <= 2);
}

#[tokio::test(start_paused = true)]
async fn idle_connection_is_closed_when_its_time_is_over() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = plain();
    let url = format!("http://{address}/");
    let request = tokio::spawn(async move {
        send(&client, &post(url, Body::empty())).await.unwrap();
        client
    });
    let (mut stream, _) = within("a connection", listener.accept()).await.unwrap();
    let mut heard = [0; 1024];
    assert!(within("the request", stream.read(&mut heard)).await.unwrap() > 0);
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    let _client = request.await.unwrap();
    let start = Instant::now();
    let closed = tokio::time::timeout(Duration::from_secs(500), stream.read(&mut heard)).await;
    assert_eq!(closed.expect("waited 500 s for the connection to be closed").unwrap(), 0);
    assert!(start.elapsed() >= Duration::from_secs(89), "{:?}", start.elapsed());
}

#[tokio::test]
async fn long_answer_is_cut_at_the_limit() {
    let handler = handler_fn(|_, _| async { Response::new(ReplyBody::from(vec![b'a'; 200_000])) });
    let (address, _server) = serve(settings(), handler);
    let request = post(format!("http://{address}/"), Body::empty());
    let reply = send(&plain(), &request).await.unwrap();
    assert!(reply.is_truncated && reply.body.len() == 64 * 1024);
    let options = ClientOptions { response_bytes_max: Some(200_000), ..Default::default() };
    let client = HttpClient::new(&config::HttpClient::default(), options);
    let reply = send(&client, &request).await.unwrap();
    assert!(!reply.is_truncated && reply.body.len() == 200_000);
}

#[tokio::test(start_paused = true)]
async fn server_that_does_not_answer_is_given_up_at_the_deadline() {
    let address = silent().await;
    let request = post(format!("http://{address}/"), Body::plain(vec!["x".into()]));
    let client = plain();
    let start = Instant::now();
    let error = client.send(&request, start + Duration::from_secs(3)).await.unwrap_err();
    assert!(matches!(error.cause, Cause::Timeout { stage: Stage::Answer, .. }), "{error}");
    assert!(error.to_string().starts_with(&format!("{address}: timed out after 3.0 s")), "{error}");
    assert_eq!((start.elapsed().as_secs(), error.class()), (3, Class::Retryable));
    let request = post(format!("https://{address}/"), Body::empty());
    let error = client.send(&request, Instant::now() + Duration::from_secs(60)).await.unwrap_err();
    assert!(matches!(error.cause, Cause::Timeout { stage: Stage::TlsHandshake, .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn answer_that_stops_half_way_is_given_up_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
        stream
    });
    let deadline = Instant::now() + Duration::from_secs(3);
    let error = plain().send(&post(url, Body::empty()), deadline).await.unwrap_err();
    assert!(matches!(error.cause, Cause::Timeout { stage: Stage::Answer, .. }), "{error}");
    drop(server);
}

#[tokio::test]
async fn failure_to_connect_names_the_peer_and_the_cause() {
    let address = nobody();
    let url = format!("http://localhost:{}/", address.port());
    let error = failure(&plain(), url).await;
    assert!(matches!(error.cause, Cause::Refused { is_loopback: true }), "{error}");
    let text = error.to_string();
    let start = format!("localhost:{} ({address}): connection refused", address.port());
    assert!(text.starts_with(&start) && text.contains("inside a container"), "{text}");
    // Too long for a label of DNS, so that no server needs to be asked.
    let error = failure(&plain(), format!("http://{}:80/", "a".repeat(64))).await;
    assert!(matches!(error.cause, Cause::Dns(_)), "{error}");
    assert_eq!(error.class(), Class::Retryable);
}

#[tokio::test]
async fn first_contact_with_the_wrong_server_names_the_setting_to_change() {
    let says_so = async |url: String, expected: fn(&Cause) -> bool, hint: &str| {
        let error = failure(&plain(), &url).await;
        assert!(expected(&error.cause), "{url}: {error}");
        assert!(error.to_string().contains(hint), "{url}: {error}");
    };
    let authority = Authority::new();
    let tls = Some(authority.issue("localhost").server());
    let (tls_port, _server) = serve(ServerSettings { tls, ..settings() }, echo());
    let tls_peer = |cause: &Cause| matches!(cause, Cause::TlsPeer { .. });
    says_so(format!("http://{tls_port}/"), tls_peer, "write https:// in the endpoint").await;
    let alert = says(b"\x15\x03\x01\x00\x02\x02\x46").await;
    says_so(format!("http://{alert}/"), tls_peer, "write https:// in the endpoint").await;
    let nginx = says(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 52\r\n\r\nThe plain HTTP request was sent to HTTPS port, sorry.").await;
    says_so(format!("http://{nginx}/"), tls_peer, "write https:// in the endpoint").await;

    let (plain_port, _server) = serve(settings(), echo());
    let plaintext = |cause: &Cause| matches!(cause, Cause::PlaintextPeer { .. });
    says_so(format!("https://{plain_port}/"), plaintext, "write http:// in the endpoint").await;
    let http = says(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    says_so(format!("https://{http}/"), plaintext, "write http:// in the endpoint").await;

    let grpc = says(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00").await;
    let http2 = |cause: &Cause| matches!(cause, Cause::Http2Peer);
    says_so(format!("http://{grpc}/"), http2, "usually 4318").await;
    let mute = says(b"").await;
    let at_once = |cause: &Cause| matches!(cause, Cause::ClosedAtOnce { .. });
    says_so(format!("http://{mute}/"), at_once, "if it expects TLS").await;
    let smtp = says(b"220 mail.example ESMTP\r\n").await;
    says_so(format!("http://{smtp}/"), |cause| matches!(cause, Cause::Protocol(_)), "HTTP").await;
}

#[tokio::test]
async fn answer_that_comes_before_the_body_was_taken_is_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap();
        let answer = b"HTTP/1.1 413 Payload Too Large\r\nconnection: close\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
        stream
    });
    let large = post(url, Body::plain(vec![vec![0; 30_000_000].into()]));
    let reply = send(&plain(), &large).await.unwrap();
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    drop(server);
}

#[tokio::test]
async fn url_without_a_usable_scheme_or_host_is_permanent() {
    for url in ["ftp://a/", "/v1/traces", "localhost"] {
        let error = failure(&plain(), url).await;
        assert!(matches!(error.cause, Cause::InvalidRequest(_)), "{url}: {error}");
        assert_eq!(error.class(), Class::Permanent);
    }
}

/// Signs with the length of what it is shown.
struct Signer(Result<(), AuthError>);

impl ClientAuth for Signer {
    fn authorize<'a>(&'a self, request: Outgoing<'a>) -> BoxFuture<'a, Result<(), AuthError>> {
        Box::pin(async move {
            self.0.clone()?;
            let shown: usize = request.body.iter().map(Bytes::len).sum();
            let signature = format!("{} {} {shown}", request.method, request.uri.path());
            assert_eq!(request.headers["content-encoding"], "gzip");
            request.headers.insert("authorization", signature.parse().unwrap());
            Ok(())
        })
    }
}

#[tokio::test]
async fn authenticator_sees_what_goes_on_the_wire() {
    let (handler, mut seen) = recorder();
    let (address, _server) = serve(settings(), handler);
    let with = |outcome| {
        let auth = Some(Arc::new(Signer(outcome)) as Arc<dyn ClientAuth>);
        let compression = Compression::Gzip;
        let settings = config::HttpClient { compression, ..config::HttpClient::default() };
        HttpClient::new(&settings, ClientOptions { auth, ..ClientOptions::default() })
    };
    let client = with(Ok(()));
    let body = client.compress(vec![vec![0; 50_000].into()]).await.unwrap();
    let request = post(format!("http://{address}/v1"), body);
    send(&client, &request).await.unwrap();
    let seen = seen.recv().await.unwrap();
    assert_eq!(seen.headers["authorization"], format!("POST /v1 {}", seen.body.len()));
    let refused = send(&with(Err(AuthError::Refused("no role".into()))), &request).await;
    assert_eq!(refused.unwrap_err().class(), Class::Permanent);
    let down = send(&with(Err(AuthError::Unavailable("later".into()))), &request).await;
    assert_eq!(down.unwrap_err().class(), Class::Retryable);
}

/// A proxy that tells the heads it is sent, and either passes a CONNECT on or gives an answer.
async fn proxy(answer: Option<&'static [u8]>) -> (std::net::SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, heads) = mpsc::channel(10);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let target = head.split(' ').nth(1).unwrap().to_owned();
            sender.try_send(head).unwrap();
            if let Some(answer) = answer {
                stream.write_all(answer).await.unwrap();
                continue;
            }
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
            let mut onward = TcpStream::connect(target).await.unwrap();
            tokio::spawn(
                async move { tokio::io::copy_bidirectional(&mut stream, &mut onward).await },
            );
        }
    });
    (address, heads)
}

#[tokio::test]
async fn proxy_passes_tls_through_and_sees_the_password_only_in_its_header() {
    let authority = Authority::new();
    let tls = Some(authority.issue("localhost").server());
    let (server_address, _server) = serve(ServerSettings { tls, ..settings() }, echo());
    let (proxy, mut heads) = proxy(None).await;
    let settings = config::HttpClient {
        proxy_url: Some(confmap::Opaque::new(format!("http://user:pass@{proxy}"))),
        tls: trusting(&authority),
        ..config::HttpClient::default()
    };
    let url = format!("https://localhost:{}/", server_address.port());
    let request = post(url, Body::plain(vec!["through".into()]));
    assert_eq!(send(&client(&settings), &request).await.unwrap().body, "through");
    let head = heads.recv().await.unwrap();
    let line = format!("CONNECT localhost:{} HTTP/1.1\r\n", server_address.port());
    assert!(head.starts_with(&line) && head.contains("Basic dXNlcjpwYXNz"), "{head}");
}

#[tokio::test]
async fn proxy_is_sent_whole_urls_for_plain_http_unless_the_host_is_excepted() {
    let (handler, mut seen) = recorder();
    let (proxy, _server) = serve(settings(), handler);
    let of = |no_proxy: &str| {
        let environment = Environment {
            http_proxy: Some(confmap::Opaque::new(format!("http://user:pass@{proxy}"))),
            no_proxy: no_proxy.to_owned(),
            ..Environment::default()
        };
        let options = ClientOptions { environment, ..ClientOptions::default() };
        HttpClient::new(&config::HttpClient::default(), options)
    };
    let request = post("http://zipkin.invalid:9411/api?x=1", Body::empty());
    send(&of(""), &request).await.unwrap();
    let seen = seen.recv().await.unwrap();
    assert_eq!(seen.uri, "http://zipkin.invalid:9411/api?x=1");
    assert_eq!(seen.headers["host"], "zipkin.invalid:9411");
    assert_eq!(seen.headers["proxy-authorization"], "Basic dXNlcjpwYXNz");
    let address = nobody();
    let error = failure(&of("127.0.0.1"), format!("http://{address}/")).await;
    assert!(matches!(error.cause, Cause::Refused { .. }), "it went there directly: {error}");
}

#[tokio::test]
async fn proxy_that_refuses_is_named_with_its_reason() {
    let cases: [(&[u8], &str); 3] = [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "HTTP/1.1 403 Forbidden"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "password in proxy_url"),
        (b"", "closed the connection"),
    ];
    let proxied = |address| config::HttpClient {
        proxy_url: Some(confmap::Opaque::new(format!("http://user:hunter2@{address}"))),
        ..config::HttpClient::default()
    };
    for (answer, hint) in cases {
        let (address, _heads) = proxy(Some(answer)).await;
        let error = failure(&client(&proxied(address)), "https://backend.invalid/").await;
        let text = error.to_string();
        assert!(matches!(error.cause, Cause::Proxy { .. }), "{text}");
        assert!(text.contains(&address.to_string()) && text.contains(hint), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    let error = failure(&client(&proxied(nobody())), "https://backend.invalid/").await;
    assert!(error.to_string().contains("connection refused"), "{error}");
}

#[tokio::test]
async fn closed_client_leaves_no_task_and_no_connection() {
    let (address, server) = serve(settings(), echo());
    let client = plain();
    send(&client, &post(format!("http://{address}/"), Body::empty())).await.unwrap();
    within("the client", client.close()).await;
    assert_eq!(within("the server", server.shutdown(soon())).await.aborted, 0);
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let read = |value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static(value));
        retry_after(&headers, now)
    };
    assert_eq!(read("120"), Some(Duration::from_secs(120)));
    assert_eq!(read("Sun, 06 Nov 1994 08:49:47 GMT"), Some(Duration::from_secs(10)));
    assert_eq!(read("Sun, 06 Nov 1994 08:49:07 GMT"), Some(Duration::ZERO), "it is past");
    assert_eq!(read("soon"), None);
    assert_eq!(read("-1"), None);
    assert_eq!(retry_after(&HeaderMap::new(), now), None);
}
