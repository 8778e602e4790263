//! The whole exporter against a server on loopback.

use std::collections::HashMap;

use confmap::{Diagnostics, Node, Section};
use http::header::{AUTHORIZATION, USER_AGENT};
use http::{Request as HttpRequest, Response, StatusCode};
use net::ReplyBody;
use net::body::{BodyLimits, content_encoding, read_body};
use net::server::{Listener, Peer, Server, ServerSettings, handler_fn};
use pdata::sample;
use pipeline::testing::within_patience;
use pipeline::{Class, ComponentKind, ConsumeError, Envelope, Process};
use serde_json::{Value, json};
use telemetry::names::RefuseReason;

use super::*;

/// A call as X-Ray got it.
#[derive(Clone, Debug)]
struct Seen {
    headers: HeaderMap,
    body: Bytes,
}

impl Seen {
    /// The ids of its documents.
    fn ids(&self) -> Vec<String> {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        let texts = body["TraceSegmentDocuments"].as_array().unwrap().iter();
        let id = |text: &Value| {
            let document: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
            document["id"].as_str().unwrap().to_owned()
        };
        texts.map(id).collect()
    }
}

type Script = Arc<dyn Fn(usize, &Seen) -> Response<ReplyBody> + Send + Sync>;

/// An X-Ray that answers as it is told, by the number of the call and what is in it.
#[derive(Clone)]
struct Backend {
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Script,
}

impl Backend {
    fn answering(
        script: impl Fn(usize, &Seen) -> Response<ReplyBody> + Send + Sync + 'static,
    ) -> Self {
        Self { seen: Arc::default(), script: Arc::new(script) }
    }

    fn start(&self) -> (Server, String) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let backend = self.clone();
        let handler = handler_fn(move |request: HttpRequest<_>, _: Arc<Peer>| {
            let backend = backend.clone();
            async move {
                assert_eq!((request.method(), request.uri().path()), (&Method::POST, PATH));
                let (head, body) = request.into_parts();
                let codec = content_encoding(&head.headers, &::config::Compression::ALL).unwrap();
                let limits = BodyLimits::of(64 << 20);
                let body = read_body(body, codec, &limits, |_| Ok(())).await.unwrap();
                let seen = Seen { headers: head.headers, body };
                let nth = {
                    let mut all = backend.seen.lock().unwrap();
                    all.push(seen.clone());
                    all.len() - 1
                };
                (backend.script)(nth, &seen)
            }
        });
        let settings = ServerSettings::new("xray");
        let server = Server::serve(vec![Listener::Tcp(listener)], settings, handler).unwrap();
        (server, format!("http://127.0.0.1:{port}"))
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn answer(status: u16, body: &Value) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

fn taken() -> Response<ReplyBody> {
    answer(200, &json!({"UnprocessedTraceSegments": []}))
}

fn without(ids: &[String], code: &str) -> Response<ReplyBody> {
    let one = |id: &String| json!({"Id": id, "ErrorCode": code, "Message": "m"});
    answer(200, &json!({"UnprocessedTraceSegments": ids.iter().map(one).collect::<Vec<_>>()}))
}

const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_REGION", "eu-west-1"),
];

