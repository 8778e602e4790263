//! What the two encodings have to be able to write.

use std::net::IpAddr;

use pdata::view::{AnyValue, SpanKind};

/// An encoding, written piece by piece. A span is opened, gets its head, its tags, its endpoints and annotations, and is closed.
pub(super) trait Form {
    /// Typical length of a body in lengths of the payload, for the first allocation.
    const GROWTH: usize;
    /// Bytes that `close_body` adds.
    const CLOSING_LEN: usize;

    /// Opens a list of spans.
    fn open_body(out: &mut Vec<u8>);
    /// Closes the list.
    fn close_body(out: &mut Vec<u8>);

    /// Opens a span; what it returns closes it.
    fn open_span(out: &mut Vec<u8>) -> usize;
    /// Closes a span.
    fn close_span(out: &mut Vec<u8>, opened: usize);

    /// Writes what a span is.
    fn head(out: &mut Vec<u8>, head: &Head<'_>);

    /// Opens the tags; what it returns closes them.
    fn open_tags(out: &mut Vec<u8>) -> usize;
    /// Closes the tags.
    fn close_tags(out: &mut Vec<u8>, opened: usize);
    /// Writes a tag. Rendered tags can be copied to any place among other tags.
    fn tag(out: &mut Vec<u8>, key: &[u8], value: &AnyValue<'_>, scratch: &mut Vec<u8>);

    /// Writes an endpoint.
    fn endpoint(out: &mut Vec<u8>, side: Side, endpoint: &Endpoint<'_>);

    /// Opens the annotations; what it returns closes them.
    fn open_annotations(out: &mut Vec<u8>) -> usize;
    /// Writes an annotation.
    fn annotation(out: &mut Vec<u8>, time_unix_nano: u64, value: &[u8]);
    /// Closes the annotations.
    fn close_annotations(out: &mut Vec<u8>, opened: usize);
}

/// What a span is, apart from its tags.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    pub(super) trace_id: &'a [u8; 16],
    pub(super) span_id: &'a [u8; 8],
    pub(super) parent_id: Option<&'a [u8; 8]>,
    pub(super) name: &'a [u8],
    pub(super) kind: SpanKind,
    /// Nanoseconds since 1970; `None` when Zipkin is to see no timestamp.
    pub(super) start: Option<u64>,
    /// Nanoseconds; more than zero.
    pub(super) duration: Option<u64>,
}

/// Which end of a call an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Local,
    Remote,
}

/// A service at an address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint<'a> {
    /// May be empty.
    pub(super) service_name: &'a [u8],
    pub(super) ip: Option<IpAddr>,
    pub(super) port: Option<u16>,
}

/// Microseconds, rounded half up.
pub(super) fn rounded_micros(nanos: u64) -> u64 {
    nanos / 1000 + u64::from(nanos % 1000 >= 500)
}
