use serde_json::{Value, json};
use tests::lambda::{Mode, Platform};
use tests::scripted::{Said, Scripted};
use tests::send::HttpReply;
use tests::wait;

use super::client::{NAME, platform, refusal, registered};

#[test]
fn a_subscription_that_breaks_the_schema_is_refused() {
    let platform = platform(Mode::OnDemand);
    let id = registered(&platform, NAME, "\"INVOKE\"");
    let good = subscription(4000);
    let broken = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    for body in [
        broken("schemaVersion", json!("2020-01-01")),
        broken("types", json!([])),
        broken("types", json!(["platform", "audit"])),
        broken("destination", json!({ "protocol": "HTTP", "URI": "http://localhost:4000" })),
        broken("destination", json!({ "protocol": "HTTP", "URI": "http://sandbox:port" })),
        broken("destination", json!({ "protocol": "UDP", "port": 4000 })),
        broken("buffering", json!({ "maxItems": 999 })),
        broken("buffering", json!({ "maxItems": 10_001 })),
        broken("buffering", json!({ "maxBytes": 262_143 })),
        broken("buffering", json!({ "maxBytes": 1_048_577 })),
        broken("buffering", json!({ "timeoutMs": 24 })),
        broken("buffering", json!({ "timeoutMs": 30_001 })),
        json!([]),
    ] {
        let reply = subscribe(&platform, &id, &body);
        assert_eq!(reply.status, 400, "{body}");
        let text = String::from_utf8_lossy(&reply.body);
        assert!(text.contains("ValidationError"), "{text}");
        assert!(reply.headers.get("content-type").is_none(), "{text}");
    }
    let reply = subscribe(&platform, &id, &good);
    assert_eq!((reply.status, reply.body.as_ref()), (200, b"\"OK\"".as_slice()));
    assert_eq!(subscribe(&platform, &id, &good).status, 500, "a second subscription");
}

#[test]
fn managed_instances_know_the_newest_schema_only() {
    for (mode, version, status) in [
        (Mode::OnDemand, "2022-07-01", 200),
        (Mode::OnDemand, "2022-12-13", 200),
        (Mode::ManagedInstances, "2022-12-13", 400),
        (Mode::ManagedInstances, "2025-01-29", 200),
    ] {
        let platform = platform(mode);
        let id = registered(&platform, NAME, "\"SHUTDOWN\"");
        let mut body = subscription(4000);
        body["schemaVersion"] = json!(version);
        assert_eq!(subscribe(&platform, &id, &body).status, status, "{mode:?} {version}");
    }
}

#[test]
fn a_subscription_comes_too_late_after_init_and_may_not_be_supported() {
    let late = platform(Mode::OnDemand);
    let id = registered(&late, NAME, "\"INVOKE\"");
    late.close_init();
    let reply = subscribe(&late, &id, &subscription(4000));
    assert_eq!(refusal(&reply), (403, "Telemetry.SubscriptionClosed".to_owned()));
    let stub = platform(Mode::OnDemand);
    let id = registered(&stub, NAME, "\"INVOKE\"");
    stub.without_telemetry();
    let reply = subscribe(&stub, &id, &subscription(4000));
    assert_eq!(refusal(&reply), (202, "Telemetry.NotSupported".to_owned()));
    let reply = subscribe(&stub, "00000000-0000-4000-8000-000000000000", &subscription(4000));
    assert_eq!(refusal(&reply), (403, "Extension.UnknownExtensionIdentifier".to_owned()));
}

#[test]
fn what_was_before_the_subscription_is_told_as_well_and_only_what_was_asked_for() {
    let listener = Scripted::start(|_| Said::ok(""));
    let platform = platform(Mode::OnDemand);
    platform.emit("platform", "{\"type\":\"platform.initStart\"}");
    platform.emit("extension", "{\"type\":\"extension\"}");
    let id = registered(&platform, NAME, "\"INVOKE\"");
    subscribe(&platform, &id, &subscription(listener.port()));
    platform.emit("function", "{\"type\":\"function\"}");
    let expected =
        ["platform.initStart", "platform.extension", "platform.telemetrySubscription", "function"];
    assert_eq!(types(&listener, expected.len()), expected);
    let seen = listener.seen();
    assert_eq!(seen[0].header("content-type"), "application/json");
    assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("POST", "/"));
}

