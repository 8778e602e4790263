//! The processor `resourcedetection` where it is used: in a task, on an instance, in a function, and where it finds nobody.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use tests::agent::{Agent, Setup};
use tests::gateway::Gateway;
use tests::netns::{Has, inside};
use tests::otlp::OtlpBackend;
use tests::scripted::{Said, Scripted, Seen};
use tests::wait;

use super::{SECRET, send_trace};

const INSTANCE: &str = "169.254.169.254";
const TASK: &str = "169.254.170.2";

fn at(address: &str, answer: impl Fn(&Seen) -> Said + Send + Sync + 'static) -> Scripted {
    Scripted::start_at(SocketAddr::new(address.parse().unwrap(), 80), answer)
}

/// A gateway with the processor, on its way to a backend.
fn gateway(backend: &OtlpBackend, settings: &str) -> Gateway {
    Gateway::new().processor("resourcedetection", settings).exporter(
        "otlp",
        &format!("{{ endpoint: \"127.0.0.1:{}\", tls: {{ insecure: true }} }}", backend.port()),
    )
}

fn with(gateway: &Gateway, variables: &[(&str, &str)]) -> Setup {
    let setup = gateway.setup().variable("HOME", "/nonexistent");
    let setup = setup.variable("HTTP_PROXY", "http://127.0.0.1:1");
    variables.iter().fold(setup, |setup, (name, value)| setup.variable(name, value))
}

/// The attributes of the resource of the backend's last request.
fn resource(backend: &OtlpBackend, requests: usize) -> BTreeMap<String, String> {
    let accepted = wait::until("the payload", || {
        let accepted = backend.accepted();
        (accepted.len() >= requests).then_some(accepted)
    });
    let traces = accepted.last().unwrap().traces().clone();
    let resource = traces.resource_spans[0].resource.clone().unwrap();
    let attributes = resource.attributes.into_iter().map(|attribute| {
        let value = match attribute.value.and_then(|value| value.value) {
            Some(Value::StringValue(text)) => text,
            other => format!("{other:?}"),
        };
        (attribute.key, value)
    });
    attributes.collect()
}

fn assert_has(resource: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (key, value) in expected {
        assert_eq!(resource.get(*key).map(String::as_str), Some(*value), "{key} in {resource:?}");
    }
}

/// The task's metadata, in version 4.
fn task_metadata(request: &Seen) -> Said {
    match request.target.as_str() {
        "/v4/1/task" => Said::ok(
            r#"{"Cluster":"shop","TaskARN":"arn:aws:ecs:us-west-2:111122223333:task/shop/abc","Family":"orders","Revision":"26",
                "AvailabilityZone":"us-west-2a","LaunchType":"FARGATE","Containers":[]}"#,
        ),
        "/v4/1" => Said::ok(r#"{"DockerId":"own"}"#),
        _ => Said::status(404),
    }
}

#[test]
fn in_a_task_the_first_payload_has_its_attributes() {
    inside(
        "aws::detection::in_a_task_the_first_payload_has_its_attributes",
        &[Has::Address(TASK)],
        || {
            let backend = OtlpBackend::start();
            let task = at(TASK, task_metadata);
            let gateway = gateway(&backend, "{ detectors: [env, ecs, lambda], timeout: 20s }");
            let uri = ("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/1");
            let own = ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod");
            let _agent = with(&gateway, &[uri, own]).start();
            send_trace(&gateway);
            assert_has(
                &resource(&backend, 1),
                &[
                    ("service.name", "shop"),
                    ("deployment.environment.name", "prod"),
                    ("cloud.platform", "aws_ecs"),
                    ("cloud.account.id", "111122223333"),
                    ("aws.ecs.launchtype", "fargate"),
                    ("aws.ecs.cluster.arn", "arn:aws:ecs:us-west-2:111122223333:cluster/shop"),
                    ("aws.ecs.task.family", "orders"),
                ],
            );
            assert_eq!(task.seen().len(), 2, "asked once");
        },
    );
}

