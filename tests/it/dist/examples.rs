//! What people copy: every config in it is a good one, and every file fits the schema that its reader publishes.

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::agent::Setup;
use tests::parts::project;
use tests::process::Process;

mod ecs;
mod lambda;
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
    let mut seen = 0;
    for path in files() {
        if path.extension().is_none_or(|end| end != "yaml") || is_foreign(&path) {
            continue;
        }
        let yaml = std::fs::read_to_string(&path).unwrap();
        validate(&path.display().to_string(), &yaml);
        seen += 1;
    }
    assert!(seen >= 7, "there are more configs than {seen}");
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
    const WRONG: [(&str, &str, &str); 2] = [
        ("hcl", UNDECLARED, "This object does not have an attribute named \"e\""),
        ("hcl", "variable \"a\" {}\n", "no resource"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (at, (kind, text, complaint)) in WRONG.iter().enumerate() {
        let path = folder.path().join(at.to_string());
        std::fs::write(&path, text).unwrap();
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

#[test]
fn images_are_named_with_the_version_there_is() {
    let version = env!("CARGO_PKG_VERSION");
    for path in files() {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (at, _) in text.match_indices("hikyaku:").chain(text.match_indices("-debug:")) {
            let tag = text[at..].split_once(':').unwrap().1;
            if tag.starts_with(|c: char| c.is_ascii_digit()) && !tag.starts_with("4317") {
                assert!(tag.starts_with(version), "{}: {}", path.display(), &tag[..10]);
            }
        }
    }
}

/// A config is good with what its secrets' store would answer in their place.
fn validate(what: &str, yaml: &str) {
    let mut text = yaml.to_owned();
    while let Some((before, rest)) = text.split_once("${ssm:") {
        let (_, after) = rest.split_once('}').unwrap();
        text = format!("{before}0123456789abcdef0123456789abcdef{after}");
    }
    let ended = Setup::bare()
        .file("c.yaml", &text)
        .arguments(["validate", "--config", "c.yaml"])
        .variable("DD_API_KEY", "0123456789abcdef0123456789abcdef")
        .run();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{what}");
}

fn is_foreign(path: &Path) -> bool {
    FOREIGN.iter().any(|(_, foreign)| path.ends_with(foreign))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(project().join(path)).unwrap()
}

/// Every file below `dist/`.
fn files() -> Vec<PathBuf> {
    let (mut files, mut open) = (Vec::new(), vec![project().join("dist")]);
    while let Some(folder) = open.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}
