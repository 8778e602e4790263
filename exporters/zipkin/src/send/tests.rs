//! The whole exporter against servers on loopback.

use std::sync::Mutex;

use confmap::{Diagnostics, Node, Section};
use http::header::{CONTENT_ENCODING, RETRY_AFTER};
use http::{Request as HttpRequest, Response};
use net::ReplyBody;
use net::body::{BodyLimits, content_encoding, read_body};
use net::server::{Listener, Peer, Server, ServerSettings, handler_fn};
use pdata::Signal;
use pipeline::testing::within_patience;
use pipeline::{Class as ErrorClass, ComponentKind, ConsumeError, Envelope, Process};
use serde_json::Value;

use super::*;

/// A Zipkin that answers as it is told.
#[derive(Clone, Default)]
struct Backend {
    /// Requests so far: headers and decompressed body.
    seen: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    /// Answers to the next requests; 202 when there are none left.
    answers: Arc<Mutex<Vec<Response<ReplyBody>>>>,
    /// The status for a body with these ids; 202 without a judge.
    judge: Option<fn(&[String]) -> u16>,
}

impl Backend {
    fn answering(answers: Vec<Response<ReplyBody>>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers)), ..Self::default() }
    }

    fn start(&self) -> (Server, String) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let backend = self.clone();
        let handler = handler_fn(move |request: HttpRequest<_>, _: Arc<Peer>| {
            let backend = backend.clone();
            async move {
                assert_eq!((request.method(), request.uri().path()), (&Method::POST, SPANS_PATH));
                let (head, body) = request.into_parts();
                let codec = content_encoding(&head.headers, &::config::Compression::ALL).unwrap();
                let limits = BodyLimits::of(64 << 20);
                let body = read_body(body, codec, &limits, |_| Ok(())).await.unwrap();
                backend.answer(head.headers, body)
            }
        });
        let settings = ServerSettings::new("zipkin");
        let server = Server::serve(vec![Listener::Tcp(listener)], settings, handler).unwrap();
        (server, format!("http://127.0.0.1:{port}{SPANS_PATH}"))
    }

    fn answer(&self, headers: HeaderMap, body: Bytes) -> Response<ReplyBody> {
        let status = self.judge.map_or(202, |judge| judge(&ids(&body)));
        self.seen.lock().unwrap().push((headers, body));
        let mut answers = self.answers.lock().unwrap();
        if answers.is_empty() { answer(status, "") } else { answers.remove(0) }
    }

    /// The ids in the bodies that the judge let pass.
    fn taken(&self) -> Vec<String> {
        let bodies = self.requests().into_iter().map(|(_, body)| ids(&body));
        let taken = bodies.filter(|ids| self.judge.is_none_or(|judge| judge(ids) == 202));
        let mut taken: Vec<String> = taken.flatten().collect();
        taken.sort();
        taken
    }

    fn requests(&self) -> Vec<(HeaderMap, Bytes)> {
        self.seen.lock().unwrap().clone()
    }
}

