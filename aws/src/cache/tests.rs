use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use super::*;
use crate::error::{Cause, Source};
use crate::testing::{SetClock, epoch};

/// A source that gives out numbered credentials, or fails when it is told to.
#[derive(Clone)]
struct Numbered {
    asked: Arc<AtomicUsize>,
    fails: Arc<std::sync::atomic::AtomicBool>,
    lasts: fn(SystemTime) -> Lasts,
    clock: SetClock,
}

impl Numbered {
    fn new(lasts: fn(SystemTime) -> Lasts) -> (Self, Cache) {
        let clock = SetClock::new();
        let cache = Cache::new(clock.clock());
        let (asked, fails) = (Arc::default(), Arc::default());
        (Self { asked, fails, lasts, clock }, cache)
    }

    async fn ask(&self) -> Result<Lease, Error> {
        let n = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        if self.fails.load(Ordering::Relaxed) {
            let cause = Cause::Answer("is of no use");
            return Err(Error::Credentials { origin: Source::Container, cause });
        }
        let now = (self.clock.clock())();
        let credentials = Credentials::new(&format!("KEY{n}"), "secret", None);
        Ok(Lease { credentials, lasts: (self.lasts)(now) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::Relaxed);
    }

    async fn key(&self, cache: &Cache) -> Result<String, Error> {
        cache.get(|| self.ask()).await.map(|credentials| credentials.access_key_id().to_owned())
    }
}

async fn opened(open: &watch::Sender<bool>) {
    let mut open = open.subscribe();
    let _open = open.wait_for(|open| *open).await.unwrap();
}

fn an_hour(now: SystemTime) -> Lasts {
    Lasts::Until(now + Duration::from_secs(3600))
}

fn an_hour_at_least(now: SystemTime) -> Lasts {
    Lasts::UntilAtLeast(now + Duration::from_secs(3600))
}

#[tokio::test]
async fn credentials_are_kept_until_shortly_before_they_expire() {
    let (source, cache) = Numbered::new(an_hour);
    for (at, key) in [(0, "KEY1"), (3000, "KEY1"), (3299, "KEY1"), (3300, "KEY2"), (3301, "KEY2")] {
        source.clock.set(at);
        assert_eq!(source.key(&cache).await.unwrap(), key, "{at}");
    }
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn credentials_that_expired_while_the_sandbox_was_frozen_are_not_used() {
    let (source, cache) = Numbered::new(an_hour);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    // A day passes on the wall clock, and no time on the one that timers use.
    source.clock.set(86_400);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY2");
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_lengthen_credentials() {
    let (source, cache) = Numbered::new(|_| Lasts::Until(epoch() + Duration::from_secs(4000)));
    source.clock.set(2000);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    source.clock.set(0);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    source.clock.set(3995);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY2");
}

#[tokio::test(start_paused = true)]
async fn old_credentials_stay_in_use_when_no_new_ones_can_be_had() {
    let (source, cache) = Numbered::new(an_hour);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    source.fail(true);
    source.clock.set(3400);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    assert_eq!(source.asked(), 2, "it is not asked again for each request");
    tokio::time::advance(ASK_AGAIN).await;
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    assert_eq!(source.asked(), 3);
    source.clock.set(3600);
    let error = source.key(&cache).await.unwrap_err();
    assert!(error.to_string().contains("the container's endpoint: the answer is of no use"));
    source.fail(false);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY5");
}

#[tokio::test(start_paused = true)]
async fn an_instances_credentials_outlive_their_end_while_its_metadata_is_out_of_order() {
    let (source, cache) = Numbered::new(an_hour_at_least);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    source.fail(true);
    source.clock.set(5000);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    tokio::time::advance(ASK_AGAIN_EXPIRED.0 / 2).await;
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    assert_eq!(source.asked(), 2, "it is left alone for five minutes");
    tokio::time::advance(ASK_AGAIN_EXPIRED.0 + ASK_AGAIN_EXPIRED.1).await;
    source.fail(false);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY3");
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_has_nothing_newer_than_expired_credentials_is_left_alone_for_a_while() {
    let (source, cache) = Numbered::new(|_| Lasts::UntilAtLeast(epoch()));
    source.clock.set(1);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    tokio::time::advance(ASK_AGAIN_EXPIRED.0 + ASK_AGAIN_EXPIRED.1).await;
    assert_eq!(source.key(&cache).await.unwrap(), "KEY2");
}

#[tokio::test]
async fn forgotten_credentials_are_asked_for_anew() {
    let (source, cache) = Numbered::new(|_| Lasts::Forever);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    cache.forget();
    assert_eq!(source.key(&cache).await.unwrap(), "KEY2");
}

#[tokio::test]
async fn all_who_need_credentials_at_once_wait_for_one_answer() {
    let (source, cache) = Numbered::new(an_hour);
    let open = watch::Sender::new(false);
    let ask = || async {
        opened(&open).await;
        source.ask().await
    };
    let key = |outcome: Result<Credentials, Error>| outcome.unwrap().access_key_id().to_owned();
    let (a, b, c, ()) = tokio::join!(cache.get(ask), cache.get(ask), cache.get(ask), async {
        tokio::task::yield_now().await;
        open.send_replace(true);
    });
    assert_eq!([key(a), key(b), key(c)], ["KEY1", "KEY1", "KEY1"]);
}

#[tokio::test]
async fn all_who_waited_for_a_failure_are_told_of_it_and_the_next_one_asks_again() {
    let (source, cache) = Numbered::new(an_hour);
    source.fail(true);
    let open = watch::Sender::new(false);
    let ask = || async {
        opened(&open).await;
        source.ask().await
    };
    let (a, b, ()) = tokio::join!(cache.get(ask), cache.get(ask), async {
        tokio::task::yield_now().await;
        open.send_replace(true);
    });
    assert!(a.is_err() && b.is_err());
    assert_eq!(source.asked(), 1);
    source.fail(false);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY2");
}

#[tokio::test]
async fn requests_go_on_with_credentials_that_are_being_renewed() {
    let (source, cache) = Numbered::new(an_hour);
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
    source.clock.set(3400);
    let open = watch::Sender::new(false);
    let slow = cache.get(|| async {
        opened(&open).await;
        source.ask().await
    });
    let both = async {
        tokio::join!(slow, async {
            assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
            open.send_replace(true);
        })
    };
    let both = tokio::time::timeout(Duration::from_secs(20), both).await;
    let (renewed, ()) =
        both.expect("a request waits for new credentials though the old ones are good");
    assert_eq!(renewed.unwrap().access_key_id(), "KEY2");
}

#[tokio::test]
async fn a_request_that_gives_up_leaves_the_asking_to_the_next_one() {
    let (source, cache) = Numbered::new(an_hour);
    let gives_up = cache.get(std::future::pending);
    assert!(tokio::time::timeout(Duration::ZERO, gives_up).await.is_err());
    assert_eq!(source.key(&cache).await.unwrap(), "KEY1");
}
