//! Settings.

use confmap::Section;

/// Reads the section; errors go to its diagnostics. Keys and messages are those of open-telemetry/opentelemetry-lambda
/// `collector/processor/decoupleprocessor/config.go`.
pub(crate) fn read(mut section: Section<'_>) {
    const KEY: &str = "max_queue_size";
    if section.get::<u32>(KEY) == Some(0) {
        section.error(KEY, "max_queue_size must be greater than 0");
    } else {
        section.ignored(
            KEY,
            "nothing is queued here; the exporters' sending_queue and the memory budget bound what is held",
        );
    }
    section.finish();
}

#[cfg(test)]
mod tests {
    use confmap::{Diagnostics, Node};

    use super::*;

    fn messages(yaml: &str) -> Vec<String> {
        let node = Node::from_yaml("test.yaml", yaml).unwrap();
        let diagnostics = Diagnostics::new();
        read(Section::new(Some(&node), "processors::decouple", &diagnostics));
        diagnostics.sorted().iter().map(|d| d.message().to_owned()).collect()
    }

    #[test]
    fn size_of_the_queue_is_warned_about_and_zero_is_refused() {
        assert!(messages("{}").is_empty());
        let [warning] = &messages("{max_queue_size: 200}")[..] else { panic!() };
        assert!(warning.contains("nothing is queued here"), "{warning}");
        assert_eq!(messages("{max_queue_size: 0}"), ["max_queue_size must be greater than 0"]);
        assert_eq!(messages("{max_queue_siz: 1}").len(), 1);
    }
}
