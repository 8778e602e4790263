use std::fs::File;
use std::os::fd::OwnedFd;

use confmap::{Diagnostics, Node, Section};
use pipeline::testing::{envelope, within_patience};
use pipeline::{Class, ComponentKind, Deadline, Envelope, Process};
use telemetry::{LogSettings, MetricsLevel};

use super::*;
use crate::fixtures;
use crate::output::Patience;

const IMPATIENT: Patience = Patience { stall: Duration::ZERO, total: Duration::from_secs(60) };

fn context(process: &Process, signal: Signal) -> Context {
    let id = "debug/test".parse().unwrap();
    Context::new(process.clone(), ComponentKind::Exporter, id, Some(signal), None)
}

/// The exporter that the factory makes of a section.
async fn started(yaml: &str, process: &Process, signal: Signal) -> Arc<dyn Exporter> {
    let node = Node::from_yaml("test.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let section = Section::new(Some(&node), "exporters::debug", &diagnostics);
    let build = (crate::FACTORY.parse)(section);
    assert!(diagnostics.is_empty(), "{diagnostics}");
    let exporter = build(context(process, signal)).unwrap();
    exporter.start().await.unwrap();
    exporter
}

/// An exporter of traces to this file.
async fn to_file(file: File, process: &Process) -> Arc<dyn Exporter> {
    let config = Config { destination: Destination::Paths(Vec::new()), ..Config::default() };
    let outputs = Arc::new(Outputs::to_files(vec![file], IMPATIENT));
    exporter(&config, context(process, Signal::Traces), outputs).unwrap()
}

async fn consume(
    exporter: &Arc<dyn Exporter>,
    envelope: Envelope,
) -> Result<(), pipeline::ConsumeError> {
    within_patience("the payload to be printed", exporter.consume(envelope)).await
}

fn metrics(process: &Process) -> String {
    telemetry::render(&process.registry, MetricsLevel::Detailed)
}

#[tokio::test]
async fn every_verbosity_prints_what_the_collector_prints_to_paths() {
    // The texts on file were printed by the Collector's exporter 0.164 (`use_internal_logger: false`).
    for case in fixtures::cases("format") {
        for verbosity in ["basic", "normal", "detailed"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("out");
            let yaml = format!(
                "{{verbosity: {verbosity}, use_internal_logger: false, output_paths: [{path:?}]}}"
            );
            let (payload, process) = (fixtures::input(&case), Process::default());
            let exporter = started(&yaml, &process, payload.signal()).await;
            consume(&exporter, Envelope::of(payload.clone())).await.unwrap();
            let text = std::fs::read(&path).unwrap();
            fixtures::check(&case, &format!("{verbosity}.txt"), &text);
            let delivered = format!(
                "otelcol_exporter_delivered_items{{exporter=\"debug/test\",data_type=\"{}\"}} {}\n",
                payload.signal(),
                payload.items()
            );
            assert!(metrics(&process).contains(&delivered), "{}", metrics(&process));
        }
    }
}

#[tokio::test]
async fn by_default_the_summary_is_a_record_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log").to_str().unwrap().to_owned();
    let early = telemetry::logs::Early::new();
    let guard = tracing::dispatcher::set_default(&early.dispatch());
    let settings = LogSettings {
        output_paths: vec![path.clone()],
        disable_caller: true,
        ..LogSettings::default()
    };
    let _logger = early.install(&settings).unwrap();
    for (signal, expected) in [
        (
            Signal::Traces,
            "Traces\t{\"otelcol.component.id\": \"debug/test\", \"otelcol.component.kind\": \"exporter\", \"otelcol.signal\": \"traces\", \"resource spans\": 1, \"spans\": 3}",
        ),
        (
            Signal::Metrics,
            "Metrics\t{\"otelcol.component.id\": \"debug/test\", \"otelcol.component.kind\": \"exporter\", \"otelcol.signal\": \"metrics\", \"resource metrics\": 1, \"metrics\": 1, \"data points\": 3}",
        ),
        (
            Signal::Logs,
            "Logs\t{\"otelcol.component.id\": \"debug/test\", \"otelcol.component.kind\": \"exporter\", \"otelcol.signal\": \"logs\", \"resource logs\": 1, \"log records\": 3}",
        ),
    ] {
        let exporter = started("{}", &Process::default(), signal).await;
        consume(&exporter, envelope(signal, 3)).await.unwrap();
        let log = std::fs::read_to_string(&path).unwrap();
        let line = log.lines().last().unwrap();
        assert!(line.ends_with(&format!("\tinfo\t{expected}")), "{line}");
    }
    drop(guard);
}

