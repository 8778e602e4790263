//! `cause`: exceptions as events.

use std::fmt::Write as _;

use pdata::wire;

use super::attributes::Attributes;
use super::members::{Members, Rest};
use super::segment::Segment;

// Field numbers of an event in OTLP's `trace.proto`.
const EVENT_TIME: u32 = 1;
const EVENT_NAME: u32 = 2;
const EVENT_ATTRIBUTES: u32 = 3;

/// What is known of why a segment failed.
#[derive(Debug, Default)]
pub(super) struct Cause {
    /// Whether there is any.
    pub(super) is_there: bool,
    /// The status's message.
    pub(super) message: String,
    /// The insides of its events.
    pub(super) events: Vec<Vec<u8>>,
}

/// An exception's messages, by its id.
pub(super) type Messages = Vec<(String, String)>;

/// Takes `cause`. An exception has no time of its own; it gets the time of the segment's end.
pub(super) fn take(
    members: &mut Members<'_>,
    time: u64,
    messages: &Messages,
    attributes: &mut Attributes,
    rest: &mut Rest,
) -> Cause {
    // The id of an exception of a subsegment, where that is told in full.
    if let Some(id) = members.text("cause") {
        let known = messages.iter().find(|(known, _)| *known == id);
        let message = known.map_or(id.clone(), |(_, message)| message.clone());
        attributes.text("aws.xray.cause", Some(id));
        return Cause { is_there: true, message, events: Vec::new() };
    }
    let Some(mut cause) = members.object("cause") else { return Cause::default() };
    let exceptions = cause.list("exceptions", Members::of).unwrap_or_default();
    let events = exceptions.into_iter().map(|exception| event(exception, time)).collect();
    rest.within("cause").put_all(cause);
    Cause { is_there: true, message: String::new(), events }
}

/// The messages of all exceptions of a document.
pub(super) fn messages(segment: &Segment<'_>, found: &mut Messages) {
    if segment.members.has("cause") {
        let mut members = segment.members.clone();
        let cause = members.object("cause");
        let exceptions = cause.and_then(|mut cause| cause.list("exceptions", Members::of));
        for mut exception in exceptions.unwrap_or_default() {
            if let (Some(id), Some(message)) = (exception.text("id"), exception.text("message")) {
                found.push((id, message));
            }
        }
    }
    for below in &segment.subsegments {
        messages(below, found);
    }
}

/// The inside of the event of an exception.
fn event(mut exception: Members<'_>, time: u64) -> Vec<u8> {
    let mut attributes = Attributes::new(EVENT_ATTRIBUTES);
    let (kind, message) = (exception.text("type"), exception.text("message"));
    let frames = exception.list("stack", Members::of).unwrap_or_default();
    let stack = (!frames.is_empty()).then(|| {
        let (kind, message) = (kind.as_deref().unwrap_or(""), message.as_deref().unwrap_or(""));
        stack_trace(kind, message, frames)
    });
    attributes.text("aws.xray.exception.id", exception.text("id"));
    attributes.text("exception.message", message);
    attributes.text("exception.type", kind);
    attributes.bool("aws.xray.exception.remote", exception.bool("remote"));
    attributes.int("aws.xray.exception.truncated", exception.int("truncated"));
    attributes.int("aws.xray.exception.skipped", exception.int("skipped"));
    attributes.text("aws.xray.exception.cause", exception.text("cause"));
    attributes.text("exception.stacktrace", stack);
    let mut out = Vec::new();
    wire::put_fixed64(&mut out, EVENT_TIME, time);
    wire::put_len(&mut out, EVENT_NAME, b"exception");
    out.extend_from_slice(attributes.encoded());
    out
}

/// A stack trace as upstream writes it, which our exporter reads back: `\tat <label>(<path>: <line>)` for each frame.
fn stack_trace(kind: &str, message: &str, frames: Vec<Members<'_>>) -> String {
    let mut out = format!("{kind}: {message}\n");
    for mut frame in frames {
        let (label, path) = (frame.text("label"), frame.text("path"));
        let (label, path) = (label.unwrap_or_default(), path.unwrap_or_default());
        let line = frame.int("line").map_or("<unknown>".to_owned(), |line| line.to_string());
        // A text takes everything.
        let _written = writeln!(out, "\tat {label}({path}: {line})");
    }
    out
}
