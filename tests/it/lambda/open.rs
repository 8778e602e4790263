//! Failing open: whatever is wrong with the extension, the function runs, and one line says what to do.

use tests::lambda::{Mode, Sandbox, Setup};
use tests::metrics::Metrics;
use tests::raw::Connection;
use tests::scripted::{Said, Scripted};
use tests::{ports, spans};

use super::bed::Bed;

/// Three invocations and an orderly end, without telemetry. Returns the log.
fn lives_on(mut sandbox: Sandbox) -> String {
    for _ in 0..3 {
        sandbox.invoke(|_| {});
    }
    let gone = sandbox.shutdown();
    assert_eq!((gone.code, gone.killed), (Some(0), false), "{}", gone.log);
    let reported = |what: &str| gone.log.contains(what);
    assert!(!reported("panicked at"), "{}", gone.log);
    gone.log
}

/// The one line that says that telemetry is off.
fn off_line(log: &str) -> &str {
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("Telemetry is off")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    lines[0]
}

#[test]
fn a_config_with_an_unknown_key_is_named_with_its_place() {
    let yaml = Bed::new().yaml().replace("compression:", "compresion:");
    let log = lives_on(Setup::new(Mode::OnDemand).config(&yaml).start());
    let line = off_line(&log);
    for word in ["compresion", "compression"] {
        assert!(line.contains(word), "{word}: {line}");
    }
}

#[test]
fn a_config_that_is_no_yaml_or_not_there_is_named() {
    let log = lives_on(Setup::new(Mode::OnDemand).config("receivers: [").start());
    assert!(off_line(&log).contains("config.yaml"), "{log}");
    let setup = Setup::new(Mode::OnDemand);
    let missing = setup.path("nowhere.yaml");
    let setup = setup.variable("OPENTELEMETRY_COLLECTOR_CONFIG_URI", &missing);
    let log = lives_on(setup.start());
    assert!(off_line(&log).contains("nowhere.yaml"), "{log}");
}

#[test]
fn an_unset_variable_in_the_config_is_named() {
    let yaml = Bed::new().yaml().replace("compression: none", "compression: \"${nosuch:thing}\"");
    let log = lives_on(Setup::new(Mode::OnDemand).config(&yaml).start());
    assert!(off_line(&log).contains("nosuch"), "{log}");
}

#[test]
fn a_secret_that_is_not_there_is_named() {
    let setup = Setup::new(Mode::OnDemand);
    let secret = setup.path("api-key");
    let header = format!("headers: {{ api-key: \"${{file:{secret}}}\" }}");
    let yaml = Bed::new().exporter(&header).yaml();
    let log = lives_on(setup.config(&yaml).start());
    assert!(off_line(&log).contains("api-key"), "{log}");
}

#[test]
fn a_variable_that_is_not_set_is_named_beside_what_it_leaves_empty() {
    let yaml = Bed::new()
        .yaml()
        .replace("otlphttp: {", "datadog: { api: { key: \"${ORDERS_KEY}\" } }\n  otlphttp: {");
    let log = lives_on(Setup::new(Mode::OnDemand).config(&yaml).start());
    assert!(off_line(&log).contains("api::key"), "{log}");
    assert!(log.contains("unset environment variable \\\"ORDERS_KEY\\\""), "{log}");
}

#[test]
fn an_empty_variable_for_the_config_is_named() {
    let uri = "OPENTELEMETRY_COLLECTOR_CONFIG_URI";
    let log = lives_on(Setup::new(Mode::OnDemand).variable(uri, "env:ORDERS_CONFIG").start());
    assert!(off_line(&log).contains("ORDERS_CONFIG"), "{log}");
    assert!(log.contains("unset environment variable"), "{log}");
}

#[test]
fn a_port_in_use_is_named() {
    let bed = Bed::new();
    let taken = std::net::TcpListener::bind(("127.0.0.1", bed.http)).unwrap();
    let log = lives_on(bed.start(Mode::OnDemand));
    assert!(off_line(&log).contains(&bed.http.to_string()), "{log}");
    drop(taken);
}

#[test]
fn a_config_that_cannot_be_fetched_is_named() {
    let nobody = ports::free();
    let uri = format!("http://127.0.0.1:{nobody}/config.yaml");
    let setup = Setup::new(Mode::OnDemand).variable("OPENTELEMETRY_COLLECTOR_CONFIG_URI", &uri);
    let log = lives_on(setup.start());
    assert!(off_line(&log).contains(&nobody.to_string()), "{log}");
}

#[test]
fn an_address_of_former_days_for_the_own_metrics_is_served_and_costs_nothing() {
    let (bed, port) = (Bed::new(), ports::free());
    let own = format!("telemetry: {{ metrics: {{ address: \"127.0.0.1:{port}\" }}, logs:");
    let yaml = bed.yaml().replace("telemetry: { logs:", &own);
    let mut sandbox = Setup::new(Mode::OnDemand).config(&yaml).start();
    let mut uptime = false;
    let ids = sandbox.invoke(|_| {
        uptime = Metrics::read(port).has("otelcol_process_uptime");
        bed.send(2)
    });
    assert!(uptime, "the page of own metrics");
    let gone = sandbox.shutdown();
    assert!(gone.log.contains("metrics::address: is deprecated"), "{}", gone.log);
    bed.assert_all_came(&ids);
}

#[test]
fn a_config_is_fetched_after_registering() {
    let bed = Bed::new();
    let yaml = bed.yaml();
    let server = Scripted::start(move |_| Said::ok(yaml.clone()));
    let uri = format!("http://127.0.0.1:{}/config.yaml", server.port());
    let setup = Setup::new(Mode::OnDemand).variable("OPENTELEMETRY_COLLECTOR_CONFIG_URI", &uri);
    let mut sandbox = setup.start();
    let ids = sandbox.invoke(|_| bed.send(2));
    sandbox.shutdown();
    bed.assert_all_came(&ids);
}

#[test]
fn a_telemetry_api_that_says_no_costs_nothing_else() {
    type Refusal = fn(&Sandbox);
    let refusals: [Refusal; 3] = [
        |sandbox| sandbox.without_telemetry(),
        |sandbox| sandbox.with_telemetry_closed(),
        |sandbox| sandbox.with_telemetry_broken(),
    ];
    for refuse in refusals {
        let bed = Bed::new();
        let mut sandbox = bed.setup(Mode::OnDemand).prepare();
        refuse(&sandbox);
        sandbox.boot(|| {});
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.extend(sandbox.invoke(|_| bed.send(2)));
        }
        let gone = sandbox.shutdown();
        assert_eq!(gone.code, Some(0), "{}", gone.log);
        assert!(gone.log.contains("Telemetry API"), "{}", gone.log);
        bed.assert_all_came(&ids);
    }
}

#[test]
fn garbage_and_half_a_request_do_not_stop_it() {
    let bed = Bed::new();
    let mut sandbox = bed.start(Mode::OnDemand);
    let ids = sandbox.invoke(|_| {
        let mut connection = Connection::open(bed.http);
        connection.write(b"\0\x01garbage\r\n\r\n");
        connection.finish();
        connection.read_to_end();
        let mut half = Connection::open(bed.http);
        half.write(b"POST /v1/traces HTTP/1.1\r\ncontent-length: 99\r\n\r\nhalf");
        let reply = tests::send::traces_http(bed.http, &spans::request(0));
        assert_eq!(reply.status, 200);
        bed.send(1)
    });
    let gone = sandbox.shutdown();
    assert_eq!(gone.code, Some(0), "{}", gone.log);
    bed.assert_all_came(&ids);
}
