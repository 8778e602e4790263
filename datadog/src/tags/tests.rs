use super::names::{container_tag, is_container_tag, is_datadog_tag};
use super::{ContainerTags, put_tag, resource_tags};
use crate::fixtures::{Value, texts, with_resource};

fn container(attributes: &[(&'static str, Value)]) -> String {
    with_resource(attributes, |resource| {
        let tags = ContainerTags::of(&resource);
        let mut out = Vec::new();
        tags.put(&mut out);
        assert_eq!(tags.is_empty(), out.is_empty());
        String::from_utf8(out).unwrap()
    })
}

fn resource(attributes: &[(&'static str, Value)]) -> String {
    with_resource(attributes, |resource| {
        let mut out = Vec::new();
        resource_tags(&resource, |key, value| {
            put_tag(&mut out, key, value);
            out.push(b' ');
        });
        String::from_utf8(out).unwrap().trim_end().to_owned()
    })
}

/// Keys of attributes that a resource's spans no longer carry.
fn taken(attributes: &[(&'static str, Value)]) -> Vec<String> {
    with_resource(attributes, |resource| {
        let taken = resource.iter().filter(ContainerTags::takes);
        taken.map(|attribute| attribute.key.to_string()).collect()
    })
}

#[test]
fn a_fargate_task_becomes_container_tags() {
    let task = texts(&[
        ("service.name", "api"),
        ("cloud.provider", "aws"),
        ("aws.ecs.launchtype", "fargate"),
        ("aws.ecs.task.arn", "arn:t"),
        ("aws.ecs.task.family", "api"),
        ("aws.ecs.cluster.arn", "arn:c"),
        ("container.id", "c1"),
    ]);
    assert_eq!(
        container(&task),
        "cloud_provider:aws,task_arn:arn:t,task_family:api,ecs_cluster_name:arn:c,container_id:c1",
    );
    assert!(taken(&task).is_empty());
}

#[test]
fn conventions_win_over_custom_tags_and_these_over_named_ones() {
    let named = ("pod_name", Value::Text("named"));
    let custom = ("datadog.container.tag.pod_name", Value::Text("custom"));
    let convention = ("k8s.pod.name", Value::Text("convention"));
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut attributes = Vec::new();
        for at in order {
            attributes.push(match at {
                0 => ("pod_name", Value::Text("named")),
                1 => ("datadog.container.tag.pod_name", Value::Text("custom")),
                _ => ("k8s.pod.name", Value::Text("convention")),
            });
        }
        assert_eq!(container(&attributes), "pod_name:convention");
    }
    assert_eq!(taken(&[convention]), [""; 0]);
    let both = [custom, named];
    assert_eq!(container(&both), "pod_name:custom");
    assert_eq!(taken(&both), ["datadog.container.tag.pod_name", "pod_name"]);
}

#[test]
fn of_equals_the_first_counts_and_only_text_makes_a_container_tag() {
    let attributes = [
        ("container.image.tags", Value::Texts(&["v2", "latest"])),
        ("container.image.tag", Value::Text("v1")),
        ("container.name", Value::Int(7)),
        ("container.id", Value::Text("")),
        ("datadog.container.tag.", Value::Text("nameless")),
        ("datadog.container.tag.team", Value::Text("a")),
        ("datadog.container.tag.team", Value::Text("b")),
    ];
    assert_eq!(container(&attributes), "image_tag:v2,team:a");
    assert_eq!(
        resource(&attributes),
        "image_tag:v1 team:a",
        "metrics have the last of the conventions"
    );
    assert_eq!(taken(&attributes), ["datadog.container.tag.team"; 2]);
}

#[test]
fn metrics_and_logs_are_tagged_with_what_a_resource_says_of_its_service() {
    let attributes = texts(&[
        ("deployment.environment.name", "prod"),
        ("service.name", "shop"),
        ("service.version", "1.2"),
        ("service.namespace", "sales"),
        ("service.instance.id", "0a"),
        ("tags.datadoghq.com/version", "v3"),
        ("app.kubernetes.io/component", "api"),
        ("region", "moon"),
        ("kube_qos", ""),
        ("other", "never"),
        ("k8s.pod.name", "p-1"),
        ("datadog.container.tag.team", "a"),
        ("os.type", "linux"),
        ("process.command_line", "/bin/shop --all"),
        ("process.command", "/bin/shop"),
    ]);
    assert_eq!(
        resource(&attributes),
        "env:prod service:shop version:1.2 service.namespace:sales service.instance.id:0a version:v3 \
         kube_app_component:api region:moon kube_qos: pod_name:p-1 team:a process.command:/bin/shop os.type:linux",
    );
    assert_eq!(resource(&texts(&[("service.name", ""), ("os.type", "")])), "");
}

#[test]
fn one_name_of_a_process_is_enough() {
    let all = [
        ("process.executable.name", "shop"),
        ("process.executable.path", "/bin/shop"),
        ("process.command", "shop"),
        ("process.command_line", "shop -a"),
    ];
    for at in 0..all.len() {
        let expected = format!("{}:{}", all[at].0, all[at].1);
        let mut attributes = texts(&all[at..]);
        attributes.reverse();
        assert_eq!(resource(&attributes), expected);
    }
}

#[test]
fn serverless_apps_are_tagged_with_what_identifies_them() {
    let app = texts(&[
        ("cloud.platform", "azure_app_service"),
        ("cloud.account.id", "sub"),
        ("azure.resource_group.name", "g"),
        ("service.name", "s"),
    ]);
    assert_eq!(resource(&app), "service:s name:s subscription_id:sub resource_group:g");
    let run = [
        ("cloud.platform", "gcp_cloud_run"),
        ("cloud.account.id", "p"),
        ("cloud.region", "r"),
        ("faas.name", "f"),
        ("faas.instance", "i"),
        ("faas.version", "f-1"),
    ];
    assert_eq!(
        resource(&texts(&run)),
        "region:r project_id:p location:r service_name:f instance:i revision_name:f-1",
    );
    assert_eq!(resource(&texts(&run[..4])), "region:r");
}

#[test]
fn the_names_of_container_tags_are_those_that_conventions_become() {
    for (key, tag) in [("k8s.node.name", "kube_node"), ("container.runtime", "runtime")] {
        assert_eq!(container_tag(key.as_bytes()), Some(tag));
        assert!(is_container_tag(tag.as_bytes()));
    }
    assert!(is_datadog_tag(b"git.commit.sha") && !is_container_tag(b"git.commit.sha"));
    assert!(!is_datadog_tag(b"kube_node"));
}
