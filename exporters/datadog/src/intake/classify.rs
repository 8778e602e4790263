//! What the intake's answers mean.
//!
//! One table for all endpoints. Datadog's own senders differ from each other and from version to version (DataDog/datadog-agent
//! `pkg/trace/writer/sender.go`, `comp/forwarder/defaultforwarder/transaction`, `pkg/logs/client/http/destination.go`); where they do, this
//! one errs on the side of the data.

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
    /// Worth another try, and most likely the fault of the key or the site.
    AgainUnauthorised,
    /// Refused as every request would be, since the key or the site is wrong.
    Unauthorised,
    /// Too large.
    TooLarge,
    /// Something in this request is wrong.
    Request,
    /// Every request will be refused: wrong address, wrong protocol.
    Peer,
}

/// What a status of an endpoint stands for.
pub(crate) fn verdict(endpoint: Endpoint, status: StatusCode) -> Verdict {
    match status.as_u16() {
        200..=299 => Verdict::Taken,
        413 => Verdict::TooLarge,
        400 | 422 => Verdict::Request,
        401 => Verdict::Unauthorised,
        // The trace sender tries again since Agent 7.60 or so: a key that was just made, and an intake that is being deployed, are
        // refused for a while.
        403 => Verdict::AgainUnauthorised,
        408 | 429 | 500..=599 => Verdict::Again,
        // The forwarder of the Agent tries a series again whose path is not found.
        404 if matches!(endpoint, Endpoint::Series | Endpoint::Sketches) => Verdict::Again,
        _ => Verdict::Peer,
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
    let verdict = verdict(endpoint, status);
    let hint = match verdict {
        Verdict::Unauthorised | Verdict::AgainUnauthorised => {
            " (the API key may be wrong, or of another site; settings: api::key, api::site)"
        }
        Verdict::Peer => " (the address may be wrong; settings: api::site, endpoint)",
        _ => "",
    };
    let code = Some(grpc_code(status.as_u16()));
    let reason = || Reason::new(format!("{url} answered {status}{hint}: {said}"));
    match verdict {
        Verdict::Taken => Ok(Sent::all()),
        Verdict::Again | Verdict::AgainUnauthorised => {
            Err(SendError::Retryable { code, delay, reason: reason() })
        }
        Verdict::TooLarge => Err(SendError::TooLarge { limit_bytes: None, reason: reason() }),
        Verdict::Request => {
            Err(SendError::Permanent { about: About::Request, code, reason: reason() })
        }
        Verdict::Unauthorised | Verdict::Peer => {
            Err(SendError::Permanent { about: About::Peer, code, reason: reason() })
        }
    }
}
