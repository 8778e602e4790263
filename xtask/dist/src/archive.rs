//! Archives whose bytes depend on nothing but the files: no date, no owner, no machine.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::failure::{About, Failure};
use crate::tree::{EXECUTABLE, Entry, Tree};

/// What archives are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// As small as can be.
    Small,
    /// Not compressed at all: made at once, for trying.
    Quick,
}

/// Files as a tar archive that belongs to root and is from 1970.
pub(crate) fn tar(tree: &Tree) -> Result<Vec<u8>, Failure> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in tree.entries() {
        let (path, kind, mode, content) = match &entry {
            Entry::Folder(path) => (path.as_str(), tar::EntryType::Directory, EXECUTABLE, &[][..]),
            Entry::File(path, file) => {
                (*path, tar::EntryType::Regular, file.mode, file.content.as_slice())
            }
        };
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(u64::try_from(content.len()).about(path)?);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        builder.append_data(&mut header, path, content).about(path)?;
    }
    builder.into_inner().about("the end of a tar archive")
}

/// Bytes in the form of gzip. The header names neither date nor file.
pub(crate) fn gzip(bytes: &[u8], packing: Packing) -> Result<Vec<u8>, Failure> {
    let level = match packing {
        Packing::Small => Compression::best(),
        Packing::Quick => Compression::none(),
    };
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).about("gzip")?;
    encoder.finish().about("gzip")
}

/// Files as a zip archive from 1980, the first year that zip knows.
pub(crate) fn zip(tree: &Tree, packing: Packing) -> Result<Vec<u8>, Failure> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = match packing {
        Packing::Small => SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            // Beyond 9 it is zopfli's, which is some percent smaller; after a few rounds it finds little more.
            .compression_level(Some(9 + 5)),
        Packing::Quick => {
            SimpleFileOptions::default().compression_method(CompressionMethod::Stored)
        }
    };
    let options = options.last_modified_time(zip::DateTime::default());
    for entry in tree.entries() {
        match entry {
            Entry::Folder(path) => {
                writer.add_directory(&path, options.unix_permissions(EXECUTABLE)).about(path)?;
            }
            Entry::File(path, file) => {
                writer.start_file(path, options.unix_permissions(file.mode)).about(path)?;
                writer.write_all(&file.content).about(path)?;
            }
        }
    }
    Ok(writer.finish().about("the end of a zip archive")?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::tree::READABLE;

    fn tree() -> Tree {
        let mut tree = Tree::default();
        tree.add("extensions/hikyaku", EXECUTABLE, vec![7; 10_000]);
        tree.add("collector-config/config.yaml", READABLE, "a: 1\n");
        tree
    }

    #[test]
    fn zip_keeps_content_and_modes_and_nothing_of_the_moment() {
        for packing in [Packing::Small, Packing::Quick] {
            let bytes = zip(&tree(), packing).unwrap();
            assert_eq!(bytes, zip(&tree(), packing).unwrap());
            assert_eq!(bytes.len() < 10_000, packing == Packing::Small);
            let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
            let mut file = archive.by_name("extensions/hikyaku").unwrap();
            assert_eq!(file.unix_mode().unwrap() & 0o7777, 0o755);
            assert_eq!(file.last_modified().unwrap().year(), 1980);
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            assert_eq!(content, vec![7; 10_000]);
            drop(file);
            let config = archive.by_name("collector-config/config.yaml").unwrap();
            assert_eq!(config.unix_mode().unwrap() & 0o7777, 0o644);
        }
    }

    #[test]
    fn tar_belongs_to_root_and_has_its_folders() {
        let bytes = tar(&tree()).unwrap();
        assert_eq!(bytes, tar(&tree()).unwrap());
        let mut archive = tar::Archive::new(bytes.as_slice());
        let seen: Vec<(String, u32, u64, u64)> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                let path = entry.path().unwrap().to_string_lossy().into_owned();
                let (mode, uid) = (header.mode().unwrap(), header.uid().unwrap());
                (path, mode, uid, header.mtime().unwrap())
            })
            .collect();
        let expected = [
            ("collector-config/", 0o755),
            ("collector-config/config.yaml", 0o644),
            ("extensions/", 0o755),
            ("extensions/hikyaku", 0o755),
        ];
        assert_eq!(seen, expected.map(|(path, mode)| (path.to_owned(), mode, 0, 0)));
    }

    #[test]
    fn gzip_names_neither_date_nor_file() {
        let bytes = gzip(b"x", Packing::Small).unwrap();
        // RFC 1952: magic, method, flags, four bytes of date.
        assert_eq!(&bytes[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    }
}
