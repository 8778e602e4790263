//! `cause`: the exceptions of a span, with their stack traces and what caused them.

use pdata::text::{put_escaped_twice, put_hex, put_int, put_text, put_uint};
use pdata::view::{AnyValue, Event, SpanKind, StatusCode};

use super::Role;
use super::attributes::Known;
use super::document::Scene;
use super::ids::Ids;
use super::keys::Key;
use super::limits::{Limits, Trimmed};
use super::names::is_aws_sdk;
use super::stack::{self, Frame, Stack, parse};
use super::text::{cut, put_member};

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
            exceptions.open(out, "", b"", message);
            out.extend_from_slice(b"}]}");
        }
        Self::OfStatus
    }
}

/// What the event of an exception has that was one of X-Ray's before (the `awsxray` receiver, ours and upstream's).
#[derive(Clone, Copy, Debug, Default)]
struct Received<'a> {
    id: &'a str,
    remote: Option<bool>,
    truncated: Option<i64>,
    skipped: Option<i64>,
    /// The id of the exception that caused it.
    cause: &'a str,
    /// Whether the exception that follows caused it.
    is_caused: bool,
}

impl<'a> Received<'a> {
    fn of(event: &Event<'a>) -> Self {
        let get = |key| event.attributes.get(key);
        let Some(AnyValue::Str(id)) = get("aws.xray.exception.id") else {
            return Self::default();
        };
        let int = |key| if let Some(AnyValue::Int(int)) = get(key) { Some(int) } else { None };
        let remote = get("aws.xray.exception.remote");
        let cause = get("aws.xray.exception.cause").and_then(|cause| cause.as_str());
        let cause = cause.map(|cause| cause.as_str());
        Self {
            id: id.as_str(),
            remote: if let Some(AnyValue::Bool(remote)) = remote { Some(remote) } else { None },
            truncated: int("aws.xray.exception.truncated"),
            skipped: int("aws.xray.exception.skipped"),
            cause: cause.unwrap_or_default(),
            is_caused: false,
        }
    }

    fn is_there(&self) -> bool {
        !self.id.is_empty()
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

    /// Begins an exception, if there may be one more. `id` is its own, if it has one.
    fn open(&mut self, out: &mut Vec<u8>, id: &str, kind: &[u8], message: &[u8]) -> bool {
        if self.number >= self.limits.exceptions {
            self.trimmed.other += 1;
            return false;
        }
        let opening: &[u8] =
            if self.number == 0 { br#"\"exceptions\":[{\"id\":\""# } else { br#",{\"id\":\""# };
        out.extend_from_slice(opening);
        if id.is_empty() {
            put_hex(out, &self.next_id());
        } else {
            put_escaped_twice(out, cut(id.as_bytes(), self.limits.text));
        }
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
        let received = Received::of(event);
        let is_remote = matches!(scene.span.kind, SpanKind::Client | SpanKind::Producer);
        if !self.open(out, received.id, kind.as_bytes(), message.as_bytes()) {
            return;
        }
        if received.is_there() {
            let frames = stack::parse_received(trace.as_str());
            return self.put_rest(out, received.remote.unwrap_or(is_remote), &frames, &received);
        }
        let Stack { frames, causes } = parse(scene.resource.language, trace.as_str());
        let mut causes = causes.iter().peekable();
        let caused = Received { is_caused: causes.peek().is_some(), ..received };
        self.put_rest(out, is_remote, &frames, &caused);
        while let Some(cause) = causes.next() {
            if !self.open(out, "", cause.kind.as_bytes(), cause.message.as_bytes()) {
                return;
            }
            let caused = Received { is_caused: causes.peek().is_some(), ..received };
            self.put_rest(out, is_remote, &cause.frames, &caused);
        }
    }

    /// Ends an exception: its stack, and the id of the one that follows if that caused it.
    fn put_rest(
        &mut self,
        out: &mut Vec<u8>,
        is_remote: bool,
        frames: &[Frame<'_>],
        more: &Received<'_>,
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
        let left_out = (frames.len() - kept.len()) as i64;
        self.trimmed.frames += usize::from(left_out > 0);
        if left_out > 0 || more.truncated.is_some() {
            out.extend_from_slice(br#",\"truncated\":"#);
            put_int(out, more.truncated.unwrap_or_default().saturating_add(left_out));
        }
        if let Some(skipped) = more.skipped {
            out.extend_from_slice(br#",\"skipped\":"#);
            put_int(out, skipped);
        }
        if !more.cause.is_empty() {
            put_member(out, br#",\"cause\":\""#, more.cause.as_bytes(), self.limits.text);
        } else if more.is_caused && self.number < self.limits.exceptions {
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
        if self.open(out, "", b"aws.http.error.event", &message) {
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
