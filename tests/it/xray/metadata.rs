//! Where credentials and region of X-Ray come from, at the real addresses of metadata services, in networks of their own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tests::agent::Setup;
use tests::metrics::Branch;
use tests::netns::{Has, inside};
use tests::otlp::OtlpBackend;
use tests::scripted::{Said, Scripted, Seen};
use tests::wait;

use super::*;

const INSTANCE: &str = "169.254.169.254";
const TASK: &str = "169.254.170.2";
const SECRET: &str = "not-to-be-seen";

/// A fake at port 80 of an address.
fn at(address: &str, answer: impl Fn(&Seen) -> Said + Send + Sync + 'static) -> Scripted {
    Scripted::start_at(SocketAddr::new(address.parse().unwrap(), 80), answer)
}

fn credentials(key: &str) -> Said {
    Said::ok(format!(
        r#"{{"Code":"Success","AccessKeyId":"{key}","SecretAccessKey":"{SECRET}","Token":"{SECRET}","Expiration":"2099-01-01T00:00:00Z"}}"#
    ))
}

/// A gateway whose exporter is told neither region nor credentials, and its X-Ray.
fn without_settings() -> (Gateway, XRayBackend) {
    let backend = XRayBackend::start();
    let settings = format!("{{ endpoint: \"{}\", {QUICK_RETRIES} }}", backend.endpoint());
    (Gateway::new().exporter(EXPORTER, &settings), backend)
}

/// With nothing of AWS in the environment but this, and a proxy that nobody is: metadata are not asked for through one.
fn with(gateway: &Gateway, variables: &[(&str, &str)]) -> Setup {
    let mut setup = gateway.setup();
    for (name, _) in xray::KEYS {
        setup = setup.variable(name, "");
    }
    setup = setup
        .variable("HOME", "/nonexistent")
        .variable("AWS_EC2_METADATA_DISABLED", "false")
        .variable("HTTP_PROXY", "http://127.0.0.1:1")
        .variable("NO_PROXY", "127.0.0.1");
    variables.iter().fold(setup, |setup, (name, value)| setup.variable(name, value))
}

const IN_A_TASK: [(&str, &str); 2] = [
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1"),
    ("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/1"),
];

fn send(gateway: &Gateway, count: usize) -> Vec<SpanId> {
    let request = spans::request(count);
    assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
    spans::ids(&request)
}

/// The access key and the region that X-Ray's first call was signed with.
fn signed_with(backend: &XRayBackend) -> (String, String) {
    let call = backend.wait_for_accepted(1).remove(0);
    assert!(call.headers.contains(&("x-amz-security-token".to_owned(), SECRET.to_owned())));
    (call.access_key, call.region)
}

