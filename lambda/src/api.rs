//! The Extensions API of AWS Lambda, 2020-01-01: register, and wait for the next event. Its calls for errors, `/init/error` and `/exit/error`, fail the
//! function, which is what this extension never does.
//!
//! Source: AWS Lambda developer guide, "Using the Lambda Extensions API to create extensions", and the runtime interface emulator where
//! that is silent.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use net::client::{Body, ClientOptions, HttpClient, Reply, Request};
use serde_json::Value;
use tokio::time::Instant;

mod event;

pub use event::{Event, Invoke, Shutdown};

use crate::mode::Mode;

/// How long an answer to anything but `/next` may take. The platform is on this machine.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// `/next` answers when there is something to do, which may be in hours: no timeout, as far as a clock can say that.
const NEXT_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);
/// First and longest pause before `/next` is called again after it failed.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));
/// Calls without an answer after which the platform is taken to be gone: a minute of refused connections.
const UNANSWERED_MAX: u32 = 60;
/// The longest event that is read. An event carries no payload of the invocation.
const EVENT_BYTES_MAX: usize = 1 << 20;

/// The platform's side, before the extension is known to it.
pub struct Api {
    client: HttpClient,
    /// `host:port`, without a scheme.
    address: String,
}

/// The platform's side for a registered extension.
pub struct Registered {
    api: Api,
    identifier: HeaderValue,
    /// What the platform said of the function.
    pub function: Registration,
    /// How the environment is run, after what registering has shown.
    pub mode: Mode,
}

/// What registering tells of the function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registration {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The account it belongs to, where the platform tells.
    pub account_id: Option<String>,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The platform was not reached, or did not answer.
    #[error("the platform did not answer {call}: {why}")]
    NoAnswer {
        /// What was asked for.
        call: &'static str,
        /// What went wrong.
        why: String,
    },
    /// It said no.
    #[error("the platform refused {call} with status {status}: {error_type} ({message})")]
    Refused {
        /// What was asked for.
        call: &'static str,
        /// The status.
        status: u16,
        /// The platform's word for it, such as `Extension.InvalidExtensionState`.
        error_type: String,
        /// The platform's text.
        message: String,
    },
    /// It answered what cannot be understood.
    #[error("the platform's answer to {call} cannot be understood: {why}")]
    Odd {
        /// What was asked for.
        call: &'static str,
        /// What is odd.
        why: &'static str,
    },
}

impl Api {
    /// The platform at this address, the value of `AWS_LAMBDA_RUNTIME_API`: `host:port`, a scheme before it is passed over. Nothing is
    /// opened yet.
    #[must_use]
    pub fn new(address: &str) -> Self {
        let address = address.strip_prefix("http://").unwrap_or(address);
        let address = address.trim_end_matches('/').to_owned();
        let settings = config::HttpClient { idle_conn_timeout: None, ..Default::default() };
        // Never over a proxy: the platform is on this machine.
        let options =
            ClientOptions { response_bytes_max: Some(EVENT_BYTES_MAX), ..ClientOptions::default() };
        Self { client: HttpClient::new(&settings, options), address }
    }

    /// Registers under the name of the executable's file, for the events of this mode.
    ///
    /// An environment that refuses INVOKE events is one of managed instances, whatever its variables say; there it is registered for
    /// SHUTDOWN alone.
    ///
    /// # Errors
    /// When the platform is not reached, or does not take the extension.
    pub async fn register(self, name: &str, mode: Mode) -> Result<Registered, (Self, ApiError)> {
        match self.register_for(name, mode).await {
            Err(ApiError::Refused { error_type, .. })
                if error_type == "Extension.InvalidEventType" && mode != Mode::ManagedInstances =>
            {
                let mode = Mode::ManagedInstances;
                match self.register_for(name, mode).await {
                    Ok((identifier, function)) => {
                        Ok(Registered { api: self, identifier, function, mode })
                    }
                    Err(error) => Err((self, error)),
                }
            }
            Ok((identifier, function)) => Ok(Registered { api: self, identifier, function, mode }),
            Err(error) => Err((self, error)),
        }
    }

