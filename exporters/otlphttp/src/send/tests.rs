use std::net::TcpListener;
use std::sync::Mutex;

use ::config::Compression;
use exporter_helper::About;
use http::header::{CONTENT_ENCODING, RETRY_AFTER, USER_AGENT};
use http::{HeaderName, Response, StatusCode};
use net::ReplyBody;
use net::body::{BodyLimits, read_body};
use net::server::{Listener, Server, ServerSettings, handler_fn};
use pdata::wire::{put_len, put_message, put_uint};
use pdata::{Payload, Signal};
use pipeline::testing::payload;
use pipeline::{ComponentKind, Process};

use super::*;

/// What the backend answers, and what it saw.
type Answer = (StatusCode, Vec<(HeaderName, &'static str)>, Vec<u8>);
type Seen = Arc<Mutex<Option<(HeaderMap, String, Bytes)>>>;

/// Sends three spans to a backend that answers so.
async fn exchange(
    answer: Answer,
    change: impl FnOnce(&mut OtlpHttp),
) -> (Result<Sent, SendError>, HeaderMap, String, Bytes) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    socket.set_nonblocking(true).unwrap();
    let seen = Seen::default();
    let backend = {
        let (answer, seen) = (Arc::new(answer), seen.clone());
        handler_fn(move |request: http::Request<_>, _peer| {
            let (answer, seen) = (answer.clone(), seen.clone());
            async move {
                let (head, body) = request.into_parts();
                let limits = BodyLimits::of(1 << 20);
                let body = read_body(body, Compression::None, &limits, |_| Ok(())).await;
                let path = head.uri.path().to_owned();
                *seen.lock().unwrap() = Some((head.headers, path, body.unwrap()));
                let mut response = Response::new(ReplyBody::from(answer.2.clone()));
                *response.status_mut() = answer.0;
                for (name, value) in &answer.1 {
                    response.headers_mut().insert(name, HeaderValue::from_static(value));
                }
                response
            }
        })
    };
    let listeners = vec![Listener::Tcp(socket)];
    let server = Server::serve(listeners, ServerSettings::new("backend"), backend).unwrap();
    let id = "otlphttp".parse().unwrap();
    let signal = Some(Signal::Traces);
    let context = Context::new(Process::default(), ComponentKind::Exporter, id, signal, None);
    let mut push = OtlpHttp {
        settings: ClientSettings::default(),
        encoding: Encoding::Proto,
        url: format!("http://{address}/v1/traces").parse().unwrap(),
        context,
        client: OnceLock::new(),
    };
    push.settings.timeout = Some(Duration::from_secs(10));
    change(&mut push);
    let encoded = push.encode(&payload(Signal::Traces, 3), &Client::default()).unwrap();
    assert_eq!((encoded.requests.len(), encoded.requests[0].items), (1, 3));
    let result = push.send(&encoded.requests[0].request).await;
    push.client().close().await;
    server.shutdown(Deadline::after(Duration::from_secs(10)).instant()).await;
    let (headers, path, body) = seen.lock().unwrap().take().expect("a request");
    (result, headers, path, body)
}

async fn answered(
    status: u16,
    headers: &[(HeaderName, &'static str)],
    body: &[u8],
) -> Result<Sent, SendError> {
    let answer = (StatusCode::from_u16(status).unwrap(), headers.to_vec(), body.to_vec());
    exchange(answer, |_| {}).await.0
}

fn ok() -> Answer {
    (StatusCode::OK, Vec::new(), Vec::new())
}

#[tokio::test]
async fn protobuf_request_is_the_payloads_own_bytes() {
    let (result, headers, path, body) = exchange(ok(), |_| {}).await;
    assert_eq!(result, Ok(Sent::all()));
    assert_eq!(path, "/v1/traces");
    assert_eq!(headers[CONTENT_TYPE], "application/x-protobuf");
    assert!(headers[USER_AGENT].to_str().unwrap().starts_with("hikyaku/"));
    assert!(!headers.contains_key(CONTENT_ENCODING));
    assert_eq!(body, payload(Signal::Traces, 3).to_bytes());
}

#[tokio::test]
async fn compressed_request_says_so_and_reads_back() {
    let gzip = |push: &mut OtlpHttp| push.settings.compression = Compression::Gzip;
    let (result, headers, _, body) = exchange(ok(), gzip).await;
    assert_eq!(result, Ok(Sent::all()));
    assert_eq!(headers[CONTENT_ENCODING], "gzip");
    let limits = BodyLimits::of(1 << 20);
    let plain = http_body_util::Full::new(body);
    let plain = read_body(plain, Compression::Gzip, &limits, |_| Ok(())).await.unwrap();
    assert_eq!(plain, payload(Signal::Traces, 3).to_bytes());
}

#[tokio::test]
async fn json_request_reads_back() {
    let json = |push: &mut OtlpHttp| push.encoding = Encoding::Json;
    let (result, headers, _, body) = exchange(ok(), json).await;
    assert_eq!(result, Ok(Sent::all()));
    assert_eq!(headers[CONTENT_TYPE], "application/json");
    assert_eq!(Payload::from_json(Signal::Traces, &body).unwrap().payload.items(), 3);
}

#[tokio::test]
async fn partial_success_is_read_in_the_answers_own_encoding() {
    let mut response = Vec::new();
    put_message(&mut response, 1, |partial| {
        put_uint(partial, 1, 2);
        put_len(partial, 2, b"too old");
    });
    let expected = Ok(Sent::partly(2, Reason::new("too old")));
    assert_eq!(answered(200, &[], &response).await, expected);
    let json = br#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}"#;
    let headers = [(CONTENT_TYPE, "application/json")];
    assert_eq!(answered(202, &headers, json).await, expected);
}

#[tokio::test]
async fn success_with_an_answer_that_is_not_otlp_is_success_and_said() {
    let sent = answered(200, &[], b"<html>").await.unwrap();
    assert_eq!(sent.rejected, 0);
    assert!(sent.message.unwrap().as_str().contains("no OTLP response"));
}

#[tokio::test]
async fn refusals_are_classified_and_carry_the_backends_words() {
    let mut status = Vec::new();
    put_uint(&mut status, 1, 3);
    put_len(&mut status, 2, b"span 7 has no name");
    let Err(SendError::Permanent { about, reason, .. }) = answered(400, &[], &status).await else {
        panic!("400 is permanent");
    };
    assert_eq!(about, About::Request);
    assert!(reason.as_str().contains("span 7 has no name"), "{reason}");
    assert!(reason.as_str().contains("400 Bad Request"), "{reason}");
    for (code, peer) in [(401, true), (404, true), (422, false)] {
        let Err(SendError::Permanent { about, .. }) = answered(code, &[], b"no").await else {
            panic!("{code} is permanent");
        };
        assert_eq!(about == About::Peer, peer, "{code}");
    }
    for code in [502, 504] {
        assert!(answered(code, &[], b"").await.unwrap_err().is_retryable(), "{code}");
    }
    assert!(matches!(answered(413, &[], b"").await, Err(SendError::TooLarge { .. })));
}

#[tokio::test]
async fn delay_that_the_backend_asks_for_is_passed_on() {
    for code in [429, 503] {
        let Err(SendError::Retryable { delay, .. }) =
            answered(code, &[(RETRY_AFTER, "7")], b"busy").await
        else {
            panic!("{code} is retryable");
        };
        assert_eq!(delay, Some(Duration::from_secs(7)));
    }
}

#[tokio::test]
async fn refusal_in_json_is_understood_too() {
    let body = br#"{"code":14,"message":"busy","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]}"#;
    let headers = [(CONTENT_TYPE, "application/json")];
    let Err(SendError::Retryable { delay, reason, .. }) = answered(503, &headers, body).await
    else {
        panic!("503 is retryable");
    };
    assert_eq!(delay, Some(Duration::from_secs(7)));
    assert!(reason.as_str().ends_with("503 Service Unavailable: busy"), "{reason}");
}

#[tokio::test]
async fn backend_that_is_not_there_is_named_and_worth_another_try() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let id = "otlphttp".parse().unwrap();
    let push = OtlpHttp {
        settings: ClientSettings::default(),
        encoding: Encoding::Proto,
        url: format!("http://{gone}/v1/traces").parse().unwrap(),
        context: Context::new(Process::default(), ComponentKind::Exporter, id, None, None),
        client: OnceLock::new(),
    };
    let error = push.send(&Body::empty()).await.unwrap_err();
    assert!(error.is_retryable());
    let text = error.to_string();
    assert!(text.contains(&gone.to_string()) && text.contains("connection refused"), "{text}");
}

#[tokio::test]
async fn user_and_password_of_the_url_authenticate_and_are_not_shown() {
    let with_user = |push: &mut OtlpHttp| {
        let url = push.url.to_string().replacen("://", "://user:canary@", 1);
        push.url = url.parse().unwrap();
    };
    let refused = (StatusCode::FORBIDDEN, vec![], vec![]);
    let (sent, headers, ..) = exchange(refused, with_user).await;
    assert_eq!(headers["authorization"], "Basic dXNlcjpjYW5hcnk=");
    let error = format!("{:?}", sent.unwrap_err());
    assert!(error.contains("/v1/traces answered 403") && !error.contains("canary"), "{error}");
    let odd = (StatusCode::OK, vec![], b"no OTLP".to_vec());
    let said = format!("{:?}", exchange(odd, with_user).await.0.unwrap());
    assert!(said.contains("is no OTLP response") && !said.contains("canary"), "{said}");
}
