//! `components`: what this binary contains, as YAML in the Collector's shape.

use pdata::Signal;
use service::{COMPONENTS, load};

use crate::dump;

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
    let stability = |signals: &[Signal]| {
        let of_signal = signals.iter().map(|signal| format!("        {signal}: Beta\n"));
        of_signal.collect::<String>()
    };
    let receivers = COMPONENTS.receivers.iter().map(|f| (f.component_type, stability(f.signals)));
    section(&mut text, "receivers", "receiver", receivers);
    let processors = COMPONENTS.processors.iter().map(|f| (f.component_type, stability(f.signals)));
    section(&mut text, "processors", "processor", processors);
    let exporters = COMPONENTS.exporters.iter().map(|f| (f.component_type, stability(f.signals)));
    section(&mut text, "exporters", "exporter", exporters);
    let connectors = COMPONENTS.connectors.iter().map(|factory| {
        let pairs =
            factory.signals.iter().map(|(from, to)| format!("        {from}-to-{to}: Beta\n"));
        (factory.component_type, pairs.collect())
    });
    section(&mut text, "connectors", "connector", connectors);
    let extensions = COMPONENTS
        .extensions
        .iter()
        .map(|f| (f.component_type, "        extension: Beta\n".to_owned()));
    section(&mut text, "extensions", "extension", extensions);
    text.push_str("providers:\n");
    for scheme in load::providers().schemes() {
        text.push_str(&format!("    - scheme: {scheme}\n"));
    }
    text
}

/// One kind. A component's module is its crate, which is named after its kind and type.
fn section<'a>(
    text: &mut String,
    section: &str,
    kind: &str,
    components: impl Iterator<Item = (&'a str, String)>,
) {
    let version = env!("CARGO_PKG_VERSION");
    let listed: String = components
        .map(|(name, stability)| {
            let module = name.replace('_', "-");
            format!(
                "    - name: {name}\n      module: {kind}-{module} v{version}\n      stability:\n{stability}"
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
    fn list_is_yaml_that_names_every_component() {
        let node = confmap::Node::from_yaml("list", &list()).unwrap();
        let names = |section: &str| -> Vec<String> {
            let components = node.get(section).and_then(|node| node.as_seq()).unwrap_or_default();
            components.iter().map(|c| c.get("name").unwrap().as_str().unwrap().to_owned()).collect()
        };
        let known: Vec<&str> = COMPONENTS.receivers.iter().map(|f| f.component_type).collect();
        assert_eq!(names("receivers"), known);
        let known: Vec<&str> = COMPONENTS.exporters.iter().map(|f| f.component_type).collect();
        assert_eq!(names("exporters"), known);
        assert!(node.get("buildinfo").unwrap().get("version").is_some());
    }
}
