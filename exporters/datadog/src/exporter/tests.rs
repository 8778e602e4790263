use pipeline::testing::within_patience;
use pipeline::{Envelope, Process};
use telemetry::MetricsLevel;

use super::*;
use crate::testing::{Backend, exporter, logs, read, settings, shared};

#[tokio::test]
async fn nothing_but_metadata_is_sent_where_that_is_all_that_is_wanted() {
    let backend = Backend::new();
    let (_server, url) = backend.start();
    let more = "only_metadata: true
host_metadata: {hostname_source: first_resource}
sending_queue: {enabled: false}";
    let (exporter, process) = exporter(&shared(&settings(&url, more)), Signal::Logs);
    exporter.start().await.unwrap();
    let payload = logs(&[("host.name", "web-1")], ["a".to_owned(), "b".to_owned()]);
    let outcome = exporter.consume(Envelope::of(payload));
    assert_eq!(within_patience("the outcome", outcome).await, Ok(()));
    let seen = backend.wait_for("/intake", 1).await;
    assert_eq!(seen[0].json()["internalHostname"], "web-1");
    assert_eq!(backend.requests("/api/v2/logs").len(), 0);
    assert_eq!(dropped(&process, "filtered"), 2);
}

fn dropped(process: &Process, reason: &str) -> usize {
    let metrics = telemetry::render(&process.registry, MetricsLevel::Normal);
    let line = format!(
        "otelcol_exporter_dropped_items{{exporter=\"datadog\",data_type=\"logs\",reason=\"{reason}\"}} "
    );
    let found = metrics.lines().find_map(|found| found.strip_prefix(&line));
    found.unwrap_or_else(|| panic!("no {line} in {metrics}")).parse().unwrap()
}

#[test]
fn fallback_host_is_the_setting_or_the_machine() {
    let host = |more: &str| {
        let (config, _) = read(&settings("http://a", more));
        Shared::new(config).fallback_host().to_owned()
    };
    assert_eq!(host("hostname: web-1"), "web-1");
    assert_eq!(host(""), Host::process().machine().unwrap_or_default());
}
