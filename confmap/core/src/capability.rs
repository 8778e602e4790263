//! Settings that name a service extension, for whoever knows the whole configuration to look up.

use std::fmt;

use crate::{Node, Path};

/// What a service extension can be to other components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Signs the requests of clients.
    ClientAuthenticator,
    /// Judges the requests that servers get.
    ServerAuthenticator,
}

/// A setting that names a service extension.
#[derive(Clone, Debug)]
pub struct ExtensionReference {
    /// The path of the setting.
    pub path: Path,
    /// Its value.
    pub node: Node,
    /// What the extension is needed as.
    pub wanted: Capability,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientAuthenticator => "client authenticator",
            Self::ServerAuthenticator => "server authenticator",
        })
    }
}
