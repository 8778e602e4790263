//! An X-Ray that checks what AWS documents of `PutTraceSegments` and of segment documents (AWS X-Ray developer guide "segment documents", the
//! API's model in botocore), and answers with its errors.

use std::collections::HashSet;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request};
use serde_json::{Value, json};

use crate::desk::{Decoded, Desk};
use crate::otlp::{self, header, headers};
use crate::server::{self, Outcome, Reply, Server, Service};
use crate::spans::SpanId;

pub mod document;
pub mod sampling;
mod signature;

pub use document::Document;

/// The path of `PutTraceSegments`.
pub const PATH: &str = "/TraceSegments";

/// Credentials that this X-Ray takes, as it takes any.
pub const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AKIDTEST"), ("AWS_SECRET_ACCESS_KEY", "not-to-be-seen")];

/// The setting of a region.
pub const REGION: &str = "region: eu-west-1";

/// More documents are not taken in one call.
pub const DOCUMENTS_MAX: usize = 50;

/// A listening X-Ray. Its [`Desk`] is reached by dereferencing.
///
/// Dropping it fails the test when anything came that X-Ray could refuse.
#[derive(Debug)]
pub struct XRayBackend {
    desk: Arc<Desk<XRayRequest>>,
    script: Arc<Mutex<Script>>,
    server: Server,
}

/// One call, decoded and checked.
#[derive(Clone, Debug)]
pub struct XRayRequest {
    /// Names in lower case, with values, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// The id of the access key that signed it.
    pub access_key: String,
    /// The region it was signed for.
    pub region: String,
    /// The documents, in their order.
    pub documents: Vec<Document>,
    /// The documents that are not processed, by their places, with the codes of their errors.
    pub unprocessed: Vec<(usize, String)>,
}

/// What X-Ray says beyond the script of its desk.
struct Script {
    /// The code of the error that a document is refused with.
    document: Box<DocumentJudge>,
    /// Access keys that have expired.
    expired: HashSet<String>,
    /// The names of the errors that go with statuses, beyond the usual ones.
    names: Vec<(u16, String)>,
}

type DocumentJudge = dyn FnMut(&Document) -> Option<String> + Send;

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").field("expired", &self.expired).finish_non_exhaustive()
    }
}

impl XRayBackend {
    /// Listens on any free port.
    pub fn start() -> Self {
        Self::start_on(0)
    }

