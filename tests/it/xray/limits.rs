//! What X-Ray has no room or no form for.

use serde_json::json;
use tests::metrics::{Branch, Metrics};

use super::*;

#[test]
fn calls_have_fifty_documents_at_most() {
    let line = Line::start();
    let ids = line.send(173);
    line.backend.wait_for_spans(&ids);
    line.backend.assert_delivered_once(&ids);
    let requests = line.backend.requests();
    let mut sizes: Vec<usize> =
        requests.iter().map(|entry| entry.request.documents.len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [23, 50, 50, 50]);
    line.stop();
}

#[test]
fn a_span_that_is_too_long_loses_metadata_and_not_itself() {
    let line = Line::start();
    let long = "é".repeat(100_000);
    let own = json!({"attributes": attributes(&[("payload", &long), ("tier", "gold")])});
    line.send_json(&one_span("00000000000000ac", &json!([]), &own));
    line.backend.wait_for_spans(&[0xac_u64.to_be_bytes()]);
    assert_eq!(line.documents()[0]["metadata"]["default"], json!({"tier": "gold"}));
    let labels = [("exporter", EXPORTER), ("reason", "metadata")];
    let metrics = Metrics::read(line.gateway.metrics);
    assert_eq!(metrics.sum("otelcol_exporter_trimmed_items", &labels), 1.0);
    let log = line.stop();
    assert!(log.contains("by what is left out of them"), "{log}");
}

#[test]
fn names_and_annotations_are_made_such_as_x_ray_takes() {
    let line = Line::start_with(", index_all_attributes: true");
    let (long, key) = ("x".repeat(5000), "k".repeat(900));
    let odd = attributes(&[
        ("peer.service", "pay?<script>\u{7}\\"),
        ("a key/with signs", "v"),
        ("", "empty"),
        ("long", &long),
        (&key, "v"),
    ]);
    let own = json!({"kind": 3, "parentSpanId": "00000000000000ff", "attributes": odd});
    line.send_json(&one_span("00000000000000ad", &json!([]), &own));
    line.backend.wait_for_spans(&[0xad_u64.to_be_bytes()]);
    let document = &line.documents()[0];
    assert_eq!(document["name"], "payscript");
    assert_eq!(document["annotations"]["a_key_with_signs"], "v");
    assert_eq!(document["annotations"]["long"].as_str().unwrap().len(), 1000);
    line.stop();
}

#[test]
fn spans_without_ids_are_dropped_and_counted_and_the_others_arrive() {
    let line = Line::start();
    let span = |id: &str| json!({"traceId": "6554ab10a1b2c3d4e5f60718293a4b5c", "spanId": id, "name": "n"});
    let spans = [span("0000000000000000"), span("00000000000000ae")];
    line.send_json(&json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}));
    line.backend.wait_for_spans(&[0xae_u64.to_be_bytes()]);
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, 2);
    assert_eq!((branch.delivered, branch.dropped), (1.0, 1.0));
    let labels = [("exporter", EXPORTER), ("reason", "untranslatable")];
    let metrics = Metrics::read(line.gateway.metrics);
    assert_eq!(metrics.sum("otelcol_exporter_dropped_items", &labels), 1.0);
    line.stop();
}

#[test]
fn a_span_that_is_too_long_whatever_is_left_out_is_dropped_and_counted() {
    let line = Line::start();
    let version = "v".repeat(80_000);
    let resource = attributes(&[("service.version", &version)]);
    line.send_json(&one_span("00000000000000af", &resource, &json!({})));
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, 1);
    assert_eq!(branch.dropped, 1.0);
    let labels = [("exporter", EXPORTER), ("reason", "too_large")];
    let metrics = Metrics::read(line.gateway.metrics);
    assert_eq!(metrics.sum("otelcol_exporter_dropped_items", &labels), 1.0);
    assert!(line.backend.requests().is_empty());
    line.stop();
}
