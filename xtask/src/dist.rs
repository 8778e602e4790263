//! Distributions: made by the package `xtask-dist`, proven by the black-box tests that are ignored otherwise.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::{self, Cargo, Failure, run_quietly, run_visibly};
use crate::{parts, tools};

/// The distributions that are proven: the two that are released, and the one that is an example.
const NAMES: [&str; 3] = ["agent", "lambda", "zipkin-debug"];

/// Folders whose folders are crates that a distribution can choose, each of them or not.
const CHOICES: [&str; 6] =
    ["receivers", "processors", "exporters", "connectors", "extensions", "confmap"];

/// Builds the program that makes distributions, and has it make what `arguments` say.
pub(crate) fn make(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    // An optimised one: most of its time goes into compression.
    Cargo::find(root).run(&["build", "--quiet", "--release", "--package", "xtask-dist"])?;
    let program = command::target_dir(root).join("release").join("hikyaku-dist");
    run_visibly(&program, arguments, root)
}

/// Makes every distribution for both architectures, runs what was made in real containers and in Lambda's emulator, then makes everything again
/// somewhere else. What fails soonest comes first.
pub(crate) fn prove(root: &Path) -> Result<(), Failure> {
    tools::require(&tools::OF_PROOFS)?;
    parts::set_up(root, &[])?;
    stands_alone(root)?;
    let cargo = Cargo::find(root);
    cargo.run(&["build", "--workspace", "--bins", "--tests"])?;
    for name in NAMES {
        make(root, &["--name".to_owned(), name.to_owned()])?;
    }
    let tests = ["test", "--workspace", "--test", "it", "--"];
    cargo.run(&[&tests[..], &["--ignored", "--test-threads=1", "dist::"]].concat())?;
    is_reproducible(root)
}

/// Makes every distribution again from a clone in another folder, and compares the sums of what can be downloaded and the images' digests.
fn is_reproducible(root: &Path) -> Result<(), Failure> {
    let made = command::target_dir(root).join("dist");
    let clone = made.join("again");
    if clone.exists() {
        fs::remove_dir_all(&clone).map_err(|error| about(&clone, &error))?;
    }
    let mut git = Command::new("git");
    git.args(["clone", "--quiet"]).arg(root).arg(&clone);
    run_quietly(git)?;
    for name in NAMES {
        Cargo::find(&clone).run(&["xtask", "dist", "--name", name])?;
        let ours = sums(&made.join(name))?;
        let theirs = sums(&clone.join("target/dist").join(name))?;
        if ours.is_empty() || ours != theirs {
            return Err(Failure::new(format!(
                "{name} made here and made in {} are not the same (are there changes that are not committed?):\n{ours:#?}\n{theirs:#?}",
                clone.display()
            )));
        }
        println!("dist: {name} is the same from two folders:\n  {}", ours.join("\n  "));
    }
    fs::remove_dir_all(&clone).map_err(|error| about(&clone, &error))
}

/// The checksums that stand beside what can be downloaded, and the digests of images, sorted.
fn sums(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| about(folder, &error))? {
        let path = entry.map_err(|error| about(folder, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name != "SHA256SUMS" && !name.ends_with(".digest") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| about(&path, &error))?;
        lines.extend(text.lines().map(|line| format!("{name}: {line}")));
    }
    lines.sort();
    Ok(lines)
}

fn about(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}

/// Checks every crate that can be chosen by itself, since a build of the whole hides a feature that one of them forgot to turn on.
fn stands_alone(root: &Path) -> Result<(), Failure> {
    let cargo = Cargo::find(root);
    for kind in CHOICES {
        let folder = root.join(kind);
        let mut manifests = Vec::new();
        for entry in fs::read_dir(&folder).map_err(|error| about(&folder, &error))? {
            manifests
                .push(entry.map_err(|error| about(&folder, &error))?.path().join("Cargo.toml"));
        }
        manifests.sort();
        for manifest in manifests.iter().filter(|manifest| manifest.is_file()) {
            let manifest = manifest.to_string_lossy();
            cargo.run(&["check", "--quiet", "--manifest-path", &manifest])?;
        }
    }
    println!("dist: every component builds alone");
    Ok(())
}
