use std::sync::{Arc, Mutex};

use http::Response;
use http_body::Body as _;
use net::ReplyBody;
use net::body::{BodyLimits, read_body};
use net::client::ClientOptions;
use net::server::{Listener, Server, ServerSettings, handler_fn};
use pipeline::MemoryBudget;
use telemetry::Registry;

use super::*;

/// A platform that answers with these statuses and bodies, one after the other, and keeps what it was asked.
struct Platform {
    address: String,
    asked: Arc<Mutex<Vec<Value>>>,
    _server: Server,
}

fn platform(answers: &'static [(u16, &'static str)]) -> Platform {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let asked: Arc<Mutex<Vec<Value>>> = Arc::default();
    let seen = asked.clone();
    let handler = handler_fn(move |request: http::Request<_>, _| {
        let seen = seen.clone();
        async move {
            let (head, body) = request.into_parts();
            assert!(body.size_hint().lower() > 0);
            assert_eq!(head.method, Method::PUT);
            assert_eq!(head.uri.path(), "/2022-07-01/telemetry");
            assert_eq!(head.headers[EXTENSION_ID], "id-1");
            let limits = BodyLimits::of(1 << 20);
            let body = read_body(body, config::Compression::None, &limits, |_| Ok(())).await;
            let mut seen = seen.lock().unwrap();
            let (status, text) = answers[seen.len()];
            seen.push(serde_json::from_slice(&body.unwrap()).unwrap());
            let mut response = Response::new(ReplyBody::from(text.to_owned()));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        }
    });
    let server =
        Server::serve(vec![Listener::Tcp(socket)], ServerSettings::new("platform"), handler);
    Platform { address, asked, _server: server.unwrap() }
}

async fn subscribe_to(platform: &Platform, hub: &Hub) -> Result<Outcome, SubscriptionError> {
    let client = HttpClient::new(&config::HttpClient::default(), ClientOptions::default());
    let subscription = Subscription {
        runtime_api: platform.address.clone(),
        extension_id: "id-1".to_owned(),
        port: 4325,
        types: Types::PLATFORM,
    };
    subscribe(&client, hub, &subscription).await
}

fn hub() -> Arc<Hub> {
    Hub::new(&Registry::new(), MemoryBudget::default())
}

#[tokio::test]
async fn newest_schema_is_asked_for_with_the_types_of_everybody() {
    let (platform, hub) = (platform(&[(200, "\"OK\"")]), hub());
    let _intake = hub.attach(Types { function: true, ..Types::default() }, 0);
    let outcome = subscribe_to(&platform, &hub).await.unwrap();
    assert_eq!(outcome, Outcome::Subscribed("2025-01-29"));
    let expected = json!({
        "schemaVersion": "2025-01-29",
        "types": ["platform", "function"],
        "buffering": {"maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25},
        "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4325/"},
    });
    assert_eq!(*platform.asked.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn older_schema_is_asked_for_after_a_400_only() {
    let refusal = r#"{"errorType":"ValidationError","errorMessage":"unescaped " quote"}"#;
    let hub = hub();
    let platform = platform(Box::leak(Box::new([(400, refusal), (200, "")])));
    let outcome = subscribe_to(&platform, &hub).await.unwrap();
    assert_eq!(outcome, Outcome::Subscribed("2022-12-13"));
    let versions: Vec<Value> =
        platform.asked.lock().unwrap().iter().map(|body| body["schemaVersion"].clone()).collect();
    assert_eq!(versions, ["2025-01-29", "2022-12-13"]);
}

#[tokio::test]
async fn each_refusal_is_told_apart() {
    let answer = "{\"errorType\":\"Telemetry.NotSupported\"}";
    let outcome = subscribe_to(&platform(Box::leak(Box::new([(202, answer)]))), &hub()).await;
    assert_eq!(outcome.unwrap(), Outcome::NotSupported);

    let answer = "{\"errorType\":\"Telemetry.SubscriptionClosed\"}";
    let closed = subscribe_to(&platform(Box::leak(Box::new([(403, answer)]))), &hub()).await;
    assert!(matches!(closed, Err(SubscriptionError::Closed)), "{closed:?}");

    let failed = subscribe_to(&platform(&[(500, "")]), &hub()).await.unwrap_err();
    assert_eq!(failed.to_string(), "the Telemetry API answered 500 Internal Server Error ()");

    let twice = platform(&[(400, ""), (400, "{\"errorType\":\"X\"}")]);
    let refused = subscribe_to(&twice, &hub()).await.unwrap_err();
    assert_eq!(refused.to_string(), "the Telemetry API answered 400 Bad Request (X)");
}

#[tokio::test]
async fn process_subscribes_once() {
    let (platform, hub) = (platform(&[(200, "")]), hub());
    subscribe_to(&platform, &hub).await.unwrap();
    let second = subscribe_to(&platform, &hub).await;
    assert!(matches!(second, Err(SubscriptionError::Twice)), "{second:?}");
    assert_eq!(platform.asked.lock().unwrap().len(), 1);
}
