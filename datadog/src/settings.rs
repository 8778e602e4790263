//! Settings that the exporter and the connector read alike.

use std::collections::BTreeMap;

use ::attributes::pattern;
use confmap::Section;
use regex::Regex;

/// `ignore_resources`: patterns of resources whose traces are left out. One that is no pattern is an error of the section.
pub fn read_ignored_resources(section: &mut Section<'_>) -> Vec<Regex> {
    let mut patterns = Vec::new();
    for item in section.list("ignore_resources") {
        let Some(text) = item.decode::<String>() else { continue };
        match pattern::compile(&text) {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => item.error(format!(
                "'{text}' is not valid resource filter regular expression: {}",
                error.reason
            )),
        }
    }
    patterns
}

/// `span_name_remappings`: new operation names by old. An empty name on either side is an error of the section.
pub fn read_remappings(section: &mut Section<'_>) -> BTreeMap<String, String> {
    let mut remappings = BTreeMap::new();
    for (from, item) in section.entries("span_name_remappings") {
        let Some(to) = item.decode::<String>() else { continue };
        if to.is_empty() {
            item.error("'' is not valid value for span name remapping");
        } else if from.is_empty() {
            item.error("'' is not valid key for span name remapping");
        } else {
            remappings.insert(from.to_owned(), to);
        }
    }
    remappings
}
