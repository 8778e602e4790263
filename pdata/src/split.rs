//! Cuts an encoded request between two items without decoding it.

use bytes::Bytes;

use crate::schema::{Kind, Message};
use crate::wire::{Field, FieldValue, Reader, put_len};

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

/// Cuts a request behind its first `items` items. Only the resource through which the cut goes is written anew.
pub(crate) fn split(
    schema: &'static Message,
    request: &Bytes,
    items: usize,
    head: &mut Vec<Bytes>,
    rest: &mut Vec<Bytes>,
) {
    let mut left = items;
    for field in Reader::new(request) {
        let within = count_field(schema, &field);
        if within <= left {
            left -= within;
            continue;
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        cut(schema, field.raw, left, &mut before, &mut after);
        let start = field.raw.as_ptr() as usize - request.as_ptr() as usize;
        let pieces = [request.slice(..start), Bytes::from(before)];
        head.extend(pieces.into_iter().filter(|piece| !piece.is_empty()));
        rest.push(Bytes::from(after));
        let behind = request.slice(start + field.raw.len()..);
        rest.extend(Some(behind).filter(|piece| !piece.is_empty()));
        return;
    }
    head.push(request.clone());
}

/// Writes the fields of `body` that stay before the cut and those behind it; what is no item or on the way to one goes to both.
fn cut(
    schema: &'static Message,
    body: &[u8],
    items: usize,
    before: &mut Vec<u8>,
    after: &mut Vec<u8>,
) {
    let mut left = items;
    for field in Reader::new(body) {
        match (schema.field(field.number).map(|f| f.kind), field.value) {
            (Some(Kind::Item(_)), _) if left > 0 => {
                before.extend_from_slice(field.raw);
                left -= 1;
            }
            (Some(Kind::Item(_)), _) => after.extend_from_slice(field.raw),
            (Some(Kind::Carrier(child)), FieldValue::Len(value)) => {
                let within = count(child, value);
                if within <= left {
                    before.extend_from_slice(field.raw);
                    left -= within;
                } else if left == 0 {
                    after.extend_from_slice(field.raw);
                } else {
                    let (mut inner_before, mut inner_after) = (Vec::new(), Vec::new());
                    cut(child, value, left, &mut inner_before, &mut inner_after);
                    put_len(before, field.number, &inner_before);
                    put_len(after, field.number, &inner_after);
                    left = 0;
                }
            }
            _ => {
                before.extend_from_slice(field.raw);
                after.extend_from_slice(field.raw);
            }
        }
    }
}
