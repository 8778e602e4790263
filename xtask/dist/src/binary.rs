//! The two programs, and what they can be built for.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::project;

/// A program that a distribution may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Binary {
    /// The agent.
    Agent,
    /// The Lambda extension.
    Lambda,
}

impl Binary {
    pub(crate) const ALL: [Self; 2] = [Self::Agent, Self::Lambda];

    /// The package, and the name of the file that it builds.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Agent => "hikyaku",
            Self::Lambda => "hikyaku-lambda",
        }
    }

    /// The feature with an allocator that is better than musl's for it. The extension is smaller without, and holds little.
    pub(crate) fn allocator(self) -> Option<&'static str> {
        (self == Self::Agent).then_some("mimalloc")
    }

    /// The file of a distribution's folder that becomes the config of the artefact around it.
    pub(crate) fn config(self) -> &'static str {
        match self {
            Self::Agent => "image.yaml",
            Self::Lambda => "layer.yaml",
        }
    }

    pub(crate) fn manifest(self) -> PathBuf {
        let folder = match self {
            Self::Agent => "agent",
            Self::Lambda => "extension",
        };
        project::root().join(folder).join("Cargo.toml")
    }
}

/// A processor architecture, by the name that container images and layers have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Arch {
    Amd64,
    Arm64,
}

impl Arch {
    pub(crate) const ALL: [Self; 2] = [Self::Amd64, Self::Arm64];

    /// That of this machine, when it is one of them.
    pub(crate) fn host() -> Option<Self> {
        std::env::consts::ARCH.parse().ok()
    }

    /// As in container images.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// As in the API of AWS Lambda.
    pub(crate) fn in_lambda(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }

    /// What a static binary is compiled for.
    pub(crate) fn target(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-unknown-linux-musl",
            Self::Arm64 => "aarch64-unknown-linux-musl",
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Arch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "amd64" | "x86_64" => Ok(Self::Amd64),
            "arm64" | "aarch64" => Ok(Self::Arm64),
            other => Err(format!("{other:?} is not an architecture; amd64 and arm64 are")),
        }
    }
}
