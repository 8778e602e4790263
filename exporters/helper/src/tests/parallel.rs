//! Several requests of one payload at a time, and requests of which a part has been taken.

use super::*;

fn a_few_at_a_time(parallel: usize) -> Translation {
    Translation { items_a_request: Some(2), parallel: Some(parallel), ..Translation::default() }
}

#[tokio::test(start_paused = true)]
async fn so_many_requests_as_the_exporter_wants_are_under_way() {
    for (parallel, most) in [(1, 1), (3, 3), (20, 5)] {
        let backend = Backend::translating(a_few_at_a_time(parallel), |_, _| {
            TakeAfter(Duration::from_secs(1))
        });
        let rig = Rig::new(queued(), backend);
        rig.offer(0..10).await.unwrap();
        rig.settled().await;
        assert_eq!(rig.backend.most_in_flight(), most);
        let expected: Vec<Vec<u64>> = (0..5).map(|n| vec![2 * n, 2 * n + 1]).collect();
        assert_eq!(rig.backend.tried_ids(), expected, "begun in their order");
        assert_eq!(rig.accounts(), Accounts::of_delivered(10));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_its_next_try_holds_up_no_others() {
    let backend = Backend::translating(a_few_at_a_time(2), |nth, ids| match ids {
        [0, 1] if nth < 8 => Fail(unavailable()),
        _ => Take,
    });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..10).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.accounts(), Accounts::of_delivered(10));
    assert_eq!(rig.backend.taken(), (0..10).collect::<Vec<u64>>());
    let tries = rig.backend.tries();
    let last = tries.iter().rposition(|one| one.ids != [0, 1]).unwrap();
    assert_eq!(tries[last].at, tries[0].at, "all others went before the second try");
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_of_a_request_that_is_given_up_is_counted() {
    let progress = Progress { delivered: 3, rejected: 1 };
    for (error, reason) in [
        (unavailable(), Accounts::default().and_dropped(DropReason::RetriesExhausted, 2)),
        (unauthorised(), Accounts::default()),
    ] {
        let translation = Translation { progress, ..Translation::default() };
        let backend = Backend::translating(translation, move |_, _| Fail(error.clone()));
        let retry = Retry { max_elapsed_time: Some(Duration::from_secs(3)), ..steady() };
        let rig = Rig::new(Settings { retry: Some(retry), ..queued() }, backend);
        rig.offer(0..6).await.unwrap();
        rig.settled().await;
        let partly = RefuseReason::PartialSuccess;
        let mut expected = Accounts { delivered: 3, ..reason }.and_refused(partly, 1);
        if expected.dropped.is_empty() {
            expected = expected.and_refused(RefuseReason::Permanent, 2);
        }
        assert_eq!(rig.accounts(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_under_way_are_given_up_at_the_end() {
    let backend =
        Backend::translating(a_few_at_a_time(3), |nth, _| if nth < 2 { Take } else { Hang });
    let rig = Rig::new(Settings { timeout: Timeout(None), ..queued() }, backend);
    rig.offer(0..10).await.unwrap();
    rig.backend.tried(5).await;
    assert_eq!(rig.shutdown(3).await, 6);
    let expected = Accounts::of_delivered(4).and_dropped(DropReason::Shutdown, 6);
    assert_eq!(rig.accounts(), expected);
}
