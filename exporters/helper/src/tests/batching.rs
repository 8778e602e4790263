//! `sending_queue::batch`.

use config::{Batch, Sizer};

use super::*;

fn batched(batch: Batch) -> Settings {
    with_queue(Queue { batch: Some(batch), ..Queue::default() })
}

fn of_items(min_size: u64, max_size: Option<u64>) -> Batch {
    Batch { min_size, max_size, ..Batch::default() }
}

#[tokio::test(start_paused = true)]
async fn payloads_are_joined_until_the_batch_is_large_enough() {
    let rig = Rig::new(batched(of_items(5, None)), Backend::taking_all());
    let started = Instant::now();
    for first in [0, 2] {
        rig.offer(first..first + 2).await.unwrap();
    }
    tokio::task::yield_now().await;
    assert!(rig.backend.tries().is_empty());
    rig.offer(4..6).await.unwrap();
    rig.settled().await;
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(rig.backend.tried_ids(), [[0, 1, 2, 3, 4, 5]]);
    assert_eq!(rig.accounts(), Accounts::of_delivered(6));
    let of = "{exporter=\"otlp/test\"}";
    let exposed = rig.exposed();
    assert!(exposed.contains(&format!("queue_batch_send_size_sum{of} 6")), "{exposed}");
    assert!(exposed.contains(&format!("exporter_enqueue_size_count{of} 3")), "{exposed}");
}

#[tokio::test(start_paused = true)]
async fn small_batch_goes_when_its_time_is_up() {
    let rig = Rig::new(batched(of_items(1000, None)), Backend::taking_all());
    let started = Instant::now();
    rig.offer(0..2).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    rig.offer(2..3).await.unwrap();
    rig.settled().await;
    assert_eq!(started.elapsed(), Duration::from_millis(200), "from the first payload on");
    assert_eq!(rig.backend.tried_ids(), [[0, 1, 2]]);
    rig.offer(3..4).await.unwrap();
    rig.settled().await;
    assert_eq!(started.elapsed(), Duration::from_millis(400), "and again");
}

#[tokio::test(start_paused = true)]
async fn batch_goes_in_time_although_every_consumer_so_far_is_busy() {
    let backend = Backend::answering(|_, ids| if ids[0] == 0 { Hang } else { Take });
    let settings = Settings { timeout: Timeout(None), ..batched(of_items(2, None)) };
    let rig = Rig::new(settings, backend);
    rig.offer(0..2).await.unwrap();
    rig.backend.tried(1).await;
    let started = Instant::now();
    rig.offer(2..3).await.unwrap();
    rig.backend.tried(2).await;
    assert_eq!(started.elapsed(), Duration::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn batches_are_filled_up_to_the_largest_size() {
    let rig = Rig::new(batched(of_items(4, Some(4))), Backend::taking_all());
    rig.offer(0..3).await.unwrap();
    rig.offer(3..13).await.unwrap();
    rig.settled().await;
    let expected: [&[u64]; 4] = [&[0, 1, 2, 3], &[4, 5, 6, 7], &[8, 9, 10, 11], &[12]];
    assert_eq!(rig.backend.tried_ids(), expected);
    assert_eq!(rig.accounts(), Accounts::of_delivered(13));
}

#[tokio::test(start_paused = true)]
async fn byte_sized_batches_stay_within_the_largest_size() {
    let one = spans(0..1).encoded_len() as u64;
    let max = 4 * one;
    let batch = Batch { sizer: Sizer::Bytes, ..of_items(max, Some(max)) };
    let translation = Translation { item_bytes: Some(1), ..Translation::default() };
    let rig = Rig::new(batched(batch), Backend::translating(translation, |_, _| Take));
    rig.offer(0..3).await.unwrap();
    rig.offer(3..40).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.backend.taken(), (0..40).collect::<Vec<_>>());
    for ids in rig.backend.tried_ids() {
        let len = spans(0..ids.len() as u64).encoded_len() as u64;
        assert!(len <= max, "{} items of {len} bytes, and {max} at most", ids.len());
    }
    assert!(rig.backend.tries().len() <= 12, "{} batches", rig.backend.tries().len());
    // An item larger than a batch may be goes alone.
    let batch = Batch { sizer: Sizer::Bytes, ..of_items(1, Some(1)) };
    let rig = Rig::new(batched(batch), Backend::taking_all());
    rig.offer(0..3).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.backend.tried_ids(), [[0], [1], [2]]);
}

