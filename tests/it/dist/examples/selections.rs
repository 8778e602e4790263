//! Every config names only what the distribution that it is for has in it: the developer's binary, which has everything, would take more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use tests::agent::Setup;
use tests::lambda::{self, Mode};
use tests::parts::project;
use tests::ports;

use super::{KEY, configs, in_place_of_parameters, text};

/// Kinds as configs and `components.toml` name them, and what the features of the binaries' packages begin with.
const KINDS: [(&str, &str); 6] = [
    ("receivers", "receiver"),
    ("processors", "processor"),
    ("exporters", "exporter"),
    ("connectors", "connector"),
    ("extensions", "extension"),
    ("providers", "confmap"),
];

/// Providers that are in every binary.
const ALWAYS: [&str; 3] = ["env", "file", "yaml"];

#[test]
fn every_config_names_components_of_its_distribution_alone() {
    let mut seen = BTreeSet::new();
    for path in configs() {
        let distribution = distribution(&path);
        let has = Selection::read(&distribution);
        let yaml = std::fs::read_to_string(&path).unwrap();
        for (kind, names) in used(&yaml) {
            for name in names {
                let what = format!("{}: {kind} has no {name} in {distribution}", path.display());
                assert!(has.0[kind].contains(&name), "{what}: {:?}", has.0[kind]);
            }
        }
        seen.insert(distribution);
    }
    assert_eq!(seen, BTreeSet::from(["agent", "lambda", "zipkin-debug"].map(str::to_owned)));
}

#[test]
fn what_a_distribution_has_is_what_is_listed_or_all_of_the_binary() {
    let small = Selection::read("zipkin-debug");
    assert_eq!(small.0["receivers"], BTreeSet::from(["otlp", "zipkin"].map(str::to_owned)));
    assert_eq!(small.0["connectors"], BTreeSet::new());
    let layer = Selection::read("lambda");
    assert!(layer.0["processors"].contains("probabilistic_sampler"), "{layer:?}");
    assert!(!layer.0["extensions"].contains("health_check"), "{layer:?}");
    assert!(layer.0["providers"].contains("ssm"), "{layer:?}");
}

/// It has no `validate`. A binary that is built with the whole workspace has every component, so that this asks about settings alone.
#[test]
fn the_extension_starts_with_the_layers_config_and_with_the_functions() {
    for path in ["dist/lambda/layer.yaml", "dist/examples/lambda/function/collector.yaml"] {
        let mut yaml = in_place_of_parameters(&text(path));
        for port in ["4317", "4318"] {
            yaml =
                yaml.replace(&format!("localhost:{port}"), &format!("127.0.0.1:{}", ports::free()));
        }
        let mut sandbox = lambda::Setup::new(Mode::OnDemand).config(&yaml).start();
        sandbox.invoke(|_| {});
        let gone = sandbox.shutdown();
        assert!(!gone.log.contains("Telemetry is off"), "{path}: {}", gone.log);
    }
}

/// Which distribution runs a config: the one whose folder it is in, or that the example beside it names.
fn distribution(path: &Path) -> String {
    let inside = path.strip_prefix(project().join("dist")).unwrap();
    let folders: Vec<&str> =
        inside.parent().unwrap().iter().map(|one| one.to_str().unwrap()).collect();
    match folders[..] {
        ["examples", "compose"] => {
            let compose = text("dist/examples/compose/compose.yaml");
            let (_, image) = compose.split_once("image: hikyaku-").unwrap();
            image.split_once(':').unwrap().0.to_owned()
        }
        ["examples", "lambda", ..] => "lambda".to_owned(),
        ["examples", ..] => "agent".to_owned(),
        [name] => name.to_owned(),
        _ => panic!("which distribution is {} for?", path.display()),
    }
}

/// What a config names, by kind.
fn used(yaml: &str) -> BTreeMap<&'static str, BTreeSet<String>> {
    let ended = Setup::bare()
        .file("c.yaml", in_place_of_parameters(yaml))
        .arguments(["print-config", "--format", "json", "--validate=false", "--config", "c.yaml"])
        .variable("DD_API_KEY", KEY)
        .run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let config: Value = serde_json::from_str(&ended.stdout).unwrap();
    let mut used: BTreeMap<&str, BTreeSet<String>> = KINDS
        .iter()
        .map(|(kind, _)| {
            let section = config[*kind].as_object();
            let ids = section.into_iter().flat_map(serde_json::Map::keys);
            (*kind, ids.map(|id| id.split('/').next().unwrap_or_default().to_owned()).collect())
        })
        .collect();
    assert!(!used["receivers"].is_empty() && !used["exporters"].is_empty(), "{config}");
    let references = yaml.split("${").skip(1).filter_map(|rest| rest.split_once(':'));
    used.insert("providers", references.map(|(scheme, _)| scheme.to_owned()).collect());
    used
}

/// What a distribution has, by kind.
#[derive(Debug)]
struct Selection(BTreeMap<&'static str, BTreeSet<String>>);

impl Selection {
    /// Reads `components.toml`, whose values stand on one line each.
    fn read(distribution: &str) -> Self {
        let list = text(&format!("dist/{distribution}/components.toml"));
        let value = |key: &str| {
            let mut lines = list.lines().filter_map(|line| line.split_once(" = "));
            lines.find(|(name, _)| *name == key).map(|(_, value)| value)
        };
        let package = match value("builds") {
            Some("[\"agent\"]") => "agent",
            Some("[\"lambda\"]") => "extension",
            other => panic!("{distribution}: {other:?} is for more than one binary"),
        };
        let manifest = text(&format!("{package}/Cargo.toml"));
        let mut has = BTreeMap::new();
        for (kind, prefix) in KINDS {
            let mut names: BTreeSet<String> = match value(kind) {
                Some("\"all\"") => features(&manifest, prefix),
                listed => quoted(listed.unwrap_or_default()).map(str::to_owned).collect(),
            };
            if kind == "providers" {
                names.extend(ALWAYS.map(str::to_owned));
            }
            has.insert(kind, names);
        }
        Self(has)
    }
}

/// The components of a kind that a binary's package has a feature for.
fn features(manifest: &str, prefix: &str) -> BTreeSet<String> {
    let keys = manifest.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key);
    let names = keys.filter_map(|key| key.strip_prefix(prefix)?.strip_prefix('-'));
    names.map(|name| name.replace('-', "_")).collect()
}

fn quoted(list: &str) -> impl Iterator<Item = &str> {
    list.split('"').skip(1).step_by(2)
}
