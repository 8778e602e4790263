use std::pin::Pin;
use std::task::{self, Poll};

use http::header::CONTENT_ENCODING;
use http_body::Frame;
use http_body_util::Full;
use pipeline::testing::{Recorder, payload};
use pipeline::{ComponentKind, ConsumeError, Context, MemoryBudget, Outlet, Outlets, Process};

use super::*;

/// A port before a recorder; only traces have a pipeline.
fn port(process: &Process, next: &Recorder) -> Port {
    let (id, kind) = ("otlp".parse().unwrap(), ComponentKind::Receiver);
    let context = Context::new(process.clone(), kind, id, None, None);
    let outlets = Outlets::default().with(Signal::Traces, Outlet::to(Arc::new(next.clone())));
    let intake = |transport| Arc::new(Intake::new(&context, outlets.clone(), transport));
    Port {
        grpc: intake("grpc"),
        http: intake("http"),
        paths: Paths::default(),
        grpc_body_bytes_max: 4096,
        http_body_bytes_max: 4096,
        compression: Compression::ALL.to_vec(),
        read_timeout: None,
        include_metadata: true,
        auth: None,
    }
}

fn post(path: &str, content_type: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(path).header(CONTENT_TYPE, content_type).body(Full::new(body.into())).unwrap()
}

fn spans(n: usize) -> Bytes {
    payload(Signal::Traces, n).to_bytes()
}

fn call(message: &[u8]) -> Request<Full<Bytes>> {
    let mut body = vec![0];
    body.extend_from_slice(&(message.len() as u32).to_be_bytes());
    body.extend_from_slice(message);
    let method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    post(method, "application/grpc", body)
}

fn text(response: &Response<ReplyBody>) -> String {
    String::from_utf8_lossy(response.body().data().map_or(&[], |d| d)).into_owned()
}

fn process_with(budget: &MemoryBudget) -> Process {
    let mut process = Process::default();
    process.budget = budget.clone();
    process
}

fn metrics(process: &Process) -> String {
    telemetry::render(&process.registry, telemetry::MetricsLevel::Normal)
}

