//! Configuration from AWS: parameters, secrets and objects, how they fail, how they change, and that nobody sees them.

use tests::agent::Setup;
use tests::gateway::Gateway;
use tests::parameters::ParameterStore;
use tests::process::Ended;

mod failures;
mod moto;
mod parameters;
mod rotation;
mod secrecy;

/// A configuration whose headers are of this YAML, one a line, from the sixth line on.
fn with_headers(headers: &str) -> String {
    let headers: String = headers.lines().map(|line| format!("      {}\n", line.trim())).collect();
    format!(
        "receivers: {{ nop: }}\nexporters:\n  otlphttp:\n    endpoint: http://127.0.0.1:4318\n    headers:\n{headers}\
         service: {{ pipelines: {{ traces: {{ receivers: [nop], exporters: [otlphttp] }} }} }}\n"
    )
}

/// Prints a configuration with nothing masked, or fails; at the end of its patience the agent is ended.
fn print_open(store: &ParameterStore, yaml: &str) -> Ended {
    let setup = Setup::bare().file("config.yaml", yaml);
    let setup =
        setup.arguments(["print-config", "--mode", "unredacted", "--config", "config.yaml"]);
    store.environment_of(setup).run()
}

/// The same for a configuration that is sound.
fn printed(store: &ParameterStore, yaml: &str) -> String {
    let ended = print_open(store, yaml);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stdout
}

/// What is said of a configuration that is not.
fn refused(store: &ParameterStore, yaml: &str) -> String {
    let ended = print_open(store, yaml);
    assert_eq!(ended.code, Some(2), "{}\n{}", ended.stdout, ended.stderr);
    assert!(!ended.stderr.contains("not-to-be-seen"), "{}", ended.stderr);
    ended.stderr
}

/// A gateway to this intake, its key a reference.
fn to_datadog(settings: tests::datadog::Settings, key: &str) -> Gateway {
    let settings = settings.key(&format!("\"{key}\"")).traces("compute_stats: never");
    Gateway::new().exporter("datadog", &settings.to_string())
}
