//! The way to AWS, against a server on loopback.

use std::sync::{Arc, Mutex};

use confmap::{Diagnostics, Node, Section};
use http::Method;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, USER_AGENT};
use http_body_util::Full;
use net::server::{Listener, Peer, Server, ServerSettings, handler_fn};
use pipeline::testing::within_patience;
use pipeline::{ComponentKind, Process};

use super::*;
use crate::config::Config;

const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIDTEST"),
    ("AWS_SECRET_ACCESS_KEY", "not-to-be-seen"),
    ("AWS_REGION", "eu-west-1"),
];

/// A question as AWS got it.
#[derive(Clone, Debug)]
struct Seen {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

type Script = Arc<dyn Fn(usize) -> Response<ReplyBody> + Send + Sync>;

/// An AWS that answers as it is told, by the number of the question.
fn aws(script: Script) -> (Server, String, Arc<Mutex<Vec<Seen>>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let all: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let seen = all.clone();
    let handler = handler_fn(move |request: Request<_>, _: Arc<Peer>| {
        let (seen, script) = (seen.clone(), script.clone());
        async move {
            let (head, body) = request.into_parts();
            let limits = BodyLimits::of(1 << 20);
            let body = read_body(body, Compression::None, &limits, |_| Ok(())).await.unwrap();
            let path = head.uri.path_and_query().unwrap().to_string();
            let nth = {
                let mut seen = seen.lock().unwrap();
                seen.push(Seen { method: head.method, path, headers: head.headers, body });
                seen.len() - 1
            };
            script(nth)
        }
    });
    let settings = ServerSettings::new("aws");
    let server = Server::serve(vec![Listener::Tcp(listener)], settings, handler).unwrap();
    (server, format!("http://127.0.0.1:{port}"), all)
}

fn answering(status: u16, body: &'static str) -> Script {
    Arc::new(move |_| {
        let mut response = Response::new(ReplyBody::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let headers = response.headers_mut();
        headers.insert("x-amzn-requestid", HeaderValue::from_static("r"));
        headers.insert(KEEP_ALIVE, HeaderValue::from_static("timeout=5"));
        response
    })
}

fn forwarder(yaml: &str, variables: &[(&str, &str)], process: &Process) -> Forwarder {
    let node = Node::from_yaml("test.yaml", &format!("{{proxy_server: {yaml}}}")).unwrap();
    let diagnostics = Diagnostics::new();
    let config = Config::read(Section::new(Some(&node), "receivers::awsxray", &diagnostics));
    assert!(!diagnostics.has_errors(), "{diagnostics}");
    let (id, kind) = ("awsxray".parse().unwrap(), ComponentKind::Receiver);
    let context = Context::new(process.clone(), kind, id, None, None);
    Forwarder::new_in(&config.proxy, &context, &::aws::Environment::of(variables.iter().copied()))
}

fn question(path: &str, body: &str) -> Request<Full<Bytes>> {
    Request::post(path)
        .header(HOST, "127.0.0.1:2000")
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, "sdk/1")
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap()
}

fn text(response: &Response<ReplyBody>) -> String {
    String::from_utf8(response.body().data().map_or(Vec::new(), |data| data.to_vec())).unwrap()
}

/// What a question was signed for, as `region/service`.
fn scope(seen: &Seen) -> String {
    let authorization = seen.headers[AUTHORIZATION].to_str().unwrap();
    let parts: Vec<&str> = authorization.split('/').collect();
    format!("{}/{}", parts[2], parts[3])
}

async fn asked(forwarder: &Forwarder, request: Request<Full<Bytes>>) -> Response<ReplyBody> {
    within_patience("the answer", forwarder.answer(request)).await
}

#[tokio::test]
async fn questions_are_signed_and_handed_on_and_answers_handed_back() {
    let (_server, endpoint, seen) = aws(answering(200, "{\"SamplingRuleRecords\":[]}"));
    let process = Process::default();
    let forwarder = forwarder(&format!("{{aws_endpoint: \"{endpoint}/base/\"}}"), &KEYS, &process);
    let mut request = question("/GetSamplingRules?a=b", "{}");
    let headers = request.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close, x-hop"));
    headers.insert("x-hop", HeaderValue::from_static("1"));
    headers.insert(AUTHORIZATION, HeaderValue::from_static("forged"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let answer = asked(&forwarder, request).await;
    assert_eq!(
        (answer.status().as_u16(), text(&answer).as_str()),
        (200, "{\"SamplingRuleRecords\":[]}")
    );
    assert_eq!(answer.headers()["x-amzn-requestid"], "r");
    assert!(!answer.headers().contains_key(KEEP_ALIVE));
    let seen = seen.lock().unwrap().remove(0);
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/base/GetSamplingRules?a=b"));
    assert_eq!(
        (&seen.body[..], &seen.headers[USER_AGENT]),
        (&b"{}"[..], &HeaderValue::from_static("sdk/1"))
    );
    assert_eq!(scope(&seen), "eu-west-1/xray");
    let authorization = seen.headers[AUTHORIZATION].to_str().unwrap();
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDTEST/"), "{authorization}");
    assert!(!seen.headers.contains_key("x-hop"));
    assert_eq!(seen.headers[HOST].to_str().unwrap(), endpoint.trim_start_matches("http://"));
    let metrics = telemetry::render(&process.registry, telemetry::MetricsLevel::Normal);
    let line =
        "otelcol_receiver_requests{receiver=\"awsxray\",transport=\"http\",outcome=\"success\"} 1";
    assert!(metrics.contains(line), "{metrics}");
}

#[tokio::test]
async fn bodies_pass_as_they_are_whatever_their_encoding() {
    let (_server, endpoint, seen) = aws(Arc::new(|_| {
        let mut response = Response::new(ReplyBody::from(vec![0x1f, 0x8b, 1]));
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response
    }));
    let forwarder =
        forwarder(&format!("{{aws_endpoint: \"{endpoint}\"}}"), &KEYS, &Process::default());
    let mut request = question("/SamplingTargets", "not gzip at all");
    request.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let answer = asked(&forwarder, request).await;
    assert_eq!(answer.body().data().unwrap()[..], [0x1f, 0x8b, 1]);
    assert_eq!(answer.headers()[CONTENT_ENCODING], "gzip");
    assert_eq!(seen.lock().unwrap()[0].body[..], *b"not gzip at all");
}

#[tokio::test]
async fn errors_of_aws_are_handed_back_too_and_expired_credentials_looked_for_again() {
    let (_server, endpoint, seen) = aws(answering(403, "{\"__type\":\"ExpiredTokenException\"}"));
    let forwarder =
        forwarder(&format!("{{aws_endpoint: \"{endpoint}\"}}"), &KEYS, &Process::default());
    let answer = asked(&forwarder, question("/GetSamplingRules", "{}")).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(seen.lock().unwrap().len(), 2, "asked once more with credentials looked for anew");
}

#[tokio::test]
async fn rules_by_path_lead_to_other_services_with_what_they_leave_out_from_the_proxy() {
    let (_server, endpoint, seen) = aws(answering(200, "{}"));
    let rules = format!(
        "[{{paths: [/Logs], service_name: logs, aws_endpoint: \"{endpoint}\"}},
          {{paths: [Metrics], service_name: monitoring, region: us-east-1, aws_endpoint: \"{endpoint}\"}}]"
    );
    let yaml = format!("{{aws_endpoint: \"{endpoint}\", additional_routing_rules: {rules}}}");
    let forwarder = forwarder(&yaml, &KEYS, &Process::default());
    for path in ["/Logs", "/Metrics", "/Logs/x", "/GetSamplingRules"] {
        asked(&forwarder, question(path, "{}")).await;
    }
    let scopes: Vec<String> = seen.lock().unwrap().iter().map(scope).collect();
    assert_eq!(
        scopes,
        ["eu-west-1/logs", "us-east-1/monitoring", "eu-west-1/xray", "eu-west-1/xray"]
    );
}

#[tokio::test]
async fn what_is_missing_is_said_in_the_form_of_awss_errors_and_nothing_is_sent_unsigned() {
    let (_server, endpoint, seen) = aws(answering(200, "{}"));
    let yaml = format!("{{aws_endpoint: \"{endpoint}\"}}");
    let no_instance = [("AWS_EC2_METADATA_DISABLED", "true"), ("HOME", "/nonexistent")];
    for (variables, part) in [
        ([&no_instance[..], &[("AWS_REGION", "eu-west-1")]].concat(), "no AWS credentials"),
        ([&no_instance[..], &KEYS[..2]].concat(), "no AWS region"),
    ] {
        let process = Process::default();
        let forwarder = forwarder(&yaml, &variables, &process);
        let answer = asked(&forwarder, question("/GetSamplingRules", "{}")).await;
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
        assert_eq!(answer.headers()[ERROR_TYPE], "ServiceUnavailableException");
        assert!(text(&answer).contains(part), "{}", text(&answer));
        assert!(!text(&answer).contains("not-to-be-seen"));
        let metrics = telemetry::render(&process.registry, telemetry::MetricsLevel::Normal);
        let line = "otelcol_receiver_requests{receiver=\"awsxray\",transport=\"http\",outcome=\"refused\"} 1";
        assert!(metrics.contains(line), "{metrics}");
    }
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn question_that_is_too_long_is_refused() {
    let forwarder = forwarder("{aws_endpoint: \"http://127.0.0.1:1\"}", &KEYS, &Process::default());
    let answer = asked(&forwarder, question("/SamplingTargets", &"x".repeat((1 << 20) + 1))).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.headers()[ERROR_TYPE], "InvalidRequestException");
}

#[tokio::test(start_paused = true)]
async fn question_that_is_never_asked_to_the_end_is_given_up() {
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
    let forwarder = forwarder("{aws_endpoint: \"http://127.0.0.1:1\"}", &KEYS, &Process::default());
    let begun = tokio::time::Instant::now();
    let answer = forwarder.answer(Request::post("/GetSamplingRules").body(Never).unwrap()).await;
    assert!(!answer.status().is_success());
    assert_eq!(begun.elapsed(), TIMEOUT);
}
