//! Faults that pass: everything is delivered in the end, once.

use std::time::Duration;

use tests::answer::Answer;
use tests::gateway::Gateway;
use tests::ports;

use super::backends::{Backend, Line, WAYS, Way, send_all};

/// A backend that closes a connection takes the answers to its other requests with it, which are then rightly sent again. Where each span is to
/// come once, there must be no others.
const ONE_AT_A_TIME: &str = "sending_queue: { num_consumers: 1 }";

#[test]
fn a_backend_that_was_down_gets_everything_once() {
    for way in WAYS {
        let port = ports::free();
        let settings = way.settings(&format!("127.0.0.1:{port}"), "");
        let gateway = Gateway::new().exporter(way.exporter(), &settings);
        let _agent = gateway.start();
        let ids = send_all(&gateway, 4, 5);
        let backend = Backend::start_on(way, port);
        backend.wait_for_spans(&ids);
        backend.assert_delivered_once(&ids);
    }
}

#[test]
fn a_backend_that_goes_away_and_comes_back_gets_the_rest() {
    for way in WAYS {
        let Line { gateway, agent: _agent, backend, .. } = &Line::start(way, ONE_AT_A_TIME);
        let first = send_all(gateway, 2, 3);
        backend.wait_for_spans(&first);
        backend.answer_always(Answer::Close);
        let second = send_all(gateway, 2, 3);
        backend.wait_for_requests(2 + 3);
        backend.answer_always(Answer::Accept);
        backend.wait_for_spans(&second);
        backend.assert_delivered_once(&[first, second].concat());
    }
}

#[test]
fn a_slow_backend_gets_everything_once() {
    for way in WAYS {
        let line = Line::start(way, "");
        line.backend.answer_always(Answer::AcceptAfter(Duration::from_millis(200)));
        let ids = line.send(8, 2);
        line.backend.wait_for_spans(&ids);
        line.backend.assert_delivered_once(&ids);
    }
}

#[test]
fn a_backend_that_reads_slowly_gets_everything_once() {
    for way in WAYS {
        let line = Line::start(way, "");
        line.backend.answer_next([Answer::ReadSlowly(Duration::from_millis(20))]);
        let ids = line.send(2, 200);
        line.backend.wait_for_spans(&ids);
        line.backend.assert_delivered_once(&ids);
    }
}

#[test]
fn an_answer_that_never_comes_is_given_up_and_the_request_sent_again() {
    for way in WAYS {
        let line = Line::start(way, "timeout: 300ms");
        line.backend.answer_next([Answer::Stall]);
        let ids = line.send(1, 3);
        line.backend.wait_for_spans(&ids);
        line.backend.assert_delivered_once(&ids);
    }
}

#[test]
fn an_unavailable_backend_is_asked_again() {
    let cases = [
        (Way::Zipkin, vec![Answer::status(503), Answer::status(502), Answer::status(504)]),
        (Way::OtlpHttp, vec![Answer::status(503), Answer::status(502), Answer::status(504)]),
        (Way::Datadog, [503, 500, 429, 408, 403].map(Answer::status).into()),
        (Way::XRay, [503, 500, 429, 502, 504].map(Answer::status).into()),
        (Way::OtlpGrpc, [14, 4, 1, 10, 15].map(Answer::grpc).into()),
        // A proxy in between answers without gRPC's own status.
        (Way::OtlpGrpc, vec![Answer::status(503), Answer::status(429)]),
    ];
    for (way, answers) in cases {
        let line = Line::start(way, "");
        let attempts = answers.len() + 1;
        line.backend.answer_next(answers);
        let ids = line.send(1, 2);
        line.backend.wait_for_spans(&ids);
        line.backend.assert_delivered_once(&ids);
        assert_eq!(line.backend.times().len(), attempts, "{way:?}");
        assert_eq!(line.settled(2).delivered, 2.0);
    }
}

#[test]
fn the_backend_s_delay_is_kept() {
    for way in WAYS {
        let line = Line::start(way, "");
        line.backend.answer_next([line.way.throttled(1)]);
        let ids = line.send(1, 1);
        line.backend.wait_for_spans(&ids);
        let times = line.backend.times();
        // The retries of this configuration would come after 20 ms.
        let waited = times[1] - times[0];
        assert!(waited >= Duration::from_secs(1), "{way:?} asked again after {waited:?}");
    }
}

#[test]
fn a_closed_connection_is_opened_again() {
    for way in WAYS {
        let line = Line::start(way, ONE_AT_A_TIME);
        line.backend.answer_next([Answer::Close, Answer::Close]);
        let ids = line.send(3, 2);
        line.backend.wait_for_spans(&ids);
        line.backend.assert_delivered_once(&ids);
    }
}

#[test]
fn a_request_that_the_backend_calls_too_large_is_split() {
    for way in [Way::Zipkin, Way::OtlpHttp, Way::Datadog, Way::XRay] {
        let line = Line::start(way, "");
        line.backend.answer_when(Answer::status(413), |ids| ids.len() > 10);
        let ids = line.send(1, 64);
        line.backend.wait_for_spans(&ids);
        line.backend.assert_delivered_once(&ids);
        assert_eq!(line.settled(64).delivered, 64.0, "{way:?}");
    }
}
