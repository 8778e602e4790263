//! One output of the log: stderr, stdout or a file.
//!
//! A reader that stops reading must not stop the process. Before each piece is written the output is asked whether it
//! takes bytes (`poll`), for at most [`STALL_WAIT`]; a pipe that says yes takes `PIPE_BUF` bytes without blocking
//! (pipe(7)), and no piece is larger. Once an output has stalled it is no longer waited for until it takes bytes again. A
//! line that was cut off is completed before the next one starts.
//!
//! Limits: the promise of `poll` does not hold when another process fills the same pipe in between, nor for a file on a
//! network file system that hangs.

use std::{
    fs::{File, OpenOptions},
    io,
    os::fd::{AsFd, BorrowedFd},
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use super::encode::Iso8601;
use crate::names::LogDropReason;

/// How long a record waits for an output that worked so far.
const STALL_WAIT: Duration = Duration::from_millis(100);

/// Bytes written at once: Linux's `PIPE_BUF`.
const PIECE_BYTES: usize = 4096;

/// An open output.
#[derive(Debug)]
pub(super) struct Output {
    name: String,
    target: Target,
    /// The rest of a line that was cut off.
    rest: Vec<u8>,
    stalled: bool,
    /// A failure was already noted, and nothing was written since.
    failing: bool,
}

impl Output {
    pub(super) fn stderr() -> Self {
        Self::new("stderr", Target::Stderr)
    }

    fn new(name: &str, target: Target) -> Self {
        Self { name: name.to_owned(), target, rest: Vec::new(), stalled: false, failing: false }
    }

    fn open(setting: &'static str, path: &str) -> Result<Self, OutputError> {
        let file = match path {
            "stderr" => return Ok(Self::stderr()),
            "stdout" => return Ok(Self::new(path, Target::Stdout)),
            _ => match path.split_once("://") {
                None => path,
                Some(("file", file)) if file.starts_with('/') => file,
                Some(_) => {
                    return Err(OutputError::UnsupportedUrl { setting, url: path.to_owned() });
                }
            },
        };
        match OpenOptions::new().append(true).create(true).open(file) {
            Ok(file) => Ok(Self::new(path, Target::File(file))),
            Err(source) => Err(OutputError::Open { setting, path: file.into(), source }),
        }
    }

    /// Writes the line, or nothing of it, or a part whose rest follows as soon as the output takes it.
    pub(super) fn write(&mut self, line: &[u8]) -> Result<(), WriteFailure> {
        let mut rest = std::mem::take(&mut self.rest);
        if let Err((written, failure)) = self.write_pieces(&rest) {
            self.rest = rest.split_off(written);
            return Err(failure);
        }
        match self.write_pieces(line) {
            Ok(()) => {
                self.failing = false;
                Ok(())
            }
            Err((0, failure)) => Err(failure),
            Err((written, WriteFailure::Stalled)) => {
                self.rest = line.get(written..).unwrap_or_default().to_vec();
                Ok(())
            }
            Err((_, failure)) => Err(failure),
        }
    }

    /// A line about the failure for the error outputs, unless the output was failing before.
    pub(super) fn first_failure(
        &mut self,
        time: SystemTime,
        failure: &WriteFailure,
    ) -> Option<String> {
        if std::mem::replace(&mut self.failing, true) {
            return None;
        }
        Some(format!("{} write error: {}: {failure}\n", Iso8601(time), self.name))
    }

    /// Writes everything, or says how many bytes were written before the failure.
    fn write_pieces(&mut self, bytes: &[u8]) -> Result<(), (usize, WriteFailure)> {
        let mut written = 0;
        while let Some(left) = bytes.get(written..).filter(|left| !left.is_empty()) {
            let piece = left.get(..PIECE_BYTES).unwrap_or(left);
            let wait = if self.stalled { Duration::ZERO } else { STALL_WAIT };
            match self.target.with_fd(|fd| write_piece(fd, piece, wait)) {
                Ok(count) => {
                    self.stalled = false;
                    written += count;
                }
                Err(failure) => {
                    self.stalled = matches!(failure, WriteFailure::Stalled);
                    return Err((written, failure));
                }
            }
        }
        Ok(())
    }
}

/// Opens every output of a setting.
pub(super) fn open_all(
    setting: &'static str,
    paths: &[String],
) -> Result<Vec<Output>, OutputError> {
    paths.iter().map(|path| Output::open(setting, path)).collect()
}

#[derive(Debug)]
enum Target {
    Stderr,
    Stdout,
    File(File),
}

impl Target {
    /// Hands out the descriptor itself, past the standard library's buffer and lock.
    fn with_fd<T>(&self, act: impl FnOnce(BorrowedFd<'_>) -> T) -> T {
        match self {
            Self::Stderr => act(io::stderr().as_fd()),
            Self::Stdout => act(io::stdout().as_fd()),
            Self::File(file) => act(file.as_fd()),
        }
    }
}

/// Why a record was not written to an output.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteFailure {
    /// It took no bytes in time.
    #[error("the reader does not read")]
    Stalled,
    /// It failed.
    #[error("{0}")]
    Failed(Errno),
}

impl WriteFailure {
    pub(super) fn reason(&self) -> LogDropReason {
        match self {
            Self::Stalled => LogDropReason::OutputStalled,
            Self::Failed(_) => LogDropReason::OutputFailed,
        }
    }
}

/// An output of the log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The file cannot be opened for writing.
    #[error("service::telemetry::logs::{setting}: cannot open {} for appending", path.display())]
    Open {
        /// Key of the setting.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A URL that is not `file:///path`.
    #[error(
        "service::telemetry::logs::{setting}: no sink found for {url:?}: use stderr, stdout, a path or file:///path"
    )]
    UnsupportedUrl {
        /// Key of the setting.
        setting: &'static str,
        /// What was found.
        url: String,
    },
}

/// Writes a piece, or a part of it, if the output takes bytes within `wait`.
fn write_piece(fd: BorrowedFd<'_>, piece: &[u8], wait: Duration) -> Result<usize, WriteFailure> {
    let deadline = Instant::now() + wait;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(|_| WriteFailure::Stalled)?;
        let outcome = match poll(&mut [PollFd::new(&fd, PollFlags::OUT)], Some(&timeout)) {
            Ok(0) => return Err(WriteFailure::Stalled),
            Ok(_) => rustix::io::write(fd, piece),
            Err(errno) => Err(errno),
        };
        match outcome {
            Ok(0) => return Err(WriteFailure::Stalled),
            Ok(count) => return Ok(count),
            // Asked again, with what is left of the time.
            Err(Errno::INTR) if !left.is_zero() => {}
            Err(Errno::INTR | Errno::AGAIN) => return Err(WriteFailure::Stalled),
            Err(errno) => return Err(WriteFailure::Failed(errno)),
        }
    }
}

#[cfg(test)]
mod tests;
