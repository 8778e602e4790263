//! Bad days: each of them has been somebody's.

use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use serde_json::json;
use tests::answer::Answer;
use tests::lambda::{Ending, Mode, RuntimeDone, Setup};
use tests::otlp::{OtlpBackend, Payload};
use tests::{send, spans, wait};

use super::bed::Bed;

/// The bodies of all log records that the backend has taken.
pub(super) fn log_bodies(backend: &OtlpBackend) -> Vec<String> {
    let mut bodies = Vec::new();
    for request in backend.accepted() {
        let Payload::Logs(logs) = &request.payload else { continue };
        let scopes = logs.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
        for record in scopes.flat_map(|scope| &scope.log_records) {
            if let Some(AnyValue::StringValue(text)) =
                record.body.as_ref().and_then(|body| body.value.clone())
            {
                bodies.push(text);
            }
        }
    }
    bodies
}

#[test]
fn a_backend_that_is_a_black_hole_gets_everything_when_it_is_none_any_more() {
    for strategy in ["end", "periodic", "continuous", "auto"] {
        let bed = Bed::new().exporter("timeout: 300ms");
        bed.road.swallow();
        let setup = bed.setup(Mode::OnDemand).variable("HIKYAKU_FLUSH_BUDGET", "50ms");
        let mut sandbox = setup.variable("HIKYAKU_FLUSH_STRATEGY", strategy).start();
        let mut ids = Vec::new();
        for _ in 0..10 {
            ids.extend(sandbox.invoke(|_| bed.send(2)));
        }
        bed.road.open();
        ids.extend(sandbox.invoke(|_| bed.send(2)));
        let gone = sandbox.shutdown();
        assert_eq!(gone.code, Some(0), "{strategy}: {}", gone.log);
        bed.assert_all_came(&ids);
    }
}

#[test]
fn a_backend_that_asks_for_patience_is_not_sent_the_same_in_the_same_breath() {
    let bed = Bed::new();
    bed.backend.answer_next([Answer::status_retry_after(429, 1)]);
    let setup = bed.setup(Mode::OnDemand).variable("HIKYAKU_FLUSH_BUDGET", "20ms");
    let mut sandbox = setup.variable("HIKYAKU_FLUSH_STRATEGY", "end").start();
    let ids = sandbox.invoke(|_| bed.send(2));
    wait::until("the spans to be delivered", || {
        sandbox.invoke(|_| {});
        (bed.backend.delivered().len() == ids.len()).then_some(())
    });
    bed.backend.assert_delivered_once(&ids);
    let at: Vec<_> = bed.backend.requests().iter().map(|request| request.at).collect();
    let gap = at[1].duration_since(at[0]);
    // The backend's second begins when it answers, a moment after the request has come.
    assert!(at.len() == 2 && gap >= Duration::from_secs(1), "{gap:?} of {}", at.len());
}

#[test]
fn a_name_that_does_not_resolve_costs_no_invocation() {
    let bed = Bed::new();
    let road = format!("127.0.0.1:{}", bed.road.port());
    let yaml = bed.yaml().replace(&road, "backend.invalid:4318");
    let mut sandbox =
        Setup::new(Mode::OnDemand).config(&yaml).variable("HIKYAKU_FLUSH_BUDGET", "100ms").start();
    for _ in 0..3 {
        sandbox.invoke(|_| bed.send(2));
    }
    let gone = sandbox.shutdown();
    assert_eq!((gone.code, gone.killed), (Some(0), false), "{}", gone.log);
    assert!(gone.log.contains("backend.invalid"), "{}", gone.log);
    assert!(gone.log.contains("\"dropped_items\":6"), "{}", gone.log);
}

#[test]
fn a_handler_that_times_out_has_sent_what_it_had() {
    for strategy in ["end", "periodic", "continuous", "auto"] {
        let bed = Bed::new();
        let mut sandbox = bed.start_flushing(strategy);
        let mut ids = sandbox.invoke(|_| bed.send(1));
        let invocation = sandbox.begin(None);
        ids.extend(bed.send(3));
        let gone = sandbox.time_out(invocation);
        assert_eq!((gone.code, gone.killed), (Some(0), false), "{strategy}: {}", gone.log);
        // The next one begins with a new Init, of the same environment.
        ids.extend(sandbox.invoke(|_| bed.send(1)));
        sandbox.shutdown();
        bed.assert_all_came(&ids);
    }
}

#[test]
fn a_runtime_that_crashes_leaves_nothing_behind() {
    let bed = Bed::new();
    let mut sandbox = bed.start_flushing("auto");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let invocation = sandbox.begin(None);
        ids.extend(bed.send(3));
        let gone = sandbox.crash(invocation);
        assert_eq!((gone.code, gone.killed), (Some(0), false), "{}", gone.log);
    }
    bed.assert_all_came(&ids);
}

#[test]
fn forty_requests_at_once_in_the_smallest_function_are_all_taken_or_told_to_come_again() {
    let bed = Bed::new();
    let mut sandbox = bed.setup(Mode::OnDemand).with_processor_of(128).start();
    let invocation = sandbox.begin(None);
    let requests: Vec<_> = (0..40).map(|_| spans::request(50)).collect();
    let taken: Vec<bool> = std::thread::scope(|scope| {
        let port = bed.grpc;
        let calls: Vec<_> = requests
            .iter()
            .map(|request| scope.spawn(move || send::traces_grpc(port, request)))
            .collect();
        let replies = calls.into_iter().map(|call| call.join().unwrap());
        replies
            .map(|reply| {
                let again = reply.retry_delay.is_some() || reply.code == 14;
                assert!(reply.code == 0 || again, "{reply:?}");
                reply.code == 0
            })
            .collect()
    });
    sandbox.finish(invocation, &Ending::Success, &RuntimeDone::Sent);
    let own = sandbox.process().anonymous_bytes();
    sandbox.shutdown();
    let accepted = requests.iter().zip(&taken).filter(|(_, taken)| **taken);
    let ids: Vec<_> = accepted.flat_map(|(request, _)| spans::ids(request)).collect();
    bed.assert_all_came(&ids);
    assert!(own <= 16 << 20, "{own} bytes of its own, of 128 MB");
}

