//! What the agent makes of X-Ray's answers.

use std::collections::HashMap;

use tests::answer::Answer;
use tests::metrics::{self, Branch, Metrics};
use tests::scripted::{Said, Scripted};
use tests::wait;

use super::*;

/// Whether a line of the log holds all of these words.
fn wait_for_line(line: &Line, words: &[&str]) {
    wait::until(&format!("a line with {words:?}"), || {
        let log = line.agent.log();
        log.lines().any(|line| words.iter().all(|word| line.contains(word))).then_some(())
    });
}

#[test]
fn documents_that_x_ray_refuses_are_counted_and_named_and_never_sent_again() {
    for code in ["InvalidSegment", "MissingParam", "JSONFormatError", "InvalidTraceId"] {
        let line = Line::start();
        let refused = std::sync::Mutex::new(None);
        line.backend.refuse_documents(move |document| {
            let mut refused = refused.lock().unwrap();
            let id = refused.get_or_insert_with(|| document.id.clone());
            (*id == document.id).then(|| code.to_owned())
        });
        let ids = line.send(20);
        line.backend.wait_for_spans(&ids[1..]);
        let branch = Branch::settled(line.gateway.metrics, EXPORTER, 20);
        assert_eq!((branch.delivered, branch.refused), (19.0, 1.0), "{code}");
        assert_eq!(line.backend.requests().len(), 1);
        let labels = [("exporter", EXPORTER), ("reason", "partial_success")];
        let metrics = Metrics::read(line.gateway.metrics);
        assert_eq!(metrics.sum("otelcol_exporter_refused_items", &labels), 1.0);
        let id: String = ids[0].iter().map(|byte| format!("{byte:02x}")).collect();
        wait_for_line(&line, &[code, &id, "of trace 1-"]);
        line.stop();
    }
}

#[test]
fn throttled_documents_are_sent_again_alone_until_they_are_taken() {
    let line = Line::start();
    let mut throttled: HashMap<String, u32> = HashMap::new();
    line.backend.refuse_documents(move |document| {
        // Every third document is throttled twice.
        let times = throttled.entry(document.id.clone()).or_default();
        *times += 1;
        let last = document.id.as_bytes()[15];
        (last % 3 == 0 && *times <= 2).then(|| "ThrottlingException".to_owned())
    });
    let ids = line.send(120);
    line.backend.wait_for_spans(&ids);
    line.backend.assert_delivered_once(&ids);
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, 120);
    assert_eq!((branch.delivered, branch.refused, branch.dropped), (120.0, 0.0, 0.0));
    let labels = [("exporter", EXPORTER)];
    let metrics = Metrics::read(line.gateway.metrics);
    assert!(metrics.sum("otelcol_exporter_retries", &labels) >= 2.0);
    line.stop();
}

#[test]
fn documents_that_stay_throttled_are_given_up_and_the_others_are_delivered() {
    let line = Line::start_with(", timeout: 5s");
    drop(line);
    let backend = XRayBackend::start();
    let settings = format!(
        "{{ endpoint: \"{}\", {}, retry_on_failure: {{ initial_interval: 10ms, max_interval: 10ms, max_elapsed_time: 100ms }} }}",
        backend.endpoint(),
        xray::REGION
    );
    backend.refuse_documents(|document| {
        document.id.ends_with(['0', '1', '2', '3']).then(|| "ThrottlingException".to_owned())
    });
    let gateway = Gateway::new().exporter(EXPORTER, &settings);
    let agent = gateway.start();
    let request = spans::request(64);
    assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
    let branch = Branch::settled(gateway.metrics, EXPORTER, 64);
    let stay = spans::ids(&request).iter().filter(|id| id[7] & 15 < 4).count();
    assert_eq!(branch.dropped, stay as f64);
    assert_eq!(branch.delivered, (64 - stay) as f64);
    assert!(stay > 0, "some of 64 ids in a row end so");
    agent.stop();
}

