//! What a Terraform file comes to, by HashiCorp's own evaluator: see `tests/clients/hcl`.

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;
use serde_json::{Value, json};
use tests::parts::project;
use tests::process::Process;

/// Not the partition that is easily written out.
pub(super) const PARTITION: &str = "aws-us-gov";

/// The evaluated file.
#[derive(Debug, Deserialize)]
pub(super) struct Terraform {
    complaints: Vec<String>,
    /// Variables without a default.
    required: Vec<String>,
    /// By type and name; `null` stands for what only a run of Terraform knows.
    pub(super) resources: BTreeMap<String, Value>,
}

impl Terraform {
    /// Evaluates a file below the examples, with what a run would know: `{"var": …, "data": …, "resource": …}`.
    pub(super) fn read(path: &str, stubs: &Value) -> Self {
        let mut command = Command::new(project().join(".parts/hcl/hcl"));
        command.arg(project().join("dist/examples").join(path)).arg(stubs.to_string());
        let ended = Process::start("HashiCorp's parser", command).wait();
        assert_eq!(ended.code, Some(0), "run `cargo xtask parts`: {}", ended.stderr);
        let read: Self = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(read.complaints, Vec::<String>::new(), "{path}");
        read
    }
}

/// What any account knows. The data source of a region has no other attribute: `name` is deprecated.
pub(super) fn account() -> Value {
    json!({
        "aws_caller_identity": { "current": { "account_id": "123456789012" } },
        "aws_partition": { "current": { "partition": PARTITION } },
        "aws_region": { "current": { "region": "us-gov-west-1" } },
    })
}

#[test]
fn the_command_at_the_top_of_a_file_sets_every_variable_that_has_no_default() {
    for path in ["ecs/main.tf", "lambda/main.tf"] {
        let text = std::fs::read_to_string(project().join("dist/examples").join(path)).unwrap();
        let head: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
        for name in Terraform::read(path, &json!({})).required {
            assert!(head.join(" ").contains(&format!("-var {name}=")), "{path}: {name}");
        }
    }
}

#[test]
fn no_partition_is_written_out_and_no_attribute_is_one_that_the_provider_deprecates() {
    for path in ["ecs/main.tf", "lambda/main.tf"] {
        let text = std::fs::read_to_string(project().join("dist/examples").join(path)).unwrap();
        assert!(!text.contains("arn:aws:"), "{path}");
        // The attribute came with it.
        assert!(text.contains("aws_region.current.region"), "{path}");
        assert!(text.contains("source  = \"hashicorp/aws\"\n      version = \">= 6.0\""), "{path}");
        let read = Terraform::read(path, &json!({ "data": account() }));
        for (name, resource) in read.resources {
            if let (Some(arn), None) = (resource["policy_arn"].as_str(), resource.get("for_each")) {
                assert!(
                    arn.starts_with(&format!("arn:{PARTITION}:iam::aws:policy/")),
                    "{name}: {arn}"
                );
            }
        }
    }
}
