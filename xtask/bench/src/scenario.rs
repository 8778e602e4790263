//! The pipelines that are measured, and what each must reach.

/// One pipeline.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    pub(crate) spans: usize,
    /// The exporter's section, with `SINK` where the sink's address goes.
    exporter: &'static str,
    batch: bool,
    /// Whether the sink sees the spans, and the floor program forwards them.
    pub(crate) delivers: bool,
    /// Whether Datadog's connector computes APM stats of the spans, and the exporter sends them to the sink.
    pub(crate) stats: bool,
    /// The largest ratio of the agent's processor time per span to the floor's.
    pub(crate) bar: f64,
}

pub(crate) static ALL: [Scenario; 7] = [
    Scenario {
        key: "nop",
        title: "OTLP -> drop",
        spans: 100,
        exporter: "nop: {}",
        batch: false,
        delivers: false,
        stats: false,
        bar: 2.2,
    },
    Scenario {
        key: "otlp",
        title: "OTLP -> batch -> OTLP, plain",
        spans: 100,
        exporter: "otlphttp: { endpoint: \"http://SINK\", compression: none }",
        batch: true,
        delivers: true,
        stats: false,
        bar: 1.8,
    },
    Scenario {
        key: "otlp-single",
        title: "OTLP -> batch -> OTLP, one each",
        spans: 1,
        exporter: "otlphttp: { endpoint: \"http://SINK\", compression: none }",
        batch: true,
        delivers: true,
        stats: false,
        bar: 1.4,
    },
    Scenario {
        key: "otlp-gzip",
        title: "OTLP -> batch -> OTLP, gzip",
        spans: 100,
        exporter: "otlphttp: { endpoint: \"http://SINK\" }",
        batch: true,
        delivers: true,
        stats: false,
        bar: 4.0,
    },
    Scenario {
        key: "zipkin",
        title: "OTLP -> batch -> Zipkin JSON",
        spans: 100,
        exporter: "zipkin: { endpoint: \"http://SINK/api/v2/spans\" }",
        batch: true,
        delivers: true,
        stats: false,
        bar: 7.5,
    },
    Scenario {
        key: "datadog",
        title: "OTLP -> batch -> Datadog, stats",
        spans: 100,
        exporter: "datadog: { hostname: bench, api: { key: 0123456789abcdef0123456789abcdef }, \
                   traces: { endpoint: \"http://SINK\" }, metrics: { endpoint: \"http://SINK\" }, \
                   host_metadata: { enabled: false } }",
        batch: true,
        delivers: true,
        stats: true,
        bar: 11.0,
    },
    Scenario {
        key: "xray",
        title: "OTLP -> batch -> X-Ray, signed",
        spans: 100,
        exporter: "awsxray: { endpoint: \"http://SINK\", region: eu-west-1 }",
        batch: true,
        delivers: true,
        stats: false,
        bar: 9.0,
    },
];

/// The scenarios that a list of keys names, in their own order.
pub(crate) fn chosen(keys: &str) -> Result<Vec<&'static Scenario>, String> {
    let keys: Vec<&str> = keys.split(',').collect();
    if let Some(unknown) = keys.iter().find(|key| ALL.iter().all(|scenario| scenario.key != **key))
    {
        let known: Vec<&str> = ALL.iter().map(|scenario| scenario.key).collect();
        return Err(format!("unknown scenario {unknown}; there are {}", known.join(", ")));
    }
    Ok(ALL.iter().filter(|scenario| keys.contains(&scenario.key)).collect())
}

/// The ports of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) grpc: u16,
    pub(crate) http: u16,
    pub(crate) metrics: u16,
    pub(crate) sink: u16,
}

impl Scenario {
    /// The agent's configuration: the Collector's YAML, defaults wherever the scenario does not need otherwise.
    pub(crate) fn yaml(&self, ports: Ports) -> String {
        let Ports { grpc, http, metrics, sink } = ports;
        let exporter = self.exporter.replace("SINK", &format!("127.0.0.1:{sink}"));
        let (name, _) = exporter.split_once(':').unwrap_or((&exporter, ""));
        let (batch, processors) = if self.batch {
            ("processors:\n  batch: { timeout: 200ms, send_batch_size: 8192 }\n", "[batch]")
        } else {
            ("", "[]")
        };
        let (connectors, exporters, metrics_pipeline) = if self.stats {
            (
                "connectors:\n  datadog/stats: {}\n",
                format!("{name}, datadog/stats"),
                format!("    metrics: {{ receivers: [datadog/stats], exporters: [{name}] }}\n"),
            )
        } else {
            ("", name.to_owned(), String::new())
        };
        format!(
            "receivers:
  otlp:
    protocols:
      grpc: {{ endpoint: \"127.0.0.1:{grpc}\" }}
      http: {{ endpoint: \"127.0.0.1:{http}\" }}
{batch}{connectors}exporters:
  {exporter}
service:
  telemetry:
    logs: {{ level: warn }}
    metrics:
      readers:
        - pull: {{ exporter: {{ prometheus: {{ host: 127.0.0.1, port: {metrics} }} }} }}
  pipelines:
    traces: {{ receivers: [otlp], processors: {processors}, exporters: [{exporters}] }}
{metrics_pipeline}"
        )
    }
}
