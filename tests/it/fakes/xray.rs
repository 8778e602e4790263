use serde_json::{Value, json};
use tests::answer::Answer;
use tests::send;
use tests::xray::{PATH, XRayBackend, document};

type Headers = Vec<(&'static str, String)>;

const TYPE: (&str, &str) = ("content-type", "application/json");
const DATE: (&str, &str) = ("x-amz-date", "20260102T030405Z");

fn authorization() -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKID/20260102/eu-west-1/xray/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature={}",
        "0a".repeat(32)
    )
}

/// A document with everything that is checked.
fn whole() -> Value {
    json!({
        "name": "GET /cart 予約", "id": "00f067aa0ba902b7",
        "trace_id": "1-6554ab10-a1b2c3d4e5f60718293a4b5c", "parent_id": "1111111111111111",
        "start_time": 1_700_047_632.123, "end_time": 1_700_047_632.456, "type": "subsegment",
        "namespace": "remote", "fault": true, "error": false, "throttle": false, "user": "bob",
        "origin": "AWS::EC2::Instance", "service": {"version": "1"},
        "http": {"request": {"method": "GET"}, "response": {"status": 200, "content_length": 0}},
        "aws": {"xray": {"auto_instrumentation": false}}, "sql": {"url": "q"},
        "annotations": {"a.b_c9": "x", "n": 1, "b": true}, "metadata": {"default": {"k": [1]}, "n": null},
        "cause": {"exceptions": [
            {"id": "2222222222222222", "cause": "3333333333333333", "stack": [{"path": "a", "line": 1, "label": "b"}]},
            {"id": "3333333333333333"},
        ]},
        "links": [{"trace_id": "1-6554ab10-a1b2c3d4e5f60718293a4b5c", "id": "4444444444444444", "attributes": {}}],
    })
}

fn body(documents: &[Value]) -> String {
    let texts: Vec<String> = documents.iter().map(Value::to_string).collect();
    json!({"TraceSegmentDocuments": texts}).to_string()
}

