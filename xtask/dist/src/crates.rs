//! Which crates a binary is made of, as cargo resolves them for its features and target.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use crate::binary::{Arch, Binary};
use crate::failure::{About, Failure};
use crate::project;

/// One crate that is linked into a binary.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The expression of its manifest.
    pub(crate) licence: String,
    pub(crate) repository: Option<String>,
    /// Its folder, when it comes from a registry; none for a crate of ours.
    pub(crate) folder: Option<PathBuf>,
}

impl Crate {
    /// Whether it is one of this workspace. crates.io has other ones of some of their names.
    pub(crate) fn is_ours(&self) -> bool {
        self.folder.is_none()
    }
}

/// The crates of a binary with these features; neither what only builds it nor what only tests it.
pub(crate) fn linked(binary: Binary, features: &str, arch: Arch) -> Result<Vec<Crate>, Failure> {
    let mut tree = Command::new(project::cargo());
    tree.args(["tree", "--locked", "--package", binary.name(), "--no-default-features"])
        .args(["--features", features, "--target", arch.target()])
        // What a macro is made of does not end up in the binary.
        .args(["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"])
        .current_dir(project::root());
    let tree = project::output(tree)?;
    let known = all()?;
    let mut crates = Vec::new();
    for line in tree.lines() {
        let mut words = line.split(' ');
        let (name, version) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let version = version.trim_start_matches('v');
        if name.is_empty() || line.contains("(proc-macro)") {
            continue;
        }
        let found = known.get(&(name.to_owned(), version.to_owned())).ok_or_else(|| {
            Failure::new(format!("cargo metadata does not know {name} {version} of cargo tree"))
        })?;
        crates.push(found.clone());
    }
    crates.sort();
    crates.dedup();
    Ok(crates)
}

/// Every crate that cargo knows of, by name and version.
fn all() -> Result<BTreeMap<(String, String), Crate>, Failure> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
        license: Option<String>,
        license_file: Option<String>,
        repository: Option<String>,
        source: Option<String>,
        manifest_path: PathBuf,
    }
    let mut command = Command::new(project::cargo());
    // Optional ones, too: a distribution may turn them on.
    command
        .args(["metadata", "--locked", "--all-features", "--format-version", "1"])
        .current_dir(project::root());
    let metadata: Metadata =
        serde_json::from_str(&project::output(command)?).about("cargo metadata")?;
    let mut crates = BTreeMap::new();
    for package in metadata.packages {
        let licence = package.license.or(package.license_file).ok_or_else(|| {
            Failure::new(format!("{} {} names no licence", package.name, package.version))
        })?;
        let folder = package.manifest_path.parent().map(PathBuf::from);
        let found = Crate {
            name: package.name.clone(),
            version: package.version.clone(),
            licence,
            repository: package.repository,
            folder: folder.filter(|_| package.source.is_some()),
        };
        crates.insert((package.name, package.version), found);
    }
    Ok(crates)
}

/// The crates of the agent with everything there is, for tests of what is said about them.
#[cfg(test)]
pub(crate) fn agent() -> Vec<Crate> {
    let agent = crate::selection::Distribution::read("agent").unwrap();
    let features = agent.features(Binary::Agent).unwrap();
    linked(Binary::Agent, &features, Arch::Amd64).unwrap()
}
