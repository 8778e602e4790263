use pdata::Signal;
use pipeline::Envelope;
use pipeline::testing::within_patience;

use super::*;
use crate::testing::{Backend, KEY, answer, exporter, logs, settings, shared};

const PATH: &str = "/api/v1/validate";

fn payload() -> Envelope {
    Envelope::of(logs(&[], ["x".to_owned()]))
}

/// Settings that wait for the check at start.
fn strict(url: &str) -> String {
    settings(url, "sending_queue: {enabled: false}")
        .replace("api: {", "api: {fail_on_invalid_key: true, ")
}

#[test]
fn only_a_clear_answer_says_that_a_key_is_known_or_not() {
    let read =
        |status: u16, body: &str| read(StatusCode::from_u16(status).unwrap(), body.as_bytes());
    for body in ["{\"valid\":true}", "{ \"valid\" : true }\n"] {
        assert_eq!(read(200, body), KeyVerdict::Valid);
    }
    for (status, body) in
        [(200, "{\"valid\":false}"), (403, "{\"errors\":[\"Forbidden\"]}"), (403, "")]
    {
        assert!(matches!(read(status, body), KeyVerdict::Invalid(_)), "{status} {body}");
    }
    for (status, body) in [
        (200, ""),
        (200, "<html>valid: true</html>"),
        (302, "{\"valid\":true}"),
        (401, ""),
        (404, ""),
        (429, ""),
        (500, "{\"valid\":false}"),
    ] {
        assert!(matches!(read(status, body), KeyVerdict::Unknown(_)), "{status} {body}");
    }
}

#[tokio::test]
async fn key_is_checked_once_for_all_signals_and_not_before_the_first_payload() {
    let backend = Backend::new();
    let (_server, url) = backend.start();
    let shared =
        shared(&settings(&url, "sending_queue: {enabled: false}\nhost_metadata: {enabled: false}"));
    let (one, _) = exporter(&shared, Signal::Logs);
    let (other, _) = exporter(&shared, Signal::Logs);
    for exporter in [&one, &other] {
        exporter.start().await.unwrap();
    }
    assert_eq!(backend.requests(PATH).len(), 0);
    for exporter in [&one, &other, &one] {
        within_patience("the outcome", exporter.consume(payload())).await.unwrap();
    }
    let seen = backend.wait_for(PATH, 1).await;
    assert_eq!((seen.len(), &seen[0].headers["dd-api-key"]), (1, &KEY.parse().unwrap()));
    assert!(!shared.key.is_due());
}

#[tokio::test]
async fn key_that_datadog_does_not_know_does_not_stand_in_the_way_of_data() {
    let backend = Backend::answering_all(|seen, _| match seen.path.as_str() {
        PATH => answer(403, "{\"errors\":[\"Forbidden\"]}"),
        _ => answer(202, ""),
    });
    let (_server, url) = backend.start();
    let shared = shared(&settings(&url, "sending_queue: {enabled: false}"));
    let (exporter, _) = exporter(&shared, Signal::Logs);
    exporter.start().await.unwrap();
    assert_eq!(within_patience("the outcome", exporter.consume(payload())).await, Ok(()));
    backend.wait_for(PATH, 1).await;
}

#[tokio::test]
async fn start_fails_where_it_is_to_and_datadog_does_not_know_the_key() {
    let backend = Backend::answering_all(|_, _| answer(403, "{\"errors\":[\"Forbidden\"]}"));
    let (_server, url) = backend.start();
    let shared = shared(&strict(&url));
    let (exporter, _) = exporter(&shared, Signal::Logs);
    let error = within_patience("the start", exporter.start()).await.unwrap_err().to_string();
    for part in ["does not know the API key", "fail_on_invalid_key", "api::key", "api::site"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!error.contains(KEY), "{error}");
}

#[tokio::test]
async fn start_goes_on_where_the_check_comes_to_nothing() {
    let backend = Backend::answering_all(|_, _| answer(500, "oops"));
    let (_server, url) = backend.start();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [url, format!("http://{free}")] {
        let shared = shared(&strict(&url));
        let (exporter, _) = exporter(&shared, Signal::Logs);
        within_patience("the start", exporter.start()).await.unwrap();
    }
}

#[tokio::test]
async fn start_that_waited_for_the_check_is_enough_for_all_signals() {
    let backend = Backend::new();
    let (_server, url) = backend.start();
    let shared = shared(&strict(&url));
    for _ in 0..2 {
        let (exporter, _) = exporter(&shared, Signal::Logs);
        within_patience("the start", exporter.start()).await.unwrap();
        within_patience("the outcome", exporter.consume(payload())).await.unwrap();
    }
    assert_eq!(backend.requests(PATH).len(), 1);
}
