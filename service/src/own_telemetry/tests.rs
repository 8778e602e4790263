use std::time::Duration;

use telemetry::{Encoding, LogLevel, Sampling, Suffixes};

use super::*;

fn read(yaml: &str) -> (OwnTelemetry, Diagnostics) {
    let node = Node::from_yaml("test", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let read = OwnTelemetry::read(Some(&node), LogSettings::default(), &diagnostics);
    (read, diagnostics)
}

fn sound(yaml: &str) -> OwnTelemetry {
    let (read, diagnostics) = read(yaml);
    assert!(diagnostics.is_empty(), "{yaml}\n{diagnostics}");
    read
}

fn addresses(telemetry: &OwnTelemetry) -> Vec<&str> {
    telemetry.endpoints.iter().map(|endpoint| endpoint.address.as_str()).collect()
}

#[test]
fn nothing_written_means_upstreams_defaults() {
    let default = OwnTelemetry::read(None, LogSettings::default(), &Diagnostics::new());
    assert_eq!(default, sound(""));
    assert_eq!(default, sound("{logs: , metrics: {readers: }, traces: , resource: }"));
    assert_eq!(addresses(&default), ["localhost:8888"]);
    assert!(!default.endpoints[0].is_configured);
    assert_eq!(default.metrics.level, MetricsLevel::Normal);
    assert_eq!(default.logs.sampling, Some(Sampling::default()));
    let names: Vec<&str> = default.metrics.resource.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["service.name", "service.version", "service.instance.id"]);
    assert_eq!(default.logs.resource, default.metrics.resource);
}

#[test]
fn instance_id_is_a_version_4_uuid_that_stays() {
    let id = |telemetry: &OwnTelemetry| telemetry.metrics.resource[2].1.clone();
    let first = id(&sound(""));
    assert_eq!(first, id(&sound("")));
    let parts: Vec<usize> = first.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12], "{first}");
    assert_eq!(&first[14..15], "4", "{first}");
    assert!("89ab".contains(&first[19..20]), "{first}");
}

#[test]
fn log_settings_are_taken_over() {
    let logs = sound(
        "logs: {level: WARN, encoding: json, disable_caller: true, sampling: {initial: 2, thereafter: 5, tick: 1s},
         output_paths: [stdout, /var/log/x], error_output_paths: stderr, initial_fields: {a: 1, b: {c: [true, null, x]}}, disable_zap_resource: true}",
    )
    .logs;
    assert_eq!(
        (logs.level, logs.encoding, logs.disable_caller),
        (LogLevel::Warn, Encoding::Json, true)
    );
    let sampling = Sampling { tick: Duration::from_secs(1), initial: 2, thereafter: 5 };
    assert_eq!(logs.sampling, Some(sampling));
    assert_eq!(logs.output_paths, ["stdout", "/var/log/x"]);
    let fields = serde_json::to_string(&logs.initial_fields).unwrap();
    assert_eq!(fields, r#"{"a":1,"b":{"c":[true,null,"x"]}}"#);
    assert!(logs.resource.is_empty());
    assert_eq!(sound("logs: {sampling: {enabled: false}}").logs.sampling, None);
}

#[test]
fn readers_become_endpoints() {
    for (reader, address) in [
        ("prometheus: {host: 0.0.0.0, port: 9000}", "0.0.0.0:9000"),
        ("prometheus/development: {port: 1}", "localhost:1"),
        ("prometheus: {host: '::1', port: 2}", "[::1]:2"),
        ("prometheus:", "localhost:8888"),
    ] {
        let telemetry = sound(&format!(
            "metrics: {{level: detailed, readers: [{{pull: {{exporter: {{{reader} }}}}}}]}}"
        ));
        assert_eq!(addresses(&telemetry), [address]);
        assert!(telemetry.endpoints[0].is_configured);
        assert_eq!(telemetry.metrics.level, MetricsLevel::Detailed);
    }
    let two = "metrics: {readers: [{pull: {exporter: {prometheus: {port: 1}}}}, {pull: {exporter: {prometheus: {port: 2}}}}]}";
    assert_eq!(addresses(&sound(two)), ["localhost:1", "localhost:2"]);
    assert_eq!(addresses(&sound("metrics: {level: none}")), Vec::<&str>::new());
    assert_eq!(addresses(&sound("metrics: {level: none, readers: []}")), Vec::<&str>::new());
}