#[test]
fn a_throttled_account_is_waited_for() {
    let line = Line::start();
    line.backend.answer_next([
        Answer::status(429),
        Answer::status_retry_after(429, 1),
        Answer::status(503),
    ]);
    let ids = line.send(30);
    line.backend.wait_for_spans(&ids);
    line.backend.assert_delivered_once(&ids);
    let times: Vec<_> = line.backend.requests().iter().map(|entry| entry.at).collect();
    assert!(times[2] - times[1] >= std::time::Duration::from_secs(1), "Retry-After is kept");
    line.stop();
}

#[test]
fn a_stalled_x_ray_is_left_after_the_timeout_and_asked_again() {
    let line = Line::start_with(", timeout: 300ms");
    line.backend.answer_next([Answer::Stall]);
    let ids = line.send(3);
    line.backend.wait_for_spans(&ids);
    line.backend.release();
    assert_eq!(line.backend.requests().len(), 2);
    line.stop();
}

/// A container's endpoint that hands out other keys each time, as ECS does shortly before the old ones expire.
fn container() -> Scripted {
    let handed_out = std::sync::atomic::AtomicUsize::new(0);
    Scripted::start(move |_| {
        let number = handed_out.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Said::ok(format!(
            r#"{{"AccessKeyId":"AKID{number}","SecretAccessKey":"not-to-be-seen","Token":"t","Expiration":"2099-01-01T00:00:00Z"}}"#
        ))
    })
}

#[test]
fn credentials_that_expire_in_the_middle_are_renewed_and_nothing_is_lost() {
    let container = container();
    let backend = XRayBackend::start();
    let settings =
        format!("{{ endpoint: \"{}\", {}, {QUICK_RETRIES} }}", backend.endpoint(), xray::REGION);
    let gateway = Gateway::new().exporter(EXPORTER, &settings);
    let url = format!("http://127.0.0.1:{}/credentials", container.port());
    let setup =
        gateway.setup().variable("AWS_ACCESS_KEY_ID", "").variable("AWS_SECRET_ACCESS_KEY", "");
    let agent = setup
        .variable("HOME", "/nonexistent")
        .variable("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)
        .start();
    let line = Line { gateway, agent, backend };
    let mut ids = line.send(10);
    line.backend.wait_for_spans(&ids);
    assert_eq!(line.backend.accepted()[0].access_key, "AKID0");
    line.backend.expire("AKID0");
    ids.extend(line.send(10));
    line.backend.wait_for_spans(&ids);
    line.backend.assert_delivered_once(&ids);
    assert_eq!(line.backend.accepted()[1].access_key, "AKID1");
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, 20);
    assert_eq!(branch.delivered, 20.0);
    let log = line.stop();
    assert!(!log.contains("not-to-be-seen"), "{log}");
}

#[test]
fn refusals_that_only_an_operator_can_mend_say_what_to_do() {
    for (name, word) in [
        ("AccessDeniedException", "allow xray:PutTraceSegments"),
        ("InvalidSignatureException", "check the secret access key"),
        ("UnrecognizedClientException", "the access key is not known"),
    ] {
        let line = Line::start();
        line.backend.name_error(403, name);
        line.backend.answer_always(Answer::status(403));
        line.send(4);
        let branch = Branch::settled(line.gateway.metrics, EXPORTER, 4);
        assert_eq!((branch.refused, branch.delivered), (4.0, 0.0));
        wait_for_line(&line, &["answered 403", name, word]);
        let log = line.agent.stop().stderr;
        assert!(!log.contains("not-to-be-seen"), "{log}");
    }
}

#[test]
fn a_flood_of_single_spans_is_batched_and_loses_nothing() {
    let backend = XRayBackend::start();
    let settings =
        format!("{{ endpoint: \"{}\", {}, {QUICK_RETRIES} }}", backend.endpoint(), xray::REGION);
    let gateway =
        Gateway::new().processor("batch", "{ timeout: 50ms }").exporter(EXPORTER, &settings);
    let agent = gateway.start();
    let line = Line { gateway, agent, backend };
    let mut ids = Vec::new();
    for _ in 0..300 {
        ids.extend(line.send(1));
    }
    line.backend.wait_for_spans(&ids);
    line.backend.assert_delivered_once(&ids);
    metrics::wait_for(line.gateway.metrics, "otelcol_exporter_delivered_items", &[], 300.0);
    assert!(line.backend.requests().iter().all(|entry| entry.request.documents.len() <= 50));
    line.stop();
}
