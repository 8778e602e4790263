//! Where text is written: standard output, standard error, files.
//!
//! A reader that stops reading must not stop a pipeline. Text is written by a blocking thread, in pieces that a pipe which
//! says it is ready takes without blocking (`PIPE_BUF`, pipe(7)); a target that takes nothing for [`Patience::stall`] has stalled,
//! and is not waited for again until it takes something. Text that was cut off by a stall is kept and goes first the next time, so that
//! lines stay whole.
//!
//! Limit: another process that fills the same pipe or stops the same terminal in between two steps can block the thread; the pipeline
//! then waits no longer than [`Patience::total`].

use std::fs::{File, OpenOptions};
use std::io::IsTerminal;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::sync::Mutex;

/// Bytes written at once: Linux's `PIPE_BUF`.
const PIECE_BYTES: usize = 4096;

/// The outputs of one exporter, for all its signals.
#[derive(Debug)]
pub(crate) struct Outputs {
    paths: Vec<String>,
    patience: Patience,
    targets: Arc<Mutex<Vec<Target>>>,
}

/// How long a target is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// While it takes nothing.
    pub(crate) stall: Duration,
    /// For a text, while others write or it takes some.
    pub(crate) total: Duration,
}

/// Why a text was not taken by any target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WriteError {
    /// Nobody reads. Nothing of the text was written.
    #[error("the output takes nothing: its reader does not read")]
    Stalled,
    /// It is gone.
    #[error("the output failed: {0}")]
    Failed(Errno),
}

/// What is known of the terminal that text is shown on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Whether it is a terminal.
    pub(crate) is_terminal: bool,
    /// Its columns, if it says so.
    pub(crate) columns: Option<usize>,
}

impl Outputs {
    /// Outputs to these paths, not yet opened.
    pub(crate) fn new(paths: Vec<String>) -> Self {
        let patience = Patience { stall: Duration::from_secs(1), total: Duration::from_secs(10) };
        Self { paths, patience, targets: Arc::default() }
    }

    /// Outputs to these files, opened.
    #[cfg(test)]
    pub(crate) fn to_files(files: Vec<File>, patience: Patience) -> Self {
        let open = |file| Target::new("test", Sink::File(file));
        let targets = files.into_iter().map(open).collect();
        Self { paths: Vec::new(), patience, targets: Arc::new(Mutex::new(targets)) }
    }

    /// Opens what is not open yet.
    ///
    /// # Errors
    /// Names the file that cannot be opened.
    pub(crate) async fn open(&self) -> Result<(), String> {
        let mut targets = self.targets.lock().await;
        for path in self.paths.get(targets.len()..).unwrap_or_default() {
            let sink = match path.as_str() {
                "stdout" => Sink::Stdout,
                "stderr" => Sink::Stderr,
                path => {
                    let path = path.strip_prefix("file://").unwrap_or(path);
                    let file = OpenOptions::new().append(true).create(true).open(path);
                    Sink::File(file.map_err(|error| {
                        format!(
                            "cannot open {path:?} for appending: {error} (setting: output_paths)"
                        )
                    })?)
                }
            };
            targets.push(Target::new(path, sink));
        }
        Ok(())
    }

    /// What the first output is shown on.
    pub(crate) async fn screen(&self) -> Screen {
        let targets = self.targets.lock().await;
        targets.first().map_or(Screen { is_terminal: false, columns: None }, Target::screen)
    }

    /// Writes the text that `make` makes, on a blocking thread.
    ///
    /// # Errors
    /// When no target took it. Dropped part-way, the text may be written all the same.
    pub(crate) async fn write(
        &self,
        make: impl FnOnce() -> Vec<u8> + Send + 'static,
    ) -> Result<(), WriteError> {
        let (targets, stall) = (self.targets.clone(), self.patience.stall);
        let write = async move {
            let mut targets = targets.lock_owned().await;
            let written =
                tokio::task::spawn_blocking(move || write_all(&mut targets, &make(), stall));
            written.await
        };
        match tokio::time::timeout(self.patience.total, write).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is being shut down.
                Err(_cancelled) => Err(WriteError::Stalled),
            },
            Err(_elapsed) => Err(WriteError::Stalled),
        }
    }
}

