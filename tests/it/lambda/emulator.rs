//! AWS's own emulator, with real functions.

use serde_json::json;
use tests::lambda::{Emulator, EmulatorSetup};
use tests::parts::Sdk;
use tests::spans::SpanId;

use super::bed::Bed;

fn start(sdk: Sdk, bed: &Bed) -> Emulator {
    EmulatorSetup::new(sdk, bed.http, &bed.yaml()).start()
}

fn ends_well(bed: &Bed, emulator: Emulator, ids: &[SpanId]) {
    let ended = emulator.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!(ended.stderr + &ended.stdout).contains("panicked at"));
    bed.backend.assert_delivered_once(ids);
}

#[test]
fn a_python_function_starts_answers_and_ends_with_every_span_delivered() {
    works(Sdk::Python);
}

#[test]
fn a_node_function_starts_answers_and_ends_with_every_span_delivered() {
    works(Sdk::Node);
}

fn works(sdk: Sdk) {
    let bed = Bed::new();
    let emulator = start(sdk, &bed);
    let mut ids = Vec::new();
    for count in [1, 5, 20] {
        let reply = emulator.invoke(&json!({ "do": "answer", "spans": count }));
        assert_eq!(reply.status, 200, "{reply:?}");
        ids.extend(reply.spans());
    }
    // One more of the function's own start.
    assert_eq!(ids.len(), 1 + 1 + 5 + 20);
    let failed = emulator.invoke(&json!({ "do": "fail", "spans": 0 }));
    assert!(
        failed.body["errorMessage"].as_str().unwrap().contains("the event says so"),
        "{failed:?}"
    );
    ends_well(&bed, emulator, &ids);
}

#[test]
fn a_function_that_dies_is_started_anew_and_its_spans_are_there() {
    let bed = Bed::new();
    let emulator = start(Sdk::Python, &bed);
    let first = emulator.invoke(&json!({ "spans": 2 })).spans();
    let died = emulator.invoke(&json!({ "do": "exit", "spans": 3 }));
    assert!(died.body.get("spans").is_none(), "{died:?}");
    let again = emulator.invoke(&json!({ "spans": 2 })).spans();
    let known = [first, again].concat();
    bed.backend.wait_for_spans(&known);
    let ended = emulator.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // Those of the invocation that died were never told.
    assert_eq!(bed.backend.delivered().len(), known.len() + 3);
    assert!(bed.backend.delivered().values().all(|times| *times == 1));
}

#[test]
fn a_function_that_hangs_is_ended_and_its_spans_are_there() {
    let bed = Bed::new();
    let setup = EmulatorSetup::new(Sdk::Python, bed.http, &bed.yaml());
    let emulator = setup.variable("AWS_LAMBDA_FUNCTION_TIMEOUT", "2").start();
    let hung = emulator.invoke(&json!({ "do": "hang", "spans": 3 }));
    assert!(hung.body.to_string().contains("timed out"), "{hung:?}");
    let again = emulator.invoke(&json!({ "spans": 2 })).spans();
    bed.backend.wait_for_spans(&again);
    let ended = emulator.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // One of the function's first start, and three of the invocation that hung.
    assert_eq!(bed.backend.delivered().len(), again.len() + 1 + 3);
}

#[test]
fn a_broken_config_costs_no_invocation() {
    let bed = Bed::new();
    let yaml = bed.yaml().replace("compression:", "compresion:");
    let emulator = EmulatorSetup::new(Sdk::Python, bed.http, &yaml)
        .variable("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1")
        .start();
    // Nobody listens, so the SDK has nothing to hand over.
    let reply = emulator.invoke(&json!({ "spans": 0 }));
    assert_eq!((reply.status, reply.body["spans"].is_array()), (200, true), "{reply:?}");
    let log = emulator.log();
    assert!(log.contains("compresion"), "{log}");
    assert_eq!(emulator.stop().code, Some(0));
}

/// Its second mode starts everything as another user, which takes root.
#[test]
fn managed_instances_run_several_invocations_at_once_with_their_events() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let bed = Bed::new().with_events();
    let setup = EmulatorSetup::new(Sdk::Python, bed.http, &bed.yaml()).managed(3);
    let emulator = setup.start();
    let ids: Vec<SpanId> = std::thread::scope(|scope| {
        let invoke = || emulator.invoke(&json!({ "do": "answer", "spans": 4 })).spans();
        let calls: Vec<_> = (0..3).map(|_| scope.spawn(invoke)).collect();
        calls.into_iter().flat_map(|call| call.join().unwrap()).collect()
    });
    bed.backend.wait_for_spans(&ids);
    let ended = emulator.stop();
    let log = ended.stderr + &ended.stdout;
    assert!(!log.contains("panicked at"), "{log}");
    let bodies = super::days::log_bodies(&bed.backend);
    assert!(bodies.iter().any(|body| body.starts_with("START RequestId: ")), "{bodies:?} {log}");
}
