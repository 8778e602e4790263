//! Credentials and regions from metadata services at their real addresses.

use std::net::SocketAddr;

use tests::netns::{Has, inside};
use tests::scripted::{Said, Scripted};
use tests::wait;

use super::{Gateway, SECRET, TOKEN, dropped_because, send_trace, signing};

const INSTANCE: &str = "169.254.169.254";
const TASK: &str = "169.254.170.2";
const POD: &str = "169.254.170.23";
const POD_IPV6: &str = "fd00:ec2::23";

/// A fake at port 80 of an address.
fn at(
    address: &str,
    answer: impl Fn(&tests::scripted::Seen) -> Said + Send + Sync + 'static,
) -> Scripted {
    Scripted::start_at(SocketAddr::new(address.parse().unwrap(), 80), answer)
}

fn credentials(key: &str) -> Said {
    Said::ok(format!(
        r#"{{"Code":"Success","AccessKeyId":"{key}","SecretAccessKey":"{SECRET}","Token":"{TOKEN}","Expiration":"2099-01-01T00:00:00Z"}}"#
    ))
}

/// An instance with a role, in a region.
fn instance() -> Scripted {
    at(INSTANCE, |request| match request.target.as_str() {
        "/latest/api/token" => Said::ok("the-token"),
        _ if request.header("x-aws-ec2-metadata-token") != "the-token" => Said::status(401),
        "/latest/meta-data/iam/security-credentials/" => Said::ok("web"),
        "/latest/meta-data/iam/security-credentials/web" => credentials("ASIAINSTANCE"),
        "/latest/meta-data/placement/region" => Said::ok("eu-north-1"),
        _ => Said::status(404),
    })
}

/// A backend, a gateway that signs for it, and the variables of the agent. A proxy that nobody is may not be asked for metadata.
fn sender(retry: bool) -> (Scripted, Gateway) {
    let backend = Scripted::start(|_| Said::ok(""));
    let exporter = format!(
        "timeout: 20s, retry_on_failure: {{ enabled: {retry}, initial_interval: 20ms, max_interval: 20ms }}"
    );
    let gateway = signing(backend.port(), "{ service: xray }", &exporter);
    (backend, gateway)
}

fn start(gateway: &Gateway, variables: &[(&str, &str)]) -> tests::agent::Agent {
    let setup = gateway
        .setup()
        .variable("HOME", "/nonexistent")
        .variable("AWS_EC2_METADATA_DISABLED", "false")
        .variable("HTTP_PROXY", "http://127.0.0.1:1")
        .variable("NO_PROXY", "");
    variables.iter().fold(setup, |setup, (name, value)| setup.variable(name, value)).start()
}

/// The beginning of what a request was signed with: key, date and scope.
fn signed_with(backend: &Scripted) -> (String, String) {
    let seen = wait::until("a signed request", || backend.seen().into_iter().next());
    assert_eq!(seen.header("x-amz-security-token"), TOKEN);
    let authorization = seen.header("authorization").to_owned();
    let scope = authorization.split_once("Credential=").unwrap().1;
    let mut scope = scope.split('/');
    let key = scope.next().unwrap().to_owned();
    (key, scope.nth(1).unwrap().to_owned())
}

#[test]
fn an_instance_gives_its_role_and_its_region() {
    inside(
        "aws::metadata::an_instance_gives_its_role_and_its_region",
        &[Has::Address(INSTANCE)],
        || {
            let (backend, gateway) = sender(false);
            let instance = instance();
            let agent = start(&gateway, &[]);
            assert!(
                instance.seen().is_empty(),
                "nobody is asked before there is something to sign"
            );
            send_trace(&gateway);
            assert_eq!(signed_with(&backend), ("ASIAINSTANCE".to_owned(), "eu-north-1".to_owned()));
            send_trace(&gateway);
            wait::until("the second request", || (backend.seen().len() == 2).then_some(()));
            // Token and answers for the region; token, role and credentials.
            assert_eq!(instance.seen().len(), 5, "{:?}", instance.seen());
            let log = agent.stop().stderr;
            assert!(!log.contains("not-to-be-seen"), "{log}");
        },
    );
}

