//! `env:`: environment variables (open-telemetry/opentelemetry-collector
//! `confmap/provider/envprovider`).

use std::{ffi::OsString, fmt};

use super::{BoxFuture, Provider, ProviderError, Reference, Retrieved};

/// What a variable may be called, as upstream's errors put it.
const NAME_PATTERN: &str = "^[a-zA-Z_][a-zA-Z0-9_]*$";

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// `env:NAME`, or `env:NAME:-default` for a default when the variable is unset. A variable that
/// is set and empty is empty, default or not.
pub struct EnvProvider {
    lookup: Box<Lookup>,
}

/// Why a variable can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvError {
    /// A name that no variable can have.
    #[error("environment variable {name:?} has invalid name: must match regex {NAME_PATTERN}")]
    InvalidName {
        /// What stands for a name.
        name: String,
    },
    /// A value that is not text.
    #[error("environment variable {name:?} is not valid UTF-8")]
    NotUtf8 {
        /// The variable.
        name: String,
    },
}

impl EnvProvider {
    /// Reads variables with the given function, so that a test needs none to be set. For those of
    /// the process it is `|name| std::env::var_os(name)`.
    #[must_use]
    pub fn new(lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static) -> Self {
        Self { lookup: Box::new(lookup) }
    }

    fn read(&self, reference: &Reference) -> Result<Retrieved, ProviderError> {
        let split = |text| match str::split_once(text, ":-") {
            Some((name, default)) => (name, Some(default)),
            None => (text, None),
        };
        let (name, default) = split(reference.opaque());
        let shown = || split(reference.shown()).0.to_owned();
        if !is_name(name) {
            let error = ProviderError::new(EnvError::InvalidName { name: shown() });
            let default = name.contains([':', '-', '=', '?']);
            return Err(if default {
                error.help("a default is written ${env:NAME:-default}")
            } else {
                error
            });
        }
        match ((self.lookup)(name), default) {
            (Some(value), _) => value.into_string().map(Retrieved::yaml).map_err(|_| {
                ProviderError::new(EnvError::NotUtf8 { name: shown() })
                    .help("set the variable to text in UTF-8")
            }),
            // Nothing behind `:-` is the empty text, where parsing it would give null.
            (None, Some("")) => Ok(Retrieved::string("")),
            (None, Some(default)) => Ok(Retrieved::yaml(default)),
            (None, None) => {
                let name = shown();
                let message =
                    format!("Configuration references unset environment variable {name:?}");
                Ok(Retrieved::yaml("").warning(message))
            }
        }
    }
}

impl Provider for EnvProvider {
    fn scheme(&self) -> &'static str {
        "env"
    }

    fn retrieve<'a>(
        &'a self,
        references: &'a [Reference],
    ) -> BoxFuture<'a, Vec<Result<Retrieved, ProviderError>>> {
        let found = references.iter().map(|reference| self.read(reference));
        Box::pin(std::future::ready(found.collect()))
    }

    fn is_local(&self) -> bool {
        true
    }
}

impl fmt::Debug for EnvProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvProvider")
    }
}

fn is_name(name: &str) -> bool {
    name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