#[test]
fn on_an_instance_its_attributes_and_tags_of_either_source_are_found() {
    inside(
        "aws::detection::on_an_instance_its_attributes_and_tags_of_either_source_are_found",
        &[Has::Address(INSTANCE)],
        || {
            let _instance = at(INSTANCE, |request| match request.target.as_str() {
                "/latest/api/token" if request.method == "PUT" => Said::ok("the-token"),
                _ if request.header("x-aws-ec2-metadata-token") != "the-token" => Said::status(401),
                "/latest/dynamic/instance-identity/document" => Said::ok(
                    r#"{"accountId":"111122223333","availabilityZone":"us-west-2b","region":"us-west-2",
                        "instanceId":"i-0abc","imageId":"ami-1","instanceType":"t4g.small"}"#,
                ),
                "/latest/meta-data/hostname" => Said::ok("ip-10-0-0-1.ec2.internal"),
                "/latest/meta-data/tags/instance" => Said::ok("team\ncost center\nother"),
                "/latest/meta-data/tags/instance/team" => Said::ok("blue"),
                "/latest/meta-data/tags/instance/cost%20center" => Said::ok("42"),
                _ => Said::status(404),
            });
            let api = Scripted::start(|request| {
                let body = String::from_utf8_lossy(&request.body).into_owned();
                assert!(
                    body.contains("Action=DescribeTags")
                        && body.contains("Filter.1.Value.1=i-0abc")
                );
                assert!(request.header("authorization").contains("/us-west-2/ec2/aws4_request"));
                Said::ok(
                    "<DescribeTagsResponse><tagSet><item><key>team</key><value>blue &amp; green</value></item><item><key>other</key><value>x</value></item></tagSet></DescribeTagsResponse>",
                )
            });
            let api_url = format!("http://127.0.0.1:{}", api.port());
            let variables = [
                ("AWS_EC2_METADATA_DISABLED", "false"),
                ("AWS_ENDPOINT_URL_EC2", api_url.as_str()),
                ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
                ("AWS_SECRET_ACCESS_KEY", SECRET),
            ];
            for (from_imds, team) in [(true, "blue"), (false, "blue & green")] {
                let backend = OtlpBackend::start();
                let settings = format!(
                    "{{ detectors: [ec2, system], timeout: 20s, ec2: {{ tags: [\"^team$\", \"^cost\"], tags_from_imds: {from_imds} }} }}"
                );
                let gateway = gateway(&backend, &settings);
                let _agent = with(&gateway, &variables).start();
                send_trace(&gateway);
                let resource = resource(&backend, 1);
                assert_has(
                    &resource,
                    &[
                        ("cloud.platform", "aws_ec2"),
                        ("cloud.availability_zone", "us-west-2b"),
                        ("host.id", "i-0abc"),
                        ("host.type", "t4g.small"),
                        ("host.name", "ip-10-0-0-1.ec2.internal"),
                        ("os.type", "linux"),
                        ("ec2.tag.team", team),
                    ],
                );
                assert_eq!(resource.contains_key("ec2.tag.cost center"), from_imds);
                assert!(!resource.contains_key("ec2.tag.other"));
            }
        },
    );
}

#[test]
fn in_a_function_its_variables_are_enough() {
    let backend = OtlpBackend::start();
    let gateway = gateway(&backend, "{ detectors: [lambda, ecs, ec2], timeout: 20s }");
    let variables = [
        ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_REGION", "eu-west-1"),
    ];
    let _agent = with(&gateway, &variables).start();
    send_trace(&gateway);
    let expected =
        [("cloud.platform", "aws_lambda"), ("faas.name", "orders"), ("faas.max_memory", "128")];
    assert_has(&resource(&backend, 1), &expected);
}

#[test]
fn where_nobody_answers_the_start_does_not_wait_and_payloads_go_on_without() {
    inside(
        "aws::detection::where_nobody_answers_the_start_does_not_wait_and_payloads_go_on_without",
        &[Has::Silence(INSTANCE), Has::Address(TASK)],
        || {
            let backend = OtlpBackend::start();
            let task = at(TASK, |_| Said::Silence);
            let gateway = gateway(
                &backend,
                "{ detectors: [env, ecs, ec2], timeout: 700ms, ec2: { fail_on_missing_metadata: true } }",
            );
            let uri = ("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/1");
            let own = ("OTEL_RESOURCE_ATTRIBUTES", "team=blue");
            let agent = with(&gateway, &[uri, own, ("AWS_EC2_METADATA_DISABLED", "false")]).start();
            send_trace(&gateway);
            let resource = resource(&backend, 1);
            assert_has(&resource, &[("team", "blue"), ("service.name", "shop")]);
            assert!(!resource.contains_key("cloud.provider"), "{resource:?}");
            assert!(!task.seen().is_empty());
            for detector in ["ecs", "ec2"] {
                wait_for_warning(&agent, detector);
            }
            // It is asked on, and ends when it is told to.
            assert_eq!(agent.stop().code, Some(0));
        },
    );
}

#[test]
fn metadata_that_is_half_broken_at_first_goes_into_later_payloads() {
    inside(
        "aws::detection::metadata_that_is_half_broken_at_first_goes_into_later_payloads",
        &[Has::Address(TASK)],
        || {
            let backend = OtlpBackend::start();
            let (mended, asked) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
            let is_mended = mended.clone();
            let _task = at(TASK, move |request| {
                if is_mended.load(Ordering::SeqCst) {
                    return task_metadata(request);
                }
                match asked.fetch_add(1, Ordering::SeqCst) % 4 {
                    0 => Said::ok("{\"TaskARN\": "),
                    1 => task_metadata(request),
                    2 => Said::status(404),
                    _ => Said::Close,
                }
            });
            let gateway = gateway(&backend, "{ detectors: [ecs], timeout: 200ms }");
            let uri = ("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/1");
            let mut agent = with(&gateway, &[uri]).start();
            send_trace(&gateway);
            assert!(!resource(&backend, 1).contains_key("cloud.provider"));
            mended.store(true, Ordering::SeqCst);
            agent.process().wait_for_output("Detected resource information.");
            send_trace(&gateway);
            assert_has(&resource(&backend, 2), &[("aws.ecs.task.id", "abc")]);
        },
    );
}

