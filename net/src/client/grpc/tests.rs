use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use config::{Compression, GrpcClient as Settings, TlsClient};
use http::{HeaderMap, HeaderValue, Request, Response};
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{CallError, GrpcClient, GrpcReply};
use crate::ReplyBody;
use crate::body::BodyLimits;
use crate::client::{ClientOptions, Environment};
use crate::error::{Cause, Class, Stage};
use crate::grpc::{self, Code, Status};
use crate::server::{Handler, Listener, Peer, Server, ServerSettings, handler_fn};
use crate::testing::{
    Authority, echo, headers, nobody, says, serve, settings, silent, soon, trusting, within,
};

const METHOD: &str = "/test.Service/Echo";

/// Answers with the message it was sent; passes on the headers.
fn grpc_echo() -> (Arc<dyn Handler>, mpsc::Receiver<HeaderMap>) {
    let (sender, seen) = mpsc::channel(100);
    let handler = handler_fn(move |request: Request<Incoming>, _: Arc<Peer>| {
        let sender = sender.clone();
        async move {
            assert_eq!(request.uri().path(), METHOD);
            let encoding = grpc::message_encoding(request.headers()).unwrap();
            sender.try_send(request.headers().clone()).unwrap();
            let limits = BodyLimits::of(5_000_000);
            match grpc::read_message(request.into_body(), encoding, &limits, |_| Ok(())).await {
                Ok(message) => grpc::success(&message),
                Err(error) => grpc::failure(&Status::from(&error)),
            }
        }
    });
    (handler, seen)
}

/// Gives every call the same answer.
fn answering(answer: fn() -> Response<ReplyBody>) -> Arc<dyn Handler> {
    handler_fn(move |_: Request<Incoming>, _: Arc<Peer>| async move { answer() })
}

fn insecure(endpoint: impl std::fmt::Display) -> Settings {
    Settings {
        endpoint: endpoint.to_string(),
        tls: TlsClient { insecure: true, ..TlsClient::default() },
        keepalive: None,
        ..Settings::default()
    }
}

fn client(settings: &Settings) -> GrpcClient {
    GrpcClient::new(settings, ClientOptions::default()).unwrap()
}

async fn call(client: &GrpcClient, message: Bytes) -> Result<GrpcReply, CallError> {
    let message = client.encode(vec![message]).await.unwrap();
    within("an answer", client.call(METHOD, &message, &HeaderMap::new(), soon())).await
}

async fn failure(client: &GrpcClient) -> CallError {
    call(client, "x".into()).await.expect_err("must fail")
}

fn cause(error: CallError) -> Cause {
    match error {
        CallError::Transport(error) => error.cause,
        CallError::Status { status, .. } => panic!("{status}"),
    }
}

#[tokio::test]
async fn message_comes_back_in_every_codec_and_size() {
    let (handler, mut seen) = grpc_echo();
    let (address, _server) = serve(ServerSettings { ..settings() }, handler);
    for compression in
        [Compression::None, Compression::Gzip, Compression::Zstd, Compression::Snappy]
    {
        let settings = Settings { compression, ..insecure(address) };
        let options =
            ClientOptions { response_bytes_max: Some(5_000_000), ..ClientOptions::default() };
        let client = GrpcClient::new(&settings, options).unwrap();
        for size in [0, 1, 36_000, 4_000_000] {
            let message = Bytes::from(vec![7; size]);
            let reply = call(&client, message.clone()).await.unwrap();
            assert_eq!(reply.message, message, "{compression} {size}");
            let headers = seen.recv().await.unwrap();
            let named = headers.get("grpc-encoding").map(|value| value.to_str().unwrap());
            let expected = compression.is_compressed().then(|| compression.name());
            assert_eq!(named, expected);
        }
    }
}

#[tokio::test]
async fn call_has_the_headers_of_grpc_and_those_of_the_settings() {
    let (handler, mut seen) = grpc_echo();
    let (address, _server) = serve(settings(), handler);
    let settings = Settings {
        headers: headers(&[("x-key", "of the settings"), ("x-more", "kept")]),
        user_agent: Some("me".into()),
        ..insecure(address)
    };
    let client = client(&settings);
    let message = client.encode(vec!["a".into(), "b".into()]).await.unwrap();
    let mut metadata = HeaderMap::new();
    metadata.insert("x-key", HeaderValue::from_static("of the call"));
    let deadline = Instant::now() + Duration::from_secs(5);
    let reply = client.call(METHOD, &message, &metadata, deadline).await.unwrap();
    assert_eq!(reply.message, "ab");
    let seen = seen.recv().await.unwrap();
    assert_eq!(seen["x-key"], "of the call");
    assert_eq!(seen["x-more"], "kept");
    assert_eq!(seen["user-agent"], "me");
    assert_eq!(seen["te"], "trailers");
    assert!(grpc::is_grpc(&seen));
    let timeout = grpc::timeout(&seen).unwrap();
    assert!(timeout <= Duration::from_secs(5) && timeout > Duration::from_secs(1));
}

