//! A segment document: its members, in the order that needs no looking back.

use pdata::text::put_hex;
use pdata::view::{Link, Span, SpanKind, StatusCode};

use super::annotations::{self, Attributes};
use super::attributes::Known;
use super::cause::Causes;
use super::ids::{Ids, put_trace_id, span_id};
use super::keys::{Block, Key};
use super::limits::{Limits, Trimmed};
use super::names::{is_aws_sdk, put_name};
use super::options::Options;
use super::resource::ResourceParts;
use super::text::{put_if, put_seconds};
use super::{Role, aws, http, sql};

const OPENING: &[u8] = br#"{\"id\":\""#;
/// Where a document's id begins.
pub(super) const ID_OFFSET: usize = OPENING.len();
/// What stands between that and the trace's.
const BEFORE_TRACE_ID: &[u8] = br#"\",\"trace_id\":\""#;
/// Where the trace's id begins.
pub(super) const TRACE_ID_OFFSET: usize = ID_OFFSET + 16 + BEFORE_TRACE_ID.len();
/// The number of the id that a segment gets which is made up for a service.
const SERVICE_ID: u64 = 0;

/// Writes documents; keeps its buffers from one span to the next.
#[derive(Debug, Default)]
pub(super) struct Writer<'a> {
    pub(super) known: Known<'a>,
    scratch: Vec<u8>,
}

/// The documents that a span becomes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Documents<'a> {
    ids: Ids<'a>,
    parent: Option<[u8; 8]>,
    roles: &'static [Role],
}

/// All that a document is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'s, 'a> {
    pub(super) span: &'s Span<'a>,
    pub(super) resource: &'s ResourceParts<'a>,
    pub(super) options: &'s Options,
    pub(super) role: Role,
    pub(super) ids: Ids<'a>,
    id: [u8; 8],
    parent: Option<[u8; 8]>,
    /// Whether it is a subsegment by the span's kind and parent; only others have the resource's attributes.
    is_subsegment: bool,
    /// Whether it is a subsegment of one that Lambda has made for the function, though it would be a segment elsewhere.
    is_joined: bool,
}

impl Scene<'_, '_> {
    /// Whether the resource's attributes stand in it.
    pub(super) fn has_resource(&self) -> bool {
        !self.is_subsegment
    }
}

impl<'a> Documents<'a> {
    /// Those of this span, whose attributes the writer then knows; none if its ids are none.
    pub(super) fn of(span: &Span<'a>, writer: &mut Writer<'a>) -> Option<Self> {
        let ids = Ids::of(span.trace_id, span.span_id)?;
        writer.known.fill(span.attributes);
        let is_local_root = writer.known.text(Key::AwsSpanKind) == b"LOCAL_ROOT";
        let roles: &[Role] = match span.kind {
            _ if !is_local_root => &[Role::Plain],
            SpanKind::Server | SpanKind::Internal => &[Role::LocalRoot],
            _ => &[Role::Dependency, Role::Service],
        };
        // X-Ray has no place for a document that is its own parent.
        let parent = span_id(span.parent_span_id).filter(|parent| *parent != ids.span).copied();
        Some(Self { ids, parent, roles })
    }

    pub(super) fn roles(&self) -> &'static [Role] {
        self.roles
    }

    /// What the document of a role is made of.
    pub(super) fn scene<'s>(
        &self,
        role: Role,
        span: &'s Span<'a>,
        resource: &'s ResourceParts<'a>,
        options: &'s Options,
    ) -> Scene<'s, 'a> {
        let of_service = || self.ids.further(SERVICE_ID);
        let (id, parent) = match role {
            Role::Plain | Role::LocalRoot => (*self.ids.span, self.parent),
            Role::Dependency => (*self.ids.span, Some(of_service())),
            Role::Service => (of_service(), self.parent),
        };
        let is_entry = matches!(span.kind, SpanKind::Server | SpanKind::Consumer);
        let is_subsegment = !is_entry && parent.is_some();
        let is_joined = is_entry
            && parent.is_some()
            && role == Role::Plain
            && options.has_segment_of_lambda(self.ids.trace);
        let ids = self.ids;
        Scene { span, resource, options, role, ids, id, parent, is_subsegment, is_joined }
    }
}

