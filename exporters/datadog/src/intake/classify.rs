//! What the intake's answers mean.
//!
//! One table for all endpoints. Datadog's own senders differ (DataDog/datadog-agent 0.82 `pkg/trace/writer/sender.go`,
//! `comp/forwarder/defaultforwarder/transaction`, `pkg/logs/client/http/destination.go`): all try 408, 429 and 5xx again and drop 400, 401 and 413;
//! those of metrics and logs try every other status from 402 on again, too, that of traces does not; 403 is tried again by that of traces
//! only. Here it is by all: a key that was just made is refused for a while, and data that waits is not lost. 413 is split.

use std::time::Duration;

use exporter_helper::{About, Reason, SendError, Sent, classify::grpc_code};
use http::StatusCode;

use super::Endpoint;

/// An answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    /// Its status.
    pub(crate) status: StatusCode,
    /// What its `Retry-After` asks for.
    pub(crate) delay: Option<Duration>,
    /// Its body.
    pub(crate) said: &'a str,
}

/// What a status stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Taken.
    Taken,
    /// Worth another try.
    Again,
    /// Too large.
    TooLarge,
    /// Something in this request is wrong.
    WrongRequest,
    /// Every request will be refused.
    WrongPeer,
}

/// What a status of an endpoint stands for.
pub(crate) fn verdict(endpoint: Endpoint, status: StatusCode) -> Verdict {
    match status.as_u16() {
        200..=299 => Verdict::Taken,
        413 => Verdict::TooLarge,
        400 => Verdict::WrongRequest,
        401 => Verdict::WrongPeer,
        403 | 408 | 429 | 500..=599 => Verdict::Again,
        402..=499 => match endpoint {
            Endpoint::Series | Endpoint::Sketches | Endpoint::Logs => Verdict::Again,
            Endpoint::Traces | Endpoint::Stats if status == StatusCode::UNPROCESSABLE_ENTITY => {
                Verdict::WrongRequest
            }
            _ => Verdict::WrongPeer,
        },
        _ => Verdict::WrongPeer,
    }
}

/// Reads an answer of an endpoint.
///
/// # Errors
/// For every status outside 200 to 299.
pub(crate) fn classify(
    endpoint: Endpoint,
    url: &str,
    answer: &Answer<'_>,
) -> Result<Sent, SendError> {
    let Answer { status, delay, said } = *answer;
    let code = Some(grpc_code(status.as_u16()));
    let reason = || Reason::new(format!("{url} answered {status}{}: {said}", hint(status)));
    Err(match verdict(endpoint, status) {
        Verdict::Taken => return Ok(Sent::all()),
        Verdict::Again => SendError::Retryable { code, delay, reason: reason() },
        Verdict::TooLarge => SendError::TooLarge { limit_bytes: None, reason: reason() },
        Verdict::WrongRequest => {
            SendError::Permanent { about: About::Request, code, reason: reason() }
        }
        Verdict::WrongPeer => SendError::Permanent { about: About::Peer, code, reason: reason() },
    })
}

/// Which settings a status speaks of.
fn hint(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 | 403 => {
            " (the API key may be wrong, or one of another site; settings: api::key, api::site)"
        }
        404 | 405 | 300..=399 => {
            " (the address may be wrong; settings: api::site, or the endpoint of the signal)"
        }
        _ => "",
    }
}