/// An exporter without a queue, so that `consume` gives the outcome.
fn exporter_to(
    endpoint: &str,
    more: &str,
    environment: &[(&str, &str)],
) -> (Arc<dyn Exporter>, Process) {
    let yaml = format!(
        "{{endpoint: \"{endpoint}\", sending_queue: {{enabled: false}}, retry_on_failure: {{initial_interval: 1ms, max_interval: 1ms}}{more}}}"
    );
    let node = Node::from_yaml("test.yaml", &yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let section = Section::new(Some(&node), "exporters::awsxray", &diagnostics);
    let config = Arc::new(Config::read(section));
    assert!(!diagnostics.has_errors(), "{diagnostics}");
    let process = Process::default();
    let id = "awsxray".parse().unwrap();
    let kind = ComponentKind::Exporter;
    let context = Context::new(process.clone(), kind, id, Some(pdata::Signal::Traces), None);
    let environment = aws::Environment::of(environment.iter().copied());
    (build_in(&config, context, environment).unwrap(), process)
}

async fn consume(exporter: &Arc<dyn Exporter>, spans: u64) -> Result<(), ConsumeError> {
    let envelope = Envelope::of(sample::traces(spans));
    within_patience("an outcome", exporter.consume(envelope)).await
}

fn count(process: &Process, family: &'static names::CounterFamily, reason: Option<&str>) -> u64 {
    let mut labels = vec![(label::EXPORTER, "awsxray"), (label::DATA_TYPE, "traces")];
    labels.extend(reason.map(|reason| (label::REASON, reason)));
    process.registry.counter(family, &labels).get()
}

fn delivered(process: &Process) -> u64 {
    count(process, &names::EXPORTER_DELIVERED_ITEMS, None)
}

fn partly_refused(process: &Process) -> u64 {
    let reason = RefuseReason::PartialSuccess.as_str();
    count(process, &names::EXPORTER_REFUSED_ITEMS, Some(reason))
}

#[tokio::test]
async fn spans_are_put_in_signed_calls_of_fifty() {
    let backend = Backend::answering(|_, _| taken());
    let (_server, url) = backend.start();
    let (exporter, process) = exporter_to(&url, "", &KEYS);
    consume(&exporter, 120).await.unwrap();
    let mut sizes: Vec<usize> = backend.seen().iter().map(|seen| seen.ids().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [20, 50, 50]);
    assert_eq!(delivered(&process), 120);
    for Seen { headers, .. } in backend.seen() {
        let text = |name: HeaderName| headers[name].to_str().unwrap().to_owned();
        assert_eq!(text(CONTENT_TYPE), "application/json");
        let signature = text(AUTHORIZATION);
        assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signature}");
        assert!(signature.contains("/eu-west-1/xray/aws4_request"), "{signature}");
        assert!(signature.contains("x-amzn-xray-timestamp"), "{signature}");
        assert!(text(TIMESTAMP).split_once('.').unwrap().1.len() == 9);
        assert!(text(USER_AGENT).starts_with("hikyaku/"));
    }
}

#[tokio::test]
async fn calls_of_a_payload_overlap_up_to_the_number_of_workers() {
    for (workers, most) in [(1, 1), (3, 3)] {
        let (arrived, mut arrivals) = tokio::sync::watch::channel(0usize);
        let open = Arc::new(Semaphore::new(0));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let gate = open.clone();
        let handler = handler_fn(move |_: HttpRequest<_>, _: Arc<Peer>| {
            let (gate, arrived) = (gate.clone(), arrived.clone());
            async move {
                arrived.send_modify(|calls| *calls += 1);
                gate.acquire().await.unwrap().forget();
                taken()
            }
        });
        let settings = ServerSettings::new("xray");
        let _server = Server::serve(vec![Listener::Tcp(listener)], settings, handler).unwrap();
        let (exporter, _) = exporter_to(&url, &format!(", num_workers: {workers}"), &KEYS);
        let sending = tokio::spawn(async move { consume(&exporter, 250).await });
        // One answer lets one call in; so the next one comes only once there is room.
        for answered in 0..=(5 - most) {
            let enough = arrivals.wait_for(|calls| *calls == most + answered);
            within_patience("calls", enough).await.unwrap();
            open.add_permits(1);
        }
        open.add_permits(most);
        within_patience("the end", sending).await.unwrap().unwrap();
        assert_eq!(*arrivals.borrow(), 5);
    }
}

#[tokio::test]
async fn throttled_calls_and_faults_are_tried_again() {
    let backend = Backend::answering(|nth, _| match nth {
        0 => answer(429, &json!({"__type": "ThrottledException", "message": "Rate exceeded"})),
        1 => answer(503, &json!({})),
        2 => answer(500, &json!({})),
        _ => taken(),
    });
    let (_server, url) = backend.start();
    let (exporter, process) = exporter_to(&url, "", &KEYS);
    consume(&exporter, 3).await.unwrap();
    assert_eq!(backend.seen().len(), 4);
    assert_eq!(delivered(&process), 3);
}

#[tokio::test]
async fn unprocessed_segments_are_counted_and_sent_again_only_if_they_were_throttled() {
    let backend = Backend::answering(|nth, seen| match nth {
        0 => {
            let ids = seen.ids();
            let mut answers =
                vec![json!({"Id": ids[1], "ErrorCode": "InvalidSegment", "Message": "m"})];
            answers.extend(
                ids[2..4].iter().map(|id| json!({"Id": id, "ErrorCode": "ThrottlingException"})),
            );
            answer(200, &json!({"UnprocessedTraceSegments": answers}))
        }
        1 => without(&seen.ids()[..1], "ThrottlingException"),
        _ => taken(),
    });
    let (_server, url) = backend.start();
    let (exporter, process) = exporter_to(&url, "", &KEYS);
    consume(&exporter, 6).await.unwrap();
    let calls: Vec<Vec<String>> = backend.seen().iter().map(Seen::ids).collect();
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[1], calls[0][2..4]);
    assert_eq!(calls[2], calls[0][2..3]);
    assert_eq!((delivered(&process), partly_refused(&process)), (5, 1));
}

