//! Documents that are too long, calls that are full, and spans that cannot be sent.

use std::collections::BTreeMap;

use pdata::sample;
use serde_json::json;

use super::*;

/// Attributes of these keys with texts of these lengths.
fn attributes(texts: &[(&str, usize)]) -> String {
    let one = |(key, len): &(&str, usize)| json!({"key": key, "value": {"stringValue": "é".repeat(len / 2)}});
    Value::Array(texts.iter().map(one).collect()).to_string()
}

fn exception(message: usize, frames: usize) -> String {
    let trace: String = (0..frames).map(|n| format!("\tat a.B.c{n}(B.java:{n})\n")).collect();
    json!([{"name": "exception", "attributes": [
        {"key": "exception.message", "value": {"stringValue": "m".repeat(message)}},
        {"key": "exception.stacktrace", "value": {"stringValue": format!("E\n{trace}")}},
    ]}])
    .to_string()
}

fn translated(json: &str) -> Translation {
    let translation = translate(&payload(json), &Options::default());
    for call in &translation.calls {
        assert_eq!(call.documents.len(), documents_of(call).len());
        for document in documents_of(call) {
            let len = serde_json::to_string(&document).unwrap().len();
            assert!(len <= DOCUMENT_BYTES_MAX, "{len} bytes");
        }
    }
    translation
}

#[test]
fn calls_have_fifty_documents_in_the_order_of_the_spans() {
    for (spans, calls) in [(1, vec![1]), (50, vec![50]), (51, vec![50, 1]), (120, vec![50, 50, 20])]
    {
        let payload = sample::traces(spans);
        let translation = translate(&payload, &Options::default());
        let sizes: Vec<usize> = translation.calls.iter().map(|call| call.documents.len()).collect();
        assert_eq!(sizes, calls);
        let ids = documents(&translation).into_iter().map(|document| document["id"].clone());
        let sent: Vec<Value> = ids.collect();
        let all = payload.resource_spans().flat_map(|resource| resource.scope_spans.into_iter());
        let all = all.flat_map(|scope| scope.spans.into_iter());
        let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let expected: Vec<Value> = all.map(|span| json!(hex(span.span_id))).collect();
        assert_eq!(sent, expected);
    }
}

#[test]
fn ids_and_bodies_of_parts_are_read_where_the_documents_stand() {
    let translation = translate(&sample::traces(30), &Options::default());
    let call = &translation.calls[0];
    for (document, json) in call.documents.iter().zip(documents_of(call)) {
        assert_eq!(call.id(document), json["id"].as_str().unwrap().as_bytes());
        assert_eq!(call.trace_id(document), json["trace_id"].as_str().unwrap().as_bytes());
    }
    let body = call.body_of(call.documents.iter());
    assert_eq!(body, call.body);
    let some = [&call.documents[3], &call.documents[17]];
    let part = Call { body: call.body_of(some.into_iter()).into(), ..Call::default() };
    assert_eq!(
        documents_of(&part),
        [documents_of(call)[3].clone(), documents_of(call)[17].clone()]
    );
}

#[test]
fn both_documents_of_a_span_go_in_one_call() {
    let span = |n: usize| {
        json!({
            "traceId": "6554ab10a1b2c3d4e5f60718293a4b5c", "spanId": format!("{:016x}", n + 1), "kind": 3, "name": "n",
            "attributes": [{"key": "aws.span.kind", "value": {"stringValue": "LOCAL_ROOT"}}],
        })
    };
    let mut spans: Vec<Value> = (0..60).map(span).collect();
    spans[0]["attributes"] = json!([]);
    let json = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string();
    let translation = translated(&json);
    let sizes: Vec<(usize, usize)> =
        translation.calls.iter().map(|call| (call.documents.len(), call.spans)).collect();
    assert_eq!(sizes, [(49, 25), (50, 25), (20, 10)]);
    for call in &translation.calls {
        let mut documents: BTreeMap<usize, usize> = BTreeMap::new();
        for document in &call.documents {
            *documents.entry(document.span).or_default() += 1;
        }
        assert_eq!(documents.len(), call.spans);
    }
}

