//! The config that an artefact runs when its user names none: whether it fits what the artefact's binary contains.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use crate::binary::Binary;
use crate::failure::{About, Failure};
use crate::project;
use crate::selection::Distribution;
use crate::yaml;

/// Sections of a config with components, and what their features begin with.
const SECTIONS: [(&str, &str); 5] = [
    ("receivers", "receiver"),
    ("processors", "processor"),
    ("exporters", "exporter"),
    ("connectors", "connector"),
    ("extensions", "extension"),
];

/// The page that an image's health check asks for.
const HEALTH: &str = "health_check";
const HEALTH_PORT: &str = ":13133";

/// A config, read as far as packing has to know it.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file, relative to the project's folder where it is in there.
    path: PathBuf,
    pub(crate) text: String,
    root: Value,
}

/// What an artefact around a binary runs by itself.
#[derive(Debug)]
pub(crate) enum Default {
    /// A file of the distribution's folder, put beside the binary.
    Own(Config),
    /// The config that the binary has built in.
    BuiltIn,
    /// Nothing that would be of use, and why.
    None(String),
}

impl Default {
    /// Looks for the distribution's file, and without one at what the binary has built in.
    ///
    /// # Errors
    /// A file that cannot be read, or does not fit the distribution.
    pub(crate) fn of(distribution: &Distribution, binary: Binary) -> Result<Self, Failure> {
        if let Some(config) = Config::own(distribution, binary)? {
            return Ok(Self::Own(config));
        }
        let built_in = Config::read(&binary.manifest().with_file_name("default.yaml"))?;
        let missing = built_in.missing(distribution, binary);
        let reason = match binary {
            _ if !missing.is_empty() => format!("needs {}", missing.join(" and ")),
            // Nobody outside the container would reach it.
            Binary::Agent => "listens at 127.0.0.1 alone".to_owned(),
            Binary::Lambda => return Ok(Self::BuiltIn),
        };
        let file = binary.config();
        Ok(Self::None(format!(
            "there is no {file} beside {}, and the config that {} has built in {reason}; write {}",
            distribution.shown("components.toml"),
            binary.name(),
            distribution.shown(file)
        )))
    }

    /// The distribution's own config.
    pub(crate) fn own(&self) -> Option<&Config> {
        match self {
            Self::Own(config) => Some(config),
            Self::BuiltIn | Self::None(_) => None,
        }
    }
}

impl Config {
    /// The distribution's own file for a binary, when it has one.
    ///
    /// # Errors
    /// A file that cannot be read, or needs a component that the distribution does not have.
    fn own(distribution: &Distribution, binary: Binary) -> Result<Option<Self>, Failure> {
        let Some(path) = distribution.file(binary.config()) else { return Ok(None) };
        let config = Self::read(&path)?;
        let missing = config.missing(distribution, binary);
        if missing.is_empty() {
            return Ok(Some(config));
        }
        Err(Failure::new(format!(
            "{} needs {}, which {} does not give to {}: it would not start; change one of the two files",
            config.path.display(),
            missing.join(" and "),
            distribution.shown("components.toml"),
            binary.name(),
        )))
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let text = project::read_text(path)?;
        let path = path.strip_prefix(project::root()).unwrap_or(path).to_owned();
        let root = yaml::parse(&text).at(&path)?;
        Ok(Self { path, text, root })
    }

    /// What the image's health check can ask at its fixed port: whether the config turns the extension on, and there.
    pub(crate) fn has_health_check(&self) -> bool {
        let used = self.root.pointer("/service/extensions").and_then(Value::as_array);
        let mut used = used.into_iter().flatten().filter_map(Value::as_str);
        used.any(|id| {
            let settings = self.root.get("extensions").and_then(|all| all.get(id));
            let endpoint = settings.and_then(|settings| settings.get("endpoint"));
            let endpoint = endpoint.and_then(Value::as_str);
            component(id) == HEALTH && endpoint.is_none_or(|text| text.ends_with(HEALTH_PORT))
        })
    }

    /// Has the binary that was built check its config, where it can run and the config says all there is to know.
    ///
    /// # Errors
    /// What the binary says of it.
    pub(crate) fn validate(&self, program: &Path) -> Result<Validated, Failure> {
        if let Some(reference) = self.open_reference() {
            return Ok(Validated::Not(format!("${{{reference}}} is known only where it runs")));
        }
        let mut command = Command::new(program);
        // Without the variables of whoever builds, who is not there when it runs.
        command.arg("validate").arg("--config").arg(project::root().join(&self.path)).env_clear();
        let output = command.output().at(program)?;
        if output.status.success() {
            return Ok(Validated::Yes);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Failure::new(format!(
            "{} would not start with {}; correct that file:\n{}",
            program.display(),
            self.path.display(),
            said.trim()
        )))
    }

    /// A reference whose value is known only where the config runs, such as `env:DD_API_KEY`: anything but a variable with a default.
    fn open_reference(&self) -> Option<String> {
        let mut open = vec![&self.root];
        while let Some(value) = open.pop() {
            match value {
                Value::Object(map) => open.extend(map.values()),
                Value::Array(items) => open.extend(items),
                Value::String(text) => {
                    for reference in text.split("${").skip(1) {
                        let reference = reference.split('}').next().unwrap_or(reference);
                        if !reference.starts_with("env:") || !reference.contains(":-") {
                            return Some(reference.to_owned());
                        }
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Components that the config names and the binary does not have.
    fn missing(&self, distribution: &Distribution, binary: Binary) -> Vec<String> {
        let has = distribution.binaries.get(&binary);
        let mut missing = BTreeMap::new();
        for (section, prefix) in SECTIONS {
            let ids = self.root.get(section).and_then(Value::as_object);
            for id in ids.into_iter().flat_map(Map::keys) {
                let feature = format!("{prefix}-{}", component(id).replace('_', "-"));
                if has.is_none_or(|has| !has.contains(&feature)) {
                    missing.insert(feature, format!("the {prefix} {}", component(id)));
                }
            }
        }
        missing.into_values().collect()
    }
}

impl std::fmt::Display for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path.display().fmt(f)
    }
}

/// Whether a binary has checked its config.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Validated {
    Yes,
    /// It could not, and why.
    Not(String),
}

/// The type of a component from its id: `otlp` of `otlp/second`.
fn component(id: &str) -> &str {
    id.split('/').next().unwrap_or(id).trim()
}

#[cfg(test)]
mod tests;
