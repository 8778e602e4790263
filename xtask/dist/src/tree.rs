//! The files of an artefact, before it is known whether they end up in a tar archive, a zip or a folder.

use std::collections::BTreeMap;
use std::path::Path;

use crate::failure::{About, Failure};
use crate::project;

/// Mode of a folder or a program.
pub(crate) const EXECUTABLE: u32 = 0o755;
/// Mode of any other file.
pub(crate) const READABLE: u32 = 0o644;

/// Files by path, in the order of their paths. Owner and date are not part of it: they are the same for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<String, File>);

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) mode: u32,
    pub(crate) content: Vec<u8>,
}

/// What an archive has one entry for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry<'a> {
    /// A folder, with `/` at the end of its path, before anything in it.
    Folder(String),
    /// A file.
    File(&'a str, &'a File),
}

impl Tree {
    /// Adds a file at a path that is relative, with `/` between its parts.
    pub(crate) fn add(&mut self, path: &str, mode: u32, content: impl Into<Vec<u8>>) {
        self.0.insert(path.to_owned(), File { mode, content: content.into() });
    }

    /// Adds a file with the content of another.
    pub(crate) fn add_file(&mut self, path: &str, mode: u32, from: &Path) -> Result<(), Failure> {
        self.add(path, mode, std::fs::read(from).at(from)?);
        Ok(())
    }

    /// The same files below a folder.
    pub(crate) fn below(self, folder: &str) -> Self {
        let files = self.0.into_iter();
        Self(files.map(|(path, file)| (format!("{folder}/{path}"), file)).collect())
    }

    /// Folders and files in the order in which an archive needs them.
    pub(crate) fn entries(&self) -> Vec<Entry<'_>> {
        let mut entries = Vec::new();
        let mut folders: Vec<String> = Vec::new();
        for (path, file) in &self.0 {
            for (end, _) in path.match_indices('/') {
                let folder = path.split_at(end + 1).0;
                if !folders.iter().any(|known| known == folder) {
                    folders.push(folder.to_owned());
                    entries.push(Entry::Folder(folder.to_owned()));
                }
            }
            entries.push(Entry::File(path, file));
        }
        entries
    }

    /// Writes the files below a folder, in the place of what may have been there under their names.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Failure> {
        use std::os::unix::fs::PermissionsExt;

        for (path, file) in &self.0 {
            let path = folder.join(path);
            project::write(&path, &file.content)?;
            let mode = std::fs::Permissions::from_mode(file.mode);
            std::fs::set_permissions(&path, mode).at(&path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_once_and_before_what_is_in_them() {
        let mut tree = Tree::default();
        tree.add("a/b/c", READABLE, "1");
        tree.add("a/b/d", EXECUTABLE, "2");
        tree.add("a/e", READABLE, "3");
        let paths: Vec<String> = tree
            .entries()
            .into_iter()
            .map(|entry| match entry {
                Entry::Folder(path) => path,
                Entry::File(path, file) => format!("{path} {:o}", file.mode),
            })
            .collect();
        assert_eq!(paths, ["a/", "a/b/", "a/b/c 644", "a/b/d 755", "a/e 644"]);
    }

    #[test]
    fn a_tree_that_is_written_has_its_modes() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::default();
        tree.add("bin/a", EXECUTABLE, "1");
        tree.below("opt").write(&folder.path().join("x")).unwrap();
        let metadata = folder.path().join("x/opt/bin/a").metadata().unwrap();
        assert_eq!((metadata.len(), metadata.permissions().mode() & 0o777), (1, 0o755));
    }
}
