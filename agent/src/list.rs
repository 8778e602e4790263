//! `components`: what this binary contains, as YAML in the Collector's shape.

use pdata::Signal;
use service::{COMPONENTS, load};

use crate::dump;

/// The components that are not stable yet, as their READMEs say, which a test compares.
const BETA: &[(&str, &str)] = &[("receiver", "awsxray"), ("exporter", "datadog")];

/// Prints the list.
pub(crate) fn print() -> u8 {
    dump::print(&list())
}

fn list() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let description = env!("CARGO_PKG_DESCRIPTION");
    let mut text = format!(
        "buildinfo:\n    command: hikyaku\n    description: {description}\n    version: {version}\n"
    );
    let listed = |signals: &'static [Signal]| signals.iter().map(|s| s.name().to_owned()).collect();
    let receivers = COMPONENTS.receivers.iter().map(|f| (f.component_type, listed(f.signals)));
    section(&mut text, "receivers", "receiver", receivers);
    let processors = COMPONENTS.processors.iter().map(|f| (f.component_type, listed(f.signals)));
    section(&mut text, "processors", "processor", processors);
    let exporters = COMPONENTS.exporters.iter().map(|f| (f.component_type, listed(f.signals)));
    section(&mut text, "exporters", "exporter", exporters);
    let connectors = COMPONENTS.connectors.iter().map(|factory| {
        let pairs = factory.signals.iter().map(|(from, to)| format!("{from}-to-{to}"));
        (factory.component_type, pairs.collect())
    });
    section(&mut text, "connectors", "connector", connectors);
    let extensions =
        COMPONENTS.extensions.iter().map(|f| (f.component_type, vec!["extension".to_owned()]));
    section(&mut text, "extensions", "extension", extensions);
    text.push_str("providers:\n");
    for scheme in load::providers().schemes() {
        text.push_str(&format!("    - scheme: {scheme}\n"));
    }
    text
}

/// One kind, each component with what its stability is said of. A component's module is its crate, which is named after its kind and
/// type.
fn section(
    text: &mut String,
    section: &str,
    kind: &str,
    components: impl Iterator<Item = (&'static str, Vec<String>)>,
) {
    let version = env!("CARGO_PKG_VERSION");
    let listed: String = components
        .map(|(name, parts)| {
            let module = name.replace('_', "-");
            let stability = if BETA.contains(&(kind, name)) { "Beta" } else { "Stable" };
            let parts: String =
                parts.iter().map(|part| format!("        {part}: {stability}\n")).collect();
            format!(
                "    - name: {name}\n      module: {kind}-{module} v{version}\n      stability:\n{parts}"
            )
        })
        .collect();
    match listed.is_empty() {
        true => text.push_str(&format!("{section}: []\n")),
        false => text.push_str(&format!("{section}:\n{listed}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_yaml_that_names_every_component_once() {
        let node = confmap::Node::from_yaml("list", &list()).unwrap();
        let names = |section: &str| -> Vec<String> {
            let components = node.get(section).and_then(|node| node.as_seq()).unwrap_or_default();
            components.iter().map(|c| c.get("name").unwrap().as_str().unwrap().to_owned()).collect()
        };
        let known: Vec<&str> = COMPONENTS.receivers.iter().map(|f| f.component_type).collect();
        assert_eq!(names("receivers"), known);
        let known: Vec<&str> = COMPONENTS.exporters.iter().map(|f| f.component_type).collect();
        assert_eq!(names("exporters"), known);
        for section in ["receivers", "processors", "exporters", "connectors", "extensions"] {
            let names = names(section);
            let distinct: std::collections::BTreeSet<_> = names.iter().collect();
            assert_eq!(distinct.len(), names.len(), "{section}: {names:?}");
        }
        assert!(node.get("buildinfo").unwrap().get("version").is_some());
    }
}
