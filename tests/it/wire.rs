//! What leaves the agent on the wire, as its settings say, and nothing of it changed on the way.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Status, status};
use prost::Message as _;
use tests::answer::Answer;
use tests::desk::Decoded as _;
use tests::gateway::Gateway;
use tests::otlp::{OtlpBackend, Payload, Transport};
use tests::zipkin::ZipkinBackend;
use tests::{encoding, send, spans};

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");

/// Exporter settings for a backend, by the three forms that OTLP has.
fn forms(port: u16, more: &str) -> [(&'static str, String, Transport); 3] {
    [
        (
            "otlp",
            format!("{{ endpoint: \"127.0.0.1:{port}\", tls: {{ insecure: true }}{more} }}"),
            Transport::Grpc,
        ),
        (
            "otlphttp",
            format!("{{ endpoint: \"http://127.0.0.1:{port}\"{more} }}"),
            Transport::HttpProtobuf,
        ),
        (
            "otlphttp",
            format!("{{ endpoint: \"http://127.0.0.1:{port}\", encoding: json{more} }}"),
            Transport::HttpJson,
        ),
    ]
}

#[test]
fn all_signals_pass_unchanged_in_every_form() {
    let sent = [Payload::Traces(traces()), Payload::Metrics(metrics()), Payload::Logs(logs())];
    let paths = ["/v1/traces", "/v1/metrics", "/v1/logs"];
    for form in 0..3 {
        let backend = OtlpBackend::start();
        let (exporter, settings, transport) = forms(backend.port(), "")[form].clone();
        let gateway = Gateway::new().all_signals().exporter(exporter, &settings);
        let _agent = gateway.start();
        for (payload, path) in sent.iter().zip(paths) {
            let (protobuf, json) = match payload {
                Payload::Traces(request) => (request.encode_to_vec(), serde_json::to_vec(request)),
                Payload::Metrics(request) => (request.encode_to_vec(), serde_json::to_vec(request)),
                Payload::Logs(request) => (request.encode_to_vec(), serde_json::to_vec(request)),
            };
            for (kind, body) in [(PROTOBUF, protobuf), (JSON, json.unwrap())] {
                let before = backend.requests().len();
                assert_eq!(send::http(gateway.http, path, &[kind], body).status, 200);
                backend.wait_for(&format!("{path} as {transport:?}"), |requests| {
                    requests.get(before).is_some_and(|entry| entry.accepted)
                });
                let arrived = &backend.requests()[before].request;
                assert_eq!(arrived.transport, transport);
                assert_eq!(arrived.payload, *payload, "{path} from {kind:?} as {transport:?}");
            }
        }
    }
}

#[test]
fn bodies_are_compressed_as_the_settings_say() {
    for (compression, expected) in [
        ("", "gzip"),
        (", compression: none", ""),
        (", compression: gzip", "gzip"),
        (", compression: zstd", "zstd"),
        (", compression: snappy", "snappy"),
    ] {
        let backend = OtlpBackend::start();
        for (exporter, settings, transport) in forms(backend.port(), compression) {
            let gateway = Gateway::new().exporter(exporter, &settings);
            let _agent = gateway.start();
            let request = spans::request(50);
            assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
            backend.wait_for_spans(&spans::ids(&request));
            let arrived = backend.accepted().pop().unwrap();
            let name =
                if transport == Transport::Grpc { "grpc-encoding" } else { "content-encoding" };
            let found = arrived.header(name).unwrap_or_default();
            assert_eq!(found.trim_start_matches("identity"), expected, "{exporter} {compression}");
            if !expected.is_empty() {
                assert!(arrived.wire_bytes < arrived.plain_bytes / 2, "{exporter} {compression}");
            }
        }
    }
}

#[test]
fn exporters_send_the_configured_headers_and_name_themselves() {
    let backend = OtlpBackend::start();
    for (exporter, settings, _) in forms(backend.port(), ", headers: { x-team: shop }") {
        let gateway = Gateway::new().exporter(exporter, &settings);
        let _agent = gateway.start();
        let request = spans::request(1);
        assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
        backend.wait_for_spans(&spans::ids(&request));
        let arrived = backend.accepted().pop().unwrap();
        assert_eq!(arrived.header("x-team"), Some("shop"));
        let agent = arrived.header("user-agent").unwrap();
        assert!(agent.to_lowercase().contains("hikyaku"), "{agent}");
    }
}

#[test]
fn user_and_password_of_a_url_are_sent_and_shown_nowhere() {
    let (otlp, zipkin) = (OtlpBackend::start(), ZipkinBackend::start());
    let of_otlp = format!("http://user:canary%24s@127.0.0.1:{}", otlp.port());
    let of_zipkin = zipkin.endpoint().replacen("://", "://user:canary%24s@", 1);
    let more = "retry_on_failure: { enabled: false }";
    let gateway = Gateway::new()
        .exporter("otlphttp", &format!("{{ endpoint: \"{of_otlp}\", {more} }}"))
        .exporter("zipkin", &format!("{{ endpoint: \"{of_zipkin}\", {more} }}"));
    let printed = gateway.setup().arguments(["print-config"]).run();
    assert!(!printed.stdout.contains("canary"), "{}", printed.stdout);
    assert_eq!(printed.stdout.matches("http://[REDACTED]@127.0.0.1:").count(), 2);
    let agent = gateway.start();
    let request = spans::request(1);
    assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
    otlp.wait_for_spans(&spans::ids(&request));
    zipkin.wait_for_spans(&spans::ids(&request));
    let basic = Some("Basic dXNlcjpjYW5hcnkkcw==");
    assert_eq!(otlp.accepted().pop().unwrap().header("authorization"), basic);
    let arrived = zipkin.accepted().pop().unwrap();
    let authorization = arrived.headers.iter().find(|(name, _)| name == "authorization");
    assert_eq!(authorization.map(|(_, value)| value.as_str()), basic);
    otlp.answer_always(Answer::status(403));
    zipkin.answer_always(Answer::status(403));
    assert_eq!(send::traces_grpc(gateway.grpc, &spans::request(1)).code, 0);
    otlp.wait_for_requests(2);
    zipkin.wait_for_requests(2);
    let log = agent.stop().stderr;
    assert_eq!(log.matches("answered 403").count(), 2, "{log}");
    assert!(!log.contains("canary") && !log.contains("dXNlcjpj"), "{log}");
}

#[test]
fn zipkin_is_sent_as_json_or_protobuf() {
    for (more, protobuf) in [("", false), (", format: json", false), (", format: proto", true)] {
        let backend = ZipkinBackend::start();
        let settings = format!("{{ endpoint: \"{}\"{more} }}", backend.endpoint());
        let gateway = Gateway::new().exporter("zipkin", &settings);
        let _agent = gateway.start();
        let request = spans::request(3);
        assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
        backend.wait_for_spans(&spans::ids(&request));
        let arrived = backend.accepted().pop().unwrap();
        assert_eq!(arrived.protobuf, protobuf, "{more}");
        let span = &arrived.spans[0];
        assert_eq!(span.kind.as_deref(), Some("SERVER"));
        assert_eq!(span.name.as_deref().map(str::to_lowercase).as_deref(), Some("get /orders"));
        assert_eq!(span.tags["http.request.method"], "GET");
    }
}

#[test]
fn the_receiver_takes_every_encoding_of_the_collector() {
    let backend = OtlpBackend::start();
    let (exporter, settings, _) = forms(backend.port(), "")[1].clone();
    let gateway = Gateway::new().exporter(exporter, &settings);
    let _agent = gateway.start();
    for name in ["gzip", "zstd", "zlib", "deflate", "snappy", "x-snappy-framed", "lz4"] {
        let request = spans::request(2);
        let body = encoding::apply(name, &request.encode_to_vec());
        let headers = [PROTOBUF, ("content-encoding", name)];
        assert_eq!(send::http(gateway.http, "/v1/traces", &headers, body).status, 200, "{name}");
        backend.wait_for_spans(&spans::ids(&request));
    }
    for name in ["gzip", "zstd", "snappy"] {
        let request = spans::request(2);
        let packed = encoding::apply(encoding::of_grpc(name), &request.encode_to_vec());
        let mut body = send::framed(&packed);
        body[0] = 1;
        let headers = [("grpc-encoding", name)];
        let reply = send::grpc(gateway.grpc, send::TRACE_EXPORT, &headers, &body);
        assert_eq!(reply.code, 0, "{name}: {reply:?}");
        backend.wait_for_spans(&spans::ids(&request));
    }
}

#[test]
fn a_batch_joins_and_splits_by_count() {
    let backend = OtlpBackend::start();
    let (exporter, settings, _) = forms(backend.port(), "")[1].clone();
    let gateway = Gateway::new()
        .processor("batch", "{ timeout: 60s, send_batch_size: 100, send_batch_max_size: 100 }")
        .exporter(exporter, &settings);
    let agent = gateway.start();
    let mut ids = Vec::new();
    for count in [30, 30, 30, 30, 250] {
        let request = spans::request(count);
        assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
        ids.extend(spans::ids(&request));
    }
    assert_eq!(agent.stop().code, Some(0));
    backend.assert_delivered_once(&ids);
    let mut sizes: Vec<usize> =
        backend.accepted().iter().map(|request| request.span_ids().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [70, 100, 100, 100]);
}

#[test]
fn processors_edit_what_they_are_told_to() {
    let backend = OtlpBackend::start();
    let (exporter, settings, _) = forms(backend.port(), "")[0].clone();
    let gateway = Gateway::new()
        .processor(
            "attributes",
            "{ actions: [{ key: env, value: test, action: insert }, { key: http.request.method, action: delete }] }",
        )
        .processor("resource", "{ attributes: [{ key: service.name, value: cart, action: upsert }] }")
        .exporter(exporter, &settings);
    let _agent = gateway.start();
    let request = spans::request(2);
    assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
    backend.wait_for_spans(&spans::ids(&request));
    let mut expected = request;
    let resource = &mut expected.resource_spans[0];
    resource.resource.as_mut().unwrap().attributes = vec![spans::attribute("service.name", "cart")];
    for span in &mut resource.scope_spans[0].spans {
        span.attributes = vec![spans::attribute("env", "test")];
    }
    assert_eq!(*backend.accepted()[0].traces(), expected);
}

fn value(value: Value) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

fn pair(key: &str, of: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: value(of), ..Default::default() }
}

