//! The shared files, `~/.aws/config` and `~/.aws/credentials`, as sections of keys and values.
//!
//! Read as aws/aws-sdk-go-v2 `config/internal/ini` reads them: keys in any case, `=` or `:`, comments from `#` or `;`, quotes taken
//! off, indented lines continue a value or, below a key without one, are a map of their own. A line that is none of these is an error, as
//! it is for botocore.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use confmap::Opaque;

use crate::environment::Environment;
use crate::error::Cause;
use crate::settings::Settings;

/// A file that is larger is none of these files.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What one or several files say, by profile. Values may be secrets.
#[derive(Clone, Default)]
pub(crate) struct Profiles {
    profiles: BTreeMap<String, BTreeMap<String, Opaque>>,
    /// Maps of a section `services`, and in it of a service: `services NAME` / service / key.
    services: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>,
}

/// Where the files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) config: Option<PathBuf>,
    pub(crate) credentials: Vec<PathBuf>,
}

/// The two files, whose sections are named differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `[default]`, `[profile NAME]`, `[services NAME]`.
    Config,
    /// `[NAME]`.
    Credentials,
}

impl Places {
    /// The places by the settings, the environment, and the home folder.
    pub(crate) fn of(settings: &Settings, environment: &Environment) -> Self {
        let home = environment.get("HOME").map(PathBuf::from);
        let place = |variable: &str, name: &str| match environment.get(variable) {
            Some(path) => Some(expand(&path, home.as_deref())),
            None => home.as_ref().map(|home| home.join(".aws").join(name)),
        };
        let credentials = match settings.shared_credentials_files.as_slice() {
            [] => place("AWS_SHARED_CREDENTIALS_FILE", "credentials").into_iter().collect(),
            files => files.to_vec(),
        };
        Self { config: place("AWS_CONFIG_FILE", "config"), credentials }
    }

    /// Reads the files, on a thread that may block. A file that is not there is empty; so is one that may not be read, as it is for
    /// AWS's SDKs: it is another user's home folder that is not ours to read.
    pub(crate) async fn read(&self) -> Result<Profiles, Cause> {
        if self.config.is_none() && self.credentials.is_empty() {
            return Ok(Profiles::default());
        }
        let places = self.clone();
        let read = tokio::task::spawn_blocking(move || places.read_now());
        read.await.unwrap_or(Err(Cause::Answer("was lost: the thread that reads files failed")))
    }

    fn read_now(&self) -> Result<Profiles, Cause> {
        let mut profiles = Profiles::default();
        let config = self.config.iter().map(|path| (Kind::Config, path));
        let credentials = self.credentials.iter().map(|path| (Kind::Credentials, path));
        for (kind, path) in config.chain(credentials) {
            if let Some(text) = read_file(path)? {
                profiles.merge(Profiles::parse(kind, path, &text)?);
            }
        }
        Ok(profiles)
    }

    /// The paths, for an error.
    pub(crate) fn names(&self) -> String {
        let paths = self.config.iter().chain(&self.credentials);
        let names: Vec<String> = paths.map(|path| path.display().to_string()).collect();
        if names.is_empty() { "no files, as HOME is not set".to_owned() } else { names.join(", ") }
    }
}

impl Profiles {
    /// Whether a profile is there.
    pub(crate) fn has(&self, profile: &str) -> bool {
        self.profiles.contains_key(profile)
    }

    /// A value of a profile. One that is empty counts as not there.
    pub(crate) fn get(&self, profile: &str, key: &str) -> Option<&str> {
        let value = self.profiles.get(profile)?.get(key)?.expose();
        Some(value).filter(|value| !value.is_empty())
    }

    /// The endpoint that a profile has for a service, by its name in the shared files: its own, or that of all services.
    pub(crate) fn endpoint_url(&self, profile: &str, service: &str) -> Option<&str> {
        let own = self.get(profile, "services").and_then(|name| {
            self.services.get(name)?.get(service)?.get("endpoint_url").map(String::as_str)
        });
        own.or_else(|| self.get(profile, "endpoint_url"))
    }

