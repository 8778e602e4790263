//! SIGHUP: a good config takes the place of the old one while data flows, a bad one changes nothing.

use tests::agent::Setup;
use tests::gateway::Gateway;
use tests::metrics;
use tests::otlp::OtlpBackend;
use tests::raw::Connection;
use tests::{send, spans};

fn to(gateway: &Gateway, backend: &OtlpBackend) -> String {
    let exporter = format!("{{ endpoint: \"http://127.0.0.1:{}\" }}", backend.port());
    gateway.clone().exporter("otlphttp", &exporter).yaml()
}

#[test]
fn a_good_config_moves_the_data_and_keeps_the_connections() {
    let (old, new) = (OtlpBackend::start(), OtlpBackend::start());
    let gateway = Gateway::new();
    let agent = Setup::config(&to(&gateway, &old))
        .listening_on([gateway.grpc, gateway.http, gateway.metrics])
        .start();
    let first = spans::request(2);
    assert_eq!(send::traces_grpc(gateway.grpc, &first).code, 0);
    old.wait_for_spans(&spans::ids(&first));
    let mut open = Connection::open(gateway.http);
    agent.replace_file("config.yaml", &to(&gateway, &new));
    agent.reload();
    metrics::wait_for(gateway.metrics, "hikyaku_config_reloads", &[("outcome", "success")], 1.0);
    let second = spans::request(3);
    assert_eq!(send::traces_grpc(gateway.grpc, &second).code, 0);
    new.wait_for_spans(&spans::ids(&second));
    // A connection from before serves on.
    assert!(open.write(b"GET /v1/traces HTTP/1.1\r\nhost: h\r\n\r\n"));
    assert!(open.read_status_line().starts_with("HTTP/1.1 405"));
    old.assert_delivered_once(&spans::ids(&first));
    new.assert_delivered_once(&spans::ids(&second));
    assert_eq!(agent.stop().code, Some(0));
}

#[test]
fn nothing_is_refused_or_lost_while_configs_change() {
    let backends = [OtlpBackend::start(), OtlpBackend::start()];
    let gateway = Gateway::new().processor("batch", "{ timeout: 20ms }");
    let agent = Setup::config(&to(&gateway, &backends[0]))
        .listening_on([gateway.grpc, gateway.http, gateway.metrics])
        .start();
    let mut ids = Vec::new();
    for round in 1..=6_usize {
        agent.replace_file("config.yaml", &to(&gateway, &backends[round % 2]));
        agent.reload();
        for _ in 0..10 {
            let request = spans::request(2);
            assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
            assert_eq!(send::traces_http(gateway.http, &spans::request(0)).status, 200);
            ids.extend(spans::ids(&request));
        }
        let outcome = [("outcome", "success")];
        metrics::wait_for(gateway.metrics, "hikyaku_config_reloads", &outcome, round as f64);
    }
    assert_eq!(agent.stop().code, Some(0));
    let [even, odd] = backends.each_ref().map(|backend| backend.delivered());
    assert!(even.values().chain(odd.values()).all(|times| *times == 1));
    assert_eq!(even.len() + odd.len(), ids.len());
    assert!(ids.iter().all(|id| even.contains_key(id) || odd.contains_key(id)));
}

#[test]
fn a_bad_config_changes_nothing_and_is_reported() {
    let backend = OtlpBackend::start();
    let gateway = Gateway::new().health_check();
    let good = to(&gateway, &backend);
    let mut agent = Setup::config(&good)
        .listening_on([gateway.grpc, gateway.http, gateway.metrics])
        .listening_on(gateway.health)
        .start();
    let wrong = [
        good.replace("exporters: [otlphttp]", "exporters: [otlphtp]"),
        "receivers:\n\totlp:\n".to_owned(),
        String::new(),
    ];
    for (round, yaml) in wrong.iter().enumerate() {
        agent.replace_file("config.yaml", yaml);
        agent.reload();
        let failures = round as f64 + 1.0;
        let outcome = [("outcome", "failure")];
        metrics::wait_for(gateway.metrics, "hikyaku_config_reloads", &outcome, failures);
        let page = metrics::Metrics::read(gateway.metrics);
        assert_eq!(page.sum("hikyaku_config_last_reload_successful", &[]), 0.0);
        let request = spans::request(1);
        assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
        backend.wait_for_spans(&spans::ids(&request));
    }
    agent.process().wait_for_output("otlphtp");
    let health = send::get(gateway.health.unwrap(), "/");
    assert_eq!(health.status, 200);
    let body = String::from_utf8_lossy(&health.body).into_owned();
    assert!(body.contains("reload"), "the health page says that the reload failed: {body}");
    agent.replace_file("config.yaml", &good);
    agent.reload();
    let outcome = [("outcome", "success")];
    metrics::wait_for(gateway.metrics, "hikyaku_config_reloads", &outcome, 1.0);
    let page = metrics::Metrics::read(gateway.metrics);
    assert_eq!(page.sum("hikyaku_config_last_reload_successful", &[]), 1.0);
    assert_eq!(agent.stop().code, Some(0));
}

#[test]
fn a_config_whose_port_is_taken_changes_nothing() {
    let taken = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    let backend = OtlpBackend::start();
    let gateway = Gateway::new();
    let good = to(&gateway, &backend);
    let agent =
        Setup::config(&good).listening_on([gateway.grpc, gateway.http, gateway.metrics]).start();
    let port = taken.local_addr().unwrap().port();
    let http = format!("127.0.0.1:{}", gateway.http);
    agent.replace_file("config.yaml", &good.replace(&http, &format!("127.0.0.1:{port}")));
    agent.reload();
    let outcome = [("outcome", "failure")];
    metrics::wait_for(gateway.metrics, "hikyaku_config_reloads", &outcome, 1.0);
    let request = spans::request(1);
    assert_eq!(send::traces_http(gateway.http, &request).status, 200);
    backend.wait_for_spans(&spans::ids(&request));
    assert_eq!(agent.stop().code, Some(0));
}
