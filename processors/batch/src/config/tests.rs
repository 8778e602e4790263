use confmap::{Diagnostics, Node, Section};

use super::*;

fn read(yaml: &str) -> (Config, Vec<String>) {
    let node = Node::from_yaml("test.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let config = Config::read(Section::new(Some(&node), "processors::batch", &diagnostics));
    let messages = diagnostics.sorted().iter().map(|d| d.message().to_owned()).collect();
    (config, messages)
}

#[test]
fn empty_section_gives_the_collectors_defaults() {
    let (config, messages) = read("{}");
    assert_eq!(config, Config::default());
    assert!(messages.is_empty(), "{messages:?}");
}

#[test]
fn every_key_is_read() {
    let (config, messages) = read(
        "{timeout: 2s, send_batch_size: 10, send_batch_max_size: 20, metadata_keys: [Tenant, b], \
         metadata_cardinality_limit: 5}",
    );
    assert!(messages.is_empty(), "{messages:?}");
    let expected = Config {
        timeout: Duration::from_secs(2),
        send_batch_size: 10,
        send_batch_max_size: 20,
        metadata_keys: vec!["tenant".into(), "b".into()],
        metadata_cardinality_limit: 5,
    };
    assert_eq!(config, expected);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let (_, messages) = read("{send_batch_size: 10, send_batch_max_size: 5}");
    assert!(messages[0].contains("send_batch_max_size must be greater or equal"), "{messages:?}");
    let (_, messages) = read("{metadata_keys: [a, A]}");
    assert!(messages[0].contains("duplicate entry in metadata_keys: \"a\""), "{messages:?}");
}

#[test]
fn largest_batch_below_the_default_size_is_told_of_the_default() {
    let help = |yaml: &str| {
        let node = Node::from_yaml("test.yaml", yaml).unwrap();
        let diagnostics = Diagnostics::new();
        let _config = Config::read(Section::new(Some(&node), "processors::batch", &diagnostics));
        diagnostics.sorted()[0].help_text().map(str::to_owned)
    };
    let expected = "send_batch_size is 8192 unless it is set: set it, too, to 5 or less";
    assert_eq!(help("{send_batch_max_size: 5}").as_deref(), Some(expected));
    assert_eq!(help("{send_batch_max_size: 5, send_batch_size: 6}"), None);
}
