//! The decoding against golden cases, wrong and hostile bodies, the exporter's translation and an independent protobuf writer.

mod golden;
mod otlp;
mod round_trip;
mod wrong;
mod zipkin_proto;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::{Value, json};

use super::{DecodeError, Format, decode};

fn read(body: &[u8], format: Format, parse_string_tags: bool) -> ExportTraceServiceRequest {
    let decoded = decode(body, format, parse_string_tags).unwrap();
    ExportTraceServiceRequest::decode(decoded.payload.to_bytes()).unwrap()
}

fn read_json(body: &Value) -> ExportTraceServiceRequest {
    read(body.to_string().as_bytes(), Format::Json, false)
}

/// A span in Zipkin JSON, with further fields.
fn span(id: u8, fields: &Value) -> Value {
    let mut span =
        json!({"traceId": "1", "id": format!("{id:x}"), "timestamp": 1_700_000_000_000_000u64});
    let (span_fields, fields) = (span.as_object_mut().unwrap(), fields.as_object().unwrap());
    span_fields.extend(fields.clone());
    span
}

#[test]
fn resource_tags_of_every_span_are_kept() {
    let service = json!({"serviceName": "web"});
    let body = json!([
        span(1, &json!({"localEndpoint": service, "tags": {"host.name": "h1", "a": "1"}})),
        span(2, &json!({"localEndpoint": service, "tags": {"host.name": "h2"}})),
        span(3, &json!({"localEndpoint": service, "tags": {"a": "2", "host.name": "h1"}})),
        span(4, &json!({"localEndpoint": service})),
        span(5, &json!({"tags": {"host.name": "h1"}})),
    ]);
    let groups = read_json(&body).resource_spans.into_iter().map(|group| {
        let attributes = group.resource.unwrap_or_default().attributes;
        let spans = group.scope_spans.into_iter().flat_map(|scope| scope.spans);
        (otlp::texts(&attributes), spans.map(|span| span.span_id[7]).collect::<Vec<u8>>())
    });
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let (web, h1, h2) =
        (pair("service.name", "web"), pair("host.name", "h1"), pair("host.name", "h2"));
    assert_eq!(
        groups.collect::<Vec<_>>(),
        [
            (vec![h1.clone()], vec![5]),
            (vec![web.clone(), h1], vec![1, 3]),
            (vec![web.clone(), h2], vec![2]),
            (vec![web], vec![4]),
        ]
    );
}

#[test]
fn text_that_is_not_utf8_is_repaired_and_counted() {
    let mut body =
        br#"[{"traceId":"1","id":"2","timestamp":1,"name":"a?b","tags":{"k":"\ud800"}}]"#.to_vec();
    let at = body.iter().position(|&byte| byte == b'?').unwrap();
    body[at] = 0xff;
    let decoded = decode(&body, Format::Json, false).unwrap();
    assert_eq!(decoded.repaired_strings, 2);
    let request = ExportTraceServiceRequest::decode(decoded.payload.to_bytes()).unwrap();
    let span = &request.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!(span.name, "a\u{fffd}b");
    let pairs = otlp::texts(&span.attributes);
    assert!(pairs[0].1.chars().all(|c| c == '\u{fffd}'), "{pairs:?}");
}

#[test]
fn empty_list_is_an_empty_payload() {
    for body in ["[]", "null", "[null]", " [ ] "] {
        assert!(decode(body.as_bytes(), Format::Json, false).unwrap().payload.is_empty());
    }
    assert!(decode(b"", Format::Proto, false).unwrap().payload.is_empty());
}

#[test]
fn last_of_a_tag_that_comes_twice_counts_however_many_there_are() {
    for count in [2, 20, 100] {
        let tags: Vec<String> =
            (0..count).map(|n| format!(r#""k{}":"{n}""#, n % (count / 2))).collect();
        let body =
            format!(r#"[{{"traceId":"1","id":"1","timestamp":1,"tags":{{{}}}}}]"#, tags.join(","));
        let request = read(body.as_bytes(), Format::Json, false);
        let attributes = &request.resource_spans[0].scope_spans[0].spans[0].attributes;
        let expected: Vec<(String, String)> =
            (0..count / 2).map(|n| (format!("k{n}"), (n + count / 2).to_string())).collect();
        assert_eq!(otlp::texts(attributes), expected);
    }
}

#[test]
fn order_of_tags_makes_no_difference() {
    let links = [(1, "11"), (0, "10"), (10, "gap")]
        .map(|(number, id)| format!(r#""otlp.link.{number}":"{}|{id}||{{}}|0""#, "aa".repeat(16)));
    let body = format!(
        r#"[{{"traceId":"1","id":"1","timestamp":1,"tags":{{"host.name":"h","os.type":"o"}}}},
            {{"traceId":"1","id":"2","timestamp":1,"tags":{{"os.type":"o","host.name":"h",{}}}}}]"#,
        links.join(",")
    );
    let request = read(body.as_bytes(), Format::Json, false);
    assert_eq!(request.resource_spans.len(), 1);
    let span = &request.resource_spans[0].scope_spans[0].spans[1];
    let ids: Vec<u8> = span.links.iter().map(|link| link.span_id[7]).collect();
    assert_eq!(ids, [0x10, 0x11]);
    assert_eq!(otlp::texts(&span.attributes)[0].0, "otlp.link.10");
}

#[test]
fn link_that_breaks_off_leaves_nothing_but_its_attribute() {
    let text = format!("{}|{}|s|{{\"a\":1,\"b\":}}|0", "aa".repeat(16), "bb".repeat(8));
    let request = read_json(&json!([span(1, &json!({"tags": {"otlp.link.0": text}}))]));
    let span = &request.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!(span.links, []);
    assert_eq!(otlp::texts(&span.attributes), [("otlp.link.0".to_owned(), text)]);
}

#[test]
fn address_in_protobuf_is_read_by_its_length() {
    for (address, text) in [
        (&[10, 0, 0, 1][..], "10.0.0.1"),
        (&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1], "10.0.0.1"),
        (&[1, 2, 0xff], "?0102ff"),
    ] {
        let ip = [&[0x12, address.len() as u8], address].concat();
        let endpoint = [&[0x4a, ip.len() as u8], &ip[..]].concat();
        let span = [&[0x0a, 8][..], &[7; 8], &[0x1a, 8], &[1; 8], &endpoint].concat();
        let request = read(&[&[0x0a, span.len() as u8], &span[..]].concat(), Format::Proto, false);
        let attributes = &request.resource_spans[0].scope_spans[0].spans[0].attributes;
        let expected = ("network.peer.address".to_owned(), text.to_owned());
        assert_eq!(otlp::texts(attributes), [expected]);
    }
}

/// The golden bodies in both encodings.
fn golden_bodies() -> Vec<(Format, Vec<u8>)> {
    let mut bodies = Vec::new();
    for case in golden::cases() {
        let body = test_golden::input(&case);
        let proto = zipkin_proto::encode(&serde_json::from_str(&body).unwrap());
        bodies.push((Format::Json, body.into_bytes()));
        bodies.extend(proto.map(|body| (Format::Proto, body)));
    }
    bodies.retain(|(_, body)| !body.is_empty());
    bodies
}
