//! The way from a request's bytes to its span ids, and no step further.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

/// Undoes the content encoding; none when the bytes are not what they claim to be.
pub(crate) fn inflate<'a>(body: &'a [u8], encoding: &str) -> Option<Cow<'a, [u8]>> {
    match encoding {
        "" | "identity" => Some(Cow::Borrowed(body)),
        "gzip" => {
            let mut plain = Vec::with_capacity(body.len() * 8);
            MultiGzDecoder::new(body).read_to_end(&mut plain).ok()?;
            Some(Cow::Owned(plain))
        }
        "zstd" => zstd::decode_all(body).ok().map(Cow::Owned),
        _ => None,
    }
}

/// The one message of a gRPC request.
pub(crate) fn message<'a>(body: &'a [u8], encoding: &str) -> Option<Cow<'a, [u8]>> {
    let (prefix, message) = body.split_first_chunk::<5>()?;
    let [flag, length @ ..] = *prefix;
    if u32::from_be_bytes(length) as usize != message.len() {
        return None;
    }
    inflate(message, if flag == 1 { encoding } else { "" })
}

/// Visits the id of every span of an `ExportTraceServiceRequest`; false when the bytes are not one, or a span has no id.
pub(crate) fn otlp_span_ids(body: &[u8], visit: &mut dyn FnMut([u8; 8])) -> bool {
    let mut ids = true;
    let whole = at_path(body, &[1, 2, 2], &mut |span| {
        let mut id = None;
        let whole = each_field(span, &mut |field, value| {
            if let (2, Value::Bytes(value)) = (field, value) {
                id = <[u8; 8]>::try_from(value).ok();
            }
            true
        });
        match id {
            Some(id) => visit(id),
            None => ids = false,
        }
        whole
    });
    whole && ids
}

/// Visits the id of every span of Datadog's `AgentPayload`; false when the bytes are not one, or a span has no id.
pub(crate) fn datadog_span_ids(body: &[u8], visit: &mut dyn FnMut([u8; 8])) -> bool {
    let mut ids = true;
    // Tracer payloads, chunks, spans.
    let whole = at_path(body, &[5, 6, 3], &mut |span| {
        let mut id = 0_u64;
        let whole = each_field(span, &mut |field, value| {
            if let (5, Value::Varint(value)) = (field, value) {
                id = value;
            }
            true
        });
        match id {
            0 => ids = false,
            id => visit(id.to_be_bytes()),
        }
        whole
    });
    whole && ids
}

/// The hits of a `StatsPayload` in MessagePack, added up; none when one is not a number. No other text of a bench's is `Hits`.
pub(crate) fn datadog_hits(body: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\xa4Hits";
    let mut hits = 0;
    let mut rest = body;
    while let Some(at) = rest.windows(KEY.len()).position(|window| window == KEY) {
        let (kind, after) = rest.get(at + KEY.len()..)?.split_first()?;
        let length = match kind {
            0..=0x7f => 0,
            0xcc..=0xcf => 1 << (kind - 0xcc),
            _ => return None,
        };
        let (number, after) = after.split_at_checked(length)?;
        let big_endian = number.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        hits += if length == 0 { u64::from(*kind) } else { big_endian };
        rest = after;
    }
    Some(hits)
}

/// Visits the id of every span of a Zipkin v2 JSON list; false when the text is not one.
pub(crate) fn zipkin_span_ids(body: &[u8], visit: &mut dyn FnMut([u8; 8])) -> bool {
    #[derive(Deserialize)]
    struct Span<'a> {
        id: &'a str,
    }
    let Ok(spans) = serde_json::from_slice::<Vec<Span<'_>>>(body) else { return false };
    spans.iter().all(|span| match u64::from_str_radix(span.id, 16) {
        Ok(id) if span.id.len() == 16 => {
            visit(id.to_be_bytes());
            true
        }
        _ => false,
    })
}

/// Visits the id of every document of `PutTraceSegments`; false when the text is not one, or a document has no id.
pub(crate) fn xray_span_ids(body: &[u8], visit: &mut dyn FnMut([u8; 8])) -> bool {
    #[derive(Deserialize)]
    struct Put<'a> {
        #[serde(rename = "TraceSegmentDocuments", borrow)]
        documents: Vec<Cow<'a, str>>,
    }
    #[derive(Deserialize)]
    struct Document<'a> {
        id: &'a str,
    }
    let Ok(put) = serde_json::from_slice::<Put<'_>>(body) else { return false };
    put.documents.iter().all(|document| {
        let Ok(document) = serde_json::from_str::<Document<'_>>(document) else { return false };
        match u64::from_str_radix(document.id, 16) {
            Ok(id) if document.id.len() == 16 => {
                visit(id.to_be_bytes());
                true
            }
            _ => false,
        }
    })
}

/// Visits every message that is reached by following `path` of field numbers.
fn at_path(bytes: &[u8], path: &[u64], visit: &mut dyn FnMut(&[u8]) -> bool) -> bool {
    let Some((first, rest)) = path.split_first() else { return visit(bytes) };
    each_field(bytes, &mut |field, value| match value {
        Value::Bytes(value) if field == *first => at_path(value, rest, visit),
        _ => true,
    })
}

