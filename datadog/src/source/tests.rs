use super::{NO_HOST, Source, host_or};
use crate::fixtures::{Value, texts, with_resource};

/// The source of a resource, as the name of its kind and its identity.
fn source(attributes: &[(&'static str, &'static str)]) -> Option<(&'static str, String)> {
    with_resource(&texts(attributes), |resource| {
        Source::of(&resource).map(|source| match source {
            Source::Host(host) => ("host", host.into_owned()),
            Source::Serverless(on) => (on.platform.tag_key(), on.identity.to_owned()),
        })
    })
}

fn is(attributes: &[(&'static str, &'static str)], kind: &'static str, identity: &str) {
    assert_eq!(source(attributes), Some((kind, identity.to_owned())), "{attributes:?}");
}

#[test]
fn the_host_is_the_first_of_what_a_resource_says() {
    // Each in front of all that follow.
    let all = [
        ("host", "literal"),
        ("datadog.host.name", "custom"),
        ("k8s.node.name", "node"),
        ("host.id", "id"),
        ("host.name", "name"),
    ];
    for (at, (_, expected)) in all.iter().enumerate() {
        is(&all[at..], "host", expected);
        let mut reversed = all[at..].to_vec();
        reversed.reverse();
        is(&reversed, "host", expected);
    }
    is(&[("k8s.node.name", "node"), ("k8s.cluster.name", "c")], "host", "node-c");
    is(&[("k8s.cluster.name", "c"), ("host.id", "id")], "host", "id");
    assert_eq!(source(&[("container.id", "c1"), ("k8s.cluster.name", "c")]), None);
    assert_eq!(source(&[]), None);
}

#[test]
fn the_first_of_two_attributes_with_one_key_counts() {
    is(&[("host.name", "a"), ("host.name", "b")], "host", "a");
}

#[test]
fn a_host_of_another_type_than_text_is_shown_as_text() {
    let found = with_resource(&[("host", Value::Int(1000))], |resource| {
        host_or(&resource, "fallback").into_owned()
    });
    assert_eq!(found, "1000");
}

#[test]
fn names_that_every_host_has_are_no_host() {
    for name in NO_HOST {
        assert_eq!(source(&[("host.name", name)]), None);
        assert_eq!(source(&[("datadog.host.name", name), ("host.id", "i-1")]), None);
    }
    is(&[("host.name", "localhost-7")], "host", "localhost-7");
}

#[test]
fn a_cloud_provider_alone_decides() {
    let aws = [("cloud.provider", "aws"), ("host.id", "i-0"), ("host.name", "ip-10-0-0-1")];
    is(&aws, "host", "i-0");
    // Not the node's, nor the name that the provider gave.
    assert_eq!(
        source(&[("cloud.provider", "aws"), ("host.name", "ip"), ("k8s.node.name", "n")]),
        None
    );
    is(&[("cloud.provider", "azure"), ("host.id", "vm"), ("host.name", "n")], "host", "vm");
    is(&[("cloud.provider", "azure"), ("host.name", "n")], "host", "n");
    assert_eq!(source(&[("cloud.provider", "azure"), ("k8s.node.name", "n")]), None);
    let gcp = |name| [("cloud.provider", "gcp"), ("cloud.account.id", "p"), ("host.name", name)];
    is(&gcp("vm.c.p.internal"), "host", "vm.p");
    is(&gcp("vm.c.p"), "host", "vm.c.p.p");
    is(&gcp("vm"), "host", "vm.p");
    assert_eq!(source(&[("cloud.provider", "gcp"), ("host.name", "vm"), ("host.id", "1")]), None);
    is(&[("cloud.provider", "alibaba_cloud"), ("host.name", "n")], "host", "n");
}

#[test]
fn a_fargate_task_has_no_host_however_its_launch_type_is_written() {
    for launch in ["fargate", "FARGATE"] {
        let task = [
            ("aws.ecs.launchtype", launch),
            ("aws.ecs.task.arn", "arn:t"),
            ("cloud.provider", "aws"),
            ("host.name", "ip-10-0-0-1"),
            ("host.id", "i-1"),
            ("host", "literal"),
        ];
        is(&task, "task_arn", "arn:t");
        // Without its ARN it is not told apart from others, but it still has no host of its own.
        assert_eq!(source(&[task[0], task[2], task[3], task[4]]), None);
        is(&[task[0], ("datadog.host.name", "given")], "host", "given");
    }
    is(
        &[("aws.ecs.launchtype", "ec2"), ("aws.ecs.task.arn", "arn:t"), ("host.id", "i")],
        "host",
        "i",
    );
}

