//! Spans that are well-formed and still odd.

use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tests::gateway::Gateway;
use tests::metrics::{Branch, Metrics};
use tests::zipkin::ZipkinBackend;
use tests::{send, spans};

use super::Target;

#[test]
fn a_text_that_is_not_utf8_is_repaired_and_its_span_kept() {
    let target = Target::start();
    let mut span = spans::span();
    span.name = "caf\u{e9}".to_owned();
    let request = spans::with_spans(vec![span]);
    let mut body = request.encode_to_vec();
    // The last character's two bytes of UTF-8 become two that are not.
    let at = body.windows(5).position(|window| window == "caf\u{e9}".as_bytes()).unwrap();
    body[at + 3..at + 5].copy_from_slice(&[0xff, 0xe9]);
    let kind = [("content-type", "application/x-protobuf")];
    assert_eq!(send::http(target.gateway.http, "/v1/traces", &kind, body).status, 200);
    target.backend.wait_for_spans(&spans::ids(&request));
    let accepted = target.backend.accepted();
    let name = &spans::of(accepted[0].traces()).next().unwrap().name;
    assert_eq!(name, "caf\u{fffd}\u{fffd}");
    let metrics = Metrics::read(target.gateway.metrics);
    assert_eq!(metrics.sum("otelcol_receiver_repaired_strings", &[("receiver", "otlp")]), 1.0);
    target.assert_unharmed();
}

/// Zipkin has no form for such spans. Either the sender is told, or the good span arrives and the bad one is counted.
#[test]
fn zero_and_short_ids_do_not_take_good_spans_with_them() {
    let backend = ZipkinBackend::start();
    let gateway =
        Gateway::new().exporter("zipkin", &format!("{{ endpoint: \"{}\" }}", backend.endpoint()));
    let agent = gateway.start();
    let with = |trace_id: Vec<u8>, span_id: Vec<u8>| Span { trace_id, span_id, ..spans::span() };
    let (trace, id) = (spans::span().trace_id, spans::span().span_id);
    let odd = [
        with(vec![0; 16], id.clone()),
        with(trace.clone(), vec![0; 8]),
        with(Vec::new(), id.clone()),
        with(trace.clone(), Vec::new()),
        with(trace[..7].to_vec(), id.clone()),
        with(trace, id[..3].to_vec()),
    ];
    let (mut accepted, mut good) = (0, Vec::new());
    for odd in odd {
        let fine = spans::span();
        let fine_id = spans::id(&fine.span_id);
        let reply = send::traces_http(gateway.http, &spans::with_spans(vec![odd, fine]));
        match reply.status {
            200 => {
                accepted += 2;
                good.push(fine_id);
            }
            400 => {}
            other => panic!("status {other}"),
        }
    }
    backend.wait_for_spans(&good);
    backend.assert_delivered_once(&good);
    let branch = Branch::settled(gateway.metrics, "zipkin", accepted);
    assert_eq!(branch.delivered, good.len() as f64);
    let ended = agent.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}
