//! A segment or subsegment as a span.

use pdata::wire;

use super::attributes::{Attributes, Value};
use super::cause::{Cause, Messages};
use super::http::Http;
use super::members::{Members, Rest};
use super::segment::{Segment, hex, trace_id};
use super::{annotations, aws, cause, http, sql};

// Field numbers of OTLP's `trace.proto`.
const SCOPE_SPANS_SPANS: u32 = 2;
const SPAN_TRACE_ID: u32 = 1;
const SPAN_SPAN_ID: u32 = 2;
const SPAN_PARENT_SPAN_ID: u32 = 4;
const SPAN_NAME: u32 = 5;
const SPAN_KIND: u32 = 6;
const SPAN_START: u32 = 7;
const SPAN_END: u32 = 8;
const SPAN_ATTRIBUTES: u32 = 9;
const SPAN_EVENTS: u32 = 11;
const SPAN_LINKS: u32 = 13;
const SPAN_STATUS: u32 = 15;
const LINK_ATTRIBUTES: u32 = 4;
const STATUS_MESSAGE: u32 = 2;
const STATUS_CODE: u32 = 3;
const ERROR: u64 = 2;

/// What of a document has no attribute of its own: a merge patch (RFC 7396), as JSON.
const DOCUMENT: &str = "aws.xray.document";

/// The service of AWS that a span calls.
const AWS_SERVICE: &str = "aws.service";

/// A span's kind, by OTLP's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Flags {
    fault: bool,
    error: bool,
    throttle: bool,
}

/// Appends the spans of a segment and of all below it. `aws` and `rest` are the segment's, as far as its resource has not taken them.
pub(super) fn put_all(
    out: &mut Vec<u8>,
    mut segment: Segment<'_>,
    aws: Option<Members<'_>>,
    rest: Rest,
    messages: &Messages,
) {
    let below = std::mem::take(&mut segment.subsegments);
    wire::put_message(out, SCOPE_SPANS_SPANS, |out| put(out, segment, aws, rest, messages));
    for mut segment in below {
        let aws = segment.members.object("aws");
        put_all(out, segment, aws, Rest::default(), messages);
    }
}

/// Appends the inside of a span.
fn put(
    out: &mut Vec<u8>,
    segment: Segment<'_>,
    aws: Option<Members<'_>>,
    mut rest: Rest,
    messages: &Messages,
) {
    let Segment { mut members, .. } = segment;
    let mut attributes = Attributes::new(SPAN_ATTRIBUTES);
    let kind = kind(segment.is_subsegment, &segment.name, &mut members, &mut attributes);
    wire::put_len(out, SPAN_TRACE_ID, &segment.trace_id);
    wire::put_len(out, SPAN_SPAN_ID, &segment.id);
    if let Some(parent) = &segment.parent_id {
        wire::put_len(out, SPAN_PARENT_SPAN_ID, parent);
    }
    wire::put_len(out, SPAN_NAME, segment.name.as_bytes());
    wire::put_uint(out, SPAN_KIND, kind as u64);
    wire::put_fixed64(out, SPAN_START, segment.start);
    wire::put_fixed64(out, SPAN_END, segment.end.unwrap_or_default());
    // What has no end is in progress, whether it says so or not.
    let in_progress = segment.in_progress.or(segment.end.is_none().then_some(true));
    attributes.bool("aws.xray.inprogress", in_progress);
    attributes.text("enduser.id", members.text("user"));
    let http = http::put(&mut members, &mut attributes, &mut rest);
    let time = segment.end.unwrap_or(segment.start);
    let cause = cause::take(&mut members, time, messages, &mut attributes, &mut rest);
    if let Some(aws) = aws {
        aws::put(aws, &mut attributes, &mut rest);
    }
    let is_sql = sql::put(&mut members, &mut attributes, &mut rest);
    if is_sql && !attributes.has(AWS_SERVICE) {
        // The database's name would be taken for that of the other side.
        attributes.text("peer.service", Some(segment.name.clone()));
    }
    attributes.bool("aws.xray.traced", members.bool("traced"));
    annotations::put_annotations(&mut members, &mut attributes, &mut rest);
    annotations::put_metadata(&mut members, &mut attributes, &mut rest);
    let has_failed = flags(&mut members, http, &cause, &mut rest);
    let links = members.list("links", link).unwrap_or_default();
    rest.put_all(members);
    attributes.text(DOCUMENT, rest.into_json());
    out.extend_from_slice(attributes.encoded());
    for event in &cause.events {
        wire::put_len(out, SPAN_EVENTS, event);
    }
    for link in &links {
        wire::put_len(out, SPAN_LINKS, link);
    }
    if has_failed {
        wire::put_message(out, SPAN_STATUS, |out| {
            if !cause.message.is_empty() {
                wire::put_len(out, STATUS_MESSAGE, cause.message.as_bytes());
            }
            wire::put_uint(out, STATUS_CODE, ERROR);
        });
    }
}

/// The kind: a segment serves; a subsegment calls AWS or another remote, or is work inside.
fn kind(
    is_subsegment: bool,
    name: &str,
    members: &mut Members<'_>,
    attributes: &mut Attributes,
) -> Kind {
    // The word of a namespace that X-Ray does not know stays where it is.
    let known = members.take("namespace", |value| match value.get() {
        r#""aws""# => Some("aws"),
        r#""remote""# => Some("remote"),
        r#""local""# => Some("local"),
        _ => None,
    });
    if known == Some("aws") {
        attributes.put(AWS_SERVICE, &Value::Str(name.to_owned()));
    }
    match known {
        _ if !is_subsegment => Kind::Server,
        Some("aws" | "remote") => Kind::Client,
        _ => Kind::Internal,
    }
}

/// Takes `fault`, `error` and `throttle`. Whether the span has failed. Where an exporter would make others of the span, they are kept.
fn flags(members: &mut Members<'_>, http: Http, cause: &Cause, rest: &mut Rest) -> bool {
    let mut flag = |name| members.bool(name).unwrap_or_default();
    let said = Flags { fault: flag("fault"), error: flag("error"), throttle: flag("throttle") };
    let is_bad = http.status.is_some_and(|status| !(100..400).contains(&status));
    let has_failed = is_bad || cause.is_there || said != Flags::default();
    let made = match http.status {
        Some(429) => Flags { error: true, throttle: true, ..Flags::default() },
        Some(400..=499) => Flags { error: true, ..Flags::default() },
        Some(500..=599) => Flags { fault: true, ..Flags::default() },
        _ => Flags { fault: has_failed, ..Flags::default() },
    };
    for (name, said, made) in [
        ("fault", said.fault, made.fault),
        ("error", said.error, made.error),
        ("throttle", said.throttle, made.throttle),
    ] {
        if said != made {
            rest.put(name, if said { "true" } else { "false" });
        }
    }
    has_failed
}

/// The inside of a link, if its ids are some and OTLP can say all that it says.
fn link(value: &serde_json::value::RawValue) -> Option<Vec<u8>> {
    let mut members = Members::of(value)?;
    let trace = trace_id(&members.text("trace_id")?)?;
    let span: [u8; 8] = hex(&members.text("id")?)?;
    let mut attributes = Attributes::new(LINK_ATTRIBUTES);
    for (key, value) in members.object("attributes").into_iter().flat_map(Members::into_members) {
        attributes.put(&key, &annotations::scalar(value)?);
    }
    let mut out = Vec::new();
    wire::put_len(&mut out, 1, &trace);
    wire::put_len(&mut out, 2, &span);
    out.extend_from_slice(attributes.encoded());
    Some(out)
}
