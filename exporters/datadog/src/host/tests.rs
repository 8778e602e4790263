//! Which hosts are told about, when, and with what words.

use exporter_helper::Reason;
use pdata::Signal;
use pipeline::testing::within_patience;
use pipeline::{Deadline, Envelope};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::*;
use crate::testing::{Backend, KEY, answer, exporter, logs, read, settings, shared};

const PATH: &str = "/intake";
const PERIOD: Duration = Duration::from_secs(1800);
const FIRST_RESOURCE: &str = "host_metadata: {hostname_source: first_resource}";

fn hosts(more: &str) -> Hosts {
    let (config, report) = read(&settings("http://a", more));
    assert!(!report.contains("error"), "{report}");
    Hosts::new(Arc::new(config))
}

fn payload(resource: &[(&str, &str)]) -> Payload {
    logs(resource, ["x".to_owned()])
}

fn name(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    body["internalHostname"].as_str().unwrap().to_owned()
}

/// The next host within some time of a paused clock.
async fn within(
    hosts: &Hosts,
    limit: Duration,
    next_period: &mut Option<Instant>,
) -> Option<String> {
    let body = timeout(limit, hosts.due(PERIOD, next_period)).await.ok()?;
    Some(name(&body))
}

#[tokio::test(start_paused = true)]
async fn this_host_is_told_about_after_the_first_payload_and_once_a_period() {
    let (hosts, mut next_period) = (hosts(""), None);
    assert_eq!(within(&hosts, 10 * PERIOD, &mut next_period).await, None, "before a payload");
    hosts.note(&payload(&[("host.name", "elsewhere")]), "me");
    let begun = Instant::now();
    for periods in 0..3 {
        let told = within(&hosts, 2 * PERIOD, &mut next_period).await;
        assert_eq!((told.as_deref(), begun.elapsed()), (Some("me"), periods * PERIOD));
        hosts.note(&payload(&[]), "me");
    }
}

