//! `cause`: the exceptions of a span, with their stack traces and what caused them.

use pdata::text::{put_escaped_twice, put_hex, put_int, put_text, put_uint};
use pdata::view::{Event, SpanKind, StatusCode};

use super::Role;
use super::attributes::Known;
use super::document::Scene;
use super::ids::Ids;
use super::keys::Key;
use super::limits::{Limits, Trimmed};
use super::names::is_aws_sdk;
use super::stack::{Frame, Stack, parse};
use super::text::cut;

/// Where the causes of a document come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Causes {
    /// There are none.
    None,
    /// Events.
    OfEvents,
    /// The status of a failed span without such events.
    OfStatus,
}

const EXCEPTION: &str = "exception";
/// An attempt of an AWS SDK that failed.
const HTTP_FAILURE: &str = "HTTP request failure";
/// The numbers of exceptions' ids begin behind those of segments, and those of a segment that is made up behind those of its span.
const FIRST_ID: u64 = 1 << 16;
const FIRST_ID_OF_SERVICE: u64 = 1 << 32;

impl Causes {
    /// Appends `cause`.
    pub(super) fn put(
        out: &mut Vec<u8>,
        scene: &Scene<'_, '_>,
        known: &Known<'_>,
        limits: &Limits,
        trimmed: &mut Trimmed,
    ) -> Self {
        let span = scene.span;
        let has_failures = is_aws_sdk(known);
        let is_cause = |event: &Event<'_>| {
            event.name == EXCEPTION || has_failures && event.name == HTTP_FAILURE
        };
        let is_service = scene.role == Role::Service;
        let first_id = if is_service { FIRST_ID_OF_SERVICE } else { FIRST_ID };
        let mut exceptions = Exceptions { ids: scene.ids, first_id, number: 0, limits, trimmed };
        if !span.events.is_empty() && span.events.iter().any(|event| is_cause(&event)) {
            out.extend_from_slice(br#",\"cause\":{"#);
            let opened = out.len();
            for event in span.events.iter().filter(is_cause) {
                if event.name == EXCEPTION {
                    exceptions.put_event(out, scene, &event);
                } else {
                    exceptions.put_failure(out, &event);
                }
            }
            out.extend_from_slice(if out.len() > opened { b"]}" } else { b"}" });
            return Self::OfEvents;
        }
        if span.status.code != StatusCode::Error {
            return Self::None;
        }
        let message = match span.status.message.as_bytes() {
            b"" => known.text(Key::HttpStatusText),
            message => message,
        };
        if !message.is_empty() {
            out.extend_from_slice(br#",\"cause\":{"#);
            exceptions.open(out, b"", message);
            out.extend_from_slice(b"}]}");
        }
        Self::OfStatus
    }
}

/// Writes the list of exceptions.
struct Exceptions<'s, 'a> {
    ids: Ids<'a>,
    first_id: u64,
    /// How many there are already.
    number: usize,
    limits: &'s Limits,
    trimmed: &'s mut Trimmed,
}

impl Exceptions<'_, '_> {
    /// The id of the exception that comes next.
    fn next_id(&self) -> [u8; 8] {
        self.ids.further(self.first_id + self.number as u64)
    }

    /// Begins an exception, if there may be one more.
    fn open(&mut self, out: &mut Vec<u8>, kind: &[u8], message: &[u8]) -> bool {
        if self.number >= self.limits.exceptions {
            self.trimmed.other += 1;
            return false;
        }
        let opening: &[u8] =
            if self.number == 0 { br#"\"exceptions\":[{\"id\":\""# } else { br#",{\"id\":\""# };
        out.extend_from_slice(opening);
        put_hex(out, &self.next_id());
        out.extend_from_slice(br#"\",\"type\":\""#);
        put_escaped_twice(out, cut(kind, self.limits.text));
        out.extend_from_slice(br#"\",\"message\":\""#);
        put_escaped_twice(out, cut(message, self.limits.text));
        out.extend_from_slice(br#"\""#);
        self.number += 1;
        true
    }

    /// Appends the exception of an event, and those that caused it.
    fn put_event(&mut self, out: &mut Vec<u8>, scene: &Scene<'_, '_>, event: &Event<'_>) {
        let text = |key| {
            let value = event.attributes.get(key).and_then(|value| value.as_str());
            value.unwrap_or_default()
        };
        let kind = text("exception.type");
        let message = text("exception.message");
        let trace = text("exception.stacktrace");
        let is_remote = matches!(scene.span.kind, SpanKind::Client | SpanKind::Producer);
        if !self.open(out, kind.as_bytes(), message.as_bytes()) {
            return;
        }
        let Stack { frames, causes } = parse(scene.resource.language, trace.as_str());
        self.put_rest(out, is_remote, &frames, !causes.is_empty());
        let mut causes = causes.iter().peekable();
        while let Some(cause) = causes.next() {
            if !self.open(out, cause.kind.as_bytes(), cause.message.as_bytes()) {
                return;
            }
            self.put_rest(out, is_remote, &cause.frames, causes.peek().is_some());
        }
    }

    /// Ends an exception: its stack, and the id of the one that follows if that caused it.
    fn put_rest(
        &mut self,
        out: &mut Vec<u8>,
        is_remote: bool,
        frames: &[Frame<'_>],
        is_caused: bool,
    ) {
        out.extend_from_slice(br#",\"remote\":"#);
        out.extend_from_slice(if is_remote { b"true" } else { b"false" });
        let kept = frames.get(..self.limits.frames).unwrap_or(frames);
        if !kept.is_empty() {
            out.extend_from_slice(br#",\"stack\":["#);
            for frame in kept {
                put_frame(out, frame);
            }
            out.pop();
            out.push(b']');
        }
        if kept.len() < frames.len() {
            out.extend_from_slice(br#",\"truncated\":"#);
            put_uint(out, (frames.len() - kept.len()) as u64);
            self.trimmed.frames += 1;
        }
        if is_caused && self.number < self.limits.exceptions {
            out.extend_from_slice(br#",\"cause\":\""#);
            put_hex(out, &self.next_id());
            out.extend_from_slice(br#"\""#);
        }
        out.push(b'}');
    }

    /// Appends an attempt that failed: `<status>@<seconds>@<message>`. One without both status and message is nothing.
    fn put_failure(&mut self, out: &mut Vec<u8>, event: &Event<'_>) {
        let status = event.attributes.get(Key::HttpResponseStatusCode.text());
        let said = event.attributes.get("aws.http.error_message");
        let (Some(status), Some(said)) = (status, said) else { return };
        let mut message = Vec::new();
        put_text(&mut message, &status);
        let micros = event.time_unix_nano / 1000;
        message.push(b'@');
        put_uint(&mut message, micros / 1_000_000);
        message.extend_from_slice(format!(".{:06}@", micros % 1_000_000).as_bytes());
        message.extend_from_slice(said.as_str().unwrap_or_default().as_bytes());
        if self.open(out, b"aws.http.error.event", &message) {
            out.extend_from_slice(br#",\"remote\":true}"#);
        }
    }
}

/// Appends a frame and a comma.
fn put_frame(out: &mut Vec<u8>, frame: &Frame<'_>) {
    out.extend_from_slice(br#"{\"path\":\""#);
    put_escaped_twice(out, frame.path.as_bytes());
    out.extend_from_slice(br#"\",\"line\":"#);
    put_int(out, frame.line);
    out.extend_from_slice(br#",\"label\":\""#);
    put_escaped_twice(out, frame.label.as_bytes());
    out.extend_from_slice(br#"\"},"#);
}
