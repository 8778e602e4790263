//! What the platform says as telemetry, and how backends that know functions see one.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::trace::v1::Span;
use tests::datadog::{DatadogIntake, traces};
use tests::lambda::{Ending, Invocation, Mode, RuntimeDone, Sandbox, Setup};
use tests::otlp::{OtlpBackend, Payload};
use tests::xray::{self, XRayBackend};
use tests::{ports, send, spans};

const TRACE: &str = "5759e988bd862e3fe1be46a994272793";
const HEADER: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
/// The span that the platform says it has made for the invocation.
const PLATFORMS_SPAN: &str = "0f1e2d3c4b5a6978";

/// A configuration with these exporters, where all of the platform's telemetry and the function's spans go.
struct Function {
    http: u16,
    yaml: String,
}

impl Function {
    fn new(exporter: &str, settings: &str, signals: &[&str]) -> Self {
        let http = ports::free();
        let mut yaml = format!(
            "receivers:
  otlp: {{ protocols: {{ http: {{ endpoint: \"127.0.0.1:{http}\" }} }} }}
  telemetryapi: {{ export_interval_ms: 0, log_report: true }}
processors:
  coldstart:
  decouple: {{ max_queue_size: 200 }}
exporters:
  {exporter}: {settings}
service:
  telemetry: {{ logs: {{ sampling: {{ enabled: false }} }} }}
  pipelines:
"
        );
        for signal in signals {
            let (receivers, processors) = match *signal {
                "traces" => ("otlp, telemetryapi", "coldstart, decouple"),
                _ => ("telemetryapi", "decouple"),
            };
            yaml += &format!(
                "    {signal}: {{ receivers: [{receivers}], processors: [{processors}], exporters: [{exporter}] }}\n"
            );
        }
        Self { http, yaml }
    }

    fn setup(&self) -> Setup {
        Setup::new(Mode::OnDemand).config(&self.yaml)
    }

    /// One invocation in this trace, whose handler sends the span that Python's instrumentation makes.
    fn invoke(&self, sandbox: &mut Sandbox, trace: Option<&str>) -> Span {
        let invocation = sandbox.begin(trace);
        let span = self.handle(&invocation);
        sandbox.finish(invocation, &Ending::Success, &RuntimeDone::Sent);
        span
    }

    fn handle(&self, invocation: &Invocation) -> Span {
        let span = Span {
            trace_id: (0..16)
                .map(|at| u8::from_str_radix(&TRACE[2 * at..2 * at + 2], 16).unwrap())
                .collect(),
            parent_span_id: 0x5399_5c3f_42cd_8ad8_u64.to_be_bytes().to_vec(),
            name: "orders".to_owned(),
            attributes: vec![spans::attribute("faas.invocation_id", &invocation.request_id)],
            ..spans::span()
        };
        let mut request: ExportTraceServiceRequest = spans::with_spans(vec![span.clone()]);
        let name = "opentelemetry.instrumentation.aws_lambda".to_owned();
        request.resource_spans[0].scope_spans[0].scope =
            Some(InstrumentationScope { name, ..Default::default() });
        let reply = send::traces_http(self.http, &request);
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        invocation.log("a line of the handler");
        span
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_function_is_told_of_by_spans_metrics_and_logs() {
    let backend = OtlpBackend::start();
    let settings =
        format!("{{ endpoint: \"http://127.0.0.1:{}\", compression: none }}", backend.port());
    let function = Function::new("otlphttp", &settings, &["traces", "metrics", "logs"]);
    let mut sandbox = function.setup().start();
    let own = function.invoke(&mut sandbox, Some(HEADER));
    let gone = sandbox.shutdown();
    assert_eq!(gone.code, Some(0), "{}", gone.log);
    assert!(gone.log.contains("The decouple processor passes everything on"), "{}", gone.log);
    let (mut all, mut names, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for request in backend.accepted() {
        match &request.payload {
            Payload::Traces(traces) => all.extend(spans::of(traces).cloned()),
            Payload::Metrics(metrics) => {
                let scopes = metrics.resource_metrics.iter().flat_map(|one| &one.scope_metrics);
                names.extend(scopes.flat_map(|one| &one.metrics).map(|one| one.name.clone()));
            }
            Payload::Logs(_) => {}
        }
    }
    lines.extend(super::days::log_bodies(&backend));
    let find = |name: &str, id: Option<&str>| {
        let found =
            |span: &&Span| span.name == name && id.is_none_or(|id| hex(&span.span_id) == id);
        all.iter().find(found).unwrap_or_else(|| panic!("{name} in {all:#?}"))
    };
    // The cold start stands beside the function's span, the invocation is the platform's.
    let (init, invocation) = (find("init orders", None), find("orders", Some(PLATFORMS_SPAN)));
    for span in [init, invocation] {
        assert_eq!(hex(&span.trace_id), TRACE);
        assert_eq!(span.parent_span_id, own.parent_span_id);
    }
    assert_eq!(all.iter().filter(|span| span.span_id == own.span_id).count(), 1);
    for name in [
        "faas.coldstarts",
        "faas.init_duration",
        "faas.invocations",
        "faas.invoke_duration",
        "faas.mem_usage",
    ] {
        assert!(names.iter().any(|found| found == name), "{name} in {names:?}");
    }
    for words in [
        "INIT_START Runtime Version: python:3.13",
        "START RequestId: ",
        "a line of the handler",
        "END RequestId: ",
        "REPORT RequestId: ",
    ] {
        assert_eq!(
            lines.iter().filter(|line| line.starts_with(words)).count(),
            1,
            "{words} in {lines:#?}"
        );
    }
}

#[test]
fn datadog_sees_a_function_by_its_tags_and_knows_a_cold_start() {
    let intake = DatadogIntake::start();
    let settings = intake.settings().to_string().replace("hostname: test-host, ", "");
    let function = Function::new("datadog", &settings, &["traces", "metrics", "logs"]);
    let mut sandbox = function.setup().start();
    let own = [(); 2].map(|()| function.invoke(&mut sandbox, Some(HEADER)));
    let gone = sandbox.shutdown();
    assert_eq!(gone.code, Some(0), "{}", gone.log);

    let calls = intake.traces.accepted();
    let mut cold_starts = Vec::new();
    for call in &calls {
        assert_eq!(call.content.host_name, "", "nobody looked for a host");
        for tracer in &call.content.tracer_payloads {
            let tags = &tracer.tags["_dd.tags.function"];
            for tag in [
                "functionname:orders",
                "function_arn:arn:aws:lambda:eu-west-1:123456789012:function:orders",
                "aws_account:123456789012",
                "region:eu-west-1",
                "memorysize:128",
            ] {
                assert!(tags.split(',').any(|found| found == tag), "{tag} in {tags}");
            }
            assert_eq!(tracer.hostname, "");
            assert!(tracer.chunks.iter().all(|chunk| chunk.origin == "lambda"));
        }
        for span in traces::spans(&call.content) {
            assert_eq!(span.meta["_dd.origin"], "lambda");
            assert_eq!(span.meta["functionname"], "orders");
            if own.iter().any(|own| own.span_id == span.span_id.to_be_bytes()) {
                assert_eq!(
                    (span.name.as_str(), span.r#type.as_str()),
                    ("aws.lambda", "serverless")
                );
                cold_starts.push(span.meta["cold_start"].clone());
            }
        }
    }
    assert_eq!(cold_starts, ["true", "false"]);
    let names: Vec<&str> = calls
        .iter()
        .flat_map(|call| traces::spans(&call.content))
        .map(|span| span.name.as_str())
        .collect();
    assert!(names.contains(&"aws.lambda.cold_start"), "{names:?}");

    let logs = intake.logs.accepted();
    let line = logs
        .iter()
        .flat_map(|call| &call.content.0)
        .find(|log| log.text("message") == Some("a line of the handler"));
    let line = line.expect("the handler's line");
    assert_eq!(line.text("ddsource"), Some("lambda"));
    assert!(line.tags().contains(&"functionname:orders"), "{:?}", line.tags());
    assert!(line.attributes["lambda"]["request_id"].as_str().is_some_and(|id| !id.is_empty()));
    assert_eq!(line.text("hostname"), None);
    let series = intake.series.accepted();
    let series = series.iter().flat_map(|call| &call.content.series);
    let invocations: Vec<_> = series.filter(|one| one.metric == "faas.invocations").collect();
    assert!(!invocations.is_empty());
    assert!(invocations.iter().all(|one| one.tags.iter().any(|tag| tag == "functionname:orders")));
    assert!(intake.hosts.accepted().is_empty(), "a function is no host");
}

#[test]
fn x_ray_has_the_functions_spans_below_the_segment_that_lambda_makes() {
    let backend = XRayBackend::start();
    let settings = format!("{{ endpoint: \"{}\", {} }}", backend.endpoint(), xray::REGION);
    let function = Function::new("awsxray", &settings, &["traces"]);
    let mut setup = function.setup();
    for (name, value) in xray::KEYS {
        setup = setup.variable(name, value);
    }
    let mut sandbox = setup.start();
    let joined = function.invoke(&mut sandbox, Some(HEADER));
    // Lambda records nothing of this one, so that there is no segment to stand below; the function's own parent is somebody else's.
    let alone = {
        let invocation = sandbox.begin(Some(
            "Root=1-5759e988-bd862e3fe1be46a994272799;Parent=53995c3f42cd8ad8;Sampled=0",
        ));
        let mut request = spans::with_spans(vec![Span {
            parent_span_id: 0x5399_5c3f_42cd_8ad8_u64.to_be_bytes().to_vec(),
            ..spans::span()
        }]);
        let span = request.resource_spans[0].scope_spans[0].spans[0].clone();
        request.resource_spans[0].resource = Some(spans::resource());
        assert_eq!(send::traces_http(function.http, &request).status, 200);
        sandbox.finish(invocation, &Ending::Success, &RuntimeDone::Sent);
        span
    };
    let gone = sandbox.shutdown();
    assert_eq!(gone.code, Some(0), "{}", gone.log);
    let documents: Vec<_> =
        backend.accepted().into_iter().flat_map(|request| request.documents).collect();
    let of = |span: &Span| {
        let id = spans::id(&span.span_id);
        let found = documents.iter().find(|document| document.span_id() == id);
        &found.unwrap_or_else(|| panic!("{documents:#?}")).json
    };
    let document = of(&joined);
    assert_eq!(
        (&document["type"], &document["parent_id"]),
        (&"subsegment".into(), &"53995c3f42cd8ad8".into())
    );
    assert_eq!(document["trace_id"], "1-5759e988-bd862e3fe1be46a994272793");
    assert_eq!(document["origin"], "AWS::Lambda::Function");
    assert_eq!(of(&alone)["type"], serde_json::Value::Null);
    let has_platforms = documents.iter().any(|document| document.id == PLATFORMS_SPAN);
    assert!(!has_platforms, "X-Ray has that from Lambda");
    assert!(documents.iter().any(|document| document.name == "init orders"));
}
