//! The agent as a process with a configuration in a folder of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::process::{Ended, Process};
use crate::{ports, wait};

/// Where the agent's binary is: `HIKYAKU_BIN`, or beside the test binary's folder in the target folder.
///
/// # Panics
///
/// When there is none.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("HIKYAKU_BIN") {
        return path.into();
    }
    let own = std::env::current_exe().ok();
    let profile = own.as_deref().and_then(Path::parent).and_then(Path::parent);
    let binary = profile.map(|folder| folder.join("hikyaku")).unwrap_or_default();
    assert!(binary.is_file(), "there is no agent at {binary:?}: run `cargo build -p hikyaku`");
    binary
}

/// A way to start the agent.
#[derive(Debug)]
pub struct Setup {
    folder: TempDir,
    command: Command,
    ports: Vec<u16>,
}

impl Setup {
    /// Without a configuration, which the caller may add as arguments.
    ///
    /// # Panics
    ///
    /// When no temporary folder can be made.
    pub fn bare() -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
        let mut command = Command::new(binary());
        command.current_dir(folder.path());
        // What a developer's shell or CI sets must not reach the agent under test.
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy().to_lowercase();
            let begins = ["otel_", "aws_", "ecs_"].iter().any(|start| name_text.starts_with(start));
            if begins || name_text.ends_with("_proxy") {
                command.env_remove(name);
            }
        }
        // Nor may the machine that the tests run on, should it be an instance of EC2.
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        Self { folder, command, ports: Vec::new() }
    }

    /// With `--config` naming a file of this text.
    pub fn config(yaml: &str) -> Self {
        let setup = Self::bare().file("config.yaml", yaml);
        setup.arguments(["--config", "config.yaml"])
    }

    /// Puts a file into the agent's working folder.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        self
    }

    /// Adds arguments.
    pub fn arguments<W: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.command.args(words);
        self
    }

    /// Sets a variable of the agent's environment.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Names ports that the agent will listen on once it is ready.
    pub fn listening_on(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.ports.extend(ports);
        self
    }

    /// The agent's working folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the agent and waits until all its ports are taken.
    ///
    /// # Panics
    ///
    /// When it ends or does not listen within the patience of [`wait`]; the message holds its log.
    pub fn start(self) -> Agent {
        let mut agent =
            Agent { process: Process::start("the agent", self.command), folder: self.folder };
        for port in self.ports {
            let listens = wait::within(wait::PATIENCE, || {
                let ended = !agent.process.is_running();
                let listens = ports::is_taken(port);
                (listens || ended).then_some(listens && !ended)
            });
            if listens != Some(true) {
                panic!("the agent does not listen on {port}; {}", agent.process.account());
            }
        }
        agent
    }

    /// Runs the agent until it ends by itself.
    ///
    /// # Panics
    ///
    /// When it runs on after the patience of [`wait`].
    pub fn run(self) -> Ended {
        // The folder must outlive the process.
        let Self { folder, command, .. } = self;
        let ended = Process::start("the agent", command).wait();
        drop(folder);
        ended
    }
}

/// A running agent. When the test fails while it runs, its log is printed with the failure.
#[derive(Debug)]
pub struct Agent {
    process: Process,
    folder: TempDir,
}

impl Agent {
    /// What the agent wrote to standard error so far.
    pub fn log(&self) -> String {
        self.process.stderr()
    }

    /// What the agent wrote to standard output so far.
    pub fn stdout(&self) -> String {
        self.process.stdout()
    }

    /// The process itself.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Replaces a file in the agent's working folder, as an editor does: written beside it, then renamed.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn replace_file(&self, name: &str, content: &str) {
        let (fresh, path) = (self.folder.path().join("fresh"), self.folder.path().join(name));
        let written = std::fs::write(&fresh, content).and_then(|()| std::fs::rename(&fresh, &path));
        written.unwrap_or_else(|error| panic!("{path:?}: {error}"));
    }

    /// Asks for a reload of the configuration.
    pub fn reload(&self) {
        self.process.signal(Signal::HUP);
    }

    /// Sends SIGTERM and goes on.
    pub fn terminate(&self) {
        self.process.signal(Signal::TERM);
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Panics
    ///
    /// When the agent does not end within the patience of [`wait`].
    pub fn stop(self) -> Ended {
        self.terminate();
        self.wait()
    }

    /// Waits for the agent's end.
    ///
    /// # Panics
    ///
    /// When it runs on after the patience of [`wait`].
    pub fn wait(self) -> Ended {
        // The folder must outlive the process.
        let Self { process, folder } = self;
        let ended = process.wait();
        drop(folder);
        ended
    }
}
