use std::collections::VecDeque;

use confmap::{Diagnostics, Node, Section};
use pdata::edit::ValueBuf;
use tokio::sync::Notify;

use super::*;

/// Detectors that answer what a test tells them, one answer after the other; the last one stays.
#[derive(Clone, Default)]
struct Told {
    answers: Arc<Mutex<Script>>,
    asked: Arc<Mutex<Vec<Kind>>>,
    open: Arc<Notify>,
}

type Script = Vec<(Kind, VecDeque<Says>)>;

#[derive(Clone, Copy)]
enum Says {
    Found(&'static str),
    ForNow,
    ForGood,
    /// Nothing before [`Told::open`].
    WhenOpened(&'static str),
    Never,
}

impl Told {
    fn that(kind: Kind, says: &[Says]) -> Self {
        Self::default().and(kind, says)
    }

    fn and(self, kind: Kind, says: &[Says]) -> Self {
        self.answers.lock().unwrap().push((kind, says.iter().copied().collect()));
        self
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn found(pair: &str) -> Detected {
    let pairs = pair.split(' ').filter_map(|pair| pair.split_once('='));
    Detected::without_schema(
        pairs.map(|(key, value)| (key.to_owned(), ValueBuf::from(value))).collect(),
    )
}

impl Ask for Told {
    fn ask<'a>(&'a self, kind: Kind, _: &'a Config) -> BoxFuture<'a, Result<Detected, Failure>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(kind);
            let says = {
                let mut answers = self.answers.lock().unwrap();
                let (_, says) = answers.iter_mut().find(|(known, _)| *known == kind).unwrap();
                if says.len() > 1 { says.pop_front().unwrap() } else { says[0] }
            };
            match says {
                Says::Found(pairs) => Ok(found(pairs)),
                Says::ForNow => Err(Failure::ForNow("not yet".to_owned())),
                Says::ForGood => Err(Failure::ForGood("never".to_owned())),
                Says::WhenOpened(pairs) => {
                    self.open.notified().await;
                    Ok(found(pairs))
                }
                Says::Never => std::future::pending().await,
            }
        })
    }
}

fn detection(yaml: &str, told: &Told) -> Arc<Detection> {
    let node = Node::from_yaml("test", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let config = Config::read(Section::new(Some(&node), "processors::x", &diagnostics));
    assert!(diagnostics.is_empty(), "{diagnostics}");
    let detection = Arc::new(Detection::new(config, told.clone()));
    detection.begin();
    detection
}

fn run(detection: &Arc<Detection>) -> tokio::task::JoinHandle<()> {
    let detection = detection.clone();
    tokio::spawn(async move { detection.run().await })
}

#[tokio::test(start_paused = true)]
async fn the_first_detector_in_the_list_wins_however_late_it_answers() {
    let told = Told::that(Kind::Ecs, &[Says::WhenOpened("a=ecs b=ecs")])
        .and(Kind::System, &[Says::Found("b=system c=system")]);
    let detection = detection("detectors: [ecs, system]", &told);
    let running = run(&detection);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(detection.detected().text(), ["b=system", "c=system"]);
    told.open.notify_one();
    detection.wait().await;
    assert_eq!(detection.detected().text(), ["a=ecs", "b=ecs", "c=system"]);
    running.await.unwrap();
    assert_eq!(told.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn payloads_wait_no_longer_than_the_timeout_from_the_start_on() {
    let told = Told::that(Kind::Ecs, &[Says::Never]).and(Kind::Env, &[Says::Found("a=env")]);
    let detection = detection("{detectors: [ecs, env], timeout: 3s}", &told);
    let began = Instant::now();
    let _running = run(&detection);
    sleep(Duration::from_secs(2)).await;
    detection.wait().await;
    assert_eq!(began.elapsed(), Duration::from_secs(3));
    assert_eq!(detection.detected().text(), ["a=env"]);
    detection.wait().await;
    assert_eq!(began.elapsed(), Duration::from_secs(3), "nobody waits again");
}

#[tokio::test(start_paused = true)]
async fn a_detector_that_fails_is_asked_again_also_after_payloads_have_stopped_waiting() {
    let says = [Says::ForNow, Says::ForNow, Says::ForNow, Says::ForNow, Says::Found("a=1")];
    let told = Told::that(Kind::Ec2, &says);
    let detection = detection("{detectors: [ec2], timeout: 2s}", &told);
    let began = Instant::now();
    let running = run(&detection);
    detection.wait().await;
    assert!(detection.detected().is_empty());
    running.await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(1 + 2 + 4 + 8));
    assert_eq!(detection.detected().text(), ["a=1"]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_a_failure_after_the_timeout() {
    let told = Told::that(Kind::Ecs, &[Says::Never, Says::Found("a=1")]);
    let detection = detection("{detectors: [ecs], timeout: 2s}", &told);
    let began = Instant::now();
    run(&detection).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(2 + 1));
    assert_eq!(detection.detected().text(), ["a=1"]);
}

#[tokio::test(start_paused = true)]
async fn a_detector_that_gives_up_holds_nobody_up() {
    let told = Told::that(Kind::Env, &[Says::ForGood]).and(Kind::System, &[Says::Found("a=1")]);
    let detection = detection("detectors: [env, system]", &told);
    let began = Instant::now();
    run(&detection).await.unwrap();
    detection.wait().await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(detection.detected().text(), ["a=1"]);
    assert_eq!(told.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_replaces_what_was_found_and_a_failed_one_keeps_it() {
    let says = [Says::Found("a=1"), Says::Found("b=2"), Says::ForNow, Says::Found("c=3")];
    let told = Told::that(Kind::Ec2, &says).and(Kind::Env, &[Says::Found("e=0")]);
    let detection = detection("{detectors: [ec2, env], refresh_interval: 10s}", &told);
    let _running = run(&detection);
    for (at, expected) in
        [(5, ["a=1", "e=0"]), (15, ["b=2", "e=0"]), (25, ["b=2", "e=0"]), (35, ["c=3", "e=0"])]
    {
        let now = detection.patience_ends.get().copied().unwrap() - Duration::from_secs(5);
        tokio::time::sleep_until(now + Duration::from_secs(at)).await;
        assert_eq!(detection.detected().text(), expected, "after {at} s");
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_pipelines_one_asks_and_another_goes_on_when_it_is_stopped() {
    let told = Told::that(Kind::Ecs, &[Says::WhenOpened("a=1"), Says::Found("a=2")]);
    let detection = detection("{detectors: [ecs], timeout: 10s}", &told);
    let (first, second) = (run(&detection), run(&detection));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(told.asked(), 1);
    first.abort();
    second.await.unwrap();
    assert_eq!((told.asked(), detection.detected().text()), (2, vec!["a=2".to_owned()]));
    run(&detection).await.unwrap();
    assert_eq!(told.asked(), 2, "what is complete is not asked again");
}

#[tokio::test(start_paused = true)]
async fn without_a_timeout_nobody_waits_and_detectors_have_time() {
    let told = Told::that(Kind::Ecs, &[Says::WhenOpened("a=1")]);
    let detection = detection("{detectors: [ecs], timeout: 0s}", &told);
    let began = Instant::now();
    let running = run(&detection);
    detection.wait().await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    sleep(Duration::from_secs(20)).await;
    told.open.notify_one();
    running.await.unwrap();
    assert_eq!(detection.detected().text(), ["a=1"]);
}
