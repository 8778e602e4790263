//! What an ECS task and an EC2 instance say of themselves, over link-local addresses.
//!
//! Asked without a proxy, with a short time for each attempt and a cap on each answer: on a machine that is neither, nobody answers.

mod instance;
mod task;

pub use instance::Instance;
pub use task::Task;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, Uri};
use net::client::{Body, ClientOptions, HttpClient, Reply, Request};
use net::error::Cause as NetCause;
use tokio::time::Instant;

use crate::error::{Cause, Hint, first_line};

/// The longest answer: a task with many containers and labels.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// How often somebody is asked, and how long each answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempts {
    pub(crate) number: u32,
    pub(crate) timeout: Duration,
    /// Whether somebody who refuses the connection is asked again: a side-car may be starting.
    pub(crate) after_refusal: bool,
}

/// Between two attempts: at least, and how much more by chance.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(100));

/// A client without proxies.
pub(crate) fn direct_client() -> HttpClient {
    client(net::client::Environment::default())
}

/// A client for one or two requests.
pub(crate) fn client(environment: net::client::Environment) -> HttpClient {
    let settings =
        config::HttpClient { force_attempt_http2: false, ..config::HttpClient::default() };
    let options = ClientOptions {
        environment,
        user_agent: Some(concat!("hikyaku/", env!("CARGO_PKG_VERSION")).to_owned()),
        auth: None,
        response_bytes_max: Some(ANSWER_BYTES_MAX),
    };
    HttpClient::new(&settings, options)
}

/// A request without a body.
pub(crate) fn request(method: Method, uri: Uri, headers: HeaderMap) -> Request {
    Request { method, uri, headers, body: Body::empty() }
}

/// Sends a request until it is answered, not by a server that is out of order or overrun.
pub(crate) fn ask<'a>(
    client: &'a HttpClient,
    request: &'a Request,
    attempts: Attempts,
) -> Pin<Box<dyn Future<Output = Result<Reply, Cause>> + Send + 'a>> {
    Box::pin(ask_again(client, request, attempts))
}

async fn ask_again(
    client: &HttpClient,
    request: &Request,
    attempts: Attempts,
) -> Result<Reply, Cause> {
    let mut left = attempts.number;
    loop {
        left = left.saturating_sub(1);
        let answer = client.send(request, Instant::now() + attempts.timeout).await;
        let is_worth_another = match &answer {
            Ok(reply) => {
                reply.status.is_server_error() || reply.status == StatusCode::TOO_MANY_REQUESTS
            }
            Err(error) => match &error.cause {
                NetCause::Timeout { .. } | NetCause::Closed => true,
                NetCause::Refused { .. } => attempts.after_refusal,
                _ => false,
            },
        };
        if left > 0 && is_worth_another {
            let (least, more) = PAUSE;
            tokio::time::sleep(least + more.mul_f64(fastrand::f64())).await;
            continue;
        }
        return answer.map_err(|error| Cause::Transport(Arc::new(error), Hint::None));
    }
}

/// The text of a good answer.
pub(crate) fn text(reply: &Reply) -> Result<&str, Cause> {
    if !reply.status.is_success() {
        let text = std::str::from_utf8(&reply.body).unwrap_or_default();
        // A page of a proxy, or a document, says nothing in its first line.
        let text = if text.trim_start().starts_with(['<', '{']) { "" } else { text };
        return Err(Cause::Status { status: reply.status.as_u16(), text: first_line(text) });
    }
    if reply.is_truncated {
        return Err(Cause::Answer("is too long"));
    }
    std::str::from_utf8(&reply.body).map_err(|_invalid| Cause::Answer("is no text"))
}

/// The object that a good answer is in JSON.
pub(crate) fn json(reply: &Reply) -> Result<serde_json::Value, Cause> {
    let text = text(reply)?;
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|_invalid| Cause::Answer("is no JSON"))?;
    if value.is_object() { Ok(value) } else { Err(Cause::Answer("is no JSON object")) }
}