#[tokio::test]
async fn spans_come_in_by_either_protocol_and_encoding_on_one_port() {
    let (process, next) = (Process::default(), Recorder::default());
    let port = port(&process, &next);
    let answer = port.answer(post("/v1/traces", "application/x-protobuf", spans(2)), None).await;
    assert_eq!((answer.status(), text(&answer).as_str()), (StatusCode::OK, ""));
    let json = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}"#;
    let answer = port.answer(post("/v1/traces", "application/json; charset=x", json), None).await;
    assert_eq!(text(&answer), r#"{"partialSuccess":{}}"#);
    let answer = port.answer(call(&spans(3)), None).await;
    let trailers = answer.body().trailers().cloned().unwrap();
    assert_eq!(trailers["grpc-status"], "0");
    assert_eq!(next.items(), 6);
    let metrics = metrics(&process);
    for line in [
        "otelcol_receiver_accepted_spans{receiver=\"otlp\",transport=\"http\"} 3",
        "otelcol_receiver_accepted_spans{receiver=\"otlp\",transport=\"grpc\"} 3",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn request_without_items_succeeds_and_goes_nowhere() {
    let (process, next) = (Process::default(), Recorder::default());
    let answer = port(&process, &next)
        .answer(post("/v1/traces", "application/x-protobuf", Bytes::new()), None)
        .await;
    assert_eq!((answer.status(), next.offers()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn wrong_requests_get_the_collectors_answers() {
    let (process, next) = (Process::default(), Recorder::default());
    let port = port(&process, &next);
    let proto = "application/x-protobuf";
    let cases = [
        (post("/v1/spans", proto, spans(1)), 404, "404 page not found"),
        (post("/v1/metrics", proto, Bytes::new()), 404, "404 page not found"),
        (Request::get("/v1/traces").body(Full::default()).unwrap(), 405, "supported: [POST]"),
        (post("/v1/traces", "text/plain", spans(1)), 415, "supported: [application/json,"),
        (post("/v1/traces", proto, vec![0xff; 8]), 400, "malformed protobuf at byte 0"),
        (post("/v1/traces", "application/json", "{"), 400, "\"code\":3"),
        (post("/v1/traces", proto, vec![0; 5000]), 413, "limit of 4096 bytes"),
    ];
    for (request, status, part) in cases {
        let what = format!("{} {:?}", request.uri(), request.headers());
        let answer = port.answer(request, None).await;
        assert_eq!(answer.status().as_u16(), status, "{what}: {}", text(&answer));
        assert!(text(&answer).contains(part), "{what}: {}", text(&answer));
    }
    assert_eq!(next.offers(), 0);
}

#[tokio::test]
async fn unknown_codec_and_broken_compression_are_told_apart_from_good_ones() {
    let (process, next) = (Process::default(), Recorder::default());
    let port = port(&process, &next);
    for (codec, part) in [("br", "unsupported Content-Encoding: br"), ("gzip", "gzip data")] {
        let mut request = post("/v1/traces", "application/x-protobuf", spans(1));
        request.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(codec));
        let answer = port.answer(request, None).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        assert!(text(&answer).contains(part), "{}", text(&answer));
    }
}

#[tokio::test]
async fn refusal_of_the_pipeline_reaches_the_sender_in_its_protocol() {
    let (process, next) = (Process::default(), Recorder::default());
    let port = port(&process, &next);
    next.refuse(Some(ConsumeError::overloaded("full").retry_after(Duration::from_millis(1500))));
    let answer = port.answer(post("/v1/traces", "application/json", "{}"), None).await;
    assert_eq!(answer.status(), StatusCode::OK, "nothing was offered");
    let answer = port.answer(post("/v1/traces", "application/x-protobuf", spans(2)), None).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()[RETRY_AFTER], "2");
    let answer = port.answer(call(&spans(2)), None).await;
    assert_eq!(answer.headers()["grpc-status"], "14");
    assert!(answer.headers().contains_key("grpc-status-details-bin"));
    let metrics = metrics(&process);
    let line = "otelcol_receiver_refused_spans{receiver=\"otlp\",transport=\"http\"} 2";
    assert!(metrics.contains(line), "{metrics}");
    next.refuse(Some(ConsumeError::permanent("no")));
    let answer = port.answer(call(&spans(2)), None).await;
    assert_eq!(answer.headers()["grpc-status"], "13");
}

#[tokio::test]
async fn wrong_calls_get_a_status_and_not_a_stall() {
    let (process, next) = (Process::default(), Recorder::default());
    let port = port(&process, &next);
    let unknown = post("/a.B/C", "application/grpc", vec![0; 5]);
    let no_pipeline =
        post("/opentelemetry.proto.collector.logs.v1.LogsService/Export", "application/grpc", "");
    let too_large = call(&[0; 5000]);
    let cases = [(unknown, "12"), (no_pipeline, "12"), (too_large, "8"), (call(&[0xff]), "3")];
    for (request, status) in cases {
        let what = request.uri().to_string();
        let answer = port.answer(request, None).await;
        assert_eq!(answer.headers()["grpc-status"], status, "{what}");
    }
}

#[tokio::test]
async fn spent_budget_is_refused_with_a_hint_and_holds_nothing() {
    let next = Recorder::default();
    let budget = MemoryBudget::new(100, 100);
    let process = process_with(&budget);
    let port = port(&process, &next);
    let pipeline::Admission::Granted(_others) = budget.try_hold(90) else { panic!("no room") };
    let answer = port.answer(post("/v1/traces", "application/x-protobuf", spans(9)), None).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key(RETRY_AFTER));
    assert!(text(&answer).contains("memory budget is spent"), "{}", text(&answer));
    assert_eq!(budget.held_bytes(), 90);
}

#[tokio::test]
async fn bytes_are_held_until_the_pipeline_lets_them_go() {
    let next = Recorder::default();
    let budget = MemoryBudget::new(1000, 1000);
    let process = process_with(&budget);
    let body = spans(9);
    let port = port(&process, &next);
    port.answer(post("/v1/traces", "application/x-protobuf", body.clone()), None).await;
    assert_eq!(budget.held_bytes(), body.len());
    drop(port);
    drop(next);
    assert_eq!(budget.held_bytes(), 0);
}

#[tokio::test]
async fn text_that_is_not_utf8_is_repaired_and_counted_and_its_span_kept() {
    let (process, next) = (Process::default(), Recorder::default());
    // One span named 0xff.
    let body: &[u8] = &[10, 7, 18, 5, 18, 3, 42, 1, 0xff];
    let port = port(&process, &next);
    let answer = port.answer(post("/v1/traces", "application/x-protobuf", body), None).await;
    assert_eq!((answer.status(), next.items()), (StatusCode::OK, 1));
    assert!(
        metrics(&process)
            .contains("otelcol_receiver_repaired_strings{receiver=\"otlp\",transport=\"http\"} 1")
    );
}

#[tokio::test]
async fn headers_become_metadata_only_where_the_port_says_so() {
    let (process, next) = (Process::default(), Recorder::default());
    let mut port = port(&process, &next);
    for (include, expected) in [(true, vec!["a"]), (false, vec![])] {
        port.include_metadata = include;
        let mut request = post("/v1/traces", "application/x-protobuf", spans(1));
        request.headers_mut().insert("x-tenant", HeaderValue::from_static("a"));
        port.answer(request, None).await;
        let client = next.envelopes().pop().unwrap().client;
        assert_eq!(client.metadata("X-Tenant").collect::<Vec<_>>(), expected);
    }
}

/// A body of which nothing arrives.
struct Silence;

impl Body for Silence {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn body_that_does_not_arrive_within_read_timeout_is_given_up() {
    let (process, next) = (Process::default(), Recorder::default());
    let mut port = port(&process, &next);
    port.read_timeout = Some(Duration::from_secs(5));
    let began = Instant::now();
    let answer =
        port.answer(post("/v1/traces", "application/x-protobuf", "").map(|_| Silence), None).await;
    assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT, "{}", text(&answer));
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    let answer = port.answer(call(b"").map(|_| Silence), None).await;
    assert_eq!(answer.headers()["grpc-status"], "4");
    assert_eq!(began.elapsed(), Duration::from_secs(10));
}

/// Lets those in who know the word.
struct Doorkeeper;

impl net::auth::ServerAuth for Doorkeeper {
    fn authenticate<'a>(
        &'a self,
        headers: &'a HeaderMap,
    ) -> net::BoxFuture<'a, Result<net::auth::AuthAttributes, AuthError>> {
        let known = headers.get("x-word").is_some_and(|word| word == "sesame");
        Box::pin(async move {
            let refused = || AuthError::Refused("who are you?".to_owned());
            let subject = ("subject".to_owned(), "ali".to_owned());
            known.then(|| Arc::from(vec![subject])).ok_or_else(refused)
        })
    }
}

