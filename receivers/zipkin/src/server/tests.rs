use http::header::CONTENT_ENCODING;
use http_body_util::Full;
use pipeline::testing::Recorder;
use pipeline::{ComponentKind, Context, MemoryBudget, Outlet, Process};

use super::*;

const JSON: &str = "application/json";
const PROTO: &str = "application/x-protobuf";
const PATH: &str = "/api/v2/spans";

/// A port before a recorder, with a small cap.
fn port(process: &Process, next: &Recorder) -> Port {
    let (id, kind) = ("zipkin".parse().unwrap(), ComponentKind::Receiver);
    let context = Context::new(process.clone(), kind, id, None, None);
    let outlet = Outlet::to(Arc::new(next.clone()));
    let settings =
        HttpServer { max_body_bytes: 4096, include_metadata: true, ..HttpServer::default() };
    let intake = Arc::new(Intake::new(&context, outlet, false));
    Port { intake, settings, authenticator: None }
}

fn post(path: &str, content_type: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(path).header(CONTENT_TYPE, content_type).body(Full::new(body.into())).unwrap()
}

fn spans(count: usize) -> String {
    let spans: Vec<String> =
        (1..=count).map(|id| format!(r#"{{"traceId":"1","id":"{id:x}","timestamp":1}}"#)).collect();
    format!("[{}]", spans.join(","))
}

/// Two spans as protobuf.
fn proto() -> Vec<u8> {
    let span = |id: u8| [&[0x0a, 20, 0x0a, 8][..], &[7; 8], &[0x1a, 8], &[id; 8]].concat();
    [span(1), span(2)].concat()
}

fn text(response: &Response<ReplyBody>) -> String {
    String::from_utf8_lossy(response.body().data().map_or(&[], |data| data)).into_owned()
}

fn assert_shown(process: &Process, lines: &[&str]) {
    let metrics = telemetry::render(&process.registry, telemetry::MetricsLevel::Normal);
    for line in lines {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn spans_come_in_by_either_encoding_at_any_path_and_are_answered_202_without_a_body() {
    let (process, next) = (Process::default(), Recorder::default());
    let port = port(&process, &next);
    for request in [
        post(PATH, JSON, spans(3)),
        post("/", "", spans(1)),
        post("/api/v2/spans", "text/plain; charset=utf-8", spans(1)),
        post(PATH, PROTO, proto()),
        post(PATH, "Application/X-Protobuf; messageType=spans", proto()),
    ] {
        let answer = port.answer(request, None).await;
        assert_eq!((answer.status(), text(&answer).as_str()), (StatusCode::ACCEPTED, ""));
    }
    assert_eq!(next.items(), 9);
    assert_shown(
        &process,
        &[
            "otelcol_receiver_accepted_spans{receiver=\"zipkin\",transport=\"http_v2_json\"} 5",
            "otelcol_receiver_accepted_spans{receiver=\"zipkin\",transport=\"http_v2_proto\"} 4",
        ],
    );
}

#[tokio::test]
async fn empty_list_is_accepted_and_goes_nowhere() {
    let (process, next) = (Process::default(), Recorder::default());
    let answer = port(&process, &next).answer(post(PATH, JSON, "[]"), None).await;
    assert_eq!((answer.status(), next.offers()), (StatusCode::ACCEPTED, 0));
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong() {
    let (process, next) = (Process::default(), Recorder::default());
    let port = port(&process, &next);
    let cases = [
        (Request::get(PATH).body(Full::default()).unwrap(), 405, "supported: [POST]"),
        (post(PATH, JSON, ""), 400, "the body ends too early"),
        (post(PATH, JSON, "x"), 400, "line 1, column 1"),
        (post(PATH, JSON, r#"[{"traceId":"1"}]"#), 400, "span 0: id must be"),
        (post(PATH, JSON, "{}"), 400, "not a list of Zipkin v2 spans"),
        (post(PATH, PROTO, spans(1)), 400, "not a protobuf list"),
        (post(PATH, JSON, vec![b' '; 5000]), 413, "limit of 4096 bytes"),
        (post("/api/v1/spans", JSON, spans(1)), 400, "/api/v2/spans"),
        (post("/api/v1/spans", "application/x-thrift", ""), 415, "/api/v2/spans"),
    ];
    for (request, status, part) in cases {
        let what = format!("{} {:?}", request.uri(), request.headers());
        let answer = port.answer(request, None).await;
        assert_eq!(answer.status().as_u16(), status, "{what}: {}", text(&answer));
        assert!(text(&answer).contains(part), "{what}: {}", text(&answer));
        assert_eq!(answer.headers().contains_key(ALLOW), status == 405);
        assert!(!answer.headers().contains_key(RETRY_AFTER), "{what}");
    }
    assert_eq!(next.offers(), 0);
    let failures = |transport, count| {
        format!(
            "otelcol_receiver_requests{{receiver=\"zipkin\",transport=\"{transport}\",outcome=\"failure\"}} {count}"
        )
    };
    assert_shown(
        &process,
        &[
            &failures("http_v2_json", 6),
            &failures("http_v2_proto", 1),
            &failures("http_v1_json", 1),
            &failures("http_v1_thrift", 1),
        ],
    );
}

#[tokio::test]
async fn wrong_span_refuses_the_whole_body() {
    let (process, next) = (Process::default(), Recorder::default());
    let body = spans(2).replace(']', r#",{"traceId":"0","id":"1"}]"#);
    let answer = port(&process, &next).answer(post(PATH, JSON, body), None).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(text(&answer).starts_with("span 2: traceId"), "{}", text(&answer));
    assert_eq!(next.offers(), 0);
}

#[tokio::test]
async fn compressed_body_is_understood_and_a_broken_one_refused() {
    let (process, next) = (Process::default(), Recorder::default());
    let port = port(&process, &next);
    // zlib of `[{"traceId":"1","id":"1"}]`, stored.
    let plain = br#"[{"traceId":"1","id":"1"}]"#;
    let len = plain.len() as u16;
    let (a, b) = plain.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    let packed = [
        &[0x78, 0x01, 0x01][..],
        &len.to_le_bytes(),
        &(!len).to_le_bytes(),
        plain,
        &(b << 16 | a).to_be_bytes(),
    ]
    .concat();
    for (codec, body, status) in [
        ("deflate", packed.clone(), 202),
        ("zlib", packed.clone(), 202),
        ("gzip", packed.clone(), 400),
        ("br", packed, 400),
    ] {
        let mut request = post(PATH, JSON, body);
        request.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(codec));
        let answer = port.answer(request, None).await;
        assert_eq!(answer.status().as_u16(), status, "{codec}: {}", text(&answer));
    }
    assert_eq!(next.items(), 2);
}

#[tokio::test]
async fn what_can_be_tried_again_is_503_with_a_delay_and_the_rest_400() {
    let (process, next) = (Process::default(), Recorder::default());
    let port = port(&process, &next);
    let refusals = [
        (ConsumeError::overloaded("full").retry_after(Duration::from_millis(2500)), 503, Some("3")),
        (ConsumeError::overloaded("full"), 503, Some("1")),
        (ConsumeError::new(Class::Retryable, "down"), 503, Some("1")),
        (ConsumeError::new(Class::Closed, "ending"), 503, Some("1")),
        (ConsumeError::permanent("never").retry_after(Duration::from_secs(9)), 400, None),
    ];
    for (error, status, delay) in refusals {
        next.refuse(Some(error.clone()));
        let answer = port.answer(post(PATH, JSON, spans(2)), None).await;
        assert_eq!(answer.status().as_u16(), status, "{error:?}");
        let found = answer.headers().get(RETRY_AFTER).map(|value| value.to_str().unwrap());
        assert_eq!(found, delay, "{error:?}");
        assert_eq!(text(&answer), error.message);
    }
    assert_shown(
        &process,
        &[
            "otelcol_receiver_refused_spans{receiver=\"zipkin\",transport=\"http_v2_json\"} 10",
            "otelcol_receiver_requests{receiver=\"zipkin\",transport=\"http_v2_json\",outcome=\"refused\"} 5",
        ],
    );
}

#[tokio::test]
async fn spent_memory_budget_is_503_and_what_was_taken_is_held() {
    let mut process = Process::default();
    process.budget = MemoryBudget::new(100, 150);
    let next = Recorder::default();
    let port = port(&process, &next);
    let answer = port.answer(post(PATH, JSON, spans(2)), None).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let envelope = next.envelopes().pop().unwrap();
    assert_eq!(process.budget.held_bytes(), envelope.payload.encoded_len());
    let answer = port.answer(post(PATH, JSON, spans(2)), None).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()[RETRY_AFTER], "1");
    assert_eq!((next.items(), process.budget.held_bytes()), (2, envelope.payload.encoded_len()));
}

#[tokio::test]
async fn headers_and_address_of_the_sender_travel_with_the_spans() {
    let (process, next) = (Process::default(), Recorder::default());
    let mut port = port(&process, &next);
    let request = || {
        let mut request = post(PATH, JSON, spans(1));
        request.headers_mut().insert("x-tenant", HeaderValue::from_static("blue"));
        request
    };
    let peer = "127.0.0.1:7".parse().ok();
    port.answer(request(), peer).await;
    port.settings.include_metadata = false;
    port.answer(request(), peer).await;
    let clients: Vec<_> = next.envelopes().into_iter().map(|envelope| envelope.client).collect();
    assert_eq!(clients[0].metadata("X-Tenant").collect::<Vec<_>>(), ["blue"]);
    assert_eq!(clients[0].address, peer);
    assert_eq!(*clients[1], Client::default());
}

#[tokio::test]
async fn large_body_is_read_away_from_the_runtimes_thread_with_the_same_result() {
    let (process, next) = (Process::default(), Recorder::default());
    let mut port = port(&process, &next);
    port.settings.max_body_bytes = 1 << 20;
    let body = spans(8000);
    assert!(body.len() > 300_000);
    let answer = port.answer(post(PATH, JSON, body), None).await;
    assert_eq!((answer.status(), next.items()), (StatusCode::ACCEPTED, 8000));
    let answer = port.answer(post(PATH, JSON, spans(8000) + "x"), None).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn body_that_never_ends_is_given_up_at_the_read_timeout() {
    struct Never;
    impl Body for Never {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }
    let (process, next) = (Process::default(), Recorder::default());
    let mut port = port(&process, &next);
    port.settings.read_timeout = Some(Duration::from_secs(3));
    let start = Instant::now();
    let answer = port.answer(Request::post(PATH).body(Never).unwrap(), None).await;
    assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(start.elapsed().as_secs(), 3);
}

/// Lets those in who know the word.
struct Doorkeeper;

impl net::auth::ServerAuth for Doorkeeper {
    fn authenticate<'a>(
        &'a self,
        headers: &'a HeaderMap,
    ) -> net::BoxFuture<'a, Result<net::auth::AuthAttributes, AuthError>> {
        let word = headers.get("x-word").cloned();
        Box::pin(async move {
            match word.as_ref().map(HeaderValue::as_bytes) {
                Some(b"sesame") => Ok(Arc::from(vec![("name".to_owned(), "ali".to_owned())])),
                Some(b"later") => Err(AuthError::Unavailable("asleep".to_owned())),
                _ => Err(AuthError::Refused("who are you?".to_owned())),
            }
        })
    }
}

#[tokio::test]
async fn sender_has_to_be_authenticated_where_the_settings_say_so() {
    let (process, next) = (Process::default(), Recorder::default());
    let mut port = port(&process, &next);
    port.settings.auth = Some(config::Auth {
        authenticator: "doorkeeper".to_owned(),
        request_params: vec!["x-word".to_owned()],
    });
    port.authenticator = Some(Arc::new(ServerAuthenticator(Arc::new(Doorkeeper))));
    for (query, status, said) in [
        ("", 401, "who are you?"),
        ("?y-word=sesame", 401, "who are you?"),
        ("?x-word=later", 503, "asleep"),
        ("?a=b&x-word=sesame", 202, ""),
    ] {
        let answer = port.answer(post(&format!("{PATH}{query}"), JSON, spans(1)), None).await;
        assert_eq!((answer.status().as_u16(), text(&answer).as_str()), (status, said));
    }
    let client = next.envelopes().pop().unwrap().client;
    assert_eq!(client.auth, [("name".to_owned(), "ali".to_owned())]);
    assert_eq!(next.items(), 1);
}

#[tokio::test]
async fn refusal_ahead_of_the_body_announces_that_the_connection_ends() {
    let port = port(&Process::default(), &Recorder::default());
    let answer = port.answer(post("/api/v1/spans", JSON, spans(1)), None).await;
    assert!(answer.status().is_client_error());
    assert_eq!(answer.headers()[CONNECTION], "close");
    let answer = port.answer(post(PATH, JSON, "no JSON"), None).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(!answer.headers().contains_key(CONNECTION), "all of the body was read");
}
