use std::time::Duration;

use config::{Compression, CompressionLevel};
use net::client::{self, ClientOptions, HttpClient};
use pipeline::MemoryBudget;
use pipeline::testing::{PATIENCE, within_patience};
use telemetry::Registry;
use tokio::time::Instant;

use super::*;
use crate::telemetry::Types;

async fn post(port: u16, body: client::Body) -> http::StatusCode {
    let client = HttpClient::new(&config::HttpClient::default(), ClientOptions::default());
    let uri = format!("http://127.0.0.1:{port}/").parse().unwrap();
    let request =
        client::Request { method: http::Method::POST, uri, headers: http::HeaderMap::new(), body };
    let status = client.send(&request, Instant::now() + PATIENCE).await.unwrap().status;
    client.close().await;
    status
}

const BATCH: &[u8] = br#"[{"type":"function","record":"line"}]"#;

#[tokio::test]
async fn plain_and_compressed_batches_arrive_and_everything_is_answered_with_200() {
    let registry = Registry::new();
    let hub = Hub::new(&registry, MemoryBudget::default());
    let mut intake = hub.attach(Types::ALL, 0);
    let listener = Listener::open(hub.clone(), 0).unwrap();
    let gzip = client::Body::compressed(
        vec![Bytes::from_static(BATCH)],
        Compression::Gzip,
        CompressionLevel::default(),
    );
    let bodies = [
        client::Body::plain(vec![Bytes::from_static(BATCH)]),
        gzip.unwrap(),
        client::Body::plain(vec![Bytes::from_static(b"no JSON")]),
        client::Body::plain(vec![Bytes::from(vec![b' '; BODY_BYTES_MAX + 1])]),
    ];
    for body in bodies {
        assert_eq!(post(listener.port(), body).await, 200);
    }
    let _running = tokio::spawn({
        let hub = hub.clone();
        async move { hub.run(std::future::pending()).await }
    });
    for _ in 0..2 {
        assert_eq!(within_patience("a batch", intake.next()).await.unwrap().len(), 1);
    }
    assert!(hub.settled(Deadline::after(PATIENCE)).await);
    let page = telemetry::render(&registry, telemetry::MetricsLevel::Basic);
    for reason in ["malformed", "too_large"] {
        let line = format!("hikyaku_lambda_telemetry_dropped_events{{reason=\"{reason}\"}} 1");
        assert!(page.contains(&line), "{page}");
    }
    listener.shutdown(Deadline::after(Duration::from_secs(5))).await;
}

#[tokio::test]
async fn port_in_use_is_an_error() {
    let hub = Hub::new(&Registry::new(), MemoryBudget::default());
    let listener = Listener::open(hub.clone(), 0).unwrap();
    let error = Listener::open(hub, listener.port()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}
