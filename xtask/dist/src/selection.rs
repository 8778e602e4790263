//! A distribution: the components of `dist/<name>/components.toml`, as the features of the binaries' packages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::binary::Binary;
use crate::failure::{About, Failure};
use crate::project;

/// Kinds of components as `components.toml` names them, and what their features begin with.
const KINDS: [(&str, &str); 6] = [
    ("receivers", "receiver"),
    ("processors", "processor"),
    ("exporters", "exporter"),
    ("connectors", "connector"),
    ("extensions", "extension"),
    ("providers", "confmap"),
];

/// A distribution, checked against what the packages have.
#[derive(Debug)]
pub(crate) struct Distribution {
    pub(crate) name: String,
    /// Where its list and configs are.
    folder: PathBuf,
    pub(crate) description: String,
    optimize: Optimize,
    /// Features of each binary that is to be built.
    pub(crate) binaries: BTreeMap<Binary, BTreeSet<String>>,
    /// What to say to whoever builds it.
    pub(crate) notes: Vec<String>,
}

/// The file. A key that is none of these is a kind of component, or refused as an unknown one.
#[derive(Debug, Deserialize)]
struct List {
    description: String,
    /// What is built; both when it is not said.
    #[serde(default)]
    builds: Builds,
    #[serde(default)]
    optimize: Optimize,
    #[serde(flatten)]
    kinds: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Builds(Vec<Build>);

impl Default for Builds {
    fn default() -> Self {
        Self(vec![Build::Agent, Build::Lambda])
    }
}

/// What the agent is compiled for. The extension is always small.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Optimize {
    #[default]
    Speed,
    Size,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Build {
    Agent,
    Lambda,
}

/// Components of one kind.
enum Names {
    All,
    Listed(Vec<String>),
}

impl Names {
    fn of(kind: &str, value: &toml::Value) -> Result<Self, Failure> {
        let listed = match value {
            toml::Value::String(word) if word == "all" => return Ok(Self::All),
            toml::Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<Vec<String>>>(),
            _ => None,
        };
        listed
            .map(Self::Listed)
            .ok_or_else(|| Failure::new(format!("{kind} takes a list of names, or \"all\"")))
    }
}

impl Distribution {
    /// Reads the list `components.toml` of `dist/<name>/` or, where what is asked for is a path, of a folder elsewhere.
    ///
    /// # Errors
    /// A name that no image could have, or a file that cannot be read or names what there is not.
    pub(crate) fn read(asked: &str) -> Result<Self, Failure> {
        let (folder, name) = if asked.contains('/') {
            let folder = PathBuf::from(asked);
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (folder, name)
        } else {
            (project::root().join("dist").join(asked), asked.to_owned())
        };
        if !is_name(&name) {
            return Err(Failure::new(format!(
                "{name:?} cannot be a distribution's name, which images and folders are named after: it takes small letters and digits, \
                 with single `.`, `_` or `-` between them"
            )));
        }
        let file = folder.join("components.toml");
        if !file.is_file() {
            let (file, known) = (shown(&file), names()?.join(", "));
            return Err(Failure::new(format!(
                "there is no distribution {asked:?} (it would be {file}); there are {known}"
            )));
        }
        let mut features = BTreeMap::new();
        for binary in Binary::ALL {
            features.insert(binary, package_features(binary)?);
        }
        let text = project::read_text(&file)?;
        Self::parse(&name, &folder, &text, &features).about(shown(&file))
    }

    /// A file of this distribution's folder as messages name it, be it there or not.
    pub(crate) fn shown(&self, file: &str) -> String {
        shown(&self.folder.join(file))
    }

    /// The features of a binary as cargo takes them.
    pub(crate) fn features(&self, binary: Binary) -> Option<String> {
        let features = self.binaries.get(&binary)?.iter().map(String::as_str);
        Some(features.chain(binary.allocator()).collect::<Vec<_>>().join(","))
    }

    /// The profile of the root's Cargo.toml that a binary is compiled with.
    pub(crate) fn profile(&self, binary: Binary) -> &'static str {
        match (binary, self.optimize) {
            (Binary::Agent, Optimize::Speed) => "release",
            (Binary::Agent, Optimize::Size) | (Binary::Lambda, _) => "lambda",
        }
    }