#[test]
fn an_address_of_former_days_is_a_reader_and_the_warning_says_which() {
    let pull = "{pull: {exporter: {prometheus: {host: h, port: 1}}}}";
    for (metrics, expected, words) in [
        (
            "address: 'localhost:9999'",
            &["localhost:9999"][..],
            "write \"readers: [{pull: {exporter: {prometheus: {host: \"localhost\", port: 9999}}}}]\"",
        ),
        ("address: ':7'", &[":7"], "{host: \"\", port: 7}"),
        ("address: '[::1]:7'", &["[::1]:7"], "{host: \"::1\", port: 7}"),
        ("address: 'h:2', readers: ", &["h:2"], "in its place"),
        ("address: 'h:2', readers: []", &["h:2"], "in its place"),
        (
            &format!("address: 'h:2', readers: [{pull}]"),
            &["h:1", "h:2"],
            "served beside the readers; add {pull: {exporter: {prometheus: {host: \"h\", port: 2}}}}",
        ),
        (&format!("address: 'h:1', readers: [{pull}]"), &["h:1"], "leave it out"),
        ("address: 'h:2', readers: [{}]", &["h:2"], "served beside the readers"),
        ("address: ''", &["localhost:8888"], "has no effect"),
        ("level: none, address: 'h:2'", &[], "deprecated"),
    ] {
        let (telemetry, diagnostics) = read(&format!("metrics: {{{metrics}}}"));
        assert_eq!(addresses(&telemetry), expected, "{metrics}");
        let text = diagnostics.to_string();
        assert!(!diagnostics.has_errors() && text.contains(words), "{metrics}\n{text}");
        assert_eq!(text.matches("warning:").count(), 1, "{metrics}\n{text}");
    }
    // What the warning advises means the same.
    let advised =
        sound("metrics: {readers: [{pull: {exporter: {prometheus: {host: \"::1\", port: 7}}}}]}");
    assert_eq!(advised.endpoints, read("metrics: {address: '[::1]:7'}").0.endpoints);
}

#[test]
fn without_a_pull_reader_the_default_one_is_served_and_the_warning_says_so() {
    let periodic = "{periodic: {exporter: {otlp: {}}}}";
    let (telemetry, diagnostics) = read(&format!("metrics: {{readers: [{periodic}]}}"));
    assert_eq!(telemetry.endpoints, [Endpoint::default()]);
    assert!(diagnostics.to_string().contains("the default one, localhost:8888"), "{diagnostics}");
    for rest in [
        "readers: [{pull: {exporter: {prometheus: {port: 1}}}}, PERIODIC]",
        "readers: [PERIODIC], address: 'localhost:1'",
    ] {
        let yaml = format!("metrics: {{{}}}", rest.replace("PERIODIC", periodic));
        let (telemetry, diagnostics) = read(&yaml);
        assert_eq!(addresses(&telemetry), ["localhost:1"]);
        let text = diagnostics.to_string();
        assert!(text.contains("periodic") && !text.contains("8888"), "{text}");
    }
}

#[test]
fn names_have_no_suffixes_unless_a_reader_asks_for_them() {
    for (keys, counter, unit) in [
        ("", false, false),
        ("without_type_suffix: true, without_units: true", false, false),
        ("without_type_suffix: , without_units: ", false, false),
        ("without_type_suffix: false", true, false),
        ("without_units: false", false, true),
        ("translation_strategy: underscore_escaping_without_suffixes", false, false),
        ("translation_strategy: underscore_escaping_with_suffixes", true, true),
    ] {
        let telemetry = sound(&format!(
            "metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{{keys}}}}}}}}}]}}"
        ));
        assert_eq!(telemetry.endpoints[0].suffixes, Suffixes { counter, unit }, "{keys}");
    }
}

