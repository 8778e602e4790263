//! What talks to AWS: signatures and roles against moto and botocore, metadata at its real addresses in networks of their own.

use tests::agent::Setup;
use tests::gateway::Gateway;
use tests::moto::Keys;
use tests::{spans, wait};

mod detection;
mod metadata;
mod sigv4auth;

/// A secret and a token that nothing may show.
const SECRET: &str = "not-to-be-seen/secret";
const TOKEN: &str = "not-to-be-seen/token";

/// With these keys in the environment.
fn with_keys(setup: Setup, keys: &Keys) -> Setup {
    setup
        .variable("AWS_ACCESS_KEY_ID", &keys.id)
        .variable("AWS_SECRET_ACCESS_KEY", &keys.secret)
        .variable("HOME", "/nonexistent")
}

/// A gateway whose traces go, signed, to this port.
fn signing(port: u16, extension: &str, exporter: &str) -> Gateway {
    let settings = format!(
        "{{ traces_endpoint: \"http://127.0.0.1:{port}/v1/traces\", auth: {{ authenticator: sigv4auth }}, {exporter} }}"
    );
    Gateway::new().extension("sigv4auth", extension).exporter("otlphttp", &settings)
}

/// Sends a trace of three spans.
fn send_trace(gateway: &Gateway) {
    let reply = tests::send::traces_http(gateway.http, &spans::request(3));
    assert_eq!(reply.status, 200);
}

/// The message of the log line that says why data was dropped.
fn dropped_because(agent: &tests::agent::Agent) -> String {
    let log = wait::until("a line about dropped data", || {
        let log = agent.log();
        log.contains("Dropping data").then_some(log)
    });
    let line = log.lines().find(|line| line.contains("Dropping data")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    line["error"].as_str().unwrap().to_owned()
}