#[tokio::test]
async fn what_stays_throttled_is_dropped_and_the_rest_counts_as_delivered() {
    let backend = Backend::answering(|_, seen| without(&seen.ids()[..1], "ThrottlingException"));
    let (_server, url) = backend.start();
    let yaml = format!(
        "{{endpoint: \"{url}\", sending_queue: {{num_consumers: 1}}, retry_on_failure: {{enabled: false}}}}"
    );
    let (config, report) = crate::testing::read(&yaml);
    assert_eq!(report, "");
    let process = Process::default();
    let kind = ComponentKind::Exporter;
    let id = "awsxray".parse().unwrap();
    let context = Context::new(process.clone(), kind, id, Some(pdata::Signal::Traces), None);
    let environment = aws::Environment::of(KEYS);
    let exporter = build_in(&Arc::new(config), context, environment).unwrap();
    consume(&exporter, 6).await.unwrap();
    let deadline = Deadline::after(Duration::from_secs(30));
    within_patience("the end", exporter.shutdown(deadline)).await;
    let dropped = DropReason::RetriesExhausted.as_str();
    assert_eq!(count(&process, &names::EXPORTER_DROPPED_ITEMS, Some(dropped)), 1);
    assert_eq!(delivered(&process), 5);
}

#[tokio::test]
async fn a_call_that_is_refused_as_a_whole_is_searched() {
    let backend = Backend::answering(|_, seen| {
        let ids = seen.ids();
        let bad = sample_id(4);
        match ids.contains(&bad) {
            true => answer(400, &json!({"__type": "InvalidRequestException", "message": "m"})),
            false => taken(),
        }
    });
    let (_server, url) = backend.start();
    let (exporter, process) = exporter_to(&url, "", &KEYS);
    consume(&exporter, 8).await.unwrap();
    assert_eq!((delivered(&process), partly_refused(&process)), (7, 1));
}

