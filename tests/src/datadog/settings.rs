//! What the exporter is set to.

use std::fmt;

use crate::gateway::QUICK_RETRIES;

use super::KEY;

/// Settings of the exporter for an intake, shown as a YAML mapping in one line. Retries are quick, log records wait for no others, and host metadata
/// stay at home.
#[derive(Clone, Debug)]
pub struct Settings {
    api: String,
    traces: String,
    metrics: String,
    logs: String,
    retries: String,
    more: String,
}

impl Settings {
    /// For an intake on this port of the loopback interface.
    pub fn for_port(port: u16) -> Self {
        Self::for_address(&format!("127.0.0.1:{port}"))
    }

    /// For an intake at this address.
    pub fn for_address(address: &str) -> Self {
        let endpoint = format!("endpoint: \"http://{address}\"");
        Self {
            api: format!("key: \"{KEY}\""),
            traces: endpoint.clone(),
            metrics: endpoint.clone(),
            logs: format!("{endpoint}, batch_wait: 1"),
            retries: QUICK_RETRIES.to_owned(),
            more: "hostname: test-host, host_metadata: { enabled: false }".to_owned(),
        }
    }

    /// Has another key, or a reference to one.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.api = self.api.replace(&format!("\"{KEY}\""), key);
        self
    }

    /// Adds to `api`, as the inside of a mapping.
    #[must_use]
    pub fn api(mut self, more: &str) -> Self {
        self.api += &format!(", {more}");
        self
    }

    /// Adds to `traces`, as the inside of a mapping.
    #[must_use]
    pub fn traces(mut self, more: &str) -> Self {
        self.traces += &format!(", {more}");
        self
    }

    /// Adds to `metrics`, as the inside of a mapping.
    #[must_use]
    pub fn metrics(mut self, more: &str) -> Self {
        self.metrics += &format!(", {more}");
        self
    }

    /// Replaces the quick retries, as a member of the section.
    #[must_use]
    pub fn retries(mut self, retries: &str) -> Self {
        retries.clone_into(&mut self.retries);
        self
    }

    /// Has host metadata sent.
    #[must_use]
    pub fn host_metadata(mut self, settings: &str) -> Self {
        self.more = self.more.replace("{ enabled: false }", settings);
        self
    }

    /// Adds members to the section.
    #[must_use]
    pub fn more(mut self, more: &str) -> Self {
        if !more.is_empty() {
            self.more += &format!(", {more}");
        }
        self
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { api, traces, metrics, logs, retries, more } = self;
        write!(
            f,
            "{{ api: {{ {api} }}, traces: {{ {traces} }}, metrics: {{ {metrics} }}, logs: {{ {logs} }}, {retries}, {more} }}"
        )
    }
}
