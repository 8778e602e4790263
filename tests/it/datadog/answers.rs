//! Every answer that the intake can give, at every endpoint of a signal's: sent again, refused or given up, with exact accounts.

use std::time::Duration;

use tests::answer::Answer;
use tests::datadog::Settings;
use tests::gateway::log_records;
use tests::metrics::{Branch, Metrics};
use tests::{points, records, spans};

use super::{EXPORTER, LOGS, Line, METRICS, TRACES, assert_series_once};

/// A signal, and its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Traces,
    Metrics,
    Logs,
}

const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Metrics, Signal::Logs];

/// Calls a method of the signal's desk.
macro_rules! desk {
    ($line:expr, $signal:expr, $desk:ident => $call:expr) => {
        match $signal {
            Signal::Traces => {
                let $desk = &$line.intake.traces;
                $call
            }
            Signal::Metrics => {
                let $desk = &$line.intake.series;
                $call
            }
            Signal::Logs => {
                let $desk = &$line.intake.logs;
                $call
            }
        }
    };
}

impl Signal {
    /// Sends so many items and returns the check that each of them arrived once.
    fn send(self, line: &Line, count: usize) -> Box<dyn Fn(&Line)> {
        match self {
            Self::Traces => {
                let request = spans::request(count);
                line.send(TRACES, &request);
                Box::new(move |line| {
                    line.intake.traces.wait_for_spans(&spans::ids(&request));
                    line.intake.traces.assert_delivered_once(&spans::ids(&request));
                })
            }
            Self::Metrics => {
                let request = points::request(count);
                line.send(METRICS, &request);
                Box::new(move |line| assert_series_once(&line.intake, &points::names(&request)))
            }
            Self::Logs => {
                let request = records::request(count);
                line.send(LOGS, &request);
                Box::new(move |line| {
                    line.intake.logs.wait_for_spans(&records::ids(&request));
                    line.intake.logs.assert_delivered_once(&records::ids(&request));
                })
            }
        }
    }
}

/// APM stats would be calls of their own.
fn without_stats(settings: Settings) -> Settings {
    settings.traces("compute_stats: never")
}

#[test]
fn what_may_pass_is_sent_again_and_arrives_once() {
    for signal in SIGNALS {
        let line = Line::start_with(without_stats);
        let answers = [403, 408, 429, 500, 502, 503, 504].map(Answer::status);
        let attempts = answers.len() + 2;
        desk!(line, signal, desk => desk.answer_next(answers.into_iter().chain([Answer::Close])));
        let assert_once = signal.send(&line, 4);
        assert_once(&line);
        let count = desk!(line, signal, desk => desk.requests().len());
        assert_eq!(count, attempts, "{signal:?}");
        let branch = Branch::settled(line.gateway.metrics, EXPORTER, 4);
        assert_eq!(branch.delivered, 4.0, "{signal:?}: {branch:?}");
    }
}

#[test]
fn an_answer_that_never_comes_is_given_up_and_the_call_made_again() {
    for signal in SIGNALS {
        let line = Line::start_with(|settings| without_stats(settings).more("timeout: 300ms"));
        desk!(line, signal, desk => desk.answer_next([Answer::Stall]));
        let assert_once = signal.send(&line, 4);
        assert_once(&line);
        line.intake.release();
    }
}

#[test]
fn a_delay_that_the_intake_asks_for_is_kept() {
    for signal in SIGNALS {
        let line = Line::start_with(without_stats);
        desk!(line, signal, desk => desk.answer_next([Answer::status_retry_after(429, 1)]));
        let assert_once = signal.send(&line, 1);
        assert_once(&line);
        let times: Vec<_> = desk!(line, signal, desk => {
            desk.requests().iter().map(|entry| entry.at).collect()
        });
        // The retries of this configuration would come after 20 ms.
        let waited = times[1] - times[0];
        assert!(waited >= Duration::from_secs(1), "{signal:?} again after {waited:?}");
    }
}

/// 400 is about something in the call, so halves are tried; 401 is about every call.
#[test]
fn a_refusal_is_counted_and_said_once() {
    for signal in SIGNALS {
        for (code, item_count, calls) in [(401, 8, 1), (400, 1, 1)] {
            let line = Line::start_with(without_stats);
            desk!(line, signal, desk => desk.answer_always(Answer::status(code)));
            let _check = signal.send(&line, item_count);
            let branch = Branch::settled(line.gateway.metrics, EXPORTER, item_count);
            assert_eq!(branch.refused, item_count as f64, "{signal:?} {code}: {branch:?}");
            let count = desk!(line, signal, desk => desk.requests().len());
            assert_eq!(count, calls, "{signal:?} {code}");
            let labels = [("exporter", EXPORTER), ("reason", "permanent")];
            let metrics = Metrics::read(line.gateway.metrics);
            let refused = metrics.sum("otelcol_exporter_refused_items", &labels);
            assert_eq!(refused, item_count as f64, "{signal:?} {code}");
            let log = line.agent.log();
            let said = log_records(&log).into_iter().filter(|record| {
                ["error", "warn"].contains(&record["level"].as_str().unwrap_or_default())
                    && record.to_string().contains(&code.to_string())
            });
            assert_eq!(said.count(), 1, "{signal:?} {code}: {log}");
            // The next one goes through.
            desk!(line, signal, desk => desk.answer_always(Answer::Accept));
            let assert_once = signal.send(&line, 1);
            assert_once(&line);
        }
    }
}

#[test]
fn a_spent_retry_budget_is_a_counted_drop() {
    for signal in SIGNALS {
        let line = Line::start_with(|settings| {
            without_stats(settings).retries(
                "retry_on_failure: { initial_interval: 10ms, max_interval: 20ms, max_elapsed_time: 200ms }",
            )
        });
        desk!(line, signal, desk => desk.answer_always(Answer::status(503)));
        let _check = signal.send(&line, 4);
        let branch = Branch::settled(line.gateway.metrics, EXPORTER, 4);
        assert_eq!((branch.dropped, branch.delivered), (4.0, 0.0), "{signal:?}: {branch:?}");
    }
}

/// One request of metrics becomes calls to two endpoints; what one of them has taken is not sent again for the other.
#[test]
fn an_outage_of_one_metrics_endpoint_doubles_nothing_at_the_other() {
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;
    use opentelemetry_proto::tonic::metrics::v1::{
        AggregationTemporality, Histogram, HistogramDataPoint,
    };
    let line = Line::start();
    line.intake.sketches.answer_next([503, 429, 500].map(Answer::status));
    let point = HistogramDataPoint {
        time_unix_nano: spans::now_nanos(),
        count: 2,
        sum: Some(3.0),
        explicit_bounds: vec![1.0],
        bucket_counts: vec![1, 1],
        ..Default::default()
    };
    let delta = AggregationTemporality::Delta.into();
    let histogram = Histogram { data_points: vec![point], aggregation_temporality: delta };
    let mut request = points::request(5);
    let metrics = &mut request.resource_metrics[0].scope_metrics[0].metrics;
    let names: Vec<String> = metrics.iter().map(|metric| metric.name.clone()).collect();
    metrics.push(points::metric("tests.histogram", Data::Histogram(histogram)));
    line.send(METRICS, &request);
    line.intake
        .sketches
        .wait_for("a sketch to be taken", |calls| calls.iter().any(|call| call.accepted));
    assert_series_once(&line.intake, &names);
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, 6);
    assert_eq!(branch.delivered, 6.0, "{branch:?}");
    assert_eq!(line.intake.sketches.accepted().len(), 1);
}