/// A field's content, as far as anybody asks.
#[derive(Clone, Copy)]
enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
}

/// Visits every field that is a varint or length-delimited; false when the bytes are malformed or a visit says so.
fn each_field(mut rest: &[u8], visit: &mut dyn FnMut(u64, Value<'_>) -> bool) -> bool {
    while !rest.is_empty() {
        let Some(key) = varint(&mut rest) else { return false };
        let length = match key & 7 {
            0 => match varint(&mut rest) {
                Some(value) if visit(key >> 3, Value::Varint(value)) => continue,
                _ => return false,
            },
            1 => 8,
            5 => 4,
            2 => match varint(&mut rest) {
                Some(length) => length as usize,
                None => return false,
            },
            _ => return false,
        };
        let Some((value, after)) = rest.split_at_checked(length) else { return false };
        rest = after;
        if key & 7 == 2 && !visit(key >> 3, Value::Bytes(value)) {
            return false;
        }
    }
    true
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(
        read: impl Fn(&[u8], &mut dyn FnMut([u8; 8])) -> bool,
        body: &[u8],
    ) -> (bool, usize) {
        let mut count = 0;
        let whole = read(body, &mut |_| count += 1);
        (whole, count)
    }

    #[test]
    fn a_request_cut_anywhere_is_noticed() {
        let mut body = Vec::new();
        crate::payload::Template::new(3, 1).append_to(&mut body, 1, 0);
        assert_eq!(collected(otlp_span_ids, &body), (true, 3));
        for length in 1..body.len() {
            assert!(!collected(otlp_span_ids, &body[..length]).0, "cut after {length} bytes");
        }
        assert!(message(&[0, 0, 0, 0, 2, 1], "").is_none());
        assert!(inflate(&body, "gzip").is_none());
    }

    #[test]
    fn ids_of_x_ray_documents_are_read_inside_of_their_strings() {
        let body = br#"{"TraceSegmentDocuments":["{\"id\":\"00f067aa0ba902b7\",\"name\":\"a\"}","{\"id\":\"0000000000000001\"}"]}"#;
        let mut ids = Vec::new();
        assert!(xray_span_ids(body, &mut |id| ids.push(u64::from_be_bytes(id))));
        assert_eq!(ids, [0x00f0_67aa_0ba9_02b7, 1]);
        for broken in [
            &br#"{"TraceSegmentDocuments":["{\"id\":\"1\"}"]}"#[..],
            br#"{"TraceSegmentDocuments":["{}"]}"#,
            br#"{"TraceSegmentDocuments":["{\"id\":\"00f067aa0ba902b7\""]}"#,
            br#"{}"#,
        ] {
            assert!(!xray_span_ids(broken, &mut |_| ()));
        }
    }

    #[test]
    fn datadog_s_ids_and_hits_are_read_where_they_stand() {
        // Two spans in one chunk, the second with an id of ten bytes; fields around them are passed over.
        let first = [0x0a, 1, b's', 0x20, 9, 0x28, 7];
        let second = [&[0x28][..], &[0xff; 9], &[1]].concat();
        let inside =
            |field: u8, content: &[u8]| [&[field << 3 | 2, content.len() as u8], content].concat();
        let chunk = [inside(3, &first), inside(3, &second), vec![0x08, 1]].concat();
        let body = [inside(1, b"host"), inside(5, &inside(6, &chunk))].concat();
        let mut ids = Vec::new();
        assert!(datadog_span_ids(&body, &mut |id| ids.push(u64::from_be_bytes(id))));
        assert_eq!(ids, [7, u64::MAX]);
        let without = inside(5, &inside(6, &inside(3, &first[..5])));
        assert!(!datadog_span_ids(&without, &mut |_| ()));
        // Behind the host's field, what is left is a whole payload without spans.
        for length in (1..body.len()).filter(|length| *length != 6) {
            assert!(!datadog_span_ids(&body[..length], &mut |_| ()), "cut after {length} bytes");
        }
        let stats = b"\x82\xa4Hits\x05\xa4Name\xa4Hitz\xa4Hits\xcd\x01\x02\xa4Hits\xce\0\0\x01\0";
        assert_eq!(datadog_hits(stats), Some(5 + 0x102 + 0x100));
        assert_eq!(datadog_hits(b"\xa4Hits\xa1x"), None);
        assert_eq!(
            inflate(&zstd::encode_all(&stats[..], 1).unwrap(), "zstd").as_deref(),
            Some(&stats[..])
        );
    }

    #[test]
    fn zipkin_ids_must_be_whole() {
        let list = br#"[{"traceId":"1","id":"00000000000000ff","tags":{"id":"x"}}]"#;
        assert_eq!(collected(zipkin_span_ids, list), (true, 1));
        for broken in [r#"[{"id":"ff"}]"#, r#"[{"traceId":"1"}]"#, r#"[{"id":"00000000000000ff"}"#]
        {
            assert!(!collected(zipkin_span_ids, broken.as_bytes()).0, "{broken}");
        }
    }
}
