//! The way to Datadog, from OTLP to what its intake takes. What becomes of spans under every fault is in `delivery`, beside the other exporters'.

use std::collections::BTreeMap;

use prost::Message;
use tests::agent::Agent;
use tests::datadog::stats::{self, ClientGroupedStats};
use tests::datadog::{DatadogIntake, Settings};
use tests::gateway::Gateway;
use tests::send;

mod answers;
mod keys;
mod limits;
mod odd;
mod sampling;
mod signals;
mod stats_of_spans;

/// The exporter's id in every configuration here.
const EXPORTER: &str = "datadog";

/// An agent with Datadog's exporter in a pipeline for each signal, and its intake.
struct Line {
    gateway: Gateway,
    agent: Agent,
    intake: DatadogIntake,
}

impl Line {
    fn start() -> Self {
        Self::start_with(|settings| settings)
    }

    /// Starts both, with other settings of the exporter.
    fn start_with(change: impl FnOnce(Settings) -> Settings) -> Self {
        let intake = DatadogIntake::start();
        let settings = change(intake.settings()).to_string();
        let gateway = Gateway::new().all_signals().exporter(EXPORTER, &settings);
        let agent = gateway.start();
        Self { gateway, agent, intake }
    }

    /// Sends a request over HTTP, which has to be accepted.
    fn send(&self, path: &str, request: &impl Message) {
        send_to(&self.gateway, path, request);
    }

    /// Stops the agent, which has to deliver everything, and returns its intake.
    fn stop(self) -> DatadogIntake {
        let ended = self.agent.stop();
        let undelivered = tests::gateway::undelivered(&ended);
        assert_eq!((ended.code, undelivered), (Some(0), 0), "{}", ended.stderr);
        self.intake
    }
}

const TRACES: &str = "/v1/traces";
const METRICS: &str = "/v1/metrics";
const LOGS: &str = "/v1/logs";

/// Sends a request over HTTP, which has to be accepted.
fn send_to(gateway: &Gateway, path: &str, request: &impl Message) {
    let kind = [("content-type", "application/x-protobuf")];
    let reply = send::http(gateway.http, path, &kind, request.encode_to_vec());
    assert_eq!(reply.status, 200, "{path}: {:?}", reply.body);
}

/// The names of the series that the intake took, and how often it took each.
fn series_taken(intake: &DatadogIntake) -> BTreeMap<String, usize> {
    let mut taken = BTreeMap::new();
    for call in intake.series.accepted() {
        for series in call.content.series {
            *taken.entry(series.metric).or_default() += series.points.len();
        }
    }
    taken
}

/// Waits until each of these series has been taken, and checks that it was once.
fn assert_series_once(intake: &DatadogIntake, names: &[String]) {
    intake.series.wait_for(&format!("{} series to be delivered", names.len()), |calls| {
        let taken: Vec<&String> = calls
            .iter()
            .filter(|call| call.accepted)
            .flat_map(|call| &call.request.content.series)
            .map(|series| &series.metric)
            .collect();
        names.iter().all(|name| taken.contains(&name))
    });
    let taken = series_taken(intake);
    let others: Vec<_> = names.iter().filter(|name| taken[*name] != 1).collect();
    assert!(others.is_empty(), "taken more than once: {others:?}");
}

/// All entries of APM stats that the intake took.
fn groups(intake: &DatadogIntake) -> Vec<ClientGroupedStats> {
    let calls = intake.stats.accepted();
    calls.iter().flat_map(|call| stats::entries(&call.content)).map(|e| e.group.clone()).collect()
}

/// The hits of all entries.
fn hits(intake: &DatadogIntake) -> u64 {
    groups(intake).iter().map(|group| group.hits).sum()
}
