//! A sampler behind the connector: the stats are of all spans, the traces of some.

use fastrand::Rng;
use tests::datadog::DatadogIntake;
use tests::gateway::{Gateway, undelivered};
use tests::metrics::Branch;
use tests::spans;

use super::{EXPORTER, TRACES, hits, send_to};

const REQUESTS: usize = 20;
const SPANS: usize = 1000;

#[test]
fn stats_are_exact_behind_a_sampler_that_keeps_a_tenth() {
    let intake = DatadogIntake::start();
    let gateway = Gateway::new()
        .connector("datadog/connector", "{}")
        .processor("probabilistic_sampler", "{ sampling_percentage: 10 }")
        .exporter(EXPORTER, &intake.settings().to_string())
        .pipeline("traces/in", "{ receivers: [otlp], exporters: [datadog/connector] }")
        .pipeline(
            "traces/sampled",
            "{ receivers: [datadog/connector], processors: [probabilistic_sampler], exporters: [datadog] }",
        )
        .pipeline("metrics", "{ receivers: [datadog/connector], exporters: [datadog] }");
    let agent = gateway.start();
    // Trace ids as random as a sampler expects them, and the same in every run.
    let mut random = Rng::with_seed(0x4869_6b79);
    for _ in 0..REQUESTS {
        let mut request = spans::request(SPANS);
        for span in &mut request.resource_spans[0].scope_spans[0].spans {
            span.trace_id = random.u128(1..).to_be_bytes().to_vec();
        }
        send_to(&gateway, TRACES, &request);
    }
    let ended = agent.stop();
    assert_eq!((ended.code, undelivered(&ended)), (Some(0), 0), "{}", ended.stderr);
    assert_eq!(hits(&intake), (REQUESTS * SPANS) as u64);
    let delivered = intake.traces.delivered();
    let share = delivered.len() as f64 / (REQUESTS * SPANS) as f64;
    assert!((0.09..0.11).contains(&share), "a share of {share} was kept");
    assert!(delivered.values().all(|times| *times == 1));
}

#[test]
fn what_the_sampler_takes_out_is_counted_as_that() {
    let intake = DatadogIntake::start();
    let gateway = Gateway::new()
        .connector("datadog/connector", "{}")
        .processor("probabilistic_sampler", "{ sampling_percentage: 0 }")
        .exporter(EXPORTER, &intake.settings().to_string())
        .pipeline("traces/in", "{ receivers: [otlp], exporters: [datadog/connector] }")
        .pipeline(
            "traces/sampled",
            "{ receivers: [datadog/connector], processors: [probabilistic_sampler], exporters: [datadog] }",
        )
        .pipeline("metrics", "{ receivers: [datadog/connector], exporters: [datadog] }");
    let agent = gateway.start();
    send_to(&gateway, TRACES, &spans::request(40));
    let branch = Branch::read(gateway.metrics, EXPORTER);
    assert_eq!((branch.delivered, branch.dropped, branch.refused), (0.0, 0.0, 0.0), "{branch:?}");
    assert_eq!(agent.stop().code, Some(0));
    assert_eq!(hits(&intake), 40);
    assert!(intake.traces.requests().is_empty());
}