#[test]
fn metadata_goes_first_and_the_longest_of_it_first() {
    let sizes = [("big", 60_000), ("middle", 5_000), ("small", 500), ("tiny", 20)];
    let texts = format!(
        r#""name":"n","parentSpanId":"00f067aa0ba902b8","attributes":{}"#,
        attributes(&sizes)
    );
    let translation = translated(&request(&texts));
    assert_eq!(translation.trimmed, Trimmed { metadata: 1, ..Trimmed::default() });
    let document = &documents(&translation)[0];
    let keys: Vec<&String> = document["metadata"]["default"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["middle", "small", "tiny"]);

    let many: Vec<String> = (0..700).map(|n| format!("key{n}")).collect();
    let many: Vec<(&str, usize)> = many.iter().map(|key| (key.as_str(), 100)).collect();
    let texts = format!(r#""name":"n","attributes":{}"#, attributes(&many));
    let translation = translated(&request(&texts));
    assert_eq!(translation.trimmed.metadata, 1);
    assert_eq!(documents(&translation)[0].get("metadata"), None);
}

#[test]
fn frames_go_after_metadata_and_queries_after_frames() {
    let attributes =
        attributes(&[("k", 40), ("db.statement", 40_000), ("db.system", 0), ("http.url", 23_000)]);
    let attributes = attributes.replacen(
        r#"{"key":"db.system","value":{"stringValue":""}}"#,
        r#"{"key":"db.system","value":{"stringValue":"mysql"}}"#,
        1,
    );
    let with = |frames| {
        let events = exception(10, frames);
        translated(&request(&format!(r#""name":"n","attributes":{attributes},"events":{events}"#)))
    };
    let translation = with(40);
    assert_eq!(translation.trimmed, Trimmed { metadata: 1, frames: 1, ..Trimmed::default() });
    let exception_of =
        |translation: &Translation| documents(translation)[0]["cause"]["exceptions"][0].clone();
    let stack = exception_of(&translation);
    assert_eq!((stack["stack"].as_array().unwrap().len(), &stack["truncated"]), (10, &json!(30)));

    let attributes = attributes.replace(&"é".repeat(11_500), &"é".repeat(12_500));
    let events = exception(10, 40);
    let json = request(&format!(r#""name":"n","attributes":{attributes},"events":{events}"#));
    let translation = translated(&json);
    let expected = Trimmed { metadata: 1, frames: 1, query: 1, ..Trimmed::default() };
    assert_eq!(translation.trimmed, expected);
    assert_eq!(exception_of(&translation)["truncated"], 40);
    let query = documents(&translation)[0]["sql"]["sanitized_query"].as_str().unwrap().len();
    assert_eq!(query, 4096);
}

#[test]
fn other_texts_go_last() {
    let attributes = attributes(&[("http.url", 70_000)]);
    let span = format!(r#""name":"n","parentSpanId":"00f067aa0ba902b8","attributes":{attributes}"#);
    let translation = translated(&request(&span));
    assert_eq!(translation.trimmed, Trimmed { other: 1, ..Trimmed::default() });
    let url = documents(&translation)[0]["http"]["request"]["url"].as_str().unwrap().len();
    assert_eq!(url, 1024);
}

#[test]
fn escapes_count_once() {
    // In the body each quote takes four bytes, in the document two.
    let texts = json!([{"key": "k", "value": {"stringValue": "\"".repeat(31_000)}}]);
    let translation = translated(&request(&format!(r#""name":"n","attributes":{texts}"#)));
    assert_eq!(translation.trimmed, Trimmed::default());
    let texts = json!([{"key": "k", "value": {"stringValue": "\"".repeat(32_000)}}]);
    let translation = translated(&request(&format!(r#""name":"n","attributes":{texts}"#)));
    assert_eq!(translation.trimmed.metadata, 1);
}

#[test]
fn what_is_too_long_without_all_that_is_dropped_and_counted_and_the_others_stay() {
    let groups = vec!["g".repeat(1000); 70];
    let options = Options::new(&[], false, &groups);
    let json = request(r#""name":"n","kind":2"#);
    let translation = translate(&payload(&json), &options);
    assert_eq!((translation.calls.len(), translation.too_large), (0, 1));

    let resources = json!({"resourceSpans": [
        {"resource": {"attributes": [{"key": "service.version", "value": {"stringValue": "v".repeat(70_000)}}]},
         "scopeSpans": [{"spans": [{"traceId": "6554ab10a1b2c3d4e5f60718293a4b5c", "spanId": "0000000000000001"}]}]},
        {"scopeSpans": [{"spans": [{"traceId": "6554ab10a1b2c3d4e5f60718293a4b5c", "spanId": "0000000000000002"}]}]},
    ]});
    let translation = translated(&resources.to_string());
    assert_eq!((translation.calls[0].spans, translation.too_large), (1, 1));
    assert_eq!(documents(&translation)[0]["id"], "0000000000000002");
}

#[test]
fn spans_without_ids_are_left_out_and_counted() {
    let span = |trace: &str, id: &str| json!({"traceId": trace, "spanId": id, "name": "n"});
    let good = "6554ab10a1b2c3d4e5f60718293a4b5c";
    let spans = [
        span(good, "0000000000000000"),
        span(&"0".repeat(32), "0000000000000001"),
        span("", "0000000000000001"),
        span(good, ""),
        span(good, "0000000000000001"),
    ];
    let json = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string();
    let translation = translated(&json);
    assert_eq!((translation.without_ids, documents(&translation).len()), (4, 1));
}

#[test]
fn a_payload_of_nothing_is_no_call() {
    let translation =
        translate(&payload(r#"{"resourceSpans":[{"scopeSpans":[{}]}]}"#), &Options::default());
    assert!(translation.calls.is_empty());
}

#[test]
fn the_same_span_has_the_same_ids_each_time() {
    let span = r#""name":"n","kind":4,"attributes":[{"key":"aws.span.kind","value":{"stringValue":"LOCAL_ROOT"}}],"status":{"code":2,"message":"m"}"#;
    let once = documents(&translated(&request(span)));
    assert_eq!(once, documents(&translated(&request(span))));
    assert_eq!(once[0]["parent_id"], once[1]["id"]);
    let exception = |n: usize| &once[n]["cause"]["exceptions"][0]["id"];
    assert_ne!(exception(0), exception(1));
}
