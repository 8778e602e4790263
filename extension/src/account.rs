//! The account id, for resource detectors of SDKs: a symbolic link whose target is the id, as the OpenTelemetry layer makes it.

use std::io;
use std::path::{Path, PathBuf};

/// Where detectors look, in the one folder that a function can write to.
pub(crate) fn place() -> PathBuf {
    Path::new("/tmp").join(".otel-aws-account-id")
}

/// Makes the link, in the place of one that an earlier process left in `/tmp`.
///
/// # Errors
/// When the file system does not take it.
pub(crate) fn link(account_id: &str, path: &Path) -> io::Result<()> {
    match std::os::unix::fs::symlink(account_id, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::remove_file(path)?;
            std::os::unix::fs::symlink(account_id, path)
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_links_target_is_the_id_and_the_last_one_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("link");
        for id in ["123456789012", "210987654321"] {
            link(id, &path).unwrap();
            assert_eq!(std::fs::read_link(&path).unwrap(), Path::new(id));
        }
    }
}
