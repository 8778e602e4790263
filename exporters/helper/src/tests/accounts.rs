//! The equation, under every fault there is.

use config::{Batch, Sizer};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::*;

/// One run: what surrounds the send, what is offered, how the backend behaves.
#[derive(Clone, Debug)]
struct Run {
    consumers: usize,
    queue: Option<(u64, Sizer, bool, bool)>,
    batch: Option<(u64, Option<u64>, Sizer)>,
    retry: Option<u64>,
    limit: Option<usize>,
    items_a_request: Option<usize>,
    payloads: Vec<(u64, u64)>,
    faults: Vec<u8>,
    flush_at: Option<usize>,
    deadline: u64,
}

fn sizer() -> impl Strategy<Value = Sizer> {
    prop_oneof![Just(Sizer::Requests), Just(Sizer::Items), Just(Sizer::Bytes)]
}

fn run() -> impl Strategy<Value = Run> {
    let batch_sizer = prop_oneof![Just(Sizer::Items), Just(Sizer::Bytes)];
    let batch = (1..60_u64, proptest::option::of(1..80_u64), batch_sizer);
    let surroundings = (
        1..4_usize,
        proptest::option::weighted(0.8, (1..400_u64, sizer(), any::<bool>(), any::<bool>())),
        proptest::option::of(batch),
        proptest::option::weighted(0.8, 1..20_u64),
        proptest::option::of(1..20_usize),
        proptest::option::of(1..20_usize),
    );
    let load = (
        proptest::collection::vec((0..30_u64, 0..3_u64), 1..30),
        proptest::collection::vec(any::<u8>(), 1..60),
        proptest::option::of(0..30_usize),
        0..20_u64,
    );
    (surroundings, load).prop_map(|(surroundings, load)| {
        let (consumers, queue, batch, retry, limit, items_a_request) = surroundings;
        let (payloads, faults, flush_at, deadline) = load;
        Run {
            consumers,
            queue,
            batch,
            retry,
            limit,
            items_a_request,
            payloads,
            faults,
            flush_at,
            deadline,
        }
    })
}

impl Run {
    fn settings(&self) -> Settings {
        let queue = self.queue.map(|(queue_size, sizer, block_on_overflow, wait_for_result)| {
            let batch = self.batch.map(|(min_size, max_size, sizer)| {
                let max_size = max_size.map(|max| max.max(min_size));
                Batch { min_size, max_size, sizer, ..Batch::default() }
            });
            let num_consumers = self.consumers;
            Queue {
                queue_size,
                sizer,
                block_on_overflow,
                wait_for_result,
                batch,
                num_consumers,
                ..Queue::default()
            }
        });
        let retry = self.retry.map(|seconds| Retry {
            max_elapsed_time: Some(Duration::from_secs(seconds)),
            ..steady()
        });
        Settings { queue, retry, ..queued() }
    }

    fn backend(&self) -> Backend {
        let faults = self.faults.clone();
        let (limit, items_a_request) = (self.limit, self.items_a_request);
        let translation = Translation {
            unsendable: (0..100_000).filter(|id| id % 37 == 5).collect(),
            items_a_request,
            parts: true,
            limit,
            ..Translation::default()
        };
        Backend::translating(translation, move |nth, ids| {
            let fault = faults[nth % faults.len()];
            match fault % 16 {
                0 => Fail(unavailable()),
                1 => Fail(throttled(Duration::from_secs(u64::from(fault / 16)))),
                2 => Fail(unauthorised()),
                3 => Fail(too_large(None)),
                4 => Fail(too_large(Some(usize::from(fault)))),
                5 => TakeAfter(Duration::from_secs(u64::from(fault / 16))),
                6 => Reject(ids.len() / 2),
                7 if fault == 7 => Hang,
                8 if fault == 8 => Panic,
                _ if ids.iter().any(|id| id % 23 == 7) => Fail(bad_request()),
                _ => Take,
            }
        })
    }

    async fn check(&self) -> Result<(), TestCaseError> {
        let rig = Arc::new(Rig::new(self.settings(), self.backend()));
        let waits = self.queue.is_none_or(|(.., wait_for_result)| wait_for_result);
        let blocks = self.queue.is_some_and(|(_, _, block_on_overflow, _)| block_on_overflow);
        let answers = Arc::new(Answers::default());
        // Where nobody waits for an outcome, an answer says that the items are held, or done with.
        let balanced = || {
            let (accounts, accepted) = (rig.accounts(), answers.accepted());
            prop_assert!(waits || accounts.total() == accepted, "{accounts:?}, {accepted}");
            Ok(())
        };
        let mut offers = tokio::task::JoinSet::new();
        let mut first = 0;
        for (nth, (items, pause)) in self.payloads.iter().enumerate() {
            let ids = first..first + items;
            first += items;
            let (rig, answers) = (rig.clone(), answers.clone());
            let flushing = rig.clone();
            let offer = async move {
                let envelope = Envelope::of(spans(ids.clone()));
                answers.keep(ids, rig.helper.consume(envelope).await);
            };
            match waits || blocks {
                true => drop(offers.spawn(offer)),
                false => offer.await,
            }
            if self.flush_at == Some(nth) {
                flushing.helper.flush(Deadline::after(Duration::from_secs(1))).await;
            }
            for _ in 0..*pause {
                tokio::time::sleep(Duration::from_millis(300)).await;
                balanced()?;
            }
        }
        let stop = rig.shutdown(self.deadline);
        tokio::pin!(stop);
        let given_up = loop {
            tokio::select! {
                given_up = &mut stop => break given_up,
                () = tokio::time::sleep(Duration::from_millis(300)) => balanced()?,
            }
        };
        patiently("every answer", async { while offers.join_next().await.is_some() {} }).await;
        balanced()?;
        let accounts = rig.accounts();
        prop_assert_eq!(accounts.held, 0);
        prop_assert_eq!(accounts.total(), answers.accepted());
        let by_shutdown = accounts.dropped.get("shutdown").copied().unwrap_or_default();
        prop_assert!(waits || given_up as u64 == by_shutdown, "{given_up} given up: {accounts:?}");
        let taken = rig.backend.taken();
        let once: HashSet<u64> = taken.iter().copied().collect();
        prop_assert_eq!(once.len(), taken.len(), "sent again after success");
        prop_assert_eq!(accounts.delivered, taken.len() as u64);
        let refused = answers.refused.lock().unwrap();
        prop_assert!(refused.iter().all(|id| !once.contains(id)), "delivered, yet given back");
        Ok(())
    }
}

/// What the callers were answered.
#[derive(Default)]
struct Answers {
    accepted: AtomicUsize,
    refused: Mutex<Vec<u64>>,
}

impl Answers {
    fn keep(&self, ids: Range<u64>, answer: Result<(), ConsumeError>) {
        match answer {
            Ok(()) => {
                self.accepted.fetch_add((ids.end - ids.start) as usize, Ordering::Relaxed);
            }
            Err(_) => self.refused.lock().unwrap().extend(ids),
        }
    }

    fn accepted(&self) -> i64 {
        self.accepted.load(Ordering::Relaxed) as i64
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_item_has_one_outcome_and_none_is_sent_again_after_success(run in run()) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run.check())?;
    }
}
