//! SIGTERM in the middle of each fault: everything accepted is delivered, or the log says how much was not.

use tests::answer::Answer;
use tests::gateway::{Gateway, undelivered};
use tests::ports;

use super::backends::{Backend, Line, WAYS, Way, send_all};

const SHORT: &str = "{ linger: 0s, deadline: 2s }";

#[test]
fn a_stop_delivers_what_is_still_held() {
    for way in WAYS {
        let port = ports::free();
        let backend = Backend::start_on(way, port);
        let settings = way.settings(&format!("127.0.0.1:{port}"), "");
        // The batch would go out a minute after the stop.
        let gateway = Gateway::new()
            .processor("batch", "{ timeout: 60s }")
            .exporter(way.exporter(), &settings);
        let agent = gateway.start();
        let ids = send_all(&gateway, 5, 3);
        assert!(backend.delivered().is_empty());
        let ended = agent.stop();
        assert_eq!((ended.code, undelivered(&ended)), (Some(0), 0), "{}", ended.stderr);
        backend.assert_delivered_once(&ids);
    }
}

#[test]
fn a_stop_during_a_passing_fault_loses_nothing_without_saying_so() {
    let faults = |way: Way| {
        [
            ("unavailable", way.unavailable()),
            ("throttled", way.throttled(30)),
            ("closed", Answer::Close),
            ("stalled", Answer::Stall),
        ]
    };
    for way in WAYS {
        for (name, fault) in faults(way) {
            let port = ports::free();
            let backend = Backend::start_on(way, port);
            backend.answer_always(fault);
            let settings = way.settings(&format!("127.0.0.1:{port}"), "");
            let gateway = Gateway::new().shutdown(SHORT).exporter(way.exporter(), &settings);
            let agent = gateway.start();
            let ids = send_all(&gateway, 3, 2);
            backend.wait_for_requests(1);
            let ended = agent.stop();
            backend.release();
            let delivered = backend.delivered().len() as u64;
            let accounted = delivered + undelivered(&ended);
            assert_eq!(accounted, ids.len() as u64, "{way:?} {name}:\n{}", ended.stderr);
        }
    }
}

#[test]
fn a_stop_while_the_backend_is_down_says_what_was_not_delivered() {
    for way in WAYS {
        // Nothing listens there, and the name does not exist (RFC 2606).
        for address in [format!("127.0.0.1:{}", ports::free()), "backend.invalid:9".to_owned()] {
            let settings = way.settings(&address, "");
            let gateway = Gateway::new().shutdown(SHORT).exporter(way.exporter(), &settings);
            let agent = gateway.start();
            let ids = send_all(&gateway, 3, 2);
            let ended = agent.stop();
            assert_eq!(
                undelivered(&ended),
                ids.len() as u64,
                "{way:?} {address}:\n{}",
                ended.stderr
            );
        }
    }
}

#[test]
fn a_stop_after_a_refusal_has_nothing_left_to_say() {
    for way in WAYS {
        for answer in [way.bad_request(), Answer::status(413)] {
            if way == Way::OtlpGrpc && answer == Answer::status(413) {
                continue;
            }
            let line = Line::start(way, "");
            line.backend.answer_always(answer.clone());
            line.send(2, 1);
            let branch = line.settled(2);
            assert_eq!(branch.refused + branch.dropped, 2.0, "{way:?} {answer:?}: {branch:?}");
            let ended = line.agent.stop();
            assert_eq!((ended.code, undelivered(&ended)), (Some(0), 0), "{}", ended.stderr);
        }
    }
}

#[test]
fn a_backend_that_recovers_during_the_stop_gets_the_rest() {
    for way in WAYS {
        let line = Line::start(way, "");
        line.backend.answer_always(way.unavailable());
        let ids = line.send(3, 2);
        line.backend.wait_for_requests(3);
        line.agent.terminate();
        line.backend.answer_always(Answer::Accept);
        let ended = line.agent.wait();
        let delivered = line.backend.delivered().len() as u64;
        assert_eq!(delivered + undelivered(&ended), ids.len() as u64, "{way:?}\n{}", ended.stderr);
        assert!(line.backend.delivered().values().all(|times| *times == 1), "{way:?}");
    }
}

#[test]
fn senders_are_served_while_the_agent_lingers() {
    let port = ports::free();
    let backend = Backend::start_on(Way::OtlpHttp, port);
    let settings = Way::OtlpHttp.settings(&format!("127.0.0.1:{port}"), "");
    let gateway = Gateway::new()
        .shutdown("{ linger: 20s, quiet: 2s, deadline: 25s }")
        .exporter("otlphttp", &settings);
    let mut agent = gateway.start();
    let before = send_all(&gateway, 1, 1);
    agent.terminate();
    agent.process().wait_for_output("Starting shutdown...");
    let after = send_all(&gateway, 3, 2);
    let ended = agent.wait();
    assert_eq!((ended.code, undelivered(&ended)), (Some(0), 0), "{}", ended.stderr);
    backend.assert_delivered_once(&[before, after].concat());
}
