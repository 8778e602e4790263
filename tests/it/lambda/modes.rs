//! Provisioned concurrency, SnapStart and Managed Instances, each by its own rules.

use std::time::Duration;

use serde_json::Value;
use tests::lambda::{Ending, Mode, RuntimeDone};

use super::bed::Bed;

#[test]
fn managed_instances_are_registered_for_the_end_only_and_never_asked_for_invocations() {
    let bed = Bed::new();
    let mut sandbox = bed.start(Mode::ManagedInstances);
    let calls = sandbox.calls();
    let register = calls.iter().find(|call| call.what.ends_with("/register")).unwrap();
    assert_eq!(register.status, 200, "{calls:?}");
    let body: Value = serde_json::from_str(&register.body).unwrap();
    assert_eq!(body["events"], serde_json::json!(["SHUTDOWN"]));
    // Several at once, ended in another order. The environment is never frozen, and nobody tells of the ends.
    let all: Vec<_> = (0..4).map(|_| sandbox.begin(None)).collect();
    let mut ids = Vec::new();
    for invocation in all.into_iter().rev() {
        ids.extend(bed.send(2));
        sandbox.finish(invocation, &Ending::Success, &RuntimeDone::Sent);
    }
    bed.backend.wait_for_spans(&ids);
    let gone = sandbox.shutdown();
    assert_eq!(gone.code, Some(0), "{}", gone.log);
    bed.assert_all_came(&ids);
}

#[test]
fn managed_instances_subscribe_with_the_schema_they_know() {
    let bed = Bed::new().with_events();
    let mut sandbox = bed.start(Mode::ManagedInstances);
    let calls = sandbox.calls();
    let subscribe = calls.iter().find(|call| call.what.ends_with("/telemetry")).unwrap();
    assert_eq!((subscribe.status, subscribe.body.contains("2025-01-29")), (200, true), "{calls:?}");
    let one = sandbox.begin(None);
    one.log("hello from an instance");
    sandbox.finish(one, &Ending::Success, &RuntimeDone::Sent);
    let gone = sandbox.shutdown();
    assert_eq!(gone.code, Some(0), "{}", gone.log);
    let bodies = super::days::log_bodies(&bed.backend);
    assert!(bodies.iter().any(|body| body == "hello from an instance"), "{bodies:?}");
}

#[test]
fn an_invocation_long_after_init_is_served_as_any_other() {
    for (mode, wall_only) in [
        (Mode::Provisioned, true),
        (Mode::Provisioned, false),
        (Mode::SnapStart, true),
        (Mode::SnapStart, false),
    ] {
        let bed = Bed::new();
        let mut during_init = Vec::new();
        let setup = bed.setup(mode).with_clock();
        let mut sandbox = setup.start_with(|| during_init = bed.send(2));
        // Frozen for a day, and whatever was connected is not any more.
        bed.road.cut();
        let day = Duration::from_secs(86_400);
        if wall_only {
            sandbox.clock().advance_wall(day);
        } else {
            sandbox.clock().advance_both(day);
        }
        if mode == Mode::SnapStart {
            sandbox.restore();
        }
        let ids = sandbox.invoke(|_| bed.send(3));
        let gone = sandbox.shutdown();
        assert_eq!(gone.code, Some(0), "{mode:?}: {}", gone.log);
        bed.assert_all_came(&[during_init, ids].concat());
    }
}
