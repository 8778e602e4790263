//! Cuts an encoded request between items without decoding it.

use std::ops::Range;

use bytes::Bytes;

use crate::schema::{Kind, Message};
use crate::wire::{Field, FieldValue, Reader, put_message};

/// Items in a message body of this schema.
pub(crate) fn count(schema: &'static Message, body: &[u8]) -> usize {
    Reader::new(body).map(|field| count_field(schema, &field)).sum()
}

fn count_field(schema: &'static Message, field: &Field<'_>) -> usize {
    let FieldValue::Len(value) = field.value else { return 0 };
    match schema.field(field.number).map(|f| f.kind) {
        Some(Kind::Item(_)) => 1,
        Some(Kind::Carrier(child)) => count(child, value),
        _ => 0,
    }
}

/// Appends the chunks that hold the given items of a request. Only the resources through which a cut goes are written anew.
pub(crate) fn slice(
    schema: &'static Message,
    request: &Bytes,
    items: Range<usize>,
    chunks: &mut Vec<Bytes>,
) {
    let (mut at, mut whole) = (0, 0..0);
    for field in Reader::new(request) {
        let within = at..at + count_field(schema, &field);
        at = within.end;
        let start = field.raw.as_ptr() as usize - request.as_ptr() as usize;
        let end = start + field.raw.len();
        match part(&within, &items) {
            Part::None if within.start >= items.end => break,
            Part::None => {}
            Part::Whole if whole.end == start => whole.end = end,
            Part::Whole => {
                push(request.slice(whole), chunks);
                whole = start..end;
            }
            Part::Some => {
                push(request.slice(whole), chunks);
                let mut out = Vec::new();
                cut_field(schema, &field, shifted(&items, within.start), &mut out);
                push(Bytes::from(out), chunks);
                whole = end..end;
            }
        }
    }
    push(request.slice(whole), chunks);
}

fn push(chunk: Bytes, chunks: &mut Vec<Bytes>) {
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
}

/// How much of a field's items are asked for.
enum Part {
    None,
    Some,
    Whole,
}

/// A field without items belongs to the range in which the next item would stand.
fn part(within: &Range<usize>, items: &Range<usize>) -> Part {
    if within.is_empty() {
        return if items.contains(&within.start) { Part::Whole } else { Part::None };
    }
    if within.start >= items.end || within.end <= items.start {
        Part::None
    } else if items.start <= within.start && within.end <= items.end {
        Part::Whole
    } else {
        Part::Some
    }
}

/// The range as counted from a field that starts at item `start`.
fn shifted(items: &Range<usize>, start: usize) -> Range<usize> {
    items.start.saturating_sub(start)..items.end.saturating_sub(start)
}

/// Writes a field on the way to items with only those in the range.
fn cut_field(schema: &'static Message, field: &Field<'_>, items: Range<usize>, out: &mut Vec<u8>) {
    let kind = schema.field(field.number).map(|f| f.kind);
    if let (Some(Kind::Carrier(child)), FieldValue::Len(body)) = (kind, field.value) {
        put_message(out, field.number, |out| cut(child, body, items, out));
    }
}

/// Writes a body with only the items in the range; what is no item or on the way to one stays.
fn cut(schema: &'static Message, body: &[u8], items: Range<usize>, out: &mut Vec<u8>) {
    let mut at = 0;
    for field in Reader::new(body) {
        let kind = schema.field(field.number).map(|f| f.kind);
        if !matches!(kind, Some(Kind::Item(_) | Kind::Carrier(_))) {
            out.extend_from_slice(field.raw);
            continue;
        }
        let within = at..at + count_field(schema, &field);
        at = within.end;
        match part(&within, &items) {
            Part::None => {}
            Part::Whole => out.extend_from_slice(field.raw),
            Part::Some => cut_field(schema, &field, shifted(&items, within.start), out),
        }
    }
}
