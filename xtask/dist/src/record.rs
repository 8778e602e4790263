//! What the layer's archives were made of: written by the task that makes them, held against them by the one that publishes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::archive::Packing;
use crate::binary::Arch;
use crate::failure::{About, Failure};
use crate::oci;
use crate::places::Places;
use crate::project;

/// One run of `cargo xtask dist layer`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) version: String,
    /// The commit, with `-dirty` after it when files differed from it; none outside a git work tree.
    pub(crate) revision: Option<String>,
    pub(crate) is_compressed: bool,
    /// Whether the binary was handed in, so that nobody knows what it was made of.
    pub(crate) is_prebuilt: bool,
    /// The checksum of each architecture's archive.
    pub(crate) archives: BTreeMap<String, String>,
}

impl Record {
    pub(crate) fn new(revision: Option<String>, packing: Packing, is_prebuilt: bool) -> Self {
        let version = project::VERSION.to_owned();
        let is_compressed = packing == Packing::Small;
        Self { version, revision, is_compressed, is_prebuilt, archives: BTreeMap::new() }
    }

    /// Notes an archive.
    pub(crate) fn add(&mut self, arch: Arch, zip: &[u8]) {
        self.archives.insert(arch.name().to_owned(), oci::hex(zip));
    }

    pub(crate) fn write(&self, places: &Places) -> Result<(), Failure> {
        let mut text = serde_json::to_vec_pretty(self).about("the record of the layer")?;
        text.push(b'\n');
        project::write(&places.record(), text)
    }

    /// Reads the record and holds it against the archives of these architectures.
    ///
    /// # Errors
    /// Archives that are not there, or are not those of one run of this version; `remake` is the command that makes them.
    pub(crate) fn of_archives(
        places: &Places,
        archs: &[Arch],
        remake: &str,
    ) -> Result<Self, Failure> {
        let remedy =
            |what: String| Failure::new(format!("{what}: `{remake}` makes what can be published"));
        let path = places.record();
        if !path.is_file() {
            return Err(remedy(format!("{} is not there", path.display())));
        }
        let record: Self = serde_json::from_str(&project::read_text(&path)?).at(&path)?;
        if record.version != project::VERSION {
            let (made, own) = (&record.version, project::VERSION);
            return Err(remedy(format!("the layer was made as version {made}, and this is {own}")));
        }
        for arch in archs {
            let zip = places.zip(*arch);
            let (true, Some(sum)) = (zip.is_file(), record.archives.get(arch.name())) else {
                return Err(remedy(format!("{} is not there", zip.display())));
            };
            if *sum != oci::hex(&std::fs::read(&zip).at(&zip)?) {
                let zip = zip.display();
                return Err(remedy(format!("{zip} is not the one that {} is of", path.display())));
            }
        }
        Ok(record)
    }

    /// Why others had better not get these archives.
    pub(crate) fn objections(&self) -> Vec<&'static str> {
        let is_dirty = self.revision.as_ref().is_some_and(|revision| revision.ends_with("-dirty"));
        let objections = [
            (is_dirty, "made with changes that are not committed"),
            (!self.is_compressed, "not compressed"),
            (self.is_prebuilt, "packed around a binary that was handed in (--prebuilt)"),
        ];
        objections.into_iter().filter_map(|(is_so, what)| is_so.then_some(what)).collect()
    }

    /// What a published version says of itself.
    pub(crate) fn description(&self) -> String {
        match &self.revision {
            Some(revision) => format!("hikyaku {} ({revision})", self.version),
            None => format!("hikyaku {}", self.version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REMAKE: &str = "cargo xtask dist layer --name mine";

    fn made(folder: &std::path::Path) -> (Places, Record) {
        let places = Places { folder: folder.to_owned() };
        let mut record = Record::new(Some("abc".to_owned()), Packing::Small, false);
        for arch in Arch::ALL {
            project::write(&places.zip(arch), arch.name()).unwrap();
            record.add(arch, arch.name().as_bytes());
        }
        record.write(&places).unwrap();
        (places, record)
    }

    #[test]
    fn archives_of_one_run_may_be_published() {
        let folder = tempfile::tempdir().unwrap();
        let (places, record) = made(folder.path());
        assert_eq!(Record::of_archives(&places, &Arch::ALL, REMAKE).unwrap(), record);
        assert_eq!(record.objections(), Vec::<&str>::new());
        assert_eq!(record.description(), format!("hikyaku {} (abc)", project::VERSION));
    }

    #[test]
    fn archives_of_another_run_or_version_may_not() {
        let folder = tempfile::tempdir().unwrap();
        let (places, record) = made(folder.path());
        let refused = || {
            let refused = Record::of_archives(&places, &Arch::ALL, REMAKE).unwrap_err();
            let refused = refused.to_string();
            assert!(refused.contains(REMAKE), "{refused}");
            refused
        };
        project::write(&places.zip(Arch::Arm64), "of another run").unwrap();
        assert!(refused().contains("arm64.zip is not the one"));
        let amd64 = Record::of_archives(&places, &[Arch::Amd64], REMAKE).unwrap();
        assert_eq!(amd64, record);
        std::fs::remove_file(places.zip(Arch::Arm64)).unwrap();
        assert!(refused().contains("arm64.zip is not there"));
        Record { version: "0.0.1".to_owned(), ..record }.write(&places).unwrap();
        assert!(refused().contains("0.0.1"));
        std::fs::remove_file(places.record()).unwrap();
        assert!(refused().contains("layer.json is not there"));
    }

    #[test]
    fn what_others_had_better_not_get_is_objected_to() {
        let record = Record::new(Some("abc-dirty".to_owned()), Packing::Quick, true);
        assert_eq!(record.objections().len(), 3);
        let record = Record::new(None, Packing::Small, false);
        assert!(record.objections().is_empty());
    }
}
