//! What X-Ray's answers mean.

use std::time::{Duration, SystemTime};

use exporter_helper::{About, Reason, SendError, classify};
use http::header::HeaderName;
use http::{StatusCode, Uri};
use net::client::{Reply, retry_after, shown};
use serde::Deserialize;

/// The name of the error.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// An answer, as far as the next step depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The documents are taken, but for these.
    Taken(Vec<Unprocessed>),
    /// Something is wrong with the documents: with one of them, or with their length together.
    Refused(SendError),
    /// The credentials are no longer good.
    Expired(SendError),
    /// The call did not succeed, whatever the documents.
    Failed(SendError),
}

/// A document that X-Ray did not take from a call that it took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Unprocessed {
    /// The segment's id; empty when there is none to be found in the document.
    #[serde(deserialize_with = "text")]
    pub(crate) id: String,
    /// Why, in a word.
    #[serde(deserialize_with = "text")]
    pub(crate) error_code: String,
    /// Why, in a few.
    #[serde(deserialize_with = "text")]
    pub(crate) message: String,
}

impl Unprocessed {
    /// Whether the document can be taken later.
    pub(crate) fn is_temporary(&self) -> bool {
        is_temporary(&self.error_code)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Taken {
    #[serde(default)]
    unprocessed_trace_segments: Option<Vec<Unprocessed>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fault {
    #[serde(rename = "__type", deserialize_with = "text")]
    kind: String,
    #[serde(alias = "Message", deserialize_with = "text")]
    message: String,
}

impl Fault {
    /// X-Ray says it in JSON. What stands before it, or in its place, may say it in XML.
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_else(|_| {
            let text = String::from_utf8_lossy(body);
            let element = |name: &str| {
                let (_, rest) = text.split_once(&format!("<{name}>"))?;
                Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
            };
            let kind = element("Code").unwrap_or_default();
            Self { kind, message: element("Message").unwrap_or_default() }
        })
    }
}

/// A text that may be null.
fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads an answer.
pub(crate) fn judge(url: &Uri, reply: &Reply) -> Verdict {
    let status = reply.status;
    if status.is_success() {
        return match serde_json::from_slice::<Taken>(&reply.body) {
            Ok(taken) => Verdict::Taken(taken.unprocessed_trace_segments.unwrap_or_default()),
            Err(_) if reply.body.is_empty() => Verdict::Taken(Vec::new()),
            Err(_) => Verdict::Failed(SendError::peer(Reason::new(format!(
                "{} answered {status} with something that is not X-Ray's (setting: endpoint)",
                shown(url)
            )))),
        };
    }
    let fault = Fault::read(&reply.body);
    let kind = reply.header(&ERROR_TYPE).unwrap_or(&fault.kind);
    let kind = kind.split(':').next().unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let said = if fault.message.is_empty() {
        String::from_utf8_lossy(&reply.body).into_owned()
    } else {
        // What a wrong signature is answered with goes on with the request as it should be.
        fault.message.lines().next().unwrap_or_default().to_owned()
    };
    let remedy = remedy(kind);
    // The remedy comes before what may be long.
    let name = if kind.is_empty() { String::new() } else { format!(" {kind}{remedy}:") };
    let reason = Reason::new(format!("{} answered {status}:{name} {said}", shown(url)));
    let code = Some(classify::grpc_code(status.as_u16()));
    let delay = retry_after(&reply.headers, SystemTime::now());
    let retryable = |delay: Option<Duration>, reason| SendError::Retryable { code, delay, reason };
    let permanent = |about, reason| SendError::Permanent { about, code, reason };
    match status {
        _ if has_expired(kind) => Verdict::Expired(retryable(None, reason)),
        _ if may_have_changed(kind) => Verdict::Expired(permanent(About::Peer, reason)),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Verdict::Failed(retryable(delay, reason))
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            Verdict::Refused(SendError::TooLarge { limit_bytes: None, reason })
        }
        _ if is_temporary(kind) => Verdict::Failed(retryable(delay, reason)),
        StatusCode::REQUEST_TIMEOUT => Verdict::Failed(retryable(None, reason)),
        status if status.is_server_error() => Verdict::Failed(retryable(None, reason)),
        StatusCode::BAD_REQUEST if kind == "InvalidRequestException" => {
            Verdict::Refused(permanent(About::Request, reason))
        }
        _ => Verdict::Failed(permanent(About::Peer, reason)),
    }
}

/// Error codes that another try can help with: throttling, and faults of the service itself.
fn is_temporary(code: &str) -> bool {
    let code = code.to_ascii_lowercase();
    code.contains("throttl")
        || code.starts_with("internal")
        || ["toomanyrequests", "limitexceeded", "slowdown", "serviceunavailable", "requesttimeout"]
            .iter()
            .any(|word| code.contains(word))
}

/// Error names of credentials that were good.
fn has_expired(kind: &str) -> bool {
    matches!(kind, "ExpiredTokenException" | "ExpiredToken" | "TokenRefreshRequired")
}

/// Error names of credentials that are not known, which others may be by now.
fn may_have_changed(kind: &str) -> bool {
    matches!(kind, "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidAccessKeyId")
}

/// What to do about an error that only the operator can mend.
fn remedy(kind: &str) -> &'static str {
    match kind {
        "AccessDeniedException" | "AccessDenied" => {
            " (allow xray:PutTraceSegments, as AWSXRayDaemonWriteAccess does)"
        }
        "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidAccessKeyId" => {
            " (the access key is not known; check the credentials and the setting endpoint)"
        }
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "IncompleteSignature" => {
            " (check the secret access key, the region and the clock)"
        }
        _ => "",
    }
}

/// No place to send to.
pub(crate) fn nowhere(error: &aws::Error) -> SendError {
    let reason = Reason::new(error.to_string());
    if error.is_retryable() { SendError::network(reason) } else { SendError::peer(reason) }
}

#[cfg(test)]
mod tests;
