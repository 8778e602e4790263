//! What this crate's tests share: an intake on loopback, and exporters that send to it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use confmap::{Diagnostics, Node, Section};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use net::ReplyBody;
use net::body::{BodyLimits, content_encoding, read_body};
use net::server::{Listener, Peer, Server, ServerSettings, handler_fn};
use pdata::{Payload, Signal};
use pipeline::testing::within_patience;
use pipeline::{ComponentKind, Context, Exporter, Process};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::config::Config;
use crate::exporter::Shared;

/// A key in the form that Datadog's have.
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A request as the intake got it, decompressed.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What is answered to a request, of which so many came before.
type Judge = dyn Fn(&Seen, usize) -> Response<ReplyBody> + Send + Sync;

/// A Datadog that answers as it is told.
#[derive(Clone)]
pub(crate) struct Backend {
    seen: Arc<watch::Sender<Vec<Seen>>>,
    answer: Arc<Judge>,
    counts: Arc<Mutex<HashMap<String, usize>>>,
}

impl Backend {
    /// Takes everything and knows every key.
    pub(crate) fn new() -> Self {
        Self::answering(|_, _| answer(202, "{}"))
    }

    /// Answers as the function says, given a request and how many came to its path before it. The key is known.
    pub(crate) fn answering(
        judge: impl Fn(&Seen, usize) -> Response<ReplyBody> + Send + Sync + 'static,
    ) -> Self {
        Self::answering_all(move |seen, nth| match seen.path.as_str() {
            "/api/v1/validate" => answer(200, "{\"valid\":true}"),
            _ => judge(seen, nth),
        })
    }

    /// The same for requests to check the key, too.
    pub(crate) fn answering_all(
        judge: impl Fn(&Seen, usize) -> Response<ReplyBody> + Send + Sync + 'static,
    ) -> Self {
        Self { seen: Arc::default(), answer: Arc::new(judge), counts: Arc::default() }
    }

    /// Starts it; it ends with the server.
    pub(crate) fn start(&self) -> (Server, String) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let backend = self.clone();
        let handler = handler_fn(move |request: Request<_>, _: Arc<Peer>| {
            let backend = backend.clone();
            async move {
                let (head, body) = request.into_parts();
                let codec = content_encoding(&head.headers, &config::Compression::ALL).unwrap();
                let limits = BodyLimits::of(64 << 20);
                let body = read_body(body, codec, &limits, |_| Ok(())).await.unwrap();
                let path = head.uri.path().to_owned();
                backend.take(Seen { method: head.method, path, headers: head.headers, body })
            }
        });
        let settings = ServerSettings::new("datadog");
        let server = Server::serve(vec![Listener::Tcp(listener)], settings, handler).unwrap();
        (server, format!("http://127.0.0.1:{port}"))
    }

    fn take(&self, seen: Seen) -> Response<ReplyBody> {
        let mut counts = self.counts.lock().unwrap();
        let nth = counts.entry(seen.path.clone()).or_default();
        let answer = (self.answer)(&seen, *nth);
        *nth += 1;
        self.seen.send_modify(|all| all.push(seen));
        answer
    }

    /// The requests to a path so far.
    pub(crate) fn requests(&self, path: &str) -> Vec<Seen> {
        self.seen.borrow().iter().filter(|seen| seen.path == path).cloned().collect()
    }

    /// Waits until there are so many.
    pub(crate) async fn wait_for(&self, path: &str, count: usize) -> Vec<Seen> {
        let mut seen = self.seen.subscribe();
        let enough = |all: &Vec<Seen>| all.iter().filter(|seen| seen.path == path).count() >= count;
        let enough = seen.wait_for(enough);
        let _seen = within_patience(&format!("{count} requests to {path}"), enough).await;
        self.requests(path)
    }
}

pub(crate) fn answer(status: u16, text: &'static str) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// The settings in a YAML text, with all that was said about them.
pub(crate) fn read(yaml: &str) -> (Config, String) {
    let node = Node::from_yaml("file:test.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let config = Config::read(Section::new(Some(&node), "exporters::datadog", &diagnostics));
    (config, diagnostics.to_string())
}

/// Settings that send to a URL, with more lines of YAML, at the top or within `api`, `logs` and `host_metadata`.
pub(crate) fn settings(url: &str, more: &str) -> String {
    format!(
        "api: {{key: {KEY}}}
traces: {{endpoint: \"{url}\"}}
metrics: {{endpoint: \"{url}\"}}
logs: {{endpoint: \"{url}\"}}
retry_on_failure: {{initial_interval: 1ms, max_interval: 1ms}}
{more}"
    )
}

/// What exporters of these settings share.
pub(crate) fn shared(yaml: &str) -> Arc<Shared> {
    let (config, report) = read(yaml);
    assert!(!report.contains("error"), "{report}");
    Shared::new(config)
}

/// The exporter of a signal, made as an agent does.
pub(crate) fn exporter(shared: &Arc<Shared>, signal: Signal) -> (Arc<dyn Exporter>, Process) {
    let process = Process::default();
    let (kind, id) = (ComponentKind::Exporter, "datadog".parse().unwrap());
    let context = Context::new(process.clone(), kind, id, Some(signal), None);
    (crate::exporter::build(shared, context).unwrap(), process)
}

/// Log records with these bodies, of a resource with these attributes.
pub(crate) fn logs(resource: &[(&str, &str)], bodies: impl IntoIterator<Item = String>) -> Payload {
    let attributes: Vec<Value> = resource
        .iter()
        .map(|(key, value)| json!({"key": key, "value": {"stringValue": value}}))
        .collect();
    let records: Vec<Value> =
        bodies.into_iter().map(|body| json!({"body": {"stringValue": body}})).collect();
    let request = json!({"resourceLogs": [{
        "resource": {"attributes": attributes},
        "scopeLogs": [{"logRecords": records}],
    }]});
    Payload::from_json(Signal::Logs, request.to_string().as_bytes()).unwrap().payload
}

/// A function of these variables, called by this ARN for this request first: `{"variables": {…}, "arn": "…", "invoked": "…"}`.
pub(crate) fn function(json: &str) -> lambda::Function {
    let json: Value = serde_json::from_str(json).unwrap();
    let lookup = |name: &str| json["variables"][name].as_str().map(str::to_owned);
    let function =
        lambda::Function::of(lookup).unwrap().started_at(std::time::SystemTime::UNIX_EPOCH);
    function.set_arn(json["arn"].as_str().unwrap());
    function.invoked(json["invoked"].as_str().unwrap(), std::time::SystemTime::UNIX_EPOCH);
    function
}
