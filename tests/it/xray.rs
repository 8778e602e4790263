//! The way to X-Ray, from OTLP to segment documents. What becomes of spans under every fault is in `delivery`, beside the other exporters'.

use prost::Message as _;
use serde_json::Value;
use tests::agent::Agent;
use tests::gateway::{self, Gateway, QUICK_RETRIES};
use tests::spans::SpanId;
use tests::xray::{self, XRayBackend};
use tests::{send, spans};

mod answers;
mod any_span;
mod limits;
mod metadata;
mod moto;

/// The exporter's id in every configuration here.
const EXPORTER: &str = "awsxray";

/// An agent with the exporter, and its X-Ray.
struct Line {
    gateway: Gateway,
    agent: Agent,
    backend: XRayBackend,
}

impl Line {
    fn start() -> Self {
        Self::start_with("")
    }

    /// With more settings, each behind a comma.
    fn start_with(more: &str) -> Self {
        let backend = XRayBackend::start();
        let settings = format!(
            "{{ endpoint: \"{}\", {}, {QUICK_RETRIES}{more} }}",
            backend.endpoint(),
            xray::REGION
        );
        let gateway = Gateway::new().exporter(EXPORTER, &settings);
        let agent = gateway.start();
        Self { gateway, agent, backend }
    }

    /// Sends so many spans in one request and returns their ids.
    fn send(&self, count: usize) -> Vec<SpanId> {
        let request = spans::request(count);
        let reply = send::traces_grpc(self.gateway.grpc, &request);
        assert_eq!(reply.code, 0, "{reply:?}");
        spans::ids(&request)
    }

    /// Sends a request in JSON.
    fn send_json(&self, request: &Value) {
        let kind = [("content-type", "application/json")];
        let reply = send::http(self.gateway.http, "/v1/traces", &kind, request.to_string());
        assert_eq!(reply.status, 200, "{:?}", reply.body);
    }

    /// All documents that were taken.
    fn documents(&self) -> Vec<Value> {
        let requests = self.backend.accepted();
        requests.into_iter().flat_map(|request| request.documents).map(|one| one.json).collect()
    }

    /// Stops the agent, which has to deliver everything, and returns its log.
    fn stop(self) -> String {
        let ended = self.agent.stop();
        assert_eq!((ended.code, gateway::undelivered(&ended)), (Some(0), 0), "{}", ended.stderr);
        ended.stderr
    }
}

/// A request of one span with these members beside its ids, of this resource.
fn one_span(id: &str, resource: &Value, members: &Value) -> Value {
    let mut span = serde_json::json!({
        "traceId": "6554ab10a1b2c3d4e5f60718293a4b5c", "spanId": id, "name": "n",
        "startTimeUnixNano": "1700047632123000000", "endTimeUnixNano": "1700047632456000000",
    });
    span.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    serde_json::json!({"resourceSpans": [
        {"resource": {"attributes": resource}, "scopeSpans": [{"spans": [span]}]}
    ]})
}

fn attributes(pairs: &[(&str, &str)]) -> Value {
    let one = |(key, value): &(&str, &str)| serde_json::json!({"key": key, "value": {"stringValue": value}});
    Value::Array(pairs.iter().map(one).collect())
}

#[test]
fn a_span_of_any_sdk_becomes_a_document_that_x_ray_takes() {
    use tests::parts::Sdk;
    for (sdk, protocol) in [(Sdk::Python, "grpc"), (Sdk::Node, "http")] {
        let line = Line::start();
        let endpoint = match protocol {
            "grpc" => format!("http://127.0.0.1:{}", line.gateway.grpc),
            _ => format!("http://127.0.0.1:{}/v1/traces", line.gateway.http),
        };
        let account = sdk.send(protocol, &endpoint);
        let ids: Vec<SpanId> = account
            .spans
            .iter()
            .map(|span| u64::from_str_radix(&span.span_id, 16).unwrap().to_be_bytes())
            .collect();
        line.backend.wait_for_spans(&ids);
        line.backend.assert_delivered_once(&ids);
        for span in account.spans {
            let documents = line.documents();
            let document =
                documents.iter().find(|document| document["id"] == span.span_id.as_str());
            let document = document.unwrap();
            let trace: String =
                document["trace_id"].as_str().unwrap().replacen("1-", "", 1).replace('-', "");
            assert_eq!(trace, span.trace_id);
            assert_eq!(document["parent_id"].as_str().unwrap_or_default(), span.parent_span_id);
        }
        line.stop();
    }
}

#[test]
fn spans_from_grpc_and_http_and_in_json_arrive_in_one_way() {
    let line = Line::start();
    let mut ids = line.send(7);
    let request = spans::request(5);
    let kind = [("content-type", "application/x-protobuf")];
    let reply = send::http(line.gateway.http, "/v1/traces", &kind, request.encode_to_vec());
    assert_eq!(reply.status, 200);
    ids.extend(spans::ids(&request));
    let own =
        serde_json::json!({"kind": 2, "attributes": attributes(&[("http.request.method", "GET")])});
    line.send_json(&one_span("00000000000000aa", &attributes(&[("service.name", "shop")]), &own));
    ids.push(0xaa_u64.to_be_bytes());
    line.backend.wait_for_spans(&ids);
    line.backend.assert_delivered_once(&ids);
    let documents = line.documents();
    let document = documents.iter().find(|document| document["id"] == "00000000000000aa").unwrap();
    assert_eq!(document["name"], "shop");
    assert_eq!(document["http"]["request"]["method"], "GET");
    line.stop();
}

#[test]
fn settings_reach_the_documents() {
    let line = Line::start_with(", indexed_attributes: [tier], aws_log_groups: [/shop]");
    let own = serde_json::json!({"kind": 2, "attributes": attributes(&[("tier", "gold"), ("note", "n")])});
    line.send_json(&one_span("00000000000000ab", &attributes(&[("service.name", "shop")]), &own));
    line.backend.wait_for_spans(&[0xab_u64.to_be_bytes()]);
    let document = line.documents().remove(0);
    assert_eq!(document["annotations"], serde_json::json!({"tier": "gold"}));
    assert_eq!(document["metadata"]["default"]["note"], "n");
    assert_eq!(document["aws"]["cloudwatch_logs"][0]["log_group"], "/shop");
    line.stop();
}

#[test]
fn a_start_without_credentials_or_region_is_a_start() {
    let gateway = Gateway::new().exporter(EXPORTER, "{ retry_on_failure: { enabled: false } }");
    let setup = gateway.setup().variable("AWS_ACCESS_KEY_ID", "").variable("HOME", "/nonexistent");
    let agent = setup.start();
    let reply = send::traces_grpc(gateway.grpc, &spans::request(2));
    assert_eq!(reply.code, 0);
    let log = tests::wait::until("a line about dropped data", || {
        Some(agent.log()).filter(|log| log.contains("no AWS region"))
    });
    assert!(log.contains("AWS_REGION"), "{log}");
    assert_eq!(agent.stop().code, Some(0));
}