#[test]
fn six_megabytes_of_logs_in_one_invocation_all_arrive() {
    let bed = Bed::new().with_events();
    let mut sandbox = bed.start(Mode::OnDemand);
    let line = |number: usize| format!("{number:06} {}", "x".repeat(1000));
    let invocation = sandbox.begin(None);
    (0..6000).for_each(|number| invocation.log(&line(number)));
    sandbox.wait_until_telemetry_is_delivered();
    sandbox.finish(invocation, &Ending::Success, &RuntimeDone::Sent);
    sandbox.invoke(|_| {});
    let gone = sandbox.shutdown();
    assert_eq!(gone.code, Some(0), "{}", gone.log);
    let bodies = log_bodies(&bed.backend);
    let lines = bodies.iter().filter(|body| body.ends_with("xxx")).count();
    assert_eq!(lines, 6000);
    let last = line(5999);
    assert!(bodies.contains(&last));
}

#[test]
fn a_line_that_is_not_utf_8_or_not_even_json_costs_itself_only() {
    let bed = Bed::new().with_events();
    let mut sandbox = bed.start(Mode::OnDemand);
    let invocation = sandbox.begin(None);
    invocation.log("before");
    // What becomes of a byte that is no UTF-8 in JSON: half of a surrogate pair, or the replacement character.
    invocation.log_raw(
        "{\"time\":\"2026-01-01T00:00:00.000Z\",\"type\":\"function\",\"record\":\"half \\ud83d\"}",
    );
    invocation.log_raw("{\"time\":\"yesterday\",\"type\":\"function\",\"record\":\"odd time\"}");
    invocation.log_raw("{\"time\":7,\"type\":\"function\",\"record\":{\"level\":\"info\"}}");
    invocation.log_raw("{\"type\":\"platform.newEvent\",\"record\":null}");
    invocation.log_json(json!({ "timestamp": "soon", "level": "WARN", "message": "as an object" }));
    invocation.log("after");
    sandbox.finish(invocation, &Ending::Success, &RuntimeDone::Sent);
    let gone = sandbox.shutdown();
    assert_eq!(gone.code, Some(0), "{}", gone.log);
    let bodies = log_bodies(&bed.backend);
    for body in ["before", "odd time", "as an object", "after"] {
        assert!(bodies.iter().any(|known| known == body), "{body}: {bodies:?}");
    }
    assert!(bodies.iter().any(|body| body.starts_with("half ")), "{bodies:?}");
}

#[test]
fn a_batch_that_is_sent_again_or_is_nonsense_does_not_end_the_subscription() {
    let bed = Bed::new().with_events();
    let mut sandbox = bed.start(Mode::OnDemand);
    let invocation = sandbox.begin(None);
    invocation.log_raw("this is no JSON at all");
    sandbox.wait_until_telemetry_is_delivered();
    invocation.log("later");
    sandbox.finish(invocation, &Ending::Success, &RuntimeDone::Sent);
    let gone = sandbox.shutdown();
    assert_eq!(gone.code, Some(0), "{}", gone.log);
    let bodies = log_bodies(&bed.backend);
    assert!(bodies.iter().any(|body| body == "later"), "{bodies:?}");
}

#[test]
fn what_the_extension_writes_about_its_logs_makes_no_more_logs() {
    let bed = Bed::new().with_events();
    let yaml = bed.yaml().replace("[platform, function]", "[platform, function, extension]");
    let mut sandbox = Setup::new(Mode::OnDemand).config(&yaml).start();
    let mut lines = Vec::new();
    for _ in 0..20 {
        sandbox.invoke(|_| {});
        lines.push(sandbox.log().lines().count());
    }
    // A line about each batch would come back as an event, and make another.
    assert_eq!(lines[9], lines[19], "{}", sandbox.log());
}

#[test]
fn a_cut_connection_costs_a_connection_and_no_data() {
    for strategy in ["end", "periodic", "continuous", "auto"] {
        let bed = Bed::new();
        let mut sandbox = bed.start_flushing(strategy);
        let mut ids = Vec::new();
        for _ in 0..10 {
            ids.extend(sandbox.invoke(|_| bed.send(1)));
            bed.road.cut();
        }
        sandbox.shutdown();
        bed.assert_all_came(&ids);
    }
}

#[test]
fn a_send_that_a_freeze_falls_upon_is_taken_up_again() {
    let bed = Bed::new();
    bed.backend.answer_next([Answer::Stall]);
    let mut sandbox = bed.start_flushing("continuous");
    let invocation = sandbox.begin(None);
    let ids = bed.send(2);
    bed.backend.wait_for_requests(1);
    // Nobody freezes an environment in the middle of an invocation; a host that is paused does.
    sandbox.freeze();
    bed.road.cut();
    sandbox.thaw();
    sandbox.finish(invocation, &Ending::Success, &RuntimeDone::Sent);
    sandbox.shutdown();
    wait::until("the spans", || (bed.backend.delivered().len() == ids.len()).then_some(()));
    bed.assert_all_came(&ids);
}
