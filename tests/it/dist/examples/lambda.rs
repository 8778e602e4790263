//! The function: what it may read, and what gets into its package.

use std::process::Command;

use serde_json::{Value, json};
use tests::parts::project;
use tests::process::Process;

use super::terraform::{PARTITION, Terraform, account};
use super::{files, text};

/// hikyaku asks for parameters by `ssm:GetParameters`, which `ssm:GetParameter` does not allow (`confmap/ssm/README.md`).
const ACTION: &str = "ssm:GetParameters";

#[test]
fn whoever_deploys_the_function_lets_it_read_the_parameter_that_its_config_names() {
    let config = text("dist/examples/lambda/function/collector.yaml");
    let name = parameter(&config).unwrap();

    let role = json!({ "this": { "id": "role", "name": "role", "arn": "arn of role" } });
    let stubs = json!({ "data": account(), "resource": { "aws_iam_role": role } });
    let read = Terraform::read("lambda/main.tf", &stubs);
    let policy = &read.resources["aws_iam_role_policy.secret"];
    let document: Value = serde_json::from_str(policy["policy"].as_str().unwrap()).unwrap();
    let arn = format!("arn:{PARTITION}:ssm:us-gov-west-1:123456789012:parameter{name}");
    let allowed = json!([{ "Effect": "Allow", "Action": ACTION, "Resource": arn }]);
    assert_eq!(document["Statement"], allowed);

    let template = text("dist/examples/lambda/template.yaml");
    let value = |key: &str| -> Vec<&str> {
        template.lines().filter_map(|line| line.trim().strip_prefix(key)).collect()
    };
    assert_eq!(value("Action: "), [ACTION]);
    assert_eq!(value("Default: ")[0], name);
    assert!(value("Resource: ")[0].ends_with(":parameter${DatadogApiKeyParameter}"));
}

#[test]
fn no_other_example_reads_parameters_itself() {
    for path in files() {
        let reads =
            std::fs::read_to_string(&path).ok().is_some_and(|text| parameter(&text).is_some());
        let is_function = path.ends_with("dist/examples/lambda/function/collector.yaml");
        assert_eq!(reads, is_function, "{}: who lets it?", path.display());
    }
}

/// `sam build` packs the folder with npm, which wants a name and a version.
#[test]
fn the_functions_package_has_its_code_and_its_config() {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new("npm");
    command
        .args(["pack", "--dry-run", "--json", "--offline", "--ignore-scripts"])
        .current_dir(project().join("dist/examples/lambda/function"))
        .env("HOME", home.path())
        .env("npm_config_cache", home.path());
    let ended = Process::start("npm pack", command).wait();
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    let files = told[0]["files"].as_array().unwrap();
    for name in ["collector.yaml", "index.mjs", "package.json"] {
        assert!(files.iter().any(|file| file["path"] == name), "{name} is not among {files:?}");
    }
}

/// The name of the first parameter that a config refers to.
fn parameter(text: &str) -> Option<&str> {
    text.split_once("${ssm:")?.1.split_once('}').map(|(name, _)| name)
}
