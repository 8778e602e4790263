//! Zipkin v2 protobuf (openzipkin/zipkin-api `zipkin.proto`).
//!
//! As in any protobuf reader, the last of a repeated single field counts, and unknown fields are passed over; groups, which the format
//! does not have, are refused, so that nothing here nests.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use pdata::wire::{self, Reader};

use super::groups::Groups;
use super::span::{self, Annotation, Endpoint, Kind, Text, ZipkinSpan};
use super::{DecodeError, Fault};

/// Reads all spans of a body into groups.
pub(super) fn read(body: &[u8], groups: &mut Groups) -> Result<(), DecodeError> {
    let offset = |at: &[u8]| (at.as_ptr() as usize).saturating_sub(body.as_ptr() as usize);
    let malformed = |Malformed(at): Malformed<'_>| DecodeError::Protobuf { offset: offset(at) };
    let mut span = ZipkinSpan::default();
    let mut index = 0;
    let mut fields = Fields(Reader::new(body));
    while let Some((number, value)) = fields.next().map_err(malformed)? {
        let (1, Value::Len(message)) = (number, value) else { continue };
        span.reset();
        let fault = read_span(&mut span, message).map_err(malformed)?;
        let added = fault.map_or(Ok(()), Err).and_then(|()| span.check());
        let added = added.and_then(|()| groups.add(&span));
        added.map_err(|fault| DecodeError::Span { index, fault })?;
        index += 1;
    }
    Ok(())
}

/// Where the bytes are not protobuf.
struct Malformed<'a>(&'a [u8]);

/// A field's value.
#[derive(Clone, Copy)]
enum Value<'a> {
    Number(u64),
    Len(&'a [u8]),
}

/// The fields of a message that has not been validated.
struct Fields<'a>(Reader<'a>);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, Malformed<'a>> {
        let start = self.0.rest();
        if start.is_empty() {
            return Ok(None);
        }
        self.field().map(Some).ok_or(Malformed(start))
    }

    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.0.varint()?;
        let value = match (key & 7) as u8 {
            wire::VARINT => Value::Number(self.0.varint()?),
            wire::FIXED64 => Value::Number(self.0.fixed64()?),
            wire::FIXED32 => Value::Number(u64::from(self.0.fixed32()?)),
            wire::LEN => Value::Len(self.0.len_bytes()?),
            _ => return None,
        };
        Some((key >> 3, value)).filter(|_| key >> 3 != 0)
    }
}

fn read_span<'a>(
    span: &mut ZipkinSpan<'a>,
    message: &'a [u8],
) -> Result<Option<Fault>, Malformed<'a>> {
    let mut first = None;
    // Zero is the epoch here; only JSON can leave a timestamp out.
    span.start = Some(0);
    let mut fields = Fields(Reader::new(message));
    while let Some((number, value)) = fields.next()? {
        let fault = match (number, value) {
            (1, Value::Len(id)) => read_id(&mut span.trace_id, id, &[8, 16], Fault::TraceId),
            (2, Value::Len([])) => Ok(()),
            (2, Value::Len(id)) => {
                read_id(span.parent_id.insert([0; 8]), id, &[8], Fault::ParentId)
            }
            (3, Value::Len(id)) => read_id(&mut span.id, id, &[8], Fault::Id),
            (4, Value::Number(kind)) => {
                span.kind = match kind {
                    1 => Kind::Client,
                    2 => Kind::Server,
                    3 => Kind::Producer,
                    4 => Kind::Consumer,
                    _ => Kind::Unspecified,
                };
                Ok(())
            }
            (5, Value::Len(name)) => {
                span.name = Cow::Borrowed(name);
                Ok(())
            }
            (6, Value::Number(micros)) => span::nanos(micros).map(|nanos| span.start = Some(nanos)),
            (7, Value::Number(micros)) => span::nanos(micros).map(|nanos| span.duration = nanos),
            (8, Value::Len(endpoint)) => {
                read_endpoint(&mut span.local, endpoint)?;
                Ok(())
            }
            (9, Value::Len(endpoint)) => {
                read_endpoint(&mut span.remote, endpoint)?;
                Ok(())
            }
            (10, Value::Len(annotation)) => {
                read_annotation(annotation)?.map(|annotation| span.annotations.push(annotation))
            }
            (11, Value::Len(tag)) => {
                span.tags.push(read_tag(tag)?);
                Ok(())
            }
            _ => Ok(()),
        };
        first = first.or(fault.err());
    }
    Ok(first)
}

/// An id of one of these lengths, padded on the left.
fn read_id(to: &mut [u8], id: &[u8], lengths: &[usize], fault: Fault) -> Result<(), Fault> {
    if !lengths.contains(&id.len()) {
        return Err(fault);
    }
    to.fill(0);
    to.iter_mut().rev().zip(id.iter().rev()).for_each(|(to, from)| *to = *from);
    Ok(())
}

fn read_endpoint<'a>(endpoint: &mut Endpoint<'a>, message: &'a [u8]) -> Result<(), Malformed<'a>> {
    let mut fields = Fields(Reader::new(message));
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Len(name)) => endpoint.service_name = Cow::Borrowed(name),
            (2, Value::Len(ip)) => endpoint.ipv4 = address(ip),
            (3, Value::Len(ip)) => endpoint.ipv6 = address(ip),
            (4, Value::Number(port)) => endpoint.port = i64::from(port as i32),
            _ => {}
        }
    }
    Ok(())
}

/// An address as text, in the form of its length. Bytes that are no address are kept as Go prints them.
fn address(bytes: &[u8]) -> Text<'static> {
    let text = if let Ok(ip) = <[u8; 4]>::try_from(bytes) {
        Ipv4Addr::from(ip).to_string()
    } else if let Ok(ip) = <[u8; 16]>::try_from(bytes) {
        Ipv6Addr::from(ip).to_canonical().to_string()
    } else if bytes.is_empty() {
        String::new()
    } else {
        bytes.iter().fold("?".to_owned(), |text, byte| text + &format!("{byte:02x}"))
    };
    Cow::Owned(text.into_bytes())
}

fn read_annotation<'a>(message: &'a [u8]) -> Result<Result<Annotation<'a>, Fault>, Malformed<'a>> {
    let (mut micros, mut text): (u64, &[u8]) = (0, &[]);
    let mut fields = Fields(Reader::new(message));
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Number(timestamp)) => micros = timestamp,
            (2, Value::Len(value)) => text = value,
            _ => {}
        }
    }
    let time = span::nanos(micros);
    Ok(time.map(|time| Annotation { time, value: Cow::Borrowed(text) }))
}

fn read_tag<'a>(message: &'a [u8]) -> Result<(Text<'a>, Text<'a>), Malformed<'a>> {
    let (mut key, mut text): (&[u8], &[u8]) = (&[], &[]);
    let mut fields = Fields(Reader::new(message));
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Len(bytes)) => key = bytes,
            (2, Value::Len(bytes)) => text = bytes,
            _ => {}
        }
    }
    Ok((Cow::Borrowed(key), Cow::Borrowed(text)))
}