#[test]
fn a_task_gives_its_role_and_its_region() {
    inside("aws::metadata::a_task_gives_its_role_and_its_region", &[Has::Address(TASK)], || {
        let (backend, gateway) = sender(false);
        let _task = at(TASK, |request| match request.target.as_str() {
            "/v2/credentials/1" => credentials("ASIATASK"),
            "/v4/1/task" => {
                Said::ok(r#"{"TaskARN":"arn:aws:ecs:ap-northeast-1:111122223333:task/c/1"}"#)
            }
            _ => Said::status(404),
        });
        let _agent = start(
            &gateway,
            &[
                ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1"),
                ("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/1"),
            ],
        );
        send_trace(&gateway);
        assert_eq!(signed_with(&backend), ("ASIATASK".to_owned(), "ap-northeast-1".to_owned()));
    });
}

#[test]
fn a_pod_gives_its_identity_over_both_protocols() {
    inside(
        "aws::metadata::a_pod_gives_its_identity_over_both_protocols",
        &[Has::Address(POD), Has::Address(POD_IPV6)],
        || {
            for address in [POD, POD_IPV6] {
                let (backend, gateway) = sender(false);
                let _pod = at(address, |request| match request.header("authorization") {
                    "pod-token" => credentials("ASIAPOD"),
                    _ => Said::status(403),
                });
                let folder = tempfile::tempdir().unwrap();
                let token = folder.path().join("token");
                std::fs::write(&token, "pod-token").unwrap();
                let host =
                    if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
                let url = format!("http://{host}/v1/credentials");
                let _agent = start(
                    &gateway,
                    &[
                        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url),
                        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.to_str().unwrap()),
                        ("AWS_REGION", "eu-west-1"),
                    ],
                );
                send_trace(&gateway);
                assert_eq!(signed_with(&backend).0, "ASIAPOD");
            }
        },
    );
}

#[test]
fn where_no_instance_is_nobody_waits_for_long_and_the_error_says_so() {
    inside(
        "aws::metadata::where_no_instance_is_nobody_waits_for_long_and_the_error_says_so",
        &[Has::Silence(INSTANCE)],
        || {
            let (_backend, gateway) = sender(false);
            let agent = start(&gateway, &[("AWS_REGION", "eu-west-1")]);
            send_trace(&gateway);
            let reason = dropped_because(&agent);
            let expected = "no AWS credentials: give the process a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the instance's metadata: 169.254.169.254:80";
            assert!(reason.contains(expected), "{reason}");
        },
    );
}

#[test]
fn a_network_without_the_address_is_no_different() {
    inside("aws::metadata::a_network_without_the_address_is_no_different", &[], || {
        let (_backend, gateway) = sender(false);
        let agent = start(&gateway, &[]);
        send_trace(&gateway);
        let reason = dropped_because(&agent);
        assert!(reason.contains("no AWS region: set AWS_REGION"), "{reason}");
        assert!(reason.contains("169.254.169.254:80: can't connect"), "{reason}");
    });
}

#[test]
fn metadata_that_answers_late_or_badly_at_first_is_asked_again() {
    inside(
        "aws::metadata::metadata_that_answers_late_or_badly_at_first_is_asked_again",
        &[Has::Address(INSTANCE), Has::Address(TASK)],
        || {
            let (backend, gateway) = sender(true);
            let asked = std::sync::atomic::AtomicUsize::new(0);
            let task =
                at(TASK, move |_| match asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                    0 => Said::Silence,
                    1 => Said::Close,
                    2 => Said::status(500),
                    3 => Said::ok("{\"AccessKeyId\":"),
                    4 => Said::Text(429, "slow down".to_owned()),
                    _ => credentials("ASIATASK"),
                });
            let variables =
                [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/1"), ("AWS_REGION", "eu-west-1")];
            let _agent = start(&gateway, &variables);
            send_trace(&gateway);
            assert_eq!(signed_with(&backend).0, "ASIATASK");
            assert_eq!(task.seen().len(), 6);
        },
    );
}
