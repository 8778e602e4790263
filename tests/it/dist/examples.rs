//! What people copy: every config in it is a good one, and every file fits the schema that its reader publishes.

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::agent::Setup;
use tests::parts::project;
use tests::process::Process;

mod ecs;
mod lambda;
mod selections;
mod terraform;

/// Files below `dist/`, and what they are for somebody else's program.
const FOREIGN: &[(&str, &str)] = &[
    ("cloudformation", "dist/examples/lambda/template.yaml"),
    ("compose", "dist/examples/compose/compose.yaml"),
    ("ecs", "dist/examples/ecs/task-definition.json"),
    ("hcl", "dist/examples/ecs/main.tf"),
    ("hcl", "dist/examples/lambda/main.tf"),
    ("systemd", "dist/examples/systemd/hikyaku.service"),
    ("workflow", ".github/workflows/release.yml"),
    ("workflow", ".github/workflows/test.yml"),
];

/// Has the form of Datadog's.
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Checks files by kind, and returns the complaints.
pub(super) fn check(files: &[(&str, PathBuf)]) -> Vec<String> {
    let mut command = Command::new(project().join(".parts/schemas/bin/python"));
    command.arg(project().join("tests/clients/schemas/check.py"));
    command.args(files.iter().map(|(kind, path)| format!("{kind}={}", path.display())));
    let ended = Process::start("the checker of schemas", command).wait();
    assert_eq!(ended.code, Some(0), "run `cargo xtask parts`: {}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn every_config_is_a_good_one() {
    for path in configs() {
        let yaml = std::fs::read_to_string(&path).unwrap();
        validate(&path.display().to_string(), &yaml);
    }
}

#[test]
fn files_for_other_programs_fit_their_published_schemas() {
    let files: Vec<(&str, PathBuf)> =
        FOREIGN.iter().map(|(kind, path)| (*kind, project().join(path))).collect();
    assert_eq!(check(&files), Vec::<String>::new());
}

#[test]
fn a_file_that_is_wrong_is_complained_about() {
    // What another parser of the language takes, and Terraform does not.
    const UNDECLARED: &str = "resource \"a\" \"b\" {\n  c = jsonencode({ d = var.e })\n}\n";
    const UNIT: &str =
        "[Unit]\nDescription=a\n[Install]\nWantedBy=b.target\n[Service]\nExecStart=/c\n";
    const WRONG: [(&str, &str, &str); 5] = [
        ("hcl", UNDECLARED, "This object does not have an attribute named \"e\""),
        ("hcl", "variable \"a\" {}\n", "no resource"),
        ("systemd", "{UNIT}NoNewPrivilege=yes\n", "NoNewPrivilege is no directive of [Service]"),
        ("systemd", "{UNIT}WantedBy=c.target\n", "WantedBy is no directive of [Service]"),
        ("systemd", "[Unit]\nDescription=a\n[Service]\nExecStart=/c\n", "no section Install"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (at, (kind, text, complaint)) in WRONG.iter().enumerate() {
        let path = folder.path().join(at.to_string());
        std::fs::write(&path, text.replace("{UNIT}", UNIT)).unwrap();
        let complaints = check(&[(kind, path)]);
        assert!(complaints.iter().any(|one| one.contains(complaint)), "{text}: {complaints:?}");
    }
}

#[test]
fn every_file_is_looked_at_by_somebody() {
    const OURS: [&str; 9] = [
        "Dockerfile",
        "README.md",
        "budget.toml",
        "collector.yaml",
        "components.toml",
        "index.mjs",
        "lambda.Dockerfile",
        "package.json",
        "licences",
    ];
    let unknown: Vec<PathBuf> = files()
        .into_iter()
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let is_config = name.ends_with(".yaml");
            let in_licences = path.parent().unwrap().ends_with("licences");
            !(is_foreign(path) || is_config || in_licences || OURS.contains(&name))
        })
        .collect();
    assert_eq!(unknown, Vec::<PathBuf>::new(), "a file below dist/ that no test knows");
}

/// `sam build`, `terraform apply` and `npm install` are what the examples' first lines say.
#[test]
fn what_following_the_examples_leaves_behind_is_nobodys() {
    const LEFT: [&str; 8] = [
        "ecs/.terraform.lock.hcl",
        "ecs/terraform.tfstate",
        "ecs/terraform.tfstate.backup",
        "lambda/.aws-sam/build.toml",
        "lambda/.terraform/providers/registry",
        "lambda/function.zip",
        "lambda/function/node_modules/.package-lock.json",
        "lambda/function/package-lock.json",
    ];
    let mut command = Command::new("git");
    command.args(["check-ignore", "--no-index"]).args(LEFT);
    command.current_dir(project().join("dist/examples"));
    let ended = Process::start("git", command).wait();
    assert_eq!(ended.stdout.lines().collect::<Vec<_>>(), LEFT, "{}", ended.stderr);
}

#[test]
fn images_are_named_with_the_version_there_is() {
    let mut seen = 0;
    for path in files() {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (name, version) in tags_of_ours(&text) {
            assert_eq!(version, env!("CARGO_PKG_VERSION"), "{}: {name}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 4, "there are more images than {seen}");
}

#[test]
fn an_image_of_ours_is_known_by_its_last_name() {
    let text = "`oci:target/dist/agent/image:0.1.0 docker://REGISTRY/hikyaku:0.2.0` orders:1.4.2 hikyaku-lambda:0.3.0. hikyaku:4317 \
                hikyaku-agent:10.0.1-dirty, hikyaku-zipkin-debug:0.4.0\nhikyaku-x:0.5";
    let found: Vec<_> = tags_of_ours(text).collect();
    let expected = [
        ("image", "0.1.0"),
        ("hikyaku", "0.2.0"),
        ("hikyaku-lambda", "0.3.0"),
        ("hikyaku-agent", "10.0.1-dirty"),
        ("hikyaku-zipkin-debug", "0.4.0"),
    ];
    assert_eq!(found, expected);
}

/// Every `name:x.y.z` whose name is one of ours: `hikyaku…`, or `image`, which is the folder that one is made in.
fn tags_of_ours(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let belongs = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    text.match_indices(':').filter_map(move |(at, _)| {
        let (before, after) = (&text[..at], &text[at + 1..]);
        let name = &before[before.trim_end_matches(belongs).len()..];
        let end = after.find(|c| !belongs(c)).unwrap_or(after.len());
        // A full stop may be the sentence's.
        let tag = after[..end].trim_end_matches('.');
        let is_version =
            tag.starts_with(|c: char| c.is_ascii_digit()) && tag.matches('.').count() == 2;
        (is_version && (name.starts_with("hikyaku") || name == "image")).then_some((name, tag))
    })
}

/// A config is good with what its secrets' store would answer in their place.
fn validate(what: &str, yaml: &str) {
    let ended = Setup::bare()
        .file("c.yaml", in_place_of_parameters(yaml))
        .arguments(["validate", "--config", "c.yaml"])
        .variable("DD_API_KEY", KEY)
        .run();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{what}");
}

/// A config with [`KEY`] in the place of every parameter.
fn in_place_of_parameters(yaml: &str) -> String {
    let mut text = yaml.to_owned();
    while let Some((before, rest)) = text.split_once("${ssm:") {
        let (_, after) = rest.split_once('}').unwrap();
        text = format!("{before}{KEY}{after}");
    }
    text
}

/// Every config of ours.
fn configs() -> Vec<PathBuf> {
    let mut configs = files();
    configs.retain(|path| path.extension().is_some_and(|end| end == "yaml") && !is_foreign(path));
    assert!(configs.len() >= 7, "there are more configs than {configs:?}");
    configs
}

fn is_foreign(path: &Path) -> bool {
    FOREIGN.iter().any(|(_, foreign)| path.ends_with(foreign))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(project().join(path)).unwrap()
}

/// Every file below `dist/` that is, or would become, the project's: not what following the examples leaves behind.
fn files() -> Vec<PathBuf> {
    let mut command = Command::new("git");
    command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "dist"]);
    command.current_dir(project());
    let ended = Process::start("git", command).wait();
    assert_eq!(ended.code, Some(0), "git tells what is the project's: {}", ended.stderr);
    let names = ended.stdout.split_terminator('\0');
    // One that is deleted and not committed is still listed.
    let mut files: Vec<PathBuf> =
        names.map(|name| project().join(name)).filter(|path| path.is_file()).collect();
    files.sort();
    files.dedup();
    assert!(files.len() > 20, "there are more files than {files:?}");
    files
}
