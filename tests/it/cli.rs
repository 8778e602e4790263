//! The command line: what it prints, and with which exit code it ends.

use tests::agent::Setup;
use tests::gateway::Gateway;
use tests::process::Ended;
use tests::{ports, send, wait};

fn run(arguments: &[&str]) -> Ended {
    Setup::bare().arguments(arguments).run()
}

fn with_config(command: &str, yaml: &str) -> Ended {
    Setup::bare().file("c.yaml", yaml).arguments([command, "--config", "c.yaml"]).run()
}

#[test]
fn help_and_version_are_for_newcomers() {
    let help = run(&["--help"]);
    assert_eq!(help.code, Some(0));
    for word in
        ["--config", "--set", "validate", "components", "print-config", "healthcheck", "4317"]
    {
        assert!(help.stdout.contains(word), "{word} is missing in:\n{}", help.stdout);
    }
    let version = run(&["--version"]);
    assert_eq!((version.code, version.stdout.starts_with("hikyaku ")), (Some(0), true));
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    for arguments in
        [&["--confg", "x"][..], &["run"], &["--config"], &["print-config", "--mode", "x"]]
    {
        let ended = run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(!ended.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn validate_is_silent_about_a_good_config_and_lists_all_errors_of_a_bad_one() {
    let yaml = Gateway::new().exporter("nop", "{}").yaml();
    let good = with_config("validate", &yaml);
    assert_eq!((good.code, good.stdout.as_str(), good.stderr.as_str()), (Some(0), "", ""));
    let bad = yaml.replace("nop: {}", "nop: { a: 1 }\n  zipkin: {}\n  otlp: {}");
    let bad = with_config("validate", &bad);
    assert_eq!(bad.code, Some(2), "{}", bad.stderr);
    for word in ["zipkin", "otlp", "endpoint", "c.yaml:"] {
        assert!(bad.stderr.contains(word), "{word} is missing in:\n{}", bad.stderr);
    }
}

#[test]
fn components_lists_what_can_be_configured() {
    let ended = run(&["components"]);
    assert_eq!(ended.code, Some(0));
    let expected = [
        ("receivers", &["otlp", "zipkin", "nop"][..]),
        ("processors", &["batch", "memory_limiter", "attributes", "resource"]),
        ("exporters", &["debug", "zipkin", "nop"]),
        ("extensions", &["health_check"]),
    ];
    for (kind, types) in expected {
        let section = ended.stdout.split(&format!("{kind}:")).nth(1);
        let section = section.unwrap_or_else(|| panic!("no {kind} in:\n{}", ended.stdout));
        for component in types {
            assert!(section.contains(&format!("name: {component}")), "{kind}: {component}");
        }
    }
}

#[test]
fn print_config_masks_secrets_unless_told_otherwise() {
    let headers = "{ endpoint: \"http://h\", headers: { authorization: \"hidden-word\" } }";
    let yaml = Gateway::new().exporter("otlphttp", headers).yaml();
    let print = |more: &[&str]| {
        let setup = Setup::bare().file("c.yaml", &yaml).variable("SIZE", "77");
        let arguments = [
            "print-config",
            "--config",
            "c.yaml",
            "--set",
            "processors.batch.send_batch_size=${env:SIZE}",
        ];
        setup.arguments(arguments).arguments(more).run()
    };
    let masked = print(&[]);
    assert_eq!(masked.code, Some(0), "{}", masked.stderr);
    assert!(!masked.stdout.contains("hidden-word"), "{}", masked.stdout);
    assert!(masked.stdout.contains("send_batch_size: 77"), "{}", masked.stdout);
    let json = print(&["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["processors"]["batch"]["send_batch_size"], 77);
    assert_ne!(json["exporters"]["otlphttp"]["headers"]["authorization"], "hidden-word");
    let open = print(&["--mode", "unredacted"]);
    assert!(open.stdout.contains("hidden-word"), "{}", open.stdout);
}

#[test]
fn errors_show_no_secret() {
    let headers =
        "{ endpoint: \"http://h\", headers: { authorization: \"hidden-word\" }, tiemout: 1s }";
    let ended = with_config("validate", &Gateway::new().exporter("otlphttp", headers).yaml());
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("tiemout"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("hidden-word"), "{}", ended.stderr);
}

#[test]
fn several_configs_merge_and_later_ones_win() {
    let gateway = Gateway::new().exporter("nop", "{}");
    let ended = Setup::bare()
        .file("c.yaml", gateway.yaml())
        .variable("MORE", "processors: { batch: { timeout: 3s } }")
        .arguments(["print-config", "--config", "c.yaml", "--config", "env:MORE"])
        .arguments(["--config", "yaml:processors::batch::timeout: 4s"])
        .run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("timeout: 4s"), "{}", ended.stdout);
}

#[test]
fn healthcheck_says_whether_the_agent_of_a_config_is_ready() {
    for gateway in [Gateway::new().health_check(), Gateway::new()] {
        let gateway = gateway.exporter("nop", "{}");
        let yaml = gateway.yaml();
        let before = with_config("healthcheck", &yaml);
        assert_eq!(before.code, Some(1), "{}", before.stderr);
        assert!(!before.stderr.is_empty());
        let agent = gateway.start();
        let ready = with_config("healthcheck", &yaml);
        assert_eq!(ready.code, Some(0), "{}", ready.stderr);
        agent.stop();
        assert_eq!(with_config("healthcheck", &yaml).code, Some(1));
    }
    assert_eq!(with_config("healthcheck", "receivers: {}").code, Some(2));
}

#[test]
fn healthcheck_asks_the_page_where_the_extension_has_it() {
    let port = ports::free();
    let page = format!(
        "{{ use_v2: true, http: {{ endpoint: \"127.0.0.1:{port}\", status: {{ path: /live }} }} }}"
    );
    let gateway = Gateway::new().exporter("nop", "{}").extension("healthcheckv2", &page);
    let agent = gateway.start();
    let ready = with_config("healthcheck", &gateway.yaml());
    assert_eq!(ready.code, Some(0), "{}", ready.stderr);
    assert!(ready.stdout.contains("answered HTTP/1.1 200"), "{}", ready.stdout);
    for (endpoint, code) in [
        (format!("http://127.0.0.1:{port}/live"), 0),
        (format!("127.0.0.1:{port}/live"), 0),
        (format!("127.0.0.1:{port}"), 1),
    ] {
        let ended = run(&["healthcheck", "--endpoint", &endpoint]);
        assert_eq!(ended.code, Some(code), "{endpoint}: {}", ended.stderr);
    }
    agent.stop();
}

#[test]
fn authenticator_that_is_not_there_is_found_before_anything_starts() {
    let settings = "{ endpoint: \"http://127.0.0.1:1\", auth: { authenticator: oidc } }";
    let yaml = Gateway::new().exporter("otlphttp", settings).yaml();
    for ended in [with_config("validate", &yaml), Setup::config(&yaml).run()] {
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        for word in
            ["exporters::otlphttp::auth::authenticator", ".yaml:", "no extension here has the type"]
        {
            assert!(ended.stderr.contains(word), "{word} is missing in:\n{}", ended.stderr);
        }
    }
}

#[test]
fn tls_material_that_cannot_be_used_is_found_before_anything_starts() {
    let tls = "endpoint: \"http://127.0.0.1:1\", tls: { ca_file: /no/such }";
    for (exporter, settings) in [
        ("otlp", tls.to_owned()),
        ("otlphttp", tls.to_owned()),
        ("zipkin", tls.to_owned()),
        (
            "datadog",
            "api: { key: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa }, tls: { ca_file: /no/such }".to_owned(),
        ),
    ] {
        let yaml = Gateway::new().exporter(exporter, &format!("{{ {settings} }}")).yaml();
        for ended in [with_config("validate", &yaml), Setup::config(&yaml).run()] {
            assert_eq!(ended.code, Some(2), "{}", ended.stderr);
            // In a log of JSON, quotes are escaped.
            let told = ended.stderr.replace("\\\"", "\"");
            for word in [&format!("\"{exporter}\" exporter"), "ca_file /no/such"] {
                assert!(told.contains(word), "{word} is missing in:\n{told}");
            }
        }
    }
    let inline = "{ endpoint: \"http://127.0.0.1:1\", tls: { ca_pem: hidden-word } }";
    let ended = with_config("validate", &Gateway::new().exporter("otlphttp", inline).yaml());
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("ca_pem"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("hidden-word"), "{}", ended.stderr);
}

#[test]
fn validate_warns_of_what_starts_in_lambda_only() {
    let yaml = "receivers: { telemetryapi: }\nexporters: { nop: }\nservice: { pipelines: { logs: { receivers: [telemetryapi], exporters: [nop] } } }";
    let ended = with_config("validate", yaml);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let expected = "receivers::telemetryapi: starts in the Lambda extension only";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    assert!(ended.stderr.contains("c.yaml:1:"), "{}", ended.stderr);
}

#[test]
fn the_health_page_follows_the_agent() {
    let gateway = Gateway::new().health_check().exporter("nop", "{}");
    let agent = gateway.start();
    let port = gateway.health.unwrap();
    assert_eq!(send::get(port, "/").status, 200);
    agent.terminate();
    wait::until("the health page to go", || (!ports::is_taken(port)).then_some(()));
    assert_eq!(agent.wait().code, Some(0));
}

#[test]
fn both_stop_signals_end_the_agent_cleanly() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::INT] {
        let gateway = Gateway::new().exporter("nop", "{}");
        let mut agent = gateway.start();
        agent.process().signal(signal);
        let ended = agent.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
}
