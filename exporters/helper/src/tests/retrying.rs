//! Tries, delays, timeouts.

use super::*;

/// Seconds from the first try to each.
fn times(backend: &Backend) -> Vec<f64> {
    let tries = backend.tries();
    tries.iter().map(|one| (one.at - tries[0].at).as_secs_f64()).collect()
}

#[tokio::test(start_paused = true)]
async fn failed_request_is_sent_again_as_it_is() {
    let backend = Backend::answering(|nth, _| if nth < 3 { Fail(unavailable()) } else { Take });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..2).await.unwrap();
    rig.settled().await;
    assert_eq!(times(&rig.backend), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(rig.backend.encodes().len(), 1, "encoded once");
    assert_eq!(rig.accounts(), Accounts::of_delivered(2));
    let exposed = rig.exposed();
    let of = "{exporter=\"otlp/test\",data_type=\"traces\"}";
    assert!(exposed.contains(&format!("otelcol_exporter_retries{of} 3")), "{exposed}");
    assert!(exposed.contains(&format!("otelcol_exporter_in_flight_requests{of} 0")));
    assert!(exposed.contains("otelcol_exporter_sent_spans{exporter=\"otlp/test\"} 2"));
    assert!(!exposed.contains("send_failed"), "{exposed}");
}

#[tokio::test(start_paused = true)]
async fn delays_grow_and_jitter_as_configured() {
    let retry = Retry { max_elapsed_time: None, ..Retry::default() };
    let backend = Backend::answering(|nth, _| if nth < 6 { Fail(unavailable()) } else { Take });
    let rig = Rig::new(Settings { retry: Some(retry), ..queued() }, backend);
    rig.offer(0..1).await.unwrap();
    rig.settled().await;
    let times = times(&rig.backend);
    let delays = times.windows(2).map(|pair| pair[1] - pair[0]);
    for (delay, interval) in delays.zip([5.0, 7.5, 11.25, 16.875, 25.3125, 30.0]) {
        // Sleeps end on whole milliseconds.
        let range = interval * 0.5 - 0.002..=interval * 1.5 + 0.002;
        assert!(range.contains(&delay), "{delay} s where the interval is {interval} s");
    }
}

#[tokio::test(start_paused = true)]
async fn delay_that_the_backend_asks_for_wins_when_it_is_longer() {
    let backend = Backend::answering(|nth, _| match nth {
        0 => Fail(throttled(Duration::from_secs(17))),
        1 => Fail(throttled(Duration::from_millis(10))),
        _ => Take,
    });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..1).await.unwrap();
    rig.settled().await;
    assert_eq!(times(&rig.backend), [0.0, 17.0, 18.0]);
}

#[tokio::test(start_paused = true)]
async fn tries_end_when_the_next_one_would_be_too_late() {
    let retry = Retry { max_elapsed_time: Some(Duration::from_millis(3500)), ..steady() };
    let backend = Backend::answering(|_, _| Fail(unavailable()));
    let rig = Rig::new(Settings { retry: Some(retry), ..queued() }, backend);
    rig.offer(0..2).await.unwrap();
    rig.settled().await;
    assert_eq!(times(&rig.backend), [0.0, 1.0, 2.0, 3.0]);
    let expected = Accounts::default().and_dropped(DropReason::RetriesExhausted, 2);
    assert_eq!(rig.accounts(), expected);
    let exposed = rig.exposed();
    let of = "{exporter=\"otlp/test\",error_type=\"Unavailable\",error_permanent=\"false\"}";
    assert!(exposed.contains(&format!("otelcol_exporter_send_failed_spans{of} 2")), "{exposed}");
}

#[tokio::test(start_paused = true)]
async fn time_in_which_the_process_did_not_run_does_not_use_up_the_retries() {
    let backend = Backend::answering(|nth, _| match nth {
        0 => Hang,
        1 => Fail(unavailable()),
        _ => Take,
    });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..1).await.unwrap();
    for tries in [1, 2] {
        rig.backend.tried(tries).await;
        // Far beyond the minute that retries may take, at one go: no timer fired in between.
        tokio::time::advance(Duration::from_secs(3600)).await;
    }
    rig.settled().await;
    assert_eq!(rig.accounts(), Accounts::of_delivered(1));
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_tries_go_on_for_ever() {
    let retry = Retry { max_elapsed_time: None, ..steady() };
    let backend = Backend::answering(|nth, _| if nth < 9999 { Fail(unavailable()) } else { Take });
    let rig = Rig::new(Settings { retry: Some(retry), ..queued() }, backend);
    rig.offer(0..1).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.accounts(), Accounts::of_delivered(1));
}

