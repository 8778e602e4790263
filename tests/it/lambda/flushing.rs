//! What each strategy promises, from outside.

use std::time::Duration;

use tests::answer::Answer;
use tests::lambda::{Ending, Mode, RuntimeDone};
use tests::wait;

use super::bed::Bed;

#[test]
fn end_has_delivered_everything_by_the_next_call_of_next() {
    let bed = Bed::new();
    let mut sandbox = bed.start_flushing("end");
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.extend(sandbox.invoke(|_| bed.send(3)));
        // The environment is frozen: what is there now was there before.
        bed.backend.assert_delivered_once(&ids);
    }
}

#[test]
fn a_first_invocation_is_delivered_before_the_freeze_by_auto_too() {
    let bed = Bed::new();
    let mut sandbox = bed.start_flushing("auto");
    let ids = sandbox.invoke(|_| bed.send(3));
    bed.backend.assert_delivered_once(&ids);
}

#[test]
fn what_is_left_over_is_sent_beside_the_next_handler() {
    for strategy in ["continuous", "auto"] {
        let bed = Bed::new();
        let mut sandbox = bed.start_flushing(strategy);
        let mut ids = Vec::new();
        // Frequent invocations, after which nothing waits for a backend any more.
        for _ in 0..20 {
            ids.extend(sandbox.invoke(|_| bed.send(1)));
        }
        let invocation = sandbox.begin(None);
        // The handler runs on until it has come, however old it must be for that.
        bed.backend.wait_for_spans(&ids);
        sandbox.finish(invocation, &Ending::Success, &RuntimeDone::Sent);
        bed.assert_all_came(&ids);
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_make_data_young_again() {
    for strategy in ["continuous,1000", "auto,1000", "periodic,1000"] {
        let bed = Bed::new();
        let setup = bed.setup(Mode::OnDemand).with_clock();
        let mut sandbox = setup.variable("HIKYAKU_FLUSH_STRATEGY", strategy).start();
        let mut ids = Vec::new();
        for _ in 0..12 {
            ids.extend(sandbox.invoke(|_| bed.send(1)));
        }
        sandbox.clock().set_wall_back(Duration::from_secs(24 * 3600));
        ids.extend(sandbox.invoke(|_| bed.send(1)));
        sandbox.clock().advance_wall(Duration::from_secs(5));
        sandbox.invoke(|_| {});
        bed.backend.assert_delivered_once(&ids);
    }
}

#[test]
fn data_that_would_become_too_old_is_waited_for() {
    for strategy in ["continuous,1000", "auto,1000", "periodic,1000"] {
        let bed = Bed::new();
        let setup = bed.setup(Mode::OnDemand).with_clock();
        let mut sandbox = setup.variable("HIKYAKU_FLUSH_STRATEGY", strategy).start();
        let mut ids = Vec::new();
        for _ in 0..12 {
            ids.extend(sandbox.invoke(|_| bed.send(1)));
        }
        // What may be left is older than the limit when the next invocation ends.
        sandbox.clock().advance_wall(Duration::from_secs(5));
        sandbox.invoke(|_| {});
        bed.assert_all_came(&ids);
    }
}

#[test]
fn a_backend_that_never_answers_does_not_hold_an_invocation_for_ever() {
    for strategy in ["end", "periodic", "continuous", "auto"] {
        let bed = Bed::new();
        bed.backend.answer_always(Answer::Stall);
        let setup = bed.setup(Mode::OnDemand).variable("HIKYAKU_FLUSH_BUDGET", "100ms");
        let mut sandbox = setup.variable("HIKYAKU_FLUSH_STRATEGY", strategy).start();
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.extend(sandbox.invoke(|_| bed.send(1)));
            // Frozen: a request has ended, or was given up.
            bed.road.wait_until_clear();
        }
        bed.backend.answer_always(Answer::Accept);
        sandbox.shutdown();
        bed.assert_all_came(&ids);
    }
}

#[test]
fn an_end_that_is_not_told_or_another_ones_is_found_out() {
    for runtime_done in [RuntimeDone::Missing, RuntimeDone::OfAnother] {
        let bed = Bed::new();
        let mut sandbox = bed.start_flushing("end");
        sandbox.set_timeout(Duration::from_secs(1));
        let mut ids = Vec::new();
        for _ in 0..2 {
            let invocation = sandbox.begin(None);
            ids.extend(bed.send(2));
            sandbox.finish(invocation, &Ending::Success, &runtime_done);
        }
        sandbox.shutdown();
        bed.backend.assert_delivered_once(&ids);
    }
}

#[test]
fn many_small_requests_in_frequent_invocations_never_fill_the_queue() {
    for strategy in ["auto", "continuous", "periodic"] {
        let bed = Bed::new().exporter("sending_queue: { queue_size: 50 }");
        let mut sandbox = bed.start_flushing(strategy);
        let mut ids = Vec::new();
        for _ in 0..30 {
            // Each has to be taken.
            ids.extend(sandbox.invoke(|_| (0..5).flat_map(|_| bed.send(1)).collect::<Vec<_>>()));
        }
        sandbox.shutdown();
        bed.assert_all_came(&ids);
    }
}

#[test]
fn a_handler_that_fails_has_its_data_delivered_before_the_freeze() {
    let bed = Bed::new();
    let mut sandbox = bed.start_flushing("auto");
    for _ in 0..8 {
        sandbox.invoke(|_| {});
    }
    let invocation = sandbox.begin(None);
    let ids = bed.send(2);
    sandbox.finish(invocation, &Ending::Error("ValueError"), &RuntimeDone::Sent);
    bed.backend.assert_delivered_once(&ids);
}

#[test]
fn what_arrives_after_the_end_of_the_handler_is_not_lost() {
    let bed = Bed::new();
    let mut sandbox = bed.start_flushing("end");
    let invocation = sandbox.begin(None);
    sandbox.end_handler(&invocation, &Ending::Success, &RuntimeDone::Sent);
    let ids = bed.send(2);
    sandbox.settle(&invocation, &Ending::Success);
    sandbox.shutdown();
    bed.backend.assert_delivered_once(&ids);
}

#[test]
fn an_answer_is_given_while_the_backend_is_silent() {
    let bed = Bed::new();
    bed.backend.answer_always(Answer::Stall);
    let mut sandbox = bed.start_flushing("continuous");
    let invocation = sandbox.begin(None);
    // Each call waits for its answer, and the first request is at the backend by the last.
    let mut ids = bed.send(1);
    bed.backend.wait_for_requests(1);
    ids.extend(bed.send(1));
    assert_eq!(bed.backend.accepted().len(), 0);
    bed.backend.answer_always(Answer::Accept);
    bed.backend.release();
    wait::until("the spans to be delivered", || {
        (bed.backend.delivered().len() == ids.len()).then_some(())
    });
    sandbox.finish(invocation, &Ending::Success, &RuntimeDone::Sent);
}
