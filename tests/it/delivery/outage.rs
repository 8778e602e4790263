//! X-Ray and Datadog beside each other in one pipeline, and one of them down for a while.

use tests::answer::Answer;
use tests::gateway::Gateway;
use tests::metrics::{Branch, Metrics};
use tests::ports;
use tests::spans::SpanId;

use super::backends::{Backend, Way, send_all};

/// What the queue of the one that goes down has room for, in requests.
const ROOM: usize = 4;
/// Requests that come while it is down, and spans in each request.
const REQUESTS: usize = 12;
const SPANS: usize = 3;

/// A way to be down.
const OUTAGES: [Answer; 3] = [Answer::status(503), Answer::Close, Answer::Stall];

#[test]
fn x_ray_catches_up_with_what_its_queue_kept_and_datadog_notices_nothing() {
    for outage in OUTAGES {
        go_through(Way::XRay, Way::Datadog, outage);
    }
}

#[test]
fn datadog_catches_up_with_what_its_queue_kept_and_x_ray_notices_nothing() {
    for outage in OUTAGES {
        go_through(Way::Datadog, Way::XRay, outage);
    }
}

fn go_through(sick_way: Way, well_way: Way, outage: Answer) {
    let [sick, well] = [sick_way, well_way].map(|way| {
        let port = ports::free();
        (Backend::start_on(way, port), format!("127.0.0.1:{port}"))
    });
    // One consumer, so that what it asks again about is the oldest request, and the order of the others is known.
    let queue =
        format!("sending_queue: {{ queue_size: {ROOM}, num_consumers: 1 }}, timeout: 500ms");
    let gateway = Gateway::new()
        .exporter(sick_way.exporter(), &sick_way.settings(&sick.1, &queue))
        .exporter(well_way.exporter(), &well_way.settings(&well.1, ""));
    let _agent = gateway.start();
    let (sick, well) = (sick.0, well.0);

    let before = send_all(&gateway, 1, SPANS);
    for backend in [&sick, &well] {
        backend.wait_for_spans(&before);
    }

    let asked = sick.times().len();
    sick.answer_always(outage.clone());
    let mut during: Vec<Vec<SpanId>> = Vec::new();
    for number in 0..REQUESTS {
        let ids = send_all(&gateway, 1, SPANS);
        // While the other one is down, what comes next does not even have to come for this to arrive.
        well.wait_for_spans(&ids);
        during.push(ids);
        if number == 0 {
            sick.wait_for_requests(asked + 1);
        }
    }
    let down = Branch::read(gateway.metrics, sick_way.exporter());
    assert_eq!(down.delivered, SPANS as f64, "{outage:?}: only what came before: {down:?}");
    let kept = (down.held / SPANS as f64) as usize;
    assert!(
        (ROOM..=ROOM + 1).contains(&kept),
        "{outage:?}: the queue, and what is asked about: {down:?}"
    );
    let lost = ((REQUESTS - kept) * SPANS) as f64;
    assert_eq!(overflow(&gateway, sick_way), lost, "{outage:?}: all else is counted: {down:?}");

    sick.answer_always(Answer::Accept);
    sick.release();
    let (kept, _lost) = during.split_at(kept);
    sick.wait_for_spans(&kept.concat());
    let after = send_all(&gateway, 2, SPANS);
    for backend in [&sick, &well] {
        backend.wait_for_spans(&after);
    }
    sick.assert_delivered_once(&[before.clone(), kept.concat(), after.clone()].concat());
    well.assert_delivered_once(&[before, during.concat(), after].concat());

    let all = (REQUESTS + 3) * SPANS;
    let branch = Branch::settled(gateway.metrics, sick_way.exporter(), all);
    assert_eq!((branch.dropped, branch.refused), (lost, 0.0), "{outage:?}");
    let branch = Branch::settled(gateway.metrics, well_way.exporter(), all);
    assert_eq!(branch.delivered, all as f64, "{outage:?}");
}

/// Spans that a branch's queue had no room for.
fn overflow(gateway: &Gateway, way: Way) -> f64 {
    let labels = [("exporter", way.exporter()), ("reason", "queue_full")];
    Metrics::read(gateway.metrics).sum("otelcol_exporter_dropped_items", &labels)
}
