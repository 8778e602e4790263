//! What the page says.

use std::time::{Instant, SystemTime};

use http::StatusCode;
use serde_json::{Value, json};

use crate::config::Form;
use crate::time::{go_duration, rfc3339};

/// The most characters of a reload's error that are shown.
const ERROR_CHARS_MAX: usize = 512;

/// What is known of the agent.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    started: SystemTime,
    phase: Phase,
    /// When the phase began.
    since: SystemTime,
    began: Instant,
    reload: Option<Reload>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Ready,
    Stopping,
}

/// The last reload.
#[derive(Clone, Debug)]
struct Reload {
    at: SystemTime,
    error: Option<String>,
}

impl Health {
    /// Of an agent that starts now.
    pub(crate) fn starting() -> Self {
        let now = SystemTime::now();
        Self {
            started: now,
            phase: Phase::Starting,
            since: now,
            began: Instant::now(),
            reload: None,
        }
    }

    /// The receivers listen.
    pub(crate) fn ready(&mut self) {
        self.turn(Phase::Ready);
    }

    /// The pipelines are about to stop.
    pub(crate) fn stopping(&mut self) {
        self.turn(Phase::Stopping);
    }

    /// A reload ended.
    pub(crate) fn reloaded(&mut self, result: Result<(), &str>) {
        let error = result.err().map(|error| error.chars().take(ERROR_CHARS_MAX).collect());
        self.reload = Some(Reload { at: SystemTime::now(), error });
    }

    /// The page: status, content type, body. `stuck` names what does not get on.
    pub(crate) fn page(&self, form: &Form, stuck: &[String]) -> (StatusCode, &'static str, String) {
        let ready = self.phase == Phase::Ready && stuck.is_empty();
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let mut body = match form {
            Form::First { healthy: Some(text), .. } if ready => {
                return (status, TEXT, text.clone());
            }
            Form::First { unhealthy: Some(text), .. } if !ready => {
                return (status, TEXT, text.clone());
            }
            Form::First { .. } => self.first(ready),
            Form::Second => self.second(ready, stuck),
        };
        self.add_reload(&mut body);
        if let (false, Some(body)) = (stuck.is_empty(), body.as_object_mut()) {
            let _absent_before = body.insert("stuck".to_owned(), stuck.into());
        }
        (status, JSON, body.to_string())
    }

    fn first(&self, ready: bool) -> Value {
        if ready {
            let (since, uptime) = (rfc3339(self.since), go_duration(self.began.elapsed()));
            json!({"status": "Server available", "upSince": since, "uptime": uptime})
        } else {
            // Go's zero time: the server was never up.
            json!({"status": "Server not available", "upSince": "0001-01-01T00:00:00Z", "uptime": ""})
        }
    }

    fn second(&self, ready: bool, stuck: &[String]) -> Value {
        let status = match self.phase {
            Phase::Starting => "StatusStarting",
            Phase::Ready if !stuck.is_empty() => "StatusPermanentError",
            Phase::Ready => "StatusOK",
            Phase::Stopping => "StatusStopping",
        };
        let (start, since) = (rfc3339(self.started), rfc3339(self.since));
        json!({"start_time": start, "healthy": ready, "status": status, "status_time": since})
    }

    fn add_reload(&self, body: &mut Value) {
        let (Some(reload), Some(body)) = (&self.reload, body.as_object_mut()) else { return };
        let mut told = json!({"successful": reload.error.is_none(), "time": rfc3339(reload.at)});
        if let (Some(error), Some(told)) = (&reload.error, told.as_object_mut()) {
            let _absent_before = told.insert("error".to_owned(), error.as_str().into());
        }
        let _absent_before = body.insert("reload".to_owned(), told);
    }

    fn turn(&mut self, phase: Phase) {
        (self.phase, self.since, self.began) = (phase, SystemTime::now(), Instant::now());
    }
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn first() -> Form {
        Form::First { healthy: None, unhealthy: None }
    }

    #[test]
    fn first_form_is_upstreams_before_while_and_after_it_is_ready() {
        let not_available =
            r#"{"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""}"#;
        let mut health = Health::starting();
        assert_eq!(
            health.page(&first(), &[]),
            (StatusCode::SERVICE_UNAVAILABLE, JSON, not_available.to_owned())
        );
        health.ready();
        health.since = UNIX_EPOCH;
        let (status, _, body) = health.page(&first(), &[]);
        assert_eq!(status, StatusCode::OK);
        let expected =
            r#"{"status":"Server available","upSince":"1970-01-01T00:00:00Z","uptime":""#;
        assert!(body.starts_with(expected), "{body}");
        health.stopping();
        assert_eq!(health.page(&first(), &[]).2, not_available);
    }

    #[test]
    fn own_texts_take_the_place_of_the_body() {
        let form =
            Form::First { healthy: Some("fine".to_owned()), unhealthy: Some("ill".to_owned()) };
        let mut health = Health::starting();
        assert_eq!(
            health.page(&form, &[]),
            (StatusCode::SERVICE_UNAVAILABLE, TEXT, "ill".to_owned())
        );
        health.ready();
        assert_eq!(health.page(&form, &[]), (StatusCode::OK, TEXT, "fine".to_owned()));
    }

    #[test]
    fn second_form_names_the_status() {
        let mut health = Health::starting();
        let told = |health: &Health| {
            let (status, _, body) = health.page(&Form::Second, &[]);
            let body: Value = serde_json::from_str(&body).unwrap();
            (
                status.as_u16(),
                body["status"].as_str().unwrap().to_owned(),
                body["healthy"].as_bool(),
            )
        };
        assert_eq!(told(&health), (503, "StatusStarting".to_owned(), Some(false)));
        health.ready();
        assert_eq!(told(&health), (200, "StatusOK".to_owned(), Some(true)));
        health.stopping();
        assert_eq!(told(&health), (503, "StatusStopping".to_owned(), Some(false)));
    }

    #[test]
    fn agent_with_something_stuck_is_not_ready_and_says_what_it_is() {
        let mut health = Health::starting();
        health.ready();
        let stuck = ["exporter \"otlp\" holds 3 items".to_owned()];
        for form in [first(), Form::Second] {
            let (status, _, body) = health.page(&form, &stuck);
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(body["stuck"], json!(stuck));
            assert_ne!(body["healthy"], true);
            assert!(!["Server available", "StatusOK"].contains(&body["status"].as_str().unwrap()));
        }
        let (status, _, body) = health.page(&first(), &[]);
        assert!(status == StatusCode::OK && !body.contains("stuck"), "{body}");
    }

    #[test]
    fn failed_reload_is_told_and_leaves_the_agent_ready() {
        let mut health = Health::starting();
        health.ready();
        health.reloaded(Err(&"no such exporter ".repeat(100)));
        for form in [first(), Form::Second] {
            let (status, _, body) = health.page(&form, &[]);
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(status, StatusCode::OK);
            assert_eq!(body["reload"]["successful"], false);
            assert_eq!(body["reload"]["error"].as_str().unwrap().len(), ERROR_CHARS_MAX);
        }
        health.reloaded(Ok(()));
        let body: Value = serde_json::from_str(&health.page(&first(), &[]).2).unwrap();
        assert_eq!(body["reload"]["successful"], true);
        assert!(body["reload"].get("error").is_none());
    }
}