/// Attributes of every kind.
fn attributes() -> Vec<KeyValue> {
    let list =
        ArrayValue { values: vec![value(Value::IntValue(-1)).unwrap(), AnyValue::default()] };
    let map = KeyValueList { values: vec![pair("inner", Value::BoolValue(false))] };
    vec![
        pair("text", Value::StringValue("飛脚".to_owned())),
        pair("truth", Value::BoolValue(true)),
        pair("integer", Value::IntValue(i64::MIN)),
        pair("double", Value::DoubleValue(-0.125)),
        pair("bytes", Value::BytesValue(vec![0, 255, 7])),
        pair("list", Value::ArrayValue(list)),
        pair("map", Value::KvlistValue(map)),
    ]
}

fn named_scope() -> InstrumentationScope {
    InstrumentationScope { name: "tests".to_owned(), ..Default::default() }
}

fn described_resource() -> Resource {
    Resource { attributes: attributes(), ..Default::default() }
}

fn traces() -> ExportTraceServiceRequest {
    let mut span = spans::span();
    span.trace_state = "a=b".to_owned();
    span.parent_span_id = vec![9; 8];
    span.flags = 0x101;
    span.attributes = attributes();
    span.dropped_attributes_count = 3;
    span.events = vec![Event {
        time_unix_nano: span.start_time_unix_nano + 1,
        name: "e".to_owned(),
        attributes: attributes(),
        dropped_attributes_count: 1,
    }];
    span.dropped_events_count = 4;
    span.links = vec![Link {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        trace_state: "c=d".to_owned(),
        attributes: attributes(),
        dropped_attributes_count: 2,
        flags: 1,
    }];
    span.dropped_links_count = 5;
    span.status = Some(Status { message: "no".to_owned(), code: status::StatusCode::Error.into() });
    let mut request = spans::with_spans(vec![span]);
    request.resource_spans[0].schema_url = "https://opentelemetry.io/schemas/1.30.0".to_owned();
    request
}