    /// What the text of a file says.
    fn parse(kind: Kind, path: &Path, text: &str) -> Result<Self, Cause> {
        let mut parsed = Self::default();
        let mut section = Section::Other;
        let mut key = String::new();
        for (number, line) in text.lines().enumerate() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            let syntax =
                |expected| Cause::Syntax { path: path.to_owned(), line: number + 1, expected };
            if line.starts_with([' ', '\t']) && !key.is_empty() {
                parsed.go_on(&section, &key, trimmed);
            } else if trimmed.starts_with('[') {
                let name = section_name(trimmed).ok_or_else(|| syntax("a section has no \"]\""))?;
                section = Section::of(kind, name);
                key.clear();
                if let Section::Profile(name) = &section {
                    parsed.profiles.entry(name.clone()).or_default();
                }
            } else {
                let (name, value) = split(without_comment(trimmed))
                    .ok_or_else(|| syntax("is neither \"[section]\" nor \"key = value\""))?;
                key = name;
                if let Section::Profile(profile) = &section {
                    let values = parsed.profiles.entry(profile.clone()).or_default();
                    values.insert(key.clone(), Opaque::new(value));
                }
            }
        }
        Ok(parsed)
    }

    /// Adds what a later file says, which wins. Its keys take the place of all keys of an earlier one: half a pair of each is no pair.
    fn merge(&mut self, later: Self) {
        const KEYS: [&str; 3] = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];
        for (name, values) in later.profiles {
            let profile = self.profiles.entry(name).or_default();
            if KEYS.iter().any(|key| values.contains_key(*key)) {
                profile.retain(|key, _| !KEYS.contains(&key.as_str()));
            }
            profile.extend(values);
        }
        self.services.extend(later.services);
    }

    /// Takes an indented line: more of a value, or, when the key has none, a key and value below it.
    fn go_on(&mut self, section: &Section, key: &str, line: &str) {
        match section {
            Section::Profile(profile) => {
                let values = self.profiles.entry(profile.clone()).or_default();
                if let Some(value) = values.get_mut(key).filter(|value| !value.is_empty()) {
                    *value = Opaque::new(format!("{}\n{line}", value.expose()));
                }
            }
            Section::Services(name) => {
                let service = self.services.entry(name.clone()).or_default();
                if let Some((below, value)) = split(line) {
                    service.entry(key.to_owned()).or_default().insert(below, value.to_owned());
                }
            }
            Section::Other => {}
        }
    }
}

/// Where the lines of a file belong.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Section {
    Profile(String),
    Services(String),
    /// What is none of our business, and what stands before the first section.
    Other,
}

impl Section {
    fn of(kind: Kind, name: &str) -> Self {
        let words = name.split_once(char::is_whitespace).map(|(word, rest)| (word, rest.trim()));
        match (kind, words) {
            (Kind::Config, Some(("profile", profile))) => {
                Self::Profile(unquoted(profile).to_owned())
            }
            (Kind::Config, Some(("services", services))) => Self::Services(services.to_owned()),
            (Kind::Config, None) if name.eq_ignore_ascii_case("default") => {
                Self::Profile(name.to_ascii_lowercase())
            }
            (Kind::Config, _) | (Kind::Credentials, Some(("profile", _))) => Self::Other,
            (Kind::Credentials, _) => Self::Profile(name.to_owned()),
        }
    }
}

/// The text of a file, or nothing when it is not there.
fn read_file(path: &Path) -> Result<Option<String>, Cause> {
    let failed = |error| Cause::File { path: path.to_owned(), error: Arc::new(error) };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) => {
            use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
            return match error.kind() {
                NotFound | NotADirectory | PermissionDenied => Ok(None),
                _ => Err(failed(error)),
            };
        }
    };
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let error = std::io::Error::other("it is larger than 1 MiB");
        return Err(failed(error));
    }
    Ok(Some(text))
}

/// A path with `~` at its beginning is in the home folder.
fn expand(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

/// `NAME` of `[NAME] # comment`.
fn section_name(line: &str) -> Option<&str> {
    let (name, _comment) = line.strip_prefix('[')?.split_once(']')?;
    Some(name.trim())
}

/// A line without a comment behind white space.
fn without_comment(line: &str) -> &str {
    let starts = [" #", " ;", "\t#", "\t;"];
    let end = starts.iter().filter_map(|start| line.find(start)).min().unwrap_or(line.len());
    line.get(..end).unwrap_or(line).trim_end()
}

/// The key, in lower case, and the value of a line.
fn split(line: &str) -> Option<(String, &str)> {
    let (key, value) = line.split_once(['=', ':'])?;
    let key = key.trim().to_ascii_lowercase();
    (!key.is_empty()).then(|| (key, unquoted(value.trim())))
}

fn unquoted(value: &str) -> &str {
    let inner = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests;