    /// Listens on a port that the agent was told before.
    pub fn start_on(port: u16) -> Self {
        let desk = Desk::new();
        let script =
            Script { document: Box::new(|_| None), expired: HashSet::new(), names: Vec::new() };
        let script = Arc::new(Mutex::new(script));
        let responder = Responder { desk: Arc::clone(&desk), script: Arc::clone(&script) };
        let server = Server::start(port, Arc::new(responder));
        Self { desk, script, server }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// What the exporter's `endpoint` is set to.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Refuses documents of calls that are taken: where the judge gives an error code, the document is not processed.
    pub fn refuse_documents(
        &self,
        judge: impl FnMut(&Document) -> Option<String> + Send + 'static,
    ) {
        self.script().document = Box::new(judge);
    }

    /// From now on, whatever this access key signs is answered with 403 and `ExpiredTokenException`.
    pub fn expire(&self, access_key: &str) {
        self.script().expired.insert(access_key.to_owned());
    }

    /// Names the error that goes with a status.
    pub fn name_error(&self, status: u16, name: &str) {
        self.script().names.push((status, name.to_owned()));
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for XRayBackend {
    type Target = Desk<XRayRequest>;

    fn deref(&self) -> &Self::Target {
        &self.desk
    }
}

impl Drop for XRayBackend {
    fn drop(&mut self) {
        self.desk.assert_clean();
    }
}

impl Decoded for XRayRequest {
    /// The ids of the documents that were processed.
    fn span_ids(&self) -> Vec<SpanId> {
        let is_processed =
            |place: &usize| self.unprocessed.iter().all(|(unprocessed, _)| unprocessed != place);
        let documents = self.documents.iter().enumerate();
        documents.filter(|(place, _)| is_processed(place)).map(|(_, one)| one.span_id()).collect()
    }
}

/// The serving side.
struct Responder {
    desk: Arc<Desk<XRayRequest>>,
    script: Arc<Mutex<Script>>,
}

impl Service for Responder {
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        Box::pin(async move {
            let answer = self.desk.next_answer();
            let (head, body) = request.into_parts();
            // The agent may give up while it is sending.
            let body = otlp::read(body, answer.reading_pause()).await.ok()?;
            let request = match decode(&head, &body) {
                Ok(request) => request,
                Err(violation) => {
                    self.desk.violation(format!("{} {}: {violation}", head.method, head.uri));
                    return Some(self.error(400, None));
                }
            };
            let (request, has_expired) = self.judged(request);
            if has_expired {
                return Some(self.named(403, "ExpiredTokenException", None));
            }
            let unprocessed = unprocessed(&request);
            let success = || server::reply(200);
            let refusal =
                |code, after: Option<&str>| server::with_retry_after(server::reply(code), after);
            let reply = server::play(&self.desk, request, answer, success, refusal).await?;
            let status = reply.status().as_u16();
            if status == 200 {
                return Some(server::json_reply(200, &unprocessed.to_string()));
            }
            let after = reply.headers().get("retry-after").and_then(|value| value.to_str().ok());
            Some(self.error(status, after))
        })
    }
}

impl Responder {
    /// The request with what the script says of its documents, and whether its key has expired.
    fn judged(&self, mut request: XRayRequest) -> (XRayRequest, bool) {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        if script.expired.contains(&request.access_key) {
            return (request, true);
        }
        for (place, document) in request.documents.iter().enumerate() {
            if let Some(code) = (script.document)(document) {
                request.unprocessed.push((place, code));
            }
        }
        (request, false)
    }

    fn error(&self, status: u16, retry_after: Option<&str>) -> Reply {
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        let own = script.names.iter().rev().find(|(code, _)| *code == status);
        let name = own.map(|(_, name)| name.clone());
        drop(script);
        let usual = match status {
            400 => "InvalidRequestException",
            403 => "AccessDeniedException",
            413 => "RequestEntityTooLargeException",
            429 => "ThrottledException",
            503 => "ServiceUnavailableException",
            _ => "InternalFailure",
        };
        self.named(status, name.as_deref().unwrap_or(usual), retry_after)
    }

    fn named(&self, status: u16, name: &str, retry_after: Option<&str>) -> Reply {
        let text = json!({"__type": name, "message": "as the script says"}).to_string();
        server::with_retry_after(server::json_reply(status, &text), retry_after)
    }
}

/// The body of a success.
fn unprocessed(request: &XRayRequest) -> Value {
    let one = |(place, code): &(usize, String)| {
        let id = request.documents.get(*place).map(|document| document.id.clone());
        json!({"Id": id, "ErrorCode": code, "Message": "as the script says"})
    };
    let all: Vec<Value> = request.unprocessed.iter().map(one).collect();
    json!({"UnprocessedTraceSegments": all})
}

fn decode(head: &Parts, body: &Bytes) -> Result<XRayRequest, String> {
    if head.method != Method::POST || head.uri.path() != PATH {
        return Err("another call than PutTraceSegments".to_owned());
    }
    match header(head, "content-type") {
        Some("application/json") => {}
        other => return Err(format!("content type {other:?}")),
    }
    if let Some(encoding) = header(head, "content-encoding") {
        return Err(format!("content encoding {encoding:?}, which X-Ray does not document"));
    }
    let (access_key, region) = signature::read(head)?;
    let call: Value = serde_json::from_slice(body).map_err(|error| format!("no JSON: {error}"))?;
    let texts = call.as_object().filter(|call| call.len() == 1);
    let texts = texts.and_then(|call| call.get("TraceSegmentDocuments")?.as_array());
    let texts = texts.ok_or("not an object with TraceSegmentDocuments and nothing else")?;
    if !(1..=DOCUMENTS_MAX).contains(&texts.len()) {
        return Err(format!("{} documents in one call", texts.len()));
    }
    let mut documents = Vec::new();
    for text in texts {
        let text = text.as_str().ok_or("a document that is no string")?;
        documents.push(Document::read(text)?);
    }
    let headers = headers(head);
    Ok(XRayRequest { headers, access_key, region, documents, unprocessed: Vec::new() })
}
