//! What happens between exec and the first call of `next`.

use serde_json::Value;
use tests::lambda::{Mode, Setup};
use tests::netns::{self, Has};
use tests::parameters::ParameterStore;
use tests::{send, spans};

use super::bed::Bed;

const REGISTER: &str = "POST /2020-01-01/extension/register";
const SUBSCRIBE: &str = "PUT /2022-07-01/telemetry";

#[test]
fn it_registers_then_subscribes_once_then_waits() {
    let bed = Bed::new();
    let mut sandbox = bed.start(Mode::OnDemand);
    sandbox.set_freezing(false);
    sandbox.invoke(|_| {});
    let calls = sandbox.calls();
    let order: Vec<(&str, u16)> = calls.iter().map(|c| (c.what.as_str(), c.status)).collect();
    let next = ("GET /2020-01-01/extension/event/next", 200);
    assert_eq!(order, [(REGISTER, 200), (SUBSCRIBE, 200), next]);
    let registered: Value = serde_json::from_str(&calls[0].body).unwrap();
    assert_eq!(registered["events"], serde_json::json!(["INVOKE", "SHUTDOWN"]));
    let subscription: Value = serde_json::from_str(&calls[1].body).unwrap();
    assert_eq!(subscription["schemaVersion"], "2025-01-29");
    let uri = subscription["destination"]["URI"].as_str().unwrap();
    assert!(uri.starts_with("http://sandbox.localdomain:"), "{uri}");
    assert!(subscription["buffering"]["timeoutMs"].as_u64().unwrap() <= 100, "{subscription}");
}

#[test]
fn a_function_that_sends_while_it_initialises_is_heard() {
    let bed = Bed::new();
    let mut ids = Vec::new();
    let mut sandbox = bed.setup(Mode::OnDemand).start_with(|| ids = bed.send(3));
    sandbox.invoke(|_| {});
    sandbox.shutdown();
    bed.backend.assert_delivered_once(&ids);
}

#[test]
fn both_protocols_listen_before_the_extension_registers() {
    let bed = Bed::new();
    let mut sandbox = bed.setup(Mode::OnDemand).prepare();
    sandbox.launch();
    sandbox.wait_for_registration();
    // Registered is when the platform starts the runtime: whatever listens later may come too late.
    let request = spans::request(1);
    assert_eq!(send::traces_grpc(bed.grpc, &request).code, 0);
    bed.send(1);
}

#[test]
fn nothing_is_sent_before_it_has_registered() {
    let bed = Bed::new();
    let mut sandbox = bed.setup(Mode::OnDemand).prepare();
    sandbox.launch();
    sandbox.wait_for_registration();
    assert_eq!(bed.road.opened(), 0);
}

#[test]
fn the_older_variable_names_the_config_and_is_warned_about() {
    let bed = Bed::new();
    let setup = Setup::new(Mode::OnDemand).file("older.yaml", &bed.yaml());
    let path = setup.path("older.yaml");
    let mut sandbox = setup.variable("OPENTELEMETRY_COLLECTOR_CONFIG_FILE", &path).start();
    let ids = sandbox.invoke(|_| bed.send(2));
    let gone = sandbox.shutdown();
    bed.backend.assert_delivered_once(&ids);
    let warning =
        gone.log.lines().find(|line| line.contains("OPENTELEMETRY_COLLECTOR_CONFIG_FILE"));
    assert!(
        warning.is_some_and(|line| line.contains("OPENTELEMETRY_COLLECTOR_CONFIG_URI")),
        "{}",
        gone.log
    );
}