    async fn register_for(
        &self,
        name: &str,
        mode: Mode,
    ) -> Result<(HeaderValue, Registration), ApiError> {
        const CALL: &str = "POST /extension/register";
        let mut headers = HeaderMap::new();
        let Ok(name) = HeaderValue::from_str(name) else {
            return Err(ApiError::Odd { call: CALL, why: "the file's name is no header value" });
        };
        headers.insert("lambda-extension-name", name);
        headers.insert("lambda-extension-accept-feature", HeaderValue::from_static("accountId"));
        let events = match mode.is_invoked() {
            true => r#"{"events":["INVOKE","SHUTDOWN"]}"#,
            false => r#"{"events":["SHUTDOWN"]}"#,
        };
        let reply =
            self.call(CALL, Method::POST, "/register", headers, events, CALL_TIMEOUT).await?;
        let identifier = reply.headers.get("lambda-extension-identifier").cloned();
        let identifier =
            identifier.ok_or(ApiError::Odd { call: CALL, why: "it has no identifier" })?;
        // Of no use but for the log and the account, so that an odd body is no reason to give up.
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
        let function = Registration {
            name: text("functionName").unwrap_or_default(),
            version: text("functionVersion").unwrap_or_default(),
            account_id: text("accountId").filter(|id| !id.is_empty()),
        };
        Ok((identifier, function))
    }

    async fn call(
        &self,
        call: &'static str,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: impl Into<Bytes>,
        timeout: Duration,
    ) -> Result<Reply, ApiError> {
        let uri = format!("http://{}/2020-01-01/extension{path}", self.address);
        let uri: Uri = uri.parse().map_err(|_| ApiError::Odd {
            call,
            why: "AWS_LAMBDA_RUNTIME_API is no host and port",
        })?;
        let body: Bytes = body.into();
        if !body.is_empty() {
            let json = HeaderValue::from_static("application/json");
            headers.insert(http::header::CONTENT_TYPE, json);
        }
        let body = if body.is_empty() { Body::empty() } else { Body::plain(vec![body]) };
        let request = Request { method, uri, headers, body };
        let reply = self.client.send(&request, Instant::now() + timeout).await;
        let reply = reply.map_err(|error| ApiError::NoAnswer { call, why: error.to_string() })?;
        if reply.status.is_success() {
            return Ok(reply);
        }
        let status = reply.status.as_u16();
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or("?").to_owned();
        let (error_type, message) = (text("errorType"), text("errorMessage"));
        Err(ApiError::Refused { call, status, error_type, message })
    }
}

impl Registered {
    /// The identifier that the platform knows the extension by.
    #[must_use]
    pub fn identifier(&self) -> &str {
        self.identifier.to_str().unwrap_or_default()
    }

    /// The client that calls the platform.
    #[must_use]
    pub fn client(&self) -> &HttpClient {
        &self.api.client
    }

    /// Says that everything is done, and waits for the next event, for as long as that takes. Never fails: an extension that stops asking
    /// ends the function, so a call that failed is made again. Only when nobody has answered for a minute, as after the end of an emulator
    /// on a developer's machine, is that the end. May be dropped at any point before it completes.
    pub async fn next(&self) -> Event {
        const AGAIN: &str = "Cannot wait for the next event; trying again.";
        let (mut pause, mut unanswered) = (PAUSE.0, 0);
        loop {
            let error = match self.try_next().await {
                Ok(event) => return event,
                Err(error) => error,
            };
            let is_unanswered = matches!(error, ApiError::NoAnswer { .. });
            unanswered = if is_unanswered { unanswered + 1 } else { 0 };
            if unanswered >= UNANSWERED_MAX {
                let reason = "the platform is gone".to_owned();
                return Event::Shutdown(Shutdown { reason, deadline: SystemTime::UNIX_EPOCH });
            }
            // The first failure may be of a connection that ended in a freeze.
            match unanswered {
                1 => tracing::debug!(error = %error, "{AGAIN}"),
                _ => tracing::warn!(error = %error, "{AGAIN}"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    async fn try_next(&self) -> Result<Event, ApiError> {
        const CALL: &str = "GET /extension/event/next";
        let headers = self.headers();
        let reply =
            self.api.call(CALL, Method::GET, "/event/next", headers, "", NEXT_TIMEOUT).await?;
        Event::parse(&reply.body).ok_or(ApiError::Odd { call: CALL, why: "it is no event" })
    }

    fn headers(&self) -> HeaderMap {
        let name = HeaderName::from_static("lambda-extension-identifier");
        HeaderMap::from_iter([(name, self.identifier.clone())])
    }
}

#[cfg(test)]
mod tests;
