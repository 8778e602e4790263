//! The two seconds at the end.

use tests::answer::Answer;
use tests::lambda::Mode;

use super::bed::Bed;

#[test]
fn the_end_delivers_what_is_held_and_says_so() {
    let bed = Bed::new();
    bed.backend.answer_always(Answer::status(503));
    let setup = bed.setup(Mode::OnDemand).variable("HIKYAKU_FLUSH_BUDGET", "50ms");
    let mut sandbox = setup.start();
    let ids = sandbox.invoke(|_| bed.send(4));
    bed.backend.answer_always(Answer::Accept);
    let gone = sandbox.shutdown();
    assert_eq!((gone.code, gone.killed), (Some(0), false), "{}", gone.log);
    bed.backend.assert_delivered_once(&ids);
    let line = gone.log.lines().find(|line| line.contains("The environment ends")).unwrap();
    assert!(line.contains("\"delivered_items\":4"), "{line}");
    assert!(line.contains("spindown"), "{line}");
}

#[test]
fn what_a_dead_backend_did_not_take_is_one_line_with_the_number_and_the_reason() {
    let bed = Bed::new();
    bed.road.swallow();
    let setup = bed.setup(Mode::OnDemand).variable("HIKYAKU_FLUSH_BUDGET", "50ms");
    let mut sandbox = setup.start();
    for _ in 0..3 {
        sandbox.invoke(|_| bed.send(5));
    }
    let gone = sandbox.shutdown();
    assert_eq!((gone.code, gone.killed), (Some(0), false), "{}", gone.log);
    let lines: Vec<&str> =
        gone.log.lines().filter(|line| line.contains("\"dropped_items\":15")).collect();
    assert_eq!(lines.len(), 1, "{}", gone.log);
    assert!(lines[0].contains("otlphttp") || lines[0].contains("held_items"), "{}", lines[0]);
}

/// The platform's own limit, with a backend that takes nothing: the extension must be gone by itself.
#[test]
fn a_strict_platform_has_nobody_to_kill() {
    let bed = Bed::new();
    bed.road.swallow();
    let setup = bed.setup(Mode::OnDemand).variable("HIKYAKU_FLUSH_BUDGET", "50ms");
    let mut sandbox = setup.start();
    sandbox.invoke(|_| bed.send(5));
    let gone = sandbox.shutdown_strictly();
    assert_eq!((gone.code, gone.killed), (Some(0), false), "{}", gone.log);
}

#[test]
fn an_environment_that_never_had_an_invocation_ends_as_well() {
    for mode in [Mode::OnDemand, Mode::Provisioned, Mode::SnapStart, Mode::ManagedInstances] {
        let bed = Bed::new();
        let mut ids = Vec::new();
        let sandbox = bed.setup(mode).start_with(|| ids = bed.send(2));
        let gone = sandbox.shutdown();
        assert_eq!((gone.code, gone.killed), (Some(0), false), "{mode:?}: {}", gone.log);
        bed.backend.assert_delivered_once(&ids);
    }
}
