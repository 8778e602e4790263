//! `file:`: files on this machine (open-telemetry/opentelemetry-collector
//! `confmap/provider/fileprovider`).

use std::{
    fs::File,
    io::{self, Read},
};

use super::{BoxFuture, Provider, ProviderError, Reference, Retrieved};
use crate::limits::MAX_DOCUMENT_BYTES;

/// `file:path`, absolute or from the working directory. The file is read once and not watched, by
/// blocking calls: configuration is read before there is anything to hold up.
#[derive(Clone, Copy, Debug)]
pub struct FileProvider;

/// Why a file can't be read.
#[derive(Debug, thiserror::Error)]
#[error("unable to read the file {path:?}")]
pub struct FileError {
    path: String,
    #[source]
    cause: Cause,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("the path is empty")]
    NoPath,
    #[error("it is a directory")]
    Directory,
    #[error("it is not valid UTF-8 at byte {at}")]
    NotUtf8 { at: usize },
    #[error("it is larger than {MAX_DOCUMENT_BYTES} bytes")]
    TooLarge,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Cause {
    fn help(&self) -> Option<&'static str> {
        let kind = match self {
            Self::NoPath => return Some("write a path behind file:"),
            Self::Directory => return Some("name a file in it, such as config.yaml"),
            Self::NotUtf8 { .. } => return Some("save the file in UTF-8"),
            Self::TooLarge => return Some("name a configuration file"),
            Self::Io(error) => error.kind(),
        };
        match kind {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Some("check the path; a relative one starts at the working directory")
            }
            io::ErrorKind::PermissionDenied => Some(
                "let the user that the process runs as read the file and enter its directories",
            ),
            _ => None,
        }
    }
}

impl Provider for FileProvider {
    fn scheme(&self) -> &'static str {
        "file"
    }

    fn retrieve<'a>(
        &'a self,
        references: &'a [Reference],
    ) -> BoxFuture<'a, Vec<Result<Retrieved, ProviderError>>> {
        Box::pin(async move { references.iter().map(retrieve).collect() })
    }

    fn is_local(&self) -> bool {
        true
    }
}

fn retrieve(reference: &Reference) -> Result<Retrieved, ProviderError> {
    read(reference.opaque()).map(|text| Retrieved::yaml(text).shown()).map_err(|cause| {
        let help = cause.help();
        let error = ProviderError::new(FileError { path: reference.shown().to_owned(), cause });
        help.into_iter().fold(error, ProviderError::help)
    })
}

fn read(path: &str) -> Result<String, Cause> {
    if path.is_empty() {
        return Err(Cause::NoPath);
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(Cause::Directory);
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_DOCUMENT_BYTES).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(Cause::TooLarge);
    }
    String::from_utf8(bytes)
        .map_err(|error| Cause::NotUtf8 { at: error.utf8_error().valid_up_to() })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::Cause;

    /// A test may run as a user whom no permission stops, so the error is made by hand.
    #[test]
    fn a_file_that_may_not_be_read_names_the_remedy() {
        let cause = Cause::from(io::Error::from(io::ErrorKind::PermissionDenied));
        let help = "let the user that the process runs as read the file and enter its directories";
        assert_eq!(cause.help(), Some(help));
    }
}
