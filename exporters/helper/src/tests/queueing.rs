//! Room, overflow, waiting, and who is told what.

use config::Sizer;
use pipeline::{Class, GrpcCode};

use super::*;
use crate::custody::Custody;
use crate::queue::{OfferError, Summon};

fn queue_of(queue_size: u64, sizer: Sizer) -> Queue {
    Queue { queue_size, sizer, ..Queue::default() }
}

#[tokio::test(start_paused = true)]
async fn queued_payload_is_answered_before_it_is_sent() {
    let rig = Rig::new(queued(), Backend::taking_all());
    rig.backend.close();
    rig.offer(0..3).await.unwrap();
    assert_eq!(rig.accounts(), Accounts { held: 3, ..Accounts::default() });
    rig.backend.open();
    rig.settled().await;
    assert_eq!(rig.accounts(), Accounts::of_delivered(3));
    assert_eq!(rig.backend.taken(), [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn payload_of_nothing_is_accepted_and_not_sent() {
    for settings in [queued(), unqueued()] {
        let rig = Rig::new(settings, Backend::taking_all());
        rig.offer(0..0).await.unwrap();
        rig.settled().await;
        assert!(rig.backend.encodes().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn full_queue_refuses_as_overloaded_until_an_outcome_is_known() {
    // What is in flight counts, whatever the sizer.
    let payload_bytes = spans(0..3).encoded_len() as u64;
    for (sizer, one) in [(Sizer::Requests, 1), (Sizer::Items, 3), (Sizer::Bytes, payload_bytes)] {
        let settings = with_queue(queue_of(2 * one, sizer));
        let rig = Rig::new(settings, Backend::taking_all());
        rig.backend.close();
        rig.offer(0..3).await.unwrap();
        rig.offer(3..6).await.unwrap();
        rig.backend.tried(2).await;
        let error = rig.offer(6..9).await.unwrap_err();
        assert_eq!(error, ConsumeError::overloaded("sending queue is full"), "{sizer:?}");
        assert!(rig.exposed().contains(&format!(
            "otelcol_exporter_queue_size{{exporter=\"otlp/test\",data_type=\"traces\"}} {}",
            2 * one
        )));
        rig.backend.open();
        rig.settled().await;
        rig.offer(6..9).await.unwrap();
        rig.settled().await;
        assert_eq!(
            rig.accounts(),
            Accounts::of_delivered(9),
            "{sizer:?}: the refused are not ours"
        );
        let exposed = rig.exposed();
        let of = "{exporter=\"otlp/test\"}";
        assert!(exposed.contains(&format!("otelcol_exporter_enqueue_failed_spans{of} 3")));
        let of = "{exporter=\"otlp/test\",data_type=\"traces\"}";
        assert!(exposed.contains(&format!("otelcol_exporter_queue_size{of} 0")), "{exposed}");
        assert!(exposed.contains(&format!("otelcol_exporter_queue_capacity{of} {}", 2 * one)));
    }
}

#[tokio::test(start_paused = true)]
async fn payload_larger_than_the_queue_is_refused_for_good() {
    for block_on_overflow in [false, true] {
        let queue = Queue { block_on_overflow, ..queue_of(2, Sizer::Items) };
        let rig = Rig::new(with_queue(queue), Backend::taking_all());
        let error = rig.offer(0..3).await.unwrap_err();
        assert_eq!(error.class, Class::Permanent);
        let words = "element size too large: 3 items, and the sending queue holds 2";
        assert!(error.message.starts_with(words), "{error}");
        rig.offer(0..2).await.unwrap();
        rig.settled().await;
        assert_eq!(rig.backend.taken(), [0, 1]);
    }
}

#[tokio::test(start_paused = true)]
async fn blocked_callers_get_room_in_the_order_of_asking() {
    let queue = Queue { block_on_overflow: true, num_consumers: 1, ..queue_of(1, Sizer::Requests) };
    let rig = Rig::new(with_queue(queue), Backend::taking_all());
    rig.backend.close();
    rig.offer(0..1).await.unwrap();
    rig.backend.tried(1).await;
    let (first, second, ()) = tokio::join!(rig.offer(1..2), rig.offer(2..3), async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(rig.accounts().held, 1, "callers in wait are not in the queue");
        rig.backend.open();
    });
    assert_eq!((first, second), (Ok(()), Ok(())));
    rig.settled().await;
    assert_eq!(rig.backend.tried_ids(), [[0], [1], [2]]);
}

#[tokio::test(start_paused = true)]
async fn blocked_caller_is_let_go_when_the_exporter_stops() {
    let queue = Queue { block_on_overflow: true, ..queue_of(1, Sizer::Requests) };
    let rig = Rig::new(with_queue(queue), Backend::taking_all());
    rig.backend.close();
    rig.offer(0..1).await.unwrap();
    let (blocked, given_up) = tokio::join!(rig.offer(1..2), rig.shutdown(10));
    assert_eq!(blocked.unwrap_err().class, Class::Closed);
    assert_eq!(given_up, 1);
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_under_way_than_there_are_consumers() {
    let queue = Queue { num_consumers: 3, ..Queue::default() };
    let backend = Backend::answering(|_, _| TakeAfter(Duration::from_secs(1)));
    let rig = Rig::new(with_queue(queue), backend);
    for id in 0..10 {
        rig.offer(id..id + 1).await.unwrap();
    }
    rig.settled().await;
    assert_eq!(rig.backend.most_in_flight(), 3);
    assert_eq!(rig.backend.taken().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn slow_request_does_not_hold_up_the_others() {
    let backend = Backend::answering(|_, ids| if ids == [0] { Hang } else { Take });
    let rig = Rig::new(queued(), backend);
    for id in 0..5 {
        rig.offer(id..id + 1).await.unwrap();
    }
    rig.backend.tried(5).await;
    tokio::task::yield_now().await;
    assert_eq!(rig.backend.taken(), [1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn waiting_caller_learns_the_outcome() {
    for queue in [None, Some(Queue { wait_for_result: true, ..Queue::default() })] {
        let settings = Settings { queue, ..queued() };
        let backend = Backend::answering(|_, ids| match ids[0] {
            0 => TakeAfter(Duration::from_secs(2)),
            10 => Fail(unauthorised()),
            _ => Fail(throttled(Duration::from_secs(40))),
        });
        let rig = Rig::new(settings, backend);
        let started = Instant::now();
        rig.offer(0..3).await.unwrap();
        assert_eq!(started.elapsed(), Duration::from_secs(2));
        let refused = rig.offer(10..13).await.unwrap_err();
        assert_eq!(refused.class, Class::Permanent);
        assert_eq!(refused.code, Some(GrpcCode::Unauthenticated));
        assert_eq!(refused.message, "not retryable error: who are you");
        let failed = rig.offer(20..23).await.unwrap_err();
        assert_eq!(failed.class, Class::Retryable);
        assert_eq!(failed.retry_after, Some(Duration::from_secs(40)));
        assert_eq!(failed.message, "no more retries left: slow down");
        rig.settled().await;
        assert_eq!(rig.accounts(), Accounts::of_delivered(3), "errors are the graph's to count");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_caller_is_told_of_success_once_a_part_was_delivered() {
    for queue in [None, Some(Queue { wait_for_result: true, ..Queue::default() })] {
        let settings = Settings { queue, retry: None, ..queued() };
        let translation =
            Translation { items_a_request: Some(2), parts: true, ..Translation::default() };
        let backend = Backend::translating(translation, |_, ids| match ids[0] {
            2 => Fail(unavailable()),
            4 => Fail(unauthorised()),
            _ => Take,
        });
        let rig = Rig::new(settings, backend);
        rig.offer(0..6).await.unwrap();
        let expected = Accounts::of_delivered(2)
            .and_dropped(DropReason::RetriesExhausted, 2)
            .and_refused(RefuseReason::Permanent, 2);
        assert_eq!(rig.accounts(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_caller_is_told_to_try_again_when_that_helps_for_a_part() {
    let translation =
        Translation { items_a_request: Some(2), parts: true, ..Translation::default() };
    let backend = Backend::translating(translation, |_, ids| match ids[0] {
        2 => Fail(unavailable()),
        _ => Fail(unauthorised()),
    });
    let rig = Rig::new(Settings { retry: None, ..unqueued() }, backend);
    let error = rig.offer(0..6).await.unwrap_err();
    assert_eq!((error.class, error.message.as_ref()), (Class::Retryable, "connection refused"));
    assert_eq!(rig.accounts(), Accounts::default());
}

#[tokio::test(start_paused = true)]
async fn caller_that_goes_away_leaves_no_trace_in_the_accounts() {
    for queue in [None, Some(Queue { wait_for_result: true, ..Queue::default() })] {
        let rig = Rig::new(Settings { queue, ..queued() }, Backend::taking_all());
        rig.backend.close();
        let envelope = Envelope::of(spans(0..3));
        let answer = tokio::time::timeout(Duration::from_secs(1), rig.helper.consume(envelope));
        answer.await.unwrap_err();
        rig.backend.open();
        rig.settled().await;
        assert_eq!(rig.accounts(), Accounts::default());
    }
}

#[tokio::test(start_paused = true)]
async fn share_of_the_memory_budget_is_given_back_with_the_outcome() {
    let budget = MemoryBudget::new(1 << 20, 1 << 20);
    let rig = Rig::with_budget(queued(), Backend::taking_all(), budget.clone());
    rig.backend.close();
    let pipeline::Admission::Granted(hold) = budget.try_hold(1000) else { panic!("no room") };
    let envelope = Envelope { hold, ..Envelope::of(spans(0..7)) };
    rig.helper.consume(envelope).await.unwrap();
    rig.backend.tried(1).await;
    // The fake's request takes a byte an item beside the payload.
    assert_eq!(budget.held_bytes(), 1007);
    rig.backend.open();
    rig.settled().await;
    assert_eq!(budget.held_bytes(), 0);
}

/// Offers a payload that has its share of the budget; whether it was taken.
async fn offer_held(rig: &Rig, budget: &MemoryBudget) -> bool {
    let payload = spans(0..10);
    let pipeline::Admission::Granted(hold) = budget.try_hold(payload.encoded_len()) else {
        panic!("the budget is spent")
    };
    let offered = rig.helper.consume(Envelope { hold, ..Envelope::of(payload) }).await;
    offered.map_err(|error| assert_eq!(error.class, Class::Overloaded, "{error}")).is_ok()
}

#[tokio::test(start_paused = true)]
async fn backend_that_is_down_takes_neither_the_memory_nor_the_pace_of_another() {
    let (mark, limit) = (2_000, 20_000);
    let budget = MemoryBudget::new(mark, limit);
    let fails = |_: usize, _: &[u64]| Fail(SendError::network(Reason::new("it is down")));
    let down = Rig::with_budget(queued(), Backend::answering(fails), budget.clone());
    let healthy = Rig::with_budget(queued(), Backend::taking_all(), budget.clone());
    let mut taken = 0;
    while offer_held(&down, &budget).await {
        taken += 1;
        assert!(taken < 1000, "the queue takes more than there is");
    }
    assert!(budget.held_bytes() > limit / 2, "{} of {limit} bytes", budget.held_bytes());
    down.backend.tried(1).await;
    for _ in 0..100 {
        assert!(offer_held(&healthy, &budget).await);
        let asked = Instant::now();
        budget.pace().await;
        assert_eq!(asked.elapsed(), Duration::ZERO, "slowed for the backend that is down");
        healthy.settled().await;
    }
    assert_eq!(healthy.accounts(), Accounts::of_delivered(1000));
    down.shutdown(1).await;
    assert_eq!(budget.held_bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_accepted_after_the_end() {
    for settings in [queued(), unqueued()] {
        let rig = Rig::new(settings, Backend::taking_all());
        assert_eq!(rig.shutdown(1).await, 0);
        assert_eq!(rig.offer(0..1).await.unwrap_err().class, Class::Closed);
        assert_eq!(rig.accounts(), Accounts::default());
    }
}

#[tokio::test(start_paused = true)]
async fn payload_that_comes_as_the_queue_is_closed_stays_the_callers() {
    let rig = Rig::new(queued(), Backend::taking_all());
    let queue = rig.helper.core.queue.as_ref().unwrap();
    let envelope = Envelope::of(spans(0..3));
    let room = queue.room(&envelope.payload).await.unwrap();
    let custody = Custody::new(rig.helper.core.ledger.hold(3, false), None);
    assert_eq!(queue.close(), Summon::Nobody);
    assert_eq!(queue.push(envelope, custody, room), Err(OfferError::Closed));
    assert_eq!(rig.accounts(), Accounts::default());
    assert_eq!(rig.shutdown(1).await, 0);
}
