//! The authenticator: what it signs is what AWS's own signer would, and moto takes it.

use tests::moto::{Moto, botocore_signature};
use tests::scripted::{Said, Scripted};
use tests::{metrics, wait};

use super::{Gateway, Keys, SECRET, dropped_because, send_trace, signing, with_keys};

/// A gateway whose traces moto takes for a call of CloudWatch Logs: an OTLP request in JSON is an object without any of its parameters.
fn to_moto(moto: &Moto, extension: &str) -> Gateway {
    let settings = format!(
        "{{ traces_endpoint: \"http://127.0.0.1:{}/\", encoding: json, compression: none, auth: {{ authenticator: sigv4auth }}, \
         headers: {{ X-Amz-Target: Logs_20140328.DescribeLogGroups }}, retry_on_failure: {{ enabled: false }} }}",
        moto.port()
    );
    Gateway::new().extension("sigv4auth", extension).exporter("otlphttp", &settings)
}

#[test]
fn moto_takes_what_was_signed_with_keys_of_the_environment() {
    let moto = Moto::shared();
    let gateway = to_moto(&moto, "{ region: us-east-1, service: logs }");
    let _agent = with_keys(gateway.setup(), &moto.writer).start();
    send_trace(&gateway);
    metrics::wait_for(gateway.metrics, "otelcol_exporter_delivered_items", &[], 3.0);
}

#[test]
fn moto_takes_what_was_signed_as_a_role_that_its_sts_gave_out() {
    let moto = Moto::shared();
    let role = format!(
        "{{ region: us-east-1, service: logs, assume_role: {{ arn: \"{}\", session_name: test }} }}",
        moto.role_arn
    );
    let gateway = to_moto(&moto, &role);
    let sts = format!("http://127.0.0.1:{}", moto.port());
    // These keys may do nothing but assume roles.
    let setup = with_keys(gateway.setup(), &moto.assumer).variable("AWS_ENDPOINT_URL_STS", &sts);
    let _agent = setup.start();
    send_trace(&gateway);
    metrics::wait_for(gateway.metrics, "otelcol_exporter_delivered_items", &[], 3.0);
}

#[test]
fn keys_without_a_permission_and_wrong_secrets_are_one_clear_error() {
    let moto = Moto::shared();
    let wrong = Keys { secret: SECRET.to_owned(), ..moto.writer.clone() };
    let plain = "{ region: us-east-1, service: logs }".to_owned();
    let role = format!(
        "{{ region: us-east-1, service: logs, assume_role: {{ arn: \"{}\" }} }}",
        moto.role_arn
    );
    for (extension, keys, expected) in [
        (&plain, &wrong, &["answered 403", "SignatureDoesNotMatch"][..]),
        (&plain, &moto.assumer, &["answered 403", "AccessDenied"]),
        (&role, &wrong, &["no AWS credentials from the role", "SignatureDoesNotMatch"]),
        (&role, &moto.writer, &["no AWS credentials from the role", "AccessDenied"]),
    ] {
        let gateway = to_moto(&moto, extension);
        let sts = format!("http://127.0.0.1:{}", moto.port());
        let setup = with_keys(gateway.setup(), keys).variable("AWS_ENDPOINT_URL", &sts);
        let agent = setup.start();
        send_trace(&gateway);
        let reason = dropped_because(&agent);
        for word in expected {
            assert!(reason.contains(word), "{reason}");
        }
        let log = agent.stop().stderr;
        assert!(!log.contains(&keys.secret), "{log}");
    }
}

#[test]
fn a_compressed_body_has_the_signature_that_botocore_computes() {
    let keys = Keys { id: "AKIDEXAMPLE".to_owned(), secret: SECRET.to_owned() };
    for compression in ["none", "gzip", "zstd"] {
        let backend = Scripted::start(|_| Said::ok(""));
        let exporter =
            format!("compression: {compression}, headers: {{ x-aws-log-group: \"a  b\" }}");
        let gateway = signing(backend.port(), "{ region: eu-west-1, service: xray }", &exporter);
        let _agent = with_keys(gateway.setup(), &keys).start();
        send_trace(&gateway);
        let seen = wait::until("the request", || backend.seen().into_iter().next());
        assert_eq!(seen.header("content-encoding") == compression, compression != "none");
        let expected = botocore_signature(&seen, backend.port(), &keys, ("xray", "eu-west-1"));
        let authorization = seen.header("authorization");
        assert!(authorization.ends_with(&format!("Signature={expected}")), "{authorization}");
        assert!(authorization.contains("x-aws-log-group"), "{authorization}");
    }
}

#[test]
fn each_attempt_is_signed_and_a_start_needs_no_credentials() {
    let backend = Scripted::start(|_| Said::status(503));
    let gateway = signing(
        backend.port(),
        "{ region: eu-west-1, service: xray }",
        "retry_on_failure: { initial_interval: 20ms, max_interval: 20ms, max_elapsed_time: 10s }",
    );
    let keys = Keys { id: "AKIDEXAMPLE".to_owned(), secret: SECRET.to_owned() };
    let _agent = with_keys(gateway.setup(), &keys).start();
    send_trace(&gateway);
    let seen =
        wait::until("three attempts", || Some(backend.seen()).filter(|seen| seen.len() >= 3));
    for attempt in seen {
        assert!(attempt.header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=AKID"));
    }
    // Upstream would end here, at the start.
    let without = gateway.setup().variable("HOME", "/nonexistent");
    let other = signing(backend.port(), "{}", "retry_on_failure: { enabled: false }");
    drop(without);
    let agent = other.setup().variable("HOME", "/nonexistent").start();
    send_trace(&other);
    let reason = dropped_because(&agent);
    assert!(
        reason.contains("the AWS service can't be told from the host \"127.0.0.1\""),
        "{reason}"
    );
}
