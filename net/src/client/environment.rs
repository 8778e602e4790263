//! The environment variables that clients heed, read once and passed on.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use confmap::Opaque;

use super::pool::STALE_AFTER_FREEZES;

/// Proxies and authorities, by the usual variables.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `HTTP_PROXY` or `http_proxy`: the proxy for `http` URLs.
    pub http_proxy: Option<Opaque>,
    /// `HTTPS_PROXY` or `https_proxy`: the proxy for `https` URLs and for gRPC.
    pub https_proxy: Option<Opaque>,
    /// `NO_PROXY` or `no_proxy`: hosts that are reached directly.
    pub no_proxy: String,
    /// `SSL_CERT_FILE`: the authorities to trust in place of those compiled in.
    pub ssl_cert_file: Option<PathBuf>,
    /// `SSL_CERT_DIR`: a folder of them.
    pub ssl_cert_dir: Option<PathBuf>,
    /// Whether the platform freezes the process between two pieces of work, as AWS Lambda does unless `AWS_LAMBDA_INITIALIZATION_TYPE` says that
    /// it is a managed instance: connections may then be dead without anybody having noticed.
    pub is_frozen_at_times: bool,
}

impl Environment {
    /// The variables of this process, as they were at the first call.
    #[must_use]
    pub fn process() -> Self {
        static PROCESS: LazyLock<Environment> =
            LazyLock::new(|| Environment::from_lookup(|name| std::env::var_os(name)));
        PROCESS.clone()
    }

    /// The variables that a function knows. An upper-case name wins over its lower-case form, and
    /// an empty value counts as none.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let text = |name: &str| {
            let value = set(name).or_else(|| set(&name.to_ascii_lowercase()))?;
            value.into_string().ok()
        };
        Self {
            http_proxy: text("HTTP_PROXY").map(Opaque::new),
            https_proxy: text("HTTPS_PROXY").map(Opaque::new),
            no_proxy: text("NO_PROXY").unwrap_or_default(),
            ssl_cert_file: set("SSL_CERT_FILE").map(PathBuf::from),
            ssl_cert_dir: set("SSL_CERT_DIR").map(PathBuf::from),
            is_frozen_at_times: set("AWS_LAMBDA_RUNTIME_API").is_some()
                && set("AWS_LAMBDA_INITIALIZATION_TYPE")
                    .is_none_or(|how| how != "lambda-managed-instances"),
        }
    }
}

impl Environment {
    /// How long a connection without requests is trusted, where that is less than its idle timeout says.
    pub(super) fn stale_after(&self) -> Option<Duration> {
        self.is_frozen_at_times.then_some(STALE_AFTER_FREEZES)
    }
}

/// Proxies may have a password in them.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("http_proxy", &self.http_proxy)
            .field("https_proxy", &self.https_proxy)
            .field("no_proxy", &self.no_proxy)
            .field("ssl_cert_file", &self.ssl_cert_file)
            .field("ssl_cert_dir", &self.ssl_cert_dir)
            .field("is_frozen_at_times", &self.is_frozen_at_times)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_functions_outside_of_managed_instances_are_frozen() {
        let frozen = |how: Option<&str>| {
            let lookup = |name: &str| match name {
                "AWS_LAMBDA_RUNTIME_API" => Some("127.0.0.1:9001".into()),
                "AWS_LAMBDA_INITIALIZATION_TYPE" => how.map(Into::into),
                _ => None,
            };
            Environment::from_lookup(lookup).is_frozen_at_times
        };
        assert!(frozen(None) && frozen(Some("on-demand")) && frozen(Some("snap-start")));
        assert!(!frozen(Some("lambda-managed-instances")));
        assert!(!Environment::from_lookup(|_| None).is_frozen_at_times);
    }
}
