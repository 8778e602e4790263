//! The task definition, and Terraform for the same: one thing, checked twice.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use tests::agent::Setup;
use tests::parts::project;

use super::check;
use super::terraform::{Terraform, account};

#[test]
fn terraform_makes_the_task_definition_beside_it() {
    assert_eq!(from_terraform(), from_json());
}

#[test]
fn what_terraform_makes_fits_the_schema_of_a_task_definition() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("task-definition.json");
    std::fs::write(&path, from_terraform().to_string()).unwrap();
    assert_eq!(check(&[("ecs", path)]), Vec::<String>::new());
}

#[test]
fn the_sidecar_gets_the_config_beside_it_and_answers_for_its_health() {
    let yaml = std::fs::read_to_string(folder().join("hikyaku.yaml")).unwrap();
    for task in [from_json(), from_terraform()] {
        let hikyaku = container(&task, "hikyaku");
        let variables: BTreeMap<&str, &str> = hikyaku["environment"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["name"].as_str().unwrap(), one["value"].as_str().unwrap()))
            .collect();
        assert_eq!(variables["HIKYAKU_CONFIG"], yaml);
        assert_eq!(hikyaku["command"], json!(["--config", "env:HIKYAKU_CONFIG"]));
        let check: Vec<&str> = hikyaku["healthCheck"]["command"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(check[..2], ["CMD", "/hikyaku"]);
        let ended = Setup::bare().arguments(&check[2..]).run();
        // Nobody is there to be asked; a wrong command line would be 2.
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    }
}

#[test]
fn the_application_starts_after_the_sidecar_and_goes_on_without_it() {
    for task in [from_json(), from_terraform()] {
        let (app, hikyaku) = (container(&task, "app"), container(&task, "hikyaku"));
        assert_eq!(
            app["dependsOn"],
            json!([{ "containerName": "hikyaku", "condition": "HEALTHY" }])
        );
        assert_eq!((&app["essential"], &hikyaku["essential"]), (&true.into(), &false.into()));
        // Without it, one crash is the end of telemetry until the next task. Less than a minute is refused.
        let restart = &hikyaku["restartPolicy"];
        assert_eq!(restart, &json!({ "enabled": true, "restartAttemptPeriod": 60 }));
        // What the wait for HEALTHY may take at most; Fargate allows 120 s. The check has to fail for good before.
        let health = &hikyaku["healthCheck"];
        let number = |value: &Value| value.as_u64().unwrap();
        let failing = number(&health["startPeriod"])
            + number(&health["retries"])
                * (number(&health["interval"]) + number(&health["timeout"]));
        let patience = number(&hikyaku["startTimeout"]);
        assert!(failing < patience && patience <= 120, "{failing} {patience}");
        // The container must be given longer than the process takes at most.
        assert!(number(&hikyaku["stopTimeout"]) > 25);
    }
}

/// ECS itself reads what `secrets` names, with the execution role, before there is a container.
#[test]
fn the_execution_role_may_read_the_parameters_that_are_secrets() {
    let read = terraform();
    let policy = &read.resources["aws_iam_role_policy.secret"];
    let text: Value = serde_json::from_str(policy["policy"].as_str().unwrap()).unwrap();
    let [statement] = &text["Statement"].as_array().unwrap()[..] else { panic!("{text}") };
    let task = from_terraform();
    let [secret] = &container(&task, "hikyaku")["secrets"].as_array().unwrap()[..] else {
        panic!("{task}")
    };
    assert_eq!(statement["Action"], "ssm:GetParameters");
    assert_eq!(statement["Resource"], secret["valueFrom"]);
    let role = task["executionRoleArn"].as_str().unwrap().split_once("role/").unwrap().1;
    assert_eq!(policy["role"], role);
    assert_eq!(read.resources["aws_iam_role.execution"]["name"], role);
}

fn folder() -> PathBuf {
    project().join("dist/examples/ecs")
}

fn from_json() -> Value {
    let text = std::fs::read_to_string(folder().join("task-definition.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Evaluated with the values that `task-definition.json` has in the place of variables.
fn terraform() -> Terraform {
    let task = from_json();
    let hikyaku = container(&task, "hikyaku");
    let mut data = account();
    let region = &hikyaku["logConfiguration"]["options"]["awslogs-region"];
    data["aws_region"]["current"]["region"] = region.clone();
    let role = |name: &str| {
        let arn = task[format!("{name}RoleArn")].as_str().unwrap();
        let id = arn.split_once("role/").unwrap().1;
        json!({ "id": id, "name": id, "arn": arn })
    };
    let stubs = json!({
        "var": {
            "app_image": container(&task, "app")["image"],
            "hikyaku_image": hikyaku["image"],
            "datadog_api_key_parameter": hikyaku["secrets"][0]["valueFrom"],
            "datadog_site": hikyaku["environment"][1]["value"],
        },
        "data": data,
        "resource": {
            "aws_iam_role": { "execution": role("execution"), "task": role("task") },
            "aws_cloudwatch_log_group": { "this": { "name": "/ecs/orders" } },
        },
    });
    Terraform::read("ecs/main.tf", &stubs)
}

/// The task definition in the API's words, as the provider hands it over.
fn from_terraform() -> Value {
    let mut read = terraform();
    let log_group = &read.resources["aws_cloudwatch_log_group.this"];
    assert_eq!(log_group["name"], "/ecs/orders");
    let resource = read.resources.remove("aws_ecs_task_definition.this").unwrap();
    let mut task = serde_json::Map::new();
    for (key, value) in resource.as_object().unwrap() {
        let value = match (key.as_str(), value) {
            ("container_definitions", Value::String(text)) => serde_json::from_str(text).unwrap(),
            ("cpu" | "memory", Value::Number(number)) => number.to_string().into(),
            ("runtime_platform", Value::Array(blocks)) => blocks[0]
                .as_object()
                .unwrap()
                .iter()
                .map(|(key, value)| (camel(key), value.clone()))
                .collect(),
            _ => value.clone(),
        };
        task.insert(camel(key), value);
    }
    task.into()
}

fn container<'a>(task: &'a Value, name: &str) -> &'a Value {
    let containers = task["containerDefinitions"].as_array().unwrap();
    containers.iter().find(|one| one["name"] == name).unwrap()
}

fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}
