//! What is more than the intake takes at once goes in several calls. The fake knows the documented limits, so a call that exceeds one fails the test.

use std::collections::BTreeSet;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use tests::datadog::{Limit, stats};
use tests::gateway::Gateway;
use tests::metrics::{Branch, Metrics};
use tests::{points, records, spans};

use super::{EXPORTER, LOGS, Line, METRICS, TRACES, assert_series_once, groups, hits, send_to};

/// Text that no codec makes small.
fn noise(bytes: usize) -> String {
    let mut random = vec![0; bytes.div_ceil(4) * 3];
    fastrand::fill(&mut random);
    let mut text = STANDARD.encode(random);
    text.truncate(bytes);
    text
}

fn noisy(key: &str, bytes: usize) -> KeyValue {
    spans::attribute(key, &noise(bytes))
}

#[test]
fn many_spans_at_once_are_sent_in_calls_that_the_intake_takes() {
    let intake = tests::datadog::DatadogIntake::start();
    let gateway = Gateway::new()
        .processor("batch", "{ timeout: 60s, send_batch_size: 100000 }")
        .exporter(EXPORTER, &intake.settings().to_string());
    let agent = gateway.start();
    let mut ids = Vec::new();
    for _ in 0..6 {
        let mut request = spans::request(1000);
        for span in &mut request.resource_spans[0].scope_spans[0].spans {
            span.attributes.push(noisy("noise", 1000));
        }
        send_to(&gateway, TRACES, &request);
        ids.extend(spans::ids(&request));
    }
    assert_eq!(agent.stop().code, Some(0));
    intake.traces.assert_delivered_once(&ids);
    // 6000 spans of more than a kilobyte each.
    let calls = intake.traces.requests();
    assert!((2..=8).contains(&calls.len()), "{} calls", calls.len());
}

#[test]
fn many_records_at_once_are_sent_in_calls_that_the_intake_takes() {
    let line = Line::start();
    let request = records::request(2500);
    line.send(LOGS, &request);
    let large = records::with_records((0..8).map(|_| records::record(&noise(900_000))).collect());
    line.send(LOGS, &large);
    let ids = [records::ids(&request), records::ids(&large)].concat();
    line.intake.logs.wait_for_spans(&ids);
    line.intake.logs.assert_delivered_once(&ids);
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, 2508);
    assert_eq!(branch.delivered, 2508.0, "{branch:?}");
}

#[test]
fn a_record_larger_than_the_intake_takes_is_cut_short() {
    let line = Line::start();
    let request = records::with_records(vec![
        records::record(&noise(10)),
        records::record(&noise(1_200_000)),
        records::record(&"あ".repeat(400_000)),
    ]);
    line.send(LOGS, &request);
    line.intake.logs.wait_for_spans(&records::ids(&request));
    line.intake.logs.assert_delivered_once(&records::ids(&request));
    let logs = line.intake.logs.accepted();
    let sizes: Vec<usize> = logs.iter().flat_map(|call| &call.content.0).map(|l| l.bytes).collect();
    assert!(sizes.iter().filter(|bytes| **bytes > 900_000).count() == 2, "{sizes:?}");
}

#[test]
fn many_points_at_once_are_sent_in_calls_that_the_intake_takes() {
    let line = Line::start();
    let many = points::request(12_000);
    line.send(METRICS, &many);
    let mut large = points::request(1000);
    large.resource_metrics[0].scope_metrics[0].metrics.iter_mut().for_each(|metric| {
        // A unit takes up room and changes nothing else.
        metric.unit = noise(2000);
    });
    line.send(METRICS, &large);
    let names = [points::names(&many), points::names(&large)].concat();
    assert_series_once(&line.intake, &names);
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, 13_000);
    assert_eq!(branch.delivered, 13_000.0, "{branch:?}");
}

