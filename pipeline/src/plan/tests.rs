use confmap::Severity;

use super::*;
use crate::testing::COMPONENTS;

/// Reads a config; the plan, and `line: message` of every diagnostic.
fn read(yaml: &str) -> (Option<Plan>, Vec<String>, Vec<String>) {
    let node = Node::from_yaml("file:config.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let plan = Plan::read(&node, &COMPONENTS, &diagnostics);
    assert_eq!(plan.is_none(), diagnostics.has_errors(), "{diagnostics}");
    let of = |severity: Severity| {
        let all = diagnostics.sorted().into_iter().filter(|d| d.severity() == severity);
        let line = |d: &Diagnostic| d.origin().map_or(0, confmap::Origin::line);
        all.map(|d| format!("{}: {d}", line(&d))).collect()
    };
    (plan, of(Severity::Error), of(Severity::Warning))
}

fn check_errors(yaml: &str, expected: &[&str]) {
    let (_, errors, _) = read(yaml);
    assert_eq!(errors, expected, "{yaml}");
}

/// A sound config with these pipelines.
fn with_pipelines(pipelines: &str) -> String {
    format!(
        "receivers: {{fake: , fake/2: , fake_traces: }}\nprocessors: {{fake: , fake/2: }}\nexporters: {{fake/out: }}\nconnectors: {{fake/c: , fake/d: , fake_spanmetrics: }}\nservice:\n  pipelines:\n{pipelines}"
    )
}

#[test]
fn nothing_at_all_is_an_error_of_its_own() {
    check_errors("", &["1: empty configuration file"]);
    check_errors("{}", &["1: empty configuration file"]);
}

#[test]
fn missing_parts_are_named_with_the_collectors_words() {
    check_errors(
        "receivers:\nservice:\n  pipelines:\n",
        &[
            "1: exporters: no exporter configuration specified in config",
            "1: receivers: no receiver configuration specified in config",
            "3: service::pipelines: service must have at least one pipeline",
        ],
    );
    check_errors(
        &with_pipelines("    traces: {receivers: [], processors: [fake]}\n    logs:\n"),
        &[
            "7: service::pipelines::traces: must have at least one exporter",
            "7: service::pipelines::traces: must have at least one receiver",
            "8: service::pipelines::logs: must have at least one receiver",
            "8: service::pipelines::logs: must have at least one exporter",
        ],
    );
}

#[test]
fn everything_wrong_is_reported_at_once_and_in_its_place() {
    let yaml = "\
receivers:
  fake: {bogus: 1}
  otlpp:
exporters:
  fake: {holds: many}
  fake/:
processors:
  ' fake':
  fake:
extensions:
  fake:
service:
  extensions: [fakes]
  pipelines:
    traces:
      receivers: [fake, otlpp, missing]
      processors: [fake, fake, fake/2]
      exporters: [fake, fake, 7]
    profiles: {receivers: [fake], exporters: [fake]}
    trace/x:
  shutdown: {linger: 30s}
  memory: {limit_mib: 0}
custom: true
";
    check_errors(
        yaml,
        &[
            "2: 'receivers.fake' has invalid keys: bogus",
            "3: 'receivers' unknown type: \"otlpp\" for id: \"otlpp\" (valid values: [fake fake_traces])",
            "5: 'exporters.fake.holds' expected type 'int', got unconvertible type 'string'",
            "6: 'exporters' in \"fake/\" id: the part after / should not be empty",
            "9: 'processors' duplicate name \"fake\" after unmarshaling",
            "13: service::extensions: references extension \"fakes\" which is not configured",
            "16: service::pipelines::traces: references receiver \"missing\" which is not configured",
            "17: service::pipelines::traces: references processor \"fake\" multiple times",
            "17: service::pipelines::traces: references processor \"fake/2\" which is not configured",
            "18: 'service.pipelines.traces.exporters[2]' expected type 'string', got unconvertible type 'int'",
            "19: service::pipelines: pipeline \"profiles\": profiling signal support is at alpha level, gated under the \"service.profilesSupport\" feature gate",
            "20: 'service.pipelines' unknown pipeline signal: \"trace/x\" (valid values: traces, metrics, logs)",
            "21: service::shutdown::linger: linger must be shorter than deadline",
            "22: service::memory::limit_mib: must be positive",
            "23: the configuration has invalid keys: custom",
        ],
    );
}

#[test]
fn help_says_what_was_likely_meant() {
    let check = |yaml: &str, expected: &str| {
        let node = Node::from_yaml("file:config.yaml", yaml).unwrap();
        let diagnostics = Diagnostics::new();
        assert!(Plan::read(&node, &COMPONENTS, &diagnostics).is_none());
        let help: Vec<_> = diagnostics
            .sorted()
            .into_iter()
            .filter_map(|d| d.help_text().map(str::to_owned))
            .collect();
        assert!(help.iter().any(|help| help == expected), "{help:?} without {expected:?}");
    };
    check("receivers: {fakee: }", "did you mean \"fake\"?");
    check(
        "exporters: {fake_traces: }",
        "in this program \"fake_traces\" is a receiver, which belongs under \"receivers\"",
    );
    check(
        "extensions: {fake_spanmetrics: }",
        "in this program \"fake_spanmetrics\" is a connector, which belongs under \"connectors\"",
    );
    let pipelines = with_pipelines("    traces: {receivers: [fake/22], exporters: [fake/2]}\n");
    check(&pipelines, "did you mean \"fake/2\"?");
    check(&pipelines, "\"fake/2\" is configured under \"receivers\"");
    check(&with_pipelines("    trases: {}\n"), "did you mean \"traces\"?");
}

#[test]
fn type_of_several_other_kinds_is_told_all_of_them() {
    assert_eq!(
        sections::belongs_elsewhere("x", &[ComponentKind::Receiver, ComponentKind::Exporter]),
        "in this program \"x\" is a receiver and an exporter, which belongs under \"receivers\" or \"exporters\""
    );
}

#[test]
fn components_of_the_collector_that_are_not_carried_are_told_what_to_do() {
    let check = |section: &str, component_type: &str, expected: &str| {
        let yaml = format!("{section}: {{{component_type}: {{endpoint: x}}}}");
        let node = Node::from_yaml("file:config.yaml", &yaml).unwrap();
        let diagnostics = Diagnostics::new();
        assert!(Plan::read(&node, &COMPONENTS, &diagnostics).is_none());
        let said = diagnostics.sorted();
        let said = said.iter().find(|d| d.to_string().contains("unknown type")).unwrap();
        assert!(said.to_string().starts_with(&format!("'{section}' unknown type: \"")), "{said}");
        let help = said.help_text().unwrap_or_default();
        assert!(help.contains(expected), "{component_type}: {help:?} without {expected:?}");
    };
    let processor = "it is a processor of the Collector's, not carried here: take it out of";
    for component_type in ["groupbytrace", "group_by_trace", "k8sattributes", "k8s_attributes"] {
        check("processors", component_type, processor);
    }
    check("processors", "tail_sampling", "the pipelines; probabilistic_sampler keeps");
    check("extensions", "basicauth", "write headers: {authorization: …} on the exporter");
    check("extensions", "bearertokenauth/x", "write headers: {authorization: …} on the exporter");
    check(
        "extensions",
        "opamp",
        "not carried here: take it out of extensions and of service::extensions",
    );
    check("receivers", "datadog", "have what sends to it send OTLP");
    check("receivers", "transform", &format!("{processor} receivers and of the pipelines"));
    check("receivers", "faro", "it is a receiver of the Collector's");
    check("receivers", "pprof", "it is a receiver of the Collector's, not carried");
    check("processors", "zpages", "it is an extension of the Collector's: take it out");
}

#[test]
fn extensions_that_move_no_data_are_warned_about_and_left_out() {
    let (plan, errors, warnings) = read(
        "receivers: {fake: }\nexporters: {fake: }\nextensions:\n  fake:\n  pprof: {endpoint: localhost:1777}\n  zpages:\n  memory_ballast/a: {size_mib: 64}\nservice:\n  extensions: [pprof, fake, zpages, memory_ballast/a]\n  pipelines: {traces: {receivers: [fake], exporters: [fake]}}\n",
    );
    assert_eq!(errors, Vec::<String>::new());
    let named: Vec<&str> = warnings
        .iter()
        .map(|w| w.split(" is accepted and has no effect: ").next().unwrap())
        .collect();
    assert_eq!(
        named,
        ["5: extensions::pprof:", "6: extensions::zpages:", "7: extensions::memory_ballast/a:"]
    );
    let plan = plan.unwrap();
    let run: Vec<String> = plan.extensions.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(run, ["fake"]);
}

#[test]
fn component_must_support_the_signal_of_its_pipeline() {
    check_errors(
        &with_pipelines("    logs: {receivers: [fake_traces], exporters: [fake/out]}\n"),
        &[
            "7: service::pipelines::logs: failed to create \"fake_traces\" receiver for data type \"logs\": telemetry type is not supported",
        ],
    );
}

#[test]
fn connector_needs_both_sides_and_signals_it_supports() {
    check_errors(
        &with_pipelines(
            "    traces/a: {receivers: [fake], exporters: [fake/c, fake_spanmetrics]}\n    traces/b: {receivers: [fake/d], exporters: [fake/out]}\n    logs: {receivers: [fake_spanmetrics], exporters: [fake/out]}\n",
        ),
        &[
            "7: service::pipelines: connector \"fake/c\" used as exporter in [traces/a] pipeline but not used in any supported receiver pipeline",
            "7: service::pipelines: connector \"fake_spanmetrics\" used as exporter in [traces/a] pipeline but not used in any supported receiver pipeline",
            "8: service::pipelines: connector \"fake/d\" used as receiver in [traces/b] pipeline but not used in any supported exporter pipeline",
            "9: service::pipelines: connector \"fake_spanmetrics\" used as receiver in [logs] pipeline but not used in any supported exporter pipeline",
        ],
    );
}

#[test]
fn connector_must_not_share_its_id_with_a_receiver_or_exporter() {
    let (_, errors, _) = read(
        "receivers: {fake: }\nexporters: {fake/x: }\nconnectors: {fake/x: }\nservice: {pipelines: {traces: {receivers: [fake], exporters: [fake/x]}}}\n",
    );
    let text = "ambiguous ID: Found both \"fake/x\" exporter and \"fake/x\" connector. Change one of the components' IDs to eliminate ambiguity (e.g. rename \"fake/x\" connector to \"fake/x/connector\")";
    assert!(
        errors.iter().any(|error| error == &format!("2: connectors::fake/x: {text}")),
        "{errors:?}"
    );
}

#[test]
fn cycle_is_named_with_every_step() {
    check_errors(
        &with_pipelines(
            "    traces/a: {receivers: [fake, fake/d], processors: [fake], exporters: [fake/c]}\n    traces/b: {receivers: [fake/c], processors: [fake/2], exporters: [fake/d]}\n    traces/c: {receivers: [fake/d], exporters: [fake/out]}\n",
        ),
        &[
            "7: service::pipelines: cycle detected: connector \"fake/c\" (traces to traces) -> processor \"fake/2\" in pipeline \"traces/b\" -> connector \"fake/d\" (traces to traces) -> processor \"fake\" in pipeline \"traces/a\" -> connector \"fake/c\" (traces to traces)",
        ],
    );
    check_errors(
        &with_pipelines("    traces: {receivers: [fake, fake/c], exporters: [fake/c]}\n"),
        &[
            "7: service::pipelines: cycle detected: connector \"fake/c\" (traces to traces) -> connector \"fake/c\" (traces to traces)",
        ],
    );
}

#[test]
fn pipelines_stand_in_the_order_of_their_data() {
    let (plan, errors, _) = read(&with_pipelines(
        "    traces/z: {receivers: [fake], exporters: [fake/c, fake_spanmetrics]}\n    traces/a: {receivers: [fake/c], exporters: [fake/d]}\n    traces/m: {receivers: [fake/d], exporters: [fake/out]}\n    metrics: {receivers: [fake, fake_spanmetrics], exporters: [fake/out]}\n",
    ));
    assert_eq!(errors, Vec::<String>::new());
    let order: Vec<String> = plan.unwrap().pipelines.iter().map(|p| p.id.to_string()).collect();
    let position = |id: &str| order.iter().position(|other| other == id).unwrap();
    assert!(position("traces/z") < position("traces/a"), "{order:?}");
    assert!(position("traces/a") < position("traces/m"), "{order:?}");
    assert!(position("traces/z") < position("metrics"), "{order:?}");
}

#[test]
fn unused_components_are_checked_and_warned_about() {
    let (plan, _, warnings) = read(
        "receivers: {fake: , fake/2: }\nexporters: {fake: }\nextensions: {fake: , fake/on: }\nservice:\n  extensions: [fake/on]\n  pipelines: {traces: {receivers: [fake, fake], exporters: [fake]}}\n",
    );
    assert_eq!(
        warnings,
        [
            "1: receivers::fake/2: is configured and used by no pipeline",
            "3: extensions::fake: is configured and not listed in service::extensions, so it does not run",
            "6: service::pipelines::traces: references receiver \"fake\" again",
        ]
    );
    let plan = plan.unwrap();
    assert_eq!(plan.pipelines[0].receivers.len(), 1, "a repeated receiver counts once");
    assert_eq!(plan.extensions.len(), 1);
    let unused_and_wrong = "receivers: {fake: , fake/2: {bogus: 1}}\nexporters: {fake: }\nservice: {pipelines: {traces: {receivers: [fake], exporters: [fake]}}}\n";
    check_errors(unused_and_wrong, &["1: 'receivers.fake/2' has invalid keys: bogus"]);
}

#[test]
fn old_names_and_any_placing_of_underscores_are_accepted_and_noted() {
    let (plan, errors, _) = read(
        "receivers: {old_fake: , faketraces: , fake: }\nexporters: {fa_ke: }\nservice: {pipelines: {traces: {receivers: [old_fake, faketraces, fake], exporters: [fa_ke]}}}\n",
    );
    assert_eq!(errors, Vec::<String>::new());
    let plan = plan.unwrap();
    let renamed: Vec<_> =
        plan.renamed().iter().map(|r| (r.id.to_string(), r.component_type)).collect();
    let expected = [("old_fake", "fake"), ("faketraces", "fake_traces"), ("fa_ke", "fake")];
    assert_eq!(renamed, expected.map(|(id, name)| (id.to_owned(), name)));
}

#[test]
fn text_with_commas_is_a_list_of_references() {
    let (plan, errors, _) =
        read(&with_pipelines("    traces: {receivers: 'fake,fake/2', exporters: fake/out}\n"));
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(plan.unwrap().pipelines[0].receivers.len(), 2);
}

#[test]
fn own_settings_of_the_service_have_defaults_that_fit_a_container() {
    let plan = |service: &str| {
        let yaml = format!(
            "receivers: {{fake: }}\nexporters: {{fake: }}\nservice:\n  pipelines: {{traces: {{receivers: [fake], exporters: [fake]}}}}\n{service}"
        );
        let (plan, errors, _) = read(&yaml);
        assert_eq!(errors, Vec::<String>::new());
        plan.unwrap()
    };
    let default = plan("");
    assert!(default.shutdown().deadline < std::time::Duration::from_secs(30));
    assert!(default.shutdown().linger < default.shutdown().deadline);
    let mib = 1024 * 1024;
    assert_eq!(default.memory().bounds(None), (10 * mib, 256 * mib));
    assert_eq!(default.memory().bounds(Some(512 << 20)), (10 * mib, 128 * mib));
    assert_eq!(default.memory().bounds(Some(64 << 20)), (8 * mib, 16 * mib));
    let set = plan(
        "  shutdown: {linger: 0s, deadline: 2s, exporter_budget: 1s}\n  memory: {limit_mib: 32, mark_mib: 4}\n",
    );
    assert_eq!(set.shutdown().exporter_budget, Some(std::time::Duration::from_secs(1)));
    assert_eq!(set.memory().bounds(Some(64 << 20)), (4 * mib, 32 * mib));
}
