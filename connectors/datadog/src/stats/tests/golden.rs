//! The statistics that the Collector's connector computed of the cases beside the exporter.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use confmap::{Diagnostics, Node, Section};
use datadog::stats::{ClientGroupedStats, Driver, StatsPayload, unwrap};
use pdata::{Payload, Signal};
use serde_json::Value;

use crate::config::Config;

/// A time behind those of all cases; their spans are counted in the bucket that begins with it.
const NOW: u64 = 1_800_000_000_000_000_000;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../exporters/datadog/testdata/translate");
    let folder = std::env::var("CASES").map(PathBuf::from).unwrap_or(folder);
    let mut cases: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn config(case: &Path) -> Config {
    let yaml = std::fs::read_to_string(case.join("connector.yaml")).unwrap_or_default();
    let (node, diagnostics) = (Node::from_yaml("test", &yaml).unwrap(), Diagnostics::new());
    let config = Config::read(Section::new(Some(&node), confmap::Path::from("connectors"), &diagnostics));
    assert!(!diagnostics.has_errors(), "{}: {diagnostics}", case.display());
    config
}

/// Deployment and group as text, with counts and the durations in the sketches.
type Found = BTreeMap<String, (Vec<u64>, Vec<f64>, Vec<f64>)>;

fn durations(sketch: &[u8]) -> Vec<f64> {
    let sketch = libdd_ddsketch::DDSketch::from_encoded(sketch).unwrap();
    let bins = sketch.ordered_bins();
    bins.iter().flat_map(|(value, count)| vec![*value; *count as usize]).collect()
}

fn computed(case: &Path, request: &str) -> Found {
    let mut driver = Driver::new(config(case).stats, NOW, 1);
    let payload = Payload::from_json(Signal::Traces, request.as_bytes()).unwrap().payload;
    driver.add(&payload, NOW + 1);
    let mut found = Found::new();
    for payload in driver.flush_all(NOW + 1) {
        let metrics = payload.resource_metrics().flat_map(|r| r.scope_metrics);
        for stats in metrics.flat_map(|s| s.metrics).flat_map(|m| unwrap(&m).collect::<Vec<_>>()) {
            for client in StatsPayload::decode(stats).unwrap().stats {
                let deployment = format!(
                    "{:?}",
                    (client.env, client.hostname, client.version, client.container_id, client.service, &client.tags)
                );
                for g in client.stats.iter().flat_map(|bucket| &bucket.stats) {
                    let counts = vec![g.hits, g.errors, g.top_level_hits, g.duration];
                    let sketches = (durations(&g.ok_summary), durations(&g.error_summary));
                    let key = format!("{deployment} {}", text_of(g));
                    assert!(found.insert(key, (counts, sketches.0, sketches.1)).is_none());
                }
            }
        }
    }
    found
}

fn text_of(g: &ClientGroupedStats<'_>) -> String {
    let tags: Vec<&str> = g.peer_tags.iter().map(|tag| &**tag).collect();
    format!(
        "{:?}",
        (
            [g.service, g.name, g.resource, g.span_type, g.span_kind, &g.grpc_status_code, g.http_method, g.http_endpoint],
            (g.http_status_code, g.is_trace_root, g.synthetics, tags)
        )
    )
}

fn recorded(reference: &Value) -> Found {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let number = |value: &Value, key: &str| value[key].as_u64().unwrap_or_default();
    let list = |value: &Value| -> Vec<String> {
        let list = value.as_array().into_iter().flatten();
        list.map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let sketch = |value: &Value| -> Vec<f64> {
        let gamma = value["gamma"].as_f64().unwrap_or(1.0);
        let mut all = vec![0.0; value["zeroCount"].as_f64().unwrap_or_default() as usize];
        let mut bins: Vec<(i32, f64)> = value["bins"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(bin, count)| (bin.parse().unwrap(), count.as_f64().unwrap()))
            .collect();
        bins.sort_by_key(|(bin, _)| *bin);
        for (bin, count) in bins {
            let middle = gamma.powi(bin) * 2.0 * gamma / (gamma + 1.0);
            all.extend(vec![middle; count as usize]);
        }
        all
    };
    let mut found = Found::new();
    for payload in reference["stats"].as_array().into_iter().flatten() {
        for client in payload["stats"].as_array().into_iter().flatten() {
            let of = |key| text(client, key);
            let deployment = format!(
                "{:?}",
                (of("env"), of("hostname"), of("version"), of("containerID"), of("service"), list(&client["tags"]))
            );
            for bucket in client["stats"].as_array().into_iter().flatten() {
                for g in bucket["stats"].as_array().into_iter().flatten() {
                    let root = number(g, "is_trace_root") as u32;
                    let texts = ["service", "name", "resource", "type", "span_kind", "GRPC_status_code", "HTTP_method", "HTTP_endpoint"];
                    let key = format!(
                        "{deployment} {:?}",
                        (
                            texts.map(|key| text(g, key)),
                            (number(g, "HTTP_status_code"), root, g["synthetics"] == true, list(&g["peer_tags"]))
                        )
                    );
                    let counts = ["hits", "errors", "topLevelHits", "duration"].map(|key| number(g, key));
                    let sketches = (sketch(&g["okSummary"]), sketch(&g["errorSummary"]));
                    found.insert(key, (counts.to_vec(), sketches.0, sketches.1));
                }
            }
        }
    }
    found
}

#[test]
fn statistics_are_those_of_the_reference() {
    let mut complaints = Vec::new();
    let mut compared = 0;
    for case in cases() {
        let request = std::fs::read_to_string(case.join("in.json")).unwrap();
        if !request.contains("resourceSpans") {
            continue;
        }
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let reference: Value =
            serde_json::from_str(&std::fs::read_to_string(case.join("reference.json")).unwrap()).unwrap();
        let (ours, theirs) = (computed(&case, &request), recorded(&reference));
        compared += theirs.len();
        for (key, found) in &ours {
            match theirs.get(key) {
                None => complaints.push(format!("{name}: ours alone: {key} {:?}", found.0)),
                Some(expected) => {
                    if found.0 != expected.0 {
                        complaints.push(format!("{name}: {key}: {:?} not {:?}", found.0, expected.0));
                    }
                    for (ours, theirs) in [(&found.1, &expected.1), (&found.2, &expected.2)] {
                        let near = |(a, b): (&f64, &f64)| a == b || (a / b - 1.0).abs() < 0.022;
                        if ours.len() != theirs.len() || !ours.iter().zip(theirs).all(near) {
                            complaints.push(format!("{name}: {key}: {ours:?} not {theirs:?}"));
                        }
                    }
                }
            }
        }
        for (key, expected) in theirs.iter().filter(|(key, _)| !ours.contains_key(*key)) {
            complaints.push(format!("{name}: theirs alone: {key} {:?}", expected.0));
        }
    }
    assert!(complaints.is_empty(), "{compared}\n  {}", complaints.join("\n  "));
    assert!(compared > 50, "{compared} groups");
}
