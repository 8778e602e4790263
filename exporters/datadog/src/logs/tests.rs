//! The whole exporter of logs, against an intake on loopback.

use ::config::Sizer;
use pdata::Signal;
use pipeline::testing::within_patience;
use pipeline::{Class, ConsumeError, Deadline, Envelope, Exporter};

use super::*;
use crate::testing::{Backend, Seen, answer, exporter, logs, settings, shared};

const PATH: &str = "/api/v2/logs";
const NO_QUEUE: &str = "host_metadata: {enabled: false}\nsending_queue: {enabled: false}";

fn payload(ids: impl IntoIterator<Item = usize>) -> Payload {
    logs(&[("service.name", "shop")], ids.into_iter().map(|id| id.to_string()))
}

fn messages(seen: &Seen) -> Vec<String> {
    let items = seen.json();
    let items = items.as_array().unwrap().iter();
    items.map(|item| item["message"].as_str().unwrap().to_owned()).collect()
}

fn all_messages(seen: &[Seen]) -> Vec<usize> {
    let messages = seen.iter().flat_map(messages);
    let mut ids: Vec<usize> = messages.map(|message| message.parse().unwrap()).collect();
    ids.sort_unstable();
    ids
}

async fn consume(exporter: &Arc<dyn Exporter>, payload: Payload) -> Result<(), ConsumeError> {
    within_patience("the outcome", exporter.consume(Envelope::of(payload))).await
}

#[tokio::test]
async fn records_are_posted_in_requests_that_the_intake_takes() {
    let backend = Backend::new();
    let (_server, url) = backend.start();
    let (exporter, process) = exporter(&shared(&settings(&url, NO_QUEUE)), Signal::Logs);
    assert_eq!(consume(&exporter, payload(0..2500)).await, Ok(()));
    let seen = backend.requests(PATH);
    let sizes: Vec<usize> = seen.iter().map(|seen| messages(seen).len()).collect();
    assert_eq!(sizes, [1000, 1000, 500]);
    assert_eq!(all_messages(&seen), (0..2500).collect::<Vec<_>>());
    let metrics = telemetry::render(&process.registry, telemetry::MetricsLevel::Normal);
    assert!(metrics.contains("otelcol_exporter_sent_log_records{exporter=\"datadog\"} 2500"));
}

#[tokio::test]
async fn request_that_is_too_large_is_split_without_loss_or_doubles() {
    let backend = Backend::answering(|seen, _| {
        let status = if messages(seen).len() > 300 { 413 } else { 202 };
        answer(status, "")
    });
    let (_server, url) = backend.start();
    let (exporter, _) = exporter(&shared(&settings(&url, NO_QUEUE)), Signal::Logs);
    assert_eq!(consume(&exporter, payload(0..2100)).await, Ok(()));
    let seen = backend.requests(PATH);
    let taken: Vec<Seen> = seen.into_iter().filter(|seen| messages(seen).len() <= 300).collect();
    assert_eq!(all_messages(&taken), (0..2100).collect::<Vec<_>>());
}

#[tokio::test]
async fn record_that_is_at_fault_does_not_take_the_others_with_it() {
    let backend = Backend::answering(|seen, _| {
        let is_bad = messages(seen).contains(&"7".to_owned());
        answer(if is_bad { 400 } else { 202 }, "")
    });
    let (_server, url) = backend.start();
    let (exporter, _) = exporter(&shared(&settings(&url, NO_QUEUE)), Signal::Logs);
    let _partly_refused = consume(&exporter, payload(0..16)).await;
    let is_good = |seen: &Seen| !messages(seen).contains(&"7".to_owned());
    let taken: Vec<Seen> = backend.requests(PATH).into_iter().filter(is_good).collect();
    assert_eq!(all_messages(&taken), (0..16).filter(|id| *id != 7).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_may_pass_is_tried_again_with_the_same_body() {
    let backend = Backend::answering(|_, nth| match nth {
        0 => answer(403, "{\"errors\":[\"Forbidden\"]}"),
        1 => answer(503, ""),
        2 => answer(429, ""),
        _ => answer(202, ""),
    });
    let (_server, url) = backend.start();
    let (exporter, _) = exporter(&shared(&settings(&url, NO_QUEUE)), Signal::Logs);
    assert_eq!(consume(&exporter, payload(0..3)).await, Ok(()));
    let seen = backend.requests(PATH);
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|one| one.body == seen[0].body));
}