#[tokio::test(start_paused = true)]
async fn batches_with_different_metadata_stay_apart() {
    let keys = vec!["x-tenant".to_owned(), "x-zone".to_owned()];
    let batch = Batch { metadata_keys: keys, ..of_items(1000, None) };
    let rig = Rig::new(batched(batch), Backend::taking_all());
    let clients: [&[(&str, &str)]; 6] = [
        &[("x-tenant", "a"), ("authorization", "secret")],
        &[("x-tenant", "b")],
        &[("x-tenant", "a"), ("other", "1")],
        &[("x-tenant", "")],
        &[],
        &[("x-zone", "a")],
    ];
    for (id, metadata) in (0..).zip(clients) {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let metadata = metadata.iter().map(pair).collect();
        let client = Arc::new(Client { metadata, ..Client::default() });
        let envelope = Envelope { client, ..Envelope::of(spans(id..id + 1)) };
        rig.helper.consume(envelope).await.unwrap();
    }
    rig.settled().await;
    let mut batches = rig.backend.tried_ids();
    batches.sort();
    assert_eq!(batches, [vec![0, 2], vec![1], vec![3], vec![4], vec![5]]);
    let clients = rig.backend.0.clients.lock().unwrap().clone();
    let metadata: Vec<_> = clients.iter().flat_map(|client| &client.metadata).collect();
    assert!(metadata.iter().all(|(key, _)| key.starts_with("x-")), "{metadata:?}");
    assert!(metadata.contains(&&("x-tenant".to_owned(), "a".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn room_is_given_back_when_the_batches_of_a_payload_are_done() {
    let queue = Queue {
        queue_size: 10,
        sizer: Sizer::Items,
        batch: Some(of_items(4, Some(4))),
        ..Queue::default()
    };
    let backend = Backend::answering(|_, ids| match ids[0] {
        0 => Take,
        _ => TakeAfter(Duration::from_secs(1)),
    });
    let rig = Rig::new(with_queue(queue), backend);
    rig.offer(0..10).await.unwrap();
    rig.backend.tried(2).await;
    tokio::task::yield_now().await;
    assert_eq!(rig.offer(20..25).await.unwrap_err().class, pipeline::Class::Overloaded);
    rig.offer(20..24).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.accounts(), Accounts::of_delivered(14));
    rig.offer(30..40).await.unwrap();
    rig.settled().await;
}

#[tokio::test(start_paused = true)]
async fn each_waiting_caller_learns_the_outcome_of_its_batch() {
    let queue =
        Queue { wait_for_result: true, batch: Some(of_items(4, Some(4))), ..Queue::default() };
    let backend = Backend::answering(|_, ids| match ids[0] {
        0 => Take,
        4 => Fail(unauthorised()),
        _ => Fail(unavailable()),
    });
    let rig = Rig::new(Settings { retry: None, ..with_queue(queue) }, backend);
    // 0..4 is taken, 4..8 refused, 8..10 fails: the second payload is in two batches, the third in one.
    let (first, second, third) = tokio::join!(rig.offer(0..3), rig.offer(3..6), rig.offer(6..8));
    assert_eq!(first, Ok(()));
    assert_eq!(second, Ok(()), "a part of it was delivered");
    assert_eq!(third.unwrap_err().class, pipeline::Class::Permanent);
    let fourth = rig.offer(8..10).await;
    assert_eq!(fourth.unwrap_err().class, pipeline::Class::Retryable);
    let expected = Accounts::of_delivered(4).and_refused(RefuseReason::Permanent, 2);
    assert_eq!(rig.accounts(), expected);
}

#[tokio::test(start_paused = true)]
async fn flush_and_shutdown_do_not_wait_for_batches_to_fill() {
    for shutdown in [false, true] {
        let rig = Rig::new(batched(of_items(1000, None)), Backend::taking_all());
        rig.offer(0..2).await.unwrap();
        let started = Instant::now();
        let deadline = Deadline::after(Duration::from_secs(5));
        let left = match shutdown {
            true => rig.helper.shutdown(deadline).await,
            false => rig.helper.flush(deadline).await,
        };
        assert_eq!(left, 0);
        assert_eq!(started.elapsed(), Duration::ZERO);
        assert_eq!(rig.accounts(), Accounts::of_delivered(2));
    }
}

#[tokio::test(start_paused = true)]
async fn batch_closed_early_does_not_shorten_the_next_ones_time() {
    let millis = Duration::from_millis;
    let queue = Queue { num_consumers: 1, batch: Some(of_items(3, None)), ..Queue::default() };
    let backend = Backend::answering(move |nth, _| match nth {
        0 => TakeAfter(millis(180)),
        _ => Take,
    });
    let rig = Rig::new(with_queue(queue), backend);
    let started = Instant::now();
    // The only consumer is busy with the first batch while the second one is opened, closed and followed by a third.
    rig.offer(0..3).await.unwrap();
    rig.offer(3..4).await.unwrap();
    tokio::time::sleep(millis(150)).await;
    rig.offer(4..6).await.unwrap();
    rig.offer(6..7).await.unwrap();
    rig.settled().await;
    let times: Vec<_> = rig.backend.tries().iter().map(|one| one.at - started).collect();
    assert_eq!(times, [millis(0), millis(180), millis(350)]);
}

#[tokio::test(start_paused = true)]
async fn batches_that_close_together_are_sent_side_by_side() {
    let batch = Batch { metadata_keys: vec!["x".to_owned()], ..of_items(1000, None) };
    let backend = Backend::answering(|_, _| TakeAfter(Duration::from_secs(1)));
    let rig = Rig::new(batched(batch), backend);
    for id in 0..5 {
        let metadata = vec![("x".to_owned(), id.to_string())];
        let client = Arc::new(Client { metadata, ..Client::default() });
        let envelope = Envelope { client, ..Envelope::of(spans(id..id + 1)) };
        rig.helper.consume(envelope).await.unwrap();
        // The first consumer goes to wait, and keeps the time for all.
        tokio::task::yield_now().await;
    }
    let started = Instant::now();
    let deadline = Deadline::after(Duration::from_secs(60));
    assert_eq!(rig.helper.flush(deadline).await, 0);
    assert_eq!(started.elapsed(), Duration::from_secs(1));
    assert_eq!(rig.backend.most_in_flight(), 5);
}

#[tokio::test(start_paused = true)]
async fn joined_payloads_keep_their_room_and_their_share_of_the_budget() {
    let budget = MemoryBudget::new(1 << 20, 1 << 20);
    let queue = Queue { queue_size: 2, batch: Some(of_items(1000, None)), ..Queue::default() };
    let rig = Rig::with_budget(with_queue(queue), Backend::taking_all(), budget.clone());
    for first in [0, 10] {
        let pipeline::Admission::Granted(hold) = budget.try_hold(100) else { panic!("no room") };
        let envelope = Envelope { hold, ..Envelope::of(spans(first..first + 1)) };
        rig.helper.consume(envelope).await.unwrap();
    }
    assert_eq!(rig.offer(20..21).await.unwrap_err().class, pipeline::Class::Overloaded);
    assert_eq!(budget.held_bytes(), 200);
    rig.settled().await;
    assert_eq!(budget.held_bytes(), 0);
    rig.offer(20..21).await.unwrap();
    rig.settled().await;
}
