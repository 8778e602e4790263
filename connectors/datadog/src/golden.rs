//! The statistics that Datadog's own code computes of the same spans.
//!
//! `testdata/stats/<case>/reference.json` is what contrib's connector, on top of `pkg/trace` 0.85.4 of DataDog/datadog-agent, made of
//! `in.json` under the settings of `connector.yaml` (`tests/parity/datadog`; `cargo xtask parity` refreshes it). Where we differ on purpose there
//! is a test of its own, beside `datadog::stats`.

use std::collections::BTreeMap;
use std::path::Path;

use confmap::{Diagnostics, Node, Section};
use datadog::stats::{ClientGroupedStats, ClientStatsPayload, Driver, StatsPayload, unwrap};
use pdata::{Payload, Signal};
use serde_json::Value;

use crate::config::Config;

/// A time behind those of all cases: their spans are late, and counted in one bucket.
const NOW: u64 = 1_800_000_000_000_000_000;
/// How far the middle of a bin of ours may be from that of the bin of theirs that holds the same duration.
const BINS_APART: f64 = 0.022;

/// What is known of a group: counts, and the durations in both sketches in ascending order.
#[derive(Debug, Default)]
struct Known {
    counts: [u64; 4],
    ok: Vec<f64>,
    failed: Vec<f64>,
}

/// Groups by deployment and key, both as text.
type Groups = BTreeMap<String, Known>;

fn config(case: &Path) -> Config {
    let yaml = test_golden::text(&case.join("connector.yaml")).unwrap_or_default();
    let (node, diagnostics) = (Node::from_yaml("test", &yaml).unwrap(), Diagnostics::new());
    let path = confmap::Path::from("connectors");
    let config = Config::read(Section::new(Some(&node), path, &diagnostics));
    assert_eq!(diagnostics.to_string(), "", "{}", case.display());
    config
}

fn ours(case: &Path) -> Groups {
    let mut driver = Driver::new(config(case).stats, NOW, 1);
    let request = test_golden::input(case);
    driver.add(&Payload::from_json(Signal::Traces, request.as_bytes()).unwrap().payload, NOW + 1);
    let mut groups = Groups::new();
    for payload in driver.flush_all(NOW + 1) {
        let metrics = payload.resource_metrics().flat_map(|r| r.scope_metrics);
        for stats in metrics.flat_map(|s| s.metrics).flat_map(|m| unwrap(&m).collect::<Vec<_>>()) {
            for client in StatsPayload::decode(stats).unwrap().stats {
                for group in client.stats.iter().flat_map(|bucket| &bucket.stats) {
                    let known = Known {
                        counts: [group.hits, group.errors, group.top_level_hits, group.duration],
                        ok: durations(&group.ok_summary),
                        failed: durations(&group.error_summary),
                    };
                    assert!(groups.insert(text_of(&client, group), known).is_none());
                }
            }
        }
    }
    groups
}

fn durations(sketch: &[u8]) -> Vec<f64> {
    let sketch = libdd_ddsketch::DDSketch::from_encoded(sketch).unwrap();
    let bins = sketch.ordered_bins();
    bins.iter().flat_map(|(value, count)| vec![*value; *count as usize]).collect()
}

fn text_of(client: &ClientStatsPayload<'_>, group: &ClientGroupedStats<'_>) -> String {
    let deployment =
        [client.env, client.hostname, client.version, client.container_id, client.service];
    let texts = [
        group.service,
        group.name,
        group.resource,
        group.span_type,
        group.span_kind,
        &group.grpc_status_code,
        group.http_method,
        group.http_endpoint,
    ];
    let tags: Vec<&str> = group.peer_tags.iter().map(|tag| &**tag).collect();
    let numbers = [u64::from(group.http_status_code), u64::from(group.is_trace_root)];
    format!("{deployment:?} {:?} {texts:?} {numbers:?} {} {tags:?}", client.tags, group.synthetics)
}

fn theirs(case: &Path) -> Groups {
    let reference = test_golden::json(&case.join("reference.json")).unwrap();
    let mut groups = Groups::new();
    for client in list(&reference["stats"]).flat_map(|payload| list(&payload["stats"])) {
        for group in list(&client["stats"]).flat_map(|bucket| list(&bucket["stats"])) {
            let counts = ["hits", "errors", "topLevelHits", "duration"];
            let known = Known {
                counts: counts.map(|key| number(group, key)),
                ok: recorded_durations(&group["okSummary"]),
                failed: recorded_durations(&group["errorSummary"]),
            };
            let deployment = ["env", "hostname", "version", "containerID", "service"];
            let deployment = deployment.map(|key| text(client, key));
            let texts = [
                "service",
                "name",
                "resource",
                "type",
                "span_kind",
                "GRPC_status_code",
                "HTTP_method",
                "HTTP_endpoint",
            ];
            let texts = texts.map(|key| text(group, key));
            let numbers = [number(group, "HTTP_status_code"), is_trace_root(group)];
            let (synthetics, tags) = (group["synthetics"] == true, texts_of(&group["peer_tags"]));
            let of_container = texts_of(&client["tags"]);
            let key = format!(
                "{deployment:?} {of_container:?} {texts:?} {numbers:?} {synthetics} {tags:?}"
            );
            assert!(groups.insert(key, known).is_none());
        }
    }
    groups
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn texts_of(value: &Value) -> Vec<&str> {
    list(value).map(|text| text.as_str().unwrap()).collect()
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_default()
}

fn is_trace_root(group: &Value) -> u64 {
    match text(group, "is_trace_root") {
        "TRUE" => 1,
        "FALSE" => 2,
        _ => 0,
    }
}

fn recorded_durations(sketch: &Value) -> Vec<f64> {
    let gamma = sketch["gamma"].as_f64().unwrap();
    let mut all = vec![0.0; sketch["zeroCount"].as_f64().unwrap_or_default() as usize];
    for (bin, count) in sketch["bins"].as_object().unwrap() {
        let middle = gamma.powi(bin.parse().unwrap()) * 2.0 * gamma / (gamma + 1.0);
        all.extend(vec![middle; count.as_f64().unwrap() as usize]);
    }
    all.sort_by(f64::total_cmp);
    all
}

fn are_near(ours: &[f64], theirs: &[f64]) -> bool {
    let near = |(a, b): (&f64, &f64)| a == b || (a / b - 1.0).abs() < BINS_APART;
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(near)
}

#[test]
fn statistics_are_those_of_the_reference() {
    let (mut complaints, mut compared) = (Vec::new(), 0);
    for case in test_golden::cases(env!("CARGO_MANIFEST_DIR"), "testdata/stats") {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let (ours, theirs) = (ours(&case), theirs(&case));
        for (key, expected) in &theirs {
            compared += 1;
            let Some(found) = ours.get(key) else {
                complaints.push(format!("{name}: missing: {key} {:?}", expected.counts));
                continue;
            };
            if found.counts != expected.counts
                || !are_near(&found.ok, &expected.ok)
                || !are_near(&found.failed, &expected.failed)
            {
                complaints.push(format!("{name}: {key}: {found:?} instead of {expected:?}"));
            }
        }
        let more = ours.iter().filter(|(key, _)| !theirs.contains_key(*key));
        complaints
            .extend(more.map(|(key, found)| format!("{name}: more: {key} {:?}", found.counts)));
    }
    assert!(complaints.is_empty(), "\n  {}", complaints.join("\n  "));
    assert!(compared > 50, "only {compared} groups were compared");
}