#[test]
fn a_key_can_be_a_parameter_which_is_read_behind_the_registration() {
    let store = ParameterStore::start();
    store.put("/path/to/key", "SecureString", "Bearer canary");
    let bed = Bed::new().exporter("headers: { authorization: \"${ssm:/path/to/key?refresh=1m}\" }");
    let variables = store.variables();
    let setup = bed.setup(Mode::OnDemand);
    let setup = variables.iter().fold(setup, |setup, (name, value)| setup.variable(name, value));
    let mut sandbox = setup.start();
    let ids = sandbox.invoke(|_| bed.send(2));
    let gone = sandbox.shutdown();
    bed.backend.assert_delivered_once(&ids);
    let requests = bed.backend.requests();
    let has_key =
        |(name, value): &(String, String)| name == "authorization" && value == "Bearer canary";
    assert!(requests.iter().all(|entry| entry.request.headers.iter().any(has_key)));
    assert_eq!(store.calls().len(), 1);
    assert!(gone.log.contains("refresh of a reference is not carried out"), "{}", gone.log);
    assert!(!gone.log.contains("canary"), "{}", gone.log);
}

#[test]
fn a_bare_variable_in_the_config_expands() {
    let bed = Bed::new();
    let endpoint = format!("http://127.0.0.1:{}", bed.road.port());
    let yaml = bed.yaml().replace(&endpoint, "${BACKEND}");
    assert!(yaml.contains("${BACKEND}"));
    let setup = Setup::new(Mode::OnDemand).config(&yaml).variable("BACKEND", &endpoint);
    let mut sandbox = setup.start();
    let ids = sandbox.invoke(|_| bed.send(2));
    sandbox.shutdown();
    bed.backend.assert_delivered_once(&ids);
}

#[test]
fn a_config_can_stand_in_the_variable_itself() {
    let bed = Bed::new();
    let setup = Setup::new(Mode::OnDemand);
    let mut sandbox = setup
        .variable("OPENTELEMETRY_COLLECTOR_CONFIG_URI", &format!("yaml:{}", bed.yaml()))
        .start();
    let ids = sandbox.invoke(|_| bed.send(2));
    sandbox.shutdown();
    bed.backend.assert_delivered_once(&ids);
}

/// The ports of the default are the machine's own, so the test has a network of its own.
#[test]
fn without_a_config_traces_go_to_x_ray_and_the_rest_to_the_log() {
    let test = "lambda::start::without_a_config_traces_go_to_x_ray_and_the_rest_to_the_log";
    netns::inside(test, &[Has::Silence("192.0.2.1")], || {
        let mut sandbox = Setup::new(Mode::OnDemand)
            .variable("HIKYAKU_FLUSH_STRATEGY", "end")
            .variable("HIKYAKU_FLUSH_BUDGET", "100ms")
            .start();
        sandbox.invoke(|_| {
            let logs = tests::records::request(1);
            let kind = [("content-type", "application/json")];
            let body = serde_json::to_vec(&logs).unwrap();
            assert_eq!(send::http(4318, "/v1/logs", &kind, body).status, 200);
            assert_eq!(send::traces_grpc(4317, &spans::request(1)).code, 0);
        });
        let gone = sandbox.shutdown();
        assert_eq!(gone.code, Some(0), "{}", gone.log);
        assert!(gone.log.contains("LogRecord") || gone.log.contains("log records"), "{}", gone.log);
        assert!(gone.log.contains("awsxray"), "{}", gone.log);
    });
}

#[test]
fn a_log_level_is_honoured_and_a_wrong_one_named() {
    let bed = Bed::new();
    let log_at = |level: &str| {
        let setup = bed.setup(Mode::OnDemand);
        let mut sandbox = setup.variable("OPENTELEMETRY_EXTENSION_LOG_LEVEL", level).start();
        sandbox.invoke(|_| {});
        sandbox.shutdown().log
    };
    let (quiet, talkative, wrong) = (log_at("error"), log_at("debug"), log_at("shout"));
    assert!(talkative.lines().count() > quiet.lines().count(), "{talkative}");
    assert!(!quiet.to_lowercase().contains("registered"), "{quiet}");
    assert!(wrong.contains("OPENTELEMETRY_EXTENSION_LOG_LEVEL"), "{wrong}");
}
