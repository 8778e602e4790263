use std::time::Duration;

use pdata::Signal;
use telemetry::Registry;
use telemetry::names::{self, label};

use super::*;
use crate::id::{ComponentId, PipelineId};
use crate::testing::{Recorder, envelope, within_patience};

struct Fixture {
    registry: Registry,
    recorders: Vec<Recorder>,
    fan_out: FanOut,
}

fn fixture(branches: usize) -> Fixture {
    with_observers(branches, 0)
}

/// As many branches, the first of which are observers.
fn with_observers(branches: usize, observers: usize) -> Fixture {
    let registry = Registry::new();
    let pipeline: PipelineId = "traces/p".parse().unwrap();
    let recorders: Vec<Recorder> = (0..branches).map(|_| Recorder::default()).collect();
    let branch = |(number, recorder): (usize, &Recorder)| {
        let id: ComponentId = format!("fake/{number}").parse().unwrap();
        let account = Account::of_exporter(&registry, &pipeline, &id);
        Branch { next: Arc::new(recorder.clone()), account, observes: number < observers }
    };
    let branches = recorders.iter().enumerate().map(branch).collect();
    let labels = [(label::PIPELINE, "traces/p")];
    let forwarded = registry.counter(&names::PIPELINE_FORWARDED_ITEMS, &labels);
    Fixture { fan_out: FanOut::counting(branches, forwarded), recorders, registry }
}

impl Fixture {
    /// Accepted, returned, dropped for want of room, of a branch.
    fn counts(&self, branch: usize) -> [u64; 3] {
        let id = format!("fake/{branch}");
        let labels = [
            (label::PIPELINE, "traces/p"),
            (label::EXPORTER, id.as_str()),
            (label::DATA_TYPE, "traces"),
        ];
        let with = |reason| [labels[0], labels[1], labels[2], (label::REASON, reason)];
        let registry = &self.registry;
        [
            registry.counter(&names::EXPORTER_ACCEPTED_ITEMS, &labels).get(),
            registry.counter(&names::EXPORTER_REFUSED_ITEMS, &with("returned")).get(),
            registry.counter(&names::EXPORTER_DROPPED_ITEMS, &with("queue_full")).get(),
        ]
    }

    fn forwarded(&self) -> u64 {
        let labels = [(label::PIPELINE, "traces/p")];
        self.registry.counter(&names::PIPELINE_FORWARDED_ITEMS, &labels).get()
    }
}

fn full() -> ConsumeError {
    ConsumeError::overloaded("sending queue is full").retry_after(Duration::from_secs(3))
}

#[tokio::test]
async fn every_branch_is_given_the_same_bytes() {
    let fixture = fixture(3);
    let sent = envelope(Signal::Traces, 5);
    fixture.fan_out.consume(sent.clone()).await.unwrap();
    for (branch, recorder) in fixture.recorders.iter().enumerate() {
        let taken = recorder.envelopes();
        let bytes = |envelope: &Envelope| envelope.payload.chunks()[0].as_ptr();
        assert_eq!(taken.len(), 1);
        assert_eq!(bytes(&taken[0]), bytes(&sent), "branch {branch} got a copy");
        assert_eq!(fixture.counts(branch), [5, 0, 0]);
    }
    assert_eq!(fixture.forwarded(), 5);
}

#[tokio::test]
async fn refusal_of_one_branch_is_dropped_there_and_not_told_to_the_sender() {
    let fixture = fixture(2);
    fixture.recorders[0].refuse(Some(full()));
    fixture.fan_out.consume(envelope(Signal::Traces, 4)).await.unwrap();
    assert_eq!(fixture.counts(0), [4, 0, 4]);
    assert_eq!(fixture.counts(1), [4, 0, 0]);
    assert_eq!(fixture.recorders[1].items(), 4);
    assert_eq!(fixture.forwarded(), 4);
}

#[tokio::test]
async fn refusal_of_all_branches_goes_back_and_is_retryable_if_any_is() {
    let fixture = fixture(3);
    fixture.recorders[0].refuse(Some(ConsumeError::permanent("never")));
    fixture.recorders[1].refuse(Some(full()));
    fixture.recorders[2].refuse(Some(ConsumeError::new(Class::Retryable, "later")));
    let error = fixture.fan_out.consume(envelope(Signal::Traces, 4)).await.unwrap_err();
    assert_eq!(error, full());
    for branch in 0..3 {
        assert_eq!(fixture.counts(branch), [4, 4, 0], "branch {branch}");
    }
    assert_eq!(fixture.forwarded(), 0);
    for recorder in &fixture.recorders {
        recorder.refuse(Some(ConsumeError::permanent("never").retry_after(Duration::from_secs(1))));
    }
    let error = fixture.fan_out.consume(envelope(Signal::Traces, 1)).await.unwrap_err();
    assert_eq!((error.class, error.retry_after), (Class::Permanent, None));
}