#[tokio::test]
async fn outcome_is_read_from_headers_or_trailers() {
    let (address, _server) = serve(
        settings(),
        answering(|| {
            let status = Status::new(Code::ResourceExhausted, "spent");
            grpc::failure(&status.retry_after(Duration::from_secs(7)))
        }),
    );
    let error = failure(&client(&insecure(address))).await;
    assert_eq!(error.retry_delay(), Some(Duration::from_secs(7)));
    assert_eq!(error.class(), Class::Retryable);
    let text = error.to_string();
    assert_eq!(text, format!("{address}: the server answered ResourceExhausted: spent"));

    let (address, _server) = serve(
        settings(),
        answering(|| {
            let mut trailers = HeaderMap::new();
            Status::new(Code::InvalidArgument, "bad").write(&mut trailers);
            let mut response = Response::new(ReplyBody::with_trailers(Bytes::new(), trailers));
            response.headers_mut().insert("content-type", grpc::CONTENT_TYPE);
            response
        }),
    );
    let error = failure(&client(&insecure(address))).await;
    assert!(matches!(&error, CallError::Status { status, .. } if status.message == "bad"));
    assert_eq!(error.class(), Class::Permanent);
}

#[test]
fn every_code_is_retryable_or_permanent_as_otlp_says() {
    use Code::*;
    let class =
        |code| CallError::Status { peer: String::new(), status: Status::new(code, "") }.class();
    for code in [Canceled, DeadlineExceeded, Aborted, OutOfRange, Unavailable, DataLoss] {
        assert_eq!(class(code), Class::Retryable, "{code}");
    }
    for code in [
        Unknown,
        InvalidArgument,
        NotFound,
        AlreadyExists,
        PermissionDenied,
        ResourceExhausted,
        FailedPrecondition,
        Unimplemented,
        Internal,
        Unauthenticated,
    ] {
        assert_eq!(class(code), Class::Permanent, "{code}");
    }
}

#[tokio::test]
async fn answer_of_something_else_than_a_grpc_server_is_explained() {
    let (address, _server) = serve(settings(), echo());
    let error = failure(&client(&insecure(address))).await;
    let CallError::Status { status, .. } = error else { panic!("{error}") };
    assert_eq!(status.code, Code::Unknown);
    assert!(status.message.contains("check that the endpoint is its gRPC port"), "{status}");
    let unavailable = answering(|| {
        let mut response = Response::new(ReplyBody::from("down"));
        *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        response
    });
    let (address, _server) = serve(settings(), unavailable);
    let error = failure(&client(&insecure(address))).await;
    assert_eq!(error.class(), Class::Retryable, "a proxy's 503 is worth another try");
}

#[tokio::test]
async fn answer_that_is_too_large_is_not_read() {
    let (handler, _seen) = grpc_echo();
    let (address, _server) = serve(settings(), handler);
    let error = call(&client(&insecure(address)), vec![0; 100_000].into()).await.unwrap_err();
    let CallError::Status { status, .. } = error else { panic!("{error}") };
    assert_eq!(status.code, Code::ResourceExhausted);
}

