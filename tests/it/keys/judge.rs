//! What the agent says of settings.

use std::fmt;

use tests::agent::Setup;

use super::catalogue::Catalogue;
use super::tree::{KeyPath, Tree};

/// Instances in a config. The agent keeps 200 diagnostics of a config, and each instance has one to say that no pipeline uses it.
const INSTANCES_MAX: usize = 40;

/// What is said of an instance for being one.
const IS_NOT_USED: [&str; 2] = ["used by no pipeline", "not listed in service::extensions"];

/// Something that was said.
#[derive(Clone, Debug)]
pub(super) struct Diagnostic {
    severity: String,
    /// Below the component, or `service`.
    pub(super) place: KeyPath,
    pub(super) message: String,
    help: String,
}

/// All that was said of an instance.
#[derive(Debug, Default)]
pub(super) struct Judged(Vec<Diagnostic>);

impl Diagnostic {
    /// The first line of a diagnostic: `error: 'a.b' is wrong` or `error: a::b: is wrong`.
    fn parse(line: &str) -> Option<Self> {
        let (severity, text) = line.split_once(": ")?;
        if !["error", "warning"].contains(&severity) {
            return None;
        }
        let decoding = text.strip_prefix('\'').and_then(|text| text.split_once("' "));
        let (place, message) = match decoding {
            Some((place, message)) => (KeyPath::dotted(place), message),
            None => {
                let (place, message) = text.split_once(": ").unwrap_or(("", text));
                (KeyPath::new(place), message)
            }
        };
        let (severity, message) = (severity.to_owned(), message.to_owned());
        Some(Self { severity, place, message, help: String::new() })
    }

    /// The same one as seen from a part of the config; nothing when it is about another part.
    fn below(&self, part: &KeyPath) -> Option<Self> {
        Some(Self { place: self.place.strip(part)?, ..self.clone() })
    }
}

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
        let unknown = self.of("error").find(|d| d.message.starts_with("has invalid keys"))?;
        let known = unknown.help.split_once("valid keys: ").map_or("", |(_, keys)| keys);
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
    let place = KeyPath::new("service");
    let mut judged = Judged::default();
    for diagnostic in validate(&yaml) {
        let below = diagnostic.below(&place);
        judged.0.push(
            below.unwrap_or_else(|| panic!("{diagnostic:?} is about another part of\n{yaml}")),
        );
    }
    judged
}

fn judge_instances(kind: &str, name: &str, trees: &[Tree]) -> Vec<Judged> {
    let pipelines = "{traces: {receivers: [nop], exporters: [nop]}}";
    let mut yaml = format!("service: {{pipelines: {pipelines}}}\n");
    for section in ["receivers", "processors", "exporters", "connectors", "extensions"] {
        yaml.push_str(&format!("{section}:\n"));
        if ["receivers", "exporters"].contains(&section) {
            yaml.push_str("  nop: {}\n");
        }
        for (number, tree) in trees.iter().enumerate().filter(|_| section == kind) {
            yaml.push_str(&format!("  {name}/{number}: {tree}\n"));
        }
    }
    let mut judged: Vec<Judged> = trees.iter().map(|_| Judged::default()).collect();
    for diagnostic in validate(&yaml) {
        let of_instance = (0..trees.len()).find_map(|number| {
            let instance = KeyPath::new(&format!("{kind}::{name}/{number}"));
            Some((number, diagnostic.below(&instance)?))
        });
        let Some((number, diagnostic)) = of_instance else {
            panic!("{diagnostic:?} is about another part of\n{yaml}")
        };
        if !IS_NOT_USED.iter().any(|text| diagnostic.message.contains(text)) {
            judged[number].0.push(diagnostic);
        }
    }
    judged
}

/// All that is said of a config.
fn validate(yaml: &str) -> Vec<Diagnostic> {
    let setup = Setup::bare().file("c.yaml", yaml);
    let ended = setup.arguments(["validate", "--config", "c.yaml"]).run();
    assert!(matches!(ended.code, Some(0 | 2)), "{yaml}\n{}", ended.stderr);
    assert!(!ended.stderr.contains("are not shown"), "too many instances for one config:\n{yaml}");
    let mut said: Vec<Diagnostic> = Vec::new();
    for line in ended.stderr.lines() {
        if let Some(diagnostic) = Diagnostic::parse(line) {
            said.push(diagnostic);
        } else if let (Some((_, help)), Some(last)) = (line.split_once("= help: "), said.last_mut())
        {
            last.help = help.to_owned();
        }
    }
    said
}