/// The id of one of the spans of [`sample::traces`].
fn sample_id(nth: usize) -> String {
    let payload = sample::traces(nth as u64 + 1);
    let scopes = payload.resource_spans().flat_map(|resource| resource.scope_spans.into_iter());
    let span = scopes.flat_map(|scope| scope.spans.into_iter()).nth(nth).unwrap();
    span.span_id.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn answers_that_will_not_change_are_final() {
    for (status, kind, part) in [
        (403, "AccessDeniedException", "allow xray:PutTraceSegments"),
        (403, "InvalidSignatureException", "check the secret access key"),
        (404, "", "404"),
    ] {
        let backend = Backend::answering(move |_, _| {
            answer(status, &json!({"__type": kind, "message": "no"}))
        });
        let (_server, url) = backend.start();
        let (exporter, _) = exporter_to(&url, "", &KEYS);
        let error = consume(&exporter, 2).await.unwrap_err();
        assert_eq!(error.class, Class::Permanent);
        assert!(error.message.contains(part), "{}", error.message);
        assert!(!error.message.contains("secret\""), "{}", error.message);
        assert_eq!(backend.seen().len(), 1);
    }
}

#[tokio::test]
async fn credentials_that_expire_are_renewed_at_once() {
    let backend = Backend::answering(|nth, _| match nth {
        1 => answer(403, &json!({"__type": "ExpiredTokenException", "message": "expired"})),
        _ => taken(),
    });
    let (_server, url) = backend.start();
    let (exporter, process) = exporter_to(&url, "", &KEYS);
    consume(&exporter, 1).await.unwrap();
    consume(&exporter, 1).await.unwrap();
    assert_eq!(backend.seen().len(), 3);
    assert_eq!(delivered(&process), 2);
}

#[tokio::test]
async fn an_access_key_that_nobody_knows_is_final_once_it_was_looked_up_again() {
    let backend = Backend::answering(|_, _| {
        answer(403, &json!({"__type": "UnrecognizedClientException", "message": "no such key"}))
    });
    let (_server, url) = backend.start();
    let (exporter, _) = exporter_to(&url, "", &KEYS);
    let error = consume(&exporter, 1).await.unwrap_err();
    assert_eq!((error.class, backend.seen().len()), (Class::Permanent, 2));
    assert!(error.message.contains("the access key is not known"), "{}", error.message);
}

#[tokio::test]
async fn without_credentials_or_a_region_the_error_says_what_to_do() {
    let quiet = [("AWS_EC2_METADATA_DISABLED", "true"), ("HOME", "/nonexistent")];
    let with_region = [quiet.as_slice(), &[("AWS_REGION", "eu-west-1")]].concat();
    for (environment, part) in [(with_region.as_slice(), "AWS_ACCESS_KEY_ID"), (&quiet, "AWS")] {
        let backend = Backend::answering(|_, _| taken());
        let (_server, url) = backend.start();
        let more = ", retry_on_failure: {enabled: false}";
        let yaml = format!("{{endpoint: \"{url}\", sending_queue: {{enabled: false}}{more}}}");
        let (config, report) = crate::testing::read(&yaml);
        assert_eq!(report, "");
        let kind = ComponentKind::Exporter;
        let id = "awsxray".parse().unwrap();
        let context = Context::new(Process::default(), kind, id, Some(pdata::Signal::Traces), None);
        let environment = aws::Environment::of(environment.iter().copied());
        let exporter = build_in(&Arc::new(config), context, environment).unwrap();
        let error = consume(&exporter, 1).await.unwrap_err();
        assert!(error.message.contains(part), "{}", error.message);
        assert!(backend.seen().is_empty());
    }
}

#[tokio::test]
async fn endpoint_is_a_base_and_may_be_the_whole_url() {
    let backend = Backend::answering(|_, _| taken());
    let (_server, url) = backend.start();
    for endpoint in [url.clone(), format!("{url}/"), format!("{url}{PATH}")] {
        let (exporter, _) = exporter_to(&endpoint, "", &KEYS);
        consume(&exporter, 1).await.unwrap();
    }
    let environment = [KEYS.as_slice(), &[("AWS_ENDPOINT_URL_XRAY", url.as_str())]].concat();
    let (exporter, _) = exporter_to("", "", &environment);
    consume(&exporter, 1).await.unwrap();
    assert_eq!(backend.seen().len(), 4);
}

#[tokio::test]
async fn what_is_left_out_is_counted() {
    let backend = Backend::answering(|_, _| taken());
    let (_server, url) = backend.start();
    let (exporter, process) = exporter_to(&url, "", &KEYS);
    let json = json!({"resourceSpans": [{"scopeSpans": [{"spans": [
        {"traceId": "6554ab10a1b2c3d4e5f60718293a4b5c", "spanId": "00f067aa0ba902b7", "name": "n",
         "attributes": [{"key": "k", "value": {"stringValue": "x".repeat(70_000)}}]},
        {"name": "without ids"},
    ]}]}]});
    let text = json.to_string();
    let payload = Payload::from_json(pdata::Signal::Traces, text.as_bytes()).unwrap().payload;
    within_patience("an outcome", exporter.consume(Envelope::of(payload))).await.unwrap();
    let labels = [(label::EXPORTER, "awsxray"), (label::REASON, "metadata")];
    assert_eq!(process.registry.counter(&names::EXPORTER_TRIMMED_ITEMS, &labels).get(), 1);
    let untranslatable = DropReason::Untranslatable.as_str();
    assert_eq!(count(&process, &names::EXPORTER_DROPPED_ITEMS, Some(untranslatable)), 1);
    assert_eq!(delivered(&process), 1);
}

#[tokio::test]
async fn large_payloads_are_sent_in_parts() {
    let backend = Backend::answering(|_, _| taken());
    let (_server, url) = backend.start();
    let (exporter, process) = exporter_to(&url, "", &KEYS);
    consume(&exporter, 8192).await.unwrap();
    assert_eq!(delivered(&process), 8192);
    let mut ids: HashMap<String, usize> = HashMap::new();
    for id in backend.seen().iter().flat_map(Seen::ids) {
        *ids.entry(id).or_default() += 1;
    }
    assert!(ids.len() == 8192 && ids.values().all(|times| *times == 1));
    assert!(backend.seen().iter().all(|seen| seen.ids().len() <= 50));
}

#[test]
fn building_looks_for_nothing() {
    // Files that do not exist and a proxy that nobody is at would be errors if they were looked at.
    let environment = [("AWS_CONFIG_FILE", "/nonexistent"), ("AWS_PROFILE", "nobody")];
    let (exporter, _) =
        exporter_to("http://127.0.0.1:1", ", certificate_file_path: /nonexistent", &environment);
    drop(exporter);
}
