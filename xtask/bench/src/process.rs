//! A measured process: started, asked about through the kernel's own accounts, and stopped.

use std::error::Error;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to listen, and to end after SIGTERM.
const LISTEN_WITHIN: Duration = Duration::from_secs(20);
const END_WITHIN: Duration = Duration::from_secs(45);

/// Between two looks at something that another process does. A look costs about as much as it adds.
const LOOK_AGAIN: Duration = Duration::from_micros(50);

/// A program to be measured.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// Where it listens once it is ready.
    pub(crate) port: u16,
    /// Whether it computes APM stats of what it is sent.
    pub(crate) stats: bool,
    /// Takes its standard output and error.
    pub(crate) log: PathBuf,
}

/// A subject that is listening.
#[derive(Debug)]
pub(crate) struct Running {
    name: &'static str,
    child: Child,
    /// From just before the process was made until its port took a connection.
    pub(crate) listening_after: Duration,
}

impl Running {
    /// Starts a subject and waits until it listens.
    pub(crate) fn start(subject: &Subject) -> Result<Self, Box<dyn Error>> {
        let log = File::create(&subject.log)?;
        let mut command = Command::new(&subject.program);
        command.args(&subject.arguments).stdin(Stdio::null());
        // Requests to AWS are signed, whoever takes them.
        command.env("AWS_ACCESS_KEY_ID", "AKIDBENCH").env("AWS_SECRET_ACCESS_KEY", "bench");
        command.stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        let child = command.spawn().map_err(|error| format!("{:?}: {error}", subject.program))?;
        let mut running = Self { name: subject.name, child, listening_after: Duration::ZERO };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, subject.port));
        while TcpStream::connect(address).is_err() {
            let ended = running.child.try_wait()?;
            if ended.is_some() || started.elapsed() > LISTEN_WITHIN {
                let log = std::fs::read_to_string(&subject.log).unwrap_or_default();
                return Err(format!(
                    "{} does not listen on port {} ({ended:?}): {log}",
                    subject.name, subject.port
                )
                .into());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        running.listening_after = started.elapsed();
        Ok(running)
    }

    /// Processor time of all threads so far, user and system, in the kernel's ticks (10 ms).
    pub(crate) fn cpu(&self) -> Result<Duration, Box<dyn Error>> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The second field is the program's name in parentheses and may hold anything: count behind its end. `utime` and
        // `stime` are the 14th and 15th (proc_pid_stat(5)), so the 12th and 13th from there.
        let (_, fields) = stat.rsplit_once(')').ok_or("a stat line without a name")?;
        let ticks: u64 =
            fields.split_whitespace().skip(11).take(2).flat_map(str::parse::<u64>).sum();
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_secs_f64(ticks as f64 / per_second as f64))
    }

    /// One of the kernel's memory figures, `VmRSS` or `VmHWM`, in MiB.
    pub(crate) fn memory_mib(&self, key: &str) -> Result<f64, Box<dyn Error>> {
        memory_mib(self.child.id(), key).ok_or_else(|| format!("{} has no {key}", self.name).into())
    }

    /// Asks the process to end.
    pub(crate) fn terminate(&self) -> Result<(), Box<dyn Error>> {
        let pid = Pid::from_raw(self.child.id().try_into()?).ok_or("a process without an id")?;
        Ok(kill_process(pid, Signal::TERM)?)
    }

    /// Waits for the end of a process that was asked for it, and says with which status it came.
    pub(crate) async fn ended(mut self) -> Result<ExitStatus, Box<dyn Error>> {
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if asked.elapsed() > END_WITHIN {
                return Err(format!("{} runs on after SIGTERM", self.name).into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Running {
    /// Nothing outlives its measurement. Both calls fail on a process that is gone already, which is what is wanted.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One of the kernel's memory figures of a process, in MiB.
pub(crate) fn memory_mib(process: u32, key: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

/// A port that was free a moment ago, and that no outgoing connection will be given: those get ports from 32768 on, and a
/// subject is started on the same port again and again.
pub(crate) fn free_port() -> std::io::Result<u16> {
    let start = fastrand::u16(10_000..32_000);
    let ports = (start..32_768).chain(10_000..start);
    let mut bound = ports.map(|port| std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)));
    let listener = bound.find_map(Result::ok).ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    Ok(listener.local_addr()?.port())
}
