//! Running other programs, and what to say when one fails.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a task ended: what failed, and where it is known, the remedy.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// Several failures as one, in the order in which they were found.
    pub(crate) fn joined(failures: Vec<Self>) -> Result<(), Self> {
        if failures.is_empty() {
            return Ok(());
        }
        let texts: Vec<String> = failures.into_iter().map(|failure| failure.0).collect();
        Err(Self(texts.join("\n\n")))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The cargo that started this program, working in the project's folder.
pub(crate) struct Cargo<'a> {
    program: PathBuf,
    root: &'a Path,
}

impl<'a> Cargo<'a> {
    pub(crate) fn find(root: &'a Path) -> Self {
        Self { program: std::env::var_os("CARGO").map_or("cargo".into(), PathBuf::from), root }
    }

    /// Runs cargo with its output on the terminal.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<(), Failure> {
        self.run_with(arguments, &[])
    }

    /// The same with variables.
    pub(crate) fn run_with(
        &self,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<(), Failure> {
        let mut command = Command::new(&self.program);
        command.args(arguments).envs(variables.iter().copied()).current_dir(self.root);
        run_on_terminal(command)
    }
}

/// Runs a program with its output on the terminal, and fails unless it ends with code 0.
pub(crate) fn run_visibly(
    program: &Path,
    arguments: &[impl AsRef<OsStr>],
    folder: &Path,
) -> Result<(), Failure> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    run_on_terminal(command)
}

fn run_on_terminal(mut command: Command) -> Result<(), Failure> {
    command.stdin(Stdio::null());
    let shown = shown(&command);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(format!("`{shown}` ended with {status}"))),
        Err(error) => Err(Failure::new(format!("`{shown}` could not be started: {error}"))),
    }
}

/// Runs a program quietly and returns what it printed; its output is shown only when it fails.
pub(crate) fn run_quietly(mut command: Command) -> Result<String, Failure> {
    command.stdin(Stdio::null());
    let shown = shown(&command);
    let output = command
        .output()
        .map_err(|error| Failure::new(format!("`{shown}` could not be started: {error}")))?;
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(Failure::new(format!("`{shown}` ended with {}:\n{}", output.status, text.trim())))
}

/// The folder that holds this program's own profile folder, whatever the caller's settings call it.
pub(crate) fn target_dir(root: &Path) -> PathBuf {
    let own = std::env::current_exe().ok();
    let target = own.as_deref().and_then(Path::parent).and_then(Path::parent);
    target.map_or_else(|| root.join("target"), Path::to_path_buf)
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
