//! Golden cases: `testdata/process/<case>/config.yaml` applied to `testdata/input/<signal>.json` gives `<case>/<signal>.json`,
//! as the Collector's processor 0.156 made it. The order of attributes does not count.

use std::path::{Path, PathBuf};
use std::{fs, sync::Arc};

use bytes::Bytes;
use confmap::{Diagnostics, Node, Section};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use pipeline::testing::Recorder;
use pipeline::{ComponentKind, Context, Envelope, Outlet, Process};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::*;

fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path)
}

fn encode<T: Message + DeserializeOwned>(json: &str) -> Vec<u8> {
    serde_json::from_str::<T>(json).unwrap().encode_to_vec()
}

fn decode<T: Message + Default + Serialize>(bytes: &[u8]) -> Value {
    let mut json = serde_json::to_value(T::decode(bytes).unwrap()).unwrap();
    sort_attributes(&mut json);
    json
}

/// An encoded request of OTLP/JSON.
fn request(signal: Signal, path: &Path) -> Vec<u8> {
    let json = fs::read_to_string(path).unwrap();
    match signal {
        Signal::Traces => encode::<ExportTraceServiceRequest>(&json),
        Signal::Metrics => encode::<ExportMetricsServiceRequest>(&json),
        Signal::Logs => encode::<ExportLogsServiceRequest>(&json),
    }
}

fn comparable(signal: Signal, request: &[u8]) -> Value {
    match signal {
        Signal::Traces => decode::<ExportTraceServiceRequest>(request),
        Signal::Metrics => decode::<ExportMetricsServiceRequest>(request),
        Signal::Logs => decode::<ExportLogsServiceRequest>(request),
    }
}

fn sort_attributes(json: &mut Value) {
    match json {
        Value::Array(items) => items.iter_mut().for_each(sort_attributes),
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                sort_attributes(value);
                if name == "attributes"
                    && let Value::Array(attributes) = value
                {
                    attributes.sort_by_key(|attribute| attribute["key"].to_string());
                }
            }
        }
        _ => {}
    }
}

/// The first place at which the two differ.
fn difference(expected: &Value, actual: &Value, path: &str) -> Option<String> {
    let differ = || Some(format!("{path}\nexpected {expected}\nactual   {actual}"));
    match (expected, actual) {
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (a, b))| difference(a, b, &format!("{path}/{i}"))),
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            a.iter().find_map(|(key, a)| difference(a, &b[key], &format!("{path}/{key}")))
        }
        _ if expected == actual => None,
        _ => differ(),
    }
}

/// What the processor makes of a payload.
async fn processed(yaml: &str, payload: Payload) -> Payload {
    let node = Node::from_yaml("config.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let section = Section::new(Some(&node), "processors::attributes", &diagnostics);
    let build = (crate::FACTORY.parse)(section);
    assert!(diagnostics.is_empty(), "{diagnostics}");
    let (id, signal) = ("attributes".parse().unwrap(), Some(payload.signal()));
    let kind = ComponentKind::Processor;
    let context = Context::new(Process::default(), kind, id, signal, None);
    let next = Recorder::default();
    let processor = build(context, Outlet::to(Arc::new(next.clone()))).unwrap();
    let metadata = ["acme", "corp"].map(|tenant| ("tenant".to_owned(), tenant.to_owned()));
    let address = Some("10.0.0.1:1234".parse().unwrap());
    let client = Client { metadata: metadata.to_vec(), address, auth: Vec::new() };
    let envelope = Envelope { client: Arc::new(client), ..Envelope::of(payload) };
    processor.consume(envelope).await.unwrap();
    next.envelopes().remove(0).payload
}

fn input(signal: Signal) -> Payload {
    let bytes = request(signal, &testdata(&format!("input/{signal}.json")));
    Payload::decode(signal, Bytes::from(bytes)).unwrap().payload
}

#[tokio::test]
async fn every_case_gives_what_the_collector_makes_of_it() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for case in fs::read_dir(testdata("process")).unwrap() {
        let case = case.unwrap().path();
        let yaml = fs::read_to_string(case.join("config.yaml")).unwrap();
        for signal in Signal::ALL {
            let path = case.join(format!("{signal}.json"));
            if !path.is_file() {
                continue;
            }
            let expected = comparable(signal, &request(signal, &path));
            let actual = comparable(signal, &processed(&yaml, input(signal)).await.to_bytes());
            compared += 1;
            let found = difference(&expected, &actual, "");
            wrong.extend(found.map(|found| format!("{}: {found}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(compared > 45, "only {compared} cases");
}

/// Names of the spans, metrics and log bodies that were taken, by the attribute that every case sets.
async fn taken(signal: Signal, matching: &str) -> Vec<String> {
    let yaml = format!("{matching}\nactions: [{{key: mark, value: 1, action: insert}}]");
    let payload = processed(&yaml, input(signal)).await;
    let spans = payload.resource_spans().flat_map(|group| group.scope_spans);
    let spans = spans.flat_map(|scope| scope.spans);
    let spans = spans.filter(|span| span.attributes.get("mark").is_some());
    let metrics = payload.resource_metrics().flat_map(|group| group.scope_metrics);
    let metrics = metrics.flat_map(|scope| scope.metrics).filter(|metric| match metric.data {
        pdata::view::Data::Gauge(points) | pdata::view::Data::Sum { points, .. } => {
            points.iter().all(|point| point.attributes.get("mark").is_some())
        }
        _ => false,
    });
    spans.map(|span| span.name.to_string()).chain(metrics.map(|m| m.name.to_string())).collect()
}

#[tokio::test]
async fn any_of_several_libraries_is_enough() {
    let libraries = "libraries: [{name: mongo-java-driver}, {name: http, version: '2'}]";
    let matching = format!("include: {{match_type: strict, {libraries}}}");
    let names = taken(Signal::Traces, &matching).await;
    assert_eq!(names, ["login", "logout", "charge", "refund", "odd"]);
}

#[tokio::test]
async fn resources_of_metrics_are_compared() {
    let resources = "resources: [{key: service.name, value: payments}]";
    let include = format!("include: {{match_type: strict, {resources}}}");
    assert_eq!(taken(Signal::Metrics, &include).await, ["requests"]);
    let exclude = format!("exclude: {{match_type: strict, {resources}, metric_names: [requests]}}");
    assert_eq!(taken(Signal::Metrics, &exclude).await, ["cpu.utilization", "requests"]);
}

#[tokio::test]
async fn payload_of_which_nothing_is_taken_is_passed_on_as_it_is() {
    for (signal, matching) in [
        (Signal::Traces, "include: {match_type: strict, services: [none]}"),
        (Signal::Traces, "include: {match_type: strict, span_names: [none]}"),
        (Signal::Traces, "exclude: {match_type: regexp, span_names: ['']}"),
        (Signal::Metrics, "include: {match_type: strict, metric_names: [none]}"),
        (Signal::Logs, "include: {match_type: regexp, log_bodies: [none]}"),
    ] {
        let yaml = format!("{matching}\nactions: [{{key: mark, value: 1, action: insert}}]");
        let before = input(signal);
        let after = processed(&yaml, before.clone()).await;
        assert_eq!(before.chunks()[0].as_ptr(), after.chunks()[0].as_ptr(), "{matching}");
    }
}
