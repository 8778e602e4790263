use pipeline::testing::{PATIENCE, within_patience};

use super::*;
use crate::telemetry::EventKind;

fn hub(limit_bytes: usize) -> (Arc<Hub>, Registry) {
    let registry = Registry::new();
    (Hub::new(&registry, MemoryBudget::new(limit_bytes, limit_bytes)), registry)
}

fn run(hub: &Arc<Hub>) {
    let hub = hub.clone();
    let _running = tokio::spawn(async move { hub.run(std::future::pending()).await });
}

fn dropped(registry: &Registry, reason: EventDropReason) -> u64 {
    let labels = [(label::REASON, reason.as_str())];
    registry.counter(&names::LAMBDA_TELEMETRY_DROPPED_EVENTS, &labels).get()
}

const BATCH: &[u8] = br#"[{"type":"function","record":"line"},
    {"type":"platform.runtimeDone","record":{"requestId":"r1","status":"success"}}]"#;

#[tokio::test]
async fn lifecycle_hears_of_a_batch_only_when_the_receiver_has_taken_it() {
    let (hub, _registry) = hub(usize::MAX);
    let mut intake = hub.attach(Types::ALL, 0);
    let mut observer = hub.observe();
    run(&hub);
    hub.receive(Bytes::from_static(BATCH)).await;
    let delivery = within_patience("the batch", intake.next()).await.unwrap();
    assert_eq!(delivery.len(), 2);
    tokio::task::yield_now().await;
    assert!(observer.try_next().is_none(), "the receiver still has it in hand");
    drop(delivery);
    let platform = within_patience("the platform's events", observer.next()).await.unwrap();
    assert_eq!(platform.len(), 1, "lines are nothing to the lifecycle");
    assert_eq!(platform[0].request_id(), Some("r1"));
}

#[tokio::test(start_paused = true)]
async fn receiver_that_hangs_delays_the_lifecycle_for_a_moment_only_and_counts_what_it_misses() {
    let (hub, registry) = hub(usize::MAX);
    let mut intake = hub.attach(Types::ALL, 0);
    let mut observer = hub.observe();
    run(&hub);
    let mut held = Vec::new();
    for _ in 0..INTAKE_BATCHES + 3 {
        hub.receive(Bytes::from_static(BATCH)).await;
        within_patience("the platform's events", observer.next()).await.unwrap();
        if held.is_empty() {
            held.push(intake.next().await);
        }
    }
    assert_eq!(dropped(&registry, EventDropReason::Backlog), 4, "two batches of two events");
}

#[tokio::test]
async fn what_comes_before_the_pipelines_run_waits_for_them() {
    let (hub, _registry) = hub(usize::MAX);
    hub.receive(Bytes::from_static(BATCH)).await;
    let mut intake = hub.attach(Types::ALL, 0);
    run(&hub);
    assert_eq!(within_patience("the batch", intake.next()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn spent_budget_costs_lines_but_no_platform_event() {
    let (hub, registry) = hub(BATCH.len() + 10);
    let mut observer = hub.observe();
    let mut intake = hub.attach(Types::ALL, 0);
    hub.receive(Bytes::from_static(BATCH)).await;
    hub.receive(Bytes::from_static(BATCH)).await;
    run(&hub);
    let lens = [intake.next().await.unwrap().len(), intake.next().await.unwrap().len()];
    assert_eq!(lens, [2, 1]);
    assert_eq!(dropped(&registry, EventDropReason::BudgetSpent), 1);
    within_patience("the first batch", observer.next()).await.unwrap();
    let second = within_patience("the second batch", observer.next()).await.unwrap();
    assert_eq!(second[0].kind, EventKind::RuntimeDone);
    drop(intake);
    assert!(hub.settled(Deadline::after(PATIENCE)).await);
    assert_eq!(hub.budget.held_bytes(), 0, "the share is given back");
}

#[tokio::test]
async fn six_megabytes_of_lines_in_one_go_lose_nothing() {
    let (hub, registry) = hub(8 << 20);
    let line = "x".repeat(1000);
    let batch: Vec<_> =
        (0..250).map(|_| serde_json::json!({"type": "function", "record": line})).collect();
    let batch = Bytes::from(serde_json::to_vec(&batch).unwrap());
    for _ in 0..24 {
        hub.receive(batch.clone()).await;
    }
    let mut intake = hub.attach(Types::ALL, 0);
    run(&hub);
    let mut lines = 0;
    while lines < 24 * 250 {
        lines += within_patience("all lines", intake.next()).await.unwrap().len();
    }
    assert_eq!(lines, 24 * 250);
    for reason in EventDropReason::ALL {
        assert_eq!(dropped(&registry, *reason), 0, "{reason:?}");
    }
}

#[tokio::test]
async fn hub_that_is_told_to_stop_passes_on_what_has_come() {
    let (hub, registry) = hub(usize::MAX);
    let mut observer = hub.observe();
    for _ in 0..3 {
        hub.receive(Bytes::from_static(BATCH)).await;
    }
    hub.receive(Bytes::from_static(b"[7")).await;
    within_patience("the hub's end", hub.run(std::future::ready(()))).await;
    assert!(hub.settled(Deadline::after(PATIENCE)).await);
    let mut batches = 0;
    while observer.try_next().is_some() {
        batches += 1;
    }
    assert_eq!(batches, 3);
    assert_eq!(dropped(&registry, EventDropReason::Malformed), 2, "an odd element and the break");
    within_patience("a second run", hub.run(std::future::pending())).await;
}

#[tokio::test(start_paused = true)]
async fn more_batches_than_there_are_places_are_counted() {
    let (hub, registry) = hub(usize::MAX);
    for _ in 0..=WAITING_BATCHES {
        hub.receive(Bytes::from_static(BATCH)).await;
    }
    assert_eq!(dropped(&registry, EventDropReason::Backlog), 1);
}

#[test]
fn wishes_of_all_receivers_are_one() {
    let (hub, _registry) = hub(usize::MAX);
    assert_eq!((hub.wanted_types(), hub.wanted_port()), (Types::default(), 0));
    let function = Types { function: true, ..Types::default() };
    let _first = hub.attach(function, 0);
    let _second = hub.attach(Types::PLATFORM, 4325);
    assert_eq!(hub.wanted_types().names(), ["platform", "function"]);
    assert_eq!(hub.wanted_port(), 4325);
}

#[tokio::test]
async fn what_an_invocations_start_says_of_the_function_is_noted() {
    let (hub, _registry) = hub(usize::MAX);
    let variables = |name: &str| (name == "AWS_LAMBDA_FUNCTION_NAME").then(|| "orders".to_owned());
    let function = Arc::new(Function::of(variables).unwrap());
    hub.inform(function.clone());
    hub.receive(Bytes::from_static(
        br#"[{"type":"platform.start","record":{"requestId":"1","functionArn":"arn:aws:lambda:eu-west-1:123456789012:function:orders:3",
            "tracing":{"value":"Root=1-00000000-00000000000000000000000a;Sampled=1"}}}]"#,
    ))
    .await;
    hub.run(std::future::ready(())).await;
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders";
    assert_eq!(function.arn().as_deref(), Some(arn));
    let mut trace = [0; 16];
    trace[15] = 10;
    assert!(function.is_in_trace(&trace));
}
