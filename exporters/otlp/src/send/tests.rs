use std::net::TcpListener;
use std::sync::Mutex;

use ::config::{Compression, TlsClient};
use bytes::Bytes;
use exporter_helper::About;
use http::Response;
use net::ReplyBody;
use net::body::BodyLimits;
use net::grpc::{self, Code, Status, message_encoding, read_message};
use net::server::{Listener, Server, ServerSettings, handler_fn};
use pdata::wire::{put_len, put_message, put_uint};
use pipeline::testing::payload;
use pipeline::{ComponentKind, Process};

use super::*;

type Answer = Arc<dyn Fn() -> Response<ReplyBody> + Send + Sync>;
type Seen = Arc<Mutex<Option<(HeaderMap, String, Bytes)>>>;

/// Sends three spans to a backend that answers so.
async fn exchange(
    answer: Answer,
    compression: Compression,
) -> (Result<Sent, SendError>, HeaderMap, String, Bytes) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    socket.set_nonblocking(true).unwrap();
    let seen = Seen::default();
    let backend = {
        let seen = seen.clone();
        handler_fn(move |request: http::Request<_>, _peer| {
            let (answer, seen) = (answer.clone(), seen.clone());
            async move {
                let (head, body) = request.into_parts();
                let encoding = message_encoding(&head.headers).unwrap();
                let limits = BodyLimits::of(1 << 20);
                let message = read_message(body, encoding, &limits, |_| Ok(())).await.unwrap();
                let path = head.uri.path().to_owned();
                *seen.lock().unwrap() = Some((head.headers, path, message));
                answer()
            }
        })
    };
    let listeners = vec![Listener::Tcp(socket)];
    let server = Server::serve(listeners, ServerSettings::new("backend"), backend).unwrap();
    let push = push(&address.to_string(), compression);
    let encoded = push.encode(&payload(Signal::Traces, 3), &Client::default()).unwrap();
    assert_eq!((encoded.requests.len(), encoded.requests[0].items), (1, 3));
    let result = push.send(&encoded.requests[0].request).await;
    push.client().unwrap().close().await;
    server.shutdown(Deadline::after(Duration::from_secs(10)).instant()).await;
    let (headers, path, message) = seen.lock().unwrap().take().expect("a call");
    (result, headers, path, message)
}

fn push(endpoint: &str, compression: Compression) -> OtlpGrpc {
    let id = "otlp".parse().unwrap();
    let tls = TlsClient { insecure: true, ..TlsClient::default() };
    let endpoint = endpoint.to_owned();
    let push = OtlpGrpc {
        settings: ClientSettings { endpoint, compression, tls, ..ClientSettings::default() },
        timeout: Duration::from_secs(10),
        method: method(Signal::Traces),
        context: Context::new(Process::default(), ComponentKind::Exporter, id, None, None),
        client: OnceLock::new(),
    };
    let client = push.connectable(None).unwrap();
    assert!(push.client.set(client).is_ok());
    push
}

async fn refused_with(status: Status) -> SendError {
    let answer: Answer = Arc::new(move || grpc::failure(&status));
    exchange(answer, Compression::None).await.0.unwrap_err()
}

#[tokio::test]
async fn message_is_the_payloads_own_bytes_with_and_without_compression() {
    for compression in
        [Compression::None, Compression::Gzip, Compression::Zstd, Compression::Snappy]
    {
        let answer: Answer = Arc::new(|| grpc::success(&[]));
        let (result, headers, path, message) = exchange(answer, compression).await;
        assert_eq!(result, Ok(Sent::all()), "{compression}");
        assert_eq!(path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
        assert_eq!(message, payload(Signal::Traces, 3).to_bytes(), "{compression}");
        assert_eq!(headers.contains_key("grpc-encoding"), compression.is_compressed());
        assert!(headers["user-agent"].to_str().unwrap().starts_with("hikyaku/"));
    }
}

#[tokio::test]
async fn partial_success_is_counted() {
    let mut response = Vec::new();
    put_message(&mut response, 1, |partial| {
        put_uint(partial, 1, 2);
        put_len(partial, 2, b"too old");
    });
    let answer: Answer = Arc::new(move || grpc::success(&response));
    let (result, ..) = exchange(answer, Compression::None).await;
    assert_eq!(result, Ok(Sent::partly(2, Reason::new("too old"))));
}

#[tokio::test]
async fn statuses_are_classified_and_carry_the_backends_words() {
    let error = refused_with(Status::new(Code::InvalidArgument, "span 7 has no name")).await;
    let SendError::Permanent { about, code, reason } = error else { panic!("it is permanent") };
    assert_eq!((about, code), (About::Request, Some(GrpcCode::InvalidArgument)));
    assert!(reason.as_str().contains("span 7 has no name"), "{reason}");
    for code in [Code::Unauthenticated, Code::Unimplemented] {
        let error = refused_with(Status::new(code, "no")).await;
        assert!(matches!(error, SendError::Permanent { about: About::Peer, .. }), "{error:?}");
    }
    assert!(refused_with(Status::new(Code::Unavailable, "down")).await.is_retryable());
    assert!(!refused_with(Status::new(Code::ResourceExhausted, "quota")).await.is_retryable());
}

#[tokio::test]
async fn delay_that_the_backend_asks_for_is_passed_on() {
    let delay = Duration::from_secs(7);
    let busy = Status::new(Code::ResourceExhausted, "busy").retry_after(delay);
    let SendError::Retryable { delay: asked, .. } = refused_with(busy).await else {
        panic!("it is retryable with a delay");
    };
    assert_eq!(asked, Some(delay));
}

#[tokio::test]
async fn backend_that_is_not_there_is_named_and_worth_another_try() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let push = push(&gone.to_string(), Compression::None);
    let encoded = push.encode(&payload(Signal::Traces, 1), &Client::default()).unwrap();
    let error = push.send(&encoded.requests[0].request).await.unwrap_err();
    assert!(error.is_retryable());
    let text = error.to_string();
    assert!(text.contains(&gone.to_string()) && text.contains("connection refused"), "{text}");
}
