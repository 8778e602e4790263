//! The main job on real input: a real SDK sends to the agent, and the trace is read back from a real Zipkin server.
//!
//! What is expected is the Zipkin mapping of open-telemetry/opentelemetry-collector-contrib
//! (`pkg/translator/zipkin/zipkinv2/from_translator.go`).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::gateway::{Gateway, undelivered};
use tests::parts::{Account, Sdk, SentSpan, ZipkinServer};
use tests::{ports, zipkin};

#[test]
fn python_over_grpc_is_read_back_from_zipkin() {
    check(Sdk::Python, "grpc", |gateway| format!("http://127.0.0.1:{}", gateway.grpc));
}

#[test]
fn python_over_http_is_read_back_from_zipkin() {
    check(Sdk::Python, "http", |gateway| format!("http://127.0.0.1:{}/v1/traces", gateway.http));
}

#[test]
fn node_over_grpc_is_read_back_from_zipkin() {
    check(Sdk::Node, "grpc", |gateway| format!("http://127.0.0.1:{}", gateway.grpc));
}

#[test]
fn node_over_http_is_read_back_from_zipkin() {
    check(Sdk::Node, "http", |gateway| format!("http://127.0.0.1:{}/v1/traces", gateway.http));
}

#[test]
fn node_over_json_is_read_back_from_zipkin() {
    check(Sdk::Node, "json", |gateway| format!("http://127.0.0.1:{}/v1/traces", gateway.http));
}

