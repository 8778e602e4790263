use config::Sizer;
use confmap::{Diagnostics, Node, Section};

use super::*;

fn read(yaml: &str) -> (Config, Vec<String>) {
    let node = Node::from_yaml("test.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let config = Config::read(Section::new(Some(&node), "exporters::debug", &diagnostics));
    let messages = diagnostics.sorted().iter().map(|d| d.message().to_owned()).collect();
    (config, messages)
}

#[test]
fn empty_section_gives_the_collectors_defaults() {
    let (config, messages) = read("{}");
    assert_eq!(config, Config::default());
    assert_eq!(config.sampling, Sampling { initial: 2, thereafter: 1 });
    assert_eq!(config.destination, Destination::Log);
    assert!(messages.is_empty(), "{messages:?}");
}

#[test]
fn every_key_is_read() {
    let (config, messages) = read(
        "{verbosity: Detailed, sampling_initial: 5, sampling_thereafter: 200, use_internal_logger: false, \
         output_paths: [stderr, /tmp/x, 'file:///tmp/y'], sending_queue: {sizer: items}}",
    );
    assert!(messages.is_empty(), "{messages:?}");
    assert_eq!(config.verbosity, Verbosity::Detailed);
    assert_eq!(config.sampling, Sampling { initial: 5, thereafter: 200 });
    let paths = ["stderr", "/tmp/x", "file:///tmp/y"].map(str::to_owned).to_vec();
    assert_eq!(config.destination, Destination::Paths(paths));
    assert_eq!(config.queue.unwrap().sizer, Sizer::Items);
    let (config, messages) = read(
        "{verbosity: tree, tree: {color: never, width: 90, settle: 2s, quiet: 3s, max_wait: 4s}}",
    );
    assert!(messages.is_empty(), "{messages:?}");
    let seconds = Duration::from_secs;
    let tree = TreeConfig {
        color: Color::Never,
        width: 90,
        settle: seconds(2),
        quiet: seconds(3),
        max_wait: seconds(4),
    };
    assert_eq!(config.tree, tree);
}

#[test]
fn sending_queue_is_off_until_it_is_written() {
    assert_eq!(read("{}").0.queue, None);
    assert_eq!(read("{sending_queue: }").0.queue, Some(Queue::default()));
    assert_eq!(read("{sending_queue: {enabled: false}}").0.queue, None);
}

#[test]
fn tree_goes_to_standard_output_without_being_told() {
    let stdout = Destination::Paths(vec!["stdout".to_owned()]);
    assert_eq!(read("{verbosity: tree}").0.destination, stdout);
    assert_eq!(read("{use_internal_logger: false}").0.destination, stdout);
    let (config, messages) = read("{verbosity: tree, output_paths: [stderr]}");
    assert!(messages.is_empty(), "{messages:?}");
    assert_eq!(config.destination, Destination::Paths(vec!["stderr".to_owned()]));
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    for (yaml, expected) in [
        (
            "{output_paths: [stderr]}",
            "output_paths is not supported when use_internal_logger is true",
        ),
        (
            "{use_internal_logger: false, output_paths: []}",
            "output_paths must not be empty when use_internal_logger is false",
        ),
        ("{verbosity: none}", "is none of the valid values"),
        ("{verbosity: 3}", "expected type 'string'"),
        ("{verBosity: detailed}", "has invalid keys: verBosity"),
        ("{loglevel: debug}", "was removed in favor of \"verbosity\""),
        ("{logLevel: debug}", "was removed in favor of \"verbosity\""),
        ("{sampling_initial: -1}", "must be an integer"),
        ("{verbosity: tree, use_internal_logger: true}", "is not supported with `verbosity: tree`"),
        ("{use_internal_logger: false, output_paths: ['http://x']}", "no sink found for"),
        ("{verbosity: tree, sending_queue: {}}", "has no effect on traces"),
        ("{tree: {width: 80}}", "`tree` has no effect without `verbosity: tree`"),
    ] {
        let (_, messages) = read(yaml);
        assert!(messages.iter().any(|m| m.contains(expected)), "{yaml}: {messages:?}");
    }
}
