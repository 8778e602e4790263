//! Keys of groups and deployments as bytes: built in a buffer that is used again, hashed and compared in one go, and taken apart once,
//! when a bucket is flushed.

use std::borrow::Cow;

use pdata::wire::{self, Reader};

use super::input::{PayloadKey, StatSpan, Tag};

/// Stands for a value that a cap kept out, as in Datadog's own clients.
pub(crate) const BLOCKED: &str = "tracer_blocked_value";

/// The key of a group: a deployment and everything that tells its groups apart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GroupKey<'a> {
    pub(crate) service: &'a str,
    pub(crate) name: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) span_type: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) http_method: &'a str,
    pub(crate) http_endpoint: &'a str,
    pub(crate) service_source: &'a str,
    pub(crate) http_status_code: u32,
    pub(crate) grpc_status_code: Option<u32>,
    pub(crate) synthetics: bool,
    pub(crate) trace_root: TraceRoot,
    pub(crate) peer_tags: &'a [Tag<'a>],
    pub(crate) additional_tags: &'a [Tag<'a>],
}

/// Whether a group's spans are roots of their traces; the numbers are the protocol's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TraceRoot {
    #[default]
    Unset = 0,
    Yes = 1,
    No = 2,
}

/// A group's key taken apart. Tags are `key:value`, sorted.
#[derive(Debug, Default)]
pub(crate) struct ReadKey<'a> {
    pub(crate) payload: u32,
    pub(crate) http_status_code: u32,
    pub(crate) grpc_status_code: Option<u32>,
    pub(crate) synthetics: bool,
    pub(crate) trace_root: u64,
    /// In the order of [`GroupKey`].
    pub(crate) texts: [&'a str; TEXTS],
    pub(crate) peer_tags: Vec<String>,
    pub(crate) additional_tags: Vec<String>,
}

/// Text fields of a group's key.
const TEXTS: usize = 8;
const SYNTHETICS: u64 = 4;

impl<'a> GroupKey<'a> {
    pub(crate) fn of(span: &StatSpan<'a>) -> Self {
        Self {
            service: span.service,
            name: span.name,
            resource: span.resource,
            span_type: span.span_type,
            kind: span.kind,
            http_method: span.http_method,
            http_endpoint: span.http_endpoint,
            service_source: span.service_source,
            http_status_code: span.http_status_code,
            grpc_status_code: span.grpc_status_code,
            synthetics: span.synthetics,
            trace_root: if span.trace_root { TraceRoot::Yes } else { TraceRoot::No },
            peer_tags: span.peer_tags,
            additional_tags: span.additional_tags,
        }
    }

    /// The group of all spans of a deployment that found no room for a group of their own.
    pub(crate) const OVERFLOW: GroupKey<'static> = GroupKey {
        service: BLOCKED,
        name: BLOCKED,
        resource: BLOCKED,
        span_type: BLOCKED,
        kind: BLOCKED,
        http_method: BLOCKED,
        http_endpoint: BLOCKED,
        service_source: BLOCKED,
        http_status_code: 0,
        grpc_status_code: None,
        synthetics: false,
        trace_root: TraceRoot::Unset,
        peer_tags: &[(BLOCKED, Cow::Borrowed(""))],
        additional_tags: &[(BLOCKED, Cow::Borrowed(""))],
    };

    /// Puts the key of this group in the deployment numbered `payload` in place of what `out` holds.
    #[inline]
    pub(crate) fn write(&self, payload: u32, out: &mut Vec<u8>) {
        out.clear();
        wire::put_varint(out, u64::from(payload));
        wire::put_varint(out, u64::from(self.http_status_code));
        wire::put_varint(out, self.grpc_status_code.map_or(0, |code| u64::from(code) + 1));
        wire::put_varint(
            out,
            self.trace_root as u64 | if self.synthetics { SYNTHETICS } else { 0 },
        );
        let texts = [
            self.service,
            self.name,
            self.resource,
            self.span_type,
            self.kind,
            self.http_method,
            self.http_endpoint,
            self.service_source,
        ];
        texts.iter().for_each(|text| put_text(out, text));
        put_tags(out, self.peer_tags);
        put_tags(out, self.additional_tags);
    }
}

impl<'a> ReadKey<'a> {
    /// Takes apart what [`GroupKey::write`] wrote.
    pub(crate) fn read(key: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(key);
        let mut this = Self {
            payload: u32::try_from(reader.varint()?).ok()?,
            http_status_code: u32::try_from(reader.varint()?).ok()?,
            grpc_status_code: reader.varint()?.checked_sub(1).map(|code| code as u32),
            ..Self::default()
        };
        let flags = reader.varint()?;
        (this.synthetics, this.trace_root) = (flags & SYNTHETICS != 0, flags & !SYNTHETICS);
        for text in &mut this.texts {
            *text = text_of(&mut reader)?;
        }
        this.peer_tags = tags_of(&mut reader)?;
        this.additional_tags = tags_of(&mut reader)?;
        Some(this)
    }
}

/// Puts a deployment's key in place of what `out` holds.
pub(crate) fn write_payload_key(key: &PayloadKey<'_>, out: &mut Vec<u8>) {
    out.clear();
    let texts = [
        key.env,
        key.hostname,
        key.version,
        key.container_id,
        key.lang,
        key.git_commit_sha,
        key.image_tag,
        key.base_service,
    ];
    texts.iter().for_each(|text| put_text(out, text));
}

/// Takes apart what [`write_payload_key`] wrote.
pub(crate) fn read_payload_key(key: &[u8]) -> Option<PayloadKey<'_>> {
    let mut reader = Reader::new(key);
    Some(PayloadKey {
        env: text_of(&mut reader)?,
        hostname: text_of(&mut reader)?,
        version: text_of(&mut reader)?,
        container_id: text_of(&mut reader)?,
        lang: text_of(&mut reader)?,
        git_commit_sha: text_of(&mut reader)?,
        image_tag: text_of(&mut reader)?,
        base_service: text_of(&mut reader)?,
        container_tags: &[],
    })
}

#[inline]
fn put_text(out: &mut Vec<u8>, text: &str) {
    wire::put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

#[inline]
fn put_tags(out: &mut Vec<u8>, tags: &[Tag<'_>]) {
    wire::put_varint(out, tags.len() as u64);
    for (key, value) in tags {
        put_text(out, key);
        put_text(out, value);
    }
}

fn text_of<'a>(reader: &mut Reader<'a>) -> Option<&'a str> {
    std::str::from_utf8(reader.len_bytes()?).ok()
}

fn tags_of(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let count = reader.varint()?;
    let mut tags = Vec::new();
    for _ in 0..count {
        let (key, value) = (text_of(reader)?, text_of(reader)?);
        tags.push(if value.is_empty() { key.to_owned() } else { format!("{key}:{value}") });
    }
    tags.sort_unstable();
    Some(tags)
}
