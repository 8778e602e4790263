//! Which crate may depend on which, as ARCHITECTURE.md draws the map.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use tests::parts::project;

use super::assert_none;

/// One crate of ours.
pub(super) struct Package {
    pub(super) name: String,
    /// Its folder, relative to the project's.
    pub(super) folder: String,
    /// Folders of ours that it needs to run.
    needs: BTreeSet<String>,
    /// All packages that it needs to run.
    needs_by_name: BTreeSet<String>,
    /// Folders of ours that its tests and build scripts need beside those.
    tests_need: BTreeSet<String>,
}

/// Folders by the place they have in the map. `*` stands for one name.
const FOUNDATION: &[&str] = &["pdata", "confmap/core", "config", "telemetry", "net", "pipeline"];
/// What some components share.
const SHARED: &[&str] = &["attributes", "aws", "datadog", "lambda"];
const COMPONENTS: &[&str] =
    &["receivers/*", "processors/*", "exporters/*", "connectors/*", "extensions/*"];

/// Who may need whom: the first row that matches a folder holds.
const MAP: &[(&[&str], &[&[&str]])] = &[
    (&["pdata", "confmap/core", "telemetry"], &[]),
    (&["config"], &[&["confmap/core"]]),
    (&["net"], &[&["pdata", "config", "confmap/core", "telemetry"]]),
    (&["attributes"], &[&["pdata", "confmap/core", "config", "telemetry", "pipeline"]]),
    (&["datadog"], &[&["pdata", "confmap/core", "config", "telemetry", "pipeline", "attributes"]]),
    (&["lambda"], &[FOUNDATION]),
    (&["aws"], &[&["net", "config", "confmap/core", "telemetry"]]),
    (&["confmap/aws"], &[&["confmap/core", "config", "net", "aws"]]),
    (&["confmap/*"], &[&["confmap/core", "confmap/aws", "config", "net", "aws"]]),
    (&["pipeline"], &[&["pdata", "confmap/core", "telemetry"]]),
    (&["exporters/helper"], &[FOUNDATION]),
    (&["exporters/*"], &[FOUNDATION, SHARED, &["exporters/helper"]]),
    (COMPONENTS, &[FOUNDATION, SHARED]),
    (&["service"], &[FOUNDATION, SHARED, &["confmap/*", "exporters/helper"], COMPONENTS]),
    (&["agent"], &[FOUNDATION, &["service"]]),
    (&["extension"], &[FOUNDATION, &["lambda", "service"]]),
    (&["tests/golden"], &[]),
    (&["tests"], &[FOUNDATION, &["agent", "extension", "confmap/*", "tests/golden"], COMPONENTS]),
    (&["xtask", "xtask/bench", "xtask/dist"], &[]),
];

#[test]
fn dependencies_point_down_the_map_only() {
    let mut complaints = Vec::new();
    for package in packages() {
        let row = MAP.iter().find(|(folders, _)| folders.iter().any(|f| fits(f, &package.folder)));
        let Some((_, allowed)) = row else {
            complaints.push(format!("{} has no row in the map", package.folder));
            continue;
        };
        for needed in &package.needs {
            if !allowed.iter().copied().flatten().any(|folder| fits(folder, needed)) {
                complaints.push(format!("{} depends on {needed}", package.folder));
            }
        }
    }
    assert_none("a dependency that ARCHITECTURE.md does not allow", &complaints);
}

#[test]
fn nothing_but_the_tests_depends_on_a_binary() {
    let mut complaints = Vec::new();
    for package in packages().iter().filter(|package| package.folder != "tests") {
        for binary in ["agent", "extension", "xtask", "xtask/bench", "xtask/dist", "tests"] {
            if package.needs.contains(binary) || package.tests_need.contains(binary) {
                complaints.push(format!("{} depends on {binary}", package.folder));
            }
        }
    }
    assert_none("a binary is the end of the line", &complaints);
}

