//! Nobody sees a value: one for each provider, wrong in every place where a value can be, and nowhere to be found.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tests::moto::Moto;
use tests::{send, spans};

use super::*;

/// Has characters that URLs escape and JSON does not take as they are.
const SECRETS: [&str; 4] =
    ["canary/ssm+\"x\" 1", "canary/list+\"x\" 2", "canary/sm+\"x\" 3", "canary/s3+\"x\" 4"];

/// Fails when a text has a secret in it, plain or as it is written elsewhere.
fn assert_none_in(text: &str, what: &str) {
    for secret in SECRETS {
        let percent: String = secret
            .bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect();
        let form = percent.replace("%20", "+");
        let json = secret.replace('"', "\\\"");
        let written = [secret.to_owned(), percent, form, json, STANDARD.encode(secret)];
        for written in written.iter().chain([&"canary".to_owned()]) {
            let lower = text.to_lowercase();
            assert!(!lower.contains(&written.to_lowercase()), "{what} shows {written:?}:\n{text}");
        }
    }
}

/// Puts the values into moto, and gives the references to them.
fn kept(moto: &Moto) -> [&'static str; 4] {
    let [ssm, list, secret, object] = SECRETS;
    moto.keep(&[
        (
            "ssm",
            "put_parameter",
            json!({"Name": "/secrecy/key", "Type": "SecureString", "Value": ssm}),
        ),
        (
            "ssm",
            "put_parameter",
            json!({"Name": "/secrecy/list", "Type": "StringList", "Value": list}),
        ),
        (
            "secretsmanager",
            "create_secret",
            json!({"Name": "secrecy/key", "SecretString": json!({"k": secret}).to_string()}),
        ),
        ("s3", "create_bucket", json!({"Bucket": "secrecy"})),
        ("s3", "put_object", json!({"Bucket": "secrecy", "Key": "key", "Body": object})),
    ]);
    [
        "${ssm:/secrecy/key}",
        "${ssm:/secrecy/list}",
        "${secretsmanager:secrecy/key#k}",
        "${s3://secrecy/key}",
    ]
}

fn with_moto(setup: Setup, moto: &Moto) -> Setup {
    setup
        .variable("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{}", moto.port()))
        .variable("AWS_REGION", "us-east-1")
        .variable("AWS_ACCESS_KEY_ID", &moto.reader.id)
        .variable("AWS_SECRET_ACCESS_KEY", &moto.reader.secret)
        .variable("HOME", "/nonexistent")
}

#[test]
fn no_value_is_in_a_log_an_error_a_metric_or_a_print() {
    let moto = Moto::shared();
    let references = kept(&moto);
    let mut places = 0;
    for reference in references {
        // Of the wrong type, behind an unknown key, as a name of something that is not there, in the middle of a text, as a reference.
        for yaml in [
            format!("exporters: {{ debug: {{ verbosity: \"{reference}\" }} }}"),
            format!(
                "exporters: {{ otlphttp: {{ timeout: \"{reference}\", endpoint: \"{reference}\" }} }}"
            ),
            format!(
                "exporters: {{ otlphttp: {{ nope: \"{reference}\", sending_queue: \"{reference}\" }} }}"
            ),
            format!(
                "exporters: {{ otlphttp: {{ endpoint: \"http://{reference}\", tls: {{ ca_file: \"{reference}\" }}, compression: \"x {reference}\" }} }}"
            ),
            format!(
                "service: {{ pipelines: {{ traces: {{ receivers: [\"{reference}\"], exporters: \"{reference}\" }} }} }}"
            ),
            format!(
                "exporters: {{ otlphttp: {{ endpoint: \"${{file:/none/{reference}}}\", headers: {{ a: \"${{ssm:{reference}}}\", b: \"${{secretsmanager:{reference}}}\", c: \"${{s3:{reference}}}\" }} }} }}"
            ),
            format!(
                "exporters: {{ datadog: {{ api: {{ key: \"{reference}\", site: \"{reference}\" }}, hostname: \"{reference}\", traces: {{ span_name_remappings: \"{reference}\" }} }} }}"
            ),
            format!(
                "processors: {{ attributes: {{ actions: [ {{ key: a, action: \"{reference}\", pattern: \"({reference}\" }} ] }} }}"
            ),
            format!(
                "receivers: {{ otlp: {{ protocols: {{ http: {{ endpoint: \"{reference}\" }} }} }} }}"
            ),
        ] {
            for command in [
                &["validate"][..],
                &["print-config"],
                &["print-config", "--format", "json", "--validate=false"],
            ] {
                let setup = Setup::bare().file("config.yaml", &yaml);
                let arguments = command.iter().copied().chain(["--config", "config.yaml"]);
                let ended = with_moto(setup.arguments(arguments), &moto).run();
                assert_none_in(&ended.stderr, &format!("{command:?} of {yaml}: its errors"));
                assert_none_in(&ended.stdout, &format!("{command:?} of {yaml}: what it prints"));
                places += usize::from(
                    ended.stderr.contains("error") || ended.stdout.contains("[REDACTED]"),
                );
            }
        }
    }
    assert!(places > 90, "in {places} places a value was read, and told or masked");
}