impl<'a> Writer<'a> {
    /// Appends a document.
    pub(super) fn put(
        &mut self,
        out: &mut Vec<u8>,
        scene: &Scene<'_, 'a>,
        limits: &Limits,
        trimmed: &mut Trimmed,
    ) {
        let Self { known, scratch } = self;
        let (span, resource, role) = (scene.span, scene.resource, scene.role);
        out.extend_from_slice(OPENING);
        put_hex(out, &scene.id);
        out.extend_from_slice(BEFORE_TRACE_ID);
        put_trace_id(out, scene.ids.trace);
        if let Some(parent) = &scene.parent {
            out.extend_from_slice(br#"\",\"parent_id\":\""#);
            put_hex(out, parent);
        }
        out.extend_from_slice(br#"\",\"name\":\""#);
        let is_of_aws = put_name(out, span, known, resource, role);
        out.extend_from_slice(br#"\",\"start_time\":"#);
        put_seconds(out, span.start_time_unix_nano);
        if known.get(Key::XrayInProgress) == Some(&pdata::view::AnyValue::Bool(true)) {
            out.extend_from_slice(br#",\"in_progress\":true"#);
        } else {
            out.extend_from_slice(br#",\"end_time\":"#);
            put_seconds(out, span.end_time_unix_nano);
        }
        put_flags(out, span, known);
        let is_plain_subsegment = role == Role::Plain && scene.is_subsegment;
        if role == Role::Dependency || is_plain_subsegment || scene.is_joined {
            out.extend_from_slice(br#",\"type\":\"subsegment\""#);
        }
        put_namespace(out, span, role, is_of_aws || is_aws_sdk(known));
        out.extend_from_slice(&resource.common);
        put_if(out, br#",\"user\":\""#, known.text(Key::EnduserId), limits.text);
        if role != Role::Service {
            http::put(out, span, known, scratch, limits);
        }
        let causes = Causes::put(out, scene, known, limits, trimmed);
        aws::put(out, scene, known, limits);
        let is_sql = sql::put(out, span, known, scratch, limits, trimmed);
        let attributes =
            Attributes { known, scene, is_sql, is_status_text_used: causes == Causes::OfStatus };
        annotations::put(out, &attributes, scratch, limits, trimmed);
        put_links(out, scene, scratch, limits, trimmed);
        trimmed.other += usize::from(limits.text < usize::MAX);
        out.push(b'}');
    }
}

impl Attributes<'_, '_> {
    /// Whether an attribute has been used up by a block.
    #[inline]
    pub(super) fn is_used(&self, key: Key) -> bool {
        match key.block() {
            Block::Http | Block::Aws => true,
            Block::Sql => self.is_sql,
            Block::None => match key {
                Key::EnduserId => true,
                Key::HttpStatusText => self.is_status_text_used,
                _ => false,
            },
        }
    }
}

/// The status of an HTTP answer decides, and only without one the span's.
fn put_flags(out: &mut Vec<u8>, span: &Span<'_>, known: &Known<'_>) {
    let code = known.int(Key::HttpStatusCode).or_else(|| known.int(Key::HttpResponseStatusCode));
    let flags: &[u8] = match code {
        Some(429) => br#",\"fault\":false,\"error\":true,\"throttle\":true"#,
        Some(400..=499) => br#",\"fault\":false,\"error\":true,\"throttle\":false"#,
        Some(500..=599) => br#",\"fault\":true,\"error\":false,\"throttle\":false"#,
        _ if span.status.code == StatusCode::Error => {
            br#",\"fault\":true,\"error\":false,\"throttle\":false"#
        }
        _ => br#",\"fault\":false,\"error\":false,\"throttle\":false"#,
    };
    out.extend_from_slice(flags);
}

fn put_namespace(out: &mut Vec<u8>, span: &Span<'_>, role: Role, is_of_aws: bool) {
    let is_call = matches!(span.kind, SpanKind::Client | SpanKind::Producer);
    let namespace: &[u8] = match role {
        Role::LocalRoot | Role::Service => b"",
        _ if is_of_aws => br#",\"namespace\":\"aws\""#,
        Role::Dependency => br#",\"namespace\":\"remote\""#,
        Role::Plain if is_call => br#",\"namespace\":\"remote\""#,
        Role::Plain => b"",
    };
    out.extend_from_slice(namespace);
}

/// Links stand in the document that was caused by them: with a consumer, in the segment. One without ids is none.
fn put_links(
    out: &mut Vec<u8>,
    scene: &Scene<'_, '_>,
    scratch: &mut Vec<u8>,
    limits: &Limits,
    trimmed: &mut Trimmed,
) {
    if scene.span.links.is_empty() {
        return;
    }
    let is_consumer = scene.span.kind == SpanKind::Consumer;
    let has_links = match scene.role {
        Role::Plain | Role::LocalRoot => true,
        Role::Dependency => !is_consumer,
        Role::Service => is_consumer,
    };
    if !has_links {
        return;
    }
    const OPENING: &[u8] = br#",\"links\":["#;
    let mark = out.len();
    out.extend_from_slice(OPENING);
    let mut left = limits.links;
    for link in scene.span.links {
        let Some(ids) = Ids::of(link.trace_id, link.span_id) else { continue };
        if left == 0 {
            trimmed.other += 1;
            break;
        }
        left -= 1;
        put_link(out, &link, ids, scratch, limits);
    }
    super::text::close(out, mark, OPENING.len(), b']');
}

fn put_link(
    out: &mut Vec<u8>,
    link: &Link<'_>,
    ids: Ids<'_>,
    scratch: &mut Vec<u8>,
    limits: &Limits,
) {
    out.extend_from_slice(br#"{\"trace_id\":\""#);
    put_trace_id(out, ids.trace);
    out.extend_from_slice(br#"\",\"id\":\""#);
    put_hex(out, ids.span);
    out.extend_from_slice(br#"\""#);
    if !link.attributes.is_empty() && limits.metadata.is_some() {
        out.extend_from_slice(br#",\"attributes\":"#);
        scratch.clear();
        pdata::text::put_json_object(scratch, &link.attributes, pdata::text::Escaping::Plain);
        pdata::text::put_escaped(out, scratch);
    }
    out.extend_from_slice(b"},");
}