#[test]
fn a_batch_ends_at_its_number_of_items_and_of_bytes() {
    let listener = Scripted::start(|_| Said::ok(""));
    let platform = platform(Mode::OnDemand);
    let id = registered(&platform, NAME, "\"INVOKE\"");
    let line = format!("{{\"type\":\"function\",\"record\":\"{}\"}}", "x".repeat(1000));
    (0..600).for_each(|_| platform.emit("function", &line));
    (0..2500).for_each(|_| platform.emit("function", "{\"type\":\"function\"}"));
    subscribe(&platform, &id, &subscription(listener.port()));
    // Two more are the platform's own: the registration and the subscription.
    types(&listener, 3102);
    let sizes =
        listener.seen().iter().map(|seen| (batch(seen).len(), seen.body.len())).collect::<Vec<_>>();
    assert!(sizes.iter().all(|(items, bytes)| *items <= 1000 && *bytes <= 262_145), "{sizes:?}");
    assert!(sizes.iter().any(|(items, _)| *items == 1000), "{sizes:?}");
    assert!(sizes.iter().any(|(_, bytes)| *bytes > 255_000), "{sizes:?}");
}

#[test]
fn a_batch_that_is_not_taken_is_dropped_and_said_so_or_sent_again() {
    for (sends_again, delivered) in [(0, false), (1, true)] {
        let platform = platform(Mode::OnDemand);
        platform.telemetry_delivery(false, sends_again);
        let refuse = std::sync::atomic::AtomicBool::new(true);
        let listener = Scripted::start(move |_| {
            let first = refuse.swap(false, std::sync::atomic::Ordering::Relaxed);
            Said::status(if first { 500 } else { 200 })
        });
        let id = registered(&platform, NAME, "\"INVOKE\"");
        subscribe(&platform, &id, &subscription(listener.port()));
        if delivered {
            types(&listener, 4);
            assert_eq!(listener.seen()[0].body, listener.seen()[1].body);
            assert_eq!(platform.telemetry_account().1, 0);
        } else {
            let all = types(&listener, 3);
            assert!(all.contains(&"platform.logsDropped".to_owned()), "{all:?}");
            assert_eq!(platform.telemetry_account().1, 2);
        }
    }
}

#[test]
fn what_is_due_while_a_batch_is_on_its_way_can_be_dropped() {
    let platform = platform(Mode::OnDemand);
    platform.telemetry_delivery(true, 0);
    let listener = Scripted::start(|_| Said::Silence);
    let id = registered(&platform, NAME, "\"INVOKE\"");
    subscribe(&platform, &id, &subscription(listener.port()));
    wait::until("a batch on its way", || (!listener.seen().is_empty()).then_some(()));
    platform.emit("function", "{\"type\":\"function\"}");
    wait::until("a dropped record", || (platform.telemetry_account().1 > 0).then_some(()));
    assert_eq!(platform.telemetry_account().0, 0);
}

fn subscription(port: u16) -> Value {
    json!({
        "schemaVersion": "2025-01-29",
        "types": ["platform", "function"],
        "buffering": { "maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25 },
        "destination": {
            "protocol": "HTTP",
            "URI": format!("http://sandbox.localdomain:{port}/anywhere"),
        },
    })
}

fn subscribe(platform: &Platform, id: &str, body: &Value) -> HttpReply {
    let headers = [("lambda-extension-identifier", id), ("content-type", "application/json")];
    let text = body.to_string();
    tests::send::put(platform.port(), "/2022-07-01/telemetry", &headers, text)
}

fn batch(seen: &tests::scripted::Seen) -> Vec<Value> {
    serde_json::from_slice(&seen.body).unwrap_or_else(|error| panic!("{error}: {:?}", seen.body))
}

/// The types of the events that the listener has been sent, once there are so many.
fn types(listener: &Scripted, count: usize) -> Vec<String> {
    wait::until(&format!("{count} events"), || {
        let seen = listener.seen();
        let events = seen.iter().flat_map(batch);
        let types: Vec<String> =
            events.map(|event| event["type"].as_str().unwrap_or_default().to_owned()).collect();
        (types.len() >= count).then_some(types)
    })
}