fn answer(status: u16, text: &'static str) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// The ids in a JSON body; none for another one.
fn ids(body: &[u8]) -> Vec<String> {
    let spans: Vec<Value> = serde_json::from_slice(body).unwrap_or_default();
    spans.iter().map(|span| span["id"].as_str().unwrap().to_owned()).collect()
}

/// An exporter made by the factory. Without a queue, so that `consume` gives the outcome.
fn exporter_to(endpoint: &str, more: &str) -> (Arc<dyn Exporter>, Process) {
    let retry = ", retry_on_failure: {initial_interval: 1ms, max_interval: 1ms}";
    let retry = if more.contains("retry_on_failure") { "" } else { retry };
    let yaml =
        format!("{{endpoint: \"{endpoint}\", sending_queue: {{enabled: false}}{retry}{more}}}");
    let node = Node::from_yaml("test.yaml", &yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let section = Section::new(Some(&node), "exporters::zipkin", &diagnostics);
    let build = (crate::FACTORY.parse)(section);
    assert!(!diagnostics.has_errors(), "{diagnostics}");
    let process = Process::default();
    let id = "zipkin".parse().unwrap();
    let kind = ComponentKind::Exporter;
    let context = Context::new(process.clone(), kind, id, Some(Signal::Traces), None);
    (build(context).unwrap(), process)
}

/// A payload of spans with these ids.
fn payload(ids: impl IntoIterator<Item = u64>) -> Payload {
    use pdata::wire::{put_fixed64, put_len, put_message};
    let mut request = Vec::new();
    put_message(&mut request, 1, |out| {
        put_message(out, 2, |out| {
            for id in ids {
                put_message(out, 2, |out| {
                    put_len(out, 1, &[7; 16]);
                    put_len(out, 2, &id.to_be_bytes());
                    put_fixed64(out, 7, 1_700_000_000_000_000_000);
                });
            }
        });
    });
    Payload::decode(Signal::Traces, Bytes::from(request)).unwrap().payload
}

async fn consume(exporter: &Arc<dyn Exporter>, payload: Payload) -> Result<(), ConsumeError> {
    within_patience("the outcome", exporter.consume(Envelope::of(payload))).await
}

fn hex_ids(ids: impl IntoIterator<Item = u64>) -> Vec<String> {
    ids.into_iter().map(|id| format!("{id:016x}")).collect()
}

#[tokio::test]
async fn spans_are_posted_in_the_format_and_with_the_headers_that_the_settings_say() {
    for (more, media_type) in [
        ("", "application/json"),
        (", format: proto, headers: {x-tenant: blue}", "application/x-protobuf"),
    ] {
        let backend = Backend::default();
        let (_server, url) = backend.start();
        let (exporter, _) = exporter_to(&url, more);
        exporter.start().await.unwrap();
        assert_eq!(consume(&exporter, payload(1..4)).await, Ok(()));
        let requests = backend.requests();
        assert_eq!(requests.len(), 1);
        let (headers, body) = &requests[0];
        assert_eq!(headers[CONTENT_TYPE], media_type);
        assert!(headers["user-agent"].to_str().unwrap().starts_with("hikyaku/"));
        assert_eq!(headers.contains_key("x-tenant"), !more.is_empty());
        let expected = if more.is_empty() { hex_ids(1..4) } else { Vec::new() };
        assert_eq!(ids(body), expected);
        assert!(!body.is_empty());
    }
}

#[tokio::test]
async fn body_is_compressed_as_the_settings_say() {
    let backend = Backend::default();
    let (_server, url) = backend.start();
    let (exporter, _) = exporter_to(&url, ", compression: gzip");
    assert_eq!(consume(&exporter, payload(1..4)).await, Ok(()));
    let (headers, body) = &backend.requests()[0];
    assert_eq!(headers[CONTENT_ENCODING], "gzip");
    assert_eq!(ids(body), hex_ids(1..4));
}

#[tokio::test]
async fn spans_without_ids_are_dropped_and_counted_and_the_others_sent() {
    let backend = Backend::default();
    let (_server, url) = backend.start();
    let (exporter, process) = exporter_to(&url, "");
    assert_eq!(consume(&exporter, payload([0, 1, 0, 2])).await, Ok(()));
    assert_eq!(ids(&backend.requests()[0].1), hex_ids(1..3));
    assert_eq!(consume(&exporter, payload([0])).await, Ok(()));
    assert_eq!(backend.requests().len(), 1, "an empty body was sent");
    let metrics = telemetry::render(&process.registry, telemetry::MetricsLevel::Normal);
    for line in [
        "otelcol_exporter_sent_spans{exporter=\"zipkin\"} 2",
        "otelcol_exporter_dropped_items{exporter=\"zipkin\",data_type=\"traces\",reason=\"untranslatable\"} 3",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

#[tokio::test]
async fn service_without_a_name_is_called_as_the_settings_say_and_no_timeout_is_none() {
    let backend = Backend::default();
    let (_server, url) = backend.start();
    let more = ", default_service_name: Shop, timeout: 0, retry_on_failure: {enabled: false}";
    let (exporter, _) = exporter_to(&url, more);
    assert_eq!(consume(&exporter, payload(1..2)).await, Ok(()));
    let spans: Value = serde_json::from_slice(&backend.requests()[0].1).unwrap();
    assert_eq!(spans[0]["localEndpoint"]["serviceName"], "shop");
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_delivered_once() {
    let mut slow_down = answer(429, "");
    slow_down.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("0"));
    let backend =
        Backend::answering(vec![answer(503, ""), answer(500, "oops"), slow_down, answer(408, "")]);
    let (_server, url) = backend.start();
    let (exporter, _) = exporter_to(&url, "");
    assert_eq!(consume(&exporter, payload(1..2)).await, Ok(()));
    let requests = backend.requests();
    assert_eq!(requests.len(), 5);
    assert!(requests.iter().all(|(_, body)| ids(body) == hex_ids(1..2)));
}

#[tokio::test]
async fn refusal_for_good_is_not_tried_again_and_names_peer_status_and_words() {
    let backend = Backend::answering(vec![answer(403, "no such tenant")]);
    let (_server, url) = backend.start();
    let secret = url.replace("127.0.0.1", "user:hunter2@127.0.0.1") + "?token=hunter2";
    let (exporter, _) = exporter_to(&secret, "");
    let error = consume(&exporter, payload(1..9)).await.unwrap_err();
    assert_eq!((error.class, backend.requests().len()), (ErrorClass::Permanent, 1));
    let text = error.to_string();
    assert!(text.contains(&format!("{url} answered 403 Forbidden: no such tenant")), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn wrong_path_is_pointed_out() {
    for status in [302, 404, 405] {
        let backend = Backend::answering(vec![answer(status, "")]);
        let (_server, url) = backend.start();
        let (exporter, _) = exporter_to(&url, "");
        let error = consume(&exporter, payload(1..2)).await.unwrap_err().to_string();
        let hint = "Zipkin takes spans at /api/v2/spans; setting: endpoint";
        assert!(error.contains(hint), "{error}");
    }
}

#[tokio::test]
async fn span_that_zipkin_refuses_does_not_take_the_others_with_it() {
    let poison = |ids: &[String]| if ids.contains(&format!("{:016x}", 5)) { 400 } else { 202 };
    let backend = Backend { judge: Some(poison), ..Backend::default() };
    let (_server, url) = backend.start();
    let (exporter, _) = exporter_to(&url, "");
    let _partly_refused = consume(&exporter, payload(1..11)).await;
    assert_eq!(backend.taken(), hex_ids((1..11).filter(|id| *id != 5)));
}

#[tokio::test]
async fn body_that_is_too_large_is_sent_in_parts() {
    let small = |ids: &[String]| if ids.len() > 3 { 413 } else { 202 };
    let backend = Backend { judge: Some(small), ..Backend::default() };
    let (_server, url) = backend.start();
    let (exporter, _) = exporter_to(&url, "");
    assert_eq!(consume(&exporter, payload(1..11)).await, Ok(()));
    assert_eq!(backend.taken(), hex_ids(1..11));
}

#[tokio::test]
async fn large_payload_becomes_bodies_of_a_bounded_size() {
    let backend = Backend::default();
    let (_server, url) = backend.start();
    let (exporter, _) = exporter_to(&url, "");
    let count = 40_000;
    assert_eq!(consume(&exporter, payload(1..=count)).await, Ok(()));
    let requests = backend.requests();
    assert!(requests.len() > 1);
    assert!(requests.iter().all(|(_, body)| body.len() < 2 * EXPECTED_BODY_BYTES));
    assert_eq!(backend.taken(), hex_ids(1..=count));
}

#[tokio::test]
async fn backend_that_is_down_is_named_and_worth_another_try() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}{SPANS_PATH}");
    let (exporter, _) = exporter_to(&url, ", retry_on_failure: {enabled: false}");
    let error = consume(&exporter, payload(1..2)).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Retryable);
    let text = error.to_string();
    assert!(text.contains(&free.to_string()) && text.contains("refused"), "{text}");
}

#[test]
fn every_status_has_its_class() {
    let (zipkin, delay) = (zipkin(), Some(Duration::from_secs(7)));
    let read = |status: u16| {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        let status = StatusCode::from_u16(status).unwrap();
        let body = Bytes::from_static(b"<p>\nwords</p>");
        zipkin.read(&Reply { status, headers, body, is_truncated: false })
    };
    for status in [200, 202, 204, 299] {
        assert_eq!(read(status), Ok(Sent::all()), "{status}");
    }
    for (status, expected) in [
        (408, None),
        (429, delay),
        (500, None),
        (502, None),
        (503, delay),
        (504, None),
        (599, None),
    ] {
        match read(status).unwrap_err() {
            SendError::Retryable { delay, .. } => assert_eq!(delay, expected, "{status}"),
            other => panic!("{status}: {other:?}"),
        }
    }
    for (status, expected) in [
        (301, About::Peer),
        (400, About::Request),
        (401, About::Peer),
        (403, About::Peer),
        (404, About::Peer),
        (405, About::Peer),
        (415, About::Peer),
        (422, About::Request),
        (499, About::Peer),
    ] {
        match read(status).unwrap_err() {
            SendError::Permanent { about, .. } => assert_eq!(about, expected, "{status}"),
            other => panic!("{status}: {other:?}"),
        }
    }
    assert!(matches!(read(413).unwrap_err(), SendError::TooLarge { .. }));
    // As Zipkin's own server says it.
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let body = Bytes::from_static(b"413 Request Entity Too Large");
    let reply = Reply { status, headers: HeaderMap::new(), body, is_truncated: false };
    assert!(matches!(zipkin.read(&reply).unwrap_err(), SendError::TooLarge { .. }));
    let reason = read(400).unwrap_err().reason().to_string();
    assert_eq!(reason, "http://a:9411/api/v2/spans answered 400 Bad Request: <p> words</p>");
}

#[test]
fn few_spans_that_inherit_much_are_split_before_their_body_grows_without_end() {
    use pdata::wire::{put_len, put_message};
    let long = vec![b'x'; 300_000];
    let mut request = Vec::new();
    put_message(&mut request, 1, |out| {
        put_message(out, 1, |out| {
            put_message(out, 1, |out| {
                put_len(out, 1, b"k");
                put_message(out, 2, |out| put_len(out, 1, &long));
            });
        });
        put_message(out, 2, |out| {
            for id in 1..=1000u64 {
                put_message(out, 2, |out| {
                    put_len(out, 1, &[7; 16]);
                    put_len(out, 2, &id.to_be_bytes());
                });
            }
        });
    });
    let payload = Payload::decode(Signal::Traces, Bytes::from(request)).unwrap().payload;
    let zipkin = zipkin();
    assert_eq!(zipkin.encode(&payload, &Client::default()).err(), Some(EncodeError::TooLarge));
    let mut few = payload.clone();
    drop(few.split_off(20));
    let encoded = zipkin.encode(&few, &Client::default()).unwrap();
    assert_eq!(encoded.requests[0].items, 20);
}

fn zipkin() -> Zipkin {
    let node = Node::from_yaml("test.yaml", "endpoint: http://a:9411/api/v2/spans").unwrap();
    let diagnostics = Diagnostics::new();
    let config = Config::read(Section::new(Some(&node), "exporters::zipkin", &diagnostics));
    let (kind, id) = (ComponentKind::Exporter, "zipkin".parse().unwrap());
    let context = Context::new(Process::default(), kind, id, Some(Signal::Traces), None);
    let url = config.url.clone().unwrap();
    Zipkin { config, shown_url: shown(&url), url, context, client: OnceLock::new() }
}
