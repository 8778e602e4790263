//! Flush and shutdown, with every kind of backend.

use super::*;

/// Tries go on for ever, an hour apart.
fn hourly() -> Settings {
    let hour = Duration::from_secs(3600);
    let retry =
        Retry { initial_interval: hour, max_interval: hour, max_elapsed_time: None, ..steady() };
    Settings { retry: Some(retry), ..queued() }
}

#[tokio::test(start_paused = true)]
async fn shutdown_sends_what_is_held() {
    let queue = Queue { num_consumers: 2, ..Queue::default() };
    let backend = Backend::answering(|_, _| TakeAfter(Duration::from_secs(1)));
    let rig = Rig::new(with_queue(queue), backend);
    for id in 0..8 {
        rig.offer(id..id + 1).await.unwrap();
    }
    let started = Instant::now();
    assert_eq!(rig.shutdown(30).await, 0);
    assert_eq!(started.elapsed(), Duration::from_secs(4), "ends when there is no more to do");
    assert_eq!(rig.accounts(), Accounts::of_delivered(8));
}

#[tokio::test(start_paused = true)]
async fn shutdown_without_start_or_data_ends_at_once() {
    for settings in [queued(), unqueued()] {
        let rig = Rig::new(settings, Backend::taking_all());
        let started = Instant::now();
        assert_eq!(rig.shutdown(30).await, 0);
        assert_eq!(rig.shutdown(30).await, 0, "a second time is harmless");
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn shutdown_cuts_the_wait_for_a_retry_short() {
    let backend = Backend::answering(|nth, _| if nth == 0 { Fail(unavailable()) } else { Take });
    let rig = Rig::new(hourly(), backend);
    rig.offer(0..3).await.unwrap();
    rig.backend.tried(1).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let started = Instant::now();
    assert_eq!(rig.shutdown(30).await, 0);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(rig.accounts(), Accounts::of_delivered(3));
}

#[tokio::test(start_paused = true)]
async fn shutdown_goes_on_trying_until_the_deadline() {
    // More than the budget for retries allows, and against the backend's wish: it is now or never.
    let retry = Retry { max_elapsed_time: Some(Duration::from_secs(1)), ..steady() };
    let began = Instant::now();
    let backend = Backend::answering(move |_, _| match began.elapsed().as_secs() {
        0..=7 => Fail(throttled(Duration::from_secs(600))),
        _ => Take,
    });
    let rig = Rig::new(Settings { retry: Some(retry), ..queued() }, backend);
    rig.backend.close();
    rig.offer(0..3).await.unwrap();
    rig.backend.tried(1).await;
    let (given_up, ()) = tokio::join!(rig.shutdown(10), async { rig.backend.open() });
    assert_eq!(given_up, 0);
    assert_eq!(rig.accounts(), Accounts::of_delivered(3));
    let tries = rig.backend.tries().len();
    assert!((9..=14).contains(&tries), "{tries} tries in eight seconds");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_at_the_deadline_is_dropped_and_returned() {
    let answers: [fn(usize, &[u64]) -> Answer; 2] = [|_, _| Fail(unavailable()), |_, _| Hang];
    for answer in answers {
        let queue = Queue { num_consumers: 2, ..Queue::default() };
        let rig = Rig::new(with_queue(queue), Backend::answering(answer));
        for first in [0, 10, 20, 30] {
            rig.offer(first..first + 5).await.unwrap();
        }
        rig.backend.tried(2).await;
        let started = Instant::now();
        assert_eq!(rig.shutdown(10).await, 20);
        assert_eq!(started.elapsed(), Duration::from_secs(10));
        assert_eq!(rig.accounts(), Accounts::default().and_dropped(DropReason::Shutdown, 20));
        let of = "{exporter=\"otlp/test\",error_type=\"Shutdown\",error_permanent=\"false\"}";
        let exposed = rig.exposed();
        assert!(exposed.contains(&format!("send_failed_spans{of} 20")), "{exposed}");
    }
}

#[tokio::test(start_paused = true)]
async fn caller_without_a_queue_gets_its_payload_back_at_the_deadline() {
    let rig = Rig::new(unqueued(), Backend::answering(|_, _| Hang));
    let (answer, given_up) = tokio::join!(rig.offer(0..5), rig.shutdown(10));
    assert_eq!(answer.unwrap_err().class, pipeline::Class::Closed);
    assert_eq!(given_up, 0, "the caller still has it");
    assert_eq!(rig.accounts(), Accounts::default());
}

#[tokio::test(start_paused = true)]
async fn caller_that_waits_at_the_queue_gets_its_payload_back_at_the_deadline() {
    let queue = Queue { wait_for_result: true, ..Queue::default() };
    let rig = Rig::new(with_queue(queue), Backend::answering(|_, _| Hang));
    let (answer, given_up) = tokio::join!(rig.offer(0..5), rig.shutdown(10));
    assert_eq!(answer.unwrap_err().class, pipeline::Class::Closed);
    assert_eq!(given_up, 0, "the caller still has it");
    assert_eq!(rig.accounts(), Accounts::default());
}

#[tokio::test(start_paused = true)]
async fn delivered_part_of_a_payload_that_is_cut_off_counts_as_delivered() {
    for queue in
        [None, Some(Queue::default()), Some(Queue { wait_for_result: true, ..Queue::default() })]
    {
        let waits = queue.as_ref().is_none_or(|queue| queue.wait_for_result);
        let translation =
            Translation { items_a_request: Some(2), parts: true, ..Translation::default() };
        let backend = Backend::translating(translation, |_, ids| match ids[0] {
            0 => Take,
            _ => Hang,
        });
        let rig = Rig::new(Settings { queue, ..queued() }, backend);
        let offer = async {
            rig.offer(0..5).await.unwrap();
        };
        let stop = async {
            rig.backend.tried(2).await;
            rig.shutdown(10).await
        };
        let ((), given_up) = tokio::join!(offer, stop);
        assert!(waits || given_up == 3);
        let expected = Accounts::of_delivered(2).and_dropped(DropReason::Shutdown, 3);
        assert_eq!(rig.accounts(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn flush_cuts_waits_short_and_goes_on_afterwards() {
    let backend = Backend::answering(|nth, _| match nth {
        0 | 2 => Fail(unavailable()),
        _ => Take,
    });
    let rig = Rig::new(hourly(), backend);
    rig.offer(0..3).await.unwrap();
    rig.backend.tried(1).await;
    let started = Instant::now();
    let deadline = Deadline::after(Duration::from_secs(10));
    assert_eq!(rig.helper.flush(deadline).await, 0);
    assert_eq!(started.elapsed(), Duration::ZERO);
    rig.offer(3..6).await.unwrap();
    rig.settled().await;
    assert_eq!(started.elapsed(), Duration::from_secs(3600), "the usual pace again");
    assert_eq!(rig.accounts(), Accounts::of_delivered(6));
}

#[tokio::test(start_paused = true)]
async fn flush_returns_what_is_held_at_its_deadline_and_keeps_it() {
    let rig = Rig::new(queued(), Backend::taking_all());
    rig.backend.close();
    rig.offer(0..3).await.unwrap();
    for held in [3, 7] {
        let started = Instant::now();
        let deadline = Deadline::after(Duration::from_secs(2));
        assert_eq!(rig.helper.flush(deadline).await, held);
        assert_eq!(started.elapsed(), Duration::from_secs(2));
        rig.offer(3..7).await.unwrap();
    }
    rig.backend.open();
    rig.settled().await;
    assert_eq!(rig.accounts(), Accounts::of_delivered(11));
}

#[tokio::test(start_paused = true)]
async fn flush_does_not_wait_for_what_comes_after_it() {
    let backend = Backend::answering(|_, ids| match ids[0] {
        0 => TakeAfter(Duration::from_secs(1)),
        _ => Hang,
    });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..3).await.unwrap();
    let deadline = Deadline::after(Duration::from_secs(60));
    let started = Instant::now();
    let (held, ()) = tokio::join!(rig.helper.flush(deadline), async {
        rig.backend.tried(1).await;
        rig.offer(3..6).await.unwrap();
    });
    assert_eq!(held, 0);
    assert_eq!(started.elapsed(), Duration::from_secs(1));
}
