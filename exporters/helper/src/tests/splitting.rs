//! What does not fit is split; what is refused is searched for.

use super::*;

fn sizes(backend: &Backend) -> Vec<usize> {
    backend.tries().iter().map(|one| one.ids.len()).collect()
}

#[tokio::test(start_paused = true)]
async fn request_that_is_too_large_is_halved_until_it_fits() {
    let backend = Backend::answering(|_, ids| match ids.len() {
        0..=3 => Take,
        _ => Fail(too_large(None)),
    });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..10).await.unwrap();
    rig.settled().await;
    assert_eq!(sizes(&rig.backend), [10, 5, 5, 2, 3, 2, 3]);
    assert_eq!(rig.backend.taken(), (0..10).collect::<Vec<_>>());
    assert_eq!(rig.accounts(), Accounts::of_delivered(10));
}

#[tokio::test(start_paused = true)]
async fn single_item_that_is_too_large_is_dropped_and_the_others_are_sent() {
    let backend = Backend::answering(|_, ids| match ids.contains(&5) {
        true => Fail(too_large(None)),
        false => Take,
    });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..8).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.backend.taken(), [0, 1, 2, 3, 4, 6, 7]);
    let expected = Accounts::of_delivered(7).and_dropped(DropReason::TooLarge, 1);
    assert_eq!(rig.accounts(), expected);
}

#[tokio::test(start_paused = true)]
async fn limit_that_the_backend_tells_is_kept_from_then_on() {
    let backend = Backend::answering(|_, ids| match ids.len() {
        0..=4 => Take,
        _ => Fail(too_large(Some(4))),
    });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..8).await.unwrap();
    rig.settled().await;
    assert_eq!(sizes(&rig.backend), [8, 4, 4]);
    rig.offer(8..16).await.unwrap();
    rig.settled().await;
    assert_eq!(sizes(&rig.backend)[3..], [4, 4]);
}

#[tokio::test(start_paused = true)]
async fn limit_of_zero_is_not_believed() {
    let backend =
        Backend::answering(|nth, _| if nth == 0 { Fail(too_large(Some(0))) } else { Take });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..2).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.accounts(), Accounts::of_delivered(2));
}

#[tokio::test(start_paused = true)]
async fn known_limit_is_kept_before_anything_is_sent() {
    for knows_bytes in [false, true] {
        let translation = Translation {
            limit: Some(1000),
            item_bytes: Some(300),
            knows_bytes,
            ..Translation::default()
        };
        let rig = Rig::new(queued(), Backend::translating(translation, |_, _| Take));
        rig.offer(0..12).await.unwrap();
        rig.settled().await;
        assert_eq!(sizes(&rig.backend), [3, 3, 3, 3]);
        assert_eq!(rig.accounts(), Accounts::of_delivered(12));
        let encodes = if knows_bytes { 4 } else { 7 };
        assert_eq!(rig.backend.encodes().len(), encodes, "sizes known: {knows_bytes}");
    }
}

#[tokio::test(start_paused = true)]
async fn item_over_the_known_limit_is_dropped_without_being_sent() {
    for knows_bytes in [false, true] {
        let translation = Translation {
            limit: Some(1000),
            item_bytes: Some(1001),
            knows_bytes,
            ..Translation::default()
        };
        let rig = Rig::new(queued(), Backend::translating(translation, |_, _| Take));
        rig.offer(0..3).await.unwrap();
        rig.settled().await;
        assert!(rig.backend.tries().is_empty());
        let expected = Accounts::default().and_dropped(DropReason::TooLarge, 3);
        assert_eq!(rig.accounts(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn translation_that_finds_a_payload_too_large_gets_it_in_halves() {
    let translation = Translation { too_large_above: Some(3), ..Translation::default() };
    let rig = Rig::new(queued(), Backend::translating(translation, |_, _| Take));
    rig.offer(0..7).await.unwrap();
    rig.settled().await;
    assert_eq!(sizes(&rig.backend), [3, 2, 2]);
    let translation = Translation { too_large_above: Some(0), ..Translation::default() };
    let rig = Rig::new(queued(), Backend::translating(translation, |_, _| Take));
    rig.offer(0..3).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.accounts(), Accounts::default().and_dropped(DropReason::TooLarge, 3));
}

#[tokio::test(start_paused = true)]
async fn only_the_poisonous_items_are_lost() {
    for poison in [vec![0], vec![8191], vec![4000], vec![17, 6000]] {
        let bad = poison.clone();
        let backend = Backend::answering(move |_, ids| {
            match bad.iter().any(|id| ids.binary_search(id).is_ok()) {
                true => Fail(bad_request()),
                false => Take,
            }
        });
        let rig = Rig::new(queued(), backend);
        rig.offer(0..8192).await.unwrap();
        rig.settled().await;
        let expected: Vec<_> = (0..8192).filter(|id| !poison.contains(id)).collect();
        assert!(rig.backend.taken() == expected, "{poison:?}");
        let lost = poison.len() as u64;
        let expected =
            Accounts::of_delivered(8192 - lost).and_refused(RefuseReason::Permanent, lost);
        assert_eq!(rig.accounts(), expected);
        let requests = rig.backend.tries().len();
        assert!(requests <= 1 + 64, "{requests} requests for {poison:?}");
        // Two requests for each of the 13 halvings of 8192.
        assert!(poison.len() > 1 || requests == 1 + 2 * 13, "{requests} requests for {poison:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn search_ends_after_a_bounded_number_of_requests() {
    // A clean quarter has the search go on, and in the others are more bad items than it can find.
    let backend =
        Backend::answering(|_, ids| match ids.iter().any(|id| id % 4 == 3 && *id >= 256) {
            true => Fail(bad_request()),
            false => Take,
        });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..1024).await.unwrap();
    rig.settled().await;
    let accounts = rig.accounts();
    assert_eq!(rig.backend.tries().len(), 1 + 64);
    assert!(accounts.delivered >= 256, "{accounts:?}");
    assert_eq!(accounts.total(), 1024);
}

/// Requests that a search costs when halves and quarters are all refused.
const BLIND: usize = 2 + 4;

#[tokio::test(start_paused = true)]
async fn backend_that_refuses_everything_is_searched_once_until_it_takes_something() {
    let backend = Backend::answering(|_, ids| match ids[0] {
        1000.. => Take,
        _ => Fail(bad_request()),
    });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..64).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.backend.tries().len(), 1 + BLIND);
    rig.offer(64..128).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.backend.tries().len(), 1 + BLIND + 1, "one request, no search");
    assert_eq!(rig.accounts(), Accounts::default().and_refused(RefuseReason::Permanent, 128));
    rig.offer(1000..1001).await.unwrap();
    rig.settled().await;
    rig.offer(128..130).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.backend.tries().len(), 1 + BLIND + 1 + 1 + 3, "searched again");
}

