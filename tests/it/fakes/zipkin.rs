use serde_json::{Value, json};
use tests::send;
use tests::zipkin::{PATH, ZipkinBackend};

const TYPE: (&str, &str) = ("content-type", "application/json");

/// A span with everything that the format knows.
fn whole() -> Value {
    json!({
        "traceId": "0102030405060708090a0b0c0d0e0f10",
        "id": "1112131415161718",
        "parentId": "2122232425262728",
        "name": "get /cart",
        "kind": "SERVER",
        "timestamp": 1_700_000_000_000_001_u64,
        "duration": 2,
        "localEndpoint": { "serviceName": "cart-api", "ipv4": "10.1.2.3", "port": 8080 },
        "remoteEndpoint": { "ipv6": "2001:db8::1" },
        "annotations": [{ "timestamp": 1_700_000_000_000_002_u64, "value": "e" }],
        "tags": { "http.status_code": "200", "empty": "" },
        "debug": true,
        "shared": false,
    })
}

/// Changes to the whole span that break one rule each, and a word of the violation.
fn broken() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("traceId", json!("0102030405060708090A0B0C0D0E0F10"), "trace id"),
        ("traceId", json!("01020304050607"), "trace id"),
        ("traceId", json!("00000000000000000000000000000000"), "trace id"),
        ("id", json!("111213141516171"), "id"),
        ("id", json!("0000000000000000"), "id"),
        ("parentId", json!("1112131415161718"), "parent id"),
        ("parentId", Value::Null, "Zipkin JSON"),
        ("name", json!("GET /cart"), "name"),
        ("name", json!(""), "name"),
        ("kind", json!("INTERNAL"), "kind"),
        ("timestamp", json!(0), "time"),
        ("timestamp", json!("1700000000000001"), "Zipkin JSON"),
        ("timestamp", json!(1.5), "Zipkin JSON"),
        ("timestamp", json!(u64::MAX), "time"),
        ("duration", json!(0), "time"),
        ("duration", json!(-1), "Zipkin JSON"),
        ("localEndpoint", json!({}), "endpoint"),
        ("localEndpoint", json!({ "serviceName": "Cart" }), "service name"),
        ("remoteEndpoint", json!({ "ipv4": "10.1.2" }), "ipv4"),
        ("remoteEndpoint", json!({ "ipv4": "2001:db8::1" }), "ipv4"),
        ("remoteEndpoint", json!({ "ipv6": "10.1.2.3" }), "ipv6"),
        ("remoteEndpoint", json!({ "port": 0 }), "port"),
        ("remoteEndpoint", json!({ "port": 65536 }), "Zipkin JSON"),
        ("remoteEndpoint", json!({ "hostname": "h" }), "Zipkin JSON"),
        ("annotations", json!([{ "timestamp": 0, "value": "e" }]), "time"),
        ("annotations", json!([{ "timestamp": 1 }]), "Zipkin JSON"),
        ("tags", json!({ "n": 1 }), "Zipkin JSON"),
        ("tags", json!({ "n": null }), "Zipkin JSON"),
        ("status", json!("OK"), "Zipkin JSON"),
    ]
}

#[test]
fn a_span_with_everything_is_taken() {
    let backend = ZipkinBackend::start();
    let reply = send::http(backend.port(), PATH, &[TYPE], json!([whole()]).to_string());
    assert_eq!(reply.status, 202);
    let span = backend.accepted().remove(0).spans.remove(0);
    assert_eq!(span.kind.as_deref(), Some("SERVER"));
    assert_eq!(span.local_endpoint.and_then(|endpoint| endpoint.port), Some(8080));
    assert_eq!(span.tags["http.status_code"], "200");
}

#[test]
fn every_broken_rule_is_a_violation() {
    let backend = ZipkinBackend::start();
    for (key, value, word) in broken() {
        let mut span = whole();
        span[key] = value.clone();
        let reply = send::http(backend.port(), PATH, &[TYPE], json!([span]).to_string());
        let violations = backend.take_violations();
        assert_eq!((reply.status, violations.len()), (400, 1), "{key}: {value}");
        assert!(violations[0].contains(word), "{key}: {value}: {violations:?}");
    }
    for (body, word) in [
        ("[]", "single span"),
        ("{}", "Zipkin JSON"),
        (
            r#"[{"traceId":"1112131415161718","id":"1112131415161718","tags":{"a":"1","a":"2"}}]"#,
            "twice",
        ),
        (r#"[{"id":"1112131415161718","id":"1112131415161718"}]"#, "duplicate"),
    ] {
        assert_eq!(send::http(backend.port(), PATH, &[TYPE], body).status, 400);
        let violations = backend.take_violations();
        assert!(violations.len() == 1 && violations[0].contains(word), "{body}: {violations:?}");
    }
    assert!(backend.requests().is_empty());
}

#[test]
fn protobuf_is_read_by_the_same_rules() {
    let backend = ZipkinBackend::start();
    let kind = [("content-type", "application/x-protobuf")];
    // ListOfSpans { spans { trace_id, id, kind CLIENT, name, timestamp, duration } }
    let span = [
        [0x0a, 8].as_slice(),
        &[1; 8],
        &[0x12, 8],
        &[0; 8],
        &[0x1a, 8],
        &[2; 8],
        &[0x20, 1, 0x2a, 1, b'Q', 0x31],
        &5_u64.to_le_bytes(),
        &[0x38, 9],
    ]
    .concat();
    let list = |span: &[u8]| [&[0x0a, u8::try_from(span.len()).unwrap()], span].concat();
    assert_eq!(send::http(backend.port(), PATH, &kind, list(&span)).status, 202);
    let taken = backend.accepted().remove(0).spans.remove(0);
    assert_eq!(taken.id, "0202020202020202");
    assert_eq!((taken.parent_id, taken.name.as_deref()), (None, Some("Q")));
    assert_eq!((taken.timestamp, taken.duration), (Some(5), Some(9)));
    let short_id = [[0x0a, 8].as_slice(), &[1; 8], &[0x1a, 7], &[2; 7]].concat();
    assert_eq!(send::http(backend.port(), PATH, &kind, list(&short_id)).status, 400);
    assert_eq!(backend.take_violations().len(), 1);
}

/// The oracle of the fake: whatever the real server turns away, the fake must have called a violation.
#[test]
fn the_fake_is_at_least_as_strict_as_the_real_server() {
    let server = tests::parts::ZipkinServer::shared();
    let post =
        |span: Value| send::http(server.port(), PATH, &[TYPE], json!([span]).to_string()).status;
    assert_eq!(post(whole()), 202);
    let refused = broken().into_iter().filter(|(key, value, _)| {
        let mut span = whole();
        span[*key] = value.clone();
        post(span) == 400
    });
    // Ids of a wrong length or content and values of a wrong type at least.
    assert!(refused.count() >= 8);
    let stored = server.trace("0102030405060708090a0b0c0d0e0f10", 1);
    assert_eq!(stored[0]["kind"], "SERVER");
}
