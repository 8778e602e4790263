//! The subscription: once per process, during its init.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use net::client::{Body, HttpClient, Reply, Request};
use net::error::TransportError;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::event::EventKind;
use super::hub::Hub;

/// Newest first. Managed Instances take no other than the first, which older ones do not know.
const SCHEMAS: [&str; 2] = ["2025-01-29", "2022-12-13"];

/// How long the answer may take; it is on the way of the function's init.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

const EXTENSION_ID: HeaderName = HeaderName::from_static("lambda-extension-identifier");

/// Types of events, as a subscription names them. None to begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Types {
    /// What the platform says.
    pub platform: bool,
    /// What the function writes.
    pub function: bool,
    /// What extensions write.
    pub extension: bool,
}

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// `AWS_LAMBDA_RUNTIME_API`: host and port; a scheme in front is taken, too.
    pub runtime_api: String,
    /// What registering gave: the value of `Lambda-Extension-Identifier`.
    pub extension_id: String,
    /// The port that listens.
    pub port: u16,
    /// The types, beside those that the hub's receivers want.
    pub types: Types,
}

/// What came of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Events will come, of this version of the schema.
    Subscribed(&'static str),
    /// The platform has no Telemetry API: an emulator. Nothing will come.
    NotSupported,
}

/// Why no events will come.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// The process has subscribed before.
    #[error("the process has subscribed to the Telemetry API already")]
    Twice,
    /// Nobody wants any type.
    #[error("no type of event is wanted")]
    NoTypes,
    /// The address or the identifier has no place in a request.
    #[error("AWS_LAMBDA_RUNTIME_API or the extension's identifier cannot be used in a request")]
    Request,
    /// Init is over.
    #[error("the Telemetry API takes subscriptions during init only, which is over")]
    Closed,
    /// The platform said no.
    #[error("the Telemetry API answered {status} ({error_type})")]
    Refused {
        /// Its status.
        status: StatusCode,
        /// The type of its error; empty where it gives none.
        error_type: String,
    },
    /// There was no answer.
    #[error("the Telemetry API cannot be reached: {0}")]
    Transport(#[from] TransportError),
}

/// Subscribes the process to what the hub's receivers and this subscription want. Asks for small batches soon, since the end of
/// an invocation is heard of through them: at most 1000 events and 256 KiB, every 25 ms.
///
/// # Errors
/// See [`SubscriptionError`]. There is no second try: a process subscribes once.
pub async fn subscribe(
    client: &HttpClient,
    hub: &Hub,
    subscription: &Subscription,
) -> Result<Outcome, SubscriptionError> {
    let types = subscription.types.union(hub.wanted_types());
    if types == Types::default() {
        return Err(SubscriptionError::NoTypes);
    }
    if !hub.begin_subscription() {
        return Err(SubscriptionError::Twice);
    }
    let deadline = Instant::now() + ANSWER_WITHIN;
    let mut refusal = None;
    for schema in SCHEMAS {
        let reply = client.send(&request(subscription, types, schema)?, deadline).await?;
        match reply.status {
            StatusCode::OK => return Ok(Outcome::Subscribed(schema)),
            StatusCode::ACCEPTED => return Ok(Outcome::NotSupported),
            StatusCode::BAD_REQUEST => refusal = Some(refused(&reply)),
            _ => return Err(refused(&reply)),
        }
    }
    Err(refusal.unwrap_or(SubscriptionError::Request))
}

fn request(
    subscription: &Subscription,
    types: Types,
    schema: &str,
) -> Result<Request, SubscriptionError> {
    let host = subscription.runtime_api.trim_start_matches("http://").trim_end_matches('/');
    let uri: Uri = format!("http://{host}/2022-07-01/telemetry")
        .parse()
        .map_err(|_invalid| SubscriptionError::Request)?;
    let id = HeaderValue::from_str(&subscription.extension_id)
        .map_err(|_invalid| SubscriptionError::Request)?;
    let mut headers = HeaderMap::new();
    headers.insert(EXTENSION_ID, id);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let body = json!({
        "schemaVersion": schema,
        "types": types.names(),
        "buffering": { "maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25 },
        "destination": {
            "protocol": "HTTP",
            "URI": format!("http://sandbox.localdomain:{}/", subscription.port),
        },
    });
    let body = Body::plain(vec![Bytes::from(body.to_string())]);
    Ok(Request { method: Method::PUT, uri, headers, body })
}

/// The error that an answer holds. It is not always valid JSON.
fn refused(reply: &Reply) -> SubscriptionError {
    let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
    let error_type = body.as_ref().and_then(|body| body.get("errorType")?.as_str());
    match error_type {
        Some("Telemetry.SubscriptionClosed") => SubscriptionError::Closed,
        error_type => SubscriptionError::Refused {
            status: reply.status,
            error_type: error_type.unwrap_or_default().chars().take(64).collect(),
        },
    }
}

impl Types {
    /// Every type.
    pub const ALL: Self = Self { platform: true, function: true, extension: true };
    /// What the platform says.
    pub const PLATFORM: Self = Self { platform: true, function: false, extension: false };

    /// The types of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            platform: self.platform || other.platform,
            function: self.function || other.function,
            extension: self.extension || other.extension,
        }
    }

    /// Whether events of this kind are among them.
    pub fn contains(self, kind: &EventKind) -> bool {
        match kind {
            EventKind::Function => self.function,
            EventKind::Extension => self.extension,
            _ => self.platform,
        }
    }

    /// Their names.
    pub fn names(self) -> Vec<&'static str> {
        let all = [
            (self.platform, "platform"),
            (self.function, "function"),
            (self.extension, "extension"),
        ];
        all.into_iter().filter_map(|(wanted, name)| wanted.then_some(name)).collect()
    }
}

#[cfg(test)]
mod tests;
