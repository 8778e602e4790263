//! The `datadog` exporter and connector.

use tests::agent::Setup;
use tests::datadog::KEY;
use tests::gateway::Gateway;
use tests::parity::{Comparison, Keeper, datadog};
use tests::send;

use super::{Case, WIRE, assert_parity};

/// In JSON what is there is there.
const JSON: Comparison = Comparison { defaults_are_absent: false };

#[test]
fn datadog_gets_what_the_reference_collector_sends() {
    assert_parity("exporters/datadog", |case| {
        let intake = sent(case);
        match case.path() {
            "/v1/metrics" => WIRE.differences(&datadog::metrics(&intake), &case.reference),
            "/v1/logs" => {
                JSON.differences(&datadog::logs(&intake), &datadog::flat_logs(&case.reference))
            }
            _ => WIRE.differences(&datadog::traces(&intake), &case.reference),
        }
    });
}

/// Sends a case's requests through an agent with the case's settings, and ends it, so that everything is delivered.
fn sent(case: &Case) -> Keeper {
    let intake = Keeper::start();
    let gateway = gateway(intake.port());
    let agent = with_settings(gateway.setup(), case).start();
    for request in &case.requests {
        let kind = [("content-type", "application/json")];
        let reply = send::http(gateway.http, case.path(), &kind, request.to_string());
        assert_eq!(reply.status, 200, "{}: {:?}", case.name, reply.body);
    }
    let ended = agent.stop();
    assert_eq!(ended.code, Some(0), "{}: {}", case.name, ended.stderr);
    intake
}

fn gateway(port: u16) -> Gateway {
    let endpoint = format!("endpoint: \"http://127.0.0.1:{port}\"");
    // Requests are sent one after the other, as the translation of one may need what was in the one before.
    let exporter = format!(
        "{{ api: {{ key: \"{KEY}\" }}, hostname: parity-host, host_metadata: {{ enabled: false }}, \
         sending_queue: {{ num_consumers: 1 }}, traces: {{ {endpoint} }}, metrics: {{ {endpoint} }}, \
         logs: {{ {endpoint}, batch_wait: 1 }} }}"
    );
    Gateway::new()
        .exporter("datadog", &exporter)
        .connector("datadog/stats", "{}")
        .pipeline("traces", "{ receivers: [otlp], exporters: [datadog, datadog/stats] }")
        .pipeline("metrics", "{ receivers: [otlp, datadog/stats], exporters: [datadog] }")
        .pipeline("logs", "{ receivers: [otlp], exporters: [datadog] }")
}

/// The case's sections, merged into those of every case.
fn with_settings(mut setup: Setup, case: &Case) -> Setup {
    for (file, section) in [
        ("config.yaml", "exporters:\n  datadog:\n"),
        ("connector.yaml", "connectors:\n  datadog/stats:\n"),
    ] {
        let Some(settings) = case.settings(file) else { continue };
        let indented: String = settings.lines().map(|line| format!("    {line}\n")).collect();
        let name = format!("of-the-case-{file}");
        setup = setup.file(&name, format!("{section}{indented}"));
        setup = setup.arguments(["--config", name.as_str()]);
    }
    setup
}
