//! The `awsxray` receiver in the place of X-Ray's daemon: real X-Ray SDKs send to it and ask it about sampling.

use std::net::UdpSocket;

use serde_json::json;
use tests::agent::Setup;
use tests::metrics;
use tests::parts::XRaySdk;
use tests::ports;
use tests::xray::sampling::{RULE, SamplingBackend};

use super::*;

/// An agent in the daemon's place, with X-Ray behind it.
struct Daemon {
    port: u16,
    metrics: u16,
    agent: Agent,
    backend: XRayBackend,
    sampling: SamplingBackend,
}

impl Daemon {
    fn start(variables: &[(&str, &str)]) -> Self {
        let (port, metrics) = (ports::free(), ports::free());
        let (backend, sampling) = (XRayBackend::start(), SamplingBackend::start());
        let yaml = format!(
            "receivers:
  awsxray: {{ endpoint: \"127.0.0.1:{port}\", proxy_server: {{ endpoint: \"127.0.0.1:{port}\", region: eu-west-1, aws_endpoint: \"{}\" }} }}
exporters: {{ awsxray: {{ endpoint: \"{}\", {} }} }}
service:
  shutdown: {{ linger: 0s }}
  telemetry:
    metrics:
      readers:
        - pull: {{ exporter: {{ prometheus: {{ host: 127.0.0.1, port: {metrics} }} }} }}
  pipelines: {{ traces: {{ receivers: [awsxray], exporters: [awsxray] }} }}
",
            sampling.endpoint(),
            backend.endpoint(),
            xray::REGION
        );
        let setup = Setup::config(&yaml).listening_on([port, metrics]);
        let setup =
            variables.iter().fold(setup, |setup, (name, value)| setup.variable(name, value));
        Self { port, metrics, agent: setup.start(), backend, sampling }
    }

    /// All documents that X-Ray has taken, once there are so many.
    fn documents(&self, count: usize) -> Vec<Value> {
        tests::wait::until(&format!("{count} documents at X-Ray"), || {
            let requests = self.backend.accepted();
            let documents = requests.into_iter().flat_map(|request| request.documents);
            let documents: Vec<Value> = documents.map(|document| document.json).collect();
            (documents.len() >= count).then_some(documents)
        })
    }
}

fn send(port: u16, datagram: &[u8]) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    assert_eq!(socket.send_to(datagram, ("127.0.0.1", port)).unwrap(), datagram.len());
}

fn segment(id: u64) -> Vec<u8> {
    let document = json!({"name": "shop", "id": format!("{id:016x}"), "trace_id": "1-6554ab10-a1b2c3d4e5f60718293a4b5c",
        "start_time": 1_700_047_632.5, "end_time": 1_700_047_633.5});
    format!("{{\"format\": \"json\", \"version\": 1}}\n{document}").into_bytes()
}

#[test]
fn real_x_ray_sdk_for_python_samples_by_central_rules_and_its_trace_arrives_whole() {
    check(XRaySdk::Python, "Botocore");
}

#[test]
fn real_x_ray_sdk_for_node_samples_by_central_rules_and_its_trace_arrives_whole() {
    check(XRaySdk::Node, "");
}

fn check(sdk: XRaySdk, agent: &str) {
    let daemon = Daemon::start(&xray::KEYS);
    let sent = sdk.send(daemon.port, RULE);
    let questions = daemon.sampling.questions("/GetSamplingRules");
    assert!(!questions.is_empty());
    for question in &questions {
        let expected = Ok((xray::KEYS[0].1.to_owned(), "eu-west-1".to_owned()));
        assert_eq!(question.signature, expected, "{question:?}");
        assert!(question.user_agent.contains(agent), "{question:?}");
    }
    if sdk == XRaySdk::Python {
        let reports = daemon.sampling.questions("/SamplingTargets");
        let statistics = &reports[0].body["SamplingStatisticsDocuments"][0];
        assert_eq!(
            (&statistics["RuleName"], &statistics["RequestCount"]),
            (&json!(RULE), &json!(1))
        );
    }
    let mut segments = Vec::new();
    sent.iter().for_each(|document| flatten(document, None, &mut segments));
    assert!(segments.len() >= 4, "{segments:?}");
    let arrived = daemon.documents(segments.len());
    assert_eq!(arrived.len(), segments.len());
    for segment in &segments {
        let found = arrived.iter().find(|found| found["id"] == segment["id"]).unwrap();
        assert_there(&mut Vec::new(), segment, found);
    }
    let rule = &arrived.iter().find(|found| found["type"].is_null()).unwrap()["aws"]["xray"];
    assert!(rule.to_string().contains(RULE), "{rule}");
    assert_eq!(daemon.agent.stop().code, Some(0));
}

/// Each subsegment as a document of its own.
fn flatten(segment: &Value, parent: Option<&Value>, all: &mut Vec<Value>) {
    let mut own = segment.clone();
    let object = own.as_object_mut().unwrap();
    let below = object.remove("subsegments").unwrap_or_default();
    if let Some(parent) = parent {
        object.insert("parent_id".to_owned(), parent["id"].clone());
        object.insert("trace_id".to_owned(), parent["trace_id"].clone());
        object.insert("type".to_owned(), json!("subsegment"));
    }
    all.push(own.clone());
    for one in below.as_array().into_iter().flatten() {
        flatten(one, Some(&own), all);
    }
}

/// Whether all that was sent is in what arrived.
fn assert_there(path: &mut Vec<String>, sent: &Value, found: &Value) {
    match (sent, found) {
        (Value::Object(sent), Value::Object(found)) => {
            for (key, value) in sent {
                path.push(key.clone());
                let empty = value.is_null() || *value == json!({}) || *value == json!([]);
                // What a document says by not saying it.
                let is_usual = path.len() == 1 && key == "in_progress" && *value == json!(false)
                    || path.len() == 1 && key == "namespace" && *value == json!("local")
                    || key == "auto_instrumentation" && *value == json!(false);
                match found.get(key) {
                    Some(there) => assert_there(path, value, there),
                    None => assert!(empty || is_usual, "{path:?}: {value} is gone"),
                }
                path.pop();
            }
        }
        (Value::Array(sent), Value::Array(found)) => {
            assert_eq!(sent.len(), found.len(), "{path:?}");
            for (sent, found) in sent.iter().zip(found) {
                assert_there(path, sent, found);
            }
        }
        (Value::Number(sent), Value::Number(found)) => {
            let difference = sent.as_f64().unwrap() - found.as_f64().unwrap();
            let is_time = path.len() == 1 && path[0].ends_with("_time");
            let most = if is_time { 3e-7 } else { 0.0 };
            assert!(difference.abs() <= most, "{path:?}: {sent} became {found}");
        }
        _ => assert_eq!(sent, found, "{path:?}"),
    }
}

#[test]
fn datagrams_that_are_no_segments_are_counted_and_said_once_and_the_next_segment_is_taken() {
    let daemon = Daemon::start(&xray::KEYS);
    for nonsense in
        [&b""[..], b"no header", b"{\"format\":\"json\",\"version\":2}\n{}", &[0xff; 60_000]]
    {
        for _ in 0..5 {
            send(daemon.port, nonsense);
        }
    }
    send(daemon.port, &segment(0xb7));
    assert_eq!(daemon.documents(1)[0]["id"], "00000000000000b7");
    metrics::wait_for(
        daemon.metrics,
        "otelcol_receiver_failed_spans",
        &[("transport", "udp")],
        20.0,
    );
    metrics::wait_for(
        daemon.metrics,
        "otelcol_receiver_accepted_spans",
        &[("transport", "udp")],
        1.0,
    );
    let log = daemon.agent.stop().stderr;
    assert_eq!(log.matches("A datagram is no X-Ray segment").count(), 1, "{log}");
}

#[test]
fn agent_that_is_told_to_stop_has_handed_on_every_segment_that_came_before() {
    let daemon = Daemon::start(&xray::KEYS);
    let ids: Vec<SpanId> = (1..=100u64).map(u64::to_be_bytes).collect();
    for id in 1..=100 {
        send(daemon.port, &segment(id));
    }
    let ended = daemon.agent.stop();
    assert_eq!((ended.code, gateway::undelivered(&ended)), (Some(0), 0), "{}", ended.stderr);
    daemon.backend.assert_delivered_once(&ids);
}

#[test]
fn question_without_credentials_is_answered_with_what_is_missing() {
    let daemon = Daemon::start(&[("HOME", "/nonexistent")]);
    let kind = [("content-type", "application/json")];
    let reply = send::http(daemon.port, "/GetSamplingRules", &kind, "{}".to_owned());
    assert_eq!(reply.status, 502);
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert!(text.contains("no AWS credentials"), "{text}");
    assert!(daemon.sampling.questions("/GetSamplingRules").is_empty(), "nothing is sent unsigned");
    assert_eq!(daemon.agent.stop().code, Some(0));
}
