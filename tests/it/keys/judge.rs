//! What the agent says of settings.

use std::fmt;

use tests::agent::Setup;

use super::catalogue::Catalogue;
use super::tree::{KeyPath, Tree};

/// Instances in a config. The agent keeps 200 diagnostics of a config, and each instance has one to say that no pipeline uses it.
const INSTANCES_MAX: usize = 40;

/// Something that was said.
#[derive(Clone, Debug)]
pub(super) struct Diagnostic {
    severity: String,
    /// Below the component, or `service`.
    pub(super) place: KeyPath,
    pub(super) message: String,
}

/// All that was said of an instance.
#[derive(Debug, Default)]
pub(super) struct Judged(Vec<Diagnostic>);

impl Judged {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Errors or warnings.
    pub(super) fn of(&self, severity: &str) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter().filter(move |diagnostic| diagnostic.severity == severity)
    }

    /// The keys of the section in which there was one that it does not have.
    pub(super) fn known_keys(&self) -> Option<Vec<String>> {
        let unknown = self.of("error").find(|d| d.message.contains("has invalid keys"))?;
        let known = unknown.message.split_once("valid keys: ").map_or("", |(_, keys)| keys);
        Some(known.split(", ").filter(|key| !key.is_empty()).map(str::to_owned).collect())
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|d| writeln!(f, "    {}: {}: {}", d.severity, d.place, d.message))
    }
}

/// What is said of each of some settings. Those of a component stand in one config, as instances that no pipeline uses.
pub(super) fn judge(catalogue: &Catalogue, trees: Vec<Tree>) -> Vec<Judged> {
    let Some(component) = catalogue.component() else {
        return trees.iter().map(judge_service).collect();
    };
    let (kind, name) = component.split_once('/').unwrap();
    trees.chunks(INSTANCES_MAX).flat_map(|trees| judge_instances(kind, name, trees)).collect()
}

fn judge_service(service: &Tree) -> Judged {
    let yaml = format!("receivers: {{nop: {{}}}}\nexporters: {{nop: {{}}}}\nservice: {service}\n");
    let said = validate(&yaml);
    let below = |(severity, place, message): (String, KeyPath, String)| {
        let service = KeyPath::new("service");
        let place = strip(&service, &place);
        let place = place.unwrap_or_else(|| panic!("of something else: {message}\n{yaml}"));
        Diagnostic { severity, place, message }
    };
    Judged(said.into_iter().map(below).collect())
}

fn judge_instances(kind: &str, name: &str, trees: &[Tree]) -> Vec<Judged> {
    let mut yaml =
        "service: {pipelines: {traces: {receivers: [nop], exporters: [nop]}}}\n".to_owned();
    for section in ["receivers", "processors", "exporters", "extensions"] {
        yaml.push_str(&format!("{section}:\n"));
        if ["receivers", "exporters"].contains(&section) {
            yaml.push_str("  nop: {}\n");
        }
        for (number, tree) in trees.iter().enumerate().filter(|_| section == kind) {
            yaml.push_str(&format!("  {name}/{number}: {tree}\n"));
        }
    }
    let mut judged: Vec<Judged> = trees.iter().map(|_| Judged::default()).collect();
    for (severity, place, message) in validate(&yaml) {
        let of_instance = (0..trees.len()).find_map(|number| {
            let instance = KeyPath::new(&format!("{kind}::{name}/{number}"));
            Some((number, strip(&instance, &place)?))
        });
        let Some((number, place)) = of_instance else {
            panic!("of something else: {severity}: {message}\n{yaml}")
        };
        if !message.contains("no pipeline") && !message.contains("not in service::extensions") {
            judged[number].0.push(Diagnostic { severity, place, message });
        }
    }
    judged
}

/// Severity, place and message of each diagnostic.
fn validate(yaml: &str) -> Vec<(String, KeyPath, String)> {
    let setup = Setup::bare().file("c.yaml", yaml);
    let ended = setup.arguments(["validate", "--config", "c.yaml"]).run();
    assert!(matches!(ended.code, Some(0 | 2)), "{yaml}\n{}", ended.stderr);
    let mut said: Vec<(String, KeyPath, String)> = Vec::new();
    for line in ended.stderr.lines() {
        let head = line.split_once(": ").filter(|(word, _)| ["error", "warning"].contains(word));
        if let Some((severity, rest)) = head {
            let (place, message) = match rest.strip_prefix('\'').and_then(|r| r.split_once("' ")) {
                Some((place, message)) => (KeyPath::dotted(place), message),
                None => {
                    let (place, message) = rest.split_once(": ").unwrap_or(("", rest));
                    (KeyPath::new(place), message)
                }
            };
            said.push((severity.to_owned(), place, message.to_owned()));
        } else if let (Some((_, help)), Some((.., message))) =
            (line.split_once("= help: "), said.last_mut())
        {
            message.push_str("; ");
            message.push_str(help);
        }
    }
    assert!(!ended.stderr.contains("are not shown"), "too many instances for one config:\n{yaml}");
    said
}

fn strip(from: &KeyPath, path: &KeyPath) -> Option<KeyPath> {
    let text = path.to_string();
    from.leads_to(path).then(|| KeyPath::new(text.strip_prefix(&from.to_string()).unwrap_or("")))
}