#[tokio::test]
async fn sender_has_to_be_authenticated_where_the_port_says_so() {
    let (process, next) = (Process::default(), Recorder::default());
    let mut port = port(&process, &next);
    let authenticator = Arc::new(ServerAuthenticator(Arc::new(Doorkeeper)));
    port.auth = Some(Auth { authenticator, request_params: vec!["x-word".to_owned()] });
    let answer = port.answer(post("/v1/traces", "application/json", "{}"), None).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert!(text(&answer).contains("who are you?"), "{}", text(&answer));
    let answer = port.answer(call(&spans(1)), None).await;
    assert_eq!(answer.headers()["grpc-status"], "16");
    assert_eq!(next.offers(), 0);
    let known = post("/v1/traces?x-word=sesame", "application/x-protobuf", spans(1));
    assert_eq!(port.answer(known, None).await.status(), StatusCode::OK);
    let client = next.envelopes().pop().unwrap().client;
    assert_eq!(client.auth, [("subject".to_owned(), "ali".to_owned())]);
}

#[tokio::test]
async fn refusal_ahead_of_the_body_announces_that_the_connection_ends() {
    let budget = MemoryBudget::new(10, 10);
    let pipeline::Admission::Granted(_held) = budget.try_hold(11) else { panic!("no room") };
    let process = process_with(&budget);
    let port = port(&process, &Recorder::default());
    for (path, content_type, status) in [
        ("/v1/traces", "application/x-protobuf", StatusCode::SERVICE_UNAVAILABLE),
        ("/v1/traces", "text/plain", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("/elsewhere", "application/x-protobuf", StatusCode::NOT_FOUND),
    ] {
        let answer = port.answer(post(path, content_type, spans(2)), None).await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()[CONNECTION], "close", "{path} {content_type}");
        let mut request = post(path, content_type, spans(2));
        *request.version_mut() = Version::HTTP_2;
        let answer = port.answer(request, None).await;
        assert!(!answer.headers().contains_key(CONNECTION), "HTTP/2 knows no such header");
    }
}

#[tokio::test]
async fn refusal_of_a_body_that_was_read_keeps_the_connection() {
    let port = port(&Process::default(), &Recorder::default());
    let answer = port.answer(post("/v1/traces", "application/json", "no JSON"), None).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(!answer.headers().contains_key(CONNECTION));
}