#[tokio::test]
async fn single_branch_passes_the_answer_on() {
    let fixture = fixture(1);
    fixture.recorders[0].refuse(Some(full()));
    assert_eq!(fixture.fan_out.consume(envelope(Signal::Traces, 2)).await, Err(full()));
    fixture.recorders[0].refuse(None);
    fixture.fan_out.consume(envelope(Signal::Traces, 3)).await.unwrap();
    assert_eq!(fixture.counts(0), [5, 2, 0]);
    assert_eq!(fixture.forwarded(), 3);
}

#[tokio::test]
async fn branch_that_keeps_waiting_does_not_keep_the_others_from_their_data() {
    let fixture = Arc::new(fixture(2));
    fixture.recorders[0].close(true);
    let sending = tokio::spawn({
        let fixture = fixture.clone();
        async move { fixture.fan_out.consume(envelope(Signal::Traces, 2)).await }
    });
    fixture.recorders[1].wait_for_items(2).await;
    assert!(!sending.is_finished());
    fixture.recorders[0].close(false);
    within_patience("the answer", sending).await.unwrap().unwrap();
    assert_eq!(fixture.recorders[0].items(), 2);
}

#[tokio::test]
async fn offer_that_is_dropped_half_way_counts_as_given_back_where_there_was_no_answer() {
    for branches in [1, 2] {
        let fixture = fixture(branches);
        fixture.recorders[0].close(true);
        let mut offer = fixture.fan_out.consume(envelope(Signal::Traces, 3));
        let pending = poll_fn(|cx| Poll::Ready(offer.as_mut().poll(cx).is_pending())).await;
        assert!(pending, "the closed branch answers nobody");
        drop(offer);
        assert_eq!(fixture.counts(0), [3, 3, 0]);
        if branches == 2 {
            assert_eq!(fixture.counts(1), [3, 0, 0], "it had taken them");
        }
    }
}

#[tokio::test]
async fn observer_is_given_what_another_branch_took_and_never_keeps_a_sender_from_being_pushed_back()
 {
    let fixture = with_observers(3, 1);
    let [observer, first, second] = &fixture.recorders[..] else { unreachable!("three") };
    first.refuse(Some(full()));
    fixture.fan_out.offer(envelope(Signal::Traces, 4)).await.unwrap();
    assert_eq!((observer.items(), second.items()), (4, 4));
    second.refuse(Some(full()));
    let refusal = fixture.fan_out.offer(envelope(Signal::Traces, 7)).await.unwrap_err();
    assert_eq!(refusal, full());
    assert_eq!(observer.offers(), 1, "the sender will bring the rest again");
    assert_eq!([fixture.counts(0), fixture.counts(1)], [[4, 0, 0], [11, 7, 4]]);
    assert_eq!(fixture.forwarded(), 4);
}

#[tokio::test]
async fn refusal_of_an_observer_is_dropped_there() {
    let fixture = with_observers(2, 1);
    fixture.recorders[0].refuse(Some(full()));
    fixture.fan_out.offer(envelope(Signal::Traces, 5)).await.unwrap();
    assert_eq!([fixture.counts(0), fixture.counts(1)], [[5, 0, 5], [5, 0, 0]]);
    assert_eq!(fixture.forwarded(), 5);
}

#[tokio::test]
async fn observers_among_themselves_decide_as_others_do() {
    let fixture = with_observers(2, 2);
    for recorder in &fixture.recorders {
        recorder.refuse(Some(full()));
    }
    let refusal = fixture.fan_out.offer(envelope(Signal::Traces, 5)).await.unwrap_err();
    assert_eq!(refusal, full());
    fixture.recorders[0].refuse(None);
    fixture.fan_out.offer(envelope(Signal::Traces, 5)).await.unwrap();
    assert_eq!([fixture.counts(0), fixture.counts(1)], [[10, 5, 0], [10, 5, 5]]);
}