#[tokio::test]
async fn text_follows_the_summary_where_the_log_shows_it() {
    let case = fixtures::cases("format").into_iter().find(|case| case.ends_with("spans")).unwrap();
    let payload = fixtures::input(&case);
    for (level, expected) in [
        (telemetry::LogLevel::Info, normal::format(&payload)),
        (telemetry::LogLevel::Warn, Vec::new()),
    ] {
        let early = telemetry::logs::Early::new();
        let guard = tracing::dispatcher::set_default(&early.dispatch());
        let settings = LogSettings { level, output_paths: Vec::new(), ..LogSettings::default() };
        let _logger = early.install(&settings).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stderr");
        let outputs = Outputs::to_files(vec![File::create(&path).unwrap()], IMPATIENT);
        let config = Config { verbosity: Verbosity::Normal, ..Config::default() };
        let context = context(&Process::default(), Signal::Traces);
        let exporter = exporter(&config, context, Arc::new(outputs)).unwrap();
        consume(&exporter, Envelope::of(payload.clone())).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), expected, "{level}");
        drop(guard);
    }
}

#[tokio::test(start_paused = true)]
async fn payload_that_is_sampled_out_counts_and_is_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let yaml = format!(
        "{{sampling_initial: 1, sampling_thereafter: 2, use_internal_logger: false, output_paths: [{path:?}]}}"
    );
    let process = Process::default();
    let exporter = started(&yaml, &process, Signal::Traces).await;
    for spans in [1, 2, 4] {
        consume(&exporter, envelope(Signal::Traces, spans)).await.unwrap();
    }
    let expected = "Traces\t{\"resource spans\": 1, \"spans\": 1}\nTraces\t{\"resource spans\": 1, \"spans\": 4}\n";
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    assert!(metrics(&process).contains("otelcol_exporter_sent_spans{exporter=\"debug/test\"} 7\n"));
}

#[tokio::test]
async fn sender_is_not_told_of_an_output_that_is_gone_and_the_items_are_counted() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let process = Process::default();
    let exporter = to_file(File::from(OwnedFd::from(writer)), &process).await;
    consume(&exporter, envelope(Signal::Traces, 5)).await.unwrap();
    let refused = "otelcol_exporter_refused_items{exporter=\"debug/test\",data_type=\"traces\",reason=\"partial_success\"} 5\n";
    assert!(metrics(&process).contains(refused), "{}", metrics(&process));
}

#[tokio::test]
async fn sender_keeps_what_nobody_reads() {
    let (_reader, writer) = std::io::pipe().unwrap();
    let process = Process::default();
    let exporter = to_file(File::from(OwnedFd::from(writer)), &process).await;
    let mut sent = 0;
    let refusal = loop {
        match consume(&exporter, envelope(Signal::Traces, 1)).await {
            Ok(()) => sent += 1,
            Err(refusal) => break refusal,
        }
        assert!(sent < 10_000, "the pipe never fills");
    };
    assert!(refusal.is_retryable() && refusal.class != Class::Closed, "{refusal:?}");
    assert_eq!(refusal.code, Some(GrpcCode::Unavailable));
}

#[tokio::test]
async fn sending_queue_prints_later_and_loses_nothing_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let yaml =
        format!("{{use_internal_logger: false, output_paths: [{path:?}], sending_queue: {{}}}}");
    let exporter = started(&yaml, &Process::default(), Signal::Logs).await;
    for _ in 0..5 {
        consume(&exporter, envelope(Signal::Logs, 2)).await.unwrap();
    }
    assert_eq!(exporter.shutdown(Deadline::after(Duration::from_secs(60))).await, 0);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, "Logs\t{\"resource logs\": 1, \"log records\": 2}\n".repeat(5));
}

#[tokio::test]
async fn file_that_cannot_be_opened_fails_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let outputs = Arc::new(Outputs::new(vec![folder.path().to_str().unwrap().to_owned()]));
    let exporter =
        exporter(&Config::default(), context(&Process::default(), Signal::Logs), outputs);
    let error = exporter.unwrap().start().await.unwrap_err();
    assert!(error.to_string().contains("output_paths"), "{error}");
}