/// A task's endpoint in good order.
fn task(request: &Seen) -> Said {
    match request.target.as_str() {
        "/v2/credentials/1" => credentials("ASIATASK"),
        "/v4/1/task" => {
            Said::ok(r#"{"TaskARN":"arn:aws:ecs:ap-northeast-1:111122223333:task/c/1"}"#)
        }
        _ => Said::status(404),
    }
}

/// An instance's in good order.
fn instance(request: &Seen) -> Said {
    match request.target.as_str() {
        "/latest/api/token" if request.method == "PUT" => Said::ok("the-token"),
        _ if request.header("x-aws-ec2-metadata-token") != "the-token" => Said::status(401),
        "/latest/meta-data/iam/security-credentials/" => Said::ok("web"),
        "/latest/meta-data/iam/security-credentials/web" => credentials("ASIAINSTANCE"),
        "/latest/meta-data/placement/region" => Said::ok("eu-north-1"),
        _ => Said::status(404),
    }
}

#[test]
fn in_a_task_calls_are_signed_by_its_role_for_its_region() {
    inside(
        "xray::metadata::in_a_task_calls_are_signed_by_its_role_for_its_region",
        &[Has::Address(TASK)],
        || {
            let (gateway, backend) = without_settings();
            let endpoint = at(TASK, task);
            let agent = with(&gateway, &IN_A_TASK).start();
            assert!(endpoint.seen().is_empty(), "nobody is asked before there is a span");
            let ids = [send(&gateway, 3), send(&gateway, 60)].concat();
            backend.wait_for_spans(&ids);
            backend.assert_delivered_once(&ids);
            assert_eq!(signed_with(&backend), ("ASIATASK".to_owned(), "ap-northeast-1".to_owned()));
            assert_eq!(endpoint.seen().len(), 2, "each is asked once: {:?}", endpoint.seen());
            assert!(!agent.stop().stderr.contains(SECRET));
        },
    );
}

#[test]
fn on_an_instance_calls_are_signed_by_its_role_for_its_region() {
    inside(
        "xray::metadata::on_an_instance_calls_are_signed_by_its_role_for_its_region",
        &[Has::Address(INSTANCE)],
        || {
            let (gateway, backend) = without_settings();
            let _instance = at(INSTANCE, instance);
            let agent = with(&gateway, &[]).start();
            let ids = send(&gateway, 3);
            backend.wait_for_spans(&ids);
            assert_eq!(signed_with(&backend), ("ASIAINSTANCE".to_owned(), "eu-north-1".to_owned()));
            assert!(!agent.stop().stderr.contains(SECRET));
        },
    );
}

#[test]
fn in_a_function_its_variables_are_enough_and_nobody_is_asked() {
    inside(
        "xray::metadata::in_a_function_its_variables_are_enough_and_nobody_is_asked",
        &[Has::Address(INSTANCE), Has::Address(TASK)],
        || {
            let (gateway, backend) = without_settings();
            let others = [at(INSTANCE, instance), at(TASK, task)];
            let variables = [
                ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
                ("AWS_REGION", "us-east-2"),
                ("AWS_ACCESS_KEY_ID", "ASIAFUNCTION"),
                ("AWS_SECRET_ACCESS_KEY", SECRET),
                ("AWS_SESSION_TOKEN", SECRET),
            ];
            let agent = with(&gateway, &variables).start();
            let ids = send(&gateway, 3);
            backend.wait_for_spans(&ids);
            assert_eq!(signed_with(&backend), ("ASIAFUNCTION".to_owned(), "us-east-2".to_owned()));
            assert!(others.iter().all(|other| other.seen().is_empty()));
            assert!(!agent.stop().stderr.contains(SECRET));
        },
    );
}

#[test]
fn metadata_that_answer_late_delay_nobody_else_and_lose_nothing() {
    inside(
        "xray::metadata::metadata_that_answer_late_delay_nobody_else_and_lose_nothing",
        &[Has::Address(TASK)],
        || {
            let (gateway, backend) = without_settings();
            let other = OtlpBackend::start();
            let settings = format!(
                "{{ endpoint: \"127.0.0.1:{}\", tls: {{ insecure: true }} }}",
                other.port()
            );
            let gateway = gateway.exporter("otlp", &settings);
            let answers = Arc::new(AtomicUsize::new(0));
            let has_come_round = answers.clone();
            let endpoint = at(TASK, move |request| match has_come_round.load(Ordering::SeqCst) {
                0 => Said::Silence,
                _ => task(request),
            });
            let _agent = with(&gateway, &IN_A_TASK).start();
            let mut ids = send(&gateway, 3);
            wait::until("a question about the task", || endpoint.seen().into_iter().next());
            for _ in 0..5 {
                ids.extend(send(&gateway, 3));
            }
            other.wait_for_spans(&ids);
            assert!(backend.requests().is_empty(), "nothing is sent without credentials");
            answers.store(1, Ordering::SeqCst);
            backend.wait_for_spans(&ids);
            backend.assert_delivered_once(&ids);
            other.assert_delivered_once(&ids);
            assert_eq!(Branch::settled(gateway.metrics, EXPORTER, 18).delivered, 18.0);
        },
    );
}

#[test]
fn metadata_that_are_half_broken_are_asked_again_until_they_are_whole() {
    inside(
        "xray::metadata::metadata_that_are_half_broken_are_asked_again_until_they_are_whole",
        &[Has::Address(INSTANCE)],
        || {
            let (gateway, backend) = without_settings();
            let asked = AtomicUsize::new(0);
            let role = "/latest/meta-data/iam/security-credentials/web";
            let _instance = at(INSTANCE, move |request| {
                if request.target != role
                    || request.header("x-aws-ec2-metadata-token") != "the-token"
                {
                    return instance(request);
                }
                match asked.fetch_add(1, Ordering::SeqCst) {
                    0 => Said::ok("{\"Code\":\"Success\",\"AccessKeyId\":"),
                    1 => Said::ok(r#"{"Code":"Success","AccessKeyId":"ASIAHALF"}"#),
                    2 => Said::ok(r#"{"Code":"Failed","Message":"the role can't be assumed"}"#),
                    3 => Said::status(503),
                    4 => Said::Close,
                    _ => instance(request),
                }
            });
            let agent = with(&gateway, &[]).start();
            let ids = send(&gateway, 3);
            backend.wait_for_spans(&ids);
            backend.assert_delivered_once(&ids);
            assert_eq!(signed_with(&backend), ("ASIAINSTANCE".to_owned(), "eu-north-1".to_owned()));
            assert!(!agent.stop().stderr.contains(SECRET));
        },
    );
}

#[test]
fn where_there_are_none_the_error_says_what_to_do() {
    inside(
        "xray::metadata::where_there_are_none_the_error_says_what_to_do",
        &[Has::Address(INSTANCE)],
        || {
            // An instance without a role, and one that has its metadata service turned off.
            for (answer, words) in [
                (Said::status(404), ["no AWS credentials", "no role is attached to this instance"]),
                (Said::status(403), ["no AWS credentials", "metadata: answered with status 403"]),
            ] {
                let backend = XRayBackend::start();
                let settings = format!(
                    "{{ endpoint: \"{}\", {}, retry_on_failure: {{ enabled: false }} }}",
                    backend.endpoint(),
                    xray::REGION
                );
                let gateway = Gateway::new().exporter(EXPORTER, &settings);
                let _instance = at(INSTANCE, move |request| match request.target.as_str() {
                    "/latest/meta-data/iam/security-credentials/" => answer.clone(),
                    _ => instance(request),
                });
                let agent = with(&gateway, &[]).start();
                send(&gateway, 3);
                let line = wait::until("a line about dropped data", || {
                    let log = agent.log();
                    log.lines().find(|line| line.contains("Dropping data")).map(str::to_owned)
                });
                for word in words {
                    assert!(line.contains(word), "{word}: {line}");
                }
                assert!(backend.requests().is_empty());
            }
        },
    );
}