#[test]
fn zipkin_exporters_are_read_back_from_zipkin() {
    for sdk in [Sdk::Python, Sdk::Node] {
        let server = ZipkinServer::shared();
        let (port, metrics) = (ports::free(), ports::free());
        let yaml = format!(
            "receivers: {{ zipkin: {{ endpoint: \"127.0.0.1:{port}\" }} }}
exporters: {{ zipkin: {{ endpoint: \"{}\" }} }}
service:
  shutdown: {{ linger: 0s }}
  telemetry:
    metrics:
      readers:
        - pull: {{ exporter: {{ prometheus: {{ host: 127.0.0.1, port: {metrics} }} }} }}
  pipelines: {{ traces: {{ receivers: [zipkin], exporters: [zipkin] }} }}
",
            zipkin::endpoint(server.port())
        );
        let _agent = tests::agent::Setup::config(&yaml).listening_on([port]).start();
        let account = sdk.send("zipkin", &zipkin::endpoint(port));
        let stored = server.trace(&account.spans[0].trace_id, account.spans.len());
        for span in &account.spans {
            let found = of(&stored, span);
            assert_eq!(found["name"], span.name.to_lowercase(), "{found}");
            assert_eq!(found["kind"], zipkin_kind(&span.kind), "{found}");
            assert_eq!(found["localEndpoint"]["serviceName"], "kaban-shop", "{found}");
            assert_eq!(
                found["parentId"].as_str().unwrap_or_default(),
                span.parent_span_id,
                "{found}"
            );
        }
    }
}

/// Sends the journey through an agent to Zipkin, and compares every span that Zipkin has stored.
fn check(sdk: Sdk, protocol: &str, endpoint: impl Fn(&Gateway) -> String) {
    let server = ZipkinServer::shared();
    let exporter = format!("{{ endpoint: \"{}\" }}", zipkin::endpoint(server.port()));
    let gateway = Gateway::new().processor("batch", "{}").exporter("zipkin", &exporter);
    let agent = gateway.start();
    let account = sdk.send(protocol, &endpoint(&gateway));
    let stored = server.trace(&account.spans[0].trace_id, account.spans.len());
    assert_eq!(stored.len(), 6);
    for span in &account.spans {
        compare(of(&stored, span), span, &account, sdk);
    }
    let ended = agent.stop();
    assert_eq!((ended.code, undelivered(&ended)), (Some(0), 0), "{}", ended.stderr);
}

fn compare(found: &Value, sent: &SentSpan, account: &Account, sdk: Sdk) {
    assert_eq!(found["traceId"], sent.trace_id, "{found}");
    assert_eq!(found["parentId"].as_str().unwrap_or_default(), sent.parent_span_id, "{found}");
    assert_eq!(found["name"], sent.name.to_lowercase(), "{found}");
    assert_eq!(found["kind"], zipkin_kind(&sent.kind), "{found}");
    let (start, end) = (nanos(&sent.start_nanos), nanos(&sent.end_nanos));
    assert_eq!(found["timestamp"], micros(start), "{found}");
    assert_eq!(found["duration"], micros(end - start).max(1), "{found}");
    assert_eq!(found["localEndpoint"], json!({ "serviceName": "kaban-shop" }), "{found}");
    let (tags, remote) = expected(sent, account);
    assert_eq!(found.get("remoteEndpoint"), remote.as_ref(), "{found}");
    // What the SDK adds by itself is not ours to state.
    let found_tags: BTreeMap<&str, &str> = found["tags"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap()))
        .filter(|(key, _)| !key.starts_with("telemetry.") && *key != "service.instance.id")
        .collect();
    let tags: BTreeMap<&str, &str> =
        tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(found_tags, tags, "the tags of {:?}", sent.name);
    compare_annotations(found, sent, sdk);
}

/// The tags and the remote endpoint of one span of the journey.
fn expected(sent: &SentSpan, account: &Account) -> (BTreeMap<String, String>, Option<Value>) {
    let mut tags: BTreeMap<String, String> = [
        ("service.version", "1.4.2"),
        ("otel.library.name", "hikyaku.journey"),
        ("otel.library.version", "0.1"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    let mut remote = None;
    let mut add = |more: &[(&str, &str)]| {
        tags.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    };
    match sent.name.as_str() {
        "GET /Orders/{id}" => add(&[
            ("http.request.method", "GET"),
            ("http.response.status_code", "200"),
            ("http.status_code", "200"),
            ("app.ratio", "0.25"),
            ("app.retried", "true"),
            ("app.items", r#"["a","b"]"#),
            ("app.note", "注文 \"7\" <ok>"),
        ]),
        "Load Order" => add(&[("span.kind", "internal")]),
        "SELECT orders" => {
            add(&[("db.system.name", "postgresql")]);
            remote = Some(json!({ "serviceName": "orders-db", "ipv4": "10.1.2.3", "port": 5432 }));
        }
        "publish order.read" => {}
        "process order.read" => {
            let server = account.spans.iter().find(|span| span.kind == "SERVER").unwrap();
            let link =
                format!("{}|{}||{{\"app.reason\":\"cause\"}}|0", server.trace_id, server.span_id);
            add(&[("otel.status_code", "STATUS_CODE_OK"), ("otlp.link.0", &link)]);
        }
        "charge card" => add(&[
            ("error", "true"),
            ("otel.status_code", "STATUS_CODE_ERROR"),
            ("otel.status_description", "card refused"),
        ]),
        other => panic!("the journey has no span {other:?}"),
    }
    (tags, remote)
}

/// Names, times and attributes of the events. An exception's stack trace is the SDK's own.
fn compare_annotations(found: &Value, sent: &SentSpan, sdk: Sdk) {
    let annotations = found["annotations"].as_array().cloned().unwrap_or_default();
    assert_eq!(annotations.len(), sent.events.len(), "{found}");
    for event in &sent.events {
        let timestamp = micros(nanos(&event.nanos));
        let values: Vec<&str> = annotations
            .iter()
            .filter(|annotation| annotation["timestamp"] == timestamp)
            .map(|annotation| annotation["value"].as_str().unwrap())
            .collect();
        let fits = |value: &&&str| match event.name.as_str() {
            "cache miss" => **value == r#"cache miss|{"app.key":"orders:7"}|0"#,
            "cache filled" => **value == "cache filled",
            "exception" => {
                let kind = if sdk == Sdk::Python { "ValueError" } else { "RangeError" };
                let parts: Vec<&str> = value.split('|').collect();
                let attributes: Value = serde_json::from_str(parts[1]).unwrap_or_default();
                parts[0] == "exception"
                    && attributes["exception.message"] == "card refused"
                    && attributes["exception.type"] == kind
            }
            other => panic!("the journey has no event {other:?}"),
        };
        assert!(values.iter().any(|value| fits(&value)), "{:?} in {found}", event.name);
    }
}

/// The stored span with the id of a sent one.
fn of<'a>(stored: &'a [Value], sent: &SentSpan) -> &'a Value {
    let found = stored.iter().find(|span| span["id"] == sent.span_id);
    found.unwrap_or_else(|| panic!("no span {} in {stored:?}", sent.span_id))
}

/// Zipkin has no name for a span within a process.
fn zipkin_kind(kind: &str) -> Value {
    if kind == "INTERNAL" { Value::Null } else { kind.into() }
}

fn nanos(text: &str) -> u64 {
    text.parse().unwrap()
}

/// Rounded half up, as the mapping says.
fn micros(nanos: u64) -> u64 {
    (nanos + 500) / 1000
}
