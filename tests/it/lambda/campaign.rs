//! Freezes at random points, by the dozen: nothing that was accepted is lost, in any strategy.
//!
//! `HIKYAKU_LAMBDA_FREEZES` sets how many per strategy, `HIKYAKU_LAMBDA_SEED` repeats a campaign by the seed that its failure names.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use tests::answer::Answer;
use tests::lambda::{Ending, Mode, RuntimeDone, Sandbox};
use tests::spans::{self, SpanId};
use tests::{send, wait};

use super::bed::{Bed, rounds};

#[test]
fn freezes_lose_nothing_with_end() {
    campaign("end", Bed::new());
}

#[test]
fn freezes_lose_nothing_with_periodic() {
    campaign("periodic,200", Bed::new());
}

#[test]
fn freezes_lose_nothing_with_continuous() {
    campaign("continuous", Bed::new());
}

#[test]
fn freezes_lose_nothing_with_auto() {
    campaign("auto", Bed::new());
}

#[test]
fn freezes_lose_nothing_over_grpc() {
    campaign("auto", Bed::new().over_grpc());
}

fn campaign(strategy: &str, bed: Bed) {
    let seed = rounds("HIKYAKU_LAMBDA_SEED", fastrand::u32(..) as usize);
    let mut rng = Rng::with_seed(seed as u64);
    let over_http = bed.is_over_http();
    let latency = std::sync::Mutex::new(Rng::with_seed(seed as u64));
    bed.backend.answer_when(move |_| {
        let mut rng = latency.lock().unwrap();
        let pause = Duration::from_millis(rng.u64(0..20));
        Some(if rng.u8(..10) == 0 { Answer::status(503) } else { Answer::AcceptAfter(pause) })
    });
    let setup = bed.setup(Mode::OnDemand).with_clock();
    let mut sandbox = setup
        .variable("HIKYAKU_FLUSH_STRATEGY", strategy)
        .variable("HIKYAKU_FLUSH_BUDGET", "60ms")
        .variable("OPENTELEMETRY_EXTENSION_LOG_LEVEL", "debug")
        .start();
    let mut ids = Vec::new();
    // Requests that were on their way when their connection was cut: each may have been taken before.
    let mut cut_on_the_way = 0;
    let freezes = rounds("HIKYAKU_LAMBDA_FREEZES", 50);
    for _ in 0..freezes {
        let invocation = sandbox.begin(None);
        for _ in 0..rng.usize(0..4) {
            ids.extend(send_some(&bed, &mut rng));
            if rng.u8(..4) == 0 {
                pause_host(&bed, &mut sandbox, &mut rng, &mut cut_on_the_way);
            }
        }
        let ending = if rng.u8(..10) == 0 { Ending::Error("ValueError") } else { Ending::Success };
        sandbox.finish(invocation, &ending, &RuntimeDone::Sent);
        // Frozen. No request is on its way any more: it was answered, or given up and its connection closed. HTTP/2 says more on a
        // connection than requests and answers.
        if over_http {
            bed.road.wait_until_clear();
        }
        if rng.bool() {
            bed.road.cut();
        }
        shift(&sandbox, &mut rng);
    }
    bed.backend.answer_when(|_| Some(Answer::Accept));
    let gone = sandbox.shutdown();
    let place = format!("{strategy}, HIKYAKU_LAMBDA_SEED={seed}");
    assert_eq!((gone.code, gone.killed), (Some(0), false), "{place}: {}", gone.log);
    let delivered = bed.backend.delivered();
    let lost = ids.iter().filter(|id| !delivered.contains_key(*id)).count();
    assert_eq!(lost, 0, "lost of {} spans in {freezes} freezes; {place}: {}", ids.len(), gone.log);
    assert_eq!(delivered.len(), ids.len(), "foreign spans; {place}");
    // One that was recalled in two invocations may have been taken in both, and come a third time.
    let doubled = doubled_requests(&bed, &delivered);
    let recalled = recalled(&gone.log);
    assert!(
        doubled <= cut_on_the_way + recalled,
        "{doubled} requests were taken again, {cut_on_the_way} were cut on their way and {recalled} recalled; {place}"
    );
}

fn send_some(bed: &Bed, rng: &mut Rng) -> Vec<SpanId> {
    let request = spans::request(rng.usize(1..20));
    if rng.bool() {
        bed.send_request(&request);
    } else {
        assert_eq!(send::traces_grpc(bed.grpc, &request).code, 0);
    }
    spans::ids(&request)
}

/// Stops the extension in the middle of an invocation, at a point that the load decides, with or without its connections.
fn pause_host(bed: &Bed, sandbox: &mut Sandbox, rng: &mut Rng, cut_on_the_way: &mut usize) {
    sandbox.freeze();
    if rng.bool() {
        // What the backend is about to answer is not waited for.
        *cut_on_the_way += bed.road.unanswered();
        bed.road.cut();
    }
    shift(sandbox, rng);
    sandbox.thaw();
}

/// Seconds to hours, in which the monotonic clock goes on or does not.
fn shift(sandbox: &Sandbox, rng: &mut Rng) {
    let by = Duration::from_secs([0, 2, 30, 3600][rng.usize(0..4)]);
    if rng.bool() {
        sandbox.clock().advance_wall(by);
    } else {
        sandbox.clock().advance_both(by);
    }
}

/// Requests that were on their way at an invocation's end, by the extension's own account.
fn recalled(log: &str) -> usize {
    let records = tests::gateway::log_records(log);
    let counts = records.iter().filter_map(|record| record["recalled_requests"].as_u64());
    counts.sum::<u64>().try_into().unwrap_or_default()
}

/// Requests that brought at least one span again.
fn doubled_requests(bed: &Bed, delivered: &BTreeMap<SpanId, usize>) -> usize {
    let mut seen: BTreeMap<SpanId, usize> = BTreeMap::new();
    let mut doubled = 0;
    for request in bed.backend.accepted() {
        let mut again = false;
        for id in spans::ids(request.traces()) {
            let times = seen.entry(id).or_default();
            *times += 1;
            again |= *times > 1;
        }
        doubled += usize::from(again);
    }
    wait::until("a settled account", || (seen.len() == delivered.len()).then_some(()));
    doubled
}
