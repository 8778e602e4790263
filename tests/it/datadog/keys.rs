//! The key: asked about at the start, and what follows from the answer. And what the agent says of its host.

use tests::answer::Answer;
use tests::datadog::{KEY, Settings};
use tests::gateway::Gateway;
use tests::metrics::Branch;
use tests::{ports, records, spans};

use super::{EXPORTER, LOGS, Line, TRACES};

#[test]
fn a_key_that_datadog_does_not_know_ends_the_start_when_that_is_asked_for() {
    let intake = tests::datadog::DatadogIntake::start();
    intake.revoke_key(true);
    let settings = intake.settings().api("fail_on_invalid_key: true");
    let ended = Gateway::new().exporter(EXPORTER, &settings.to_string()).setup().run();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("does not know the API key"), "{}", ended.stderr);
    assert!(!ended.stderr.contains(KEY), "{}", ended.stderr);
    assert_eq!(intake.keys.requests().len(), 1);
}

#[test]
fn a_key_that_cannot_be_checked_does_not_stand_in_the_way() {
    let faults = [Some(Answer::status(500)), Some(Answer::status(429)), Some(Answer::Close), None];
    for fault in faults {
        let intake = fault.map(|answer| {
            let intake = tests::datadog::DatadogIntake::start();
            intake.keys.answer_always(answer);
            intake
        });
        let port = intake.as_ref().map_or_else(ports::free, |intake| intake.port());
        let settings = Settings::for_port(port).api("fail_on_invalid_key: true");
        let mut agent = Gateway::new().exporter(EXPORTER, &settings.to_string()).start();
        agent.process().wait_for_output("could not be checked");
        assert!(agent.process().is_running());
    }
}

#[test]
fn a_bad_key_is_said_and_what_was_accepted_waits_for_a_good_one() {
    let intake = tests::datadog::DatadogIntake::start();
    intake.revoke_key(true);
    let gateway = Gateway::new()
        .exporter(EXPORTER, &intake.settings().traces("compute_stats: never").to_string());
    let mut agent = gateway.start();
    let request = spans::request(4);
    super::send_to(&gateway, TRACES, &request);
    // The key is asked about with the first call, since nothing is opened before there is something to send.
    agent.process().wait_for_output("does not know the API key");
    intake.traces.wait_for_requests(2);
    let branch = Branch::read(gateway.metrics, EXPORTER);
    assert_eq!((branch.held, branch.delivered), (4.0, 0.0), "{branch:?}");
    intake.revoke_key(false);
    intake.traces.wait_for_spans(&spans::ids(&request));
    intake.traces.assert_delivered_once(&spans::ids(&request));
    assert!(!agent.log().contains(KEY), "{}", agent.log());
}

#[test]
fn the_host_is_described_once_a_period() {
    let line = Line::start_with(|settings| settings.host_metadata("{ tags: [\"team:shop\"] }"));
    // Nothing is told before there is something to send.
    assert!(line.intake.hosts.requests().is_empty());
    line.send(LOGS, &records::request(1));
    let call = line.intake.hosts.wait_for_accepted(1).remove(0);
    line.send(LOGS, &records::request(1));
    assert_eq!(call.content.hostname, "test-host");
    assert_eq!(call.content.value["host-tags"]["otel"][0], "team:shop");
    let intake = line.stop();
    assert_eq!(intake.hosts.requests().len(), 1);
}

#[test]
fn a_host_that_stays_at_home_is_not_described() {
    let line = Line::start();
    let request = spans::request(1);
    line.send(TRACES, &request);
    line.intake.traces.wait_for_spans(&spans::ids(&request));
    let intake = line.stop();
    assert!(intake.hosts.requests().is_empty());
    assert_eq!(intake.keys.accepted().len(), 1);
}