fn metrics() -> ExportMetricsServiceRequest {
    let point = NumberDataPoint {
        attributes: attributes(),
        start_time_unix_nano: 1,
        time_unix_nano: 1_700_000_000_000_000_000,
        value: Some(Number::AsInt(-7)),
        ..Default::default()
    };
    let metric = Metric {
        name: "queue".to_owned(),
        description: "waiting".to_owned(),
        unit: "{item}".to_owned(),
        data: Some(Data::Gauge(Gauge { data_points: vec![point] })),
        ..Default::default()
    };
    let mut scope = ScopeMetrics { metrics: vec![metric], ..Default::default() };
    scope.scope = Some(named_scope());
    let mut resource = ResourceMetrics { scope_metrics: vec![scope], ..Default::default() };
    resource.resource = Some(described_resource());
    ExportMetricsServiceRequest { resource_metrics: vec![resource] }
}

fn logs() -> ExportLogsServiceRequest {
    let record = LogRecord {
        time_unix_nano: 1_700_000_000_000_000_000,
        observed_time_unix_nano: 1_700_000_000_000_000_001,
        severity_number: 9,
        severity_text: "INFO".to_owned(),
        body: value(Value::StringValue("注文".to_owned())),
        attributes: attributes(),
        trace_id: vec![3; 16],
        span_id: vec![4; 8],
        ..Default::default()
    };
    let mut scope = ScopeLogs { log_records: vec![record], ..Default::default() };
    scope.scope = Some(named_scope());
    let mut resource = ResourceLogs { scope_logs: vec![scope], ..Default::default() };
    resource.resource = Some(described_resource());
    ExportLogsServiceRequest { resource_logs: vec![resource] }
}
