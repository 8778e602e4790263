//! The SDK's questions about sampling, signed and handed on to AWS.
//!
//! An SDK asks its daemon for rules and targets without signing. As X-Ray's daemon and upstream do, every path is handed on, with the
//! answer as it comes.

use std::time::Duration;

use bytes::Bytes;
use config::Compression;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, request};
use http_body::Body;
use net::ReplyBody;
use net::body::{BodyError, BodyLimits, NoRoom, read_body};
use net::client::Reply;
use pipeline::{Admission, ComponentId, Context, Deadline, MemoryBudget};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::config::Proxy;
use crate::intake::RequestCounters;
use crate::periodic::Periodic;

mod target;

use target::{Failure, Target};

/// How long an SDK waits for its answer at most.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Questions that are asked of AWS at a time.
const AT_A_TIME_MAX: usize = 32;
/// The name of an error, where AWS's SDKs look for it.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Headers of one connection, which end with it (RFC 9110 section 7.6.1).
const OF_A_CONNECTION: [HeaderName; 9] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Hands requests on.
pub(crate) struct Forwarder {
    id: ComponentId,
    targets: Vec<Target>,
    question_bytes_max: usize,
    budget: MemoryBudget,
    asking: Semaphore,
    counters: RequestCounters,
    failed: Periodic,
}

/// Why an SDK gets an answer of ours.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    name: &'static str,
    text: String,
}

impl Forwarder {
    /// One that looks for credentials and opens connections when the first question comes.
    pub(crate) fn new(proxy: &Proxy, context: &Context) -> Self {
        Self::new_in(proxy, context, &aws::Environment::process())
    }

    /// The same, with an environment for AWS.
    pub(crate) fn new_in(proxy: &Proxy, context: &Context, environment: &aws::Environment) -> Self {
        let target = |route| Target::new(route, proxy, environment);
        Self {
            id: context.id.clone(),
            targets: proxy.routes.iter().map(target).collect(),
            question_bytes_max: proxy.server.max_body_bytes,
            budget: context.process.budget.clone(),
            asking: Semaphore::new(AT_A_TIME_MAX),
            counters: RequestCounters::new(context, "http"),
            failed: Periodic::default(),
        }
    }

    /// Answers a question with what AWS says to it, or with why it was not asked.
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Response<ReplyBody>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let deadline = Deadline::after(TIMEOUT);
        let asked = async {
            let question = self.read(request, deadline).await?;
            // Never closed.
            let _permit = self.asking.acquire().await;
            Ok::<_, Refusal>(self.ask(question, deadline).await?)
        };
        let late = || Refusal::of_aws(format!("AWS did not answer within {TIMEOUT:?}"));
        let result = deadline.bound(asked).await.unwrap_or_else(|| Err(late()));
        match result {
            Ok(reply) => {
                self.counters.success.increment();
                handed_back(reply)
            }
            Err(refusal) => {
                if refusal.status.is_client_error() {
                    self.counters.failure.increment();
                } else {
                    self.counters.refused.increment();
                }
                self.report(&refusal);
                refusal.into_response()
            }
        }
    }

    /// Ends the connections.
    pub(crate) async fn close(&self) {
        for target in &self.targets {
            target.close().await;
        }
    }

    async fn read<B>(
        &self,
        request: Request<B>,
        deadline: Deadline,
    ) -> Result<(request::Parts, Bytes), Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let hold = match self.budget.try_hold(0) {
            Admission::Granted(hold) => hold,
            Admission::Spent(_) => return Err(Refusal::no_room()),
        };
        let (head, body) = request.into_parts();
        let limits = BodyLimits {
            deadline: Some(deadline.instant()),
            ..BodyLimits::of(self.question_bytes_max)
        };
        let account = |bytes| if hold.try_resize(bytes) { Ok(()) } else { Err(NoRoom) };
        // Whatever its encoding: it is for AWS to read.
        let body = read_body(body, Compression::None, &limits, account).await?;
        Ok((head, body))
    }

    async fn ask(
        &self,
        (mut head, body): (request::Parts, Bytes),
        deadline: Deadline,
    ) -> Result<Reply, Failure> {
        let path = head.uri.path().trim_start_matches('/').to_owned();
        // The last takes every path.
        let Some(target) = self.targets.iter().find(|target| target.takes(&path)) else {
            return Err(Failure::Unsendable("no route takes this path".to_owned()));
        };
        drop_headers(&mut head.headers);
        head.headers.remove(HOST);
        target.ask(head, body, deadline).await
    }

    fn report(&self, refusal: &Refusal) {
        if let Some(left_out) = self.failed.is_time() {
            tracing::warn!(
                "otelcol.component.id" = %self.id,
                "otelcol.component.kind" = "receiver",
                error = %refusal.text,
                not_logged = left_out,
                "A question about sampling was not answered by AWS. The SDK goes on with its own rules."
            );
        }
    }
}

impl Refusal {
    fn of_aws(text: String) -> Self {
        Self { status: StatusCode::BAD_GATEWAY, name: "ServiceUnavailableException", text }
    }

    fn no_room() -> Self {
        let text = "the memory budget is spent; come back when the exporters have made room";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { status, name: "ServiceUnavailableException", text: text.to_owned() }
    }

    /// An error in the form of AWS's, which the SDK shows as one.
    fn into_response(self) -> Response<ReplyBody> {
        let body = json!({"__type": self.name, "message": self.text}).to_string();
        let mut response = Response::new(ReplyBody::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ERROR_TYPE, HeaderValue::from_static(self.name));
        response
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::of_aws(failure.to_string())
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::NoRoom => Self::no_room(),
            error => Self {
                status: error.http_status(),
                name: "InvalidRequestException",
                text: error.to_string(),
            },
        }
    }
}

/// AWS's answer, without what was about its connection.
fn handed_back(reply: Reply) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    drop_headers(response.headers_mut());
    response
}

/// Drops the headers that end with a connection, those that `Connection` names, and the length, which is counted anew.
fn drop_headers(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in OF_A_CONNECTION.iter().chain([&CONTENT_LENGTH]).chain(&named) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests;