/// Puts a body as it is, signed as far as the fake looks.
fn put(backend: &XRayBackend, body: impl Into<String>) -> (u16, Value) {
    let authorization = authorization();
    let headers = [TYPE, DATE, ("authorization", authorization.as_str())];
    let reply = send::http(backend.port(), PATH, &headers, body.into());
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

#[test]
fn a_document_with_everything_is_taken() {
    let backend = XRayBackend::start();
    let (status, answer) = put(&backend, body(&[whole()]));
    assert_eq!((status, answer), (200, json!({"UnprocessedTraceSegments": []})));
    let request = backend.accepted().remove(0);
    assert_eq!((request.access_key.as_str(), request.region.as_str()), ("AKID", "eu-west-1"));
    assert_eq!(request.documents[0].name, "GET /cart 予約");
    let ids: Vec<_> = backend.delivered().into_keys().collect();
    assert_eq!(ids, [0x00f0_67aa_0ba9_02b7_u64.to_be_bytes()]);
}

#[test]
fn every_broken_rule_of_a_document_is_a_violation() {
    let backend = XRayBackend::start();
    let long = "x".repeat(document::BYTES_MAX);
    for (key, value, word) in [
        ("name", json!("a?b"), "name"),
        ("name", json!("a\tb"), "name"),
        ("name", json!(""), "name"),
        ("name", json!("x".repeat(201)), "name"),
        ("name", Value::Null, "name"),
        ("id", json!("00F067AA0BA902B7"), "id"),
        ("id", json!("00f067aa0ba902b"), "id"),
        ("id", json!("0000000000000000"), "id"),
        ("trace_id", json!("6554ab10a1b2c3d4e5f60718293a4b5c"), "trace_id"),
        ("trace_id", json!("1-6554ab10-a1b2c3d4e5f60718293a4b5"), "trace_id"),
        ("trace_id", json!("2-6554ab10-a1b2c3d4e5f60718293a4b5c"), "trace_id"),
        ("parent_id", json!(""), "parent_id"),
        ("parent_id", json!("00f067aa0ba902b7"), "its own parent"),
        ("start_time", json!("1"), "start_time"),
        ("end_time", json!("1"), "end_time"),
        ("in_progress", json!(true), "in_progress"),
        ("type", json!("segment"), "type"),
        ("namespace", json!("local"), "namespace"),
        ("fault", json!("true"), "fault"),
        ("user", json!(7), "user"),
        ("http", json!([]), "http"),
        ("annotations", json!({"a-b": 1}), "annotation"),
        ("annotations", json!({"": 1}), "annotation"),
        ("annotations", json!({"k".repeat(501): 1}), "annotation"),
        ("annotations", json!({"k": "x".repeat(1001)}), "annotation"),
        ("annotations", json!({"k": [1]}), "annotation"),
        ("annotations", json!({"k": null}), "annotation"),
        ("metadata", json!({"default": 1}), "metadata"),
        ("metadata", json!({"default": {"k": long}}), "bytes"),
        ("cause", json!({"exceptions": [{"id": "1"}]}), "exception"),
        (
            "cause",
            json!({"exceptions": [{"id": "2222222222222222", "cause": "3333333333333333"}]}),
            "cause",
        ),
        (
            "cause",
            json!({"exceptions": [{"id": "2222222222222222"}, {"id": "2222222222222222"}]}),
            "one id",
        ),
        (
            "cause",
            json!({"exceptions": [{"id": "2222222222222222", "stack": [{"path": "a"}]}]}),
            "frame",
        ),
        ("links", json!([{"trace_id": "1-6554ab10-a1b2c3d4e5f60718293a4b5c", "id": ""}]), "link"),
        ("subsegmentz", json!([]), "member"),
    ] {
        let mut document = whole();
        document[key] = value.clone();
        assert_eq!(put(&backend, body(&[document])).0, 400, "{key}");
        let violations = backend.take_violations();
        assert!(violations.len() == 1 && violations[0].contains(word), "{key}: {violations:?}");
    }
    for key in ["name", "id", "trace_id", "start_time", "end_time"] {
        let mut document = whole();
        document.as_object_mut().unwrap().remove(key);
        assert_eq!(put(&backend, body(&[document])).0, 400, "{key}");
        assert_eq!(backend.take_violations().len(), 1, "{key}");
    }
    let mut orphan = whole();
    orphan.as_object_mut().unwrap().remove("parent_id");
    assert_eq!(put(&backend, body(&[orphan])).0, 400);
    assert_eq!(backend.take_violations().len(), 1);
    let twice = whole().to_string().replacen(r#""k":[1]"#, r#""k":[1],"k":2"#, 1);
    assert_eq!(put(&backend, json!({"TraceSegmentDocuments": [twice]}).to_string()).0, 400);
    assert!(backend.take_violations()[0].contains(r#"the key "k" is there twice"#));
    assert!(backend.requests().is_empty());
}

#[test]
fn the_longest_document_and_fifty_of_them_are_taken_and_one_more_is_not() {
    let backend = XRayBackend::start();
    let mut document = whole();
    let room = document::BYTES_MAX - document.to_string().len() - r#","x":"""#.len();
    document["metadata"]["default"]["x"] = json!("x".repeat(room));
    assert_eq!(document.to_string().len(), document::BYTES_MAX);
    assert_eq!(put(&backend, body(&[document.clone()])).0, 200);
    document["metadata"]["default"]["x"] = json!("x".repeat(room + 1));
    assert_eq!(put(&backend, body(&[document])).0, 400);
    assert!(backend.take_violations()[0].contains("64001 bytes"));
    assert_eq!(put(&backend, body(&vec![whole(); 50])).0, 200);
    for documents in [0, 51] {
        assert_eq!(put(&backend, body(&vec![whole(); documents])).0, 400);
        assert!(backend.take_violations()[0].contains("documents in one call"));
    }
}

#[test]
fn calls_that_are_none_are_violations() {
    let backend = XRayBackend::start();
    for (text, word) in [
        ("{", "JSON"),
        ("[]", "TraceSegmentDocuments"),
        (r#"{"TraceSegmentDocuments":{}}"#, "TraceSegmentDocuments"),
        (r#"{"TraceSegmentDocuments":[{}]}"#, "no string"),
        (r#"{"TraceSegmentDocuments":["x"]}"#, "no JSON"),
        (r#"{"TraceSegmentDocuments":["[]"]}"#, "no object"),
        (r#"{"TraceSegmentDocuments":["{}"],"More":1}"#, "nothing else"),
    ] {
        assert_eq!(put(&backend, text).0, 400, "{text}");
        let violations = backend.take_violations();
        assert!(violations.len() == 1 && violations[0].contains(word), "{text}: {violations:?}");
    }
    let signature = authorization();
    let with = |change: &dyn Fn(&mut Headers)| {
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("x-amz-date", DATE.1.to_owned()),
            ("authorization", signature.clone()),
        ];
        change(&mut headers);
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let status = send::http(backend.port(), PATH, &headers, body(&[whole()])).status;
        (status, backend.take_violations())
    };
    assert_eq!(with(&|_| ()), (200, Vec::new()));
    for (place, value, word) in [
        (0, "application/x-amz-json-1.1", "content type"),
        (1, "20260103T030405Z", "the request of"),
        (2, "Bearer x", "signature"),
        (2, &signature.replace("/xray/", "/logs/"), "scope"),
        (2, &signature.replace("host;", ""), "are signed"),
        (2, &signature.replace("content-type;", "content-type;x-gone;"), "x-gone"),
        (2, &signature.replace("0a0a", "0A0A"), "signature"),
    ] {
        let (status, violations) = with(&|headers| headers[place].1 = value.to_owned());
        assert_eq!(status, 400, "{value}");
        assert!(violations[0].contains(word), "{value}: {violations:?}");
    }
    assert_eq!(with(&|headers| headers.truncate(2)).0, 400);
    assert_eq!(with(&|headers| headers.push(("content-encoding", "gzip".to_owned()))).0, 400);
    let headers = [TYPE, DATE, ("authorization", signature.as_str())];
    assert_eq!(
        send::http(backend.port(), "/PutTraceSegments", &headers, body(&[whole()])).status,
        400
    );
    assert_eq!(backend.take_violations().len(), 1);
}

#[test]
fn the_script_refuses_documents_calls_and_keys() {
    let backend = XRayBackend::start();
    backend.refuse_documents(|document| document.id.ends_with('7').then(|| "Code".to_owned()));
    let mut other = whole();
    other["id"] = json!("0000000000000001");
    let (status, answer) = put(&backend, body(&[whole(), other.clone()]));
    assert_eq!(status, 200);
    assert_eq!(answer["UnprocessedTraceSegments"][0]["Id"], "00f067aa0ba902b7");
    assert_eq!(answer["UnprocessedTraceSegments"][0]["ErrorCode"], "Code");
    let ids: Vec<_> = backend.delivered().into_keys().collect();
    assert_eq!(ids, [1_u64.to_be_bytes()], "what is not processed is not delivered");

    backend.answer_next([
        Answer::status_retry_after(429, 3),
        Answer::status(500),
        Answer::status(403),
    ]);
    for (status, name) in
        [(429, "ThrottledException"), (500, "InternalFailure"), (403, "AccessDeniedException")]
    {
        let (answered, answer) = put(&backend, body(&[other.clone()]));
        assert_eq!((answered, &answer["__type"]), (status, &json!(name)));
    }
    backend.name_error(403, "UnrecognizedClientException");
    backend.answer_next([Answer::status(403)]);
    assert_eq!(put(&backend, body(&[other.clone()])).1["__type"], "UnrecognizedClientException");
    backend.expire("AKID");
    let (status, answer) = put(&backend, body(&[other]));
    assert_eq!((status, &answer["__type"]), (403, &json!("ExpiredTokenException")));
}