#[test]
fn the_core_stays_free_of_transports() {
    const TRANSPORTS: [&str; 10] = [
        "h2",
        "hyper",
        "hyper-util",
        "native-tls",
        "openssl",
        "reqwest",
        "ring",
        "rustls",
        "tonic",
        "ureq",
    ];
    let needs = locked();
    let mut complaints = Vec::new();
    for core in ["pdata", "config", "confmap", "pipeline"] {
        let (mut reached, mut open) = (BTreeSet::new(), vec![core.to_owned()]);
        while let Some(name) = open.pop() {
            if reached.insert(name.clone()) {
                open.extend(needs.get(&name).into_iter().flatten().cloned());
            }
        }
        assert!(reached.len() > 1, "the lock file knows of no dependency of {core}");
        let transports = TRANSPORTS.iter().filter(|transport| reached.contains(**transport));
        complaints.extend(transports.map(|transport| format!("{core} pulls in {transport}")));
    }
    assert_none("a core crate with a transport below it", &complaints);
}

#[test]
fn packages_are_named_after_their_folders() {
    let mut complaints = Vec::new();
    for package in packages() {
        let expected = match package.folder.as_str() {
            "agent" => "hikyaku".to_owned(),
            "extension" => "hikyaku-lambda".to_owned(),
            "confmap/core" => "confmap".to_owned(),
            folder => match folder.split_once('/') {
                None => folder.to_owned(),
                Some((kind @ ("confmap" | "xtask"), name)) => format!("{kind}-{name}"),
                Some((kind, name)) => {
                    format!("{}-{}", kind.trim_end_matches('s'), name.replace('_', "-"))
                }
            },
        };
        if package.name != expected {
            complaints
                .push(format!("{} is named {}, not {expected}", package.folder, package.name));
        }
    }
    assert_none("a package with a name of its own", &complaints);
}

#[test]
fn every_crate_inherits_the_lints() {
    let mut complaints = Vec::new();
    for package in packages() {
        let manifest = project().join(&package.folder).join("Cargo.toml");
        let manifest = std::fs::read_to_string(manifest).unwrap();
        let lints = manifest.split_once("\n[lints]\n").map(|(_, rest)| rest.lines().next());
        if lints != Some(Some("workspace = true")) {
            complaints.push(package.folder);
        }
    }
    assert_none("a manifest without `[lints] workspace = true`", &complaints);
}

/// Every crate of the workspace.
pub(super) fn packages() -> Vec<Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(project())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let folder = |path: &Value| {
        let path = path.as_str().unwrap();
        let path = path.strip_prefix(project().to_str().unwrap()).unwrap();
        path.trim_start_matches('/').trim_end_matches("Cargo.toml").trim_end_matches('/').to_owned()
    };
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let mut needs_by_name = BTreeSet::new();
            let (mut needs, mut tests_need) = (BTreeSet::new(), BTreeSet::new());
            for dependency in package["dependencies"].as_array().unwrap() {
                if dependency["kind"].is_null() {
                    needs_by_name.insert(dependency["name"].as_str().unwrap().to_owned());
                }
                if dependency["path"].is_string() {
                    let set =
                        if dependency["kind"].is_null() { &mut needs } else { &mut tests_need };
                    set.insert(folder(&dependency["path"]));
                }
            }
            Package {
                name: package["name"].as_str().unwrap().to_owned(),
                folder: folder(&package["manifest_path"]),
                needs,
                needs_by_name,
                tests_need,
            }
        })
        .collect()
}

/// What each package needs to run, by name: ours by their manifests, the others by the lock file, which knows of every
/// dependency that any feature in use turns on.
fn locked() -> BTreeMap<String, BTreeSet<String>> {
    let lock = std::fs::read_to_string(project().join("Cargo.lock")).unwrap();
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock.split("[[package]]\n").skip(1) {
        let name = package.lines().find_map(|line| line.strip_prefix("name = ")).unwrap();
        let entry = needs.entry(name.trim_matches('"').to_owned()).or_default();
        // ` "name",` or ` "name version",` when there are several versions.
        let dependencies = package.lines().filter_map(|line| line.strip_prefix(" \""));
        entry.extend(dependencies.map(|line| line.split([' ', '"']).next().unwrap().to_owned()));
    }
    for package in packages() {
        needs.insert(package.name, package.needs_by_name);
    }
    needs
}

fn fits(pattern: &str, folder: &str) -> bool {
    match pattern.strip_suffix("/*") {
        Some(kind) => folder.split_once('/').is_some_and(|(found, _)| found == kind),
        None => pattern == folder,
    }
}
