//! The agent's own metrics: the delivery equation as telemetry/README.md states it, asked of a real scrape, and who can read them.

use std::collections::{BTreeMap, BTreeSet};

use tests::agent::Setup;
use tests::gateway::Gateway;
use tests::metrics::{Branch, Metrics, Query, Result};
use tests::otlp::OtlpBackend;
use tests::{ports, send, spans};

const README: &str = include_str!("../../telemetry/README.md");

/// The queries of the README: of the branches, and of the pipelines.
fn queries() -> [Query; 2] {
    let blocks = README.split("```promql\n").skip(1);
    let texts = blocks.map(|block| block.split("```").next().unwrap_or_default());
    let queries: Vec<Query> = texts.map(Query::parse).collect();
    queries.try_into().expect("two queries in the README")
}

/// The value 0 for each of these combinations of labels.
fn zero(labels: &[&str], combinations: &[&[&str]]) -> Result {
    let of = |values: &&[&str]| -> BTreeSet<(String, String)> {
        labels.iter().zip(*values).map(|(name, v)| ((*name).to_owned(), (*v).to_owned())).collect()
    };
    combinations.iter().map(|values| (of(values), 0.0)).collect::<BTreeMap<_, _>>()
}

#[test]
fn the_queries_of_the_readme_give_zero_for_every_branch_and_pipeline() {
    let backend = OtlpBackend::start();
    let endpoint = format!("{{ endpoint: \"http://127.0.0.1:{}\" }}", backend.port());
    let gateway = Gateway::new()
        .processor("batch", "{ timeout: 10ms }")
        .exporter("otlphttp", &endpoint)
        .exporter("nop", "{}")
        .exporter("debug", "{}")
        .connector("datadog/connector", "{}")
        .pipeline(
            "traces",
            "{ receivers: [otlp], processors: [batch], exporters: [otlphttp, nop, datadog/connector] }",
        )
        .pipeline("traces/plain", "{ receivers: [otlp], exporters: [otlphttp, debug] }")
        .pipeline("metrics", "{ receivers: [datadog/connector], exporters: [nop] }")
        .pipeline("logs", "{ receivers: [otlp], exporters: [nop] }");
    let _agent = gateway.start();
    let [of_branches, of_pipelines] = queries();
    let branches = zero(
        &["exporter", "data_type"],
        &[
            &["otlphttp", "traces"],
            &["nop", "traces"],
            &["nop", "metrics"],
            &["nop", "logs"],
            &["debug", "traces"],
            &["datadog/connector", "traces_to_metrics"],
        ],
    );
    let pipelines = zero(&["pipeline"], &[&["traces"], &["traces/plain"], &["metrics"], &["logs"]]);
    let check = || {
        let metrics = Metrics::read(gateway.metrics);
        assert_eq!(of_branches.evaluate(&metrics), branches);
        assert_eq!(of_pipelines.evaluate(&metrics), pipelines);
    };
    check();
    let request = spans::request(7);
    assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
    for (exporter, items) in [("otlphttp", 14), ("debug", 7), ("nop", 7)] {
        let branch = Branch::settled(gateway.metrics, exporter, items);
        assert_eq!(branch.delivered, items as f64, "{exporter}");
    }
    check();
}

#[test]
fn an_address_is_served_beside_readers_and_each_has_the_names_it_asks_for() {
    let gateway = Gateway::new().exporter("nop", "{}");
    let (address, suffixed) = (ports::free(), ports::free());
    let reader = format!(
        "pull: {{ exporter: {{ prometheus: {{ host: 127.0.0.1, port: {suffixed}, without_type_suffix: false, without_units: false }} }} }}"
    );
    let more = format!("      address: 127.0.0.1:{address}\n      readers:\n        - {reader}\n");
    let yaml = gateway.yaml().replace("      readers:\n", &more);
    let ports = [gateway.metrics, address, suffixed];
    let agent = Setup::config(&yaml).listening_on(ports).start();
    let (plain, full) = ("otelcol_process_uptime", "otelcol_process_uptime_seconds_total");
    for (port, known, unknown) in
        [(gateway.metrics, plain, full), (address, plain, full), (suffixed, full, plain)]
    {
        let metrics = Metrics::read(port);
        assert!(metrics.has(known) && !metrics.has(unknown), "{known} at {port}");
    }
    let advice = format!("prometheus: {{host: \\\"127.0.0.1\\\", port: {address}}}");
    assert!(agent.log().contains(&advice), "{advice} in:\n{}", agent.log());
}