#[tokio::test]
async fn first_contact_with_the_wrong_server_names_the_setting_to_change() {
    let explain = async |settings: Settings, expected: fn(&Cause) -> bool, hint: &str| {
        let cause = cause(failure(&client(&settings)).await);
        assert!(expected(&cause), "{}: {cause}", settings.endpoint);
        assert!(cause.to_string().contains(hint), "{cause}");
    };
    let http1 = says(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    explain(insecure(http1), |cause| matches!(cause, Cause::Http1Peer), "usually 4317").await;
    let alert = says(b"\x15\x03\x01\x00\x02\x02\x46").await;
    let tls_peer = |cause: &Cause| matches!(cause, Cause::TlsPeer { .. });
    explain(insecure(alert), tls_peer, "remove tls.insecure: true").await;
    let authority = Authority::new();
    let tls = Some(authority.issue("localhost").server());
    let (tls_port, _server) = serve(ServerSettings { tls, ..settings() }, echo());
    let at_once = |cause: &Cause| matches!(cause, Cause::ClosedAtOnce { .. });
    explain(insecure(tls_port), at_once, "remove tls.insecure: true").await;

    let secure = |endpoint: std::net::SocketAddr| Settings {
        endpoint: endpoint.to_string(),
        ..Settings::default()
    };
    let (plain_port, _server) = serve(settings(), echo());
    let plaintext = |cause: &Cause| matches!(cause, Cause::PlaintextPeer { .. });
    explain(secure(plain_port), plaintext, "set tls.insecure: true").await;
    let settings_frame = says(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00").await;
    explain(secure(settings_frame), plaintext, "set tls.insecure: true").await;
}

#[tokio::test(start_paused = true)]
async fn call_without_an_answer_ends_at_its_deadline() {
    let client = client(&insecure(silent().await));
    let message = client.encode(vec!["x".into()]).await.unwrap();
    let start = Instant::now();
    let deadline = start + Duration::from_secs(4);
    let error = client.call(METHOD, &message, &HeaderMap::new(), deadline).await.unwrap_err();
    assert!(matches!(cause(error), Cause::Timeout { stage: Stage::Answer, .. }));
    assert_eq!(start.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn connection_on_which_a_call_timed_out_is_not_used_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&insecure(listener.local_addr().unwrap()));
    let message = client.encode(vec!["x".into()]).await.unwrap();
    let mut held = Vec::new();
    for _ in 0..2 {
        let deadline = Instant::now() + Duration::from_secs(1);
        let metadata = HeaderMap::new();
        let call = client.call(METHOD, &message, &metadata, deadline);
        let (called, accepted) = tokio::join!(call, within("a connection", listener.accept()));
        assert!(called.is_err());
        held.push(accepted.unwrap());
    }
}

#[tokio::test]
async fn tls_and_its_server_name_are_used() {
    let authority = Authority::new();
    let (handler, _seen) = grpc_echo();
    let tls = Some(authority.issue("collector.example").server());
    let (address, _server) = serve(ServerSettings { tls, ..settings() }, handler);
    let settings = Settings {
        endpoint: address.to_string(),
        tls: TlsClient { server_name: Some("collector.example".into()), ..trusting(&authority) },
        ..Settings::default()
    };
    assert_eq!(call(&client(&settings), "hi".into()).await.unwrap().message, "hi");
}

#[tokio::test]
async fn socket_file_is_connected_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("otlp.sock");
    let (handler, _seen) = grpc_echo();
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let _server = Server::serve(vec![Listener::Unix(listener)], settings(), handler).unwrap();
    let client = client(&insecure(format!("unix://{}", path.display())));
    assert_eq!(call(&client, "hi".into()).await.unwrap().message, "hi");
    let missing = insecure(format!("unix://{}/none", folder.path().display()));
    let error = failure(&GrpcClient::new(&missing, ClientOptions::default()).unwrap()).await;
    assert!(matches!(cause(error), Cause::Connect(_)));
}

#[tokio::test]
async fn server_that_restarts_is_found_again() {
    let address = nobody();
    let up = || {
        let listener = std::net::TcpListener::bind(address).unwrap();
        let (handler, seen) = grpc_echo();
        // The receiver lives as long as the server, or its handler would fail.
        (Server::serve(vec![Listener::Tcp(listener)], settings(), handler).unwrap(), seen)
    };
    let client = client(&insecure(address));
    for _ in 0..3 {
        let (server, _seen) = up();
        assert!(call(&client, "hi".into()).await.is_ok());
        server.shutdown(soon()).await;
        assert!(matches!(cause(failure(&client).await), Cause::Refused { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn call_that_waits_for_the_server_goes_through_when_it_comes() {
    let address = nobody();
    let waiting = client(&Settings { wait_for_ready: true, ..insecure(address) });
    let message = waiting.encode(vec!["hi".into()]).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(3);
    let given_up = waiting.call(METHOD, &message, &HeaderMap::new(), deadline).await.unwrap_err();
    assert!(matches!(cause(given_up), Cause::Refused { .. }));
    let call = tokio::spawn(async move {
        let deadline = Instant::now() + Duration::from_secs(60);
        waiting.call(METHOD, &message, &HeaderMap::new(), deadline).await
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    let listener = std::net::TcpListener::bind(address).unwrap();
    let (handler, _seen) = grpc_echo();
    let _server = Server::serve(vec![Listener::Tcp(listener)], settings(), handler).unwrap();
    assert!(within("the call", call).await.unwrap().is_ok());
}

#[tokio::test]
async fn proxy_of_the_environment_is_asked_to_connect() {
    let refusing = says(b"HTTP/1.1 403 Forbidden\r\n\r\n").await;
    let environment = Environment {
        https_proxy: Some(confmap::Opaque::new(format!("http://{refusing}"))),
        ..Environment::default()
    };
    let options = ClientOptions { environment, ..ClientOptions::default() };
    let client = GrpcClient::new(&insecure("collector.invalid:4317"), options).unwrap();
    let cause = cause(failure(&client).await);
    assert!(matches!(&cause, Cause::Proxy { reason, .. } if reason.contains("403")), "{cause}");
}

#[test]
fn endpoint_and_authority_must_be_usable() {
    let error = |settings: &Settings| {
        GrpcClient::new(settings, ClientOptions::default()).err().expect("must be refused")
    };
    assert!(error(&insecure("a")).contains("endpoint: address a: missing port"));
    let authority = Some("not a host".to_owned());
    assert!(error(&Settings { authority, ..insecure("a:1") }).contains("authority"));
}
