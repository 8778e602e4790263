//! moto's X-Ray, with a look at signatures and permissions.

use serde_json::json;
use tests::metrics;
use tests::moto::{Keys, Moto, xray_trace};

use super::*;

fn to_moto(moto: &Moto) -> Gateway {
    let settings = format!(
        "{{ endpoint: \"http://127.0.0.1:{}\", region: us-east-1, retry_on_failure: {{ enabled: false }} }}",
        moto.port()
    );
    Gateway::new().exporter(EXPORTER, &settings)
}

fn start(gateway: &Gateway, keys: &Keys) -> Agent {
    let setup = gateway.setup().variable("AWS_ACCESS_KEY_ID", &keys.id);
    setup.variable("AWS_SECRET_ACCESS_KEY", &keys.secret).variable("HOME", "/nonexistent").start()
}

#[test]
fn what_is_sent_to_moto_can_be_read_back_from_it() {
    let moto = Moto::shared();
    let gateway = to_moto(&moto);
    let agent = start(&gateway, &moto.tracer);
    let own = json!({"kind": 2, "attributes": attributes(&[("http.request.method", "GET"), ("q", "\"\\\n")])});
    let request = one_span("00000000000000b0", &attributes(&[("service.name", "shop")]), &own);
    let kind = [("content-type", "application/json")];
    assert_eq!(send::http(gateway.http, "/v1/traces", &kind, request.to_string()).status, 200);
    metrics::wait_for(gateway.metrics, "otelcol_exporter_delivered_items", &[], 1.0);
    let documents = xray_trace(moto.port(), &moto.tracer, "1-6554ab10-a1b2c3d4e5f60718293a4b5c");
    let document = documents.iter().find(|document| document["id"] == "00000000000000b0").unwrap();
    assert_eq!(document["name"], "shop");
    assert_eq!(document["http"]["request"]["method"], "GET");
    assert_eq!(document["metadata"]["default"]["q"], "\"\\\n");
    assert_eq!(agent.stop().code, Some(0));
}

#[test]
fn a_wrong_secret_and_a_missing_permission_are_one_clear_error() {
    let moto = Moto::shared();
    let wrong = Keys { secret: "not-to-be-seen".to_owned(), ..moto.tracer.clone() };
    for (keys, words) in [
        (&wrong, ["answered 403", "SignatureDoesNotMatch", "check the secret access key"]),
        (&moto.assumer, ["answered 403", "AccessDenied", "allow xray:PutTraceSegments"]),
    ] {
        let gateway = to_moto(&moto);
        let agent = start(&gateway, keys);
        assert_eq!(send::traces_grpc(gateway.grpc, &spans::request(3)).code, 0);
        let line = tests::wait::until("a line about dropped data", || {
            let log = agent.log();
            log.lines().find(|line| line.contains("answered 403")).map(str::to_owned)
        });
        for word in words {
            assert!(line.contains(word), "{word}: {line}");
        }
        let log = agent.stop().stderr;
        assert_eq!(log.matches("answered 403").count(), 1, "{log}");
        assert!(!log.contains("not-to-be-seen"), "{log}");
    }
}
