//! Bodies that are wrong, and bodies that mean harm.

use proptest::collection::vec;
use proptest::prelude::any;

use super::{DecodeError, Format, decode, golden_bodies};
use crate::decode::Fault;

fn json_error(body: &str) -> DecodeError {
    decode(body.as_bytes(), Format::Json, false).unwrap_err()
}

fn fault(body: &str) -> (usize, Fault) {
    match json_error(body) {
        DecodeError::Span { index, fault } => (index, fault),
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn wrong_span_is_named_with_its_place() {
    let huge = u64::MAX / 1000 + 1;
    for (span, expected) in [
        (r#"{"id":"1"}"#, Fault::TraceId),
        (r#"{"id":"1","traceId":null}"#, Fault::TraceId),
        (r#"{"id":"1","traceId":""}"#, Fault::TraceId),
        (r#"{"id":"1","traceId":"00000000000000000000000000000000"}"#, Fault::TraceId),
        (r#"{"id":"1","traceId":"xyz"}"#, Fault::TraceId),
        (r#"{"id":"1","traceId":"000000000000000000000000000000001"}"#, Fault::TraceId),
        (r#"{"traceId":"1"}"#, Fault::Id),
        (r#"{"traceId":"1","id":"0"}"#, Fault::Id),
        (r#"{"traceId":"1","id":"12345678901234567"}"#, Fault::Id),
        (r#"{"traceId":"1","id":"g"}"#, Fault::Id),
        (r#"{"traceId":"1","id":"1","parentId":"0x1"}"#, Fault::ParentId),
        (r#"{"traceId":"1","id":"1","timestamp":-1}"#, Fault::Time),
        (r#"{"traceId":"1","id":"1","timestamp":1e300}"#, Fault::Time),
        (r#"{"traceId":"1","id":"1","duration":-0.5}"#, Fault::Time),
        (&format!(r#"{{"traceId":"1","id":"1","timestamp":{huge}}}"#), Fault::Time),
        (
            &format!(r#"{{"traceId":"1","id":"1","timestamp":1000,"duration":{}}}"#, huge - 1),
            Fault::Time,
        ),
        (r#"{"traceId":"1","id":"1","annotations":[{"value":"a"}]}"#, Fault::Annotation),
        (
            r#"{"traceId":"1","id":"1","annotations":[{"timestamp":0,"value":"a"}]}"#,
            Fault::Annotation,
        ),
    ] {
        let good = r#"{"traceId":"1","id":"1"}"#;
        assert_eq!(fault(&format!("[{good},null,{span},{good}]")), (2, expected), "{span}");
    }
}

#[test]
fn body_that_is_no_list_of_spans_is_told_apart_from_one_that_is_no_json() {
    use DecodeError::{CutOff, Syntax, Type};
    for body in ["", "  ", "[", r#"[{"traceId":"1","id":"1""#, r#"[{"traceId":"1"#, "[{}"] {
        let error = json_error(body);
        assert!(matches!(error, CutOff) || body == "[{}", "{body}: {error:?}");
    }
    for body in ["x", "[,]", "[]]", r#"[{"traceId":1x}]"#, "[] []", "{]"] {
        assert!(matches!(json_error(body), Syntax { .. } | Type { .. }), "{body}");
    }
    assert!(matches!(json_error("[}"), Syntax { line: 1, column: 2 }));
    for body in [
        "{}",
        "7",
        r#""text""#,
        "[7]",
        "[[]]",
        "true",
        r#"[{"traceId":7,"id":"1"}]"#,
        r#"[{"traceId":"1","id":"1","name":7}]"#,
        r#"[{"traceId":"1","id":"1","timestamp":"7"}]"#,
        r#"[{"traceId":"1","id":"1","tags":{"a":1}}]"#,
        r#"[{"traceId":"1","id":"1","tags":["a"]}]"#,
        r#"[{"traceId":"1","id":"1","annotations":{}}]"#,
        r#"[{"traceId":"1","id":"1","localEndpoint":"web"}]"#,
        r#"[{"traceId":"1","id":"1","localEndpoint":{"port":"80"}}]"#,
    ] {
        assert!(matches!(json_error(body), Type { .. }), "{body}: {:?}", json_error(body));
    }
}

#[test]
fn error_never_quotes_the_body() {
    let secret = "hunter2";
    for body in [
        format!(r#"[{{"traceId":"{secret}","id":"1"}}]"#),
        format!(r#"[{{"traceId":"1","id":"1","timestamp":"{secret}"}}]"#),
        format!(r#"[{{"traceId":"1","id":"1","tags":"{secret}"}}]"#),
        format!(r#""{secret}""#),
        secret.to_owned(),
    ] {
        let error = json_error(&body).to_string();
        assert!(!error.contains(secret), "{error}");
    }
}

#[test]
fn nesting_of_any_depth_is_refused_or_passed_over() {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let unknown = format!(r#"[{{"traceId":"1","id":"1","x":{}}}]"#, deep("[", "]"));
    assert_eq!(decode(unknown.as_bytes(), Format::Json, false).unwrap().payload.items(), 1);
    assert!(matches!(json_error(&deep("[", "]")), DecodeError::Type { .. }));

    // In an annotation it is left as text.
    for depth in [29, 30, 31, 60, 120, 5000] {
        let json = format!(r#"{{\"a\":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        let body = format!(
            r#"[{{"traceId":"1","id":"1","annotations":[{{"timestamp":1,"value":"e|{json}|0"}}]}}]"#
        );
        let decoded = decode(body.as_bytes(), Format::Json, false).unwrap();
        let span = decoded.payload.resource_spans().next().unwrap();
        let span = span.scope_spans.iter().next().unwrap().spans.iter().next().unwrap();
        let event = span.events.iter().next().unwrap();
        assert_eq!(event.attributes.is_empty(), depth > 30, "{depth}");
        assert_eq!(event.name == "e", depth <= 30, "{depth}");
    }
}

#[test]
fn malformed_protobuf_is_refused_with_the_place() {
    let malformed = |body: &[u8]| match decode(body, Format::Proto, false).unwrap_err() {
        DecodeError::Protobuf { offset } => offset,
        other => panic!("{other:?}"),
    };
    // Field 1 that is longer than the body; field 0; an open group; wire type 7; a varint without an end.
    assert_eq!(malformed(&[0x0a, 5, 1]), 0);
    assert_eq!(malformed(&[0x00, 1]), 0);
    assert_eq!(malformed(&[0x0b; 100_000]), 0);
    assert_eq!(malformed(&[0x0f, 1]), 0);
    assert_eq!(malformed(&[0x08, 0xff]), 0);
    // Inside the span, behind its first field.
    assert_eq!(malformed(&[0x0a, 4, 0x20, 1, 0x3a, 9]), 4);
}

#[test]
fn wrong_span_in_protobuf_is_named_with_its_place() {
    let faulty = |fields: &[u8]| {
        let good = [&[0x0a, 8][..], &[7; 8], &[0x1a, 8], &[1; 8]].concat();
        let list = |span: &[u8]| [&[0x0a, span.len() as u8], span].concat();
        let body = [list(&good), list(&[&good, fields].concat())].concat();
        decode(&body, Format::Proto, false).map(|decoded| decoded.payload.items())
    };
    let fault = |index, fault| Err(DecodeError::Span { index, fault });
    assert_eq!(faulty(&[]), Ok(2));
    assert_eq!(faulty(&[0x0a, 3, 1, 1, 1]), fault(1, Fault::TraceId));
    assert_eq!(faulty(&[&[0x0a, 16][..], &[0; 16]].concat()), fault(1, Fault::TraceId));
    assert_eq!(faulty(&[0x1a, 1, 1]), fault(1, Fault::Id));
    assert_eq!(faulty(&[0x12, 2, 1, 1]), fault(1, Fault::ParentId));
    assert_eq!(faulty(&[&[0x31][..], &[0xff; 8]].concat()), fault(1, Fault::Time));
}

proptest::proptest! {
    #[test]
    fn damaged_body_is_read_or_refused_without_a_panic(
        case in any::<proptest::sample::Index>(),
        damage in vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6),
        parse in any::<bool>(),
    ) {
        let bodies = golden_bodies();
        let (format, body) = case.get(&bodies);
        let mut body = body.clone();
        for (at, byte) in damage {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let _read_or_refused = decode(&body, *format, parse);
    }

    #[test]
    fn random_bytes_are_read_or_refused_without_a_panic(body in vec(any::<u8>(), 0..200)) {
        for format in [Format::Json, Format::Proto] {
            let _read_or_refused = decode(&body, format, true);
        }
    }
}
