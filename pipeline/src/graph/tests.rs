use confmap::Diagnostics;

use super::*;
use crate::testing::COMPONENTS;

fn stages(yaml: &str) -> Vec<Vec<String>> {
    let node = Node::from_yaml("test", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let plan = Plan::read(&node, &COMPONENTS, &diagnostics);
    let plan = plan.unwrap_or_else(|| panic!("{diagnostics}"));
    let stages = stages::of(&plan);
    stages.iter().map(|stage| stage.iter().map(ToString::to_string).collect()).collect()
}

#[test]
fn receivers_and_connectors_are_shared_processors_belong_to_a_pipeline_exporters_to_a_signal() {
    let yaml = "
receivers: {fake: }
processors: {fake: }
exporters: {fake/out: }
connectors: {fake/c: }
service:
  pipelines:
    traces/a: {receivers: [fake], processors: [fake], exporters: [fake/c]}
    traces/b: {receivers: [fake], processors: [fake], exporters: [fake/c, fake/out]}
    traces/c: {receivers: [fake/c], exporters: [fake/out]}
    logs: {receivers: [fake], exporters: [fake/out]}
";
    let mut found = stages(yaml);
    found.iter_mut().for_each(|stage| stage.sort());
    let expected: [&[&str]; 4] = [
        &["\"fake\" receiver"],
        &[
            "\"fake\" processor in pipeline \"traces/a\"",
            "\"fake\" processor in pipeline \"traces/b\"",
        ],
        &["\"fake/c\" connector (traces to traces)"],
        &[
            "\"fake/out\" exporter for data type \"logs\"",
            "\"fake/out\" exporter for data type \"traces\"",
        ],
    ];
    assert_eq!(found, expected);
}

#[test]
fn connector_stands_behind_all_that_feeds_it_and_before_all_that_it_feeds() {
    let yaml = "
receivers: {fake: }
processors: {fake: , fake/2: }
exporters: {fake/out: }
connectors: {fake/c: }
service:
  pipelines:
    traces/long: {receivers: [fake], processors: [fake, fake/2], exporters: [fake/c]}
    traces/short: {receivers: [fake], exporters: [fake/c]}
    traces/end: {receivers: [fake/c], processors: [fake], exporters: [fake/out]}
";
    let stages = stages(yaml);
    let position =
        |name: &str| stages.iter().position(|stage| stage.iter().any(|n| n == name)).unwrap();
    let connector = position("\"fake/c\" connector (traces to traces)");
    assert!(position("\"fake/2\" processor in pipeline \"traces/long\"") < connector);
    assert!(connector < position("\"fake\" processor in pipeline \"traces/end\""));
}
