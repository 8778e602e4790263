use std::sync::Arc;

use confmap::{Diagnostics, Node};
use pdata::Signal;
use pipeline::testing::Recorder;
use pipeline::{ComponentKind, Context, Outlet, Process};

use super::*;

const ACTIONS: &str = "actions: [{key: a, action: delete}]";

/// What is said of a section when it is read, and then, if nothing is, when it is used for a signal.
fn complaints(signal: Signal, yaml: &str) -> Vec<String> {
    let node = Node::from_yaml("test.yaml", &format!("{yaml}\n{ACTIONS}")).unwrap();
    let diagnostics = Diagnostics::new();
    let section = Section::new(Some(&node), "processors::attributes", &diagnostics);
    let build = (crate::FACTORY.parse)(section);
    if !diagnostics.is_empty() {
        return diagnostics.sorted().iter().map(|d| d.message().to_owned()).collect();
    }
    let (id, kind) = ("attributes".parse().unwrap(), ComponentKind::Processor);
    let context = Context::new(Process::default(), kind, id, Some(signal), None);
    let built = build(context, Outlet::to(Arc::new(Recorder::default())));
    built.err().map(|error| error.0).into_iter().collect()
}

#[test]
fn what_is_wrong_is_said_in_the_collectors_words() {
    // Taken from the Collector's processor 0.156.
    for (signal, yaml, expected) in [
        (
            Signal::Traces,
            "include: {match_type: strict, log_bodies: [a]}",
            "include: log_bodies should not be specified for trace spans",
        ),
        (
            Signal::Traces,
            "exclude: {match_type: strict, log_severity_texts: [a]}",
            "exclude: log_severity_texts should not be specified for trace spans",
        ),
        (
            Signal::Traces,
            "include: {log_severity_number: {min: 1}}",
            "include: log_severity_number should not be specified for trace spans",
        ),
        (
            Signal::Traces,
            "include: {match_type: strict, metric_names: [a]}",
            "include: metric_names should not be specified for trace spans",
        ),
        (
            Signal::Traces,
            "include: {match_type: strict}",
            "include: at least one of \"attributes\", \"libraries\",  or \"resources\" field must be specified",
        ),
        (
            Signal::Traces,
            "include: {match_type: strict, services: []}",
            "include: at least one of \"attributes\", \"libraries\",  or \"resources\" field must be specified",
        ),
        (
            Signal::Traces,
            "include: {match_type: strict, span_kinds: [SERVER]}",
            "span_kinds string must match one of the standard span kinds when match_type=strict: [SPAN_KIND_CLIENT SPAN_KIND_CONSUMER SPAN_KIND_INTERNAL SPAN_KIND_PRODUCER SPAN_KIND_SERVER]",
        ),
        (
            Signal::Logs,
            "include: {match_type: strict, span_names: [a]}",
            "include: services, span_names, span_kinds and metric_names are not valid for log records",
        ),
        (
            Signal::Logs,
            "include: {match_type: strict, metric_names: [a]}",
            "include: services, span_names, span_kinds and metric_names are not valid for log records",
        ),
        (
            Signal::Logs,
            "include: {}",
            "include: at least one of \"attributes\", \"libraries\", \"span_kinds\", \"resources\", \"log_bodies\", \"log_severity_texts\" or \"log_severity_number\" field must be specified",
        ),
        (
            Signal::Metrics,
            "include: {match_type: strict, services: [a]}",
            "include: \"span_names\", \"span_kinds\", \"log_bodies\", \"log_severity_texts\", \"log_severity_number\", \"services\", \"attributes\" and \"libraries\" are not valid for metrics",
        ),
        (
            Signal::Metrics,
            "include: {attributes: [{key: a}]}",
            "include: \"span_names\", \"span_kinds\", \"log_bodies\", \"log_severity_texts\", \"log_severity_number\", \"services\", \"attributes\" and \"libraries\" are not valid for metrics",
        ),
        (
            Signal::Metrics,
            "include: {}",
            "include: at least one of \"metric_names\" or \"resources\" field must be specified",
        ),
        (
            Signal::Traces,
            "include: {match_type: glob, services: [a]}",
            "unrecognized match_type: 'glob', valid types are: [regexp strict]",
        ),
        (
            Signal::Traces,
            "include: {services: [a], span_names: [b]}",
            "unrecognized match_type: '', valid types are: [regexp strict]",
        ),
        (
            Signal::Traces,
            "include: {attributes: [{key: a, value: 1}]}",
            "unrecognized match_type: '', valid types are: [regexp strict]",
        ),
        (
            Signal::Traces,
            "include: {libraries: [{name: a}]}",
            "unrecognized match_type: '', valid types are: [regexp strict]",
        ),
        (
            Signal::Traces,
            "include: {match_type: strict, attributes: [{value: 1}]}",
            "can't have empty key in the list of attributes",
        ),
        (
            Signal::Traces,
            "include: {match_type: regexp, attributes: [{key: a, value: 1}]}",
            "match_type=regexp for \"a\" only supports Str, but found Int",
        ),
        (
            Signal::Traces,
            "include: {match_type: regexp, resources: [{key: a, value: [1]}]}",
            "match_type=regexp for \"a\" only supports Str, but found Slice",
        ),
        (
            Signal::Traces,
            "include: {match_type: regexp, services: ['(']}",
            "error parsing regexp \"(\": unclosed group",
        ),
        (
            Signal::Traces,
            "include: {match_type: strict, service: [a], services: [b]}",
            "has invalid keys: service",
        ),
        (
            Signal::Traces,
            "include: {match_type: strict, libraries: [{name: a, verion: 1}]}",
            "has invalid keys: verion",
        ),
    ] {
        assert_eq!(complaints(signal, yaml), [expected], "{yaml}");
    }
}

#[test]
fn every_key_is_read() {
    let spans = "match_type: regexp, regexp: {}, services: [a], span_names: [a], span_kinds: [a], attributes: [{key: a, value: a}], \
                 resources: [{key: a}], libraries: [{name: a, version: '1'}]";
    let logs = "match_type: strict, log_bodies: [a], log_severity_texts: [a], log_severity_number: {min: 9, match_undefined: true}";
    let metrics = "match_type: strict, metric_names: [a], resources: [{key: a, value: 1}]";
    for (signal, keys) in
        [(Signal::Traces, spans), (Signal::Logs, logs), (Signal::Metrics, metrics)]
    {
        for which in ["include", "exclude"] {
            let yaml = format!("{which}: {{{keys}}}");
            assert!(complaints(signal, &yaml).is_empty(), "{:?}", complaints(signal, &yaml));
        }
    }
}

#[test]
fn section_without_a_value_is_none() {
    assert!(complaints(Signal::Traces, "include:\nexclude:").is_empty());
}

#[test]
fn cache_of_matches_has_no_effect_and_says_so() {
    let regexp = "regexp: {cacheenabled: true, cachemaxnumentries: 5}";
    let found = complaints(
        Signal::Traces,
        &format!("include: {{match_type: regexp, services: [a], {regexp}}}"),
    );
    assert!(found.len() == 2 && found.iter().all(|m| m.contains("has no effect")), "{found:?}");
}

#[test]
fn actions_must_be_there() {
    let diagnostics = Diagnostics::new();
    let _config = Config::read(Section::new(None, "processors::attributes", &diagnostics));
    assert_eq!(diagnostics.sorted()[0].message(), "missing required field \"actions\"");
}
