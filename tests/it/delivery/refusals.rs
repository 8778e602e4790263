//! Faults that stay: what cannot be delivered is refused or given up, once and with a count, and the rest goes on.

use std::time::Duration;

use tests::answer::Answer;
use tests::gateway::QUICK_RETRIES;
use tests::metrics::Metrics;

use super::backends::{Line, WAYS, Way};

#[test]
fn a_refused_request_is_not_sent_again_and_is_counted() {
    for way in WAYS {
        let line = Line::start(way, "");
        line.backend.answer_next([way.bad_request()]);
        line.send(1, 1);
        let branch = line.settled(1);
        assert_eq!((branch.refused, branch.delivered), (1.0, 0.0), "{way:?}");
        let ids = line.send(1, 1);
        line.backend.wait_for_spans(&ids);
        assert_eq!(line.backend.times().len(), 2, "{way:?}");
        let labels = [("exporter", way.exporter()), ("reason", "permanent")];
        let metrics = Metrics::read(line.gateway.metrics);
        assert_eq!(metrics.sum("otelcol_exporter_refused_items", &labels), 1.0);
        let labels = [("exporter", way.exporter())];
        assert_eq!(metrics.sum("otelcol_exporter_send_failed_spans", &labels), 1.0);
    }
}

#[test]
fn one_bad_span_does_not_take_the_others_with_it() {
    for way in WAYS {
        let line = Line::start(way, "");
        // The backend finds fault with one span, which is known once the request has been seen.
        let poison = std::sync::OnceLock::new();
        line.backend.answer_when(way.bad_request(), move |ids| {
            let poison = poison.get_or_init(|| ids[17]);
            ids.contains(poison)
        });
        let mut ids = line.send(1, 40);
        ids.remove(17);
        line.backend.wait_for_spans(&ids);
        let branch = line.settled(40);
        line.backend.assert_delivered_once(&ids);
        assert_eq!((branch.delivered, branch.refused), (39.0, 1.0), "{way:?}");
    }
}

#[test]
fn a_peer_that_refuses_everything_is_asked_once_a_request() {
    for (way, answer) in [
        (Way::Zipkin, Answer::status(404)),
        (Way::OtlpHttp, Answer::status(401)),
        (Way::Datadog, Answer::status(401)),
        (Way::XRay, Answer::status(403)),
        (Way::OtlpGrpc, Answer::grpc(16)),
        (Way::OtlpGrpc, Answer::grpc(12)),
        (Way::OtlpGrpc, Answer::grpc(8)),
    ] {
        let line = Line::start(way, "");
        line.backend.answer_always(answer.clone());
        line.send(2, 8);
        let branch = line.settled(16);
        assert_eq!((branch.refused, branch.delivered), (16.0, 0.0), "{way:?} {answer:?}");
        assert_eq!(line.backend.times().len(), 2, "{way:?} {answer:?}");
    }
}

#[test]
fn a_partial_success_is_counted_and_not_sent_again() {
    for way in [Way::OtlpHttp, Way::OtlpGrpc] {
        let line = Line::start(way, "");
        line.backend.answer_next([Answer::PartialSuccess { rejected: 3 }]);
        line.send(1, 10);
        let branch = line.settled(10);
        assert_eq!((branch.delivered, branch.refused), (7.0, 3.0), "{way:?}");
        assert_eq!(line.backend.times().len(), 1, "{way:?}");
        let labels = [("exporter", way.exporter()), ("reason", "partial_success")];
        let metrics = Metrics::read(line.gateway.metrics);
        assert_eq!(metrics.sum("otelcol_exporter_refused_items", &labels), 3.0);
    }
}

#[test]
fn a_spent_retry_budget_is_a_counted_drop() {
    for way in WAYS {
        let retries = "retry_on_failure: { initial_interval: 10ms, max_interval: 20ms, \
                       max_elapsed_time: 200ms }";
        let line = Line::start_with(way, |address| {
            way.settings(address, "").replace(QUICK_RETRIES, retries)
        });
        line.backend.answer_always(way.unavailable());
        line.send(1, 4);
        let branch = line.settled(4);
        assert_eq!((branch.dropped, branch.delivered), (4.0, 0.0), "{way:?}");
        let labels = [("exporter", way.exporter()), ("reason", "retries_exhausted")];
        let metrics = Metrics::read(line.gateway.metrics);
        assert_eq!(metrics.sum("otelcol_exporter_dropped_items", &labels), 4.0);
        assert!(metrics.sum("otelcol_exporter_retries", &labels[..1]) >= 1.0);
    }
}

#[test]
fn a_full_queue_is_told_to_the_sender_and_what_was_accepted_arrives() {
    for way in WAYS {
        let line = Line::start(way, "sending_queue: { queue_size: 2, num_consumers: 1 }");
        line.backend.answer_always(Answer::AcceptAfter(Duration::from_millis(50)));
        let (mut accepted, mut refused) = (Vec::new(), 0);
        for _ in 0..60 {
            let request = tests::spans::request(1);
            let reply = tests::send::traces_grpc(line.gateway.grpc, &request);
            match reply.code {
                0 => accepted.extend(tests::spans::ids(&request)),
                // Unavailable or ResourceExhausted: an SDK tries both again when there is a delay.
                8 | 14 => refused += 1,
                other => panic!("{way:?}: status {other}: {reply:?}"),
            }
        }
        line.backend.wait_for_spans(&accepted);
        line.backend.assert_delivered_once(&accepted);
        assert_eq!(accepted.len() + refused, 60, "{way:?}");
    }
}