#[tokio::test(start_paused = true)]
async fn half_of_a_search_is_tried_again_like_any_other_request() {
    let backend = Backend::answering(|nth, ids| match (nth, ids.contains(&0)) {
        (0 | 2, _) if ids.contains(&0) => Fail(bad_request()),
        (1, _) => Fail(unavailable()),
        (_, true) => Fail(bad_request()),
        _ => Take,
    });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..4).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.backend.taken(), [1, 2, 3]);
    let expected = Accounts::of_delivered(3).and_refused(RefuseReason::Permanent, 1);
    assert_eq!(rig.accounts(), expected);
}

#[tokio::test(start_paused = true)]
async fn of_several_requests_only_the_failed_one_is_split() {
    let translation =
        Translation { items_a_request: Some(4), parts: true, ..Translation::default() };
    let backend = Backend::translating(translation, |_, ids| match ids.contains(&5) {
        true => Fail(bad_request()),
        false => Take,
    });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..12).await.unwrap();
    rig.settled().await;
    assert_eq!(sizes(&rig.backend), [4, 4, 4, 2, 2, 1, 1]);
    let expected = Accounts::of_delivered(11).and_refused(RefuseReason::Permanent, 1);
    assert_eq!(rig.accounts(), expected);
}

#[tokio::test(start_paused = true)]
async fn several_requests_without_their_parts_are_not_split() {
    let translation = Translation { items_a_request: Some(4), ..Translation::default() };
    let backend = Backend::translating(translation, |_, ids| match ids[0] {
        0 => Fail(bad_request()),
        4 => Fail(too_large(None)),
        _ => Take,
    });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..12).await.unwrap();
    rig.settled().await;
    assert_eq!(sizes(&rig.backend), [4, 4, 4]);
    let expected = Accounts::of_delivered(4)
        .and_refused(RefuseReason::Permanent, 4)
        .and_dropped(DropReason::TooLarge, 4);
    assert_eq!(rig.accounts(), expected);
}

#[tokio::test(start_paused = true)]
async fn items_without_a_form_are_counted_once_however_often_they_are_encoded() {
    let translation = Translation { unsendable: HashSet::from([1, 6]), ..Translation::default() };
    let backend = Backend::translating(translation, |_, ids| match ids.contains(&4) {
        true => Fail(bad_request()),
        false => Take,
    });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..8).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.backend.taken(), [0, 2, 3, 5, 7]);
    let expected = Accounts::of_delivered(5)
        .and_refused(RefuseReason::Permanent, 1)
        .and_dropped(DropReason::Untranslatable, 2);
    assert_eq!(rig.accounts(), expected);
}

#[tokio::test(start_paused = true)]
async fn items_that_a_translation_forgets_are_counted_all_the_same() {
    for queue in [None, Some(Queue::default())] {
        let translation = Translation { forgets: HashSet::from([1, 2]), ..Translation::default() };
        let backend = Backend::translating(translation, |_, _| Take);
        let rig = Rig::new(Settings { queue, ..queued() }, backend);
        rig.offer(0..5).await.unwrap();
        rig.settled().await;
        let expected = Accounts::of_delivered(3).and_dropped(DropReason::ComponentFailed, 2);
        assert_eq!(rig.accounts(), expected);
        rig.offer(1..3).await.unwrap();
        rig.settled().await;
        let expected = Accounts::of_delivered(3).and_dropped(DropReason::ComponentFailed, 4);
        assert_eq!(rig.accounts(), expected);
    }
}
