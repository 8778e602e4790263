//! The shape of a component's folder.

use tests::agent::Setup;
use tests::parts::project;

use super::assert_none;
use super::dependencies::packages;

/// The kinds of components; `exporters/helper` is what exporters share, not one of them.
const KINDS: [&str; 5] = ["receivers", "processors", "exporters", "connectors", "extensions"];

const HEADINGS: [&str; 7] = [
    "Status",
    "What it does",
    "Settings",
    "Example",
    "Telemetry",
    "Limits",
    "Differences from upstream",
];

#[test]
fn every_component_has_a_readme_with_the_fixed_headings() {
    let mut complaints = Vec::new();
    for folder in components() {
        let readme = std::fs::read_to_string(project().join(&folder).join("README.md"));
        let readme = readme.unwrap_or_default();
        let found: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        if found != HEADINGS {
            complaints.push(format!("{folder}: {found:?}"));
        }
    }
    assert_none("a README.md with other headings", &complaints);
}

#[test]
fn readmes_and_the_list_of_components_say_the_same_of_stability() {
    let ended = Setup::bare().arguments(["components"]).run();
    let mut complaints = Vec::new();
    let (mut kind, mut folder, mut seen) = ("", String::new(), 0);
    for line in ended.stdout.lines() {
        if !line.starts_with(' ') {
            kind = line.trim_end_matches(':');
        } else if let Some(name) = line.trim_start().strip_prefix("- name: ") {
            folder = format!("{kind}/{name}");
        } else if line.starts_with("        ")
            && let Some((_, stability)) = line.split_once(": ")
        {
            seen += 1;
            let page = project().join(&folder).join("README.md");
            let page = std::fs::read_to_string(page).unwrap_or_default();
            let status = page.split("## Status\n").nth(1).unwrap_or_default();
            let status = status.split("\n## ").next().unwrap_or_default();
            if !status.contains(stability) {
                complaints.push(format!("{folder} is listed as {stability}: {status}"));
            }
        }
    }
    assert_none("a component whose README says another stability", &complaints);
    assert!(seen > 40, "only {seen} are listed");
}

#[test]
fn every_component_has_the_standard_files() {
    let mut complaints = Vec::new();
    for folder in components() {
        let path = project().join(&folder);
        // What has no settings needs no file for them.
        if !path.join("src/config.rs").is_file() && !folder.ends_with("/nop") {
            complaints.push(format!("{folder} has no src/config.rs"));
        }
        let library = std::fs::read_to_string(path.join("src/lib.rs")).unwrap_or_default();
        if library.lines().count() > 100 || !library.contains("FACTORY") {
            complaints.push(format!("{folder}/src/lib.rs is not a short page with a FACTORY"));
        }
    }
    assert_none("a component whose files are elsewhere", &complaints);
}

#[test]
fn the_front_page_lists_every_component() {
    let page = std::fs::read_to_string(project().join("README.md")).unwrap();
    let complaints: Vec<String> = components()
        .into_iter()
        .filter(|folder| {
            let name = folder.rsplit('/').next().unwrap();
            !page.contains(&format!("[{name}]({folder}/README.md)"))
        })
        .collect();
    assert_none("a component that README.md does not list", &complaints);
}

fn components() -> Vec<String> {
    let folders = packages().into_iter().map(|package| package.folder);
    let components: Vec<String> = folders
        .filter(|folder| {
            let kind = folder.split_once('/').map(|(kind, _)| kind);
            kind.is_some_and(|kind| KINDS.contains(&kind)) && folder != "exporters/helper"
        })
        .collect();
    assert!(components.len() > 5, "the project has more components than {components:?}");
    components
}
