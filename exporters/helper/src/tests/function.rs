//! Beside a function that is frozen between invocations.

use pipeline::Gate;

use super::*;

/// A rig beside a function, and the gate of its process, which is closed.
fn beside(settings: Settings, backend: Backend) -> (Rig, Gate) {
    let gate = Gate::closed();
    (Rig::within(Process::default().beside_function(gate.clone()), settings, backend), gate)
}

async fn flush(rig: &Rig, seconds: u64) -> usize {
    rig.helper.flush(Deadline::after(Duration::from_secs(seconds))).await
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_the_backend_whatever_the_settings_say() {
    let waiting = Queue { wait_for_result: true, block_on_overflow: true, ..Queue::default() };
    for settings in [unqueued(), with_queue(waiting)] {
        let (rig, _gate) = beside(settings, Backend::taking_all());
        rig.offer(0..3).await.unwrap();
        assert_eq!(rig.accounts().held, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_at_once() {
    let sizer = config::Sizer::Items;
    let queue = Queue { queue_size: 2, sizer, block_on_overflow: true, ..Queue::default() };
    let (rig, _gate) = beside(with_queue(queue), Backend::taking_all());
    rig.offer(0..1).await.unwrap();
    rig.offer(1..2).await.unwrap();
    let begun = Instant::now();
    assert!(rig.offer(2..3).await.is_err());
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_comes_between_two_flushes_goes_out_in_one_request_with_the_second() {
    let (rig, gate) = beside(queued(), Backend::taking_all());
    gate.open();
    for id in 0..5 {
        rig.offer(id..id + 1).await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    assert!(rig.backend.tries().is_empty());
    assert_eq!(flush(&rig, 10).await, 0);
    assert_eq!(rig.backend.tried_ids(), [[0, 1, 2, 3, 4]]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_while_the_gate_is_closed_and_a_flush_ends_by_its_deadline() {
    let (rig, gate) = beside(queued(), Backend::taking_all());
    rig.offer(0..2).await.unwrap();
    assert_eq!(flush(&rig, 10).await, 2);
    assert!(rig.backend.tries().is_empty());
    gate.open();
    rig.settled().await;
    assert_eq!(rig.accounts(), Accounts::of_delivered(2));
}

#[tokio::test(start_paused = true)]
async fn time_behind_the_closed_gate_does_not_use_up_the_retries() {
    let backend = Backend::answering(|nth, _| if nth < 2 { Fail(unavailable()) } else { Take });
    let (rig, gate) = beside(queued(), backend);
    gate.open();
    rig.offer(0..1).await.unwrap();
    let _left = flush(&rig, 0).await;
    rig.backend.tried(1).await;
    for _ in 0..3 {
        gate.close(Duration::ZERO).await;
        // Far beyond the minute that retries may take.
        tokio::time::sleep(Duration::from_secs(3600)).await;
        gate.open();
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    rig.settled().await;
    assert_eq!(rig.accounts(), Accounts::of_delivered(1));
}

#[tokio::test(start_paused = true)]
async fn a_recalled_request_is_sent_again_and_counted_once() {
    let (rig, gate) = beside(queued(), Backend::taking_all());
    rig.backend.close();
    gate.open();
    rig.offer(0..4).await.unwrap();
    let _left = flush(&rig, 0).await;
    rig.backend.tried(1).await;
    assert_eq!(gate.close(Duration::from_millis(5)).await, 1);
    rig.backend.open();
    gate.open();
    rig.settled().await;
    assert_eq!(rig.backend.tried_ids(), [[0, 1, 2, 3], [0, 1, 2, 3]]);
    assert_eq!(rig.accounts(), Accounts::of_delivered(4));
}

#[tokio::test(start_paused = true)]
async fn what_is_joined_counts_as_one_request() {
    let queue = Queue { queue_size: 2, ..Queue::default() };
    let (rig, gate) = beside(with_queue(queue), Backend::taking_all());
    for id in 0..100 {
        rig.offer(id..id + 1).await.unwrap();
    }
    assert!(rig.exposed().contains("queue_size{exporter=\"otlp/test\",data_type=\"traces\"} 1"));
    gate.open();
    assert_eq!(flush(&rig, 10).await, 0);
    assert_eq!(rig.backend.tries().len(), 1);
}
