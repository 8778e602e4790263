//! Configurations and surroundings that cannot work: a clear error and the right exit code, at once.

use std::net::{Ipv4Addr, TcpListener};

use tests::agent::Setup;
use tests::gateway::Gateway;
use tests::process::Ended;

fn refused(yaml: &str) -> Ended {
    let ended = Setup::config(yaml).run();
    assert_eq!(ended.code, Some(2), "{yaml}\n{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    ended
}

fn assert_says(ended: &Ended, words: &[&str]) {
    for word in words {
        assert!(ended.stderr.contains(word), "{word:?} is missing in:\n{}", ended.stderr);
    }
}

/// A sound configuration, whose lines the cases replace.
fn sound() -> String {
    Gateway::new().processor("batch", "{}").exporter("nop", "{}").yaml()
}

#[test]
fn a_port_in_use_is_a_failure_that_names_it() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut gateway = Gateway::new().exporter("nop", "{}");
    gateway.grpc = port;
    let ended = Setup::config(&gateway.yaml()).run();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_says(&ended, &[&port.to_string(), "otlp", "in use"]);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

#[test]
fn a_file_that_is_missing_or_a_folder_is_named() {
    let ended = Setup::bare().arguments(["--config", "nowhere.yaml"]).run();
    assert_eq!(ended.code, Some(2));
    assert_says(&ended, &["nowhere.yaml"]);
    let ended = Setup::bare().arguments(["--config", "."]).run();
    assert_eq!(ended.code, Some(2));
    assert_says(&ended, &["directory"]);
}

#[test]
fn a_tab_is_pointed_at() {
    let ended = refused("receivers:\n\totlp:\n");
    assert_says(&ended, &["config.yaml:2", "tab"]);
}

#[test]
fn a_file_that_is_not_a_mapping_is_refused() {
    for yaml in ["", "just words\n", "[1, 2]\n", "receivers: [\n", "a: &a [*a]\n", "\0\0"] {
        refused(yaml);
    }
    let bomb = (1..30).fold("a0: &a0 [x, x, x, x]\n".to_owned(), |text, level| {
        let below = level - 1;
        text + &format!("a{level}: &a{level} [*a{below}, *a{below}, *a{below}, *a{below}]\n")
    });
    refused(&bomb);
}

#[test]
fn unknown_keys_types_and_references_are_pointed_at_together() {
    let yaml = sound()
        .replace("  batch: {}", "  batch: { timeuot: 1s }")
        .replace("  nop: {}", "  nop: {}\n  zipkim: { endpoint: \"http://h\" }")
        .replace("receivers: [otlp]", "receivers: [otlp, oltp]");
    let ended = refused(&yaml);
    // All of them, each with its line, what was meant, and where a type is unknown, the ones there are.
    assert_says(&ended, &["timeuot", "timeout", "zipkim", "zipkin", "oltp", "did you mean"]);
    for word in ["timeuot", "zipkim", "oltp"] {
        let line = yaml.lines().position(|line| line.contains(word)).unwrap() + 1;
        assert_says(&ended, &[&format!("config.yaml:{line}")]);
    }
}

#[test]
fn values_of_a_wrong_kind_are_refused() {
    for (from, to, word) in [
        ("batch: {}", "batch: { timeout: soon }", "timeout"),
        ("batch: {}", "batch: { send_batch_size: -1 }", "send_batch_size"),
        ("batch: {}", "batch: []", "batch"),
        ("receivers: [otlp]", "receivers: []", "receiver"),
        ("exporters: [nop]", "exporters: []", "exporter"),
        ("  pipelines:", "  pipeline:", "pipeline"),
    ] {
        let ended = refused(&sound().replace(from, to));
        assert_says(&ended, &[word]);
    }
}