#[test]
fn no_value_is_in_what_a_running_agent_says() {
    let moto = Moto::shared();
    let [ssm, list, secret, object] = kept(&moto);
    // A backend that is not there, so that every attempt is told.
    let headers =
        format!("headers: {{ a: \"{ssm}\", b: \"{list}\", c: \"{secret}\", d: \"{object}\" }}");
    let settings =
        format!("{{ endpoint: \"http://127.0.0.1:{}\", {headers} }}", tests::ports::free());
    let gateway = Gateway::new().exporter("otlphttp", &settings);
    let yaml = gateway.yaml().replace("encoding: json", "encoding: json, level: debug");
    let ports = [gateway.grpc, gateway.http, gateway.metrics];
    let agent = with_moto(Setup::config(&yaml).listening_on(ports), &moto).start();
    assert_eq!(send::traces_grpc(gateway.grpc, &spans::request(3)).code, 0);
    tests::wait::until("a failed attempt in the log", || {
        agent.log().contains("refused").then_some(())
    });
    let page = send::get(gateway.metrics, "/metrics");
    assert_none_in(&String::from_utf8_lossy(&page.body), "the page of metrics");
    agent.reload();
    tests::metrics::wait_for(
        gateway.metrics,
        "hikyaku_config_reloads",
        &[("outcome", "success")],
        1.0,
    );
    let ended = agent.stop();
    assert_none_in(&ended.stderr, "the log");
    assert_none_in(&ended.stdout, "the output");
}

#[test]
fn a_secret_in_the_name_of_a_backend_is_not_in_the_log_either() {
    let store = ParameterStore::start();
    let (old, new) = ("canary-old.invalid", "canary-new.invalid");
    store.put("/host", "String", old);
    let gateway =
        Gateway::new().exporter("otlphttp", "{ endpoint: \"http://${ssm:/host}:4318/x\" }");
    let mut agent = store.environment_of(gateway.setup()).start();
    for host in [old, new] {
        if host == new {
            store.put("/host", "String", new);
            agent.reload();
            let success = [("outcome", "success")];
            tests::metrics::wait_for(gateway.metrics, "hikyaku_config_reloads", &success, 1.0);
        }
        assert_eq!(send::traces_grpc(gateway.grpc, &spans::request(1)).code, 0);
        agent.process().wait_for_output("[REDACTED]");
    }
    let log = agent.stop().stderr;
    assert!(log.contains("[REDACTED]:4318") && !log.contains("canary"), "{log}");
}

#[test]
fn a_process_that_reads_a_secret_leaves_no_core() {
    let store = ParameterStore::start();
    store.put("/a", "SecureString", "x");
    // While it waits for the secret, whatever it was started for.
    store.answer_together(2);
    for command in [&["validate", "--config", "config.yaml"][..], &["--config", "config.yaml"]] {
        let setup =
            Setup::bare().file("config.yaml", with_headers("a: ${ssm:/a}\n")).arguments(command);
        let before = store.calls().len();
        let mut agent = store.environment_of(setup).start();
        store.wait_for_calls(before + 1);
        let limits =
            std::fs::read_to_string(format!("/proc/{}/limits", agent.process().id())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    }
}
