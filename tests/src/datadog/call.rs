//! One call of the intake, from its head to its last byte.

use std::fmt::Debug;

use hyper::Version;
use hyper::http::request::Parts;

use crate::desk::Decoded;
use crate::encoding;
use crate::otlp::{header, headers};
use crate::spans::SpanId;

use super::limit::{Limit, Size};
use super::{KEY, NEXT_KEY};

/// A call that kept every rule.
#[derive(Clone, Debug)]
pub struct Call<C> {
    /// Names in lower case, with values, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// How much it holds.
    pub size: Size,
    /// What it carries.
    pub content: C,
}

/// What one endpoint takes.
pub trait Content: Clone + Debug + Send + 'static {
    /// Where it takes it.
    const PATH: &'static str;
    /// How it takes it.
    const ENDPOINT: Endpoint;
    /// The status and body of its success.
    const SUCCESS: (u16, &'static str) = (202, "{}");

    /// The content, or the first rule that it breaks.
    ///
    /// # Errors
    ///
    /// A rule that is broken.
    fn parse(content_type: &str, plain: &[u8]) -> Result<Self, String>;

    /// How many spans, entries, points, sketches or logs it has.
    fn items(&self) -> usize;

    /// The bytes of the largest item, where Datadog limits those.
    fn item_bytes(&self) -> usize {
        0
    }

    /// The ids of the spans that it carries or speaks of, in order.
    fn span_ids(&self) -> Vec<SpanId> {
        Vec::new()
    }
}

/// How an endpoint is called.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// The method.
    pub method: &'static str,
    /// The content types it takes; none where it takes no body.
    pub content_types: &'static [&'static str],
    /// The encodings that real clients use or the API's reference names.
    pub encodings: &'static [&'static str],
    /// The most it takes.
    pub limit: Limit,
}

/// A broken rule, and the status that it is answered with.
pub(super) struct Fault {
    pub(super) status: u16,
    pub(super) rule: String,
}

impl<C> Call<C> {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl<C: Content> Call<C> {
    /// Reads a call, or finds the first rule that it breaks.
    pub(super) fn read(head: &Parts, body: &[u8]) -> Result<Self, Fault> {
        let Endpoint { method, content_types, encodings, limit } = C::ENDPOINT;
        if head.method != method {
            return Err(Fault::new(405, format!("only {method} is taken")));
        }
        // The Collector's client for Datadog turns HTTP/2 off, since the intake does not speak it.
        if head.version != Version::HTTP_11 {
            return Err(Fault::new(400, format!("{:?}", head.version)));
        }
        check_key(head)?;
        if header(head, "user-agent").is_none_or(str::is_empty) {
            return Err(Fault::new(400, "no user agent"));
        }
        let content_type = header(head, "content-type").unwrap_or_default();
        if !content_types.contains(&content_type) && !content_types.is_empty() {
            return Err(Fault::new(400, format!("content type {content_type:?}")));
        }
        let encoding = header(head, "content-encoding").unwrap_or_default();
        if !encoding.is_empty() && !encodings.contains(&encoding) {
            return Err(Fault::new(400, format!("content encoding {encoding:?}")));
        }
        let mut size = Size { wire_bytes: body.len(), ..Size::default() };
        check_size(&limit, &size)?;
        let plain = encoding::undo(encoding, body).map_err(|rule| Fault::new(400, rule))?;
        size.plain_bytes = plain.len();
        check_size(&limit, &size)?;
        let content = C::parse(content_type, &plain).map_err(|rule| Fault::new(400, rule))?;
        (size.items, size.item_bytes) = (content.items(), content.item_bytes());
        check_size(&limit, &size)?;
        Ok(Self { headers: headers(head), size, content })
    }
}

impl<C: Content> Decoded for Call<C> {
    fn span_ids(&self) -> Vec<SpanId> {
        self.content.span_ids()
    }
}

impl Fault {
    fn new(status: u16, rule: impl Into<String>) -> Self {
        Self { status, rule: rule.into() }
    }
}

fn check_key(head: &Parts) -> Result<(), Fault> {
    let keys: Vec<_> = head.headers.get_all("dd-api-key").iter().collect();
    match keys.as_slice() {
        [key] if *key == KEY || *key == NEXT_KEY => Ok(()),
        [] => Err(Fault::new(403, "no key")),
        [_] => Err(Fault::new(403, "a key that nobody configured")),
        _ => Err(Fault::new(403, "more than one key")),
    }
}

fn check_size(limit: &Limit, size: &Size) -> Result<(), Fault> {
    limit.exceeded_by(size).map_or(Ok(()), |rule| Err(Fault::new(413, rule)))
}