#[tokio::test(start_paused = true)]
async fn hosts_of_resources_are_told_about_as_they_come_and_while_they_come() {
    let (hosts, mut next_period) = (hosts(FIRST_RESOURCE), None);
    let soon = Duration::from_secs(1);
    for host in ["one", "two", "one"] {
        hosts.note(&payload(&[("host.name", host)]), "me");
    }
    hosts.note(&payload(&[("service.name", "shop")]), "me");
    for host in ["one", "two", "me"] {
        assert_eq!(within(&hosts, soon, &mut next_period).await.as_deref(), Some(host));
    }
    assert_eq!(within(&hosts, soon, &mut next_period).await, None);
    hosts.note(&payload(&[("host.name", "three")]), "me");
    assert_eq!(within(&hosts, soon, &mut next_period).await.as_deref(), Some("three"));
    for _ in 0..4 {
        assert!(within(&hosts, PERIOD, &mut next_period).await.is_some());
    }
    // In this period one payload names one of them.
    hosts.note(&payload(&[("host.name", "two")]), "me");
    assert_eq!(within(&hosts, PERIOD, &mut next_period).await.as_deref(), Some("two"));
    assert_eq!(within(&hosts, 9 * PERIOD, &mut next_period).await, None);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_where_there_is_no_host_or_nobody_wants_to_know() {
    let mut next_period = None;
    let nameless = hosts("");
    nameless.note(&payload(&[("host.name", "elsewhere")]), "");
    assert_eq!(within(&nameless, 9 * PERIOD, &mut next_period).await, None);
    let serverless = hosts(FIRST_RESOURCE);
    let function = [("cloud.provider", "aws"), ("cloud.platform", "aws_lambda")];
    serverless.note(&payload(&function), "me");
    serverless.note(&payload(&[]), "");
    assert_eq!(within(&serverless, 9 * PERIOD, &mut next_period).await, None);
    let off = hosts("host_metadata: {enabled: false}");
    off.note(&payload(&[]), "me");
    assert_eq!(within(&off, 9 * PERIOD, &mut next_period).await, None);
}

#[tokio::test(start_paused = true)]
async fn there_is_an_end_to_the_hosts_that_are_remembered() {
    let (hosts, mut next_period) = (hosts(FIRST_RESOURCE), None);
    for host in 0..2 * HOSTS_MAX {
        hosts.note(&payload(&[("host.name", &format!("h{host}"))]), "me");
    }
    let mut told = 0;
    while within(&hosts, Duration::from_secs(1), &mut next_period).await.is_some() {
        told += 1;
    }
    assert_eq!(told, HOSTS_MAX);
}

#[test]
fn words_about_a_host_are_those_of_the_reference_collector() {
    let of = |resource: &[(&str, &str)]| -> Value {
        let payload = payload(resource);
        let attributes = first_resource(&payload).unwrap().attributes;
        let tags = ["env:prod".to_owned(), "q:\"\"".to_owned()];
        let metadata = Metadata {
            name: "h",
            socket_name: None,
            tags: &tags,
            resource: Some(&attributes).filter(|_| !resource.is_empty()),
        };
        serde_json::from_slice(&metadata.to_json()).unwrap()
    };
    let version = env!("CARGO_PKG_VERSION");
    let expected = |meta: Value, tags: Value| {
        json!({
            "meta": meta,
            "internalHostname": "h",
            "otel_version": version,
            "agent-flavor": "hikyaku",
            "host-tags": tags,
        })
    };
    let otel = json!(["env:prod", "q:\"\""]);
    assert_eq!(of(&[]), expected(json!({"hostname": "h"}), json!({ "otel": otel })));
    let aws = [
        ("cloud.provider", "aws"),
        ("host.id", "i-0abc"),
        ("host.name", "ip-10-0-0-1"),
        ("ec2.tag.team", "a"),
    ];
    let meta = json!({"hostname": "h", "instance-id": "i-0abc", "ec2-hostname": "ip-10-0-0-1"});
    let tags = json!({"otel": ["env:prod", "q:\"\"", "team:a"]});
    assert_eq!(of(&aws), expected(meta, tags));
    let gcp = [
        ("cloud.provider", "gcp"),
        ("host.id", "7"),
        ("cloud.availability_zone", "z"),
        ("host.type", "t"),
        ("cloud.account.id", "p"),
    ];
    let platform = json!(["instance-id:7", "zone:z", "instance-type:t", "project:p"]);
    let tags = json!({"otel": otel, "google cloud platform": platform});
    assert_eq!(of(&gcp), expected(json!({"hostname": "h"}), tags));
}

#[test]
fn tries_are_as_retry_on_failure_says() {
    let secs = Duration::from_secs;
    let retry = Retry { max_elapsed_time: Some(secs(60)), ..Retry::default() };
    let again = |delay| SendError::Retryable { code: None, delay, reason: Reason::new("") };
    let mut tries = Tries::new(Some(&retry));
    assert_eq!(tries.wait_after(&again(None), secs(1)), Some(secs(5)));
    assert_eq!(tries.wait_after(&again(Some(secs(20))), secs(6)), Some(secs(20)));
    assert_eq!(tries.wait_after(&again(None), secs(26)), Some(Duration::from_millis(11_250)));
    assert_eq!(tries.wait_after(&again(None), secs(50)), None);
    assert_eq!(tries.wait_after(&SendError::peer(Reason::new("")), secs(1)), None);
    assert_eq!(Tries::new(None).wait_after(&again(None), secs(0)), None);
}

#[tokio::test]
async fn metadata_is_posted_again_until_it_is_taken() {
    let backend = Backend::answering(|seen, nth| match (seen.path.as_str(), nth) {
        (PATH, 0) => answer(503, "oops"),
        _ => answer(202, ""),
    });
    let (_server, url) = backend.start();
    let more =
        "hostname: web-1\nhost_metadata: {tags: [\"env:prod\"]}\nsending_queue: {enabled: false}";
    let shared = shared(&settings(&url, more));
    let (exporter, _) = exporter(&shared, Signal::Logs);
    exporter.start().await.unwrap();
    assert_eq!(backend.requests(PATH).len(), 0, "before a payload");
    exporter.consume(Envelope::of(payload(&[]))).await.unwrap();
    let seen = backend.wait_for(PATH, 2).await;
    for seen in &seen {
        assert_eq!(seen.json()["meta"]["hostname"], "web-1");
        assert_eq!(seen.json()["host-tags"]["otel"], json!(["env:prod"]));
        assert_eq!(seen.headers["dd-api-key"], KEY);
    }
    within_patience("the end", exporter.shutdown(Deadline::after(PERIOD))).await;
}

#[tokio::test]
async fn host_is_told_about_once_for_all_signals_and_by_the_others_when_one_has_ended() {
    let backend = Backend::new();
    let (_server, url) = backend.start();
    let more = format!("{FIRST_RESOURCE}\nsending_queue: {{enabled: false}}");
    let shared = shared(&settings(&url, &more));
    let (one, _) = exporter(&shared, Signal::Logs);
    let (other, _) = exporter(&shared, Signal::Logs);
    for exporter in [&one, &other] {
        exporter.start().await.unwrap();
        let payload = payload(&[("host.name", "web-1")]);
        within_patience("the outcome", exporter.consume(Envelope::of(payload))).await.unwrap();
    }
    backend.wait_for(PATH, 1).await;
    within_patience("the end", one.shutdown(Deadline::after(PERIOD))).await;
    let payload = payload(&[("host.name", "web-2")]);
    within_patience("the outcome", other.consume(Envelope::of(payload))).await.unwrap();
    let seen = backend.wait_for(PATH, 2).await;
    let names: Vec<String> = seen.iter().map(|seen| name(&seen.body)).collect();
    assert_eq!(names, ["web-1", "web-2"]);
    within_patience("the end", other.shutdown(Deadline::after(PERIOD))).await;
}