/// One output.
#[derive(Debug)]
struct Target {
    name: String,
    sink: Sink,
    /// The rest of a text that was cut off by a stall.
    rest: Vec<u8>,
    /// It took nothing the last time.
    stalled: bool,
    /// A failure was noted, and nothing was written since.
    failing: bool,
}

#[derive(Debug)]
enum Sink {
    Stdout,
    Stderr,
    File(File),
}

impl Target {
    fn new(name: &str, sink: Sink) -> Self {
        Self { name: name.to_owned(), sink, rest: Vec::new(), stalled: false, failing: false }
    }

    fn screen(&self) -> Screen {
        self.sink.with_fd(|fd| Screen {
            is_terminal: fd.is_terminal(),
            columns: rustix::termios::tcgetwinsize(fd)
                .ok()
                .map(|size| usize::from(size.ws_col))
                .filter(|columns| *columns > 0),
        })
    }

    /// Writes the text; a part that a stall cuts off is kept for the next time.
    fn write(&mut self, text: &[u8], stall: Duration) -> Result<(), WriteError> {
        let rest = std::mem::take(&mut self.rest);
        let (written, outcome) = self.write_pieces(&rest, stall);
        self.rest = rest.get(written..).unwrap_or_default().to_vec();
        outcome?;
        match self.write_pieces(text, stall) {
            (written, Err(WriteError::Stalled)) if written > 0 => {
                self.rest = text.get(written..).unwrap_or_default().to_vec();
                Ok(())
            }
            (_, outcome) => outcome,
        }
    }

    /// Writes as much as is taken, and says how much that was.
    fn write_pieces(&mut self, text: &[u8], stall: Duration) -> (usize, Result<(), WriteError>) {
        let mut written = 0;
        while let Some(left) = text.get(written..).filter(|left| !left.is_empty()) {
            let piece = left.get(..PIECE_BYTES).unwrap_or(left);
            let wait = if self.stalled { Duration::ZERO } else { stall };
            match self.sink.with_fd(|fd| write_piece(fd, piece, wait)) {
                Ok(count) => {
                    self.stalled = false;
                    written += count;
                }
                Err(error) => {
                    self.stalled = error == WriteError::Stalled;
                    return (written, Err(error));
                }
            }
        }
        (written, Ok(()))
    }
}

impl Sink {
    /// Hands out the descriptor itself, past the standard library's buffer and lock.
    fn with_fd<T>(&self, act: impl FnOnce(BorrowedFd<'_>) -> T) -> T {
        match self {
            Sink::Stdout => act(rustix::stdio::stdout()),
            Sink::Stderr => act(rustix::stdio::stderr()),
            Sink::File(file) => act(file.as_fd()),
        }
    }
}

/// Writes the text to every target. One that takes it is enough.
fn write_all(targets: &mut [Target], text: &[u8], stall: Duration) -> Result<(), WriteError> {
    let mut outcome = None;
    for target in targets {
        let written = target.write(text, stall);
        match &written {
            Ok(()) => target.failing = false,
            Err(error) if !std::mem::replace(&mut target.failing, true) => {
                tracing::warn!(output = target.name, error = %error, "Output of the debug exporter is not written");
            }
            Err(_noted) => {}
        }
        outcome = Some(match outcome {
            None | Some(Err(_)) => written,
            Some(Ok(())) => Ok(()),
        });
    }
    outcome.unwrap_or(Ok(()))
}

/// Writes a piece, or a part of it, if the descriptor takes bytes within `wait`.
fn write_piece(fd: BorrowedFd<'_>, piece: &[u8], wait: Duration) -> Result<usize, WriteError> {
    let timeout = Timespec::try_from(wait).map_err(|_too_long| WriteError::Stalled)?;
    loop {
        let outcome = match poll(&mut [PollFd::new(&fd, PollFlags::OUT)], Some(&timeout)) {
            Ok(0) => return Err(WriteError::Stalled),
            Ok(_ready) => rustix::io::write(fd, piece),
            Err(errno) => Err(errno),
        };
        match outcome {
            Ok(0) | Err(Errno::AGAIN) => return Err(WriteError::Stalled),
            Ok(count) => return Ok(count),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(WriteError::Failed(errno)),
        }
    }
}

#[cfg(test)]
mod tests;
