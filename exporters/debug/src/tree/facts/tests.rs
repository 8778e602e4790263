use serde_json::{Value, json};

use super::*;
use crate::fixtures;

/// The facts of a span with this name and these attributes.
fn facts_of(name: &str, attributes: Value) -> String {
    let attributes: Vec<Value> = attributes
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| {
            let value = match value {
                Value::String(text) => json!({ "stringValue": text }),
                Value::Number(number) if number.is_i64() => {
                    json!({ "intValue": number.to_string() })
                }
                Value::Number(number) => json!({ "doubleValue": number }),
                Value::Bool(value) => json!({ "boolValue": value }),
                Value::Array(_) => json!({ "arrayValue": { "values": [] } }),
                _ => json!({ "kvlistValue": { "values": [] } }),
            };
            json!({ "key": key, "value": value })
        })
        .collect();
    let span = json!({ "name": name, "attributes": attributes });
    let request = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span] }] }] });
    let payload = fixtures::payload(&request.to_string());
    let resource = payload.resource_spans().next().unwrap();
    let scope = resource.scope_spans.iter().next().unwrap();
    facts(&scope.spans.iter().next().unwrap())
}

#[test]
fn conventions_are_told_in_short_and_not_twice() {
    for (name, attributes, expected) in [
        (
            "GET /cart/{id}",
            json!({"http.request.method": "GET", "http.route": "/cart/{id}", "url.path": "/cart/42", "http.response.status_code": 200}),
            "200",
        ),
        (
            "HTTP GET",
            json!({"http.method": "GET", "http.target": "/cart/42", "http.status_code": 404}),
            "/cart/42 · 404",
        ),
        (
            "request",
            json!({"http.request.method": "PUT", "url.full": "http://cart/42?x=1", "server.address": "cart"}),
            "PUT http://cart/42?x=1",
        ),
        ("GET", json!({"http.request.method": "GET", "server.address": "cart"}), "cart"),
        (
            "SELECT carts",
            json!({"db.system.name": "postgresql", "db.query.text": "SELECT *\n   FROM carts", "db.namespace": "shop"}),
            "postgresql · SELECT * FROM carts",
        ),
        ("GET cart", json!({"db.system": "redis", "db.statement": "GET cart"}), "redis"),
        (
            "bank.Bank/Pay",
            json!({"rpc.system": "grpc", "rpc.service": "bank.Bank", "rpc.method": "Pay", "rpc.grpc.status_code": 0}),
            "grpc",
        ),
        (
            "pay",
            json!({"rpc.system.name": "grpc", "rpc.method": "bank.Bank/Pay", "rpc.response.status_code": "UNAVAILABLE"}),
            "grpc · bank.Bank/Pay · UNAVAILABLE",
        ),
        (
            "pay",
            json!({"rpc.system": "grpc", "rpc.grpc.status_code": 4}),
            "grpc · DEADLINE_EXCEEDED",
        ),
        (
            "publish",
            json!({"messaging.system": "kafka", "messaging.operation.type": "publish", "messaging.destination.name": "orders"}),
            "kafka · orders",
        ),
        (
            "poll orders",
            json!({"messaging.system": "sqs", "messaging.destination": "orders"}),
            "sqs",
        ),
        ("work", json!({"thread.id": 7, "code.function.name": "f", "network.peer.port": 80}), ""),
        (
            "work",
            json!({"a": 1, "b": true, "c": 1.5, "d": "two\nlines", "e": [], "f": {}}),
            "a=1 · b=true · c=1.5 · d=two lines · e=[…] · f={…}",
        ),
    ] {
        assert_eq!(facts_of(name, attributes.clone()), expected, "{name} {attributes}");
    }
}

#[test]
fn facts_have_a_limit() {
    let many: Value = (0..100)
        .map(|i| (format!("key{i}"), json!("x".repeat(500))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert!(facts_of("work", many).chars().count() <= FACTS_CHARS + 1);
}