#[test]
fn a_function_on_lambda_is_known_by_its_unqualified_arn() {
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:pay:42";
    let plain = "arn:aws:lambda:eu-west-1:123456789012:function:pay";
    let aws = ("cloud.provider", "aws");
    is(&[aws, ("faas.id", arn)], "aws_lambda", plain);
    is(&[aws, ("cloud.resource_id", plain), ("faas.version", "7")], "aws_lambda", plain);
    is(&[aws, ("cloud.resource_id", arn), ("faas.max_memory", "1")], "aws_lambda", plain);
    is(&[aws, ("cloud.platform", "aws_lambda"), ("cloud.resource_id", arn)], "aws_lambda", plain);
    // The function's name alone does not identify it, but says that there is no host.
    let unknown = [aws, ("cloud.platform", "aws_lambda"), ("faas.name", "pay"), ("host.name", "h")];
    is(&unknown, "aws_lambda", "");
    // An instance whose resource id happens to be known is a host.
    is(&[aws, ("cloud.resource_id", arn), ("host.id", "i")], "host", "i");
    is(&[aws, ("faas.id", "urn:pay"), ("host.id", "i")], "host", "i");
    is(&[("faas.id", arn), ("host.id", "i")], "host", "i");
}

#[test]
fn apps_on_azure_have_no_host() {
    let app =
        [("service.name", "s"), ("cloud.account.id", "sub"), ("azure.resource_group.name", "g")];
    for (platform, kind) in [
        ("azure_app_service", "azure_app_service"),
        ("azure.app_service", "azure_app_service"),
        ("azure_functions", "azure_functions"),
        ("azure.functions", "azure_functions"),
    ] {
        let mut attributes = app.to_vec();
        attributes.extend([("cloud.platform", platform), ("host.id", "i")]);
        is(&attributes, kind, "s");
        is(&attributes[1..], "host", "i");
    }
    let container = ("cloud.platform", "azure.container_apps");
    let id = "/subscriptions/sub/resourceGroups/g/providers/Microsoft.App/containerApps/app";
    let all = [
        ("azure.container_app.instance.id", "replica"),
        ("service.instance.id", "instance"),
        ("service.name", "s"),
        ("cloud.resource_id", id),
    ];
    for (at, expected) in ["replica", "instance", "s", "app"].into_iter().enumerate() {
        let mut attributes = all[at..].to_vec();
        attributes.push(container);
        is(&attributes, "azure_container_apps", expected);
    }
}

#[test]
fn services_and_functions_on_google_have_no_host_even_when_they_are_not_known() {
    let full = [
        ("cloud.account.id", "p"),
        ("cloud.region", "europe-west1"),
        ("faas.name", "f"),
        ("faas.instance", "0a"),
    ];
    for (platform, kind) in
        [("gcp_cloud_run", "gcp_cloud_run"), ("gcp_cloud_functions", "gcp_cloud_functions")]
    {
        let mut attributes = full.to_vec();
        attributes.extend([("cloud.platform", platform), ("cloud.provider", "gcp")]);
        is(&attributes, kind, "0a");
        is(&attributes[1..], kind, "");
        attributes.push(("gcp.cloud_run.job.task_index", ""));
        is(&attributes, kind, "");
    }
}

#[test]
fn the_fallback_is_for_resources_that_say_nothing() {
    let host = |attributes: &[(&'static str, &'static str)]| {
        with_resource(&texts(attributes), |resource| host_or(&resource, "own").into_owned())
    };
    assert_eq!(host(&[("host.name", "theirs")]), "theirs");
    assert_eq!(host(&[("host.name", "localhost")]), "own");
    assert_eq!(host(&[]), "own");
    assert_eq!(host(&[("cloud.platform", "aws_lambda"), ("cloud.provider", "aws")]), "");
}

#[test]
fn a_tag_stands_for_a_source_that_has_no_host() {
    let tag = |attributes: &[(&'static str, &'static str)]| {
        with_resource(&texts(attributes), |resource| match Source::of(&resource) {
            Some(source @ Source::Serverless(on)) => {
                assert_eq!(source.host(), "");
                on.tag()
            }
            _ => panic!("a host"),
        })
    };
    let task = [("aws.ecs.launchtype", "FARGATE"), ("aws.ecs.task.arn", "arn:t")];
    assert_eq!(tag(&task).as_deref(), Some("task_arn:arn:t"));
    assert_eq!(tag(&[("cloud.platform", "gcp_cloud_run")]), None);
}
