//! A backend, a road to it, and a configuration that leads there.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use tests::lambda::{Mode, Road, Sandbox, Setup};
use tests::otlp::OtlpBackend;
use tests::spans::SpanId;
use tests::{ports, send, spans};

/// Settings of the exporter that most tests use: a request can be told from its bytes, and a retry does not keep a test waiting.
pub(super) const PLAIN: &str = "compression: none";

pub(super) struct Bed {
    pub(super) backend: OtlpBackend,
    pub(super) road: Road,
    pub(super) grpc: u16,
    pub(super) http: u16,
    exporter_type: &'static str,
    exporter: String,
    more: String,
    signals: &'static [&'static str],
    receivers: String,
}

impl Bed {
    pub(super) fn new() -> Self {
        let backend = OtlpBackend::start();
        let road = Road::to(backend.port());
        Self {
            backend,
            road,
            grpc: ports::free(),
            http: ports::free(),
            exporter_type: "otlphttp",
            exporter: PLAIN.to_owned(),
            more: String::new(),
            signals: &["traces"],
            receivers: "otlp".to_owned(),
        }
    }

    /// Adds settings to the exporter, as the inside of a YAML mapping in one line.
    pub(super) fn exporter(mut self, settings: &str) -> Self {
        self.exporter = format!("{PLAIN}, {settings}");
        self
    }

    /// Exports over gRPC.
    pub(super) fn over_grpc(mut self) -> Self {
        self.exporter_type = "otlp";
        self.exporter = format!("{PLAIN}, tls: {{ insecure: true }}");
        self
    }

    /// Whether a connection carries a request and its answer, and nothing besides.
    pub(super) fn is_over_http(&self) -> bool {
        self.exporter_type == "otlphttp"
    }

    /// Has a pipeline for logs, too, which takes in the events of the Telemetry API.
    pub(super) fn with_events(mut self) -> Self {
        self.signals = &["traces", "logs"];
        self.receivers = "otlp, telemetryapi".to_owned();
        self.more = "  telemetryapi: { types: [platform, function] }\n".to_owned();
        self
    }

    pub(super) fn yaml(&self) -> String {
        let Self { grpc, http, exporter, exporter_type, more, .. } = self;
        let scheme = if *exporter_type == "otlphttp" { "http://" } else { "" };
        let road = self.road.port();
        let mut yaml = format!(
            "receivers:
  otlp:
    protocols:
      grpc: {{ endpoint: \"127.0.0.1:{grpc}\" }}
      http: {{ endpoint: \"127.0.0.1:{http}\" }}
{more}exporters:
  {exporter_type}: {{ endpoint: \"{scheme}127.0.0.1:{road}\", {exporter} }}
service:
  telemetry: {{ logs: {{ sampling: {{ enabled: false }} }} }}
  pipelines:
"
        );
        for signal in self.signals {
            let receivers = if *signal == "logs" { &self.receivers } else { "otlp" };
            yaml += &format!(
                "    {signal}: {{ receivers: [{receivers}], exporters: [{exporter_type}] }}\n"
            );
        }
        yaml
    }

    pub(super) fn setup(&self, mode: Mode) -> Setup {
        Setup::new(mode).config(&self.yaml())
    }

    pub(super) fn start(&self, mode: Mode) -> Sandbox {
        self.setup(mode).start()
    }

    /// Starts on demand with this flush strategy.
    pub(super) fn start_flushing(&self, strategy: &str) -> Sandbox {
        self.setup(Mode::OnDemand).variable("HIKYAKU_FLUSH_STRATEGY", strategy).start()
    }

    /// Sends so many spans, which the extension has to take, and returns their ids.
    pub(super) fn send(&self, count: usize) -> Vec<SpanId> {
        let request = spans::request(count);
        self.send_request(&request);
        spans::ids(&request)
    }

    /// Checks that all of these have come, and no others. What was on its way at the end of an invocation may have come twice: it was recalled, a
    /// moment too late.
    pub(super) fn assert_all_came(&self, ids: &[SpanId]) {
        let delivered = self.backend.delivered();
        let missing = ids.iter().filter(|id| !delivered.contains_key(*id)).count();
        let most = delivered.values().max().copied().unwrap_or_default();
        assert_eq!((missing, delivered.len()), (0, ids.len()), "(missing, all that came)");
        assert!(most <= 2, "a span came {most} times");
    }

    pub(super) fn send_request(&self, request: &ExportTraceServiceRequest) {
        let reply = send::traces_http(self.http, request);
        assert_eq!(reply.status, 200, "{:?}", reply.body);
    }
}

/// A number of rounds: the variable's, or this.
pub(super) fn rounds(variable: &str, usual: usize) -> usize {
    let value = std::env::var(variable).ok();
    value.map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{variable}: {text:?}")))
}
