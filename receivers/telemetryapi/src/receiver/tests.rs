use std::io::{Read, Write};
use std::net::TcpStream;

use confmap::{Diagnostics, Node, Section};
use lambda::telemetry::Listener;
use pipeline::testing::{PATIENCE, Recorder, within_patience};
use pipeline::{ComponentKind, MemoryBudget, Outlet, Process};

use super::*;

struct Bench {
    receiver: TelemetryApi,
    hub: Option<Arc<Hub>>,
    logs: Recorder,
    metrics: Recorder,
    traces: Recorder,
}

fn bench(section: &str, with_hub: bool) -> Bench {
    let node = Node::from_yaml("test.yaml", section).unwrap();
    let diagnostics = Diagnostics::new();
    let section = Section::new(Some(&node), "receivers::telemetryapi", &diagnostics);
    let config = Arc::new(Config::read(section));
    let process = Process::default();
    let hub = with_hub.then(|| Hub::new(&process.registry, MemoryBudget::default()));
    if let Some(hub) = &hub {
        process.provide(hub.clone());
    }
    let id = "telemetryapi".parse().unwrap();
    let context = Context::new(process, ComponentKind::Receiver, id, None, None);
    let (logs, metrics, traces) = (Recorder::default(), Recorder::default(), Recorder::default());
    let outlet = |recorder: &Recorder| Outlet::to(Arc::new(recorder.clone()));
    let outlets = Outlets::default()
        .with(Signal::Logs, outlet(&logs))
        .with(Signal::Metrics, outlet(&metrics))
        .with(Signal::Traces, outlet(&traces));
    let environment = Environment::of([("AWS_LAMBDA_FUNCTION_NAME", "orders")]);
    let receiver = TelemetryApi::new(config, context, outlets, &environment);
    Bench { receiver, hub, logs, metrics, traces }
}

/// Has the hub pass on what comes, until the test ends.
fn run(hub: &Arc<Hub>) -> tokio::task::JoinHandle<()> {
    let hub = hub.clone();
    tokio::spawn(async move { hub.run(std::future::pending()).await })
}

const BATCH: &str = r#"[{"time":"2026-08-01T00:00:00Z","type":"function","record":"line"},
    {"time":"2026-08-01T00:00:00Z","type":"platform.runtimeDone","record":{"requestId":"1","status":"success","metrics":{"durationMs":5}}}]"#;

/// Posts a batch as the platform does.
async fn post(port: u16) {
    let posted = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let length = BATCH.len();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{BATCH}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    });
    within_patience("the answer", posted).await.unwrap();
}

#[tokio::test]
async fn without_lambda_the_start_is_refused_with_what_to_do() {
    let bench = bench("{}", false);
    let error = bench.receiver.start().await.unwrap_err().to_string();
    assert!(error.contains("only the Lambda extension has"), "{error}");
    assert_eq!(bench.receiver.shutdown(Deadline::after(PATIENCE)).await, 0);
}

#[tokio::test]
async fn lifecycle_hears_of_an_end_when_its_telemetry_is_in_the_pipelines() {
    let bench = bench("{export_interval_ms: 0, port: 0}", true);
    let hub = bench.hub.clone().unwrap();
    bench.receiver.start().await.unwrap();
    assert_eq!(hub.wanted_types().names(), ["platform", "function", "extension"]);
    let mut observer = hub.observe();
    let listener = Listener::open(hub.clone(), 0).unwrap();
    let _running = run(&hub);
    post(listener.port()).await;
    let events = within_patience("the platform's events", observer.next()).await.unwrap();
    assert_eq!(events[0].request_id(), Some("1"));
    // Not a wait: all of it is there by now.
    assert_eq!((bench.logs.items(), bench.traces.items(), bench.metrics.items()), (2, 1, 2));
    listener.shutdown(Deadline::after(PATIENCE)).await;
    bench.receiver.shutdown(Deadline::after(PATIENCE)).await;
}

#[tokio::test(start_paused = true)]
async fn exports_with_each_batch_need_no_timer() {
    assert!(timer(Duration::ZERO).is_none());
    let every = Duration::from_millis(250);
    let begun = Instant::now();
    tick(&mut timer(every)).await;
    assert_eq!(begun.elapsed(), every);
}

#[tokio::test]
async fn what_is_counted_since_the_last_export_leaves_at_shutdown() {
    let bench = bench("{}", true);
    let hub = bench.hub.clone().unwrap();
    bench.receiver.start().await.unwrap();
    let listener = Listener::open(hub.clone(), 0).unwrap();
    post(listener.port()).await;
    within_patience("the batch", hub.run(std::future::ready(()))).await;
    assert_eq!(bench.metrics.items(), 0, "it is not time yet");
    bench.receiver.shutdown(Deadline::after(PATIENCE)).await;
    assert_eq!(bench.metrics.items(), 2);
    listener.shutdown(Deadline::after(PATIENCE)).await;
}

#[tokio::test]
async fn pipeline_without_room_is_asked_again_and_one_that_says_no_is_counted() {
    let bench = bench("{}", true);
    let hub = bench.hub.clone().unwrap();
    bench.receiver.start().await.unwrap();
    let listener = Listener::open(hub.clone(), 0).unwrap();
    bench.logs.refuse(Some(ConsumeError::overloaded("full")));
    bench.traces.refuse(Some(ConsumeError::permanent("no")));
    post(listener.port()).await;
    let running = run(&hub);
    bench.logs.wait_for_offers(2).await;
    bench.logs.refuse(None);
    bench.logs.wait_for_items(2).await;
    bench.receiver.shutdown(Deadline::after(PATIENCE)).await;
    let page =
        telemetry::render(&bench.receiver.context.process.registry, telemetry::MetricsLevel::Basic);
    for line in [
        "otelcol_receiver_accepted_log_records{receiver=\"telemetryapi\",transport=\"http\"} 2",
        "otelcol_receiver_refused_spans{receiver=\"telemetryapi\",transport=\"http\"} 1",
        "hikyaku_lambda_telemetry_dropped_events{reason=\"refused\"} 1",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
    running.abort();
    listener.shutdown(Deadline::after(PATIENCE)).await;
}

#[tokio::test]
async fn what_the_pipelines_have_not_taken_by_the_deadline_is_counted() {
    let bench = bench("{}", true);
    let hub = bench.hub.clone().unwrap();
    bench.receiver.start().await.unwrap();
    let listener = Listener::open(hub.clone(), 0).unwrap();
    let mut observer = hub.observe();
    bench.logs.close(true);
    let running = run(&hub);
    post(listener.port()).await;
    post(listener.port()).await;
    // The hub tells of a batch when it has waited for it in vain: the second is behind the first then.
    for batch in ["the first batch", "the second batch"] {
        within_patience(batch, observer.next()).await.unwrap();
    }
    bench.logs.wait_for_offers(1).await;
    let lost = bench.receiver.shutdown(Deadline::after(Duration::ZERO)).await;
    assert_eq!(bench.traces.items(), 1, "spans go first");
    assert_eq!(lost, 2 + 2 + 2, "records in hand, metrics not exported, events of the next batch");
    let page =
        telemetry::render(&bench.receiver.context.process.registry, telemetry::MetricsLevel::Basic);
    let line = "hikyaku_lambda_telemetry_dropped_events{reason=\"shutdown\"} 6";
    assert!(page.contains(line), "{page}");
    assert_eq!(bench.receiver.shutdown(Deadline::after(Duration::ZERO)).await, 0, "counted once");
    running.abort();
    listener.shutdown(Deadline::after(PATIENCE)).await;
}
