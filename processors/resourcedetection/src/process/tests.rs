use std::time::Duration;

use aws::Environment;
use confmap::{Diagnostics, Node, Section};
use pdata::Signal;
use pipeline::testing::{PATIENCE, Recorder, envelope, within_patience};
use pipeline::{ComponentKind, Process};

use super::*;
use crate::config::Config;
use crate::detected::Detected;
use crate::detected::SCHEMA_URL;
use crate::detectors::{Ask, Failure, Kind};

fn config(yaml: &str) -> Config {
    let node = Node::from_yaml("test", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let config = Config::read(Section::new(Some(&node), "processors::x", &diagnostics));
    assert!(diagnostics.is_empty(), "{diagnostics}");
    config
}

fn processor(detection: Detection, next: &Recorder, signal: Signal) -> ResourceDetection {
    let id = "resourcedetection".parse().unwrap();
    let kind = ComponentKind::Processor;
    let context = Context::new(Process::default(), kind, id, Some(signal), None);
    ResourceDetection::new(Arc::new(detection), context, Outlet::to(Arc::new(next.clone())))
}

/// What a function's environment and a payload's own attributes become, and the schema.
async fn processed(
    yaml: &str,
    own: &[(&str, &str)],
    schema: &str,
    signal: Signal,
) -> (Vec<String>, String) {
    let environment = Environment::of([
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=agent,faas.name=from-env"),
        ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
        ("AWS_REGION", "eu-west-1"),
    ]);
    let next = Recorder::default();
    let processor = processor(Detection::new(config(yaml), environment), &next, signal);
    processor.start().await.unwrap();
    let mut envelope = envelope(signal, 1);
    envelope.payload.edit_resources(|resource| {
        own.iter().for_each(|(key, value)| resource.attributes().set(key, *value).unwrap());
        resource.set_schema_url(schema);
    });
    processor.consume(envelope).await.unwrap();
    assert_eq!(processor.shutdown(Deadline::after(PATIENCE)).await, 0);
    let mut payload = next.envelopes()[0].payload.clone();
    let mut seen = (Vec::new(), String::new());
    payload.edit_resources(|resource| {
        let text = |value| pdata::text::to_text(&value);
        seen.0 = resource
            .attributes()
            .view()
            .iter()
            .map(|pair| format!("{}={}", pair.key.as_str(), text(pair.value)))
            .collect();
        seen.1 = resource.schema_url().as_str().to_owned();
    });
    seen
}

const LAMBDA: &str = "lambda: {resource_attributes: {cloud.provider: {enabled: false}, cloud.platform: {enabled: false}}}";

#[tokio::test]
async fn what_is_detected_takes_the_place_of_what_senders_say_or_stands_behind_it() {
    let own = [("service.name", "shop"), ("cloud.region", "local")];
    for signal in Signal::ALL {
        let yaml = format!("{{detectors: [env, lambda], {LAMBDA}}}");
        let (attributes, schema) = processed(&yaml, &own, "", signal).await;
        let expected = ["service.name=agent", "cloud.region=eu-west-1", "faas.name=from-env"];
        assert_eq!(
            (attributes.as_slice(), schema.as_str()),
            (&expected.map(str::to_owned)[..], SCHEMA_URL)
        );
        let yaml = format!("{{detectors: [env, lambda], override: false, {LAMBDA}}}");
        let (attributes, _) = processed(&yaml, &own, "", signal).await;
        let expected = ["service.name=shop", "cloud.region=local", "faas.name=from-env"];
        assert_eq!(attributes, expected);
    }
}

#[tokio::test]
async fn a_schema_stays_and_a_variable_brings_none() {
    let schema = "https://opentelemetry.io/schemas/1.9.0";
    let (_, seen) = processed("detectors: [lambda]", &[], schema, Signal::Traces).await;
    assert_eq!(seen, schema);
    let (_, seen) = processed("detectors: [env]", &[], "", Signal::Traces).await;
    assert_eq!(seen, "");
}

/// A detector that never answers.
struct Never;

impl Ask for Never {
    fn ask<'a>(&'a self, _: Kind, _: &'a Config) -> BoxFuture<'a, Result<Detected, Failure>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_waits_for_nobody_and_a_stop_lets_waiting_payloads_go() {
    let next = Recorder::default();
    let detection = Detection::new(config("{detectors: [ecs], timeout: 1h}"), Never);
    let processor = processor(detection, &next, Signal::Logs);
    let began = tokio::time::Instant::now();
    processor.start().await.unwrap();
    let waiting = processor.consume(envelope(Signal::Logs, 2));
    let stop = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(next.items(), 0, "the payload waits");
        processor.shutdown(Deadline::after(PATIENCE)).await
    };
    let (passed, left) = within_patience("both", async { tokio::join!(waiting, stop) }).await;
    passed.unwrap();
    assert_eq!((left, next.items()), (0, 2));
    assert_eq!(began.elapsed(), Duration::from_secs(5));
}

#[tokio::test]
async fn a_payload_to_which_nothing_is_added_keeps_its_bytes() {
    let next = Recorder::default();
    let none: [(&str, &str); 0] = [];
    let detection = Detection::new(config(""), Environment::of(none));
    let processor = processor(detection, &next, Signal::Traces);
    processor.start().await.unwrap();
    let sent = envelope(Signal::Traces, 3);
    processor.consume(sent.clone()).await.unwrap();
    assert_eq!(next.envelopes()[0].payload.chunks(), sent.payload.chunks());
}
