//! A push that keeps state encodes each payload once, in order; what has to be split is cut.

use super::*;

fn stateful(cut: Cut) -> Translation {
    Translation { stateful: Some(cut), ..Translation::default() }
}

fn encoded(rig: &Rig) -> Vec<u64> {
    rig.backend.0.encoded.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn requests_are_cut_and_not_encoded_again() {
    for offload in [None, Some(0)] {
        let translation = Translation { offload, ..stateful(Cut::InTwo) };
        let backend = Backend::translating(translation, |_, ids| match ids {
            [_, _, _, _, ..] => Fail(too_large(None)),
            ids if ids.contains(&5) => Fail(bad_request()),
            _ => Take,
        });
        let rig = Rig::new(queued(), backend);
        rig.offer(0..10).await.unwrap();
        rig.settled().await;
        assert_eq!(rig.backend.taken(), [0, 1, 2, 3, 4, 6, 7, 8, 9]);
        let expected = Accounts::of_delivered(9).and_refused(RefuseReason::Permanent, 1);
        assert_eq!(rig.accounts(), expected);
        assert_eq!(encoded(&rig), (0..10).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_requests_those_that_are_refused_are_cut() {
    let translation = Translation {
        items_a_request: Some(4),
        parts: true,
        unsendable: HashSet::from([11]),
        ..stateful(Cut::InTwo)
    };
    let backend = Backend::translating(translation, |_, ids| match ids {
        ids if ids.contains(&2) => Fail(bad_request()),
        [4, _, _, ..] => Fail(too_large(None)),
        _ => Take,
    });
    let rig = Rig::new(queued(), backend);
    rig.offer(0..12).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.backend.taken(), [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]);
    let expected = Accounts::of_delivered(10)
        .and_refused(RefuseReason::Permanent, 1)
        .and_dropped(DropReason::Untranslatable, 1);
    assert_eq!(rig.accounts(), expected);
    assert_eq!(encoded(&rig), (0..12).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn requests_over_a_known_limit_are_cut_before_anything_is_sent() {
    let translation = Translation {
        limit: Some(1000),
        item_bytes: Some(300),
        knows_bytes: true,
        ..stateful(Cut::InTwo)
    };
    let rig = Rig::new(queued(), Backend::translating(translation, |_, _| Take));
    rig.offer(0..12).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.backend.tried_ids().iter().map(Vec::len).collect::<Vec<_>>(), [3; 4]);
    assert_eq!(rig.accounts(), Accounts::of_delivered(12));
    assert_eq!(encoded(&rig), (0..12).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_cut_is_given_up() {
    for refusal in [bad_request(), too_large(None)] {
        let is_too_large = matches!(refusal, SendError::TooLarge { .. });
        let backend = Backend::translating(stateful(Cut::NotAtAll), move |_, ids| match ids[0] {
            0 => Fail(refusal.clone()),
            _ => Take,
        });
        let rig = Rig::new(queued(), backend);
        rig.offer(0..3).await.unwrap();
        rig.offer(3..6).await.unwrap();
        rig.settled().await;
        assert_eq!(rig.backend.tries().len(), 2);
        let delivered = Accounts::of_delivered(3);
        let expected = match is_too_large {
            true => delivered.and_dropped(DropReason::TooLarge, 3),
            false => delivered.and_refused(RefuseReason::Permanent, 3),
        };
        assert_eq!(rig.accounts(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn payload_that_it_finds_too_large_is_dropped_as_a_whole() {
    let translation = Translation { too_large_above: Some(2), ..stateful(Cut::InTwo) };
    let rig = Rig::new(queued(), Backend::translating(translation, |_, _| Take));
    rig.offer(0..3).await.unwrap();
    rig.settled().await;
    assert_eq!(rig.accounts(), Accounts::default().and_dropped(DropReason::TooLarge, 3));
    assert_eq!(encoded(&rig), [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn payloads_are_encoded_in_their_order_however_long_the_first_takes() {
    let gate = Gate::default();
    let translation =
        Translation { offload: Some(0), waits: Some((0, gate.clone())), ..stateful(Cut::InTwo) };
    let rig = Rig::new(queued(), Backend::translating(translation, |_, _| Take));
    for first in 0..4 {
        rig.offer(first..first + 1).await.unwrap();
    }
    // All have their consumer now; the others would be done long before the gate opens.
    for _ in 0..100 {
        tokio::task::yield_now().await;
        std::thread::yield_now();
    }
    let early = rig.backend.tries().len();
    gate.open();
    rig.settled().await;
    assert_eq!(early, 0);
    assert_eq!(encoded(&rig), [0, 1, 2, 3]);
}
