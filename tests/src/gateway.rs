//! The configuration that most tests share: OTLP in on both transports, some exporters out, own metrics and JSON logs on.

use serde_json::Value;

use crate::agent::{Agent, Setup};
use crate::ports;
use crate::process::Ended;
use crate::xray;

/// Retries that do not keep a test waiting.
pub const QUICK_RETRIES: &str =
    "retry_on_failure: { initial_interval: 20ms, max_interval: 100ms, randomization_factor: 0 }";

/// A configuration with one pipeline, or one for each signal, and the ports in it.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// OTLP over gRPC.
    pub grpc: u16,
    /// OTLP over HTTP.
    pub http: u16,
    /// The agent's own metrics.
    pub metrics: u16,
    /// The health check, once it is asked for.
    pub health: Option<u16>,
    receiver_settings: String,
    processors: Vec<(String, String)>,
    connectors: Vec<(String, String)>,
    exporters: Vec<(String, String)>,
    extensions: Vec<(String, String)>,
    pipelines: Vec<(String, String)>,
    shutdown: String,
    signals: &'static [&'static str],
}

impl Gateway {
    /// Without an exporter yet, on ports that nobody uses.
    #[expect(clippy::new_without_default, reason = "two are never equal: the ports differ")]
    pub fn new() -> Self {
        Self {
            grpc: ports::free(),
            http: ports::free(),
            metrics: ports::free(),
            health: None,
            receiver_settings: String::new(),
            processors: Vec::new(),
            connectors: Vec::new(),
            exporters: Vec::new(),
            extensions: Vec::new(),
            pipelines: Vec::new(),
            shutdown: "{ linger: 0s, deadline: 10s }".to_owned(),
            signals: &["traces"],
        }
    }

    /// Adds an exporter; `settings` is a YAML mapping in one line.
    #[must_use]
    pub fn exporter(mut self, id: &str, settings: &str) -> Self {
        self.exporters.push((id.to_owned(), settings.to_owned()));
        self
    }

    /// Adds a service extension; `settings` is a YAML mapping in one line.
    #[must_use]
    pub fn extension(mut self, id: &str, settings: &str) -> Self {
        self.extensions.push((id.to_owned(), settings.to_owned()));
        self
    }

    /// Adds a processor; `settings` is a YAML mapping in one line.
    #[must_use]
    pub fn processor(mut self, id: &str, settings: &str) -> Self {
        self.processors.push((id.to_owned(), settings.to_owned()));
        self
    }

    /// Adds a connector, which only [`Gateway::pipeline`] can put to use; `settings` is a YAML mapping in one line.
    #[must_use]
    pub fn connector(mut self, id: &str, settings: &str) -> Self {
        self.connectors.push((id.to_owned(), settings.to_owned()));
        self
    }

    /// Adds a pipeline, a YAML mapping in one line. With one there are those only that are added.
    #[must_use]
    pub fn pipeline(mut self, id: &str, members: &str) -> Self {
        self.pipelines.push((id.to_owned(), members.to_owned()));
        self
    }

    /// Adds settings to both protocols of the receiver, as the inside of a YAML mapping in one line.
    #[must_use]
    pub fn receiver_settings(mut self, settings: &str) -> Self {
        self.receiver_settings = format!(", {settings}");
        self
    }

    /// Sets `service::shutdown`, a YAML mapping in one line.
    #[must_use]
    pub fn shutdown(mut self, settings: &str) -> Self {
        self.shutdown = settings.to_owned();
        self
    }

    /// Has the same pipeline for metrics and logs, too.
    #[must_use]
    pub fn all_signals(mut self) -> Self {
        self.signals = &["traces", "metrics", "logs"];
        self
    }

    /// Adds the health check on a port of its own.
    #[must_use]
    pub fn health_check(mut self) -> Self {
        self.health = Some(ports::free());
        self
    }

    /// The configuration's text.
    pub fn yaml(&self) -> String {
        let Self { grpc, http, metrics, receiver_settings: more, shutdown, .. } = self;
        let names = |ids: &[(String, String)]| {
            ids.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(", ")
        };
        let mut yaml = format!(
            "receivers:
  otlp:
    protocols:
      grpc: {{ endpoint: \"127.0.0.1:{grpc}\"{more} }}
      http: {{ endpoint: \"127.0.0.1:{http}\"{more} }}
"
        );
        let mut extensions = self.extensions.clone();
        if let Some(health) = self.health {
            let settings = format!("{{ endpoint: \"127.0.0.1:{health}\" }}");
            extensions.push(("health_check".to_owned(), settings));
        }
        for (section, members) in [
            ("extensions", &extensions),
            ("processors", &self.processors),
            ("connectors", &self.connectors),
            ("exporters", &self.exporters),
        ] {
            if !members.is_empty() {
                yaml += &format!("{section}:\n");
            }
            for (id, settings) in members {
                yaml += &format!("  {id}: {settings}\n");
            }
        }
        let extensions = names(&extensions);
        yaml += &format!(
            "service:
  shutdown: {shutdown}
  extensions: [{extensions}]
  telemetry:
    logs: {{ encoding: json, sampling: {{ enabled: false }} }}
    metrics:
      readers:
        - pull: {{ exporter: {{ prometheus: {{ host: 127.0.0.1, port: {metrics} }} }} }}
  pipelines:
"
        );
        let (processors, exporters) = (names(&self.processors), names(&self.exporters));
        for (id, members) in &self.pipelines {
            yaml += &format!("    {id}: {members}\n");
        }
        for signal in self.signals.iter().filter(|_| self.pipelines.is_empty()) {
            yaml += &format!(
                "    {signal}: {{ receivers: [otlp], processors: [{processors}], exporters: [{exporters}] }}\n"
            );
        }
        yaml
    }

    /// A way to start the agent with this configuration.
    pub fn setup(&self) -> Setup {
        let ports = [self.grpc, self.http, self.metrics].into_iter().chain(self.health);
        let setup = Setup::config(&self.yaml()).listening_on(ports);
        if self.exporters.iter().any(|(id, _)| id.starts_with("awsxray")) {
            // Nothing is sent to X-Ray without credentials. A test with others sets them in their place.
            let [(id, id_value), (secret, secret_value)] = xray::KEYS;
            return setup.variable(id, id_value).variable(secret, secret_value);
        }
        setup
    }

    /// Starts the agent with this configuration.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn start(&self) -> Agent {
        self.setup().start()
    }
}

/// The records of an agent's JSON log; what is not JSON is left out.
pub fn log_records(log: &str) -> Vec<Value> {
    log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The items that an ended agent says it could not deliver.
///
/// # Panics
///
/// When it did not end by itself, or panicked.
pub fn undelivered(ended: &Ended) -> u64 {
    assert!(ended.code.is_some(), "a signal ended the agent:\n{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked at"), "{}", ended.stderr);
    log_records(&ended.stderr)
        .iter()
        .filter_map(|record| record["undelivered_items"].as_u64())
        .sum()
}
