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
    ///
    /// The folder and those below it get the mode that they have in archives: the caller's umask is about files of the caller's own, these are
    /// read by others, such as the user of an image that they are copied into.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Failure> {
        make_folder(folder)?;
        for entry in self.entries() {
            match entry {
                Entry::Folder(path) => make_folder(&folder.join(path))?,
                Entry::File(path, file) => {
                    let path = folder.join(path);
                    project::write(&path, &file.content)?;
                    set_mode(&path, file.mode)?;
                }
            }
        }
        Ok(())
    }
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).at(path)?;
    set_mode(path, EXECUTABLE)
}

fn set_mode(path: &Path, mode: u32) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;

    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).at(path)
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
        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::default();
        tree.add("bin/a", EXECUTABLE, "1");
        tree.below("opt").write(&folder.path().join("x")).unwrap();
        assert_eq!(folder.path().join("x/opt/bin/a").metadata().unwrap().len(), 1);
        assert_eq!(mode(&folder.path().join("x/opt/bin/a")), 0o755);
    }

    #[test]
    fn folders_can_be_read_by_everybody_whatever_the_umask() {
        let folder = tempfile::tempdir().unwrap();
        let (root, below) = (folder.path().join("x"), folder.path().join("x/etc/hikyaku"));
        // As a umask of 077 leaves them.
        std::fs::create_dir_all(&below).unwrap();
        for path in [&below, &folder.path().join("x/etc"), &root] {
            set_mode(path, 0o700).unwrap();
        }
        let mut tree = Tree::default();
        tree.add("etc/hikyaku/config.yaml", READABLE, "");
        tree.write(&root).unwrap();
        for path in [&root, &folder.path().join("x/etc"), &below] {
            assert_eq!(mode(path), 0o755, "{path:?}");
        }
        assert_eq!(mode(&below.join("config.yaml")), 0o644);
    }

    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt;

        path.metadata().unwrap().permissions().mode() & 0o7777
    }
}
