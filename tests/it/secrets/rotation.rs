//! A key that changes while data flows.

use tests::answer::Answer;
use tests::datadog::{AgentPayload, Call, DatadogIntake, KEY, NEXT_KEY};
use tests::desk::Entry;
use tests::parameters::Fault;
use tests::{metrics, send, spans};

use super::*;

fn bears(entry: &Entry<Call<AgentPayload>>, key: &str) -> bool {
    entry.request.header("dd-api-key") == Some(key)
}

/// Sends traces until the new key arrives, and a few more; returns the ids of all.
fn send_until_next_key(gateway: &Gateway, intake: &DatadogIntake) -> Vec<spans::SpanId> {
    let mut ids = Vec::new();
    let mut send = || {
        let request = spans::request(2);
        assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
        ids.extend(spans::ids(&request));
    };
    tests::wait::until("a call with the new key", || {
        send();
        intake.traces.requests().iter().any(|entry| bears(entry, NEXT_KEY)).then_some(())
    });
    for _ in 0..5 {
        send();
    }
    ids
}

#[test]
fn a_rotated_key_is_taken_up_by_sighup_without_losing_a_span() {
    let (store, intake) = (ParameterStore::start(), DatadogIntake::start());
    store.put("/key", "SecureString", KEY);
    let gateway = to_datadog(intake.settings(), "${ssm:/key}");
    let agent = store.environment_of(gateway.setup()).start();
    let first = spans::request(3);
    assert_eq!(send::traces_grpc(gateway.grpc, &first).code, 0);
    intake.traces.wait_for_spans(&spans::ids(&first));
    store.put("/key", "SecureString", NEXT_KEY);
    agent.reload();
    let mut ids = send_until_next_key(&gateway, &intake);
    ids.extend(spans::ids(&first));
    intake.traces.wait_for_spans(&ids);
    intake.traces.assert_delivered_once(&ids);
    assert_eq!(agent.stop().code, Some(0));
}

#[test]
fn a_rotated_key_is_taken_up_by_itself_when_the_reference_says_so() {
    let (store, intake) = (ParameterStore::start(), DatadogIntake::start());
    store.put("/key", "SecureString", KEY);
    let gateway = to_datadog(intake.settings(), "${ssm:/key?refresh=1s}");
    let mut agent = store.environment_of(gateway.setup()).start();
    // Looking changes nothing while the key is the same.
    store.wait_for_calls(3);
    assert_eq!(metrics::Metrics::read(gateway.metrics).sum("hikyaku_config_reloads", &[]), 0.0);
    store.put("/key", "SecureString", NEXT_KEY);
    let ids = send_until_next_key(&gateway, &intake);
    // From here on the old key is worth nothing, and nothing is sent with it.
    intake
        .traces
        .answer_when(|call| (call.header("dd-api-key") == Some(KEY)).then(|| Answer::status(403)));
    intake.traces.wait_for_spans(&ids);
    intake.traces.assert_delivered_once(&ids);
    agent.process().wait_for_output("What the config refers to has changed.");
    let log = agent.stop().stderr;
    assert!(
        log.contains("ssm:/key?refresh=1s") && !log.contains(KEY) && !log.contains(NEXT_KEY),
        "{log}"
    );
}

#[test]
fn while_parameters_cannot_be_read_the_old_ones_stay_in_use_with_a_warning() {
    let (store, intake) = (ParameterStore::start(), DatadogIntake::start());
    store.put("/key", "SecureString", KEY);
    let gateway = to_datadog(intake.settings(), "${ssm:/key}");
    let mut agent =
        store.environment_of(gateway.setup()).variable("AWS_LAMBDA_FUNCTION_NAME", "f").start();
    store.fail_always(Some(Fault::Throttled));
    agent.reload();
    agent.process().wait_for_output("stays in use");
    let outcome = [("outcome", "success")];
    metrics::wait_for(gateway.metrics, "hikyaku_config_reloads", &outcome, 1.0);
    // A parameter that is gone is another thing: the reload fails, and what runs goes on.
    store.fail_always(None);
    store.remove("/key");
    agent.reload();
    metrics::wait_for(gateway.metrics, "hikyaku_config_reloads", &[("outcome", "failure")], 1.0);
    let request = spans::request(2);
    assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
    intake.traces.wait_for_spans(&spans::ids(&request));
    let log = agent.stop().stderr;
    assert!(log.contains("cannot read ssm:/key: AWS throttles the calls"), "{log}");
    assert!(log.contains("cannot read ssm:/key: it does not exist"), "{log}");
    assert!(!log.contains(KEY), "{log}");
}

#[test]
fn while_parameters_cannot_be_looked_at_the_agent_says_so_and_goes_on() {
    let (store, intake) = (ParameterStore::start(), DatadogIntake::start());
    store.put("/key", "SecureString", KEY);
    let gateway = to_datadog(intake.settings(), "${ssm:/key?refresh=1s}");
    let mut agent = store.environment_of(gateway.setup()).start();
    store.deny("/key");
    agent.process().wait_for_output("cannot read ssm:/key?refresh=1s: access denied");
    let request = spans::request(2);
    assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
    intake.traces.wait_for_spans(&spans::ids(&request));
    assert_eq!(metrics::Metrics::read(gateway.metrics).sum("hikyaku_config_reloads", &[]), 0.0);
    assert_eq!(agent.stop().code, Some(0));
}
