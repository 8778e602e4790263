//! A program under test: its output is collected while it runs, and it never outlives its test.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};

use crate::wait;

/// More output than this is a failure of its own and is not kept.
const OUTPUT_BYTES_MAX: usize = 16 << 20;

/// A running program.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdout: Collected,
    stderr: Collected,
    status: Option<ExitStatus>,
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// All it wrote to standard output.
    pub stdout: String,
    /// All it wrote to standard error.
    pub stderr: String,
}

impl Process {
    /// Starts a program with its standard input closed and its output collected.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{name} could not be started ({command:?}): {error}"));
        let stdout = Collected::from(child.stdout.take());
        let stderr = Collected::from(child.stderr.take());
        Self { name: name.to_owned(), child, stdout, stderr, status: None }
    }

    /// What was written to standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What was written to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits until the program has written the text to either output.
    ///
    /// # Panics
    ///
    /// When it ends before that, or does not within the patience of [`wait`].
    pub fn wait_for_output(&mut self, text: &str) {
        let found = wait::within(wait::PATIENCE, || {
            let ended = self.poll().is_some();
            let found = self.stderr().contains(text) || self.stdout().contains(text);
            (found || ended).then_some(found)
        });
        if found != Some(true) {
            panic!("waited for {} to write {text:?}; {}", self.name, self.account());
        }
    }

    /// Sends a signal.
    ///
    /// # Panics
    ///
    /// When the program is gone already.
    pub fn signal(&self, signal: Signal) {
        let sent = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .map(|pid| kill_process(pid, signal));
        if !matches!(sent, Some(Ok(()))) {
            panic!("{} could not be sent {signal:?}: {sent:?}; {}", self.name, self.account());
        }
    }

    /// Whether the program still runs.
    pub fn is_running(&mut self) -> bool {
        self.poll().is_none()
    }

    /// Waits for the program's end.
    ///
    /// # Panics
    ///
    /// When it runs on after the patience of [`wait`].
    pub fn wait(mut self) -> Ended {
        let Some(status) = wait::within(wait::PATIENCE, || self.poll()) else {
            panic!("waited for {} to end; {}", self.name, self.account())
        };
        Ended { code: status.code(), stdout: self.stdout(), stderr: self.stderr() }
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The largest resident set so far, in bytes, by the kernel's account.
    ///
    /// # Panics
    ///
    /// When the program is gone.
    pub fn peak_memory_bytes(&self) -> u64 {
        self.memory_bytes("VmHWM:")
    }

    /// The resident memory that is not of files, such as the program's own, in bytes, by the kernel's account.
    ///
    /// # Panics
    ///
    /// When the program is gone.
    pub fn anonymous_bytes(&self) -> u64 {
        self.memory_bytes("RssAnon:")
    }

    /// Whether a file is mapped into the program's memory.
    pub fn maps(&self, file: &Path) -> bool {
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.child.id()));
        maps.unwrap_or_default().contains(&*file.to_string_lossy())
    }

    /// Waits until every thread of the program is in a state of the kernel's, such as `T` for stopped.
    ///
    /// # Panics
    ///
    /// When that does not happen within the patience of [`wait`].
    pub fn wait_for_state(&self, state: char) {
        let folder = format!("/proc/{}/task", self.child.id());
        wait::until(&format!("{} to be in state {state}", self.name), || {
            let threads = std::fs::read_dir(&folder).ok()?;
            let mut states = threads.flatten().map(|thread| {
                let stat = std::fs::read_to_string(thread.path().join("stat")).ok()?;
                // The name before it stands in parentheses and may hold anything.
                stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next())
            });
            states.all(|found| found == Some(state)).then_some(())
        });
    }

    fn memory_bytes(&self, key: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or_else(|| panic!("{} has no memory account; {}", self.name, self.account()))
            << 10
    }

    /// Everything known about the program, for the message of a failure.
    pub fn account(&self) -> String {
        format!(
            "{} {}; its standard error:\n{}\nits standard output:\n{}",
            self.name,
            self.status.map_or("is running".to_owned(), |status| format!("ended with {status}")),
            self.stderr(),
            self.stdout()
        )
    }

    fn poll(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
            if self.status.is_some() {
                // Its last words are still on their way.
                self.stdout.finish();
                self.stderr.finish();
            }
        }
        self.status
    }
}

impl Drop for Process {
    /// Ends the program, and in a failing test shows what it wrote.
    #[expect(clippy::print_stderr, reason = "the program's output belongs to a failed test's own")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.account());
        }
        // Both calls fail on a process that is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One output stream, read by its own thread until its end.
#[derive(Debug)]
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Collected {
    fn from(stream: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let reader = stream.map(|stream| {
            let bytes = Arc::clone(&bytes);
            std::thread::spawn(move || collect(stream, &bytes))
        });
        Self { bytes, reader }
    }

    fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits for the stream's end, which the program's end brings.
    fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has kept what it had read.
            let _ = reader.join();
        }
    }
}

fn collect(mut stream: impl Read, bytes: &Mutex<Vec<u8>>) {
    let mut piece = vec![0; 8192];
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        let mut bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes.len() < OUTPUT_BYTES_MAX {
            bytes.extend_from_slice(piece.get(..length).unwrap_or_default());
        }
    }
}
