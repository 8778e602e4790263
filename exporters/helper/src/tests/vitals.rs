//! An exporter that tries is not stuck, however long its backend is away.

use config::{Batch, Retry};

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn rig(settings: Settings, answer: fn() -> Answer) -> (Rig, Process) {
    let process = Process::default();
    let rig = Rig::within(process.clone(), settings, Backend::answering(move |_, _| answer()));
    (rig, process)
}

/// Looks every minute, for this long. The first thing that is stuck.
async fn stuck_within(process: &Process, time: Duration) -> Option<String> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        tokio::time::sleep(Duration::from_secs(60)).await;
        if let Some(stuck) = process.vitals.stuck().pop() {
            return Some(stuck);
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn backend_that_fails_hangs_or_asks_for_time_makes_nobody_stuck() {
    let answers: [fn() -> Answer; 3] =
        [|| Fail(unavailable()), || Hang, || Fail(throttled(2 * HOUR))];
    for answer in answers {
        let retry = Some(Retry { max_elapsed_time: None, ..Retry::default() });
        let (rig, process) = rig(Settings { retry, ..queued() }, answer);
        rig.offer(0..3).await.unwrap();
        assert_eq!(stuck_within(&process, 6 * HOUR).await, None);
        assert!(rig.accounts().held > 0, "it was there all the time");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_joined_on_purpose_and_what_comes_after_a_long_rest_is_not_late() {
    let batch = Batch { flush_timeout: 2 * HOUR, min_size: 1000, ..Batch::default() };
    let (rig, process) = rig(with_queue(Queue { batch: Some(batch), ..Queue::default() }), || Take);
    tokio::time::sleep(24 * HOUR).await;
    rig.offer(0..3).await.unwrap();
    assert!(process.vitals.stuck().is_empty());
    assert_eq!(stuck_within(&process, 3 * HOUR).await, None);
    assert_eq!(rig.accounts(), Accounts::of_delivered(3));
}

#[tokio::test(start_paused = true)]
async fn attempt_that_nothing_limits_is_stuck_in_the_end() {
    let settings = Settings { timeout: Timeout(None), ..queued() };
    let (rig, process) = rig(settings, || Hang);
    rig.offer(0..3).await.unwrap();
    assert_eq!(stuck_within(&process, HOUR).await, None);
    let told = stuck_within(&process, HOUR).await.unwrap();
    assert!(
        told.starts_with("exporter \"otlp/test\" holds 3 items and has done nothing"),
        "{told}"
    );
    rig.shutdown(0).await;
    drop(rig);
    assert!(process.vitals.stuck().is_empty());
}
