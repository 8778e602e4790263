//! The `awsxray` exporter. The X-Ray it sends to takes nothing that the real one could refuse, so that no case may be a difference for the worse.

use serde_json::{Value, json};
use tests::gateway::Gateway;
use tests::parity::{Comparison, awsxray};
use tests::send;
use tests::xray::{self, XRayBackend};

use super::{Case, assert_parity};

/// In JSON what is there is there.
const JSON: Comparison = Comparison { defaults_are_absent: false };

#[test]
fn x_ray_gets_what_the_reference_collector_sends() {
    assert_parity("exporters/awsxray", |case| JSON.differences(&sent(case), &case.reference));
}

/// The documents that a case's requests become, or that they are not taken at all.
fn sent(case: &Case) -> Value {
    let backend = XRayBackend::start();
    // Requests are sent one after the other, as ids are numbered in the order of the documents.
    let settings = format!(
        "{{ endpoint: \"{}\", {}, num_workers: 1, sending_queue: {{ num_consumers: 1 }} }}",
        backend.endpoint(),
        xray::REGION
    );
    let gateway = Gateway::new().exporter("awsxray", &settings);
    let mut setup = gateway.setup();
    if let Some(settings) = case.settings("config.yaml") {
        let indented: String = settings.lines().map(|line| format!("    {line}\n")).collect();
        setup = setup.file("of-the-case.yaml", format!("exporters:\n  awsxray:\n{indented}"));
        setup = setup.arguments(["--config", "of-the-case.yaml"]);
    }
    let agent = setup.start();
    let mut taken = true;
    for request in &case.requests {
        let kind = [("content-type", "application/json")];
        let reply = send::http(gateway.http, case.path(), &kind, request.to_string());
        assert!([200, 400].contains(&reply.status), "{}: {:?}", case.name, reply.body);
        taken &= reply.status == 200;
    }
    let ended = agent.stop();
    assert_eq!(ended.code, Some(0), "{}: {}", case.name, ended.stderr);
    if !taken {
        return json!({ "unreadable": true });
    }
    awsxray::documents(&backend, &case.requests)
}
