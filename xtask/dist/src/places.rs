//! Where artefacts are in the folder of a distribution.

use std::path::{Path, PathBuf};

use crate::binary::{Arch, Binary};
use crate::failure::{About, Failure};

/// The folder that artefacts are written to.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) folder: PathBuf,
}

/// What a task makes around a binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Images, layers and archives.
    Artefacts,
    /// The image on top of a base.
    OnBase,
}

impl Places {
    pub(crate) fn binary(&self, arch: Arch, binary: Binary) -> PathBuf {
        self.folder.join(arch.name()).join(binary.name())
    }

    pub(crate) fn sizes(&self, arch: Arch, binary: Binary) -> PathBuf {
        self.folder.join(arch.name()).join(format!("{}.sizes.txt", binary.name()))
    }

    pub(crate) fn image(&self) -> PathBuf {
        self.folder.join("image")
    }

    pub(crate) fn docker_archive(&self, arch: Arch) -> PathBuf {
        self.folder.join(format!("image-{arch}.docker.tar"))
    }

    pub(crate) fn context(&self, arch: Arch) -> PathBuf {
        self.folder.join("context").join(arch.name())
    }

    pub(crate) fn binary_archive(&self, arch: Arch) -> PathBuf {
        self.folder.join(format!("hikyaku-linux-{arch}.tar.gz"))
    }

    pub(crate) fn zip(&self, arch: Arch) -> PathBuf {
        self.folder.join(format!("hikyaku-lambda-{arch}.zip"))
    }

    pub(crate) fn layer(&self, arch: Arch) -> PathBuf {
        self.folder.join("layer").join(arch.name())
    }

    /// What the zip files were made of; see [`crate::record`].
    pub(crate) fn record(&self) -> PathBuf {
        self.folder.join("layer.json")
    }

    pub(crate) fn opt_image(&self) -> PathBuf {
        self.folder.join("opt-image")
    }

    pub(crate) fn base_image(&self) -> PathBuf {
        self.folder.join("base-image")
    }

    pub(crate) fn sums(&self) -> PathBuf {
        self.folder.join("SHA256SUMS")
    }

    /// Removes what an earlier task has made of a binary, for either architecture, so that what is there afterwards is all of one run.
    ///
    /// # Errors
    /// What cannot be removed.
    pub(crate) fn clear(&self, binary: Binary, kind: Kind) -> Result<(), Failure> {
        let mut paths = vec![self.sums()];
        for arch in Arch::ALL {
            paths.extend([self.binary(arch, binary), self.sizes(arch, binary)]);
            paths.extend(match (kind, binary) {
                (Kind::OnBase, _) => Vec::new(),
                (Kind::Artefacts, Binary::Agent) => {
                    vec![self.docker_archive(arch), self.context(arch), self.binary_archive(arch)]
                }
                (Kind::Artefacts, Binary::Lambda) => vec![self.zip(arch), self.layer(arch)],
            });
        }
        let image = match (kind, binary) {
            (Kind::OnBase, _) => self.base_image(),
            (Kind::Artefacts, Binary::Agent) => self.image(),
            (Kind::Artefacts, Binary::Lambda) => {
                paths.push(self.record());
                self.opt_image()
            }
        };
        paths.extend([digest(&image), image]);
        for path in paths {
            let removed = match path.is_dir() {
                true => std::fs::remove_dir_all(&path),
                false if path.exists() => std::fs::remove_file(&path),
                false => Ok(()),
            };
            removed.at(&path)?;
        }
        Ok(())
    }
}

/// Where the digest of an image's folder stands.
pub(crate) fn digest(image: &Path) -> PathBuf {
    image.with_extension("digest")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project;

    #[test]
    fn what_an_earlier_run_made_is_removed_for_both_architectures_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places { folder: folder.path().to_owned() };
        let of_lambda = [
            places.zip(Arch::Amd64),
            places.zip(Arch::Arm64),
            places.layer(Arch::Arm64).join("extensions/hikyaku"),
            places.opt_image().join("index.json"),
            digest(&places.opt_image()),
            places.record(),
            places.binary(Arch::Arm64, Binary::Lambda),
            places.sums(),
        ];
        let others = [
            places.docker_archive(Arch::Amd64),
            places.binary(Arch::Amd64, Binary::Agent),
            places.base_image().join("index.json"),
            folder.path().join("mine.zip"),
        ];
        for path in of_lambda.iter().chain(&others) {
            project::write(path, "earlier").unwrap();
        }
        places.clear(Binary::Lambda, Kind::Artefacts).unwrap();
        for path in of_lambda {
            assert!(!path.exists(), "{path:?}");
        }
        for path in others {
            assert!(path.exists(), "{path:?}");
        }
        places.clear(Binary::Agent, Kind::Artefacts).unwrap();
        assert!(!places.docker_archive(Arch::Amd64).exists());
    }
}