#[tokio::test]
async fn wrong_key_is_an_error_that_names_the_settings_and_not_the_key() {
    let backend = Backend::answering(|_, _| answer(401, "{\"errors\":[\"Unauthorized\"]}"));
    let (_server, url) = backend.start();
    let (exporter, _) = exporter(&shared(&settings(&url, NO_QUEUE)), Signal::Logs);
    let error = consume(&exporter, payload(0..3)).await.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.class, Class::Permanent);
    assert!(text.contains("api::key") && text.contains("api::site"), "{text}");
    assert!(!text.contains(crate::testing::KEY), "{text}");
    assert_eq!(backend.requests(PATH).len(), 1);
}

#[tokio::test]
async fn records_wait_in_the_queue_for_a_request_to_fill() {
    let backend = Backend::new();
    let (_server, url) = backend.start();
    let more = "host_metadata: {enabled: false}\nsending_queue: {num_consumers: 1}";
    let (exporter, _) = exporter(&shared(&settings(&url, more)), Signal::Logs);
    exporter.start().await.unwrap();
    for first in [0, 400, 800] {
        assert_eq!(consume(&exporter, payload(first..first + 400)).await, Ok(()));
    }
    // Full now, and sent at once. The next ones wait, until the end comes.
    let seen = backend.wait_for(PATH, 2).await;
    assert_eq!(all_messages(&seen), (0..1200).collect::<Vec<_>>());
    assert_eq!(consume(&exporter, payload([1200])).await, Ok(()));
    let given_up = exporter.shutdown(Deadline::after(std::time::Duration::from_secs(10)));
    assert_eq!(within_patience("the end", given_up).await, 0);
    assert_eq!(all_messages(&backend.requests(PATH)), (0..1201).collect::<Vec<_>>());
}

#[test]
fn queue_of_logs_batches_as_batch_wait_says_unless_the_queue_says_itself() {
    let batch_of = |of_logs: &str, more: &str| {
        let yaml = settings("http://a", more).replace("logs: {", &format!("logs: {{{of_logs}"));
        let config = shared(&yaml).config.clone();
        let mut settings = config.helper.clone();
        crate::exporter::fill_requests(&mut settings, config.logs.batch_wait);
        settings.queue.and_then(|queue| queue.batch)
    };
    let batch = |more: &str| batch_of("", more);
    assert_eq!(batch_of("batch_wait: 0, ", ""), None);
    assert_eq!(batch_of("batch_wait: 1, ", "").unwrap().flush_timeout.as_secs(), 1);
    let default = batch("").unwrap();
    assert_eq!((default.flush_timeout.as_secs(), default.sizer), (5, Sizer::Items));
    assert_eq!((default.min_size, default.max_size), (1000, None));
    assert_eq!(batch("sending_queue: {sizer: items, queue_size: 10}").unwrap().min_size, 10);
    let own = batch("sending_queue: {batch: {flush_timeout: 1s, min_size: 7}}").unwrap();
    assert_eq!((own.flush_timeout.as_secs(), own.min_size), (1, 7));
    assert_eq!(batch("sending_queue: {enabled: false}"), None);
}

#[test]
fn few_records_that_share_much_are_split_before_they_take_memory_without_end() {
    let long = "x".repeat(900_000);
    let many = logs(&[("k", &long)], (0..1000).map(|id| id.to_string()));
    let push = Logs::new(shared(&settings("http://a", NO_QUEUE)), None);
    assert_eq!(push.encode(&many, &Client::default()).err(), Some(EncodeError::TooLarge));
    let mut few = many.clone();
    drop(few.split_off(12));
    let encoded = push.encode(&few, &Client::default()).unwrap();
    let items: Vec<usize> = encoded.requests.iter().map(|request| request.items).collect();
    assert_eq!(items, [5, 5, 2]);
    assert!(encoded.requests.iter().all(|request| request.memory_bytes < 100_000));
}
