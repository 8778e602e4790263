//! A sampler behind the connector: the stats are of all spans, the traces of some.

use fastrand::Rng;
use tests::agent::Agent;
use tests::datadog::DatadogIntake;
use tests::gateway::{Gateway, undelivered};
use tests::metrics::Metrics;
use tests::spans;

use super::{EXPORTER, TRACES, hits, send_to};

/// An agent whose sampler keeps so many per cent of what the connector has counted.
fn start(per_cent: u8) -> (Gateway, Agent, DatadogIntake) {
    let intake = DatadogIntake::start();
    let sampled = "{ receivers: [datadog/connector], processors: [probabilistic_sampler], exporters: [datadog] }";
    let gateway = Gateway::new()
        .connector("datadog/connector", "{}")
        .processor("probabilistic_sampler", &format!("{{ sampling_percentage: {per_cent} }}"))
        .exporter(EXPORTER, &intake.settings().to_string())
        .pipeline("traces/in", "{ receivers: [otlp], exporters: [datadog/connector] }")
        .pipeline("traces/sampled", sampled)
        .pipeline("metrics", "{ receivers: [datadog/connector], exporters: [datadog] }");
    let agent = gateway.start();
    (gateway, agent, intake)
}

/// The spans that the sampler took out, and those that reached the exporter.
fn sampled(gateway: &Gateway) -> (f64, f64) {
    let metrics = Metrics::read(gateway.metrics);
    let dropped = [("pipeline", "traces/sampled"), ("reason", "sampled")];
    let kept = [("exporter", EXPORTER), ("data_type", "traces")];
    (
        metrics.sum("hikyaku_pipeline_dropped_items", &dropped),
        metrics.sum("otelcol_exporter_accepted_items", &kept),
    )
}

const REQUESTS: usize = 20;
const SPANS: usize = 1000;

#[test]
fn stats_are_exact_before_a_sampler_that_keeps_a_tenth() {
    let (gateway, agent, intake) = start(10);
    // Trace ids as random as a sampler expects them, and the same in every run.
    let mut random = Rng::with_seed(0x4869_6b79);
    for _ in 0..REQUESTS {
        let mut request = spans::request(SPANS);
        for span in &mut request.resource_spans[0].scope_spans[0].spans {
            span.trace_id = random.u128(1..).to_be_bytes().to_vec();
        }
        send_to(&gateway, TRACES, &request);
    }
    let (dropped, kept) = sampled(&gateway);
    let ended = agent.stop();
    assert_eq!((ended.code, undelivered(&ended)), (Some(0), 0), "{}", ended.stderr);
    let all = (REQUESTS * SPANS) as f64;
    assert_eq!(hits(&intake) as f64, all);
    assert!((0.09..0.11).contains(&(kept / all)), "{kept} spans were kept");
    assert_eq!(dropped + kept, all);
    let delivered = intake.traces.delivered();
    assert_eq!(delivered.len() as f64, kept);
    assert!(delivered.values().all(|times| *times == 1));
}

#[test]
fn stats_are_of_spans_that_no_sampler_keeps() {
    let (gateway, agent, intake) = start(0);
    send_to(&gateway, TRACES, &spans::request(40));
    assert_eq!(sampled(&gateway), (40.0, 0.0));
    assert_eq!(agent.stop().code, Some(0));
    assert_eq!(hits(&intake), 40);
    assert!(intake.traces.requests().is_empty());
}
