//! One backend's trouble is nobody else's.

use tests::answer::Answer;
use tests::gateway::Gateway;
use tests::metrics::Branch;
use tests::ports;

use super::backends::{Backend, WAYS, Way, send_all};

#[test]
fn an_outage_of_one_backend_does_not_delay_the_other() {
    for (sick_way, well_way) in
        [(Way::Zipkin, Way::OtlpHttp), (Way::Datadog, Way::Zipkin), (Way::OtlpGrpc, Way::Datadog)]
    {
        let (sick_port, well_port) = (ports::free(), ports::free());
        let sick = Backend::start_on(sick_way, sick_port);
        let well = Backend::start_on(well_way, well_port);
        sick.answer_always(Answer::Stall);
        let address = |port: u16| format!("127.0.0.1:{port}");
        let queue = "sending_queue: { queue_size: 3, num_consumers: 1 }";
        let gateway = Gateway::new()
            .exporter(sick_way.exporter(), &sick_way.settings(&address(sick_port), queue))
            .exporter(well_way.exporter(), &well_way.settings(&address(well_port), ""));
        let _agent = gateway.start();
        let ids = send_all(&gateway, 20, 2);
        well.wait_for_spans(&ids);
        well.assert_delivered_once(&ids);
        // What the sick branch had no room for is counted there, and nowhere else.
        let branch = Branch::read(gateway.metrics, sick_way.exporter());
        assert_eq!((branch.accepted, branch.delivered), (40.0, 0.0), "{sick_way:?}: {branch:?}");
        assert!(branch.dropped > 0.0 && branch.held > 0.0, "{sick_way:?}: {branch:?}");
        let branch = Branch::settled(gateway.metrics, well_way.exporter(), 40);
        assert_eq!(branch.delivered, 40.0, "{well_way:?}");
        sick.release();
    }
}

#[test]
fn every_backend_gets_a_copy_of_its_own() {
    let ways = WAYS;
    let mut gateway = Gateway::new().processor("batch", "{ timeout: 50ms }");
    let mut backends = Vec::new();
    for way in ways {
        let port = ports::free();
        backends.push(Backend::start_on(way, port));
        gateway = gateway.exporter(way.exporter(), &way.settings(&format!("127.0.0.1:{port}"), ""));
    }
    let _agent = gateway.start();
    let ids = send_all(&gateway, 10, 7);
    for backend in &backends {
        backend.wait_for_spans(&ids);
        backend.assert_delivered_once(&ids);
    }
}
