//! Events of the Extensions API.

use std::time::{Duration, SystemTime};

use serde_json::Value;

/// What `/next` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The function is invoked.
    Invoke(Invoke),
    /// The environment ends.
    Shutdown(Shutdown),
}

/// An invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoke {
    /// Its id, which the Telemetry API uses as well.
    pub request_id: String,
    /// The ARN that was called, with a version or alias where the caller named one; empty where the platform does not tell.
    pub function_arn: String,
    /// The value of its `X-Amzn-Trace-Id` header; empty where there is none.
    pub trace: String,
    /// When the function times out.
    pub deadline: SystemTime,
}

/// The end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shutdown {
    /// Why: a text of the platform's, such as `spindown`, `timeout` or `failure`.
    pub reason: String,
    /// When the process is killed.
    pub deadline: SystemTime,
}

impl Event {
    /// Reads an event, whatever its content type: that of SHUTDOWN is `text/plain`.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let event: Value = serde_json::from_slice(body).ok()?;
        let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
        let deadline = event.get("deadlineMs").and_then(milliseconds).unwrap_or_default();
        let deadline = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(deadline))?;
        match text("eventType") {
            "INVOKE" => {
                let trace = event.get("tracing").and_then(|tracing| tracing.get("value")?.as_str());
                let (request_id, function_arn) = (text("requestId"), text("invokedFunctionArn"));
                Some(Self::Invoke(Invoke {
                    request_id: request_id.to_owned(),
                    function_arn: function_arn.to_owned(),
                    trace: trace.unwrap_or_default().to_owned(),
                    deadline,
                }))
            }
            "SHUTDOWN" => Some(Self::Shutdown(Shutdown {
                reason: text("shutdownReason").to_owned(),
                deadline,
            })),
            _ => None,
        }
    }
}

/// A number of milliseconds, however it is written.
fn milliseconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_f64().map(|ms| ms as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_as_the_platform_writes_them() {
        let invoke = br#"{"eventType":"INVOKE","deadlineMs":1700000003000,"requestId":"r-1",
            "invokedFunctionArn":"arn","tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1"}}"#;
        let deadline = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_003_000);
        let expected = Event::Invoke(Invoke {
            request_id: "r-1".to_owned(),
            function_arn: "arn".to_owned(),
            trace: "Root=1".to_owned(),
            deadline,
        });
        assert_eq!(Event::parse(invoke), Some(expected));
        let shutdown =
            br#"{"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":1.7e12}"#;
        let deadline = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let expected = Event::Shutdown(Shutdown { reason: "spindown".to_owned(), deadline });
        assert_eq!(Event::parse(shutdown), Some(expected));
    }

    #[test]
    fn what_is_no_event_is_none() {
        for body in ["", "{}", "null", r#"{"eventType":"PAUSE"}"#, "<html>"] {
            assert_eq!(Event::parse(body.as_bytes()), None, "{body}");
        }
    }
}