#[test]
fn resource_is_read_in_both_forms() {
    let resource = |yaml: &str| {
        let (telemetry, diagnostics) = read(yaml);
        assert!(!diagnostics.has_errors(), "{yaml}\n{diagnostics}");
        let mut resource = telemetry.metrics.resource;
        resource.retain(|(name, _)| name != "service.instance.id" && name != "service.version");
        resource
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let map = resource("resource: {service.name: gateway, team: 7}");
    assert_eq!(map, [pair("service.name", "gateway"), pair("team", "7")]);
    let list = resource(
        "resource: {attributes: [{name: service.name, value: gateway}, {name: team, value: 7}], schema_url: x}",
    );
    assert_eq!(list, map);
    assert_eq!(resource("resource: {service.name: null}"), []);
    let gateway = resource("resource: {service.name: gateway, schema_url: x}");
    assert_eq!(gateway, [pair("service.name", "gateway")]);
}

#[test]
fn what_is_wrong_or_not_carried_out_is_named() {
    for (yaml, errors, word) in [
        ("logs: {level: loud}", 1, "logs.level"),
        ("logs: {level: 3}", 1, "logs.level"),
        ("logs: {levle: info}", 1, "level"),
        ("logs: {development: true}", 0, "development"),
        ("logs: {disable_stacktrace: false}", 0, "disable_stacktrace"),
        ("logs: {development: false, disable_stacktrace: true}", 0, ""),
        ("logs: {processors: [{batch: {}}]}", 0, "processors"),
        ("metrics: {address: 'h:1'}", 0, "readers"),
        ("metrics: {address: '8888'}", 1, "missing port"),
        ("metrics: {address: 'h:http'}", 1, "metrics.address"),
        ("metrics: {readers: []}", 1, "metrics reader should exist"),
        ("metrics: {readers: [{periodic: {exporter: {otlp: {}}}}]}", 0, "periodic"),
        ("metrics: {readers: [{pull: {exporter: {prometheus: {port: 70000}}}}]}", 1, "port"),
        ("metrics: {readers: [{pull: {exporter: {otlp: {}}}}]}", 1, "otlp"),
        ("metrics: {readers: [{pull: {exporter: {prometheus: }}, producers: []}]}", 0, "producers"),
        (
            "metrics: {readers: [{pull: {exporter: {prometheus: {without_scope_info: false}}}}]}",
            0,
            "without_scope_info",
        ),
        (
            "metrics: {readers: [{pull: {exporter: {prometheus: {translation_strategy: no_translation}}}}]}",
            0,
            "translation_strategy",
        ),
        ("metrics: {views: []}", 0, "views"),
        ("traces: {processors: []}", 0, "processors"),
        ("traces: {level: detailed}", 0, "level"),
        ("traces: {level: none}", 0, ""),
        ("resource: {service.name: [a]}", 1, "service.name"),
        ("resource: {schema_url: x}", 0, "schema_url"),
        ("resource: {detection/development: {detectors: [{host: {}}]}}", 0, "detection"),
        ("resource: {attributes_list: a=b}", 1, "attributes_list"),
        ("resource: {attributes: [{name: a, value: b}], team: red}", 1, "team"),
        ("resource: {attributes: {a: b}}", 1, "attributes"),
        ("resource: {attributes: [{value: 1}]}", 1, "name"),
        ("profiles: {}", 1, "profiles"),
    ] {
        let (_, diagnostics) = read(yaml);
        let text = diagnostics.to_string();
        assert_eq!(diagnostics.error_count(), errors, "{yaml}: {text}");
        assert!(text.contains(word), "{yaml}: {text}");
        assert_eq!(text.is_empty(), word.is_empty(), "{yaml}: {text}");
    }
}