    /// A file of this distribution's folder, if it has it.
    pub(crate) fn file(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.join(name)).filter(|path| path.is_file())
    }

    fn parse(
        name: &str,
        folder: &Path,
        text: &str,
        known: &BTreeMap<Binary, BTreeSet<String>>,
    ) -> Result<Self, Failure> {
        let list: List = toml::from_str(text).map_err(|error| Failure::new(error.to_string()))?;
        let chosen = list.builds.0.iter().map(|build| match build {
            Build::Agent => Binary::Agent,
            Build::Lambda => Binary::Lambda,
        });
        let mut binaries: BTreeMap<Binary, BTreeSet<String>> =
            chosen.map(|binary| (binary, BTreeSet::new())).collect();
        if binaries.is_empty() {
            return Err(Failure::new("builds is empty; name agent, lambda or both"));
        }
        let mut notes = Vec::new();
        for (kind, value) in &list.kinds {
            let Some((_, prefix)) = KINDS.iter().find(|(known, _)| known == kind) else {
                let kinds: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
                return Err(Failure::new(format!(
                    "{kind} is not a kind of component; there are {}",
                    kinds.join(", ")
                )));
            };
            let wanted = match Names::of(kind, value)? {
                Names::All => {
                    for (binary, features) in &mut binaries {
                        let all = known.get(binary).into_iter().flatten();
                        features.extend(all.filter(|one| is_of(one, prefix)).cloned());
                    }
                    continue;
                }
                Names::Listed(names) => names,
            };
            for component in wanted {
                let feature = format!("{prefix}-{}", component.replace('_', "-"));
                let mut homes = Vec::new();
                for (binary, features) in &mut binaries {
                    if known.get(binary).is_some_and(|known| known.contains(&feature)) {
                        features.insert(feature.clone());
                        homes.push(*binary);
                    }
                }
                match homes.as_slice() {
                    [] => return Err(unknown(kind, prefix, &component, &binaries, known)),
                    [only] if binaries.len() > 1 => notes.push(format!(
                        "{component} of {kind} is in {} only: the other binary has no such component",
                        only.name()
                    )),
                    _ => {}
                }
            }
        }
        let name = name.to_owned();
        let List { description, optimize, .. } = list;
        Ok(Self { name, folder: folder.to_owned(), description, optimize, binaries, notes })
    }
}

/// The distributions there are.
pub(crate) fn names() -> Result<Vec<String>, Failure> {
    let folder = project::root().join("dist");
    let mut names = Vec::new();
    for entry in folder.read_dir().at(&folder)? {
        let path = entry.at(&folder)?.path();
        if path.join("components.toml").is_file() {
            names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// Whether images can have a name: `[a-z0-9]+([._-][a-z0-9]+)*`, of which the grammar of references lets more separators pass
/// (<https://pkg.go.dev/github.com/distribution/reference>). No path out of `dist/` is of this form.
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
    };
    name.split(['.', '_', '-']).all(is_part)
}

/// A path as messages name it: from the project's folder, if it is there.
fn shown(path: &Path) -> String {
    path.strip_prefix(project::root()).unwrap_or(path).display().to_string()
}

/// The features of a binary's package; none while there is no such package.
fn package_features(binary: Binary) -> Result<BTreeSet<String>, Failure> {
    #[derive(Deserialize)]
    struct Manifest {
        #[serde(default)]
        features: BTreeMap<String, Vec<String>>,
    }
    let path = binary.manifest();
    if !path.is_file() {
        return Ok(BTreeSet::new());
    }
    let manifest: Manifest = toml::from_str(&project::read_text(&path)?).at(&path)?;
    Ok(manifest.features.into_keys().collect())
}

fn is_of(feature: &str, prefix: &str) -> bool {
    feature.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('-'))
}

fn unknown(
    kind: &str,
    prefix: &str,
    component: &str,
    binaries: &BTreeMap<Binary, BTreeSet<String>>,
    known: &BTreeMap<Binary, BTreeSet<String>>,
) -> Failure {
    let of_kind = binaries.keys().filter_map(|binary| known.get(binary)).flatten();
    let mut names: Vec<String> = of_kind
        .filter(|feature| is_of(feature, prefix))
        .map(|feature| feature.replacen(&format!("{prefix}-"), "", 1).replace('-', "_"))
        .collect();
    names.sort();
    names.dedup();
    let near = |name: &&String| strsim::damerau_levenshtein(name, component);
    let nearest = names.iter().min_by_key(near).filter(|name| near(name) <= 3);
    let hint = nearest.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
    Failure::new(format!("{kind}: there is no {component}{hint}; there are {}", names.join(", ")))
}

#[cfg(test)]
mod tests;