#[test]
fn an_instance_that_answers_late_and_in_halves_is_asked_until_all_is_known() {
    inside(
        "aws::detection::an_instance_that_answers_late_and_in_halves_is_asked_until_all_is_known",
        &[Has::Address(INSTANCE)],
        || {
            const DOCUMENT: &str = "/latest/dynamic/instance-identity/document";
            let backend = OtlpBackend::start();
            let asked = AtomicUsize::new(0);
            let instance = at(INSTANCE, move |request| match request.target.as_str() {
                "/latest/api/token" => Said::ok("the-token"),
                DOCUMENT => match asked.fetch_add(1, Ordering::SeqCst) {
                    0 => Said::Silence,
                    1 => Said::Close,
                    2 => Said::ok("{\"instanceId\": \"i-0"),
                    3 => Said::status(500),
                    _ => Said::ok(r#"{"instanceId":"i-0abc","region":"us-west-2"}"#),
                },
                // Without a host name.
                _ => Said::status(404),
            });
            // Longer than patience: the first payload waits for what is found in the end.
            let gateway = gateway(&backend, "{ detectors: [ec2], timeout: 20s }");
            let agent = with(&gateway, &[("AWS_EC2_METADATA_DISABLED", "false")]).start();
            send_trace(&gateway);
            let resource = resource(&backend, 1);
            assert_has(&resource, &[("host.id", "i-0abc"), ("cloud.region", "us-west-2")]);
            assert!(!resource.contains_key("host.name") && !resource.contains_key("host.type"));
            let documents = instance.seen().into_iter().filter(|seen| seen.target == DOCUMENT);
            assert_eq!(documents.count(), 5);
            assert_eq!(agent.stop().code, Some(0));
        },
    );
}

#[test]
fn metadata_that_are_turned_off_are_no_instance_and_no_failure() {
    inside(
        "aws::detection::metadata_that_are_turned_off_are_no_instance_and_no_failure",
        &[Has::Address(INSTANCE), Has::Address(TASK)],
        || {
            let backend = OtlpBackend::start();
            let _instance = at(INSTANCE, |_| Said::status(403));
            // A task whose endpoint does not know it, as after a restart of its agent.
            let task = at(TASK, |_| Said::status(404));
            let gateway = gateway(&backend, "{ detectors: [env, ec2, ecs], timeout: 1s }");
            let uri = ("ECS_CONTAINER_METADATA_URI", "http://169.254.170.2/v3/1");
            let own = ("OTEL_RESOURCE_ATTRIBUTES", "team=blue");
            let agent = with(&gateway, &[uri, own, ("AWS_EC2_METADATA_DISABLED", "false")]).start();
            send_trace(&gateway);
            let resource = resource(&backend, 1);
            assert_has(&resource, &[("team", "blue"), ("service.name", "shop")]);
            assert!(!resource.contains_key("cloud.provider"), "{resource:?}");
            wait_for_warning(&agent, "ecs");
            assert!(
                task.seen().iter().all(|seen| seen.target == "/v3/1/task"),
                "{:?}",
                task.seen()
            );
            let log = agent.stop().stderr;
            assert!(!log.contains("\"detector\":\"ec2\""), "{log}");
        },
    );
}

#[test]
fn a_malformed_variable_is_said_once_and_stops_nothing() {
    let backend = OtlpBackend::start();
    let gateway = gateway(&backend, "{ detectors: [env, system], override: false, timeout: 20s }");
    let mut agent =
        with(&gateway, &[("OTEL_RESOURCE_ATTRIBUTES", "service.name=shop,not-to-be-seen")]).start();
    send_trace(&gateway);
    assert_has(&resource(&backend, 1), &[("service.name", "shop"), ("os.type", "linux")]);
    agent.process().wait_for_output("entry 2 of OTEL_RESOURCE_ATTRIBUTES is no key=value");
    let log = agent.stop().stderr;
    assert_eq!(log.matches("Failed to detect resource information").count(), 1, "{log}");
    assert!(!log.contains("not-to-be-seen"), "{log}");
}

/// Waits for the line that says for whom payloads have waited in vain.
fn wait_for_warning(agent: &Agent, detector: &str) {
    wait::until(&format!("a line about {detector}"), || {
        let log = agent.log();
        let mut lines = log.lines().filter(|line| line.contains("still being detected"));
        lines.any(|line| line.contains(&format!("\"detector\":\"{detector}\""))).then_some(())
    });
}
