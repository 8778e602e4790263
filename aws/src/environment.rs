//! The process's environment, or what a test puts in its place.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

/// Variables, looked up when they are needed. Clones share the source.
#[derive(Clone)]
pub struct Environment {
    lookup: Arc<Lookup>,
}

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

impl Environment {
    /// The variables of this process.
    #[must_use]
    pub fn process() -> Self {
        Self { lookup: Arc::new(|name| std::env::var_os(name)) }
    }

    /// These variables and no others.
    pub fn of<N: Into<String>, V: Into<OsString>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let variables: HashMap<String, OsString> =
            variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { lookup: Arc::new(move |name| variables.get(name).cloned()) }
    }

    /// A variable's value. One that is empty counts as not set, as in AWS's SDKs.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name)?.into_string().ok()?;
        Some(value).filter(|value| !value.is_empty())
    }

    /// Whether a variable says `true`, in any case.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Proxies and trusted authorities by their usual variables.
    #[must_use]
    pub fn network(&self) -> net::client::Environment {
        net::client::Environment::from_lookup(|name| (self.lookup)(name))
    }
}

/// Variables hold secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}