#[tokio::test(start_paused = true)]
async fn without_retry_there_is_one_try() {
    let rig = Rig::new(
        Settings { retry: None, ..queued() },
        Backend::answering(|_, _| Fail(unavailable())),
    );
    rig.offer(0..2).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.backend.tries().len(), 1);
    let expected = Accounts::default().and_dropped(DropReason::RetriesExhausted, 2);
    assert_eq!(rig.accounts(), expected);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_the_timeout_to_itself() {
    let backend = Backend::answering(|nth, _| match nth {
        0 => Hang,
        1 => TakeAfter(Duration::from_secs(6)),
        _ => TakeAfter(Duration::from_secs(4)),
    });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..1).await.unwrap();
    rig.settled().await;
    assert_eq!(times(&rig.backend), [0.0, 6.0, 12.0]);
    assert_eq!(rig.backend.taken(), [0], "an attempt that was cut off is not a delivery");
    assert_eq!(rig.accounts(), Accounts::of_delivered(1));
}

#[tokio::test(start_paused = true)]
async fn timeout_of_zero_is_none() {
    let settings = Settings { timeout: Timeout(None), ..queued() };
    let backend = Backend::answering(|_, _| TakeAfter(Duration::from_secs(3600)));
    let rig = Rig::new(settings, backend);
    rig.offer(0..1).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.backend.tries().len(), 1);
    assert_eq!(rig.accounts(), Accounts::of_delivered(1));
}

#[tokio::test(start_paused = true)]
async fn permanent_refusal_is_not_tried_again() {
    let rig = Rig::new(queued(), Backend::answering(|_, _| Fail(unauthorised())));
    rig.offer(0..4).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.backend.tries().len(), 1, "it speaks of the peer: no search either");
    let expected = Accounts::default().and_refused(RefuseReason::Permanent, 4);
    assert_eq!(rig.accounts(), expected);
    let of = "{exporter=\"otlp/test\",error_type=\"Unauthenticated\",error_permanent=\"true\"}";
    let exposed = rig.exposed();
    assert!(exposed.contains(&format!("otelcol_exporter_send_failed_spans{of} 4")), "{exposed}");
}

#[tokio::test(start_paused = true)]
async fn partial_success_is_counted_and_never_sent_again() {
    let rig = Rig::new(queued(), Backend::answering(|_, _| Reject(2)));
    rig.offer(0..5).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.backend.tries().len(), 1);
    let expected = Accounts::of_delivered(3).and_refused(RefuseReason::PartialSuccess, 2);
    assert_eq!(rig.accounts(), expected);
    assert!(rig.exposed().contains("otelcol_exporter_sent_spans{exporter=\"otlp/test\"} 5"));
}

#[tokio::test(start_paused = true)]
async fn large_payload_is_encoded_on_another_thread() {
    let bytes = spans(0..10).encoded_len();
    let translation = Translation { offload: Some(bytes), ..Translation::default() };
    let rig = Rig::new(queued(), Backend::translating(translation, |_, _| Take));
    rig.offer(0..10).await.unwrap();
    rig.settled().await;
    rig.offer(10..21).await.unwrap();
    rig.settled().await;
    let here = std::thread::current().id();
    let elsewhere: Vec<_> = rig.backend.encodes().iter().map(|thread| *thread != here).collect();
    assert_eq!(elsewhere, [false, true]);
    assert_eq!(rig.backend.taken().len(), 21);
}

#[tokio::test(start_paused = true)]
async fn panic_costs_its_own_payload_only() {
    for offload in [None, Some(0)] {
        let panics = HashSet::from([0]);
        let translation = Translation { panics, offload, ..Translation::default() };
        let backend = Backend::translating(translation, |_, ids| match ids[0] {
            10 => Panic,
            _ => Take,
        });
        let queue = Queue { num_consumers: 1, ..Queue::default() };
        let rig = Rig::new(with_queue(queue), backend);
        for first in [0, 10, 20] {
            rig.offer(first..first + 2).await.unwrap();
        }
        rig.settled().await;
        let expected = Accounts::of_delivered(2).and_dropped(DropReason::ComponentFailed, 4);
        assert_eq!(rig.accounts(), expected);
        let of = "{kind=\"exporter\",component=\"otlp/test\"}";
        let exposed = rig.exposed();
        assert!(exposed.contains(&format!("hikyaku_component_failures{of} 2")), "{exposed}");
    }
}

#[tokio::test(start_paused = true)]
async fn panic_without_a_queue_is_an_error_to_the_caller() {
    let rig = Rig::new(unqueued(), Backend::answering(|_, _| Panic));
    let error = rig.offer(0..2).await.unwrap_err();
    assert_eq!(error, ConsumeError::permanent("the exporter failed"));
    assert_eq!(rig.accounts(), Accounts::default());
}