/// Spans that ended at one time, with a status each, of so many resources from one on.
fn with_resources(ended: u64, resources: Range<usize>, status: u16) -> ExportTraceServiceRequest {
    let spans = resources.map(|number| {
        let mut span = spans::span();
        (span.start_time_unix_nano, span.end_time_unix_nano) = (ended - 1_000_000, ended);
        span.attributes.extend([
            spans::attribute("http.route", &format!("/orders/{number}")),
            spans::attribute("http.response.status_code", &status.to_string()),
        ]);
        span
    });
    spans::with_spans(spans.collect())
}

#[test]
fn many_groups_of_stats_are_sent_in_calls_that_the_intake_takes() {
    let line = Line::start();
    let ended = spans::now_nanos();
    for status in 200..205 {
        line.send(TRACES, &with_resources(ended, 0..900, status));
    }
    let intake = line.stop();
    assert_eq!((hits(&intake), groups(&intake).len()), (4500, 4500));
    let calls = intake.stats.accepted();
    assert!(calls.len() >= 2, "{} calls", calls.len());
    for call in calls {
        assert!(call.content.split_payload);
        assert!(stats::entries(&call.content).count() <= 4000);
    }
}

/// What would fill the memory is counted all the same, under one name.
#[test]
fn resources_without_end_are_counted_together() {
    let line = Line::start();
    let ended = spans::now_nanos();
    for first in (0..25_000).step_by(5000) {
        line.send(TRACES, &with_resources(ended, first..first + 5000, 200));
    }
    let intake = line.stop();
    assert_eq!(hits(&intake), 25_000);
    let resources: BTreeSet<String> =
        groups(&intake).into_iter().map(|group| group.resource).collect();
    assert!((10_000..25_000).contains(&resources.len()), "{} resources", resources.len());
    assert!(resources.contains("tracer_blocked_value"));
}

/// The intake's real limits are not all known; one that is lower than the documented ones only makes more calls.
#[test]
fn a_call_that_the_intake_finds_too_large_is_split_at_every_endpoint() {
    let line = Line::start();
    let limit = Limit { items: 7, ..Limit::NONE };
    line.intake.traces.answer_when(limit.enforced());
    line.intake.series.answer_when(limit.enforced());
    line.intake.logs.answer_when(limit.enforced());
    let (traces, metrics, logs) = (spans::request(50), points::request(50), records::request(50));
    line.send(TRACES, &traces);
    line.send(METRICS, &metrics);
    line.send(LOGS, &logs);
    line.intake.traces.wait_for_spans(&spans::ids(&traces));
    line.intake.logs.wait_for_spans(&records::ids(&logs));
    assert_series_once(&line.intake, &points::names(&metrics));
    line.intake.traces.assert_delivered_once(&spans::ids(&traces));
    line.intake.logs.assert_delivered_once(&records::ids(&logs));
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, 150);
    assert_eq!((branch.delivered, branch.refused), (150.0, 0.0), "{branch:?}");
}

#[test]
fn an_item_that_the_intake_finds_too_large_is_dropped_alone() {
    let line = Line::start();
    let limit = Limit { plain_bytes: 20_000, ..Limit::NONE };
    line.intake.traces.answer_when(limit.enforced());
    let mut request = spans::request(10);
    let large = &mut request.resource_spans[0].scope_spans[0].spans[4];
    large.attributes.extend((0..3).map(|number| noisy(&format!("noise.{number}"), 10_000)));
    let mut ids = spans::ids(&request);
    ids.remove(4);
    line.send(TRACES, &request);
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, 10);
    assert_eq!((branch.delivered, branch.dropped), (9.0, 1.0), "{branch:?}");
    let labels = [("exporter", EXPORTER), ("reason", "too_large")];
    let metrics = Metrics::read(line.gateway.metrics);
    assert_eq!(metrics.sum("otelcol_exporter_dropped_items", &labels), 1.0);
    line.intake.traces.assert_delivered_once(&ids);
}
