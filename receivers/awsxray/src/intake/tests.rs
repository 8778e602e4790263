use std::sync::Arc;

use pipeline::testing::{Recorder, within_patience};
use pipeline::{Class, ComponentKind, MemoryBudget, Process};
use tokio::time::Instant;

use super::*;

fn segment(id: u64) -> Vec<u8> {
    let document = format!(
        r#"{{"name":"shop","id":"{id:016x}","trace_id":"1-6554ab10-a1b2c3d4e5f60718293a4b5c","start_time":1,"end_time":2}}"#
    );
    format!("{{\"format\":\"json\",\"version\":1}}\n{document}").into_bytes()
}

fn intake(process: &Process, next: &Recorder) -> Arc<Intake> {
    let (id, kind) = ("awsxray".parse().unwrap(), ComponentKind::Receiver);
    let context = Context::new(process.clone(), kind, id, None, None);
    Arc::new(Intake::new(&context, Outlet::to(Arc::new(next.clone()))))
}

fn assert_shown(process: &Process, lines: &[&str]) {
    let metrics = telemetry::render(&process.registry, telemetry::MetricsLevel::Normal);
    for line in lines {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn segments_reach_the_pipelines_together_and_are_counted() {
    let (process, next) = (Process::default(), Recorder::default());
    let intake = intake(&process, &next);
    let (queue, waiting) = queue();
    for id in 1..=60 {
        intake.take(&segment(id), &queue);
    }
    intake.take(b"nonsense", &queue);
    drop(queue);
    intake.hand_on(waiting, || false).await;
    assert_eq!((next.items(), next.offers()), (60, 2), "50 together, and the others");
    drop(next.envelopes());
    assert_shown(
        &process,
        &[
            "otelcol_receiver_accepted_spans{receiver=\"awsxray\",transport=\"udp\"} 60",
            "otelcol_receiver_failed_spans{receiver=\"awsxray\",transport=\"udp\"} 1",
            "otelcol_receiver_requests{receiver=\"awsxray\",transport=\"udp\",outcome=\"success\"} 60",
            "otelcol_receiver_requests{receiver=\"awsxray\",transport=\"udp\",outcome=\"failure\"} 1",
        ],
    );
    assert_eq!(intake.give_up(), 0);
}

#[tokio::test]
async fn what_the_queue_or_the_memory_budget_has_no_room_for_is_dropped_and_counted() {
    let (mut process, next) = (Process::default(), Recorder::default());
    let of_queue = intake(&process, &next);
    let (queue, waiting) = queue();
    for id in 0..QUEUED_MAX as u64 + 7 {
        of_queue.take(&segment(id + 1), &queue);
    }
    assert_shown(
        &process,
        &["otelcol_receiver_refused_spans{receiver=\"awsxray\",transport=\"udp\"} 7"],
    );
    drop(queue);
    of_queue.hand_on(waiting, || false).await;
    assert_eq!(next.items(), QUEUED_MAX);

    process = Process::default();
    process.budget = MemoryBudget::new(100, 150);
    let of_budget = intake(&process, &next);
    let (queue, _waiting) = super::queue();
    of_budget.take(&segment(1), &queue);
    let held = process.budget.held_bytes();
    assert!(held > 0, "what waits is held");
    of_budget.take(&segment(2), &queue);
    assert_eq!(process.budget.held_bytes(), held);
    assert_shown(
        &process,
        &[
            "otelcol_receiver_refused_spans{receiver=\"awsxray\",transport=\"udp\"} 1",
            "otelcol_receiver_requests{receiver=\"awsxray\",transport=\"udp\",outcome=\"refused\"} 1",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn pipelines_without_room_are_asked_again_until_they_have_some() {
    let (process, next) = (Process::default(), Recorder::default());
    let intake = intake(&process, &next);
    let (queue, waiting) = queue();
    intake.take(&segment(1), &queue);
    drop(queue);
    next.refuse(Some(ConsumeError::overloaded("full")));
    let handing = tokio::spawn({
        let intake = intake.clone();
        async move { intake.hand_on(waiting, || false).await }
    });
    next.wait_for_offers(3).await;
    next.refuse(None);
    within_patience("the segments to be handed on", handing).await.unwrap();
    assert_eq!(next.items(), 1);
    assert_shown(
        &process,
        &["otelcol_receiver_accepted_spans{receiver=\"awsxray\",transport=\"udp\"} 1"],
    );
}

#[tokio::test(start_paused = true)]
async fn segments_are_dropped_when_it_took_too_long_when_it_never_will_and_at_the_end() {
    for (error, is_stopping, seconds) in [
        (ConsumeError::overloaded("full"), false, 5),
        (ConsumeError::overloaded("full").retry_after(Duration::from_secs(60)), false, 5),
        (ConsumeError::new(Class::Retryable, "down"), true, 0),
        (ConsumeError::permanent("never"), false, 0),
    ] {
        let (process, next) = (Process::default(), Recorder::default());
        let intake = intake(&process, &next);
        let (queue, waiting) = queue();
        intake.take(&segment(1), &queue);
        drop(queue);
        next.refuse(Some(error.clone()));
        let begun = Instant::now();
        intake.hand_on(waiting, || is_stopping).await;
        assert_eq!(begun.elapsed().as_secs(), seconds, "{error:?}");
        assert_shown(
            &process,
            &["otelcol_receiver_refused_spans{receiver=\"awsxray\",transport=\"udp\"} 1"],
        );
        assert_eq!(process.budget.held_bytes(), 0);
    }
}

#[tokio::test]
async fn what_is_held_when_nobody_works_on_it_any_more_is_given_up_and_counted() {
    let (process, next) = (Process::default(), Recorder::default());
    let intake = intake(&process, &next);
    let (queue, waiting) = queue();
    intake.take(&segment(1), &queue);
    intake.take(&segment(2), &queue);
    drop(waiting);
    assert_eq!(intake.give_up(), 2);
    assert_eq!(intake.give_up(), 0);
    assert_shown(
        &process,
        &["otelcol_receiver_refused_spans{receiver=\"awsxray\",transport=\"udp\"} 2"],
    );
}
